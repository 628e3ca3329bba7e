"""Reads YAML as plain data with places: no anchors, tags, merge keys or second documents."""

from __future__ import annotations

import errno
import stat
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from crmsync.model.diagnostic import Diagnostic
from crmsync.model.position import Span
from crmsync.model.text import Text
from crmsync.source.builder import MAX_VALUES, Builder, TooDeep, TooMany
from crmsync.source.decoding import decode, forbidden_characters
from crmsync.source.findings import error
from crmsync.source.lint import lint_tree
from crmsync.source.mistakes import explain_failure
from crmsync.source.nodes import Mapping

MAX_BYTES = 1_000_000
MAX_DEPTH = 20
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NO_PLAIN_DATA = frozenset({"YAML006", "YAML007", "YAML008"})
"""A second document, anchors and tags: what such a file says is not asked at all."""


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file as it was read: ``name`` is what messages call it, ``node`` its top mapping."""

    name: str
    text: str
    node: Mapping | None
    diagnostics: list[Diagnostic] = field(default_factory=list)


def read_yaml(path: Path | str | None, text: bytes) -> tuple[Mapping | None, list[Diagnostic]]:
    """Read one YAML file's bytes; *path* is the name that spans carry.

    Promises: never raises for any bytes; every finding has a place; the tree is returned only when
    the text could be parsed, holds no anchor, tag or second document, and its top is a mapping.
    Findings about single values (a number with a leading zero) come beside the tree, so one pass
    shows all of them.
    """
    name = "" if path is None else Path(path).as_posix()
    found = _read(name, text)
    return found.node, found.diagnostics


def read_file(path: Path, *, name: str | None = None) -> SourceFile:
    """Read one file from disk; never hangs on a pipe and never follows a device."""
    shown = name if name is not None else path.as_posix()
    try:
        info = path.stat()
        if not stat.S_ISREG(info.st_mode):
            return _unreadable(shown, _no_file(shown), _PUT_A_FILE)
        if info.st_size > MAX_BYTES:
            return SourceFile(shown, "", None, [_too_big(shown, info.st_size)])
        data = path.read_bytes()
    except OSError as problem:
        return _unreadable(shown, *_os_words(shown, problem))
    return _read(shown, data)


def _read(name: str, data: bytes) -> SourceFile:
    if len(data) > MAX_BYTES:
        return SourceFile(name, "", None, [_too_big(name, len(data))])
    text, problems = decode(name, data)
    if problems:
        return SourceFile(name, text, None, problems)
    problems = forbidden_characters(name, text)
    if problems:
        return SourceFile(name, text, None, problems)
    builder = Builder(name, MAX_DEPTH)
    stopped = _fed(builder, name, text)
    if stopped is not None:
        return SourceFile(name, text, None, [*builder.findings, *stopped])
    root = builder.root
    findings = list(builder.findings)
    findings.extend(lint_tree(name, text, root))
    if any(item.code in _NO_PLAIN_DATA for item in findings):
        return SourceFile(name, text, None, findings)
    if not isinstance(root, Mapping):
        place = Span(name, 1, 1, 1, 1) if root is None else root.span
        findings.append(error("YAML005", place, _NOT_A_MAPPING, _BEGIN_WITH))
        return SourceFile(name, text, None, findings)
    return SourceFile(name, text, root, findings)


def _fed(builder: Builder, name: str, text: str) -> list[Diagnostic] | None:
    """Feed the text to *builder*; what stopped it, or ``None`` when it came to the end."""
    try:
        builder.feed(yaml.parse(text, Loader=_LOADER))
    except TooMany as many:
        return [_too_many(many.span)]
    except TooDeep as deep:
        return [_too_deep(deep.span)]
    except yaml.MarkedYAMLError as problem:
        return explain_failure(name, text, problem)
    except yaml.YAMLError:
        return [error("YAML018", Span(name, 1, 1, 1, 1), _NOT_YAML, _SAVE_AGAIN)]
    return None


_SAVE_AGAIN = Text(
    zh="重新用 UTF-8 保存，或从备份取回",
    en="Save it again as UTF-8, or take it from a backup.",
)
_BEGIN_WITH = Text(
    zh="从“键: 值”写起，如 version: 1", en="Begin with “key: value”, such as version: 1."
)
_NOT_YAML = Text(zh="这不是能读懂的 YAML 文件", en="this is not a YAML file that can be read")
_NOT_A_MAPPING = Text(
    zh="文件应由“键: 值”组成，第一层不能是空的、列表或一个词",
    en="the file must be made of “key: value” lines; its top is empty, a list or a single word",
)


def _too_big(name: str, size: int) -> Diagnostic:
    megabytes = f"{size / 1_000_000:.1f}"
    return error(
        "YAML004",
        Span(name, 1, 1, 1, 1),
        Text(
            zh=f"文件有 {megabytes} MB，上限 1 MB",
            en=f"the file is {megabytes} MB; the limit is 1 MB",
        ),
        Text(zh="请拆成几个文件", en="Split it into several files."),
    )


def _too_deep(span: Span) -> Diagnostic:
    return error(
        "YAML004",
        span,
        Text(zh=f"嵌套超过 {MAX_DEPTH} 层", en=f"nested deeper than {MAX_DEPTH} levels"),
        Text(
            zh="少用几层：把内层写成单独的项",
            en="Use fewer levels: write the inner ones as entries of their own.",
        ),
    )


def _too_many(span: Span) -> Diagnostic:
    return error(
        "YAML004",
        span,
        Text(
            zh=f"文件里的值超过 {MAX_VALUES} 个", en=f"the file holds more than {MAX_VALUES} values"
        ),
        Text(zh="请拆成几个文件", en="Split it into several files."),
    )


def _no_file(name: str) -> Text:
    return Text(zh=f"{name} 不是普通文件", en=f"{name} is not a regular file")


_PUT_A_FILE = Text(
    zh="这里要放一个文本文件，不能是文件夹、管道或设备",
    en="Put a text file there, no folder, pipe or device.",
)


def _os_words(name: str, problem: OSError) -> tuple[Text, Text]:
    """What is wrong, and what to do about it."""
    if isinstance(problem, FileNotFoundError):
        return (
            Text(zh=f"找不到文件 {name}", en=f"there is no file {name}"),
            Text(zh="检查路径，或补上文件", en="Check the path, or put the file there."),
        )
    if isinstance(problem, PermissionError):
        return (
            Text(zh=f"没有权限读取 {name}", en=f"no permission to read {name}"),
            Text(zh=f"运行 chmod u+r {name}", en=f"Run chmod u+r {name}."),
        )
    if problem.errno == errno.ELOOP:
        return (
            Text(zh=f"{name} 的符号链接绕成了圈", en=f"the links of {name} go in a circle"),
            Text(zh="把它换成文件，或指向真正的文件", en="Put the file itself there."),
        )
    return (
        Text(zh=f"无法读取 {name}", en=f"{name} cannot be read"),
        Text(zh="检查磁盘和权限", en="Check the disk and the permissions."),
    )


def _unreadable(name: str, words: Text, mend: Text) -> SourceFile:
    return SourceFile(name, "", None, [error("YAML020", Span(name, 1, 1, 1, 1), words, mend)])
