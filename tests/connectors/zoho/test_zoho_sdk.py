"""Zoho's own SDK against our sandbox: what that client cannot do is a defect of the sandbox.

It runs in a process of its own: it keeps global state, configures logging and writes caches.
"""

from __future__ import annotations

import json
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest
from tests.connectors.zoho.zoho_open import accounts

from crmsync_zoho.sandbox import ZohoSandbox

DRIVER = Path(__file__).with_name("zoho_sdk_driver.py")


@pytest.fixture
def run(sandbox: ZohoSandbox, tmp_path: Path):
    def start(scenario: str, *arguments: str):
        secrets = sandbox.connection_settings().secrets
        given = {
            "url": sandbox.url,
            "client_id": sandbox.accounts.client_id,
            "client_secret": secrets["zoho/client_secret"],
            "refresh_token": secrets["zoho/refresh_token"],
            "folder": str(tmp_path),
        }
        done = subprocess.run(
            [sys.executable, "-W", "ignore", str(DRIVER), scenario, *arguments],
            input=json.dumps(given),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            cwd=tmp_path,
        )
        assert done.returncode == 0, done.stderr[-2000:]
        return json.loads(done.stdout.splitlines()[-1])

    return start


def test_the_sdk_signs_in_and_finds_its_user(sandbox, run) -> None:
    found = run("who")
    assert found["user"] == "crmsync Integration"
    assert found["org"] == "Practice Trading Co."


def test_the_sdk_reads_pages_and_follows_page_tokens(sandbox, run) -> None:
    made = accounts(sandbox, 450)
    found = run("read")
    assert found["ids"] == made
    assert found["calls"] == 3
    assert found["name"] == "Invented 0"


def test_an_empty_module_is_204_to_the_sdk(run) -> None:
    assert run("read_empty") == {"status": 204, "object": None}


def test_the_sdk_gets_zohos_errors_as_its_own_exceptions(sandbox, run) -> None:
    accounts(sandbox, 1)
    found = run("errors")
    assert found == {
        "no_fields": "REQUIRED_PARAM_MISSING",
        "page_11": "DISCRETE_PAGINATION_LIMIT_EXCEEDED",
        "module": "INVALID_MODULE",
        "coql": "SYNTAX_ERROR",
    }


def test_the_sdk_updates_quietly_and_sees_each_result(sandbox, run) -> None:
    made = accounts(sandbox, 2)
    found = run("update", *made)
    assert found == {"status": 207, "results": ["SUCCESS", "INVALID_DATA"]}
    assert sandbox.store.get("Accounts", made[0]).get("Phone") == "+86 10 0000 0000"
    assert sandbox.automation_writes() == ()


def test_the_sdk_creates_and_upserts(sandbox, run) -> None:
    found = run("create")
    assert found["created"] == ["SUCCESS"]
    assert found["upserted"] == ["update", "insert"]
    assert found["task"] == ["SUCCESS"]
    assert found["task_upsert"] == "NOT_SUPPORTED"
    assert len(sandbox.store.rows("Accounts")) == 2
    (task,) = sandbox.store.rows("Tasks")
    assert task.get("Subject") == "Call the customer"


def test_the_sdk_queries(sandbox, run) -> None:
    made = accounts(sandbox, 3)
    assert run("coql") == {"ids": made[1:], "more": False}


def test_the_sdk_reads_a_timeline(sandbox, run) -> None:
    (made,) = accounts(sandbox, 1)
    sandbox.edit_as_person("Accounts", made, {"Phone": "1", "Annual_Revenue": Decimal("1234.5")})
    sandbox.edit_as_person("Accounts", made, {"Phone": "2"}, by="Li Colleague")
    found = run("timeline", made)
    assert (found["missing"], found["more"]) == ("INVALID_DATA", False)
    assert [(save["by"], save["moved"]) for save in found["saves"]] == [
        ("Li Colleague", {"Phone": ["1", "2"]}),
        ("Wang Colleague", {"Annual_Revenue": [None, "¥ 1,234.50"], "Phone": [None, "1"]}),
    ]


def test_the_sdk_reads_modules_and_fields(run) -> None:
    found = run("describe")
    assert {"Accounts", "Deals", "Tasks"} <= set(found["modules"])
    assert found["fields"]["Annual_Revenue"] == "currency"
    assert "Active" in found["choices"]


def test_the_sdk_creates_a_field_and_gets_an_id_only(sandbox, run) -> None:
    found = run("field")
    assert found["code"] == "SUCCESS"
    assert sandbox.org.modules["Accounts"].by_id(found["id"]).api_name == "Made_by_SDK"
    assert found["keys"] == ["id"]


def test_the_sdk_meets_the_credit_limit_as_429(sandbox, limits, run) -> None:
    accounts(sandbox, 1)
    limits.credits_per_day = 12
    found = run("until_refused")
    assert found["code"] == "TOO_MANY_REQUESTS"
    assert found["status"] == 429
