"""Named bands of points, such as 强大 10..15: what people read beside the number."""

from __future__ import annotations

from itertools import pairwise

from crmsync.model.scorecard import Band
from crmsync.model.text import Text
from crmsync.rules.language import Language
from crmsync.rules.shape import Block, Findings, scalar
from crmsync.source import Mapping as MappingNode


def read_bands(block: Block, language: Language, *, edges: bool) -> tuple[Band, ...]:
    """Read ``bands``; bands that touch need ``edges`` to say whose the shared value is."""
    node = block.take("bands")
    if node is None:
        return ()
    if not isinstance(node, MappingNode):
        Block.of(node, language.findings)
        return ()
    bands = []
    for key, value in node.entries:
        single = scalar(value, language.findings)
        ends = None if single is None else language.range(single)
        if ends is not None:
            bands.append(Band(key.text, *ends))
    _neighbours(block, bands, language.findings, edges=edges)
    return tuple(bands)


def _neighbours(block: Block, bands: list[Band], findings: Findings, *, edges: bool) -> None:
    ordered = sorted(bands, key=lambda band: band.low)
    for below, above in pairwise(ordered):
        if above.low < below.high:
            findings.add(
                "RULE022",
                block.place("bands"),
                Text(
                    zh=f"档位“{below.name}”和“{above.name}”重叠",
                    en=f"the bands “{below.name}” and “{above.name}” overlap",
                ),
                Text(
                    zh=f"让“{below.name}”止于“{above.name}”开始的地方",
                    en=f"Let “{below.name}” end where “{above.name}” begins.",
                ),
            )
        elif above.low == below.high and not edges:
            findings.add(
                "RULE018",
                block.place("bands"),
                Text(
                    zh=f"{below.high} 分属于“{below.name}”还是“{above.name}”？两个档位都写了它",
                    en=f"do {below.high} points belong to “{below.name}” or “{above.name}”? "
                    "both bands hold them",
                ),
                Text(
                    zh="加一行 edges: lower（归上面一档，即下端值归本档）或 edges: "
                    "upper（归下面一档）",
                    en="Add edges: lower (each band holds its lower end) or edges: upper "
                    "(each band holds its upper end).",
                ),
            )
            return
