"""The last net under the log: secrets are struck out of every record before it is written.

It is a net, not the control: credentials are kept out of addresses, errors and reprs where those
are made. What falls into it is text of libraries, and of tracebacks.
"""

from __future__ import annotations

import logging
import re
import sys
import threading
import traceback
import unicodedata
from typing import TextIO

STRUCK = "[secret]"
SHORTEST = 6
"""A shorter secret would strike out ordinary words."""
_NAMES = (
    r"authorization|cookie|(?:x-)?api[-_]?key|secret|token|password|passwd|permanent[-_]?code"
    r"|signature"
)
_PATTERNS = (
    (re.compile(r"(?i)\b(bearer|basic|zoho-oauthtoken)(\s+)[^\s'\",;]+"), rf"\1\2{STRUCK}"),
    (
        # "secret:NAME" is a reference, and a short value no credential
        re.compile(
            rf"(?i)(?<![\w-])(?!secret:[a-z])([\w-]*(?:{_NAMES})[\w-]*)"
            r"(['\"]?\s*[=:]\s*b?['\"]?)(?!\[)[^\s'\"&,;)}\]]{8,}"
        ),
        rf"\1\2{STRUCK}",
    ),
    (re.compile(r"(?i)\b([a-z][a-z0-9+.-]*://[^/@:\s]*:)[^/@\s]+@"), rf"\1{STRUCK}@"),
)


class Redactor(logging.Filter):
    """Strikes out what looks like a secret and every secret it was told of, in the message and in
    the traceback; line breaks and control characters go, so that no value forges a log line."""

    def __init__(self) -> None:
        super().__init__()
        self._known: set[str] = set()
        self._turn = threading.Lock()

    def know(self, secret: str) -> str:
        """Remember a secret that was just read; gives it back."""
        if len(secret) >= SHORTEST:
            with self._turn:
                self._known.add(secret)
        return secret

    def clean(self, text: str) -> str:
        """*text* without any secret."""
        with self._turn:
            known = sorted(self._known, key=len, reverse=True)
        for secret in known:
            text = text.replace(secret, STRUCK)
        for pattern, instead in _PATTERNS:
            text = pattern.sub(instead, text)
        return text

    def filter(self, record: logging.LogRecord) -> bool:
        """Format message and traceback now, and clean both; the record itself always passes."""
        record.msg, record.args = _one_line(self.clean(record.getMessage())), ()
        if record.exc_info:
            record.exc_text = "".join(traceback.format_exception(*record.exc_info)).rstrip()
            record.exc_info = None
        if record.exc_text:
            record.exc_text = self.clean(record.exc_text)
        if record.stack_info:
            record.stack_info = self.clean(record.stack_info)
        return True


REDACTOR = Redactor()
"""The one every handler of this process shares."""


class _Stderr(logging.StreamHandler[TextIO]):
    """Writes to whatever stderr is when the record comes."""

    def __init__(self) -> None:
        logging.Handler.__init__(self, logging.WARNING)

    @property
    def stream(self) -> TextIO:  # type: ignore[override]
        return sys.stderr


def guard_log() -> None:
    """Put the redacting handler on the root logger; once is enough, again does nothing."""
    root = logging.getLogger()
    if any(isinstance(handler, _Stderr) for handler in root.handlers):
        return
    handler = _Stderr()
    handler.addFilter(REDACTOR)
    root.addHandler(handler)


def _one_line(text: str) -> str:
    return "".join(" " if unicodedata.category(char)[0] == "C" else char for char in text)
