"""What people do on the vendor's side: administrators, and the world's bad days, vendor by vendor.

Each gesture takes any connector's sandbox; a connector without an entry is an error here, so that
adding one means adding its gestures.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from crmsync.testing import Actor, Origin, Sandbox
from crmsync_fxiaoke.sandbox import FxiaokeSandbox
from crmsync_zoho.sandbox import ZohoSandbox
from crmsync_zoho.sandbox_schema import ZohoField

ADMINISTRATOR = Actor("administrator", Origin.PERSON)
APP_STOPPED = 20021


def end_tokens(sandbox: Sandbox) -> None:
    """Every access token given out so far stops working; signing in again helps."""
    match sandbox:
        case ZohoSandbox():
            sandbox.accounts.end_access_tokens()
        case FxiaokeSandbox():
            sandbox.gateway.reception.desk.revoke_all()
        case _:
            raise NotImplementedError(type(sandbox).__name__)


def revoke_access(sandbox: Sandbox) -> None:
    """The administrator takes the integration's access away for good."""
    match sandbox:
        case ZohoSandbox():
            sandbox.accounts.revoke()
            sandbox.accounts.end_access_tokens()
        case FxiaokeSandbox():
            sandbox.gateway.reception.app_state = APP_STOPPED
        case _:
            raise NotImplementedError(type(sandbox).__name__)


@contextmanager
def another_company(sandbox: Sandbox) -> Iterator[None]:
    """The same address leads to another account for a while; tokens kept so far are void."""
    match sandbox:
        case ZohoSandbox():
            here = sandbox.org.id
            sandbox.org.id = here[:-1] + "9"
            yield
            sandbox.org.id = here
        case FxiaokeSandbox():
            reception = sandbox.gateway.reception
            app = reception.app
            reception.app = replace(app, ea="anothercompany")
            yield
            reception.app = app
        case _:
            raise NotImplementedError(type(sandbox).__name__)


def lock_record(sandbox: Sandbox, object: str, id: str) -> None:
    """An administrator locks a record: the API may not change it."""
    match sandbox:
        case ZohoSandbox():
            sandbox.lock(object, id)
        case FxiaokeSandbox():
            row = sandbox.store.get(object, id)
            sandbox.tenant.set_system(row, {"lock_status": "1"}, ADMINISTRATOR)
        case _:
            raise NotImplementedError(type(sandbox).__name__)


def unlock_record(sandbox: Sandbox, object: str, id: str) -> None:
    """And unlocks it."""
    match sandbox:
        case ZohoSandbox():
            sandbox.lock(object, id, locked=False)
        case FxiaokeSandbox():
            row = sandbox.store.get(object, id)
            sandbox.tenant.set_system(row, {"lock_status": "0"}, ADMINISTRATOR)
        case _:
            raise NotImplementedError(type(sandbox).__name__)


def field_updates(sandbox: Sandbox) -> tuple[str, str]:
    """Method and path of the calls that change customers."""
    match sandbox:
        case ZohoSandbox():
            return "PUT", "/crm/v8/Accounts*"
        case FxiaokeSandbox():
            return "POST", "/cgi/crm/v2/data/update"
        case _:
            raise NotImplementedError(type(sandbox).__name__)


def task_creations(sandbox: Sandbox) -> tuple[str, str]:
    """Method and path of the calls that create tasks."""
    match sandbox:
        case ZohoSandbox():
            return "POST", "/crm/v8/Tasks*"
        case FxiaokeSandbox():
            return "POST", "/cgi/crm/custom/v2/data/create"
        case _:
            raise NotImplementedError(type(sandbox).__name__)


def fields_of(sandbox: Sandbox, object: str) -> dict[str, Any]:
    """The fields of an object by API name, as its administrator's page holds them."""
    match sandbox:
        case ZohoSandbox():
            return sandbox.org.modules[object].fields
        case FxiaokeSandbox():
            return sandbox.tenant.objects[object].fields
        case _:
            raise NotImplementedError(type(sandbox).__name__)


def type_key(field: Any) -> str:
    """What a field calls its type."""
    return "data_type" if isinstance(field, ZohoField) else "type"


def without_choice(field: Any) -> Any:
    """A picklist whose first choice was taken away."""
    if isinstance(field, ZohoField):
        return replace(field, choices=field.choices[1:])
    return replace(field, options=field.options[1:])
