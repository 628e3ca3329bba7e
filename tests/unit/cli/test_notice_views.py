"""What plan and explain say of a demotion to come."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from tests.unit.evaluate.build import TODAY, after, plain_rules, row, scored, state
from tests.unit.plan.builders import DAY, customer, holds, made, stood

from crmsync.cli import plan_view, why_view
from crmsync.cli.language import LANG, say
from crmsync.evaluate import Engine, EvaluationContext, explain
from crmsync.model.decision import Notice
from crmsync.model.text import Text
from crmsync.model.tier import DownChange, Patience
from crmsync.project.explaining import Explained

NOTICE = Notice("standard", DAY + timedelta(days=9), Decimal(6), Text("将降级", "falls soon"))


def header(count: int):
    items = [
        customer(n, was=stood(), owned=holds(stood()), notice=NOTICE) for n in range(1, count + 1)
    ]
    draft, _ = made(items)
    return draft.header


def test_a_plan_lists_some_and_says_how_many_there_are() -> None:
    lines = plan_view.notice_lines(header(5), every=False)

    assert lines[0] == say(
        "降级预告：5 个客户现在不变，但即将降级",
        "Notice: 5 customers do not change now but are about to fall",
    )
    assert lines[1] == f"  ▽ 客户1  A00001  {NOTICE.text.to(LANG)}"
    assert lines[-1] == say("  ▽ … 另有 2 个，用 --all 查看", "  ▽ … 2 more: --all")


def test_all_of_them_are_listed_when_asked() -> None:
    assert len(plan_view.notice_lines(header(5), every=True)) == 6


def test_a_plan_without_any_says_nothing_of_it() -> None:
    assert plan_view.notice_lines(header(0), every=True) == []
    assert say("预告", "about to fall") not in plan_view.summary(header(0))


def test_the_summary_counts_them() -> None:
    assert plan_view.summary(header(2)).endswith(
        say("2 条不变，其中 2 条降级预告。", "2 unchanged, 2 of them about to fall.")
    )


def test_an_explanation_shows_the_notice() -> None:
    rules = plain_rules(down=DownChange(Patience(days=5), notice=9))
    engine, context = Engine(rules), EvaluationContext(TODAY)
    first = state(tier="vip", tier_since=TODAY - timedelta(days=400))
    shown = explain(engine, row(engine, **scored(60)), first, context)
    assert after(shown.decision).standing.tier == "vip"

    page = "\n".join(why_view.explanation(Explained(shown, rules, {}, ()), full=False))

    told = say(
        "预告 将于 2026-11-27 降为重要客户；再得 12 分可保住VIP客户（保级线 72）",
        "notice falls to Key on 2026-11-27; 12 more points keep VIP (keep line 72)",
    )
    assert told in " ".join(page.split())
