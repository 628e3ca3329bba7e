"""The contract suite: twelve checks every connector must pass, run against a CRM it is seen on."""

from crmsync.testing.contract.check import ContractCase, ContractCheck, cases
from crmsync.testing.contract.harness import CANARY, ContractHarness, Sample
from crmsync.testing.contract.history import history_tells_every_save
from crmsync.testing.contract.manners import empty_input_makes_no_call, nothing_private_is_shown
from crmsync.testing.contract.merging import a_merged_record_names_where_it_went
from crmsync.testing.contract.reading import (
    reads_each_record_once,
    resumes_without_loss,
    values_are_canonical,
)
from crmsync.testing.contract.writing import (
    a_lost_reply_is_never_repeated,
    a_moved_record_gives_conflict,
    a_raise_speaks_for_the_whole_call,
    automation_stays_quiet,
    gives_one_result_per_change,
)

CONTRACT: tuple[ContractCheck, ...] = (
    reads_each_record_once,
    resumes_without_loss,
    values_are_canonical,
    gives_one_result_per_change,
    a_raise_speaks_for_the_whole_call,
    a_lost_reply_is_never_repeated,
    automation_stays_quiet,
    a_moved_record_gives_conflict,
    empty_input_makes_no_call,
    nothing_private_is_shown,
    a_merged_record_names_where_it_went,
    history_tells_every_save,
)
"""The twelve promises of `crmsync.connector.contract`, in its order."""

__all__ = [
    "CANARY",
    "CONTRACT",
    "ContractCase",
    "ContractCheck",
    "ContractHarness",
    "Sample",
    "cases",
]
