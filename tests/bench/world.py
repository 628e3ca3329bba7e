"""The world of the benches: the shipped B2B rules and Zoho mapping, a mirror of made-up deals."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb

from crmsync.config import read_mapping, resolve
from crmsync.model.mapping import CrmMapping
from crmsync.model.ruleset import Ruleset
from crmsync.model.schema import Choice, FieldSchema, FieldType, ObjectSchema
from crmsync.project.shipped import shipped_ruleset
from crmsync.rules import load
from crmsync.store.mirror import MirrorWriter, ReadKind, ReadState
from crmsync.store.mirror_columns import stored_fields

AS_OF = date(2026, 3, 31)
NOW = datetime(2026, 4, 1, tzinfo=UTC)
FIRST_DAY = AS_OF - timedelta(days=700)


def _choices(*names: str) -> tuple[Choice, ...]:
    return tuple(Choice(name, name) for name in names)


def _text(name: str) -> FieldSchema:
    return FieldSchema(name, name, FieldType.TEXT)


ACCOUNTS = ObjectSchema(
    "Accounts",
    "Accounts",
    (
        _text("Account_Name"),
        FieldSchema("Owner", "Owner", FieldType.USER),
        FieldSchema(
            "Account_Type",
            "Account_Type",
            FieldType.PICKLIST,
            choices=_choices("Customer", "Other"),
        ),
        FieldSchema("Margin_12M", "Margin_12M", FieldType.PERCENT),
        FieldSchema("Max_Overdue_Days", "Max_Overdue_Days", FieldType.INTEGER),
        FieldSchema(
            "Demand_Potential",
            "Demand_Potential",
            FieldType.PICKLIST,
            choices=_choices("High", "Medium", "Low"),
        ),
        FieldSchema("Strategic_Account", "Strategic_Account", FieldType.BOOLEAN),
        FieldSchema("Blacklisted", "Blacklisted", FieldType.BOOLEAN),
        FieldSchema("Crmsync_Tier", "Crmsync_Tier", FieldType.PICKLIST),
        FieldSchema("Crmsync_Tier_Since", "Crmsync_Tier_Since", FieldType.DATE),
        FieldSchema("Crmsync_Score", "Crmsync_Score", FieldType.DECIMAL, scale=1),
        FieldSchema("Crmsync_Lifecycle", "Crmsync_Lifecycle", FieldType.PICKLIST),
        FieldSchema("Crmsync_Lifecycle_Since", "Crmsync_Lifecycle_Since", FieldType.DATE),
        _text("Crmsync_Service_Level"),
        _text("Crmsync_Reason"),
        _text("Crmsync_Rules"),
        FieldSchema("Crmsync_Lock", "Crmsync_Lock", FieldType.BOOLEAN),
    ),
)
DEALS = ObjectSchema(
    "Deals",
    "Deals",
    (
        FieldSchema("Account_Name", "Account_Name", FieldType.LOOKUP),
        FieldSchema("Closing_Date", "Closing_Date", FieldType.DATE),
        FieldSchema("Amount", "Amount", FieldType.CURRENCY),
        FieldSchema(
            "Stage", "Stage", FieldType.PICKLIST, choices=_choices("Closed Won", "Closed Lost")
        ),
    ),
)
TASKS = ObjectSchema(
    "Tasks",
    "Tasks",
    (
        _text("Crmsync_Key"),
        _text("Subject"),
        FieldSchema("Due_Date", "Due_Date", FieldType.DATE),
        FieldSchema("Owner", "Owner", FieldType.USER),
        FieldSchema("What_Id", "What_Id", FieldType.LOOKUP),
        FieldSchema(
            "Status", "Status", FieldType.PICKLIST, choices=_choices("Not Started", "Completed")
        ),
        FieldSchema(
            "Priority", "Priority", FieldType.PICKLIST, choices=_choices("High", "Normal", "Low")
        ),
    ),
)
SCHEMAS = {schema.object: schema for schema in (ACCOUNTS, DEALS, TASKS)}


def rules() -> Ruleset:
    """The shipped rules of B2B customers: 12 facts, 5 criteria, 5 tiers, 7 stages, 4 tasks."""
    found, problems = load(shipped_ruleset("b2b-standard"))
    assert found is not None, problems
    return found


def mapping(ruleset: Ruleset) -> CrmMapping:
    """The shipped mapping to Zoho, resolved against `SCHEMAS`."""
    path = shipped_ruleset("b2b-standard") / "mapping" / "zoho.yaml"
    found, problems = read_mapping(path, ruleset)
    assert found is not None, problems
    return resolve(found, SCHEMAS)


def fill(path: Path, customers: int, orders: int) -> None:
    """A mirror with that many customers and orders, the same for the same numbers."""
    with MirrorWriter(path, account="a", now=NOW) as writer:
        for schema in (ACCOUNTS, DEALS):
            fields = stored_fields(schema.fields)
            kind, done = ReadKind.FULL, False
            state = writer.begin(ReadState(schema.object, fields, kind, None, NOW, None, 0, done))
            writer.append(state, [], resume=None, done=True)
        writer.publish(NOW)
    with duckdb.connect(str(path)) as plain:
        plain.execute(
            'INSERT INTO "Accounts" (id, _modified, _version, "Account_Name", "Owner", '
            '"Account_Type", "Margin_12M", "Max_Overdue_Days", "Demand_Potential", '
            '"Strategic_Account", "Blacklisted") '
            "SELECT printf('%06d', i), TIMESTAMP '2026-03-01', 'v1', printf('Example %d', i), "
            "printf('u%d', i % 20), 'Customer', "
            "CASE WHEN i % 9 = 0 THEN NULL ELSE (i * 7) % 45 END, "
            "CASE WHEN i % 40 = 0 THEN 75 WHEN i % 3 = 0 THEN NULL ELSE i % 30 END, "
            "CASE i % 4 WHEN 0 THEN 'High' WHEN 1 THEN 'Medium' WHEN 2 THEN 'Low' END, "
            f"i % 50 = 0, i % 200 = 0 FROM range({customers}) t(i)"
        )
        plain.execute(
            'INSERT INTO "Deals" (id, _modified, _version, "Account_Name", "Closing_Date", '
            '"Amount", "Stage") '
            f"SELECT printf('%08d', i), TIMESTAMP '2026-03-01', 'v1', "
            f"printf('%06d', (i * 7919) % {customers}), "
            f"DATE '{FIRST_DAY}' + CAST((i * 31) % 701 AS INTEGER), "
            "((i * 13) % 1000) * ((i % 7919) % 97) * 2.5, "
            "CASE WHEN i % 7 = 0 THEN 'Closed Lost' ELSE 'Closed Won' END "
            f"FROM range({orders}) t(i)"
        )
