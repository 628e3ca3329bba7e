"""The error tree: a class says what the caller does next, an exit code says it to the shell.

::

    CrmSyncError
    ├ UsageError            wrong option or an unanswered question          exit 2
    ├ ConfigError           a file or setting must be mended                exit 1
    │  └ RulesetError       a rule, mapping, table or case file             exit 1
    ├ ConnectorError        speaks for one whole remote call
    │  ├ AuthError          a person signs in again; nothing was written    exit 4
    │  ├ AccessDenied       a scope or permission is missing                exit 4
    │  ├ Throttled          wait ``retry_after``, then repeat; not written  exit 9
    │  ├ QuotaExhausted     stop until ``resets_at``; not written           exit 9
    │  ├ Unavailable        back off, repeat; nothing was written           exit 9
    │  ├ OutcomeUnknown     it may have been written: look before repeating exit 7
    │  ├ BatchRejected      rolled back as a whole: split it                exit 7
    │  └ UnexpectedReply    the CRM answered something we cannot read       exit 9
    ├ PlanRefused           altered, stale, expired, other account or rules exit 5
    ├ GuardRefused          a named guard stopped it before the first write exit 6
    ├ LockHeld              another run is active                           exit 8
    └ StoreError            the local state cannot be used; nothing sent    exit 11

Messages are `Text`: what happened and to what, in both languages; ``mend`` says what to do next.
Neither ever holds a credential or a customer's data.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import IntEnum
from typing import TYPE_CHECKING

from crmsync.model.text import Text

if TYPE_CHECKING:
    from crmsync.model.diagnostic import Diagnostic


class ExitCode(IntEnum):
    """Every exit code of the command line; the one list of them."""

    DONE = 0
    FINDINGS = 1
    USAGE = 2
    CHANGES = 3
    SIGN_IN = 4
    PLAN_REFUSED = 5
    HELD_BACK = 6
    PARTIAL = 7
    LOCKED = 8
    TRY_LATER = 9
    STORE = 11
    BUG = 70
    INTERRUPTED = 130
    TERMINATED = 143


class CrmSyncError(Exception):
    """The root: carries a stable ``code``, the exit code, the message and its mend."""

    exit = ExitCode.BUG
    code = "ERROR"

    def __init__(self, message: Text, *, mend: Text | None = None, code: str | None = None) -> None:
        super().__init__(message.en)
        self.message = message
        self.mend = mend
        if code is not None:
            self.code = code


class UsageError(CrmSyncError):
    """Wrong use of a command, or a question that could not be asked."""

    exit = ExitCode.USAGE
    code = "USAGE"


class ConfigError(CrmSyncError):
    """A file or setting a person must mend; ``diagnostics`` holds every problem found at once."""

    exit = ExitCode.FINDINGS
    code = "CONFIG"

    def __init__(
        self,
        message: Text,
        *,
        mend: Text | None = None,
        code: str | None = None,
        diagnostics: Sequence[Diagnostic] = (),
    ) -> None:
        super().__init__(message, mend=mend, code=code)
        self.diagnostics = tuple(diagnostics)


class RulesetError(ConfigError):
    """A rule, mapping, table or case file is wrong."""

    code = "RULESET"


class ConnectorError(CrmSyncError):
    """One whole remote call failed; subclasses say whether anything may have been written."""

    exit = ExitCode.TRY_LATER
    code = "CONNECTOR"

    def __init__(
        self,
        message: Text,
        *,
        mend: Text | None = None,
        remote_code: str | None = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(message, mend=mend)
        self.remote_code = remote_code
        self.request_id = request_id


class AuthError(ConnectorError):
    """The CRM refused the credentials; nothing was written and a person must act."""

    exit = ExitCode.SIGN_IN
    code = "SIGN_IN"


class AccessDenied(ConnectorError):
    """Signed in, but a scope or permission is missing; nothing was written."""

    exit = ExitCode.SIGN_IN
    code = "ACCESS_DENIED"


class Throttled(ConnectorError):
    """The CRM asks for a pause; nothing was written. ``retry_after`` in seconds, if it said so."""

    code = "THROTTLED"

    def __init__(
        self,
        message: Text,
        *,
        retry_after: float | None = None,
        mend: Text | None = None,
        remote_code: str | None = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(message, mend=mend, remote_code=remote_code, request_id=request_id)
        self.retry_after = retry_after


class QuotaExhausted(ConnectorError):
    """The account's calls are used up; nothing was written. ``resets_at`` when that is known."""

    code = "QUOTA"

    def __init__(
        self,
        message: Text,
        *,
        resets_at: datetime | None = None,
        mend: Text | None = None,
        remote_code: str | None = None,
    ) -> None:
        super().__init__(message, mend=mend, remote_code=remote_code)
        self.resets_at = resets_at


class Unavailable(ConnectorError):
    """Not reached, or refused before doing anything; nothing was written, repeating is safe."""

    code = "UNAVAILABLE"


class OutcomeUnknown(ConnectorError):
    """The call may have been carried out: look before repeating."""

    exit = ExitCode.PARTIAL
    code = "OUTCOME_UNKNOWN"


class BatchRejected(ConnectorError):
    """The whole batch was rolled back for one bad record: split it to find the culprit."""

    exit = ExitCode.PARTIAL
    code = "BATCH_REJECTED"


class UnexpectedReply(ConnectorError):
    """The reply to a read cannot be understood (a web page, broken JSON, a repeated page)."""

    code = "UNEXPECTED_REPLY"


class PlanRefused(CrmSyncError):
    """The plan must not be applied: altered, expired, stale, other account, other rules."""

    exit = ExitCode.PLAN_REFUSED
    code = "PLAN_REFUSED"


class GuardRefused(CrmSyncError):
    """A guard stopped the run before the first write."""

    exit = ExitCode.HELD_BACK
    code = "GUARD"


class LockHeld(CrmSyncError):
    """Another run holds the lock on this connection."""

    exit = ExitCode.LOCKED
    code = "LOCKED"


class StoreError(CrmSyncError):
    """The local state cannot be read or written; nothing was sent."""

    exit = ExitCode.STORE
    code = "STORE"
