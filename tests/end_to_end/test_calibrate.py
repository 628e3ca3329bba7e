"""calibrate: lines and weights found again from labels, said in words, written only when asked."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from tests.end_to_end.world import World, customers, orders, practice
from tests.unit.source.workbooks import text, workbook

RULES = "rulesets/retail-rfm/rules.yaml"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with practice("zoho", tmp_path_factory.mktemp("calibrate") / "project") as made:
        people = customers(24)
        made.sandbox.load_over_http(people, orders(people, date.today()))
        made.init("retail-rfm")
        made.create_fields()
        made.run("pull")
        yield made


@pytest.fixture
def rules(world: World) -> Iterator[Path]:
    path = world.folder / RULES
    text = path.read_text(encoding="utf-8")
    yield path
    path.write_text(text, encoding="utf-8")


def tiers(world: World) -> dict[str, str]:
    """The tier each customer gets now, by name."""
    plan = world.plan("--no-pull")
    field = world.tier_field()
    return {
        row["name"]: delta["after"]
        for row in plan["changes"]
        if row["is"] == "fields"
        for delta in row["set"]
        if delta["field"] == field
    }


def labels(world: World, rows: dict[str, str], name: str = "labels.csv") -> str:
    path = world.folder / name
    text = "客户,等级\n" + "".join(f"{key},{tier}\n" for key, tier in rows.items())
    path.write_text(text, encoding="gb18030")
    return str(path)


def test_shifted_lines_are_found_again(world: World, rules: Path) -> None:
    right = tiers(world)
    assert len(set(right.values())) >= 3
    before = rules.read_text(encoding="utf-8")
    shifted = before.replace("enter: 60, keep: 53", "enter: 70, keep: 63").replace(
        "enter: 35, keep: 29", "enter: 45, keep: 39"
    )
    assert shifted != before
    rules.write_text(shifted, encoding="utf-8")
    path = labels(world, right)

    looked = world.run("calibrate", path, "--json").document
    assert rules.read_text(encoding="utf-8") == shifted
    assert looked["agree"]["after"] > looked["agree"]["before"]
    assert looked["written"] is False
    assert world.run("calibrate", path, "--json").document == looked

    said = world.run("calibrate", path).out
    assert "± tier “" in said
    assert "held out" in said

    world.run("calibrate", path, "--write", "--json")
    written = rules.read_text(encoding="utf-8")
    assert [line.partition("#")[2] for line in written.splitlines()] == [
        line.partition("#")[2] for line in shifted.splitlines()
    ]
    world.run("check", "rulesets/retail-rfm")
    again = world.run("calibrate", path, "--json").document
    assert again["agree"]["before"] == looked["agree"]["after"]
    assert again["changes"] == []


def test_nothing_moves_beyond_its_bounds(world: World, rules: Path) -> None:
    right = tiers(world)
    text = rules.read_text(encoding="utf-8")
    rules.write_text(text.replace("enter: 60, keep: 53", "enter: 75, keep: 68"), encoding="utf-8")
    path = labels(world, right)
    still = world.run("calibrate", path, "--lines", "0", "--weights", "0", "--json").document
    assert still["changes"] == []
    assert still["agree"]["before"] == still["agree"]["after"]


def test_what_an_exception_decides_is_set_apart_and_still_listed(world: World) -> None:
    right = tiers(world)
    wrong = {name: "core" if tier == "零散客户" else tier for name, tier in right.items()}
    found = world.run("calibrate", labels(world, wrong), "--json").document
    assert found["used"] + len(found["set_apart"]) == found["labels"] == len(right)
    assert found["disagreements"]
    assert {"id", "name", "label", "tier", "score", "why"} <= found["disagreements"][0].keys()


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (lambda rows: dict(list(rows.items())[:9]), "it labels 9 customers"),
        (lambda rows: {**rows, "Nobody": "core"}, "no customer “Nobody”"),
        (lambda rows: {**rows, next(iter(rows)): "gold"}, "there is no tier “gold”"),
    ],
)
def test_bad_labels_are_refused_with_their_row(world: World, change, word: str) -> None:
    rows = change(dict(tiers(world)))
    refused = world.run("calibrate", labels(world, rows), "--lang", "en", ok=False)
    assert refused.code == 2
    assert word in refused.err


def test_a_file_that_is_no_table_is_refused(world: World) -> None:
    path = world.folder / "labels.xlsx"
    path.write_bytes(b"not a workbook")
    refused = world.run("calibrate", str(path), "--lang", "en", ok=False)
    assert (refused.code, "labels labels.xlsx: " in refused.err) == (2, True)


def test_spreadsheets_are_read(world: World) -> None:
    rows = [("record", "remark", "tier")]
    rows += [(name, "looked at", tier) for name, tier in tiers(world).items()]
    cells = {
        f"{column}{number}": text(word)
        for number, row in enumerate(rows, 1)
        for column, word in zip("ABC", row, strict=True)
    }
    path = workbook(world.folder / "good.xlsx", {"labels": cells})
    found = world.run("calibrate", str(path), "--json").document
    assert found["agree"]["before"] == found["labels"]
    assert found["changes"] == []
