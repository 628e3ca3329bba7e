"""``merged``: a person tells which customer was merged into which; kept with who and when."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

from crmsync.config.project_file import ConnectionConfig
from crmsync.errors import UsageError
from crmsync.model.merge import Merge, survivor_of
from crmsync.model.record import RecordRef
from crmsync.model.ruleset import Ruleset
from crmsync.model.text import Text
from crmsync.project.evaluating import OpenPopulation, Population
from crmsync.project.explaining import mirrored_mapping
from crmsync.project.loading import load_rules
from crmsync.project.merging import NotedMerge, noted
from crmsync.project.opening import Project
from crmsync.store import Store


def note_merges(
    project: Project,
    folder: Path,
    connection: ConnectionConfig,
    pairs: tuple[tuple[str, str], ...],
    *,
    by: str,
) -> tuple[NotedMerge, ...]:
    """Note merges, all or none: each is the record that vanished and the one it went into.

    They take effect with the next plan. Raises UsageError for records nobody knows, for a record
    that was noted as merged elsewhere, and for merges that lead round in a circle.
    """
    rules = load_rules(folder)
    mapping = mirrored_mapping(project, folder, connection, rules)
    with project.store() as store:
        people = Population(project, store, rules, mapping, connection.name, project.as_of(rules))
        with people.open() as opened:
            desk = _Desk(store, opened, connection.name, rules, mapping.object)
            desk.listed = {lost for lost, _ in pairs}
            merges = [desk.merge(lost, survivor, by, project) for lost, survivor in pairs]
        fresh = desk.check(merges)
        with store.database.write():
            for merge in fresh:
                store.merges.add(connection.name, merge)
                store.audit.add(
                    at=merge.at,
                    who=by,
                    what="merged",
                    detail={
                        "connection": connection.name,
                        "record": str(merge.lost),
                        "into": str(merge.survivor),
                    },
                )
        found = noted(store, connection.name, only={merge.lost for merge in merges})
        known = {item.merge.lost: item for item in found}
        new = set(fresh)
        return tuple(
            replace(
                known[merge.lost],
                still_there=merge.lost.id in desk.there,
                fresh=merge in new,
            )
            for merge in merges
        )


def pairs_in(file: Path) -> tuple[tuple[str, str], ...]:
    """The merges a CSV file lists: two columns, the record that vanished and the one it went into;
    a first line without digits is a heading. Raises UsageError."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as problem:
        raise UsageError(
            Text(zh=f"读不了 {file.name}", en=f"{file.name} cannot be read"),
            mend=Text(zh="存成 UTF-8 的 CSV", en="save it as CSV in UTF-8"),
        ) from problem
    pairs = []
    for number, row in enumerate(csv.reader(text.splitlines()), start=1):
        cells = [cell.strip() for cell in row]
        if not any(cells) or (number == 1 and not any(map(str.isdigit, "".join(cells)))):
            continue
        if len(cells) != 2 or not all(cells):
            raise UsageError(
                Text(
                    zh=f"{file.name}:{number}：每行要有两列",
                    en=f"{file.name}:{number}: every line has two columns",
                ),
                mend=Text(
                    zh="消失的客户编号,保留的客户编号",
                    en="the id of the customer that vanished, the id of the one it went into",
                ),
            )
        pairs.append((cells[0], cells[1]))
    return tuple(pairs)


def forget_merge(
    project: Project, folder: Path, connection: ConnectionConfig, lost: str, *, by: str
) -> Merge:
    """Take a note back; raises UsageError where there is none, or a run has acted on it."""
    rules = load_rules(folder)
    object = mirrored_mapping(project, folder, connection, rules).object
    with project.store() as store:
        ref = RecordRef(object, lost)
        found = next((i for i in store.merges.told(connection.name) if i.lost == ref), None)
        if found is None:
            raise UsageError(
                Text(zh=f"没有登记过 {lost} 的合并", en=f"no merge of {lost} is noted"),
                mend=Text(zh="crmsync merged --list", en="see crmsync merged --list"),
            )
        runs = store.merges.handed_over(connection.name, ref)
        if runs:
            raise UsageError(
                Text(
                    zh=f"运行 {runs[-1]} 已经把 {lost} 的记录转给了 {found.survivor.id}",
                    en=f"run {runs[-1]} has handed what was kept of {lost} to {found.survivor.id}",
                ),
                mend=Text(
                    zh=f"先 crmsync undo {runs[-1]} 并写入，再取消登记",
                    en=f"run crmsync undo {runs[-1]} and apply it, then take the note back",
                ),
            )
        with store.database.write():
            store.merges.remove(connection.name, ref)
            store.audit.add(
                at=project.now(),
                who=by,
                what="merge taken back",
                detail={
                    "connection": connection.name,
                    "record": str(ref),
                    "into": str(found.survivor),
                },
            )
    return found


def noted_merges(project: Project, connection: ConnectionConfig) -> tuple[NotedMerge, ...]:
    """Every merge noted on a connection, by the record that vanished."""
    with project.store() as store:
        return noted(store, connection.name)


class _Desk:
    """Where merges are looked at before they are noted."""

    def __init__(
        self, store: Store, opened: OpenPopulation, connection: str, rules: Ruleset, object: str
    ) -> None:
        self._store, self._opened, self._object = store, opened, object
        self._connection = connection
        self._told = {merge.lost: merge for merge in store.merges.told(connection)}
        self.listed: set[str] = set()
        """Records that vanished, by what was said: they may have gone into one another."""
        self.there: set[str] = set()
        """Those of them that the mirror still holds."""

    def merge(self, lost: str, survivor: str, by: str, project: Project) -> Merge:
        """One merge, its records found by id, or by exact name while the mirror holds them."""
        into = self._found(survivor)
        gone = self._found(lost)
        elsewhere = survivor in self.listed or RecordRef(self._object, survivor) in self._told
        if into is None and not elsewhere:
            raise _unknown(survivor)
        if gone is not None:
            self.there.add(gone)
        elif not self._store.merges.known(self._connection, RecordRef(self._object, lost)):
            raise UsageError(
                Text(
                    zh=f"没有保存过客户“{lost}”的任何记录",
                    en=f"nothing is kept of a customer “{lost}”",
                ),
                mend=Text(
                    zh="写 CRM 里被并掉的那条记录的编号",
                    en="give the CRM's id of the record that vanished",
                ),
            )
        return Merge(
            RecordRef(self._object, gone or lost),
            RecordRef(self._object, into or survivor),
            by,
            project.now(),
        )

    def check(self, merges: list[Merge]) -> list[Merge]:
        """Those that are new; refuses what contradicts a note or leads round in a circle."""
        into, fresh = {lost: told.survivor for lost, told in self._told.items()}, []
        for merge in merges:
            earlier = into.get(merge.lost)
            if merge.lost == merge.survivor:
                raise _circle(merge)
            if earlier is not None and earlier != merge.survivor:
                raise UsageError(
                    Text(
                        zh=f"{merge.lost.id} 已登记为并入 {earlier.id}",
                        en=f"{merge.lost.id} is noted as merged into {earlier.id}",
                    ),
                    mend=Text(
                        zh=f"要改先取消： crmsync merged --remove {merge.lost.id}",
                        en=f"to change it: crmsync merged --remove {merge.lost.id}",
                    ),
                )
            if earlier is None:
                into[merge.lost] = merge.survivor
                fresh.append(merge)
            if survivor_of(merge.lost, into) is None:
                raise _circle(merge)
        return fresh

    def _found(self, wanted: str) -> str | None:
        if self._opened.holds(wanted):
            return wanted
        found = self._opened.named(wanted)
        if len(found) > 1:
            listed = ", ".join(found)
            raise UsageError(
                Text(
                    zh=f"有 {len(found)} 个客户叫“{wanted}”",
                    en=f"{len(found)} customers are called “{wanted}”",
                ),
                mend=Text(zh=f"用编号：{listed}", en=f"use an id: {listed}"),
            )
        return found[0] if found else None


def _unknown(wanted: str) -> UsageError:
    return UsageError(
        Text(zh=f"镜像里没有客户“{wanted}”", en=f"no customer “{wanted}” in the mirror"),
        mend=Text(
            zh="保留下来的客户要在 CRM 里；刚建的先运行 crmsync pull",
            en="the customer that stays must be in the CRM; for a new one run crmsync pull",
        ),
    )


def _circle(merge: Merge) -> UsageError:
    return UsageError(
        Text(
            zh=f"{merge.lost.id} 并入 {merge.survivor.id} 会绕成一圈",
            en=f"{merge.lost.id} into {merge.survivor.id} leads round in a circle",
        ),
        mend=Text(
            zh="先写消失的客户，再写保留的客户；已登记的见 crmsync merged --list",
            en="first the customer that vanished, then the one that stays; see crmsync merged"
            " --list",
        ),
    )
