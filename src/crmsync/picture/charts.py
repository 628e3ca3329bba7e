"""Three charts as SVG trees: a migration matrix, a Sankey, bars before and after.

Sizes are in the units of the picture's own view box; the page scales it to its width. The same
input gives the same bytes. A chart never stands alone: whoever shows it repeats its numbers as a
table, and rises and falls differ by a sign as well as by colour. Words never go into attributes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple
from xml.etree.ElementTree import Element, SubElement

WIDTH = 720
_ROW, _GAP, _BAR, _NODE = 34, 10, 14, 16
_LABEL = 170


class Flow(NamedTuple):
    """How many went from one place to another."""

    source: str
    target: str
    size: int


class Pair(NamedTuple):
    """A label with its figure before and after."""

    label: str
    before: int
    after: int


def matrix(names: Sequence[str], counts: Mapping[tuple[int, int], int], title: str) -> Element:
    """Rows before, columns after, best first; the darker a cell, the more customers."""
    side = (WIDTH - _LABEL) / max(len(names), 1)
    height = _ROW * (len(names) + 1)
    picture = _picture(height, title)
    most = max(counts.values(), default=1)
    for column, name in enumerate(names):
        _text(picture, _LABEL + side * (column + 0.5), _ROW * 0.65, _short(name, side), "middle")
    for row, name in enumerate(names):
        top = _ROW * (row + 1)
        _text(picture, _LABEL - 8, top + _ROW * 0.65, _short(name, _LABEL), "end")
        for column in range(len(names)):
            count = counts.get((row, column), 0)
            kind = "same" if row == column else "up" if column < row else "down"
            cell = _rect(picture, _LABEL + side * column + 1, top + 1, (side - 2, _ROW - 2), kind)
            strength = 0.0 if not count else 0.15 + 0.85 * math.sqrt(count / most)
            cell.set("fill-opacity", f"{strength:.2f}")
            sign = {"same": "", "up": "▲ ", "down": "▼ "}[kind]
            shown = f"{sign}{count}" if count else "·"
            middle = _LABEL + side * (column + 0.5)
            label = _text(picture, middle, top + _ROW * 0.65, shown, "middle")
            if strength > 0.55:
                label.set("class", "on")
    return picture


def sankey(order: Sequence[str], flows: Sequence[Flow], title: str) -> Element:
    """Before on the left, after on the right, one ribbon per flow, as thick as it is large."""
    known = [flow for flow in flows if flow.size > 0]
    total = sum(flow.size for flow in known) or 1
    sides = [_stack(order, known, side, total) for side in (0, 1)]
    height = max(_height(side) for side in sides)
    picture = _picture(height, title)
    left, right = _LABEL, WIDTH - _LABEL
    used: dict[tuple[int, str], float] = {}
    rank = {name: place for place, name in enumerate(order)}
    for flow in sorted(known, key=lambda f: (rank[f.source], rank[f.target])):
        thick = flow.size / total * _space(order)
        top = sides[0][flow.source][0] + used.get((0, flow.source), 0.0)
        end = sides[1][flow.target][0] + used.get((1, flow.target), 0.0)
        used[0, flow.source] = used.get((0, flow.source), 0.0) + thick
        used[1, flow.target] = used.get((1, flow.target), 0.0) + thick
        _ribbon(picture, (left + _NODE, top), (right - _NODE, end), thick).set(
            "class", _kind(rank[flow.source], rank[flow.target])
        )
        _tooltip(picture[-1], f"{flow.source} → {flow.target}: {flow.size}")
    for side, (at, anchor, shift) in enumerate(((left, "end", -8), (right - _NODE, "start", 24))):
        for name, (top, size, count) in sides[side].items():
            _rect(picture, at, top, (_NODE, max(size, 1.0)), "node")
            label = f"{_short(name, _LABEL - 40)} {count}"
            _text(picture, at + shift, top + max(size, 1.0) / 2 + 5, label, anchor)
    return picture


def bars(pairs: Sequence[Pair], title: str, legend: tuple[str, str]) -> Element:
    """For each label one bar before and one after, to the same scale."""
    step = 2 * _BAR + _GAP + 4
    picture = _picture(step * len(pairs) + _ROW, title)
    most = max([figure for pair in pairs for figure in (pair.before, pair.after)], default=1) or 1
    room = WIDTH - _LABEL - 70
    for number, words in enumerate(legend):
        x = _LABEL + 150 * number
        _rect(picture, x, 6, (_BAR, _BAR), ("before", "after")[number])
        _text(picture, x + _BAR + 6, 18, words, "start")
    for row, pair in enumerate(pairs):
        top = _ROW + step * row
        _text(picture, _LABEL - 8, top + _BAR + 5, _short(pair.label, _LABEL), "end")
        for number, figure in enumerate((pair.before, pair.after)):
            y = top + number * (_BAR + 2)
            length = room * figure / most
            _rect(picture, _LABEL, y, (length, _BAR), ("before", "after")[number])
            _text(picture, _LABEL + length + 6, y + 12, str(figure), "start")
    return picture


def _picture(height: float, title: str) -> Element:
    picture = Element("svg", {"viewBox": f"0 0 {WIDTH} {_figure(height)}", "role": "img"})
    SubElement(picture, "title").text = title
    return picture


def _text(parent: Element, x: float, y: float, words: str, anchor: str) -> Element:
    place = {"x": _figure(x), "y": _figure(y), "text-anchor": anchor}
    label = SubElement(parent, "text", place)
    label.text = words
    return label


def _rect(parent: Element, x: float, y: float, size: tuple[float, float], kind: str) -> Element:
    box = {"x": _figure(x), "y": _figure(y), "width": _figure(size[0]), "height": _figure(size[1])}
    return SubElement(parent, "rect", {**box, "class": kind, "rx": "2"})


def _ribbon(
    parent: Element, start: tuple[float, float], end: tuple[float, float], thick: float
) -> Element:
    (x1, y1), (x2, y2) = start, end
    bend = _figure((x1 + x2) / 2)
    upper = f"M{_figure(x1)},{_figure(y1)} C{bend},{_figure(y1)} {bend},{_figure(y2)}"
    lower = f"C{bend},{_figure(y2 + thick)} {bend},{_figure(y1 + thick)}"
    path = (
        f"{upper} {_figure(x2)},{_figure(y2)} V{_figure(y2 + thick)} "
        f"{lower} {_figure(x1)},{_figure(y1 + thick)} Z"
    )
    return SubElement(parent, "path", {"d": path})


def _tooltip(element: Element, words: str) -> None:
    SubElement(element, "title").text = words


def _space(order: Sequence[str]) -> float:
    return max(160.0, 44.0 * len(order))


def _stack(
    order: Sequence[str], flows: Sequence[Flow], side: int, total: int
) -> dict[str, tuple[float, float, int]]:
    """Name → top, height and count of each node on one side."""
    nodes: dict[str, tuple[float, float, int]] = {}
    top = 4.0
    for name in order:
        count = sum(flow.size for flow in flows if flow[side] == name)
        if count:
            size = count / total * _space(order)
            nodes[name] = (top, size, count)
            top += max(size, 16.0) + _GAP
    return nodes


def _height(nodes: Mapping[str, tuple[float, float, int]]) -> float:
    return max((top + max(size, 16.0) for top, size, _ in nodes.values()), default=0.0) + 8


def _kind(before: int, after: int) -> str:
    return "same" if before == after else "up" if after < before else "down"


def _short(words: str, room: float) -> str:
    """*words* cut to about what fits: Chinese characters are twice as wide."""
    left = room / 7.5
    for place, letter in enumerate(words):
        left -= 2 if ord(letter) > 0x2E7F else 1
        if left < 1 and place + 1 < len(words):
            return words[:place] + "…"
    return words


def _figure(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")
