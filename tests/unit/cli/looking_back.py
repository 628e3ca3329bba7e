"""Made-up looks into a CRM's history, and what they cost."""

from __future__ import annotations

from datetime import datetime

from crmsync.model.history import LookedBack, Overwritten
from crmsync.model.metering import PlanCost
from crmsync.model.record import RecordRef, Value
from crmsync.model.run import LookBackReport, OpRecord, OpState
from crmsync.model.text import Text

AT = datetime(2026, 11, 22, 10, 15, 9).astimezone()


def row(n: int, name: str, *lost: tuple[str, Value, Value, str | None]) -> OpRecord:
    return OpRecord(
        op_key=f"k{n}",
        run_id=12,
        seq=n,
        kind="field_update",
        ref=RecordRef("Accounts", f"48768760{n:02}"),
        state=OpState.DONE,
        base={},
        want={},
        name=name,
        look_back=LookedBack.OVERWRITTEN,
        overwritten=tuple(
            Overwritten(field, theirs, ours, by, AT if by else None)
            for field, theirs, ours, by in lost
        ),
    )


def found() -> LookBackReport:
    """Two overwritten edits, and rows of every other kind."""
    rows = (
        row(1, "东海云茶", ("Customer_Tier", "重要客户", "VIP客户", "李 Colleague")),
        row(2, "Bad\x1b[2J Ltd", ("Reason", "先别动\n第二行", "92 分 ≥ 85", None)),
    )
    return LookBackReport(
        rows=1200,
        clear=990,
        overwritten=2,
        unread=5,
        not_shown=3,
        found=rows,
        why=Text("设置 look_back: 1000", "look_back is 1000 in the settings"),
    )


def short() -> LookBackReport:
    """Nothing overwritten, everything looked at."""
    return LookBackReport(rows=14, clear=14)


def costs() -> list[PlanCost]:
    """Known and unknown rest, enough for all, for the writes alone, and for neither."""
    return [
        PlanCost(
            unit="API credits", price=12, limit=100_000, free=90_000, kept=10_000, look_back=40
        ),
        PlanCost(unit="API credits", price=12, limit=100_000, free=30, kept=10_000, look_back=40),
        PlanCost(unit="calls", price=120, limit=100_000, free=30, kept=10_000, look_back=60),
        PlanCost(unit="calls", price=120, look_back=60),
        PlanCost(unit="calls", price=120),
    ]
