"""The worksheet an administrator works from, until nothing is left to do."""

from __future__ import annotations

import pytest
from tests.connectors.fxiaoke.fxiaoke_open import opened

from crmsync.connector import FieldProvisioner, FieldWorksheet, QuotaReporter
from crmsync.model.schema import Choice, FieldSchema, FieldType
from crmsync_fxiaoke.sandbox import FxiaokeSandbox

LEVELS = ("VIP客户", "重要客户")
TIER = FieldSchema(
    "tier",
    "客户等级(crmsync)",
    FieldType.PICKLIST,
    choices=tuple(Choice(label, label) for label in LEVELS),
)
SINCE = FieldSchema("since", "等级起始日", FieldType.DATE)
SCORE = FieldSchema("score", "客户评分", FieldType.DECIMAL, scale=1)


def sheet(sandbox: FxiaokeSandbox, *fields: FieldSchema) -> tuple[str, str]:
    connector = opened(sandbox)
    text = connector.worksheet("AccountObj", fields)
    connector.close()
    return text.zh, text.en


def test_the_connector_offers_a_worksheet_and_no_field_creation(sandbox: FxiaokeSandbox) -> None:
    connector = opened(sandbox)
    assert isinstance(connector, FieldWorksheet)
    assert isinstance(connector, QuotaReporter)
    assert not isinstance(connector, FieldProvisioner)
    connector.close()


def test_it_lists_name_type_and_options_of_what_is_missing(sandbox: FxiaokeSandbox) -> None:
    zh, en = sheet(sandbox, TIER, SINCE, SCORE)
    assert "1. 客户等级(crmsync)｜单选，选项：VIP客户 / 重要客户｜新建" in zh
    assert "2. 等级起始日｜日期｜新建" in zh
    assert "3. 客户评分｜数字，小数位数 1｜新建" in zh
    assert "Single choice (单选), options: VIP客户 / 重要客户 | create" in en


def test_it_is_empty_once_the_administrator_has_done_it_all(sandbox: FxiaokeSandbox) -> None:
    sandbox.admin_add_field("AccountObj", TIER.label, "picklist", LEVELS)
    sandbox.admin_add_field("AccountObj", SINCE.label, "date")
    sandbox.admin_add_field("AccountObj", SCORE.label, "decimal")
    zh, en = sheet(sandbox, TIER, SINCE, SCORE)
    assert zh == "对象“客户”所需的 3 个字段都已就绪。"
    assert en == "All 3 fields that “客户” needs are there."


@pytest.mark.parametrize(
    ("kind", "options", "told"),
    [
        ("text", (), "类型不同（单行文本）"),
        ("picklist", ("VIP客户",), "补充选项：重要客户"),
    ],
)
def test_it_says_what_is_wrong_with_a_field_of_that_name(
    sandbox: FxiaokeSandbox, kind: str, options: tuple[str, ...], told: str
) -> None:
    sandbox.admin_add_field("AccountObj", TIER.label, kind, options)
    assert told in sheet(sandbox, TIER)[0]


def test_doubled_names_and_too_few_decimals_are_told(sandbox: FxiaokeSandbox) -> None:
    for _ in range(2):
        sandbox.admin_add_field("AccountObj", SINCE.label, "date")
    sandbox.admin_add_field("AccountObj", "毛利", "decimal")
    fine = FieldSchema("m", "毛利", FieldType.DECIMAL, scale=4)
    zh, en = sheet(sandbox, SINCE, fine)
    assert "有重名字段" in zh
    assert "change it to 4 decimal places" in en


def test_the_practice_administrator_can_work_through_it(sandbox: FxiaokeSandbox) -> None:
    sandbox.admin_add_field("AccountObj", TIER.label, "picklist", ["VIP客户"])
    key = FieldSchema("key__c", "key  c", FieldType.TEXT, unique=True, max_length=64)
    sandbox.make_fields_by_hand("AccountObj", [TIER, SINCE, SCORE])
    assert "都已就绪" in sheet(sandbox, TIER, SINCE, SCORE)[0]
    connector = opened(sandbox)
    assert "都已就绪" in connector.worksheet("crmsync_task__c", [key]).zh
    connector.close()


def test_a_longer_kind_of_text_will_do(sandbox: FxiaokeSandbox) -> None:
    reason = FieldSchema("", "等级说明", FieldType.TEXT, max_length=255)
    sandbox.admin_add_field("AccountObj", reason.label, "long_text")
    assert "都已就绪" in sheet(sandbox, reason)[0]
