"""纷享销客 Fxiaoke connector: declared here, loaded on use."""

from crmsync.connector.spec import ConnectorSpec
from crmsync.model.text import Text

SPEC = ConnectorSpec(
    name="fxiaoke",
    title=Text.same("纷享销客 Fxiaoke"),
    settings="crmsync_fxiaoke.settings:FxiaokeSettings",
    open="crmsync_fxiaoke.connector:open_connector",
    sandbox="crmsync_fxiaoke.sandbox:FxiaokeSandbox",
    account_object="AccountObj",
)
