"""Help for what can be wrong with a mapping file, alone and beside the CRM."""

from __future__ import annotations

from crmsync.rules.help_entry import entry

MAPPING_HELP = (
    entry(
        "MAP004",
        ("映射里没有这个键", "an unknown key in a mapping"),
        "键名拼错了，或写错了位置。建议里是最接近的键名。",
        "The key is mistyped or stands in the wrong place. The mend names the nearest one.",
    ),
    entry(
        "MAP005",
        ("值的形状不对", "a value of the wrong shape"),
        "这里应是一个值、一个列表，或“键: 值”。",
        "A single value, or “key: value” lines, are expected here.",
    ),
    entry(
        "MAP006",
        ("缺少必填的键", "a required key is missing"),
        "映射要写 connector、object、identity.name；关联要写 object、via、date；任务要写全部字段。",
        "A mapping names connector, object and identity.name; a relation object, via and date; "
        "tasks every field.",
    ),
    entry(
        "MAP007",
        ("不在可用的值之中", "not one of the values that can stand here"),
        "例如 values 里写了规则没有的选项或等级。建议里是最接近的值。",
        "Such as a translation to an option or a tier the rules do not have. The mend names the "
        "nearest one.",
    ),
    entry(
        "MAP009",
        ("暂不支持的键", "a key that is not supported yet"),
        "这个键在规则语言里有定义，但这个版本还做不到。先去掉它，避免以为它已生效。",
        "The key belongs to the language, but this version cannot do it. Leave it out, so that "
        "nobody believes it works.",
    ),
    entry(
        "MAP010",
        ("文件名与 connector 不同", "the file name differs from its connector"),
        "crmsync 按连接器的名字找 mapping/<连接器>.yaml。改文件名。",
        "crmsync looks for mapping/<connector>.yaml. Rename the file.",
    ),
    entry(
        "MAP011",
        ("两项内容写同一个字段", "two things written into one field"),
        "后写的会盖掉先写的，每次计划都会有变更。每项内容用自己的字段。",
        "One would overwrite the other and every plan would change it back. Give each its own.",
    ),
    entry(
        "MAP012",
        ("这里应是一个 CRM 字段", "a CRM field is expected"),
        "写字段的 API 名；不知道 API 名时写 {label: 页面上的名称}，连接时按名称找到它。",
        "Write the field's API name; where that is unknown, {label: what people see}: it is found "
        "by its label when crmsync connects.",
    ),
    entry(
        "MAP013",
        ("没有声明的关联", "an undeclared relation"),
        "汇总要指明 related: 里声明过的关联，如订单。",
        "An aggregate names a relation declared under related:, such as orders.",
    ),
    entry(
        "MAP014",
        ("事实的类型与汇总不符", "a fact's type does not suit its aggregate"),
        "计数和间隔得到数字，求和、平均只能用于数字类事实。",
        "Counts and gaps give numbers; sums and averages serve facts that are numbers.",
    ),
    entry(
        "MAP015",
        ("映射了规则没有声明的事实", "a source for a fact the rules do not declare"),
        "这一行不起作用。多半是事实名拼错了。",
        "The line does nothing. Most often the fact's name is mistyped.",
    ),
    entry(
        "MAP016",
        ("派生的事实不从 CRM 读取", "a derived fact is not read"),
        "有 formula 的事实由公式得出。去掉映射里的这一行，或去掉公式。",
        "A fact with a formula is derived. Remove its line from the mapping, or the formula.",
    ),
    entry(
        "MAP017",
        ("要写且只写一种汇总", "exactly one aggregate"),
        "count、sum、avg、min、max、first、last、distinct、gap 之中写一种。",
        "One of count, sum, avg, min, max, first, last, distinct and gap.",
    ),
    entry(
        "MAP050",
        ("映射与 CRM 不符", "the mapping does not fit the CRM"),
        "读到 CRM 的字段说明后发现的全部问题列在下面；在改好之前不会读写任何记录。",
        "Everything found beside the CRM's own field list is shown below; no record is read or "
        "written before it is mended.",
    ),
    entry(
        "MAP051",
        ("CRM 没有这个对象", "the CRM has no such object"),
        "对象写 API 名，如 Accounts、AccountObj。也可能是授权范围里没有它。",
        "Objects go by API name, such as Accounts. It may also be outside the granted scopes.",
    ),
    entry(
        "MAP052",
        ("CRM 没有这个字段", "the CRM has no such field"),
        "拼写不同，或还没有建。crmsync connect 会建好或列出要建的字段。",
        "It is spelled differently or was never made. crmsync connect makes it, or lists what to "
        "make.",
    ),
    entry(
        "MAP053",
        ("字段的类型不合用", "a field of the wrong type"),
        "例如把日期写进文字以外的字段，对数字以外的字段求和，或 via 不指向客户。",
        "Such as a date written into a tick box, a sum over text, or a via that does not point to "
        "the customer.",
    ),
    entry(
        "MAP054",
        ("选项里没有这个值", "a value the picklist does not have"),
        "条件永远不会成立，或写入会被拒绝。用 CRM 里的值，或先在 CRM 里加上它。",
        "The condition could never hold, or the write would be refused. Use a value the CRM has, "
        "or add it there first.",
    ),
    entry(
        "MAP055",
        ("字段只读", "a read-only field"),
        "公式、汇总、自动编号和系统字段不能写。换一个人可以编辑的字段。",
        "Formula, roll-up, numbering and system fields cannot be written. Choose one people edit.",
    ),
    entry(
        "MAP056",
        ("几个字段同名", "several fields of one label"),
        "按名称找字段时分不清是哪一个。改写 API 名。",
        "The label does not say which one. Name the field by its API name.",
    ),
    entry(
        "MAP091",
        ("字段已不在 CRM 的说明里", "a field the CRM no longer describes"),
        "映射或 CRM 在上次读取后变了。看看 crmsync connect，再运行 crmsync pull。",
        "The mapping or the CRM changed since it was last read. See crmsync connect, then run "
        "crmsync pull.",
    ),
    entry(
        "MAP092",
        ("映射没有声明这个关联", "a relation the mapping does not declare"),
        "在 related: 中声明它：object、via、date。",
        "Declare it under related: with object, via and date.",
    ),
    entry(
        "MAP093",
        ("字段只有名称，还没有 API 名", "a field known by its label only"),
        "按名称写的字段要连接一次 CRM 才能找到。运行 crmsync connect。",
        "A field named by its label is found by connecting once. Run crmsync connect.",
    ),
)
