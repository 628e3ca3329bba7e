"""Cut points frozen per period: drawn by every look, kept by apply alone, drawn anew next time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from tests.end_to_end.world import World, customers, orders, practice

from crmsync.model.frozen import FrozenLines
from crmsync.project.opening import open_project

TODAY = date.today()
NEXT_YEAR = f"{TODAY.year + 1}-02-01"
BLOCKS = """
rfm:
  recency: last_order_on
  frequency: orders_total
  monetary: revenue_total
  cut: tertiles
  freeze: year
  segments:
    - {id: best, label: 冠军 | Champions, codes: "33*"}
    - {id: rest, label: 其余 | The rest}
clv:
  model: bg-nbd
  monetary: gamma-gamma
  horizon: 52 weeks
  first: first_order_on
  orders: orders_total
  revenue: revenue_total

score:
"""
EXCEPTION = """\
    - {id: champions, reason: RFM 冠军 | RFM champions, when: rfm_segment is best, at_least: core}
    - {id: alive, reason: 活跃 | Active, when: p_alive > 99%, at_least: core}
"""


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with practice("zoho", tmp_path / "project") as made:
        people = customers(9)
        made.sandbox.load_over_http(people, orders(people, TODAY))
        made.init("retail-rfm")
        made.create_fields()
        rules = made.folder / "rulesets" / "retail-rfm" / "rules.yaml"
        text = rules.read_text(encoding="utf-8").replace("\nscore:\n", BLOCKS, 1)
        rules.write_text(text.replace("  exceptions:", f"  exceptions:\n{EXCEPTION}", 1))
        yield made


def kept(world: World) -> tuple[FrozenLines, ...]:
    project = open_project(world.folder, now=world.sandbox.clock.now)
    with project.store() as store:
        return store.frozen.history("practice", "retail-rfm", "rfm")


def lines(plan: Any) -> tuple[str, int, Any]:
    (rfm,) = plan["frozen"]
    return rfm["period"], rfm["version"], rfm["lines"]


def test_cut_points_hold_for_their_period(world: World) -> None:
    first = world.plan()
    period, version, cuts = lines(first)
    assert (period, version) == (str(TODAY.year), 1)
    assert [len(points) for points in cuts.values()] == [2, 2, 2]
    (note,) = first["notes"]
    assert "BG/NBD fit is refused: 9 buyers" in note

    # simulate, explain and a second plan look at the same lines and keep nothing
    (world.folder / "before").symlink_to(world.folder / "rulesets" / "retail-rfm")
    report = world.run("simulate", "--against", str(world.folder / "before"), "--json").document
    assert report["moved"] == 0
    assert lines(world.plan("--no-pull")) == lines(first)
    assert kept(world) == ()

    world.apply()
    (line,) = kept(world)
    assert (line.period, line.customers, line.drawn_on) == (str(TODAY.year), 9, TODAY)
    assert world.plan()["changes"] == []

    more = customers(12)[9:]
    world.sandbox.load_over_http(more, orders(more, TODAY))
    assert lines(world.plan()) == lines(first)
    row = next(item for item in first["changes"] if item["is"] == "fields")
    explained = world.run("explain", row["id"], "--json").document
    assert explained["models"][0]["period"] == str(TODAY.year)
    shown = world.run("explain", row["id"], "--lang", "en").out
    assert f"rfm: {TODAY.year}, version 1" in shown
    assert "the BG/NBD fit is refused" in shown

    later = world.plan("--today", NEXT_YEAR, "--no-pull")
    assert lines(later)[:2] == (str(TODAY.year + 1), 2)
    assert lines(later)[2] != cuts
    assert [item.version for item in kept(world)] == [1]


def test_a_real_decision_is_captured_by_its_classes(world: World) -> None:
    plan = world.plan()
    row = next(item for item in plan["changes"] if item["is"] == "fields")
    text = world.run("test", "capture", row["id"]).out
    assert "rfm_r: " in text
    assert "rfm_segment" not in text
    rules = world.folder / "rulesets" / "retail-rfm" / "rules.test.yaml"
    rules.write_text(f"ruleset: retail-rfm\ncases:\n{text}", encoding="utf-8")
    world.run("test", "rulesets/retail-rfm")
