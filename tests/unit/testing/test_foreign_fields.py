"""The watch over foreign fields, in every test against a sandbox, sees one when there is one."""

from __future__ import annotations

import shutil
from contextlib import closing
from pathlib import Path

import pytest
from tests.contract.harness_zoho import Harness
from tests.end_to_end.world import World

from crmsync.connector import WriteOptions
from crmsync.model.change import SetFields
from crmsync.testing import Actor, Origin
from crmsync_zoho.sandbox import ZohoSandbox

RULESET = Path(__file__).parents[3] / "rulesets" / "retail-rfm"


def test_a_connector_that_writes_what_nobody_asked_for_is_seen() -> None:
    harness = Harness()
    with harness, closing(harness.open()) as connector:
        (ref,) = harness.seed(1)
        change = SetFields("c1", ref, {}, {harness.text_field: "new"})
        connector.write([change], WriteOptions())
        harness.check_fields()
        other = SetFields("c2", ref, {}, {"Phone": "555-0100"})
        type(connector).write(connector, [other], WriteOptions())  # past the watch
        with pytest.raises(AssertionError, match="Phone"):
            harness.check_fields()
        harness.sandbox.store.forget_writes()


def test_a_field_outside_the_mapping_is_seen(tmp_path: Path) -> None:
    shutil.copytree(RULESET, tmp_path / "rulesets" / "retail-rfm")
    sandbox, robot = ZohoSandbox(), Actor("robot", Origin.API)
    world = World("zoho", tmp_path, sandbox)
    (row,) = sandbox.seed("Accounts", [{"Account_Name": "Invented"}])
    sandbox.store.update("Accounts", row.id, {"Phone": "555-0100"}, Actor("rep", Origin.PERSON))
    world.check_fields()
    sandbox.store.update("Accounts", row.id, {"Phone": "555-0199"}, robot)
    with pytest.raises(AssertionError, match="Phone"):
        world.check_fields()
