"""P3: what was written once is not written again, however the CRM changes it in storing it."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from random import Random
from typing import Any

from tests.proofs.kill_bench import shared_bench
from tests.proofs.proof import Figure, Proof, Scale
from tests.unit.apply.bench import Bench, fake_crm
from tests.unit.apply.fake import FakeCrm
from tests.unit.plan.builders import NOW, STAGES, TIERS, opening

from crmsync.model.record import Value
from crmsync.model.schema import Choice, FieldSchema, FieldType, ObjectSchema
from crmsync.model.text import Text
from crmsync.plan import Origin

CUSTOMERS = 5
FREE = ("records_changed=100%", "tasks_per_owner=1000", "new_tasks=1000")
WORDS = ["增长 ", "重要", "é", "e\u0301", "VIP", " ", "\t", "🧑‍🌾", "ﬁ", "long-word", "，", "A  B"]


@dataclass
class TidyCrm(FakeCrm):
    """Stores values as CRMs do: trimmed, rounded, composed, cut, labels as option codes."""

    schema: ObjectSchema = field(default_factory=lambda: ObjectSchema("Accounts", "Accounts", ()))

    def commit(self, change: Any) -> Any:
        done = super().commit(change)
        if done.ref is not None and done.ref.object == "Accounts":
            stored = self.objects["Accounts"][done.ref.id].fields
            for name, value in stored.items():
                stored[name] = self._stored(self.schema.field(name), value)
        return done

    def _stored(self, schema: FieldSchema | None, value: Value) -> Value:
        if schema is None or value is None:
            return value
        if isinstance(value, Decimal):
            return value.quantize(Decimal(1).scaleb(-(schema.scale or 0)), ROUND_HALF_UP)
        if not isinstance(value, str):
            return value
        tidy = unicodedata.normalize("NFC", value.strip())[: schema.max_length].strip()
        known = next((choice.value for choice in schema.choices if choice.label == tidy), tidy)
        return known or None


def some_schema(chance: Random) -> ObjectSchema:
    """Fields as different companies made them."""

    def picklist(name: str, labels: dict[str, str]) -> FieldSchema:
        coded = chance.random() < 0.5
        choices = (Choice(f"opt_{id}" if coded else label, label) for id, label in labels.items())
        return FieldSchema(name, name, FieldType.PICKLIST, choices=tuple(choices))

    def text(name: str) -> FieldSchema:
        return FieldSchema(name, name, FieldType.TEXT, max_length=chance.randrange(3, 60))

    number = chance.choice([FieldType.DECIMAL, FieldType.INTEGER, FieldType.TEXT])
    day = chance.choice([FieldType.DATE, FieldType.DATETIME, FieldType.TEXT])
    return ObjectSchema(
        "Accounts",
        "Accounts",
        (
            picklist("Tier", TIERS) if chance.random() < 0.7 else text("Tier"),
            picklist("Stage", STAGES),
            FieldSchema("Tier_Since", "Tier_Since", day),
            FieldSchema("Score", "Score", number, scale=chance.choice([0, 1, 2])),
            text("Reason"),
            text("Rules"),
        ),
    )


def wording(chance: Random) -> Text:
    """A reason with blanks, combining marks and emoji where they hurt."""
    return Text.same("".join(chance.choice(WORDS) for _ in range(chance.randrange(12))))


def tidy(scale: Scale, place: Path) -> Figure:
    """Random schemas, decisions and texts: plan, apply, plan again from what the CRM holds."""
    chance = scale.chance("tidy")
    trials = again = calls = 0
    bench = Bench(place, keeps=True)
    for _ in scale.trials(30, 1000):
        schema = some_schema(chance)
        crm = TidyCrm(fake_crm().clock, fake_crm().capabilities, schema=schema)
        bench.anew(crm)
        bench.seed(CUSTOMERS)
        origin = Origin(
            connection="crm",
            account_id="org-1",
            environment="practice",
            pulled_at=NOW - timedelta(minutes=5),
            schema=schema,
        )
        decided = [_decision(chance, n) for n in range(1, CUSTOMERS + 1)]
        bench.apply(bench.plan((bench.item(**d) for d in decided), origin=origin), *FREE)
        before = len(crm.calls)
        second = bench.plan((bench.item(**d) for d in decided), origin=origin)
        counts = second.header.counts
        again += CUSTOMERS - counts.unchanged + counts.new_tasks
        bench.apply(second, *FREE)
        calls += len(crm.calls) - before
        trials += 1
    bench.store.close()
    return Figure(trials, "data sets", {"changes planned again": again, "second writes": calls})


def _decision(chance: Random, n: int) -> dict[str, Any]:
    return {
        "n": n,
        "tier": chance.choice(["vip", "key", "standard"]),
        "stage": chance.choice(list(STAGES)),
        "score": str(Decimal(chance.randrange(1000)) / 10),
        "reason": wording(chance),
        "opens": (opening(n),) if chance.random() < 0.3 else (),
    }


def sandboxes(scale: Scale, place: Path) -> Figure:
    """The whole loop over HTTP on both CRMs: random orders, apply, then plan and apply again."""
    chance = scale.chance("sandboxes")
    trials = again = writes = 0
    for _ in scale.trials(1, 40):
        for name in ("zoho", "fxiaoke"):
            bench = shared_bench(name)
            bench.reset()
            bench.reorder(chance)
            bench.world.plan()
            bench.world.apply()
            before = bench.write_requests()
            second = bench.world.plan()
            again += len(second["changes"])
            bench.world.apply()
            writes += bench.write_requests() - before
            trials += 1
    return Figure(trials, "data sets", {"changes planned again": again, "second writes": writes})


SAME = Text(
    zh="写第二遍什么也不改；写完之后再做计划，计划是空的",
    en="Applying twice changes nothing, and a plan right after an apply is empty",
)
PROOFS = (
    Proof(
        "P3",
        "tidy",
        SAME,
        Text(
            zh="随机数据；CRM 存储时去空格、四舍五入、规范化、截断、把标签换成选项码",
            en="random data; a CRM that trims, rounds, composes, cuts and turns labels into codes",
        ),
        tidy,
    ),
    Proof(
        "P3",
        "sandboxes",
        SAME,
        Text(
            zh="两个沙箱上的完整流程，随机订单",
            en="the whole loop on both sandboxes with orders at random",
        ),
        sandboxes,
    ),
)
