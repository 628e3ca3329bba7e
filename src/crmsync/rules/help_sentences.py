"""Help for conditions and formulas, and for the names in them: RULE050 to RULE113."""

from __future__ import annotations

from crmsync.rules.help_entry import entry

SENTENCE_HELP = (
    entry(
        "RULE050",
        ("条件或公式读不懂", "a condition or formula that cannot be read"),
        "条件是一句话：事实、运算符、值，如 overdue_days > 60 或 距上次下单天数 大于 90。",
        "A condition is a sentence: fact, operator, value, such as overdue_days > 60 or potential "
        "is high.",
    ),
    entry(
        "RULE051",
        ("运算符写错了", "a mistyped operator"),
        "写 ≥ ≤ > < is、is not、in、between、within，或中文的 大于、不低于、属于 等；没有 => 和 "
        "==。",
        "Write ≥ ≤ > < is, is not, in, between, within, or the words at least, over, under; there "
        "is no => and no ==.",
    ),
    entry(
        "RULE052",
        ("一个条件里有两次比较", "two comparisons in one condition"),
        "“5 < x < 10”写成 x between 5 and 10（含两端），或列表里的两行。",
        "“5 < x < 10” is written x between 5 and 10 (both ends belong), or as two lines of a list.",
    ),
    entry(
        "RULE053",
        ("列表里少了逗号", "a comma is missing in a list"),
        "写成 tier in vip, key。名称里有空格或逗号时用“ ”括起来。",
        "Write tier in vip, key. Names that hold a blank or comma go in “ ”.",
    ),
    entry(
        "RULE054",
        ("一行里用了“且/或”", "“and” or “or” inside one condition"),
        "一行只写一个条件，解释时才能逐条打勾。“且”写成列表，“或”写在 any: 下。",
        "One condition a line, so that an explanation can tick each. And is a list; or goes under "
        "any:.",
    ),
    entry(
        "RULE055",
        ("引号没有配对", "a quote that never closes"),
        '“ 要有 ”，" 要有 "。',
        '“ needs its ”, and " its ".',
    ),
    entry(
        "RULE056",
        ("括号没有配对", "a bracket without its other half"),
        "数一数左右括号。",
        "Count the opening and closing ones.",
    ),
    entry(
        "RULE057",
        ("不认识的单位", "an unknown unit"),
        "时间：秒到年、工作日；数：万、亿、k、M、%。等待的天数只能写天或周，因为月份长短不一。",
        "Time: seconds to years, workdays; numbers: 万, 亿, k, M, %. Waiting times are days or "
        "weeks, because months differ in length.",
    ),
    entry(
        "RULE058",
        ("日期写法不对", "a date written wrongly"),
        "写成 2026-12-31。31/12/2026 和 12/31/2026 各家读法不同。",
        "Write 2026-12-31; 31/12/2026 and 12/31/2026 are read differently in every country.",
    ),
    entry(
        "RULE059",
        ("条件太长或嵌套太深", "a condition too long or too deeply nested"),
        "一句最长 2000 个字符、500 项、24 层；一个列表最多 50 个条件。"
        "拆成几行，把同一事实的几个值写成一句（属于 A, B），或用一个派生事实。",
        "A sentence has at most 2,000 characters, 500 terms and 24 levels, a list 50 conditions. "
        "Split it into lines, write several values of one fact as one sentence (in A, B), or make "
        "a derived fact.",
    ),
    entry(
        "RULE060",
        ("类型不能相互比较", "types that cannot be compared"),
        "文字不能和数字比，日期不能和文字比。读文件时就报错，而不是半夜运行时才出错。",
        "Text does not compare with numbers, nor dates with text. It is found as the file is read, "
        "not at night.",
    ),
    entry(
        "RULE061",
        ("百分比要写 %", "a percent needs its % sign"),
        "30 和 0.3 都可能指 30%。请写 30%。",
        "30 and 0.3 could both mean 30 %. Write 30%.",
    ),
    entry(
        "RULE062",
        ("函数的参数不对", "wrong arguments of a function"),
        "days_since(日期)、months_since(日期)、min(a, b)、max(a, b)、round(x, 位数)、abs(x)、"
        "if(条件, 值, 否则)。",
        "days_since(date), months_since(date), min(a, b), max(a, b), round(x, digits), abs(x), "
        "if(condition, value, otherwise).",
    ),
    entry(
        "RULE063",
        ("这不是一个条件", "not a condition"),
        "条件的结果是真或假。只写一个事实时，它必须是 yes_no 类。",
        "A condition is true or false. A bare fact is one only when it is yes_no.",
    ),
    entry(
        "RULE065",
        ("判断缺失要用“缺失”", "absence is asked with “is missing”"),
        "写 margin_12m is missing 或 is known。事实未知时，其他比较的结果都是未知。",
        "Write margin_12m is missing, or is known. Every other comparison with an unknown fact is "
        "unknown.",
    ),
    entry(
        "RULE066",
        ("条件里没有事实", "a condition without a fact"),
        "只有常量的条件永远为真或永远为假。",
        "A condition of constants alone is always true or always false.",
    ),
    entry(
        "RULE067",
        ("范围的两端写反了", "a range written backwards"),
        "小的写在前面。",
        "The lower end comes first.",
    ),
    entry(
        "RULE068",
        ("值不符合类型", "a value that does not fit its type"),
        "整数、金额、日期、是否、选项，各有各的写法：12、30万、2026-12-31、yes、高。",
        "Whole numbers, money, dates, yes or no and options each have their form: 12, 300k, "
        "2026-12-31, yes, high.",
    ),
    entry(
        "RULE069",
        ("条件块的结构不对", "a block of conditions of the wrong shape"),
        "一句话、一个列表（都要成立），或 any:（任一成立）、none:（都不成立）、all:（都成立）。",
        "A sentence, a list (all must hold), or any: (one must), none: (none may), all: (all "
        "must).",
    ),
    entry(
        "RULE101",
        ("没有这个名字的事实", "an unknown fact"),
        "条件里的名称要先在 facts 里声明；用 id 或任何一个标签。评分、例外和公式只能用事实，"
        "任务和生命周期的移动还可以用 tier、lifecycle、score。",
        "Names in a condition are declared under facts; ids and labels both serve. Score, "
        "exceptions and formulas read facts alone; tasks and moves may read tier, lifecycle and "
        "score as well.",
    ),
    entry(
        "RULE102",
        ("一个名字指两个事实", "a name of two facts"),
        "两个事实有相同的标签，请用 id。",
        "Two facts share that label; use the id.",
    ),
    entry(
        "RULE103",
        ("没有这个选项", "an unknown option"),
        "只能与 choices 里声明的选项比较。",
        "Only options declared in choices can be compared with.",
    ),
    entry(
        "RULE110",
        ("没有这个等级", "an unknown tier"),
        "用 tier.levels 里的 id 或标签。",
        "Use an id or label of tier.levels.",
    ),
    entry(
        "RULE111",
        ("没有这个阶段", "an unknown stage"),
        "用 lifecycle.stages 里的名称或标签。",
        "Use a name or label of lifecycle.stages.",
    ),
    entry(
        "RULE112",
        ("标题里没有这个占位符", "an unknown placeholder in a title"),
        "可用 {name} {tier} {tier_before} {stage} {missing_scores} 和任何事实的 id。"
        "占位符只是名称，不能写点号、方括号或函数。",
        "Known are {name} {tier} {tier_before} {stage} {missing_scores} and the id of any fact. A "
        "placeholder is a name and nothing else: no dots, brackets or functions.",
    ),
    entry(
        "RULE113",
        ("没有这个服务周期", "an unknown service period"),
        "every service.名称 里的名称要在 service 的某个等级里写成时段，如 visit_every: 1 month。",
        "every service.NAME needs a tier whose service gives NAME as a period, such as "
        "visit_every: 1 month.",
    ),
)
