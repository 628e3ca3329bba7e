"""What editors know of decision tables, RFM and CLV."""

from __future__ import annotations

from crmsync.model.clv import ClvModel
from crmsync.model.frozen import Freeze
from crmsync.model.rfm import Part
from crmsync.model.table import HitPolicy
from crmsync.rules.json_schema.parts import (
    DURATION,
    SCALAR,
    TEXT,
    Schema,
    block,
    every,
    hover,
    items,
    one_of,
    ref,
    suggested,
)
from crmsync.rules.json_schema.scoring import ID, LABEL, WHEN
from crmsync.rules.rfm import QUANTILES
from crmsync.rules.tables import KEYS

_TABLE = {
    "table": hover(
        TEXT, "表格文件，如 tables/service.csv", "The table's file, such as tables/service.csv."
    ),
    "hit": hover(
        suggested(policy.value for policy in HitPolicy),
        "多行命中时怎么办（DMN 的命中策略）",
        "What happens when several rows fit: a hit policy of DMN.",
    ),
    "sheet": hover(TEXT, "工作表的名字", "The sheet of a workbook."),
}
_PARTS = {
    Part.RECENCY: ("最近一次：日期或天数", "How recent: a date or days."),
    Part.FREQUENCY: ("频次", "How often."),
    Part.MONETARY: ("金额", "How much."),
}
_FREEZE = hover(
    one_of(item.value for item in Freeze),
    "切点或参数多久重算一次，期内不变",
    "How long what is drawn from the population stays as it is.",
)


def table_keys() -> dict[str, Schema]:
    """The keys that put a table into a block."""
    return every(KEYS, _TABLE)


def cut_points() -> Schema:
    """Rising cut points of each value."""
    return block(
        {part.value: hover(items(SCALAR), *_PARTS[part]) for part in Part},
        required=[part.value for part in Part],
    )


def models() -> dict[str, Schema]:
    """The definitions of the model blocks."""
    fact = {part.value: hover(TEXT, *_PARTS[part]) for part in Part}
    segment = {
        "id": ID,
        "label": LABEL,
        "when": WHEN,
        "codes": hover(SCALAR, "RFM 代码，如 555, 554", "RFM codes, such as 555, 554."),
    }
    return {
        "rfm_segment": block(segment, required=["id"]),
        "rfm": block(
            {
                **fact,
                "cut": hover(
                    {"anyOf": [one_of(QUANTILES), cut_points()]},
                    "分位数，或固定切点",
                    "Quantiles of the population, or fixed cut points.",
                ),
                "freeze": _FREEZE,
                "segments": hover(
                    {"anyOf": [items(ref("rfm_segment")), block(table_keys())]},
                    "RFM 客户群：列表，或 {table: tables/rfm.csv}",
                    "Named RFM segments: a list, or {table: tables/rfm.csv}.",
                ),
            },
            required=[*fact, "cut"],
        ),
        "clv": block(_clv(), required=["model", "horizon"]),
    }


def _clv() -> dict[str, Schema]:
    return {
        "model": hover(
            one_of(model.value for model in ClvModel),
            "简单公式，或拟合的模型",
            "The plain formula, or a fitted model.",
        ),
        "horizon": hover(DURATION, "看多远，如 3 years", "How far it looks, such as 3 years."),
        "window": hover(DURATION, "往回看多久", "How far back it looks."),
        "orders": hover(TEXT, "订单数的事实", "The fact of how many orders."),
        "revenue": hover(TEXT, "成交额的事实", "The fact of the revenue."),
        "margin": hover(SCALAR, "毛利率，或给出它的事实", "The margin, or a fact that gives it."),
        "retention": hover(SCALAR, "保留率", "The retention."),
        "first": hover(TEXT, "首次下单日的事实", "The fact of the first order's day."),
        "last": hover(TEXT, "最近下单日的事实", "The fact of the last order's day."),
        "monetary": hover(
            one_of(["gamma-gamma", "own mean"]), "每单金额怎么估", "How the spend is foreseen."
        ),
        "freeze": _FREEZE,
    }
