"""Workbooks written cell by cell as XML: also what no spreadsheet program would save."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO
from xml.sax.saxutils import escape

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
LINKS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
PERCENT, DATE, CUSTOM_PERCENT = 1, 2, 3
STYLES = (
    f'<styleSheet xmlns="{MAIN}"><numFmts count="1">'
    '<numFmt numFmtId="170" formatCode="0.0%;[Red]-0.0%"/></numFmts>'
    '<fonts count="1"><font/></fonts><fills count="1"><fill/></fills>'
    '<borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs>'
    '<cellXfs count="4"><xf numFmtId="0"/><xf numFmtId="9"/><xf numFmtId="14"/>'
    '<xf numFmtId="170"/></cellXfs></styleSheet>'
)


def text(value: str) -> str:
    return f't="inlineStr"><is><t>{escape(value)}</t></is>'


def number(value: float | str, style: int = 0) -> str:
    return f's="{style}"><v>{value}</v>'


def truth(value: bool) -> str:
    return f't="b"><v>{int(value)}</v>'


def formula(words: str, value: str | None = None, kind: str = "") -> str:
    cached = "" if value is None else f"<v>{value}</v>"
    return f"{kind}><f>{words}</f>{cached}"


def workbook(
    path: Path | IO[bytes], sheets: Mapping[str, Mapping[str, str]], merged: str = ""
) -> Path | IO[bytes]:
    """Writes *sheets*: name to cells (``B2``) to what stands inside ``<c …``."""
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr(
            "[Content_Types].xml",
            '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
            '<Default Extension="rels" '
            'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            '<Default Extension="xml" ContentType="application/xml"/></Types>',
        )
        packed.writestr(
            "_rels/.rels",
            f'<Relationships xmlns="{PACKAGE}"><Relationship Id="r1" '
            f'Type="{LINKS}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        )
        names = "".join(
            f'<sheet name="{escape(name)}" sheetId="{n}" r:id="r{n}"/>'
            for n, name in enumerate(sheets, 1)
        )
        packed.writestr(
            "xl/workbook.xml",
            f'<workbook xmlns="{MAIN}" xmlns:r="{LINKS}"><sheets>{names}</sheets></workbook>',
        )
        links = "".join(
            f'<Relationship Id="r{n}" Type="{LINKS}/worksheet" Target="worksheets/s{n}.xml"/>'
            for n in range(1, len(sheets) + 1)
        )
        styles = f'<Relationship Id="s" Type="{LINKS}/styles" Target="styles.xml"/>'
        packed.writestr(
            "xl/_rels/workbook.xml.rels",
            f'<Relationships xmlns="{PACKAGE}">{links}{styles}</Relationships>',
        )
        packed.writestr("xl/styles.xml", STYLES)
        for n, cells in enumerate(sheets.values(), 1):
            packed.writestr(f"xl/worksheets/s{n}.xml", _sheet(cells, merged))
    return path


def _sheet(cells: Mapping[str, str], merged: str) -> str:
    rows: dict[int, list[str]] = {}
    for place, inner in cells.items():
        row = int("".join(char for char in place if char.isdigit()))
        rows.setdefault(row, []).append(f'<c r="{place}" {inner}</c>')
    body = "".join(f'<row r="{row}">{"".join(found)}</row>' for row, found in sorted(rows.items()))
    both = f'<mergeCells><mergeCell ref="{merged}"/></mergeCells>' if merged else ""
    return f'<worksheet xmlns="{MAIN}"><sheetData>{body}</sheetData>{both}</worksheet>'
