"""Seals for our own books: an HMAC under the project's key, so that only crmsync can make one."""

from __future__ import annotations

import hashlib
import hmac

_SEPARATOR = b"\x1f"


class Sealer:
    """Makes seals with one key; without a key they are plain SHA-256, which shows accidents only.

    ``id`` names the key without telling it: several machines that share a database may each have
    their own.
    """

    def __init__(self, key: bytes | None) -> None:
        self._key = key
        self.id = None if key is None else hashlib.sha256(b"crmsync key id" + key).hexdigest()[:16]

    def seal(self, *parts: str) -> str:
        """64 hex digits over *parts* in their order."""
        content = _SEPARATOR.join(part.encode() for part in parts)
        if self._key is None:
            return hashlib.sha256(content).hexdigest()
        return hmac.new(self._key, content, hashlib.sha256).hexdigest()
