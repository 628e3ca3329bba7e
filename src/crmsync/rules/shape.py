"""Reads one mapping key by key: wrong shapes, missing and unknown keys become findings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

from crmsync.model.diagnostic import Diagnostic, Label
from crmsync.model.position import Span
from crmsync.model.text import Text
from crmsync.source import Mapping as MappingNode
from crmsync.source import Node, Scalar, Sequence, did_you_mean, error, not_here

LANGUAGES = ("zh", "en")
MAX_ID = 64
MAX_HINTED = 300
"""Findings after which nearest names are no longer looked for."""
MAX_UNKNOWN = 50
"""Unknown keys named in one block: a file with more of them is no rule file at all."""
_YES = {"yes": True, "true": True, "是": True, "no": False, "false": False, "否": False}


class Findings:
    """Collects every problem of one reading.

    *family* is the file's own kind: the shapes RULE001 to RULE009 are TEST001 to TEST009 in cases.
    """

    def __init__(self, family: str = "RULE") -> None:
        self.all: list[Diagnostic] = []
        self.sentences = 0
        """How many sentences were read so far; `Language` counts them."""
        self._family = family

    def _own(self, code: str) -> str:
        return self._family + code[4:] if code.startswith("RULE00") else code

    def add(
        self,
        code: str,
        span: Span,
        message: Text,
        mend: Text,
        *,
        labels: tuple[Label, ...] = (),
        fix: str | None = None,
    ) -> None:
        """Note an error."""
        self.all.append(error(self._own(code), span, message, mend, labels=labels, fix=fix))

    def extend(self, findings: Iterable[Diagnostic]) -> None:
        """Take over what another reader found."""
        self.all.extend(findings)

    def unknown(
        self, code: str, span: Span, message: Text, word: str, known: Iterable[str]
    ) -> None:
        """Note a name nobody knows, with the nearest known one and a mechanical mend."""
        if len(self.all) >= MAX_HINTED:
            spelling = Text(zh="检查拼写", en="Check the spelling.")
            self.all.append(error(self._own(code), span, message, spelling))
            return
        mend, near = did_you_mean(word, known)
        safe = near if near is not None and replaceable(word, span, near) else None
        self.all.append(error(self._own(code), span, message, mend, fix=safe))


def replaceable(word: str, span: Span, replacement: str) -> bool:
    """Whether *replacement* may mechanically stand where *word* stands.

    The file must spell *word* letter by letter (with or without quotes), and the replacement must
    mean the same with and without quotes.
    """
    width = span.end_column - span.column
    exact = span.line == span.end_line and width in {len(word), len(word) + 2}
    return exact and all(letter.isalnum() or letter in " _-/" for letter in replacement)


class Block:
    """One mapping being read. Ask for each key once, then call `finish`.

    ``elsewhere`` names keys that stand in another place, with words for which.
    """

    def __init__(
        self,
        node: MappingNode,
        findings: Findings,
        *,
        elsewhere: Mapping[str, Text] | None = None,
        languages: tuple[str, ...] = LANGUAGES,
    ) -> None:
        self.node = node
        self.span = node.span
        self.findings = findings
        self.languages = languages
        self._elsewhere = elsewhere or {}
        self._asked: dict[str, None] = {}

    @classmethod
    def of(
        cls,
        node: Node,
        findings: Findings,
        *,
        elsewhere: Mapping[str, Text] | None = None,
        languages: tuple[str, ...] = LANGUAGES,
    ) -> Block | None:
        """The block at *node*, or ``None`` with a finding when it is no mapping."""
        if isinstance(node, MappingNode):
            return cls(node, findings, elsewhere=elsewhere, languages=languages)
        findings.add(
            "RULE003",
            node.span,
            Text(zh="这里应是“键: 值”", en="“key: value” lines are expected here"),
            Text(
                zh="另起一行缩进写“键: 值”，或写成 {键: 值}",
                en="Write “key: value” on indented lines, or {key: value}.",
            ),
        )
        return None

    def take(self, key: str) -> Node | None:
        """The value under *key*, or ``None`` when it is not written."""
        self._asked[key] = None
        return self.node.get(key)

    def need(self, key: str) -> Node | None:
        """The value under *key*; its absence is a finding."""
        node = self.take(key)
        if node is None:
            self.lacks(key)
        return node

    def lacks(self, key: str) -> None:
        """Note that *key* must be written here."""
        self.findings.add(
            "RULE002",
            head(self.node),
            Text(zh=f"缺少“{key}”", en=f"“{key}” is missing"),
            Text(zh=f"请写上 {key}: …", en=f"Write {key}: …"),
        )

    def place(self, key: str) -> Span:
        """Where *key* itself stands."""
        found = self.node.key(key)
        return self.span if found is None else found.span

    def scalar(self, key: str, *, required: bool = False) -> Scalar | None:
        """The single word, number or sentence under *key*."""
        node = self.need(key) if required else self.take(key)
        return None if node is None else scalar(node, self.findings)

    def word(self, key: str, *, required: bool = False) -> str | None:
        """The text under *key*."""
        found = self.scalar(key, required=required)
        return None if found is None else found.text

    def label(self, key: str, *, default: str | None = None) -> Text | None:
        """Bilingual text under *key*; with *default*, a missing one reads like that word."""
        found = self.scalar(key, required=default is None)
        if found is None:
            return None if default is None else Text.same(default)
        return bilingual(found, self.languages, self.findings)

    def number(self, key: str, *, required: bool = False) -> Decimal | None:
        """A plain number under *key*."""
        found = self.scalar(key, required=required)
        return None if found is None else number(found, self.findings)

    def whole(self, key: str, *, least: int = 0, required: bool = False) -> int | None:
        """A whole number of at least *least* under *key*."""
        found = self.scalar(key, required=required)
        if found is None:
            return None
        value = found.value
        if isinstance(value, int) and not isinstance(value, bool) and value >= least:
            return value
        self.findings.add(
            "RULE005",
            found.span,
            Text(
                zh=f"{key} 应是不小于 {least} 的整数",
                en=f"{key} must be a whole number of at least {least}",
            ),
            Text(
                zh=f"写成 {max(least, 1)} 这样的整数",
                en=f"Write a whole number such as {max(least, 1)}.",
            ),
        )
        return None

    def flag(self, key: str) -> bool:
        """yes or no under *key*; not written means no."""
        found = self.scalar(key)
        if found is None:
            return False
        known = _YES.get(found.text.casefold())
        if known is None:
            self.findings.add(
                "RULE004",
                found.span,
                Text(zh=f"{key} 只能是 true 或 false", en=f"{key} is true or false"),
                Text(zh="写 true 或 false", en="Write true or false."),
            )
        return bool(known)

    def one_of(self, key: str, known: Iterable[str], *, required: bool = False) -> str | None:
        """One of the *known* words under *key*."""
        found = self.scalar(key, required=required)
        return None if found is None else one_of(found, known, self.findings)

    def finish(self) -> None:
        """Note every key nobody asked for; of very many the first."""
        idle = [name for name, _ in self.node.entries if name.text not in self._asked]
        for name in idle[:MAX_UNKNOWN]:
            if name.text in self._elsewhere:
                where = self._elsewhere[name.text]
                self.findings.add("RULE009", name.span, not_here(name.text), where)
                continue
            self.findings.unknown(
                "RULE001",
                name.span,
                Text(zh=f"这里没有“{name.text}”这个键", en=f"there is no key “{name.text}” here"),
                name.text,
                [key for key in self._asked if self.node.get(key) is None],
            )


def head(node: MappingNode) -> Span:
    """The place a missing key is shown at: the block's first key, else the block."""
    return node.entries[0][0].span if node.entries else node.span


def scalar(node: Node, findings: Findings) -> Scalar | None:
    """*node* as a single value; lists, mappings and empty values are findings."""
    if isinstance(node, Scalar) and not node.empty:
        return node
    if isinstance(node, Scalar):
        findings.add(
            "RULE003",
            node.span,
            Text(zh="这里没有写值", en="a value is missing here"),
            Text(zh="写上值，或去掉这一项", en="Write a value, or drop the entry."),
        )
    else:
        findings.add(
            "RULE003",
            node.span,
            Text(
                zh="这里应是一个值，不是列表或块",
                en="a single value is expected, not a list or block",
            ),
            Text(zh="只写一个值", en="Write one value."),
        )
    return None


def items(node: Node | None, findings: Findings) -> tuple[Node, ...]:
    """The entries of a list; anything else is a finding."""
    if node is None:
        return ()
    if isinstance(node, Sequence):
        return node.items
    findings.add(
        "RULE003",
        node.span,
        Text(
            zh="这里应是列表，每项以“- ”开头", en="a list is expected: each entry begins with “- ”"
        ),
        Text(
            zh="每项另起一行写“- …”，或写成 [一, 二]",
            en="Write “- …” on a line for each entry, or [one, another].",
        ),
    )
    return ()


def words(node: Node | None, findings: Findings) -> tuple[Scalar, ...]:
    """Words written as a list or as one line with commas."""
    if node is None:
        return ()
    if isinstance(node, Sequence):
        found = (scalar(item, findings) for item in node.items)
        return tuple(item for item in found if item is not None)
    single = scalar(node, findings)
    return () if single is None else tuple(split(single))


def split(found: Scalar) -> Iterable[Scalar]:
    """The comma-separated parts of a sentence, each with its own place."""
    start = 0
    text = found.text
    for end in [*(n for n, letter in enumerate(text) if letter in ",，、"), len(text)]:
        part = text[start:end]
        left = start + len(part) - len(part.lstrip())
        word = part.strip()
        if word:
            span = found.part(left, left + len(word))
            yield Scalar(word, word, found.style, span, span)
        start = end + 1


def number(found: Scalar, findings: Findings) -> Decimal | None:
    """A plain number."""
    value = found.value
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return Decimal(value)
    findings.add(
        "RULE005",
        found.span,
        Text(zh=f"“{found.text}”不是数字", en=f"“{found.text}” is not a number"),
        Text(zh="写成 15 或 7.5 这样", en="Write it like 15 or 7.5."),
    )
    return None


def one_of(found: Scalar, known: Iterable[str], findings: Findings) -> str | None:
    """One of the *known* words."""
    names = tuple(known)
    if found.text in names:
        return found.text
    findings.unknown(
        "RULE004",
        found.span,
        Text(zh=f"“{found.text}”不能写在这里", en=f"“{found.text}” cannot stand here"),
        found.text,
        names,
    )
    return None


def bilingual(found: Scalar, languages: tuple[str, ...], findings: Findings) -> Text:
    """``中文 | English`` in the order of *languages*; a single part serves both."""
    parts = found.text.split(" | ")
    if len(parts) > 2 or not all(part.strip() for part in parts):
        findings.add(
            "RULE019",
            found.span,
            Text(
                zh="双语文字应写成“中文 | English”，只有一条竖线",
                en="write text in two languages as “中文 | English”, with a single bar",
            ),
            Text(
                zh="去掉多余的竖线，或补上另一种语言",
                en="Drop the bar that is too many, or add the other language.",
            ),
        )
    return Text.parse(found.text, languages)


def identifier(found: Scalar, findings: Findings, *, marks: str = "_-") -> str:
    """A name other rules refer to: letters (of any script), digits and *marks*."""
    text = found.text
    plain = all(letter.isalnum() or letter in marks for letter in text)
    if not plain or not text or text[0] in "-" or text[0].isdigit() or len(text) > MAX_ID:
        findings.add(
            "RULE006",
            found.span,
            Text(zh=f"“{text[:MAX_ID]}”不能作为名称", en=f"“{text[:MAX_ID]}” cannot be a name"),
            Text(
                zh=f"名称由文字、数字和 {' '.join(marks)} 组成，不以数字开头，最长 {MAX_ID} 个字",
                en=f"A name is made of letters, digits and {' '.join(marks)}, does not "
                f"begin with a digit and has at most {MAX_ID} characters.",
            ),
        )
    return text


class Seen:
    """Names given so far; giving one twice is a finding that shows both places."""

    def __init__(self, findings: Findings, code: str = "RULE007") -> None:
        self._findings = findings
        self._code = code
        self._first: dict[str, Span] = {}

    def add(self, name: str, span: Span) -> bool:
        """Remember *name*; false when it was given before."""
        before = self._first.setdefault(name, span)
        if before is span:
            return True
        first = Text(zh="第一次出现在这里", en="first given here")
        self._findings.add(
            self._code,
            span,
            Text(zh=f"“{name}”出现了两次", en=f"“{name}” is given twice"),
            Text(zh="请改掉其中一个名称", en="Rename one of them."),
            labels=(Label(before, first),),
        )
        return False
