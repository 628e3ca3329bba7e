"""One HTML file: headings, words, tables and pictures, readable offline and on paper."""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.etree.ElementTree import Element, SubElement, tostring

_STYLE = """
:root{color-scheme:light dark;--ink:#1c2430;--soft:#5b6675;--paper:#fff;--line:#d5dbe3;
--before:#9aa7b8;--after:#2463c2;--up:#1a7f4b;--down:#b3421f;--same:#5c7fb8;--node:#3d4b5e}
@media (prefers-color-scheme:dark){:root{--ink:#e6ebf2;--soft:#9fabbb;--paper:#151a21;
--line:#333d4a;--before:#6b7a8d;--after:#5e9bff;--up:#3fbf7f;--down:#ef7d55;--same:#6f95d4;
--node:#aab8ca}}
body{font:15px/1.55 system-ui,"PingFang SC","Microsoft YaHei","Noto Sans CJK SC",sans-serif;
color:var(--ink);background:var(--paper);max-width:60rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.5rem;margin:0 0 .3rem}h2{font-size:1.1rem;margin:2rem 0 .5rem}
p{margin:.3rem 0}.soft{color:var(--soft)}
table{border-collapse:collapse;margin:.5rem 0 1rem}caption{text-align:left;color:var(--soft)}
th,td{border-bottom:1px solid var(--line);padding:.25rem .7rem;text-align:left}
td.figure,th.figure{text-align:right;font-variant-numeric:tabular-nums}
figure{margin:.5rem 0}svg{width:100%;height:auto}
svg text{fill:var(--ink);font-size:13px}svg text.on{fill:var(--paper)}
rect.before{fill:var(--before)}rect.after{fill:var(--after)}rect.node{fill:var(--node)}
.up{fill:var(--up)}.down{fill:var(--down)}.same{fill:var(--same)}path{fill-opacity:.5}
@media print{body{margin:0;max-width:none}}
"""
_UNSEEN = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
"""Control characters and marks that turn the direction of writing."""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
"""What the page may load: nothing. Its own style stands inside it."""


class Page:
    """A page under construction; `text` gives the whole file."""

    def __init__(self, title: str, language: str) -> None:
        self._root = Element("html", {"lang": "zh-CN" if language == "zh" else "en"})
        head = SubElement(self._root, "head")
        SubElement(head, "meta", {"charset": "utf-8"})
        policy = {"http-equiv": "Content-Security-Policy", "content": _POLICY}
        SubElement(head, "meta", policy)
        SubElement(
            head, "meta", {"name": "viewport", "content": "width=device-width,initial-scale=1"}
        )
        SubElement(head, "title").text = title
        SubElement(head, "style").text = _STYLE
        self._body = SubElement(SubElement(self._root, "body"), "main")
        SubElement(self._body, "h1").text = title

    def heading(self, words: str) -> None:
        """A heading of a part."""
        SubElement(self._body, "h2").text = words

    def line(self, words: str, *, soft: bool = False) -> None:
        """A paragraph; *soft* ones are less important."""
        SubElement(self._body, "p", {"class": "soft"} if soft else {}).text = words

    def picture(self, drawing: Element) -> None:
        """A chart; its numbers must follow as a table."""
        SubElement(self._body, "figure").append(drawing)

    def table(
        self, caption: str, head: Sequence[str], rows: Sequence[Sequence[str]], *, words: int = 1
    ) -> None:
        """A table whose first *words* columns hold words, the others figures."""
        table = SubElement(self._body, "table")
        SubElement(table, "caption").text = caption
        top = SubElement(SubElement(table, "thead"), "tr")
        for number, name in enumerate(head):
            kind = {"class": "figure"} if number >= words else {}
            SubElement(top, "th", {"scope": "col", **kind}).text = name
        body = SubElement(table, "tbody")
        for row in rows:
            line = SubElement(body, "tr")
            for number, cell in enumerate(row):
                if not number:
                    SubElement(line, "th", {"scope": "row"}).text = cell
                else:
                    kind = {"class": "figure"} if number >= words else {}
                    SubElement(line, "td", kind).text = cell

    def text(self) -> str:
        """The file; the same for the same content."""
        words = tostring(self._root, encoding="unicode", method="html")
        return f"<!doctype html>\n{_UNSEEN.sub('�', words)}\n"
