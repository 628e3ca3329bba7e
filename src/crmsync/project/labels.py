"""The customers whose right tier people know: a table of records and tiers, CSV or XLSX."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from crmsync.errors import UsageError
from crmsync.model.text import Text
from crmsync.source import has_errors
from crmsync.source.grid_reading import read_grid

FEWEST = 10
MOST = 1000
_RECORD = frozenset(
    {"record", "id", "customer", "name", "记录", "编号", "客户", "名称", "客户名称"}
)
_TIER = frozenset({"tier", "level", "label", "等级", "级别", "客户等级"})


@dataclass(frozen=True, slots=True)
class Label:
    """One row: the record's id or exact name, the tier as written, the row's number."""

    record: str
    tier: str
    row: int


def read_labels(path: Path) -> tuple[Label, ...]:
    """The labels of a file whose first row names a record column and a tier column.

    Rows without a tier are not labelled yet and left out. Raises UsageError for a file that cannot
    be read, lacks a column, says two things of one record, or has fewer than `FEWEST` labels.
    """
    grid, problems = read_grid(path, path.name)
    if grid is None or has_errors(problems):
        why = next((item.message for item in problems), Text(zh="没有内容", en="it is empty"))
        raise _wrong(path, why)
    head = [cell.text.strip() for cell in grid.headings]
    places = []
    for names, what in ((_RECORD, "record"), (_TIER, "tier")):
        found = [place for place, cell in enumerate(head) if cell.casefold() in names]
        if len(found) != 1:
            raise _wrong(
                path,
                Text(
                    zh=f"第一行要有一列“{what}”，现有：{'、'.join(head)}",
                    en=f"the first row needs one column “{what}”; it has: {', '.join(head)}",
                ),
            )
        places.append(found[0])
    labels = []
    for row in grid.rows:
        record, tier = (row[place].text.strip() for place in places)
        if record and tier:
            labels.append(Label(record, tier, row[places[0]].span.line))
    _check(path, labels)
    return tuple(labels)


def _check(path: Path, labels: Sequence[Label]) -> None:
    if not FEWEST <= len(labels) <= MOST:
        raise _wrong(
            path,
            Text(
                zh=f"标注了 {len(labels)} 个客户；需要 {FEWEST} 到 {MOST} 个，最好 30 到 100 个",
                en=f"it labels {len(labels)} customers; {FEWEST} to {MOST} are needed, 30 to 100"
                " are best",
            ),
        )
    first: dict[str, Label] = {}
    for label in labels:
        before = first.setdefault(label.record, label)
        if before is not label:
            raise _wrong(
                path,
                Text(
                    zh=f"第 {before.row} 行和第 {label.row} 行是同一个客户“{label.record}”",
                    en=f"rows {before.row} and {label.row} are one customer, “{label.record}”",
                ),
            )


def _wrong(path: Path, why: Text) -> UsageError:
    return UsageError(
        Text(zh=f"标注文件 {path.name}：{why.zh}", en=f"labels {path.name}: {why.en}"),
        mend=Text(
            zh="CSV 或 XLSX，第一行写 record,tier，每行一个客户的编号或名称和它的等级",
            en="a CSV or XLSX whose first row is record,tier; then a customer's id or name and"
            " its tier a row",
        ),
    )
