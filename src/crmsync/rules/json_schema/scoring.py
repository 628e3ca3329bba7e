"""What editors know of facts and scorecards."""

from __future__ import annotations

from crmsync.model.fact import FactType
from crmsync.model.scorecard import Combining, Edges, MissingPoints
from crmsync.rules.json_schema.parts import (
    DURATION,
    NUMBER,
    SCALAR,
    TEXT,
    WORDS,
    Schema,
    block,
    hover,
    items,
    mapping,
    one_of,
    ref,
)

ID = hover(TEXT, "名称，其他规则用它引用", "The name other rules refer to.")
LABEL = hover(
    TEXT,
    "给人看的名字，写成“中文 | English”",
    "What people read, written “中文 | English”.",
)
WHEN = hover(
    ref("condition"),
    "条件：一句话一行，列表内须全部成立",
    "A condition: one sentence a line; all lines of a list must hold.",
)


def facts() -> dict[str, Schema]:
    """The definition of one fact."""
    return {
        "fact": block(
            {
                "type": hover(
                    one_of(kind.value for kind in FactType), "值的类型", "What kind of value it is."
                ),
                "label": LABEL,
                "choices": hover(WORDS, "choice 类的全部选项", "Every option of a choice."),
                "between": hover(
                    TEXT,
                    "允许的范围，如 0..20；范围外算未知",
                    "The allowed range, such as 0..20; beyond it the value is unknown.",
                ),
                "missing": hover(
                    SCALAR,
                    "没有值时当作什么；只用于整读的计数与求和",
                    "What a missing value counts as; for counts and sums only.",
                ),
                "judged_by": hover(TEXT, "由谁评分", "Who judges it."),
                "valid_for": hover(
                    DURATION,
                    "评分多久有效，如 12 个月；过期就当作缺失",
                    "How long a judgement counts, such as 12 months; an older one is missing.",
                ),
                "was": hover(
                    TEXT,
                    "改名前的名称；历史、状态、映射和用例照旧可用",
                    "What it was called before; history, state, mappings and cases go on.",
                ),
                "formula": hover(
                    TEXT,
                    "由其他事实算出，如 days_since(last_order_on)",
                    "Derived from other facts, such as days_since(last_order_on).",
                ),
                "wobble": hover(
                    SCALAR,
                    "自然波动的幅度，如 5% 或 2；check 据此证明等级不会来回变",
                    "How far it goes up and down by itself, such as 5% or 2; check proves with it "
                    "that tiers do not flap.",
                ),
            },
            required=["type"],
        )
    }


def _for_judges() -> dict[str, Schema]:
    return {
        "note": hover(TEXT, "给评分人的说明", "A note for whoever judges."),
        "evidence": hover(
            {"anyOf": [TEXT, _evidence()]},
            "评分时看什么；可用 by: 事实 按客户类型分行",
            "What to judge by; with by: FACT in lines by kind of customer.",
        ),
    }


def _evidence() -> Schema:
    by = hover(SCALAR, "按哪个事实区分", "The fact that tells the kinds apart.")
    return {
        "type": "object",
        "properties": {"by": by},
        "required": ["by"],
        "additionalProperties": TEXT,
    }


def scores(tables: dict[str, Schema]) -> dict[str, Schema]:
    """The definitions of criteria, their parts and scorecards; *tables* are a table's keys."""
    missing = {"anyOf": [one_of(p.value for p in MissingPoints if p != "given"), NUMBER]}
    common = {
        "of": hover(SCALAR, "看哪个事实或公式", "The fact or formula it looks at."),
        "max": hover(NUMBER, "本项满分", "The most points it can give."),
        "points": hover(
            {"anyOf": [mapping(NUMBER), one_of(["as given", "按评分"])]},
            "“条件: 分数”，从上往下第一行命中为准；或 as given",
            "“test: points” lines, the first that fits wins; or as given.",
        ),
        "scale": hover(
            mapping(NUMBER),
            "“数值: 分数”，中间按直线插值",
            "“value: points” with straight lines between them.",
        ),
    }
    combining = {
        Combining.SUM: ("各部分之和", "The parts added up."),
        Combining.BEST: ("各部分取最高", "The best of the parts."),
        Combining.AVERAGE: ("各部分取平均", "The mean of the parts."),
    }
    criterion = {
        "id": ID,
        "label": LABEL,
        **common,
        **{way.value: hover(items(ref("part")), *combining[way]) for way in Combining},
        "missing": hover(
            missing,
            "缺数据时：hold 得分为区间、等级不动；ask 并请人补评；skip 其余项折算；或给定分数",
            "Without data: hold keeps the tier while the score is a range; ask also asks a "
            "person; skip re-weights the rest; or a number of points.",
        ),
        "bands": hover(
            mapping(TEXT), "分数档位，如 强大: 10..15", "Named bands, such as strong: 10..15."
        ),
        "edges": hover(
            one_of(edge.value for edge in Edges),
            "相接的档位，分界值归上档（lower）还是下档（upper）",
            "Whose a shared edge is: the band above (lower) or below (upper).",
        ),
        **_for_judges(),
    }
    common |= tables
    criterion |= tables
    return {
        "part": block(common, required=["max"]),
        "criterion": block(criterion, required=["id", "max"]),
        "scorecard": block(
            {
                "id": ID,
                "when": WHEN,
                "score": hover(items(ref("criterion")), "评分项", "The criteria."),
            },
            required=["id", "score"],
        ),
    }
