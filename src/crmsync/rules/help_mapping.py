"""Help for mappings: MAP001 to MAP093."""

from __future__ import annotations

from crmsync.rules.help_entry import entry

MAPPING_HELP = (
    entry(
        "MAP001",
        ("事实没有来源", "a fact without a source"),
        "这个 CRM 的映射没有说它从哪里来，它会一直未知：不会导致降级，但评分会成为一个范围。",
        "This CRM's mapping does not say where it comes from, so it stays unknown: that demotes "
        "nobody, but scores become ranges.",
    ),
    entry(
        "MAP002",
        ("事实没有来源，也没有规则使用", "a fact without source that no rule reads"),
        "去掉它，或补上来源和用途。",
        "Remove it, or give it a source and a use.",
    ),
    entry(
        "MAP003",
        ("写入与规则不符", "what is written does not fit what is decided"),
        "规则决定的等级、阶段或任务没有写到任何字段，或 write 里有规则不决定的内容。",
        "A tier, stage or task the rules decide is written nowhere, or write names something "
        "they do not decide.",
    ),
    entry(
        "MAP004",
        ("映射里没有这个键", "an unknown key in a mapping"),
        "多半是拼写错误。不认识的键一律报错，从不悄悄忽略。",
        "Usually a slip of the pen. Unknown keys are errors and never silently ignored.",
    ),
    entry(
        "MAP005",
        ("映射里值的形状不对", "a value of the wrong shape in a mapping"),
        "这里要的是另一种值：一个词、一段时间，或一组“键: 值”。",
        "Another kind of value belongs here: a word, a span of time, or a block of “key: value” "
        "lines.",
    ),
    entry(
        "MAP006",
        ("映射缺少必需的内容", "something required is missing in a mapping"),
        "没有它就不知道去哪里读或写。例如汇总要写明 related。",
        "Without it nobody knows where to read or write; an aggregate, for instance, names its "
        "relation.",
    ),
    entry(
        "MAP007",
        ("映射里不能写这个词", "a word that cannot stand in a mapping"),
        "只能写列出的几个词之一。",
        "Only one of the listed words may stand here.",
    ),
    entry(
        "MAP008",
        ("没有这个时区", "an unknown time zone"),
        "写成 Asia/Shanghai 这样的地区名。",
        "Write a region such as Asia/Shanghai.",
    ),
    entry(
        "MAP009",
        ("写错地方的键", "a key that belongs elsewhere"),
        "这个键有，但不写在这里；写在这里不会起作用，所以拒绝，而不是忽略。建议里写明它的位置。",
        "There is such a key, but not here. It would do nothing, so it is refused rather than "
        "ignored; the mend says where it stands.",
    ),
    entry(
        "MAP010",
        ("映射的文件名与连接器不符", "a mapping named after another connector"),
        "映射按文件名查找：zoho 的映射是 mapping/zoho.yaml。",
        "Mappings are found by file name: that of zoho is mapping/zoho.yaml.",
    ),
    entry(
        "MAP011",
        ("两项内容写同一个字段", "two things written to one field"),
        "后写的会盖掉先写的，下次又反过来。每项内容用自己的字段。",
        "Each would overwrite the other, run after run. Give each its own field.",
    ),
    entry(
        "MAP012",
        ("这里应是一个 CRM 字段", "a CRM field is expected"),
        "写字段的 API 名，或 {label: 字段名称}，由 crmsync 按名称去找。",
        "Write the field's API name, or {label: what people see} and crmsync finds it.",
    ),
    entry(
        "MAP013",
        ("没有声明这个关联", "an undeclared relation"),
        "在 related 下写明：哪个对象、通过哪个字段指向客户、用哪个业务日期、哪些记录算数。",
        "Declare it under related: which object, which field points to the customer, which "
        "business date, which records count.",
    ),
    entry(
        "MAP014",
        ("汇总得不出这种类型", "an aggregate that cannot give this type"),
        "计数和求和得到数字，max 和 min 得到被汇总字段的类型。改事实的类型或换一种汇总。",
        "Counts and sums give numbers; max and min give the type of their field. Change the "
        "fact's type or the aggregate.",
    ),
    entry(
        "MAP015",
        ("规则没有声明的事实", "a fact the rules do not declare"),
        "这一行不起作用。多半是拼写不同，或规则里已经删去。",
        "The line does nothing. It is probably spelt differently, or was removed from the rules.",
    ),
    entry(
        "MAP016",
        ("由公式得出的事实不从 CRM 读取", "a derived fact is not read"),
        "在规则里去掉公式，或在映射里去掉这一行。",
        "Remove the formula from the rules, or this line from the mapping.",
    ),
    entry(
        "MAP017",
        ("要写且只写一种汇总", "exactly one aggregate is needed"),
        "count、sum、avg、min、max、first、last、distinct、gap 之一。",
        "One of count, sum, avg, min, max, first, last, distinct and gap.",
    ),
    entry(
        "MAP018",
        ("每月、每季、每年的写法不对", "a wrong average per month, quarter or year"),
        "per 把次数或金额除以时段里的月、季或年数，所以要有 within，而且是整数个。没有记录时仍是"
        "未知。",
        "per divides a count or sum by how many months, quarters or years its window holds: it"
        " needs within, of a whole number of them. With no records the fact stays unknown.",
    ),
    entry(
        "MAP019",
        ("只有由人评分的事实才有评分人和日期", "author and day belong to judged facts"),
        "author、date、remark、valid_for 是评分旁边的内容。事实在规则里要写 judged_by。",
        "author, date, remark and valid_for stand beside a person's judgement. In the rules the "
        "fact must say judged_by.",
    ),
    entry(
        "MAP020",
        ("有效期没有起算日", "an age without a day to count from"),
        "valid_for 从评分日期算起；没有日期就不知道评分有多旧，它便永远不算数。用 date 写明存放评分"
        "日期的字段。",
        "valid_for counts from the day of the judgement; without it nobody knows how old a score "
        "is, and it would never count. Name the field of that day with date.",
    ),
    entry(
        "MAP021",
        ("同一个事实的现名和旧名都写了", "a fact mapped under its new and its old name"),
        "写了 was 的事实，映射里现名、旧名都认，但只能写一行。",
        "A mapping may name a renamed fact either way, but only once.",
    ),
    entry(
        "MAP022",
        ("货币代码不对", "a wrong currency code"),
        "货币用三个大写字母的代码；CRM 里另有叫法的，在 currencies 里对应到代码。",
        "Currencies go by their codes of three capital letters; where the CRM calls them "
        "otherwise, currencies translates its words.",
    ),
    entry(
        "MAP023",
        ("汇率不对或缺少", "a rate that is wrong or lacking"),
        "rates 写一个单位值多少规则的货币，可以从某天起：{USD: {2026-01-01: 7.05}}。关联记录按"
        "各自的业务日期换算，客户自己的金额按当天的汇率；没有汇率的金额是未知，绝不猜测。",
        "rates say what one unit is worth in the rules' currency, from a day on if need be: {USD: "
        "{2026-01-01: 7.05}}. Related records are converted by their own business date, amounts of "
        "the customer by the rate of today; an amount without a rate is unknown, never guessed.",
    ),
    entry(
        "MAP024",
        ("金额的货币没有说清", "amounts whose currency is not told"),
        "写了汇率，就要知道每个金额是哪种货币：在来源写 currency: 字段，或在映射开头写 currency。",
        "With rates, every amount needs a currency: currency: FIELD at its source, or currency at "
        "the top of the mapping.",
    ),
    entry(
        "MAP025",
        ("没有任务派给这个负责人", "an owner no task names"),
        "users 的左边写规则里的负责人，如 role:客服主管；右边写这个 CRM 里的用户编号或姓名。",
        "On the left of users stands an owner as rules name it, such as role:客服主管; on the "
        "right a user of this CRM, by id or name.",
    ),
    entry(
        "MAP050",
        ("映射与 CRM 不符", "the mapping does not fit the CRM"),
        "CRM 里没有某个对象或字段、类型不对或不能写。全部问题一次列出。",
        "The CRM lacks an object or field, or one has another type or cannot be written. Every "
        "problem is listed at once.",
    ),
    entry(
        "MAP051",
        ("CRM 没有这个对象", "the CRM has no such object"),
        "对象用 API 名，如 Accounts、AccountObj。也可能是账号没有权限看到它。",
        "Objects go by API name, such as Accounts or AccountObj. The account may also lack the "
        "right to see it.",
    ),
    entry(
        "MAP052",
        ("CRM 没有这个字段", "the CRM has no such field"),
        "看最接近的名称；写回字段用 crmsync connect 建好。",
        "Look at the nearest name; crmsync connect makes the fields crmsync writes.",
    ),
    entry(
        "MAP053",
        ("字段的类型不对", "a field of the wrong type"),
        "例如等级要写到选项或文字字段，日期要写到日期字段，关联要指向客户。",
        "A tier goes to a picklist or text field, a date to a date field, and a relation points "
        "to the customer.",
    ),
    entry(
        "MAP054",
        ("字段没有这个值", "a value the field does not have"),
        "选项字段只接受声明过的值。先在 CRM 里补上，或改 values。",
        "A picklist takes only the values it declares. Add it in the CRM, or mend values.",
    ),
    entry(
        "MAP055",
        ("字段是只读的", "the field is read-only"),
        "公式、汇总和系统字段不能写入。",
        "Formula, roll-up and system fields cannot be written.",
    ),
    entry(
        "MAP056",
        ("有几个字段用这个名称", "several fields share that label"),
        "按名称找不到唯一的字段，请写 API 名。",
        "The label does not name a single field; write the API name.",
    ),
    entry(
        "MAP057",
        ("值与字段的类型不符", "a value the field cannot hold"),
        "例如把金额字段与文字比较，条件永远不会成立。yes、no 和数字若是选项或文字，请加引号。",
        "Such as an amount compared with a word: the condition could never hold. Where yes, no or "
        "a number is text, put it in quotes.",
    ),
    entry(
        "MAP058",
        ("CRM 的选项不全", "an option the CRM's field lacks"),
        "等级和阶段写入下拉字段时，选项必须先存在。crmsync connect 列出并补上；"
        "CRM 里已有同义的选项时，在映射里写 values。",
        "Tiers and stages go into a picklist only when it offers them. crmsync connect lists and "
        "adds what is missing; where the CRM has an option that means the same, name it under "
        "values.",
    ),
    entry(
        "MAP059",
        ("这个 CRM 的负责人改不了", "owners this CRM keeps"),
        "有的 CRM 只能用专门的接口变更负责人，crmsync 不调用它。规则写了 may_reassign_owner 时，"
        "不制作计划，而不是只做一半。",
        "Some CRMs change owners only through an interface of their own, which crmsync does not "
        "call. Where the rules say may_reassign_owner no plan is made, rather than half of one.",
    ),
    entry(
        "MAP090",
        ("字段名只有大小写不同", "fields that differ only in case"),
        "本地镜像不区分大小写，只能映射其中一个。",
        "The local mirror knows no case, so only one of them can be mapped.",
    ),
    entry(
        "MAP091",
        ("读取时没有这个字段", "a field is gone as data is read"),
        "映射改动之后，或字段在 CRM 里被删除。先看 crmsync connect，再 crmsync pull。",
        "The mapping changed, or the field was deleted in the CRM. See crmsync connect, then "
        "crmsync pull.",
    ),
    entry(
        "MAP092",
        ("读取时没有这个关联", "a relation is gone as data is read"),
        "related 里要有事实所用的每个关联。",
        "related must hold every relation the facts use.",
    ),
    entry(
        "MAP093",
        ("字段还没有对应到 CRM", "a field not yet found in the CRM"),
        "按名称写的字段要先由 crmsync connect 找到对应的 API 名。",
        "A field named by its label must first be found by crmsync connect.",
    ),
)
