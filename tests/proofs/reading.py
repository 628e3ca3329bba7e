"""P13: people work while we read, and searches lag; one further pull and nothing is missed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from random import Random

from tests.http_catalogue.line import HARNESSES
from tests.proofs.proof import Figure, Proof, Scale
from tests.unit.ingest.paged_crm import PagedCrm
from tests.unit.ingest.test_nothing_is_missed import START, WANT, held, mirrored

from crmsync.errors import Throttled
from crmsync.ingest import PullOptions, pull
from crmsync.model.schema import ObjectWant
from crmsync.model.text import Text
from crmsync.store.mirror import MirrorFiles, open_mirror
from crmsync.testing import RequestKind, RequestRecord
from crmsync.testing.sandbox_harness import SandboxHarness

Shape = Callable[[Path, Random], tuple[int, int]]
LAG = timedelta(seconds=45)
"""How late queries see a change; well inside the overlap of five minutes."""


class Crowd:
    """People at work in a sandbox: three edits, a creation and a deletion while a page is read."""

    def __init__(self, harness: SandboxHarness, chance: Random) -> None:
        self._harness, self._chance = harness, chance
        self._sandbox = harness.sandbox
        self._number = 0
        self.at_work = False
        self.acts = 0
        self._sandbox.on_request(self._act)

    def _act(self, request: RequestRecord) -> None:
        if not self.at_work or request.kind is not RequestKind.READ:
            return
        object, field = self._harness.object, self._harness.text_field
        alive = [row.id for row in self._sandbox.store.rows(object)]
        for id in self._chance.sample(alive, 3):
            self._number += 1
            self._sandbox.edit_as_person(object, id, {field: f"edited {self._number}"})
        self._number += 1
        self._harness.seed(1)
        self._sandbox.delete_as_person(object, self._chance.choice(alive))
        self._sandbox.clock.advance(self._chance.choice([0.2, 1.0, 3.0]))
        self.acts += 5


def sandbox_shape(name: str, *, lag: timedelta) -> Shape:
    """Missed records and acts of people, for one trial on a vendor's sandbox."""

    def trial(place: Path, chance: Random) -> tuple[int, int]:
        with HARNESSES[name]() as harness:
            sandbox = harness.sandbox
            sandbox.index_lag = lag
            harness.seed(harness.across_pages)
            sandbox.clock.advance(timedelta(minutes=10))
            crowd = Crowd(harness, chance)
            connector = harness.open()
            schema = connector.describe(harness.object)
            wanted = schema.field(harness.text_field)
            assert wanted is not None
            want = ObjectWant(harness.object, (wanted,))
            mirror, options = place / "busy.duckdb", PullOptions(now=sandbox.clock.now)
            crowd.at_work = True
            pull(connector, [want], mirror, options=options)
            for _ in range(2):
                sandbox.clock.advance(timedelta(minutes=chance.randrange(1, 30)))
                pull(connector, [want], mirror, options=options)
            crowd.at_work = False
            sandbox.clock.advance(lag + timedelta(seconds=2))
            seen = connector.capabilities.sees_deletes
            last = PullOptions(now=sandbox.clock.now, full=not seen)
            if not seen:
                # first without: what changed must be there before anybody reads everything
                pull(connector, [want], mirror, options=options)
                missed = changed_but_missing(harness, mirror, gone_too=False)
            else:
                missed = 0
            pull(connector, [want], mirror, options=last)
            missed += changed_but_missing(harness, mirror, gone_too=True)
            connector.close()
            return missed, crowd.acts

    return trial


def changed_but_missing(harness: SandboxHarness, mirror: Path, *, gone_too: bool) -> int:
    """Records whose value in the mirror is not the CRM's; with *gone_too* also ghosts."""
    field = harness.text_field
    with open_mirror(mirror) as db:
        query = f'SELECT id, "{field}" FROM "{harness.object}"'
        mirrored = dict(db.execute(query).fetchall())
    truth = {row.id: row.get(field) for row in harness.sandbox.store.rows(harness.object)}
    wrong = sum(mirrored.get(id, "-") != value for id, value in truth.items())
    return wrong + (len(mirrored.keys() - truth.keys()) if gone_too else 0)


def memory_shape(page_size: int, *, sees_deletes: bool) -> Shape:
    """The same in memory, with pulls that break off in between."""

    def trial(place: Path, chance: Random) -> tuple[int, int]:
        crm = PagedCrm(START, page_size=page_size, sees_deletes=sees_deletes)
        for number in range(150):
            crm.put("Deals", f"{number:05d}", {"Amount": Decimal(number)})
        mirror, acts = place / "memory.duckdb", 0

        def trouble(page: int) -> None:
            nonlocal acts
            alive = sorted(held(crm))
            for key in chance.sample(alive, 3):
                crm.put("Deals", key, {"Amount": Decimal(chance.randrange(10**6))})
            crm.put("Deals", f"{chance.randrange(10**5):05d}", {"Amount": Decimal(page)})
            crm.delete("Deals", chance.choice(alive))
            acts += 5
            if chance.random() < 0.2:
                crm.fail_after = chance.randrange(1, 4)

        crm.on_page = trouble
        options = PullOptions(now=lambda: crm.now)
        for _ in range(5):
            try:
                pull(crm, [WANT], mirror, options=options)
            except Throttled:
                crm.fail_after = None
            crm.now += timedelta(minutes=chance.randrange(1, 40))
        crm.on_page = lambda page: None
        crm.fail_after = None
        pull(crm, [WANT], mirror, options=options)
        if MirrorFiles(mirror).next.exists():
            pull(crm, [WANT], mirror, options=options)
        crm.now += timedelta(minutes=20)
        last = PullOptions(now=lambda: crm.now, full=not sees_deletes)
        pull(crm, [WANT], mirror, options=last)
        found, truth = mirrored(mirror), held(crm)
        keys = found.keys() | truth.keys()
        return sum(found.get(key) != truth.get(key) for key in keys), acts

    return trial


SHAPES: dict[str, Shape] = {
    "zoho": sandbox_shape("zoho", lag=timedelta()),
    "zoho late": sandbox_shape("zoho", lag=LAG),
    "fxiaoke": sandbox_shape("fxiaoke", lag=timedelta()),
    "fxiaoke late": sandbox_shape("fxiaoke", lag=LAG),
    "memory 7": memory_shape(7, sees_deletes=True),
    "memory 40": memory_shape(40, sees_deletes=False),
}


def nothing_missed(scale: Scale, place: Path) -> Figure:
    """Every shape in turn, with another chance each time."""
    chance = scale.chance("reading")
    missed = trials = acts = 0
    for trial in scale.trials(1, 30):
        for name, shape in SHAPES.items():
            folder = place / f"{name}-{trial}"
            folder.mkdir()
            lost, done = shape(folder, chance)
            missed, acts, trials = missed + lost, acts + done, trials + 1
    note = f"{acts} edits, creations and deletions during paging; queries up to 45 s late"
    return Figure(trials, "histories", {"records missed": missed}, note)


PROOFS = (
    Proof(
        "P13",
        "reading",
        Text(
            zh="改过的记录一条不漏，重复读到也无妨",
            en="No changed record is missed, and repeats do no harm",
        ),
        Text(
            zh="翻页时有人修改、新建、删除；查询滞后；两个沙箱与内存中的分页形态",
            en="people edit, create and delete while pages are read, queries lag; both sandboxes "
            "and paging in memory",
        ),
        nothing_missed,
    ),
)
