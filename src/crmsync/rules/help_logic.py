"""Help for what is legal to write and hardly meant: RULE201 to RULE223."""

from __future__ import annotations

from crmsync.rules.help_entry import entry

LOGIC_HELP = (
    entry(
        "RULE201",
        ("满分合计不是 100", "the maxima do not add up to 100"),
        "等级线通常按 100 分来想。合计是 95 时，80 分的线其实是 84%。若有意如此，可以不理。",
        "Tier lines are usually thought of out of 100; with a total of 95 a line at 80 really asks "
        "for 84 %. Ignore this if it is meant.",
    ),
    entry(
        "RULE202",
        ("分数超过满分", "points above the maximum"),
        "一行给的分数高于本项的 max，或 sum_of 各部分的 max 加起来不等于本项的 max。",
        "A line gives more than the criterion's max, or the parts of sum_of do not add up to it.",
    ),
    entry(
        "RULE203",
        ("永远不会命中的一行", "a line that is never reached"),
        "评分表命中即停：上面的行已经包含了它的所有值。常见原因是“≥”从小到大排列。≥ 从大到小写，"
        "≤ 从小到大写。",
        "The first line that fits gives the points, and the lines above already fit every value of "
        "this one. Usually ≥ lines in rising order: write ≥ from the highest down and ≤ from the "
        "lowest up.",
    ),
    entry(
        "RULE204",
        ("保级线高于升级线", "the keep line is above the enter line"),
        "客户升级当天就在保级线以下。保级线应比升级线低几分，边缘客户才不会来回变动。",
        "A customer would be below the keep line the day it rises. Set keep a few points below "
        "enter, so that customers at the edge do not move to and fro.",
    ),
    entry(
        "RULE205",
        ("等级线的次序不对", "the order of the tier lines is wrong"),
        "等级从高到低写，升级线逐级降低；最低一级没有线，所有客户都有去处；"
        "只由例外设定的等级也没有线；等级由表格决定时，哪一级都没有线。",
        "Levels are written best first with falling enter lines. The lowest has none, so that "
        "every "
        "customer has a place; levels set by exceptions only have none either, and where a table "
        "decides no level has any.",
    ),
    entry(
        "RULE206",
        ("达不到的等级", "a tier that cannot be reached"),
        "升级线高于评分卡的满分，或表格没有一行给出它，或只由例外设定的等级没有例外设定它。",
        "Its enter line is above the full score, no row of the table gives it, or no exception "
        "sets a level that exceptions alone may set.",
    ),
    entry(
        "RULE207",
        ("等级没有服务标准", "a tier without service"),
        "没有配套组织和流程的分级没有用处：每个等级都应带来一份服务。",
        "Tiers that nothing follows from are idle: every one should carry an entitlement.",
    ),
    entry(
        "RULE208",
        ("到不了的阶段", "a stage that cannot be reached"),
        "从 start 出发，沿着 moves 永远走不到它。",
        "Following the moves from start never leads there.",
    ),
    entry(
        "RULE209",
        ("出不来的阶段", "a stage with no way out"),
        "客户进去之后再也不会离开，例如流失后又下单也仍是流失。",
        "A customer that enters never leaves, such as one that orders again and stays churned.",
    ),
    entry(
        "RULE210",
        ("不会发生的移动", "a move that never happens"),
        "起点和终点是同一个阶段，或前面有一条条件相同、等待更短的移动先生效。",
        "It leads from a stage to itself, or an earlier move has the same condition and is made "
        "first.",
    ),
    entry(
        "RULE211",
        ("互相矛盾或不起作用的例外", "exceptions that contradict or change nothing"),
        "set 最优先；其次最严的 at_most 封顶，再由 at_least 在封顶之内保底。条件相同的两个例外，"
        "总有一个不起作用；at_most 最高级、at_least 最低级什么也不限制。",
        "set wins; then the strictest at_most caps and at_least lifts inside that cap. Of two "
        "exceptions with one condition one never counts; at_most the best level and at_least the "
        "lowest limit nothing.",
    ),
    entry(
        "RULE212",
        ("永不结束或立即关闭的任务", "a task that never ends or closes at once"),
        "每月发生的任务若写 ever，就只建一次；按 lifecycle spell 计次而没有生命周期，也只建一次；"
        "close_when 在任务建立时就成立，任务会立即关闭。",
        "A monthly task that says ever is created once; so is one that counts by lifecycle spell "
        "where there is no lifecycle; and where close_when holds as the task is created, it closes "
        "at once.",
    ),
    entry(
        "RULE213",
        ("没有规则使用的事实", "a fact no rule reads"),
        "它仍会从 CRM 读取并保存。不用就去掉，少存一份客户数据。",
        "It would still be read from the CRM and kept. Remove it: less customer data to store.",
    ),
    entry(
        "RULE214",
        ("这里不能写 missing", "missing is not allowed here"),
        "没有订单的客户，订单数确实是 0；没有填写逾期天数的客户，逾期未必是 0。"
        "只有对整份来源的计数和求和可以写 missing；其他事实缺失时保持未知，不会导致降级。",
        "A customer without orders has 0 orders; one whose overdue days nobody filled in is not "
        "known to have none. Only counts and sums over a source read whole may say missing; other "
        "facts stay unknown, and that never demotes.",
    ),
    entry(
        "RULE215",
        ("公式互相引用", "formulas that refer to each other"),
        "沿着箭头走会回到起点，谁也算不出来。",
        "Following the arrows leads back to the start; none of them can be computed.",
    ),
    entry(
        "RULE216",
        ("规则读了自己写的字段", "a rule reads what it writes"),
        "今天的结果会成为明天的输入，等级会自己越走越远。要用现在的等级或阶段，直接写 tier、"
        "lifecycle。",
        "Today's result would be tomorrow's input, and tiers would drift by themselves. To use the "
        "present tier or stage, name tier or lifecycle.",
    ),
    entry(
        "RULE217",
        ("按评估次数等待", "waiting counted in evaluations"),
        "每天运行一次，“2 次评估”就只是两天。通常要写天数。",
        "With a daily job “2 evaluations” is two days. Days are usually meant.",
    ),
    entry(
        "RULE218",
        ("会来回变动", "something that flaps"),
        "进入和离开的条件可以同时成立，或保级线等于升级线又不等待：数据稍有波动，客户就来回变。",
        "The way in and the way back can hold at once, or keep equals enter without any waiting: a "
        "customer moves to and fro as the data wobbles.",
    ),
    entry(
        "RULE219",
        ("有的值没有对应的行或档位", "values no line or band fits"),
        "没有一行适用时得 0 分。若有意如此，写 otherwise: 0，看文件的人就明白。"
        "档位之间有空当时，那些分数没有名称；消息里举出其中一个。",
        "Where no line fits the criterion gives 0 points. If that is meant, otherwise: 0 says so. "
        "Points between two bands have no name; the message gives one of them.",
    ),
    entry(
        "RULE220",
        ("到不了满分", "a maximum that is never reached"),
        "最好的一行也低于 max，或评分的范围与 max 不符；总分 100 就谁也得不到。",
        "Even the best line gives less than max, or the range of a judged score does not fit it: "
        "nobody can have the full score.",
    ),
    entry(
        "RULE221",
        ("不会发生的事件", "an event that never happens"),
        "例如没有评分项写 missing: ask，却有 score missing 的任务；或反过来，缺分时要补评，"
        "却没有这个任务。",
        "Such as a task on score missing while no criterion asks; or a criterion that asks while "
        "no "
        "task answers.",
    ),
    entry(
        "RULE222",
        ("不起作用的宽限期", "a grace that does nothing"),
        "grace 从首次定级算起，hold 从最近一次变动算起，所以不比 hold 长的 grace 永远先到期。",
        "grace counts from the first assignment and hold from the last change, so a grace no "
        "longer than hold always ends first.",
    ),
    entry(
        "RULE230",
        ("等级会随数据波动来回变", "a tier that flaps while its facts wobble"),
        "在 wobble（或 check --wobble）说明的幅度内，同一个客户的得分一端到得了升级线，另一端低于"
        "保级线，两次变动又隔得比 --stay 短。提示里的日期、数值和等级可以照着重演；改 keep，或改 "
        "demote_after 与 up: {hold: …}，任一种都能止住，给出的已是最小的改动。",
        "Within the wobble that the file or check --wobble states, one and the same customer "
        "reaches the enter line at one end and lies below the keep line at the other, and the "
        "changes come sooner than --stay. The days, values and tiers shown can be played again. "
        "Either another keep line or another demote_after and up: {hold: …} stops it; what is "
        "proposed is the smallest change that does.",
    ),
    entry(
        "RULE231",
        ("例外会随数据波动来去", "an exception that comes and goes while its fact wobbles"),
        "例外不受 hold、demote_after 约束，条件一成立就生效，一不成立就撤回，所以临界值附近的数据"
        "会让等级天天变。换成不波动的事实（人的判断、更长的统计期），或改用评分。",
        "Exceptions know neither hold nor demote_after: they come with their condition and go with "
        "it, so a value near the threshold changes the tier from day to day. Use a fact that does "
        "not wobble (a person's judgement, a longer window), or give points for it instead.",
    ),
    entry(
        "RULE232",
        ("阶段会随数据波动来回变", "a stage that flaps while its facts wobble"),
        "离开一个阶段不应比进入它容易。在说明的波动幅度内，进入和返回的条件可以先后成立，间隔短于 "
        "--stay。给返回的移动写更长的 lasting，或把两个条件的界线拉开。"
        "三个以上阶段绕一圈回到原处也算；那时一条移动等得久没有用，要让圈里的每条移动都等。",
        "Leaving a stage must not be easier than entering it. Within the stated wobble the move "
        "and the move straight back can both come true, sooner than --stay. Give the way back a "
        "longer lasting, or set the two thresholds further apart. A way round three or more stages "
        "back to the first counts as well; there one move that waits does not help, every move of "
        "the circle has to.",
    ),
    entry(
        "RULE223",
        ("没有改变的负责人", "an owner who stays"),
        "may_reassign_owner 在建任务时把客户的负责人改成任务的负责人。任务的负责人就是客户负责人"
        "时，什么也不会改。",
        "may_reassign_owner gives the customer to the task's owner as the task is created. Where "
        "that is the customer's own owner, nothing ever changes.",
    ),
)
