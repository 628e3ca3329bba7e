"""A sandbox serves, records, fails on demand and keeps its word about what was written."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from crmsync.model.schema import FieldSchema, FieldType, ObjectSchema
from crmsync.testing import (
    CommitLate,
    Delay,
    Drop,
    LoadReport,
    Origin,
    PracticeCustomer,
    PracticeOrder,
    Reply,
    RequestKind,
    Sandbox,
    SandboxClock,
    SandboxConnection,
    Truncate,
    throttled,
)

START = datetime(2026, 11, 20, 8, 0, 0, 400_000, tzinfo=UTC)


class TinySandbox(Sandbox):
    def prepare(self) -> None:
        fields = (
            FieldSchema("name", "Name", FieldType.TEXT),
            FieldSchema("tier", "Tier", FieldType.TEXT),
        )
        self.store.add_object(ObjectSchema("Thing", "Thing", fields))

    def app(self) -> Starlette:
        async def write(request: Request) -> JSONResponse:
            body = await request.json()
            row = self.store.update("Thing", body.pop("id"), body, self.api_actor("robot"))
            return JSONResponse({"id": row.id})

        async def read(request: Request) -> JSONResponse:
            rows = self.store.rows("Thing", lag=self.index_lag)
            return JSONResponse([{"id": row.id, **row.values} for row in rows])

        return Starlette(routes=[Route("/write", write, methods=["POST"]), Route("/read", read)])

    def classify(self, method: str, path: str, body: object) -> RequestKind:
        return RequestKind.WRITE if path == "/write" else RequestKind.READ

    def connection_settings(self) -> SandboxConnection:
        return SandboxConnection({"connector": "tiny", "url": self.url}, {"key": "invented"})

    def load_over_http(
        self, customers: Sequence[PracticeCustomer], orders: Sequence[PracticeOrder]
    ) -> LoadReport:
        with self.loading():
            return LoadReport({}, {}, 0)


@pytest.fixture
def sandbox() -> Iterator[TinySandbox]:
    with TinySandbox(SandboxClock(START)) as running:
        yield running


@pytest.fixture
def client(sandbox: TinySandbox) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=sandbox.url, trust_env=False, timeout=3) as client:
        yield client


def one(sandbox: TinySandbox) -> str:
    return sandbox.seed("Thing", [{"name": "Invented Ltd", "tier": "a"}])[0].id


def test_a_request_is_recorded_with_its_kind_body_and_status(sandbox, client) -> None:
    made = one(sandbox)
    client.post("/write?x=1", json={"id": made, "tier": "b"}, headers={"Authorization": "s3cret"})
    (record,) = sandbox.recorder.all(kind=RequestKind.WRITE)
    assert (record.method, record.path, record.query) == ("POST", "/write", {"x": "1"})
    assert record.body == {"id": made, "tier": "b"}
    assert record.status == 200
    assert record.ended == START
    assert "s3cret" not in repr(record) + str(record.headers)


def test_the_write_log_tells_old_new_and_origin(sandbox, client) -> None:
    made = one(sandbox)
    client.post("/write", json={"id": made, "tier": "b"})
    sandbox.edit_as_person("Thing", made, {"tier": "c"}, by="Ms Example")
    api, person = sandbox.field_writes(origin=None)
    assert (api.field, api.old, api.new, api.origin) == ("tier", "a", "b", Origin.API)
    assert (person.old, person.new, person.by, person.origin) == (
        "b",
        "c",
        "Ms Example",
        Origin.PERSON,
    )
    assert sandbox.field_writes() == (api,)


def test_modified_time_has_the_vendors_grain_and_deletes_are_soft(sandbox) -> None:
    made = one(sandbox)
    sandbox.clock.advance(1.3)
    row = sandbox.edit_as_person("Thing", made, {"tier": "c"})
    assert row.modified_at == datetime(2026, 11, 20, 8, 0, 1, tzinfo=UTC)
    sandbox.delete_as_person("Thing", made)
    assert sandbox.store.rows("Thing") == []
    assert [row.id for row in sandbox.store.rows("Thing", deleted=True)] == [made]


def test_a_scripted_reply_strikes_once_and_counts(sandbox, client) -> None:
    fault = sandbox.faults.next("GET", "/re*", Reply(503, body={"why": "tired"}), skip=1)
    assert [client.get("/read").status_code for _ in range(3)] == [200, 503, 200]
    assert fault.hits == 1
    assert sandbox.faults.waiting() == ()


@pytest.mark.parametrize("commit", [True, False])
def test_a_dropped_connection_commits_or_not_as_told(sandbox, client, commit: bool) -> None:
    made = one(sandbox)
    sandbox.faults.next("POST", "/write", Drop(commit=commit))
    with pytest.raises(httpx.RemoteProtocolError):
        client.post("/write", json={"id": made, "tier": "b"})
    assert sandbox.store.get("Thing", made).get("tier") == ("b" if commit else "a")
    assert sandbox.recorder.all()[0].status is None


def test_a_write_can_succeed_and_be_answered_500(sandbox, client) -> None:
    made = one(sandbox)
    sandbox.faults.next("POST", "/write", Reply(500, commit=True))
    assert client.post("/write", json={"id": made, "tier": "b"}).status_code == 500
    assert sandbox.store.get("Thing", made).get("tier") == "b"


def test_an_answer_can_break_off(sandbox, client) -> None:
    one(sandbox)
    sandbox.faults.next("GET", "/read", Truncate(5))
    with pytest.raises(httpx.RemoteProtocolError):
        client.get("/read")


def test_a_late_commit_happens_when_the_clock_has_moved(sandbox, client) -> None:
    made = one(sandbox)
    sandbox.faults.next("POST", "/write", CommitLate(30))
    assert client.post("/write", json={"id": made, "tier": "b"}).status_code == 504
    sandbox.settle()
    assert sandbox.store.get("Thing", made).get("tier") == "a"
    sandbox.clock.advance(31)
    sandbox.settle()
    assert sandbox.store.get("Thing", made).get("tier") == "b"


def test_a_delayed_request_is_carried_out_though_the_client_left(sandbox, client) -> None:
    made = one(sandbox)
    sandbox.faults.next("POST", "/write", Delay(0.3))
    with pytest.raises(httpx.ReadTimeout):
        client.post("/write", json={"id": made, "tier": "b"}, timeout=0.1)
    done = threading.Event()
    sandbox.store.watch(lambda *_: done.set())
    assert done.wait(3)
    assert sandbox.store.get("Thing", made).get("tier") == "b"


def test_a_search_index_can_lag(sandbox, client) -> None:
    made = one(sandbox)
    sandbox.clock.advance(60)
    sandbox.edit_as_person("Thing", made, {"tier": "c"})
    sandbox.index_lag = timedelta(seconds=30)
    assert client.get("/read").json()[0]["tier"] == "a"
    sandbox.clock.advance(30)
    assert client.get("/read").json()[0]["tier"] == "c"


def test_a_person_can_edit_while_a_request_is_on_its_way(sandbox, client) -> None:
    made = one(sandbox)
    sandbox.on_request(lambda record: sandbox.edit_as_person("Thing", made, {"name": "Renamed"}))
    assert client.get("/read").json()[0]["name"] == "Renamed"


def test_invariants_catch_each_violation(sandbox, client) -> None:
    made = one(sandbox)
    sandbox.invariants.check(owned={}, task_key=("Thing", "name"))
    client.post("/write", json={"id": made, "name": "Other"})
    sandbox.invariants.check(owned={"Thing": {"name"}})
    with pytest.raises(AssertionError, match="foreign field written"):
        sandbox.invariants.check(owned={"Thing": {"tier"}})
    sandbox.seed("Thing", [{"name": "Other"}])
    with pytest.raises(AssertionError, match="2 records of Thing carry the key"):
        sandbox.invariants.check(task_key=("Thing", "name"))


def test_invariants_catch_a_write_while_reading_only(sandbox, client) -> None:
    made = one(sandbox)
    with sandbox.read_only():
        client.get("/read")
        sandbox.invariants.check()
        client.post("/write", json={"id": made, "tier": "b"})
    with pytest.raises(AssertionError, match="while reading only"):
        sandbox.invariants.check()


def test_invariants_catch_a_request_before_retry_after(sandbox, client) -> None:
    sandbox.faults.next("GET", "/read", throttled(30))
    assert client.get("/read").status_code == 429
    sandbox.clock.advance(31)
    client.get("/read")
    sandbox.invariants.check()
    sandbox.faults.next("GET", "/read", throttled(30))
    client.get("/read")
    sandbox.clock.advance(10)
    client.get("/read")
    with pytest.raises(AssertionError, match="before Retry-After"):
        sandbox.invariants.check()


def test_loading_leaves_no_trace_in_the_logs(sandbox, client) -> None:
    made = one(sandbox)
    with sandbox.loading():
        client.post("/write", json={"id": made, "tier": "b"})
    assert sandbox.recorder.all() == ()
    assert sandbox.field_writes(origin=None) == ()


def test_stopping_leaves_no_thread_behind_and_may_be_repeated() -> None:
    before = threading.active_count()
    sandbox = TinySandbox()
    with sandbox:
        httpx.get(sandbox.url + "/read", trust_env=False)
        assert sandbox.running
    sandbox.stop()
    assert not sandbox.running
    assert threading.active_count() == before


ALONE = """
import sys
sys.path[:0] = ["src", "connectors", "."]
from tests.unit.testing.test_sandbox import TinySandbox
TinySandbox().serve_forever(0, lambda url: print(url, flush=True))
"""


def test_it_runs_alone_until_a_signal_ends_it() -> None:
    root = Path(__file__).resolve().parents[3]
    with subprocess.Popen(
        [sys.executable, "-c", ALONE], cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout
        url = process.stdout.readline().decode().strip()
        assert httpx.get(f"{url}/read", trust_env=False).json() == []
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=10)
    assert process.returncode == -signal.SIGTERM
    assert errors == b""
