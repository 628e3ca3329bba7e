"""Promise 11: what becomes known of a record that a person merged into another."""

from __future__ import annotations

from crmsync.connector.contract import FieldIn, ModifiedSince, Where
from crmsync.testing.contract.check import contract_check, opened, require
from crmsync.testing.contract.harness import ContractHarness
from crmsync.testing.contract.reading import query


@contract_check(11)
def a_merged_record_names_where_it_went(harness: ContractHarness) -> None:
    """Where ``sees_merges`` is claimed, a record merged into another names it, by time and by id.

    Where it is not, the record is gone like any deleted one, and no survivor is made up.
    """
    lost, kept, other = harness.seed(3)
    with opened(harness) as connector:
        pages = list(connector.read(query(harness)))
        since = min(record.modified_at for page in pages for record in page.records)
        harness.merge(lost, kept)
        harness.remove(other)
        claimed = connector.capabilities.sees_merges
        asked: tuple[Where, ...] = (
            ModifiedSince(since),
            FieldIn("id", (lost.id, kept.id, other.id)),
        )
        for where in asked:
            records = [r for page in connector.read(query(harness, where)) for r in page.records]
            found = {record.ref: record for record in records}
            what = type(where).__name__
            require(kept in found and not found[kept].deleted, f"{what}: the survivor is gone")
            told = {ref: item.merged_into for ref, item in found.items() if item.merged_into}
            live = [ref for ref in (lost, other) if ref in found and not found[ref].deleted]
            require(not live, f"{what}: a record that is gone came as a live one")
            if claimed:
                require(
                    told == {lost: kept.id},
                    f"{what}: a merged record does not name where it went, or another does: {told}",
                )
            else:
                require(not told, f"{what}: a survivor is named and sees_merges is not claimed")
