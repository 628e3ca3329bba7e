"""Help for rules that look beyond one customer: RULE260 to RULE279, TEST017 to TEST020."""

from __future__ import annotations

from crmsync.rules.help_entry import entry

POPULATION_HELP = (
    entry(
        "RULE260",
        ("等级看的不是一个数值", "the tier looks at no number"),
        "of 和 covers … of 后面写一个数值类的事实（整数、数字、金额、百分比）。要用算式时，"
        "先在 facts 里用 formula 声明。",
        "After of, and after covers … of, stands one numeric fact (integer, number, money or "
        "percent). For arithmetic declare a fact with a formula first.",
    ),
    entry(
        "RULE261",
        ("按别的事实排名", "ranked by another fact"),
        "一个等级块里的线必须看同一个数：或者都看评分，或者都看 of 写的事实。"
        "covers 80% of revenue_12m 看的是 revenue_12m，所以要写 of: revenue_12m。",
        "The lines of one tier block look at the same number: all at the score, or all at the fact "
        "named by of. covers 80% of revenue_12m looks at revenue_12m, so of: revenue_12m is "
        "needed.",
    ),
    entry(
        "RULE262",
        ("看不懂的排名线", "a line across the population that cannot be read"),
        "写成 top 50（前 50 名）、top 20%（前两成客户）或 covers 80% of revenue_12m"
        "（合计占八成的大客户）。和最后一名相等的客户都算在内。",
        "Write top 50, top 20% or covers 80% of revenue_12m (the largest customers that make up "
        "80 % of the whole). Whoever equals the last one inside is inside as well.",
    ),
    entry(
        "RULE263",
        ("没有要冻结的线", "nothing to freeze"),
        "freeze 说明按排名划的线保持多久：month、quarter、half-year、year 或 review。"
        "没有这样的线时它不起作用。",
        "freeze says how long lines across the population stay as they were drawn: month, quarter, "
        "half-year, year or review. Without such a line it does nothing.",
    ),
    entry(
        "RULE264",
        ("没有可排名的依据", "nothing to rank by"),
        "top 50 要按评分或 of 写的事实排名，而两者都没有。",
        "top 50 ranks by the score or by the fact named by of, and there is neither.",
    ),
    entry(
        "RULE265",
        ("看不懂的新客户期", "a newcomer period that cannot be read"),
        "newcomer 的 for 写成 90 days after first_order_on：一段时间，再写一个日期类的事实。"
        "日期未知的客户不算新客户。",
        "The for of newcomer reads 90 days after first_order_on: a stretch of time and a fact that "
        "is a date. Customers whose date is unknown are not new.",
    ),
    entry(
        "RULE266",
        ("不是月份范围", "no range of months"),
        "active_months 写成 3..9（三月到九月）或 10..2（跨年）。季外时钟停走："
        "demote_after、hold、grace 和 lasting 都不计季外的日子。",
        "active_months reads 3..9 (March to September) or 10..2 (across the end of the year). "
        "Outside, clocks stand still: demote_after, hold, grace and lasting count days of the "
        "season only.",
    ),
    entry(
        "RULE267",
        ("不能用于公司集团的事实", "a fact that cannot serve a company group"),
        "group.by 是一个文字类的事实，存放上级公司的记录编号；group.sum 里是数值类的事实。"
        "两者都要直接来自 CRM，不能由公式算出。",
        "group.by is a text fact that holds the record id of the parent; group.sum lists numeric "
        "facts. Both come straight from the CRM, not from a formula.",
    ),
    entry(
        "RULE268",
        ("不能划分业务线的事实", "a fact that divides no business lines"),
        "scope 里写一个选项、文字或是否类的事实和它的值，例如 scope: {产品线: 工业}。",
        "A line of scope is a fact that is a choice, a text or yes/no, and its value, such as "
        "scope: {line: industry}.",
    ),
    entry(
        "RULE269",
        ("两个规则集写同一个字段", "two rulesets write one field"),
        "同一个客户的同一个字段只能由一个规则集写，否则每晚互相覆盖。给两个规则集写不同的 scope "
        "（同一个 CRM 字段，不同的值），或让它们写不同的字段。",
        "One field of one customer may be written by one ruleset only, or they undo each other "
        "every night. Give both a scope (the same CRM field, different values), or let them write "
        "different fields.",
    ),
    entry(
        "RULE270",
        ("两个规则集同名", "two rulesets of one name"),
        "等级、阶段、任务和运行都按规则集的名称（ruleset:）保存。一个项目里两个规则集同名，就会互相"
        "把对方的等级当成自己的。改掉其中一个；已在用的那个不要改名，否则它的记录就断了。",
        "Tiers, stages, tasks and runs are kept by the ruleset's name (ruleset:). Two of one name "
        "in one project would take each other's tiers for their own. Rename one, and not the one "
        "in use: what is kept of it goes by its name.",
    ),
    entry(
        "TEST017",
        ("用例没写线在哪里", "the case does not say where the line is"),
        "top 50 这样的线要看全体客户，一个用例只有一个客户。在文件开头或用例里写 "
        "cut_lines: {vip: 82}；保级线也按排名划时写 {vip: {enter: 82, keep: 75}}。",
        "A line such as top 50 needs everybody, and a case has one customer. Write cut_lines: "
        "{vip: 82} at the top of the file or in the case; where keep is drawn too, {vip: {enter: "
        "82, keep: 75}}.",
    ),
    entry(
        "TEST018",
        ("没有这样的线", "no such line"),
        "cut_lines 只能写规则里按排名划线的等级；写成数字的线规则里已经有了。",
        "cut_lines names levels whose line is drawn across the population; lines written as "
        "numbers stand in the rules already.",
    ),
    entry(
        "TEST019",
        ("没有随上级公司的等级", "no tier hangs on a parent"),
        "只有写了 group 且 tier 为 shared 或 at_least_parent 的规则集，用例才能写 parent_tier。",
        "A case may say parent_tier only where the rules have a group whose tier is shared or "
        "at_least_parent.",
    ),
    entry(
        "TEST020",
        ("有的规则没有用例涉及", "rules no case touches"),
        "改错了这些规则，没有用例会发现。crmsync test --coverage 列出全部；crmsync test generate "
        "在规则的边界上写出用例，看过再加进文件；crmsync test mutate 说明用例还放过哪些改动。",
        "If one of these rules is changed by mistake, no case notices. crmsync test --coverage "
        "names them all; crmsync test generate writes cases at the boundaries of the rules, to be "
        "read before they are kept; crmsync test mutate says what the cases still let pass.",
    ),
)
