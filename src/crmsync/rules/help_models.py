"""Help for the model blocks rfm and clv: RULE240 to RULE246."""

from __future__ import annotations

from crmsync.rules.help_entry import entry

MODEL_HELP = (
    entry(
        "RULE240",
        ("切点没有从小到大", "cut points that do not rise"),
        "每个值的切点从小到大写，最多 8 个。recency 数天：不超过第一个切点是最好的一档；"
        "frequency 和 monetary：达到最后一个切点是最好的一档。",
        "The cut points of each value rise, at most 8 of them. Recency counts days: at most the "
        "first is the best class. Frequency and monetary: at least the last is the best class.",
    ),
    entry(
        "RULE241",
        ("RFM 模式写法不对", "a wrong RFM pattern"),
        "codes 里每个模式有三位，依次是 R、F、M：一个数字、一组数字如 [45] 或 [2-4]，"
        "或表示任意的 *。几个模式用逗号分开，加引号书写。",
        "A pattern under codes has three places for R, F and M: a digit, a set such as [45] or "
        "[2-4], or * for any. Separate patterns by commas and put the whole in quotes.",
    ),
    entry(
        "RULE242",
        ("模型所用事实的类型不对", "a fact of the wrong type for a model"),
        "recency 要用日期，或已经是天数的数值；frequency 用次数；monetary 用金额。"
        "clv 的 first、last 用日期，orders 用次数，revenue 用金额，margin、retention 用百分比。",
        "Recency wants a date, or a number that already counts days; frequency a count; monetary "
        "money. In clv, first and last want dates, orders a count, revenue money, margin and "
        "retention percents.",
    ),
    entry(
        "RULE243",
        ("clv 的数值不合理", "a value that makes no sense in clv"),
        "保留率在 0 与 100% 之间；时长大于 0，最长 20 年；bg-nbd 的 margin 是百分比。",
        "A retention lies between 0 and 100 %, a span of time is above 0 and at most 20 years, and "
        "with bg-nbd the margin is a percent.",
    ),
    entry(
        "RULE244",
        ("取不到客户的分群", "a segment that can take nobody"),
        "分群从上到下，第一个符合的算数。所有 RFM 代码都试过，没有一个落到这里。",
        "The first segment that fits takes the customer. Every RFM code was tried and none of them "
        "comes to this segment.",
    ),
    entry(
        "RULE245",
        ("不属于任何分群的代码", "codes that belong to no segment"),
        "这些代码的客户没有分群，rfm_segment 未知。若有意如此，可以不理；"
        "否则在最后加一个不写条件的分群。",
        "Customers with these codes have no segment: rfm_segment stays unknown. Ignore this if it "
        "is meant; else add a last segment without a condition.",
    ),
    entry(
        "RULE246",
        ("clv 与映射的统计时段不同", "clv and the mapping count different spans"),
        "简单公式把订单和金额按 window 折算成一年；时段不同，结果会差几倍。bg-nbd "
        "要从第一单起的全部历史，不能只数最近一段。",
        "The plain formula turns orders and revenue of the window into a year's, so another span "
        "makes the result several times too large or too small. BG/NBD wants the whole history "
        "since the first order, not a recent part of it.",
    ),
)
