"""The test kit shipped to connector authors: sandbox, faults, contract checks and their mutants."""

from crmsync.testing.canaries import (
    canaries_in,
    canary,
    files_with_canaries,
    processes_with_canaries,
)
from crmsync.testing.clock import SandboxClock
from crmsync.testing.context import MemorySecrets, MemoryTokenShelf, practice_context
from crmsync.testing.fault_proxy import FaultProxy
from crmsync.testing.faults import (
    CommitLate,
    Delay,
    Drop,
    FaultScript,
    PlannedFault,
    Reply,
    Truncate,
    throttled,
)
from crmsync.testing.invariants import Invariants
from crmsync.testing.memory import MemoryConnector
from crmsync.testing.memory_crm import MemoryCall, MemoryCrm, Quirks, Trouble
from crmsync.testing.practice import LoadReport, PracticeCustomer, PracticeOrder, SandboxConnection
from crmsync.testing.recorder import Recorder, RequestKind, RequestRecord
from crmsync.testing.records import NoSuchRecord, RecordStore, Table
from crmsync.testing.rows import Actor, FieldWrite, Origin, Row, Save
from crmsync.testing.sandbox import Sandbox
from crmsync.testing.values import Complaint, ValueProblem, problems

__all__ = [
    "Actor",
    "CommitLate",
    "Complaint",
    "Delay",
    "Drop",
    "FaultProxy",
    "FaultScript",
    "FieldWrite",
    "Invariants",
    "LoadReport",
    "MemoryCall",
    "MemoryConnector",
    "MemoryCrm",
    "MemorySecrets",
    "MemoryTokenShelf",
    "NoSuchRecord",
    "Origin",
    "PlannedFault",
    "PracticeCustomer",
    "PracticeOrder",
    "Quirks",
    "RecordStore",
    "Recorder",
    "Reply",
    "RequestKind",
    "RequestRecord",
    "Row",
    "Sandbox",
    "SandboxClock",
    "SandboxConnection",
    "Save",
    "Table",
    "Trouble",
    "Truncate",
    "ValueProblem",
    "canaries_in",
    "canary",
    "files_with_canaries",
    "practice_context",
    "problems",
    "processes_with_canaries",
    "throttled",
]
