"""Building a plan: only changed owned fields, causes, human edits, tasks, observations."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.unit.plan.builders import (
    DAY,
    NOW,
    STAGES,
    closing,
    customer,
    holds,
    inputs,
    made,
    mapping,
    opening,
    ref,
    ruleset,
    schema,
    stood,
)

from crmsync.model.decision import Cause, Decision, Notice
from crmsync.model.mapping import FieldPick, WriteTarget
from crmsync.model.override import OverrideKind
from crmsync.model.person import Person
from crmsync.model.plan import (
    Direction,
    Observation,
    PlanLine,
    RecordChange,
    TaskClose,
    TaskCreate,
)
from crmsync.model.record import RecordRef, Value
from crmsync.model.state import Clocks, CustomerState, Episode, Standing
from crmsync.model.text import Text
from crmsync.plan import Evaluated, FieldValues, HumanEdits, PlanStamp, WritePolicy, build
from crmsync.plan.header import MOST_LISTED
from crmsync.plan.identity import facts_digest, firm_facts


def change(lines: list[PlanLine]) -> RecordChange:
    (found,) = [line for line in lines if isinstance(line, RecordChange)]
    return found


def written(lines: list[PlanLine]) -> dict[str, Value]:
    return {delta.role: delta.after for delta in change(lines).fields}


def test_a_new_customer_gets_every_field_once() -> None:
    draft, lines = made([customer(1, score="75.94")])
    assert written(lines) == {
        "tier": "重要客户",
        "tier_since": DAY,
        "score": Decimal("75.9"),
        "lifecycle": "重复购买客户",
        "reason": "75.94 分",
        "rules_version": "b2b v3",
    }
    found = change(lines)
    assert (found.direction, found.cause) == (Direction.FIRST, Cause.FIRST)
    assert found.standing == Standing("key", DAY, DAY, "repeat", DAY)
    assert draft.header.counts.firsts == 1
    assert draft.header.counts.tiers_before == {}
    assert draft.header.counts.tiers_after == {"key": 1}


def test_a_customer_that_already_holds_everything_changes_nothing() -> None:
    draft, lines = made([customer(1, was=stood(), owned=holds(stood()))])
    assert [type(line) for line in lines] == [Observation]
    assert draft.changes == 0
    assert draft.header.counts.unchanged == 1


def test_only_the_fields_that_differ_are_written() -> None:
    owned = holds(stood("standard"), score="60")
    _, lines = made([customer(1, was=stood("standard"), owned=owned)])
    assert set(written(lines)) == {"tier", "tier_since"}
    assert change(lines).direction is Direction.RISE
    assert (change(lines).tier_before, change(lines).tier_after) == ("standard", "key")


def test_a_date_alone_is_no_reason_to_write() -> None:
    owned = holds(stood(), tier_since=None, rules_version="b2b v2", reason="old")
    draft, _ = made([customer(1, was=stood(), owned=owned)])
    assert draft.changes == 0


@pytest.mark.parametrize(("score", "expected"), [("60.9", set()), ("61", {"score", "reason"})])
def test_a_score_is_written_when_it_moved_enough(score: str, expected: set[str]) -> None:
    item = customer(1, was=stood(), owned=holds(stood()), score=score)
    _, lines = made([item])
    found = [line for line in lines if isinstance(line, RecordChange)]
    assert {delta.role for line in found for delta in line.fields} == expected


def test_a_changed_label_is_repaired() -> None:
    standing = stood()
    owned = holds(standing, tier="旧名称")
    item = customer(1, was=standing, owned=owned, written={"tier": "旧名称"})
    _, lines = made([item])
    assert written(lines) == {"tier": "重要客户"}
    assert change(lines).direction is Direction.OTHER


def test_mapped_values_are_written_and_read_back() -> None:
    target = WriteTarget("tier", FieldPick(name="Tier"), {"key": "B", "vip": "A"})
    _, lines = made([customer(1)], mapping=mapping(tier=target))
    assert written(lines)["tier"] == "B"
    values = FieldValues(ruleset(), mapping(tier=target), schema())
    assert values.standing({"tier": "A", "lifecycle": "流失预警"}) == Standing(
        tier="vip", lifecycle="at_risk"
    )
    assert values.standing({"tier": "VIP客户"}).tier is None


def test_long_text_is_cut_to_what_the_field_holds() -> None:
    reason = Text.same("长" * 100)
    _, lines = made([customer(1, reason=reason)])
    assert written(lines)["reason"] == "长" * 40


@pytest.mark.parametrize(
    ("before", "after", "direction"),
    [
        ("standard", "key", Direction.RISE),
        ("key", "standard", Direction.FALL),
        ("vip", "blocked", Direction.FALL),
        ("blocked", "standard", Direction.RISE),
    ],
)
def test_directions_follow_the_order_of_the_levels(
    before: str, after: str, direction: Direction
) -> None:
    _, lines = made([customer(1, after, was=stood(before), owned=holds(stood(before)))])
    assert change(lines).direction is direction


def test_a_stage_alone_is_a_stage_change() -> None:
    item = customer(1, stage="at_risk", was=stood(), owned=holds(stood()))
    draft, lines = made([item])
    assert change(lines).direction is Direction.STAGE
    assert draft.header.counts.stage_only == 1


def test_a_second_change_on_the_first_day_is_no_first_assignment() -> None:
    state = CustomerState(ref(1), Standing(), confirmed=replace(stood(), tier_since=DAY))
    item = customer(1, "vip", owned=holds(stood()), state=state)
    item = replace(item, decision=replace(item.decision, first=True))
    draft, lines = made([item])
    assert (change(lines).direction, change(lines).cause) == (Direction.RISE, Cause.DATA)
    assert draft.header.counts.firsts == 0


def test_a_first_stage_without_a_tier_is_a_first_assignment() -> None:
    _, lines = made([customer(1, None)])
    assert change(lines).direction is Direction.FIRST
    assert "tier" not in written(lines)


def test_the_cause_is_told_honestly() -> None:
    facts = {"orders": 2, "orders_12m": 1, "days": 3.0}
    row = customer(1, facts=facts).row  # type: ignore[arg-type]
    digest = facts_digest(row, firm_facts(ruleset(), mapping()))

    def cause(**more: object) -> Cause:
        item = customer(1, was=stood("standard"), owned=holds(stood("standard")), **more)  # type: ignore[arg-type]
        return change(made([item])[1]).cause

    assert cause(facts_digest=digest) is Cause.TIME
    assert cause(facts_digest=digest, facts={**facts, "days": 9.0}) is Cause.TIME
    assert cause(facts_digest=digest, facts={**facts, "orders_12m": 0}) is Cause.TIME
    assert cause(facts_digest=digest, facts={**facts, "orders": 3}) is Cause.DATA
    assert cause(facts_digest=digest, ruleset_digest="rules-0") is Cause.RULE
    assert change(made([customer(2)])[1]).cause is Cause.FIRST


def edited(theirs: str = "VIP客户", **more: object) -> list[object]:
    standing = stood("standard")
    owned = holds(standing, tier=theirs)
    return [customer(1, was=standing, owned=owned, written={"tier": "普通客户"}, **more)]  # type: ignore[arg-type]


def test_a_person_s_tier_is_left_alone_and_listed() -> None:
    draft, lines = made(edited(opens=(opening(1),)))  # type: ignore[arg-type]
    assert [type(line) for line in lines] == [Observation]
    (held,) = draft.header.withheld
    assert (held.kind, held.field) == ("human_edit", "Tier")
    assert "VIP客户" in held.text.zh
    assert "普通客户" in held.text.en
    assert draft.header.adoptions == ()


def test_a_cleared_tier_is_a_person_s_edit_too() -> None:
    standing = stood()
    item = customer(1, was=standing, owned=holds(standing, tier=None), written={"tier": "重要客户"})
    draft, _ = made([item])
    assert draft.header.counts.withheld_by_kind == {"human_edit": 1}


def test_a_person_who_agrees_with_us_is_no_conflict() -> None:
    draft, lines = made(edited("重要客户"))  # type: ignore[arg-type]
    assert draft.header.counts.withheld == 0
    assert "tier" not in written(lines)
    standing = change(lines).standing
    assert standing is not None
    assert standing.tier == "key"


def test_an_override_settles_a_person_s_edit() -> None:
    draft, lines = made(edited(), overridden=frozenset({ref(1)}))  # type: ignore[arg-type]
    assert draft.header.counts.withheld == 0
    assert written(lines)["tier"] == "重要客户"


def test_adopting_makes_a_pin_of_a_person_s_tier() -> None:
    policy = WritePolicy(human_edits=HumanEdits.ADOPT, adopt_days=30)
    draft, lines = made(edited(), policy=policy)  # type: ignore[arg-type]
    (pin,) = draft.header.adoptions
    assert (pin.kind, pin.level) == (OverrideKind.PIN, "vip")
    assert pin.until == DAY + timedelta(days=30)
    assert draft.header.counts.withheld == 1
    assert not [line for line in lines if isinstance(line, RecordChange)]


def test_a_tier_unknown_to_the_rules_is_never_adopted() -> None:
    policy = WritePolicy(human_edits=HumanEdits.ADOPT)
    draft, _ = made(edited("别的"), policy=policy)  # type: ignore[arg-type]
    assert draft.header.adoptions == ()


def test_a_person_s_remark_is_left_alone_while_the_rest_is_written() -> None:
    standing = stood("standard")
    item = customer(
        1,
        was=standing,
        owned=holds(standing, reason="人工"),
        written={"reason": "60 分"},
        score="70",
    )
    draft, lines = made([item])
    assert "reason" not in written(lines)
    assert "tier" in written(lines)
    assert draft.header.counts.withheld_by_kind == {"human_edit": 1}


@pytest.mark.parametrize(
    ("theirs", "said"),
    [
        ("首次购买客户", "no move leads from repeat to first, so it is refused"),
        ("已流失", "the rules have no stage “已流失”"),
    ],
)
def test_a_stage_no_move_leads_to_is_refused_and_reported(theirs: str, said: str) -> None:
    standing = stood(stage="repeat")
    owned = holds(standing, lifecycle=theirs)
    item = customer(1, was=standing, owned=owned, written={"lifecycle": STAGES["repeat"]})
    draft, lines = made([item])
    (held,) = draft.header.withheld
    assert held.text.en.endswith(said)
    assert not [line for line in lines if isinstance(line, RecordChange)]


def test_a_stage_a_move_leads_to_is_a_person_s_edit_and_no_more() -> None:
    standing = stood(stage="first")
    owned = holds(standing, lifecycle=STAGES["repeat"])
    item = customer(
        1, was=standing, owned=owned, stage="first", written={"lifecycle": "首次购买客户"}
    )
    (held,) = made([item])[0].header.withheld
    assert held.text.en.endswith("left alone")


def test_locked_and_outside_customers_are_only_observed() -> None:
    policy = WritePolicy(in_scope=lambda row: row.ref != ref(2))
    items = [customer(1, locked=True, opens=(opening(1),)), customer(2), customer(3)]
    draft, lines = made(items, policy=policy)
    assert draft.header.counts.withheld_by_kind == {"locked": 1, "outside_pilot": 1}
    assert [line.ref for line in lines if isinstance(line, RecordChange)] == [ref(3)]
    assert len([line for line in lines if isinstance(line, Observation)]) == 3


def test_a_locked_customer_with_nothing_to_change_is_not_listed() -> None:
    draft, _ = made([customer(1, was=stood(), owned=holds(stood()), locked=True)])
    assert draft.header.counts.withheld == 0


def test_new_tasks_are_created_once() -> None:
    known = {opening(2).key: Episode(opening(2).key, "call", ref(2), DAY, "T2")}
    items = [customer(n, was=stood(), owned=holds(stood()), opens=(opening(n),)) for n in (1, 2)]
    draft, lines = made(items, episodes=lambda keys: known)
    (task,) = [line for line in lines if isinstance(line, TaskCreate)]
    assert task.key == opening(1).key
    assert task.values == {
        "Key": opening(1).key,
        "Subject": "请致电",
        "Due": DAY + timedelta(days=2),
        "Owner": "u1",
        "What": ref(1).id,
        "Status": "Not Started",
    }
    assert draft.header.counts.new_tasks == 1


HANDING = {"mapping": mapping().owning(), "owner": lambda task, owner: "u9"}


def handed(**more: object) -> list[object]:
    """A customer at rest whose new task goes to u9 and takes the customer along."""
    task = replace(opening(1), hands_over=True)
    owned = holds(stood(), owner=more.pop("owner", "u1"))  # type: ignore[arg-type]
    return [customer(1, was=stood(), owned=owned, opens=(task,), **more)]  # type: ignore[arg-type]


def test_a_task_may_take_the_customer_to_its_owner() -> None:
    draft, lines = made(handed(), **HANDING)  # type: ignore[arg-type]
    (delta,) = change(lines).fields
    assert (delta.field, delta.before, delta.after) == ("Owner", "u1", "u9")
    assert (delta.label.en, change(lines).direction) == ("Owner", Direction.OTHER)
    assert "Owner" in draft.header.owned_fields
    assert change(lines).standing == stood()


def test_a_task_known_already_takes_nobody_along_again() -> None:
    known = {opening(1).key: Episode(opening(1).key, "call", ref(1), DAY, "T1")}
    _, lines = made(handed(), episodes=lambda keys: known, **HANDING)  # type: ignore[arg-type]
    assert [type(line) for line in lines] == [Observation]


def test_nobody_s_owner_changes_unless_a_rule_says_so() -> None:
    items = [customer(1, was=stood(), owned=holds(stood()), opens=(opening(1),))]
    _, lines = made(items, **HANDING)  # type: ignore[arg-type]
    assert not [line for line in lines if isinstance(line, RecordChange)]
    assert "Owner" not in made(items)[0].header.owned_fields


def test_an_owner_a_person_set_after_us_is_left_alone() -> None:
    written = {"owner": "u2"}
    draft, lines = made(handed(owner="u5", written=written), **HANDING)  # type: ignore[arg-type]
    (held,) = draft.header.withheld
    assert (held.kind, held.field) == ("human_edit", "Owner")
    assert not [line for line in lines if isinstance(line, RecordChange)]
    quiet = customer(1, was=stood(), owned=holds(stood(), owner="u5"), written=written)
    assert made([quiet], **HANDING)[0].header.withheld == ()  # type: ignore[arg-type]


def everybody(task: str, customers: list[str]) -> dict[str, list[Person]]:
    assert task == "call"
    return {ref(1).id: [Person("p1", "王芳"), Person("p2", "Li {person}")]}


def test_a_task_for_each_person_is_made_for_each_of_them() -> None:
    title = Text("致电 {person}", "Call {person}")
    tasks = [replace(opening(n), title=title, for_each=True) for n in (1, 2)]
    items = [
        customer(n, was=stood(), owned=holds(stood()), opens=(task,))
        for n, task in enumerate(tasks, start=1)
    ]
    target = replace(mapping().tasks, person="Who")  # type: ignore[type-var]
    told: list[Decision] = []
    more = {"people": everybody, "mapping": replace(mapping(), tasks=target), "keep": told.append}
    draft, lines = made(items, **more)
    assert "Who" in draft.header.task_fields
    created = [line for line in lines if isinstance(line, TaskCreate)]
    assert [line.title.en for line in created] == ["Call 王芳", "Call Li {person}"]
    assert [line.values["Who"] for line in created] == ["p1", "p2"]
    assert {line.about for line in created} == {ref(1)}
    keys = {line.key for line in created}
    assert len(keys) == 2
    assert all(key.startswith("cs1-") and len(key) == len(opening(1).key) for key in keys)
    assert [task.key for task in told[0].opens] == [line.key for line in created]
    again = made(
        items,
        **more,
        episodes=lambda asked: {
            key: Episode(key, "call", ref(1), DAY, "T1") for key in list(asked)[:1]
        },
    )[1]
    assert [line.key for line in again if isinstance(line, TaskCreate)] == [created[1].key]


def test_a_task_nobody_can_own_is_listed() -> None:
    item = customer(1, was=stood(), owned=holds(stood()), opens=(opening(1),))
    draft, lines = made([item], owner=lambda task, owner: None)
    assert draft.header.counts.withheld_by_kind == {"no_owner": 1}
    assert [type(line) for line in lines] == [Observation]


def test_where_no_task_can_be_created_only_once_tasks_are_off_and_the_rest_is_planned() -> None:
    draft, lines = made([customer(1, opens=(opening(1),))], policy=WritePolicy(create_tasks=False))
    assert draft.header.counts.withheld_by_kind == {"tasks_off": 1}
    assert {type(line) for line in lines} == {Observation, RecordChange}
    (held,) = draft.header.withheld
    assert "accept_duplicate_tasks: true" in held.text.en


def test_tasks_are_closed_while_they_are_open_and_ours() -> None:
    def episode(n: int, **more: object) -> Episode:
        return replace(Episode(closing(n).key, "call", ref(n), DAY, f"T{n}"), **more)  # type: ignore[arg-type]

    known = {e.key: e for e in (episode(1), episode(2, closed_on=DAY), episode(3, crm_id=None))}
    items = [
        customer(n, was=stood(), owned=holds(stood()), closes=(closing(n),)) for n in range(1, 5)
    ]
    _, lines = made(items, episodes=lambda keys: known)
    close, nameless = [line for line in lines if isinstance(line, TaskClose)]
    assert close.ref == RecordRef("Tasks", "T1")
    assert (nameless.ref.id, nameless.key, nameless.key_field) == ("", closing(3).key, "Key")
    assert (close.before, close.values) == ({"Status": "Not Started"}, {"Status": "Completed"})


def test_task_keys_are_looked_up_together() -> None:
    asked: list[int] = []

    def episodes(keys: object) -> dict[str, Episode]:
        asked.append(len(list(keys)))  # type: ignore[call-overload]
        return {}

    made([customer(n, opens=(opening(n),)) for n in range(1, 301)], episodes=episodes)
    assert asked == [300]


def test_an_observation_already_stored_is_left_out() -> None:
    clocks = Clocks(first_seen=DAY, evaluated=DAY)
    state = CustomerState(ref(1), stood(), confirmed=stood(), observed=clocks)
    _, lines = made([customer(1, owned=holds(stood()), clocks=clocks, state=state)])
    assert lines == []


def test_missing_data_is_counted_and_listed() -> None:
    item = customer(
        1,
        was=stood(),
        owned=holds(stood()),
        facts={"orders": 2, "orders_12m": None, "days": 1.0},
        rejected=("orders_12m",),
        decision_withheld=(Text("数据缺失", "a fact is gone"),),
    )
    draft, lines = made([item])
    assert draft.header.counts.missing_facts == {"orders_12m": 1}
    assert draft.header.counts.withheld_by_kind == {"fact_lost": 1, "bad_value": 1}
    assert draft.header.counts.withheld == 1
    (seen,) = lines
    assert isinstance(seen, Observation)
    assert seen.known_facts == {"orders", "days"}


def test_whom_no_rule_measures_is_listed_and_nothing_is_held_back_by_it() -> None:
    text = Text("没有适用的评分卡", "no scorecard applies")
    draft, _ = made([customer(1, was=stood(), owned=holds(stood()), unplaced=text)])
    assert draft.header.counts.withheld_by_kind == {"unplaced": 1}
    assert draft.header.counts.withheld == 0
    (listed,) = draft.header.withheld
    assert (listed.ref, listed.text) == (ref(1), text)


def test_a_standing_the_crm_already_shows_is_confirmed_without_a_field() -> None:
    new = replace(stood("key"), tier_since=DAY)
    item = customer(1, was=stood("standard"), owned=holds(new))
    draft, lines = made([item])
    assert change(lines).fields == ()
    assert change(lines).standing == item.decision.standing
    assert draft.changes == 0


def test_decisions_that_change_something_are_kept() -> None:
    kept: list[Decision] = []
    same = customer(1, was=stood(), owned=holds(stood()))
    made([same, customer(2)], keep=kept.append)
    assert [decision.ref for decision in kept] == [ref(2)]


def test_the_same_inputs_give_the_same_bytes_whatever_plan_and_clock() -> None:
    items = [customer(n, opens=(opening(n),)) for n in range(1, 6)]
    later = PlanStamp(
        plan_id="other", created_at=NOW + timedelta(days=1), expires_at=NOW, tool_version="9"
    )
    with build(inputs(), items) as one, build(inputs(stamp=later), items) as two:
        assert list(one.raw()) == list(two.raw())
        assert one.header != two.header


def test_withheld_rows_are_listed_up_to_a_thousand_and_counted_whole() -> None:
    draft, _ = made([customer(n, locked=True) for n in range(1, 1102)])
    assert len(draft.header.withheld) == 1000
    assert draft.header.counts.withheld == 1101


NOTICE = Notice("standard", DAY + timedelta(days=9), Decimal(6), Text("将降级", "falls soon"))


def told(n: int, **more: Any) -> Evaluated:
    """A customer that stays as it is but is about to fall."""
    return customer(n, was=stood(), owned=holds(stood()), notice=NOTICE, **more)


def test_a_customer_about_to_fall_is_listed_and_counted_although_nothing_changes() -> None:
    draft, lines = made([told(1), told(2), customer(3, was=stood(), owned=holds(stood()))])

    assert [line for line in lines if not isinstance(line, Observation)] == []
    assert [item.ref for item in draft.header.notices] == [ref(1), ref(2)]
    assert draft.header.notices[0].due_on == NOTICE.due_on
    assert draft.header.notices[0].text == NOTICE.text
    assert (draft.header.counts.notices, draft.header.counts.unchanged) == (2, 3)


def test_a_notice_is_a_note_where_the_customer_changes_anyway() -> None:
    draft, lines = made(
        [customer(1, stage="at_risk", was=stood(), owned=holds(stood()), notice=NOTICE)]
    )

    assert change(lines).notes == (NOTICE.text,)
    assert (draft.header.notices, draft.header.counts.notices) == ((), 0)


def test_no_notice_is_given_where_nothing_may_be_written() -> None:
    draft, _ = made([told(1, locked=True)])

    assert draft.header.notices == ()


def test_a_header_lists_so_many_notices_and_counts_them_all() -> None:
    draft, _ = made(told(n) for n in range(1, MOST_LISTED + 3))

    assert len(draft.header.notices) == MOST_LISTED
    assert draft.header.counts.notices == MOST_LISTED + 2
