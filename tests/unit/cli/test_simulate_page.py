"""The page of a simulation: pictures with their numbers as tables, nothing loaded, all escaped."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import pytest

from crmsync.picture import Flow, Page, Pair, bars, matrix, sankey

ROOT = Path(__file__).resolve().parents[3]
TELL = (
    "import tests.unit.cli.made as made\n"
    "from crmsync.cli.simulate_page import simulation_page\n"
    "import sys\n"
    "sys.stdout.buffer.write(simulation_page(made.simulated()).encode())"
)


@cache
def page(language: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path[:0] = {[str(ROOT), *sys.path]!r}\n{TELL}"],
        env={**os.environ, "CRMSYNC_LANG": language, "PYTHONHASHSEED": "random"},
        capture_output=True,
        check=True,
    )
    return done.stdout.decode("utf-8")


class Read(HTMLParser):
    """Tables as lists of cells, and every attribute and word."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.cells: list[str] = []
        self.pictures: list[list[str]] = []
        self.attributes: list[tuple[str, str]] = []
        self.tags: set[str] = set()
        self._in: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        self._in.append(tag)
        if tag == "svg":
            self.pictures.append([])
        if tag in {"td", "th"}:
            self.cells.append("")

    def handle_endtag(self, tag: str) -> None:
        while self._in and self._in.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if self._in and self._in[-1] in {"td", "th"}:
            self.cells[-1] += data
        if "svg" in self._in and self._in[-1] == "text":
            self.pictures[-1].append(data)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_nothing_is_loaded_and_no_script_runs(language: str) -> None:
    read = Read(page(language))

    assert not read.tags & {"script", "link", "img", "iframe", "object", "a"}
    assert not [
        n for n, _ in read.attributes if n.startswith("on") or n in {"src", "href", "style"}
    ]
    assert "default-src 'none'" in page(language)
    assert not re.search(r"url\(|@import|https?:", page(language))


def test_it_follows_the_dark_scheme_and_names_its_language() -> None:
    assert "prefers-color-scheme:dark" in page("zh")
    assert '<html lang="zh-CN">' in page("zh")
    assert '<html lang="en">' in page("en")


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_number_of_every_picture_stands_in_a_table(language: str) -> None:
    read = Read(page(language))

    assert len(read.pictures) == 4
    figures = {n for picture in read.pictures for text in picture for n in re.findall(r"\d+", text)}
    assert figures
    assert figures <= set(read.cells)


def test_what_a_customer_is_called_cannot_become_part_of_the_page() -> None:
    evil = "<script>alert(1)</script>\x1b[31m\u202e&amp;"
    made = Page(evil, "en")
    made.line(evil)
    made.table(evil, (evil, "n"), [(evil, "1")])
    made.picture(matrix([evil, "b"], {(0, 1): 3}, evil))
    made.picture(sankey([evil, "b"], [Flow(evil, "b", 3)], evil))
    made.picture(bars([Pair(evil, 1, 2)], evil, (evil, "now")))

    text = made.text()

    assert "<script" not in text
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "&amp;amp;" in text


def test_empty_figures_make_a_picture_all_the_same() -> None:
    made = Page("empty", "en")
    made.picture(matrix([], {}, "m"))
    made.picture(sankey([], [], "s"))
    made.picture(bars([], "b", ("before", "now")))

    assert made.text().count("<svg") == 3


def test_the_same_figures_give_the_same_page() -> None:
    first = page("en")
    page.cache_clear()
    assert page("en") == first
