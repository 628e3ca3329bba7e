"""Zoho CRM connector: declared here, loaded on use."""

from crmsync.connector.spec import ConnectorSpec
from crmsync.model.text import Text

SPEC = ConnectorSpec(
    name="zoho",
    title=Text.same("Zoho CRM"),
    settings="crmsync_zoho.settings:ZohoSettings",
    open="crmsync_zoho.connector:open_connector",
    sandbox="crmsync_zoho.sandbox:ZohoSandbox",
    account_object="Accounts",
)
