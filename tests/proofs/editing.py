"""P4, P5, P9: people edit while we plan, write, crash, resume and undo; their values stay."""

from __future__ import annotations

from collections import Counter
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

from tests.proofs.proof import Figure, Proof, Scale
from tests.unit.apply.bench import ALLOWED, HERE, Bench, fake_crm
from tests.unit.apply.fake import FakeCrm, half_committed, lost_after_commit, lost_before_commit
from tests.unit.apply.test_apply_crashes import Countdown, Crash
from tests.unit.plan.builders import FIELDS, STAGES, ref

from crmsync.model.change import SetFields
from crmsync.model.plan import RecordChange
from crmsync.model.record import RecordRef, Value
from crmsync.model.text import Text
from crmsync.plan import PlanFile

CUSTOMERS = 4
GRAIN = timedelta(seconds=1)
FREE = ("records_changed=100%", "tasks_per_owner=1000", "demotions=100%", "tier_changes=100%")
OWNED = tuple(FIELDS.values())


@dataclass
class Editor:
    """People at work in the CRM: what they last put into our fields, and when we may miss it."""

    bench: Bench
    chance: Random
    held: dict[tuple[int, str], Value] = field(default_factory=dict)
    inside: set[tuple[int, str]] = field(default_factory=set)
    close: set[tuple[int, str, Value]] = field(default_factory=set)
    """Values put in between a look of ours and its write: the ones we may replace unseen."""
    count: int = 0
    window: bool = False

    def edit(self) -> None:
        """One edit of one record: half of them in fields we own."""
        n = self.chance.randrange(1, CUSTOMERS + 1)
        self.bench.clock.moment += timedelta(milliseconds=self.chance.randrange(700))
        self.count += 1
        if self.chance.random() < 0.5:
            self.bench.crm.put(ref(n), Phone=str(self.count))
            return
        name = self.chance.choice(OWNED)
        value = f"by hand {self.count}"
        self.bench.crm.put(ref(n), **{name: value})
        self.held[n, name] = value
        self.inside.discard((n, name))
        if self.window:
            self.inside.add((n, name))
            self.close.add((n, name, value))

    def maybe(self, crm: FakeCrm) -> None:
        """Called as a write arrives: after our last look, before it is carried out."""
        if self.chance.random() < 0.35:
            self.window = True
            self.edit()
            self.window = False

    def seen(self, plan: PlanFile) -> None:
        """A value in a field we never wrote is no edit of ours: the plan shows it as the old one.

        In a field we wrote it must be left alone, in this plan as in every other.
        """
        states = self.bench.store.states.stored(*HERE, [ref(n) for n in range(1, CUSTOMERS + 1)])
        for line in plan.lines():
            if not isinstance(line, RecordChange):
                continue
            written = states[line.ref].written if line.ref in states else {}
            for delta in line.fields:
                if delta.role not in written:
                    self.close.discard((number(line.ref), delta.field, delta.before))
                    self.held.pop((number(line.ref), delta.field), None)

    def clobbered(self) -> tuple[int, int]:
        """Values of people that are gone: outside the window, and inside it."""
        gone = [
            place
            for place, value in self.held.items()
            if self.bench.crm.get(ref(place[0])).get(place[1]) != value
        ]
        inside = sum(place in self.inside for place in gone)
        return len(gone) - inside, inside

    def replaced(self) -> set[tuple[int, str, Value]]:
        """The values of people that writes of ours replaced unseen, by the CRM's own books."""
        return {
            (number(of), name, change.before)
            for of, saves in self.bench.crm.history.items()
            for save in saves
            if save.ours
            for name, change in save.changes.items()
            if (number(of), name, change.before) in self.close
        }

    def reported(self) -> set[tuple[int, str, Value]]:
        """The overwritten edits that the runs told of."""
        store = self.bench.store
        return {
            (number(row.ref), item.field, item.theirs)
            for run in store.runs.latest()
            for row in store.look_backs.overwritten(run.id)
            for item in row.overwritten
        }


def history(
    bench: Bench, chance: Random, *, strict: bool, look_back: int | None = None
) -> tuple[Editor, Counter[str]]:
    """A generated story of one to three plans with edits, lost replies and crashes in between."""
    grain = GRAIN if strict else timedelta()
    crm = fake_crm(conditional_write=strict, version_resolution=grain, write_batch=2)
    bench.anew(crm)
    bench.seed(CUSTOMERS)
    editor = Editor(bench, chance)
    for _ in range(chance.randrange(1, 4)):
        plan = bench.plan(decided(bench, chance, n) for n in range(1, CUSTOMERS + 1))
        editor.seen(plan)
        for _ in range(chance.randrange(3)):
            editor.edit()
        crm.before_write = editor.maybe
        faults = [None, None, lost_after_commit, lost_before_commit, half_committed]
        crm.faults = [chance.choice(faults) for _ in range(4)]
        write(bench, plan, chance, strict=strict, look_back=look_back)
        crm.before_write = lambda crm: None
        crm.faults = []
    foreign = Counter(
        name
        for call in crm.calls
        for change in call
        if isinstance(change, SetFields)
        for name in change.after
        if name not in ALLOWED["Accounts"]
    )
    return editor, foreign


def number(of: RecordRef) -> int:
    return int(of.id[1:])


def decided(bench: Bench, chance: Random, n: int) -> object:
    tier, stage = chance.choice(["vip", "key", "standard"]), chance.choice(list(STAGES))
    return bench.item(n, tier, stage, score=str(chance.randrange(100)))


def write(bench: Bench, plan: PlanFile, chance: Random, **world: Any) -> None:
    """Apply with up to two crashes, then to the end."""
    for crash in [*(chance.choice([None, chance.randrange(2, 25)]) for _ in range(2)), None]:
        stored = bench.store.plans.get(plan.header.plan_id)
        assert stored is not None
        try:
            if stored.run_id is None:
                bench.apply(plan, *FREE, checkpoint=Countdown(crash), **world)
            else:
                bench.resume(stored.run_id, checkpoint=Countdown(crash), **world)
        except Crash:
            bench.restart()


def conditional(scale: Scale, place: Path) -> Figure:
    """Where the CRM compares versions (whole seconds): nobody's value is lost."""
    return _edited(scale, place, strict=True)


def reread(scale: Scale, place: Path) -> Figure:
    """Where it cannot: only an edit between our look and our write can be lost, and it is told."""
    return _edited(scale, place, strict=False)


def unlooked(scale: Scale, place: Path) -> Figure:
    """The control: without the look into the history the same harness finds edits untold."""
    chance, bench = scale.chance("unlooked"), Bench(place, keeps=True)
    trials = untold = 0
    for _ in scale.trials(25, 250):
        editor, _ = history(bench, chance, strict=False, look_back=0)
        trials, untold = trials + 1, untold + len(editor.replaced() - editor.reported())
    bench.store.close()
    note = f"{untold} overwritten edits untold"
    return Figure(trials, "histories", {"harnesses that let it pass": int(untold == 0)}, note)


def _edited(scale: Scale, place: Path, *, strict: bool) -> Figure:
    chance = scale.chance(f"edits-{strict}")
    trials = edits = outside = inside = foreign = windowed = untold = invented = replaced = told = 0
    bench = Bench(place, keeps=True)
    for _ in scale.trials(25, 2500):
        editor, written = history(bench, chance, strict=strict)
        trials, edits = trials + 1, edits + editor.count
        missed, close = editor.clobbered()
        outside, inside = outside + missed, inside + close
        windowed += len(editor.close)
        untold += len(editor.replaced() - editor.reported())
        invented += len(editor.reported() - editor.replaced())
        replaced += len(editor.replaced())
        told += len(editor.replaced() & editor.reported())
        foreign += written.total()
    bench.store.close()
    bad = {"clobbered edits": outside + inside if strict else outside, "foreign fields": foreign}
    note = f"{edits} edits"
    if not strict:
        bad |= {"overwritten edits not reported": untold, "edits reported wrongly": invented}
        note += f"; of {windowed} made between our look and our write {replaced} were overwritten"
        note += f", {told} of them reported"
    return Figure(trials, "histories", bad, note)


def undone(scale: Scale, place: Path) -> Figure:
    """Apply, edits by people, undo: their values stay, all others are as they were."""
    chance = scale.chance("undone")
    trials = kept = different = lost = 0
    bench = Bench(place, keeps=True)
    for _ in scale.trials(25, 1000):
        bench.anew()
        before = started(bench, chance)
        items = [decided(bench, chance, n) for n in range(1, CUSTOMERS + 1)]
        report = bench.apply(bench.plan(items), *FREE)
        editor = Editor(bench, chance)
        for _ in range(chance.randrange(4)):
            editor.edit()
        if report.written:
            bench.apply(bench.undo(report.run.id), *FREE)
        for n in range(1, CUSTOMERS + 1):
            for name in OWNED:
                now = bench.crm.get(ref(n)).get(name)
                if (n, name) in editor.held:
                    kept += 1
                    lost += now != editor.held[n, name]
                else:
                    was = before[n].get(name)
                    # null and nothing are one in a CRM; anything else must be the same bytes
                    different += repr(now or None) != repr(was or None)
        trials += 1
    bench.store.close()
    bad = {"values not given back": different, "people's values lost": lost}
    return Figure(trials, "data sets", bad, f"{kept} values put in by people")


def started(bench: Bench, chance: Random) -> dict[int, dict[str, Value]]:
    """Customers of whom some were never written and some were written before."""
    bench.seed(CUSTOMERS)
    for n in range(1, CUSTOMERS + 1):
        if chance.random() < 0.3:
            bench.crm.put(ref(n), Reason=chance.choice(["", "早就有的话", "x" * 40]))
    if chance.random() < 0.6:
        bench.apply(bench.plan(decided(bench, chance, n) for n in (1, 2)), *FREE)
    return {n: deepcopy(bench.crm.get(ref(n))) for n in range(1, CUSTOMERS + 1)}


STAYS = Text(
    zh="别人在我们读取之后改过的值，不会被覆盖",
    en="A value a person changed after we read it is never overwritten",
)
PROOFS = (
    Proof(
        "P4",
        "conditional",
        STAYS,
        Text(
            zh="`write_mode: strict`：生成的历史，随处有人改值、回复丢失、崩溃；版本只精确到秒",
            en="`write_mode: strict`: generated histories of edits, lost replies and crashes;"
            " versions in whole seconds",
        ),
        conditional,
    ),
    Proof(
        "P4",
        "reread",
        STAYS,
        Text(
            zh="默认方式（写前重读）：同样的历史；只有落在“重读到写入”之间的修改可能丢失，"
            "而且每一处都连同两个值报告出来",
            en="the default (read again just before): the same histories; only an edit between that"
            " look and the write can be lost, and each of these is reported with both values",
        ),
        reread,
    ),
    Proof(
        "P4",
        "unlooked",
        STAYS,
        Text(
            zh="对照：关掉回看（`look_back: off`），同样的历史里必须有没报告的覆盖",
            en="control: with `look_back: off` the same histories must leave edits untold",
        ),
        unlooked,
    ),
    Proof(
        "P9",
        "undone",
        Text(
            zh="`undo` 撤销一次运行：我们改过、之后没人再改的值逐字节还原，其余列出",
            en="`undo` restores every value we changed that nobody has changed since",
        ),
        Text(
            zh="随机数据：写入、有人改值、撤销、逐字节比较",
            en="random data: apply, edits by people, undo, compared byte for byte",
        ),
        undone,
    ),
)
