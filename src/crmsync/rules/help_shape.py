"""Help for the shape of rule and case files: RULE001 to RULE022, TEST001 to TEST016."""

from __future__ import annotations

from crmsync.rules.help_entry import entry

SHAPE_HELP = (
    entry(
        "RULE001",
        ("没有这个键", "an unknown key"),
        "多半是拼写错误。不认识的键一律报错：被悄悄忽略的规则比没有规则更危险。",
        "Usually a slip of the pen. Unknown keys are errors: a rule that is silently ignored is "
        "worse than none.",
    ),
    entry(
        "RULE002",
        ("缺少必需的内容", "something required is missing"),
        "没有它，这条规则没有含义。",
        "Without it this rule has no meaning.",
    ),
    entry(
        "RULE003",
        ("形状不对", "the wrong shape"),
        "这里要的是另一种写法：一个值、一个列表（每项以“- ”开头）或一组“键: 值”。",
        "Another shape belongs here: a single value, a list (each entry begins with “- ”) or a "
        "block of “key: value” lines.",
    ),
    entry(
        "RULE004",
        ("不能写在这里的词", "a word that cannot stand here"),
        "只能写列出的几个词之一。",
        "Only one of the listed words may stand here.",
    ),
    entry(
        "RULE005",
        ("数字不对", "a number is wrong"),
        "这里要的是数字、整数或数值类的事实，大小也要在允许的范围内。",
        "A number, a whole number or a numeric fact belongs here, within the range allowed.",
    ),
    entry(
        "RULE006",
        ("不能作为名称", "not a usable name"),
        "名称由文字、数字和下划线组成（等级、阶段、任务还可以用 -），不以数字开头，也不能是 "
        "tier、and 这样的保留词。",
        "A name is made of letters of any script, digits and underscores (tiers, stages and tasks "
        "may use - too), does not begin with a digit and is no reserved word such as tier or and.",
    ),
    entry(
        "RULE007",
        ("同一个名称用了两次", "a name given twice"),
        "别处提到它时，就分不清指的是哪一个。事实的标签也是名称，不能重复。",
        "Whoever mentions it could mean either. Labels of facts are names as well.",
    ),
    entry(
        "RULE008",
        ("没有规则文件", "there is no rules file"),
        "规则集是一个文件夹：rules.yaml、rules.test.yaml、mapping/。用 crmsync init "
        "从现成的规则集开始。",
        "A ruleset is a folder: rules.yaml, rules.test.yaml, mapping/. crmsync init starts from a "
        "ready one.",
    ),
    entry(
        "RULE009",
        ("写错地方的键", "a key that belongs elsewhere"),
        "这个键有，但不写在这里；写在这里不会起作用，所以拒绝，而不是忽略。建议里写明它的位置。",
        "There is such a key, but not here. It would do nothing, so it is refused rather than "
        "ignored; the mend says where it stands.",
    ),
    entry(
        "RULE010",
        ("没有这个时区", "an unknown time zone"),
        "写成 Asia/Shanghai 这样的地区名。它决定“今天”从几点开始。",
        "Write a region such as Asia/Shanghai. It decides when “today” begins.",
    ),
    entry(
        "RULE011",
        ("货币或国家代码不对", "a wrong currency or country code"),
        "货币写三个大写字母（CNY、GBP），工作日历写两个（CN、GB）。",
        "A currency has three capital letters (CNY, GBP), a work calendar two (CN, GB).",
    ),
    entry(
        "RULE012",
        ("没有写明货币", "the currency is not named"),
        "只要有金额类的事实，就要写 currency。不同货币的金额不能直接比较。",
        "As soon as a fact is money, currency must be written: amounts of two currencies cannot be "
        "compared.",
    ),
    entry(
        "RULE013",
        ("变更上限要写 % 或条数", "a guard needs % or a count"),
        "30 和 0.3 都可能指 30%，也可能是 30 条。百分比写 30%，条数写整数。missing_rise、"
        "population_shrink、rule_edit、tier_shift 只能是百分比。demotions_by_pair 可以按等级对写："
        "{vip→key: 5}。",
        "30 and 0.3 could both mean 30 % or 30 records. Write a share as 30% and a count as a "
        "whole "
        "number. missing_rise, population_shrink, rule_edit and tier_shift are shares only. "
        "demotions_by_pair may name pairs of tiers: {vip→key: 5}.",
    ),
    entry(
        "RULE014",
        ("时长不适合这里", "a span of time that does not fit here"),
        "任务期限写工作日或天（2 workdays、10 天）；回访周期写日历时段（1 month、1 季度）。",
        "A task's due time is work days or days (2 workdays, 10 days); a visit period is a "
        "calendar "
        "period (1 month, 1 quarter).",
    ),
    entry(
        "RULE015",
        ("看不懂的事件", "an event that is not understood"),
        "事件有：enters/leaves 阶段、rises/falls（可加 to 等级）、every 时段、every "
        "service.名称、score missing。",
        "Events are: enters or leaves STAGE, rises or falls (also to TIER), every PERIOD, every "
        "service.NAME, score missing.",
    ),
    entry(
        "RULE016",
        ("任务负责人不对", "a wrong task owner"),
        "可以是 account owner（客户负责人）、judge（评分人）、role:角色、queue:队列 或 "
        "user:编号。列表里第一个在职的人接任务。",
        "One of account owner, judge, role:NAME, queue:NAME and user:ID. Of a list the first "
        "active "
        "one gets the task.",
    ),
    entry(
        "RULE017",
        ("once_per 不对", "a wrong once_per"),
        "customer 之外最多再写一项：lifecycle spell、tier change、period、month、quarter、year "
        "或 ever。它决定什么算“同一次”。",
        "Besides customer at most one of lifecycle spell, tier change, period, month, quarter, "
        "year "
        "and ever. It says what counts as the same occasion.",
    ),
    entry(
        "RULE018",
        ("相接的档位没有说明边界", "touching bands without edges"),
        "“10..15”和“5..10”都含 10。写 edges: lower（10 归 10..15，即下端值归本档）或 edges: "
        "upper（10 归 5..10）。",
        "Both “10..15” and “5..10” hold 10. Write edges: lower (10 belongs to 10..15: each band "
        "holds its lower end) or edges: upper (10 belongs to 5..10).",
    ),
    entry(
        "RULE019",
        ("双语文字写法不对", "text in two languages written wrongly"),
        "写成“中文 | English”，竖线两边各一个空格，次序同 languages。只写一段时两种语言都用它。",
        "Write “中文 | English”, a blank on both sides of the bar, in the order of languages. A "
        "single part serves both.",
    ),
    entry(
        "RULE020",
        ("二选一的内容写了两个", "two things of which one is meant"),
        "例如一个例外同时有 set 和 at_most，或一项评分同时有 points 和 scale。留下要的那一个。",
        "Such as an exception with set and at_most, or a criterion with points and scale. Keep the "
        "one that is meant.",
    ),
    entry(
        "RULE021",
        ("规则太多", "too many rules"),
        "一个规则集最多 500 个事实、2000 条规则、500 个任务、4000 条条件或公式，"
        "一张分值表最多 500 行。"
        "更多时请拆成几个规则集。",
        "A ruleset may have 500 facts, 2,000 rules, 500 tasks and 4,000 conditions or formulas, a "
        "points table 500 lines. Split what is bigger.",
    ),
    entry(
        "RULE022",
        ("范围或刻度不对", "a range or scale is wrong"),
        "范围写成 10..15，小的在前；scale 的数值从小到大，至少两个点；档位不能重叠。",
        "A range reads 10..15, the lower end first; the values of a scale rise and are at least "
        "two; bands do not overlap.",
    ),
    entry(
        "TEST001",
        ("用例里没有这个键", "an unknown key in a case"),
        "不认识的键会让用例失败：写错的期望若被忽略，用例就永远通过。",
        "An unknown key fails the file: a misspelt expectation that is ignored always passes.",
    ),
    entry(
        "TEST002",
        ("用例缺少内容", "something is missing in a case"),
        "每个用例要有 name、facts 和 expect，并在用例或文件开头写 today。",
        "A case has name, facts and expect, and today in the case or at the top of the file.",
    ),
    entry(
        "TEST003",
        ("用例的形状不对", "a case of the wrong shape"),
        "cases 是列表；facts、before、expect 是“键: 值”。",
        "cases is a list; facts, before and expect hold “key: value” lines.",
    ),
    entry(
        "TEST004",
        ("用例里不能写这个词", "a word that cannot stand in a case"),
        "只能写列出的几个词之一。",
        "Only one of the listed words may stand here.",
    ),
    entry(
        "TEST005",
        ("期望的分数不是数字", "the expected score is no number"),
        "写 75.7；有缺失事实时分数是一个范围，写 60..75。",
        "Write 75.7; with unknown facts the score is a range, written 60..75.",
    ),
    entry(
        "TEST007",
        ("两个用例同名", "two cases of one name"),
        "名称出现在结果里，要能分清是哪一个。",
        "The name appears in the results and must tell them apart.",
    ),
    entry(
        "TEST010",
        ("用例里有不认识的事实", "an unknown fact in a case"),
        "事实用 id 或任何一个标签来写，要先在 rules.yaml 里声明。",
        "Facts go by id or by any label, and must be declared in rules.yaml.",
    ),
    entry(
        "TEST011",
        ("由公式算出的事实不能直接给值", "a derived fact cannot be given"),
        "给公式所用的事实，用例才会连公式一起检验。",
        "Give the facts its formula uses, so that the case tests the formula as well.",
    ),
    entry(
        "TEST012",
        ("用例里有不认识的等级、阶段、任务或理由", "an unknown tier, stage, task or reason"),
        "用 rules.yaml 里的 id 或标签；tier_because 是 enter line、keep line、hold、"
        "demote_after、step、review、override 等，或例外的 id。",
        "Use ids or labels of rules.yaml; tier_because is enter line, keep line, hold, "
        "demote_after, step, review, override and so on, or an exception's id.",
    ),
    entry(
        "TEST013",
        ("用例属于别的规则集", "cases of another ruleset"),
        "第一行的 ruleset 与 rules.yaml 的不同，多半是复制来的。",
        "The name in its first line differs from rules.yaml; it was probably copied.",
    ),
    entry(
        "TEST015",
        ("没有在等待的移动", "no move that waits"),
        "lifecycle_pending 只能写从 before.lifecycle 出发、带 lasting 的移动所到的阶段。",
        "lifecycle_pending names stages that a move with lasting leads to from before.lifecycle.",
    ),
    entry(
        "TEST016",
        ("用例的切点不对", "wrong cut points of a case"),
        "cut_points 按值写，每个值的切点数比档数少一个，从小到大；"
        "写了切点，就不再直接给 rfm_r、rfm_f、rfm_m。",
        "cut_points gives each value one point fewer than it has classes, rising. With cut points "
        "the classes rfm_r, rfm_f and rfm_m are not given as well.",
    ),
    entry(
        "TEST100",
        ("用例没有通过", "a case that did not come true"),
        "规则得出的结果与期望不同。先看“为什么”：是规则错了，还是期望错了。",
        "The rules decide otherwise than expected. Look at the why first: either the rules or the "
        "expectation is wrong.",
    ),
)
