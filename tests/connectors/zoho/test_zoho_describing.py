"""Fields: what Zoho says of them, and how new ones come into being."""

from __future__ import annotations

import pytest

from crmsync.errors import ConfigError, UnexpectedReply
from crmsync.model.schema import Choice, FieldSchema, FieldType

TIER = FieldSchema(
    "Crmsync_Tier",
    "Crmsync Tier",
    FieldType.PICKLIST,
    choices=(Choice("VIP客户", "VIP客户"), Choice("普通客户", "普通客户")),
)


def test_a_module_is_described_in_canonical_types(connector) -> None:
    schema = connector.describe("Accounts")
    found = {name: schema.field(name) for name in ("Account_Name", "Rating", "Owner", "Employees")}
    assert found["Account_Name"].required
    assert found["Account_Name"].max_length == 200
    assert Choice("Active", "Active") in found["Rating"].choices
    assert found["Owner"].type is FieldType.USER
    assert found["Employees"].type is FieldType.INTEGER
    assert schema.field("Created_Time").read_only
    assert schema.field("Parent_Account").target == "Accounts"
    assert schema.label == "Accounts"


def test_a_module_zoho_does_not_have_is_no_empty_one(connector) -> None:
    with pytest.raises(UnexpectedReply) as refused:
        connector.describe("Nonsense")
    assert refused.value.remote_code == "INVALID_MODULE"


def test_a_created_field_is_known_by_the_name_zoho_gave_it(sandbox, connector) -> None:
    sandbox.add_field("Accounts", "Crmsync-Tier", "text")
    made = connector.create_field("Accounts", TIER)
    assert made.name == "Crmsync_Tier1"
    assert made.type is FieldType.PICKLIST
    assert [choice.value for choice in made.choices] == ["VIP客户", "普通客户"]
    assert connector.describe("Accounts").field("Crmsync_Tier1") == made


def test_creating_a_field_twice_makes_one(sandbox, connector) -> None:
    first = connector.create_field("Accounts", TIER)
    assert connector.create_field("Accounts", TIER) == first
    assert sandbox.recorder.count(method="POST", path="/crm/v8/settings/fields") == 1


@pytest.mark.parametrize(
    "kind", [kind for kind in FieldType if kind not in {FieldType.LOOKUP, FieldType.OTHER}]
)
def test_every_kind_of_field_can_be_created(connector, kind: FieldType) -> None:
    choices = (Choice("a", "a"),) if "picklist" in kind else ()
    made = connector.create_field("Accounts", FieldSchema("X", "New one", kind, choices))
    assert made.type is kind


def test_a_label_zoho_would_refuse_is_refused_before_the_call(sandbox, connector) -> None:
    with pytest.raises(ConfigError) as refused:
        connector.create_field("Accounts", FieldSchema("x", "x" * 26, FieldType.TEXT))
    assert "25" in refused.value.message.en
    assert sandbox.recorder.count(method="POST", path="/crm/v8/settings/fields") == 0


def test_a_taken_label_of_another_type_is_refused_by_zoho(connector) -> None:
    with pytest.raises(UnexpectedReply) as refused:
        connector.create_field("Accounts", FieldSchema("x", "Rating", FieldType.TEXT))
    assert refused.value.remote_code == "DUPLICATE_DATA"


def test_missing_choices_are_added_and_none_is_lost(sandbox, connector) -> None:
    made = connector.create_field("Accounts", TIER)
    connector.add_choices("Accounts", made.name, ["普通客户", "小客户"])
    now = connector.describe("Accounts").field(made.name)
    assert [choice.value for choice in now.choices] == ["VIP客户", "普通客户", "小客户"]
    before = sandbox.recorder.count(method="PATCH")
    connector.add_choices("Accounts", made.name, ["小客户"])
    assert sandbox.recorder.count(method="PATCH") == before
