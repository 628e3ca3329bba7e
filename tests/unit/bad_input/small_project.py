"""A small sound project in a folder, the same with something wrong in it, and what is said."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from tests.unit.config.rules_in_small import SCHEMAS, field
from tests.unit.rules.writing import SOUND

from crmsync.config import read_mapping, resolve
from crmsync.errors import CrmSyncError
from crmsync.model.diagnostic import Diagnostic
from crmsync.model.schema import ObjectSchema
from crmsync.project.checking import check
from crmsync.rules import load
from crmsync.source import render

CONF = "crmsync.yaml"
RULES = "rulesets/small/rules.yaml"
MAPPING = "rulesets/small/mapping/zoho.yaml"
CASES = "rulesets/small/rules.test.yaml"
LANGUAGES = ("en", "zh")
Edit = tuple[str, str, str]
"""A file, what stands in it once, and what stands there instead."""

FILES: Mapping[str, str] = {
    CONF: """\
version: 1
language: en
time_zone: Asia/Shanghai
connections:
  shop:
    connector: zoho
    data_centre: cn
    client_secret: secret:shop/client_secret
    refresh_token: secret:shop/refresh_token
people:
  role:主管: "5500000000000001"
jobs:
  nightly:
    ruleset: small
    connection: shop
    at: "02:00"
""",
    RULES: SOUND,
    MAPPING: """\
connector: zoho
object: Accounts
applies_to: [Account_Type is Customer]
identity: {name: Account_Name, owner: Owner}
related:
  orders: {object: Deals, via: Account_Name, date: Closing_Date, where: Stage is Closed Won}
read:
  last_order_on: {related: orders, max: Closing_Date}
  orders_12m:    {related: orders, count: all, within: 12 months}
  revenue:       {related: orders, sum: Amount, within: 12 months, where: [Amount > 0]}
  potential:     {label: 需求潜力, values: {High: 高, Low: 低}}
  judged:        Judged
  blacklisted:   Blacklisted
write:
  tier:       {field: C_Tier, values: {vip: VIP}}
  tier_since: {label: 等级起始日}
  lifecycle:  C_Stage
lock_field: C_Lock
tasks:
  object: Tasks
  key: C_Key
  subject: Subject
  due: Due_Date
  owner: Owner
  about: What_Id
  status: Status
  open: Not Started
  closed: Completed
""",
    CASES: """\
ruleset: small
today: 2026-11-22
cases:
  - name: a good customer
    facts: {last_order_on: 2026-11-01, orders_12m: 14, revenue: 60万, potential: 高, judged: 35}
    before: {tier: key, lifecycle: active}
    expect: {score: 95, tier: vip, tasks: []}
  - name: a key account
    facts: {orders_12m: 7, revenue: 10万, potential: 中, judged: 20}
    before: {lifecycle: prospect}
    expect: {score: 55, tier: key, lifecycle: active}
  - name: a small one
    facts: {orders_12m: 2, potential: 低, judged: 0}
    expect: {score: 7, tier: basic}
  - name: blacklisted
    facts: {orders_12m: 0, blacklisted: yes}
    expect: {tier: blocked}
  - name: gone quiet
    facts: {last_order_on: 2026-07-01, orders_12m: 7, revenue: 10万, potential: 中}
    before: {tier: key, lifecycle: active, lifecycle_pending: {quiet: 2026-11-02}}
    expect: {tier: key, lifecycle: quiet, tasks: [call, ask]}
  - name: back again
    facts: {last_order_on: 2026-11-20, orders_12m: 15, revenue: 60万, potential: 中, judged: 38}
    before: {tier: vip, tier_since: 2026-10-22, lifecycle: quiet}
    expect: {tier: vip, lifecycle: active, tasks: [visit]}
""",
}
_ACCOUNTS = SCHEMAS["Accounts"]
CRM = {
    **SCHEMAS,
    "Accounts": replace(
        _ACCOUNTS,
        fields=(
            *_ACCOUNTS.fields,
            field("Judged", "decimal"),
            field("C_Stage", "text"),
            field("Annual_Revenue", "currency"),
            field("Score_Formula", "decimal", read_only=True),
        ),
    ),
}
"""What the CRM says it has."""


@dataclass(frozen=True)
class Told:
    """What is said of a project, in every language, with the findings it was said of."""

    found: tuple[Diagnostic, ...]
    texts: Mapping[str, str]

    def as_page(self, format: str, language: str) -> str:
        return render(self.found, self.texts, format=format, lang=language)  # type: ignore[arg-type]


def write(folder: Path, edits: Sequence[Edit] = (), whole: Mapping[str, bytes] = {}) -> None:
    """The small project with every edit made."""
    files = dict(FILES)
    for name, old, new in edits:
        assert files[name].count(old) == 1, f"{old!r} stands {files[name].count(old)} times"
        files[name] = files[name].replace(old, new)
    for name, text in {**{name: text.encode() for name, text in files.items()}, **whole}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text)


def checked(folder: Path) -> Told:
    """What ``crmsync check`` says of the project."""
    report = check(folder, [])
    return Told(report.diagnostics, report.texts)


def against_the_crm(folder: Path, schemas: Mapping[str, ObjectSchema] = CRM) -> Told:
    """What is said once the mapping is held against the CRM."""
    rules, found = load(folder / "rulesets/small", name=RULES)
    assert rules is not None, found
    mapping, found = read_mapping(folder / MAPPING, rules, name=MAPPING)
    assert mapping is not None
    assert found == []
    texts = {MAPPING: (folder / MAPPING).read_text(encoding="utf-8")}
    try:
        resolve(mapping, schemas)
    except CrmSyncError as error:
        return Told(tuple(getattr(error, "diagnostics", ())), texts)
    return Told((), texts)


def refused(action: Callable[[], object], folder: Path) -> tuple[str, str]:
    """What an error without a place says, in English and in Chinese; the folder is left out."""
    with pytest.raises(CrmSyncError) as caught:
        action()
    error = caught.value
    assert error.mend is not None
    english, chinese = (
        f"error[{error.code}]: {error.message.to(lang)}\n"
        f"   = help: {error.mend.to(lang)}\n".replace(str(folder), "PROJECT")
        for lang in LANGUAGES
    )
    return english, chinese
