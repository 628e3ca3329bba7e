"""The plan file: JSON Lines — header, one line per change, trailer — signed with HMAC-SHA256."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from crmsync.errors import PlanRefused
from crmsync.model.canonical import decode, encode, text_of
from crmsync.model.plan import PlanHeader, PlanLine, short_digest
from crmsync.model.text import Text
from crmsync.plan.draft import Draft, decode_line

FORMAT, VERSION = "crmsync-plan", 1
LONGEST_LINE = 64 * 1024 * 1024
FEWEST_APPROVED = 8


def write_plan(path: Path, draft: Draft, key: bytes) -> str:
    """Write the plan, whole or not at all, readable by its owner alone; gives its digest."""
    part = path.with_name(f"{path.name}.part")
    part.unlink(missing_ok=True)
    seal = _Seal(key)
    with os.fdopen(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
        head = {"format": FORMAT, "version": VERSION, "header": encode(draft.header, PlanHeader)}
        seal.write(file, text_of(head).encode() + b"\n")
        for raw in draft.raw():
            seal.write(file, raw)
        file.write(seal.trailer())
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    return seal.digest


class PlanFile:
    """A plan file that was verified whole; `lines` streams it and verifies it again."""

    def __init__(self, path: Path, header: PlanHeader, seal: _Seal) -> None:
        self.path = path
        self.header = header
        self._seal = seal

    @property
    def digest(self) -> str:
        """SHA-256 of the file's content, as approvals name it."""
        return self._seal.digest

    def lines(self) -> Iterator[PlanLine]:
        """Every line in order; raises PlanRefused at the end if the file changed meanwhile."""
        seal = _Seal(self._seal.key)
        with self.path.open("rb") as file:
            for place, raw in enumerate(_content(file, seal)):
                if place:
                    yield decode_line(raw)
        if seal.digest != self.digest:
            raise _altered(self.path)


def read_plan(path: Path, key: bytes) -> PlanFile:
    """Verify the whole file, then give its header and a way to stream its lines.

    Raises PlanRefused when it is missing, altered, truncated, signed with another key, or of a
    newer format; nothing is sent on the strength of an unverified file.
    """
    seal, first = _Seal(key), b""
    try:
        with path.open("rb") as file:
            for place, raw in enumerate(_content(file, seal)):
                if place == 0:
                    first = raw
    except OSError as error:
        raise PlanRefused(
            Text(f"打不开计划文件 {path.name}", f"the plan file {path.name} cannot be opened"),
            mend=_AGAIN,
        ) from error
    head: dict[str, Any] = json.loads(first)
    if head.get("format") != FORMAT or head.get("version") != VERSION:
        raise PlanRefused(
            Text(
                zh=f"计划文件的格式版本是 {head.get('version')}，本程序只认 {VERSION}",
                en=f"the plan file has format {head.get('version')}; this program reads {VERSION}",
            ),
            mend=Text(
                "用制作计划的版本执行，或重新计划。",
                "Apply it with the version that made it, or plan again.",
            ),
        )
    return PlanFile(path, decode(head["header"], PlanHeader), seal)


def approves(given: str, digest: str) -> bool:
    """Whether *given* names the plan: the short form, or at least eight leading digits."""
    given = given.strip().lower()
    if given == short_digest(digest):
        return True
    return len(given) >= FEWEST_APPROVED and digest.startswith(given)


class _Seal:
    """Runs along the content and makes the trailer."""

    def __init__(self, key: bytes) -> None:
        self.key = key
        self._sha = hashlib.sha256()
        self._mac = hmac.new(key, digestmod=hashlib.sha256)
        self._lines = 0

    def add(self, raw: bytes) -> None:
        self._sha.update(raw)
        self._mac.update(raw)
        self._lines += 1

    def write(self, file: IO[bytes], raw: bytes) -> None:
        self.add(raw)
        file.write(raw)

    @property
    def digest(self) -> str:
        return self._sha.hexdigest()

    def trailer(self) -> bytes:
        tree = {"end": self._lines, "sha256": self.digest, "hmac": self._mac.hexdigest()}
        return text_of(tree).encode() + b"\n"


def _content(file: IO[bytes], seal: _Seal) -> Iterator[bytes]:
    """The lines before the trailer; raises PlanRefused unless the trailer is exactly right."""
    held = b""
    while raw := file.readline(LONGEST_LINE):
        if held:
            seal.add(held)
            yield held
        held = raw
    if not hmac.compare_digest(held, seal.trailer()):
        raise _altered(Path(file.name))


_AGAIN = Text("重新运行 crmsync plan。", "Run crmsync plan again.")


def _altered(path: Path) -> PlanRefused:
    return PlanRefused(
        Text(
            zh=f"计划文件 {path.name} 不完整、被改动过，或不是用本项目的密钥签名的",
            en=f"the plan file {path.name} is incomplete, was altered, or is not signed with this "
            "project's key",
        ),
        mend=_AGAIN,
    )
