"""Named bands of points, such as 强大 10..15: what people read beside the number."""

from __future__ import annotations

import re
from decimal import Decimal

from crmsync.model.scorecard import Band
from crmsync.model.text import Text
from crmsync.rules.shape import Block, Findings, scalar
from crmsync.source import Mapping as MappingNode

_BAND = re.compile(r"(-?[0-9]+(?:\.[0-9]+)?)\s*(?:\.\.|…|至|–|to)\s*(-?[0-9]+(?:\.[0-9]+)?)\Z", re.ASCII)


def read_bands(block: Block, edges: bool, findings: Findings) -> tuple[Band, ...]:
    """Read ``bands``; bands that touch need ``edges`` to say whose the shared value is."""
    node = block.take("bands")
    if node is None:
        return ()
    if not isinstance(node, MappingNode):
        Block.of(node, findings)
        return ()
    bands = []
    for key, value in node.entries:
        single = scalar(value, findings)
        match = None if single is None else _BAND.match(single.text)
        if single is None:
            continue
        if match is None or Decimal(match.group(1)) >= Decimal(match.group(2)):
            findings.add(
                "RULE022",
                single.span,
                Text(zh=f"看不懂档位“{single.text}”", en=f"the band “{single.text}” is not understood"),
                Text(zh="写成 10..15 这样，小的在前", en="Write it like 10..15, the lower end first."),
            )
            continue
        bands.append(Band(key.text, Decimal(match.group(1)), Decimal(match.group(2))))
    _neighbours(block, bands, edges, findings)
    return tuple(bands)


def _neighbours(block: Block, bands: list[Band], edges: bool, findings: Findings) -> None:
    ordered = sorted(bands, key=lambda band: band.low)
    for below, above in zip(ordered, ordered[1:], strict=False):
        if above.low < below.high:
            findings.add(
                "RULE022",
                block.place("bands"),
                Text(
                    zh=f"档位“{below.name}”和“{above.name}”重叠",
                    en=f"the bands “{below.name}” and “{above.name}” overlap",
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
                    zh="加一行 edges: lower（归上面一档，即下端值归本档）或 edges: upper（归下面一档）",
                    en="Add edges: lower (each band holds its lower end) or edges: upper "
                    "(each band holds its upper end).",
                ),
            )
            return
