"""``python -m tests.proofs.table README.md …``: writes "What we promise" from the kept figures."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from itertools import groupby
from pathlib import Path

from tests.proofs.catalogue import PROOFS
from tests.proofs.figures import Kept, known
from tests.proofs.proof import Proof
from tests.proofs.words import WORDS

from crmsync.model.text import Lang

BEGIN, END = "<!-- promises:begin -->", "<!-- promises:end -->"
HEAD: Mapping[Lang, str] = {
    "en": "| | Promise | How it is proved | Last figure | Command |\n|---|---|---|---|---|\n",
    "zh": "| | 承诺 | 如何证明 | 最近一次的数字 | 命令 |\n|---|---|---|---|---|\n",
}


def table(lang: Lang) -> str:
    """The table in one language, one row per promise."""
    figures = known()
    rows = [
        row(list(group), figures, lang) for _, group in groupby(PROOFS, key=lambda p: p.promise)
    ]
    return HEAD[lang] + "".join(rows)


def row(proofs: list[Proof], figures: Mapping[str, Kept], lang: Lang) -> str:
    """One promise with all its proofs."""
    first = proofs[0]
    hows = "<br>".join(proof.how.to(lang) for proof in proofs)
    cells = "<br>".join(cell(figures.get(proof.id), lang) for proof in proofs)
    command = f"`make proofs ONLY={first.promise}`"
    return f"| {first.promise} | {first.says.to(lang)} | {hows} | {cells} | {command} |\n"


def cell(figure: Kept | None, lang: Lang) -> str:
    """Such as ``547 kills (2026-11-22): 0 duplicate tasks, 0 lost``."""
    if figure is None:
        return "–"
    unit = figure.unit if lang == "en" else WORDS[figure.unit]
    counted = ", ".join(
        f"{count} {name}" if lang == "en" else f"{WORDS[name]} {count}"
        for name, count in figure.bad.items()
    )
    verdict = "" if figure.holds else " **FAIL**"
    space = " " if lang == "en" else ""
    return f"{figure.trials:,}{space}{unit} ({figure.on}): {counted}{verdict}"


def written(text: str, lang: Lang) -> str:
    """*text* with the part between the markers made anew."""
    before, _, rest = text.partition(BEGIN)
    _, found, after = rest.partition(END)
    if not found:
        raise ValueError(f"no {BEGIN} … {END}")
    return f"{before}{BEGIN}\n{table(lang)}{END}{after}"


def language(path: Path) -> Lang:
    """``README.zh-CN.md`` is Chinese."""
    return "zh" if ".zh" in path.name else "en"


if __name__ == "__main__":
    for readme in map(Path, sys.argv[1:]):
        readme.write_text(
            written(readme.read_text(encoding="utf-8"), language(readme)), encoding="utf-8"
        )
