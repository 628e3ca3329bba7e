"""``fmt``: white space and encoding, nothing that could change a meaning."""

from __future__ import annotations

import codecs
import contextlib
from collections.abc import Sequence
from pathlib import Path

from crmsync.errors import UsageError
from crmsync.model.text import Text
from crmsync.project.places import ruleset_folders

_WIDER = {"gbk": "gb18030", "gb2312": "gb18030"}
"""What people call GBK often holds characters that only its successor has."""


def tidy(
    folder: Path, files: Sequence[Path], *, encoding: str | None, write: bool
) -> tuple[Path, ...]:
    """Files whose text changes: UTF-8, LF, no trailing blanks, one line break at the end.

    Without *files*, every YAML file of the project's rulesets. A file that is not UTF-8 needs
    *encoding* (files that are UTF-8 are never read as anything else); raises UsageError naming it,
    before any file is written.
    """
    chosen = list(files)
    if not chosen:
        for ruleset in ruleset_folders(folder, ()):
            chosen += sorted(ruleset.rglob("*.yaml"))
    changed: dict[Path, bytes] = {}
    for path in chosen:
        data = path.read_bytes()
        neat = _neat(_text(path, data, encoding)).encode("utf-8")
        if neat != data:
            changed[path] = neat
    if write:
        for path, neat in changed.items():
            path.write_bytes(neat)
    return tuple(changed)


def _text(path: Path, data: bytes, encoding: str | None) -> str:
    with contextlib.suppress(UnicodeDecodeError):
        return data.decode("utf-8-sig")
    try:
        return data.decode(_WIDER.get((encoding or "").lower(), encoding or "utf-8-sig"))
    except (UnicodeDecodeError, LookupError) as problem:
        given = encoding or "UTF-8"
        known = encoding is None or _known(encoding)
        raise UsageError(
            Text(
                zh=f"{path} 不是 {given} 编码" if known else f"没有编码“{encoding}”",
                en=f"{path} is not {given}" if known else f"there is no encoding “{encoding}”",
            ),
            mend=Text(zh="中文老文件试试 --from gbk", en="older Chinese files: try --from gbk"),
        ) from problem


def _known(encoding: str) -> bool:
    try:
        codecs.lookup(encoding)
    except LookupError:
        return False
    return True


def _neat(text: str) -> str:
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "\n".join(line.rstrip(" \t\u00a0\u3000") for line in lines).rstrip("\n") + "\n"
