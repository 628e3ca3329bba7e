"""Help for decision tables: TABLE001 to TABLE015."""

from __future__ import annotations

from crmsync.rules.help_entry import entry

TABLE_HELP = (
    entry(
        "TABLE001",
        ("表格文件不能用", "a table file that cannot be used"),
        "表格是规则集文件夹里的 .csv 或 .xlsx 文件，路径写成 tables/service.csv。不读文件夹之外的"
        "任何东西。上限 5 MB、2000 行、64 列。",
        "A table is a .csv or .xlsx file inside the ruleset's folder, named like "
        "tables/service.csv. Nothing outside that folder is read. The limit is 5 MB, 2,000 rows "
        "and 64 columns.",
    ),
    entry(
        "TABLE002",
        ("表格读不出来", "a table that cannot be read"),
        "CSV 要是 UTF-8、UTF-16 或 GB18030 文字，以逗号、制表符或分号分隔；引号要成对，"
        "单元格里的引号写两遍。工作簿不能损坏，也不能设密码。",
        "A CSV file is text in UTF-8, UTF-16 or GB18030 with commas, tabs or semicolons; quotes "
        "come in pairs, and a quote inside a quoted cell is written twice. A workbook must be "
        "whole and without a password.",
    ),
    entry(
        "TABLE003",
        ("没有这个工作表", "an unknown sheet"),
        "不写 sheet 时读第一个工作表。",
        "Without “sheet” the first sheet of the workbook is read.",
    ),
    entry(
        "TABLE004",
        ("单元格没有可读的值", "a cell without a plain value"),
        "没有计算过的公式、合并单元格会被当作空白，而空白表示“任何值”；#N/A 之类的错误也不是值。"
        "所以一律拒绝，而不是悄悄当作空白。",
        "A formula nobody calculated and merged cells read as empty, and an empty cell means any "
        "value; #N/A is no value either. They are refused rather than taken for empty.",
    ),
    entry(
        "TABLE005",
        ("列标题不对", "a wrong heading"),
        "输入列的标题是事实的 id 或标签，输出列的标题是这张表的输出。每列只出现一次；"
        "标题为“备注”的列不读。",
        "Input columns are headed by the id or a label of a fact, output columns by an output of "
        "this table. None may appear twice; a column headed “remark” is not read.",
    ),
    entry(
        "TABLE006",
        ("单元格被表格软件改过", "a cell the spreadsheet has changed"),
        "文字列里的数字和日期多半不是原来的样子：001 变成 1，3-4 变成日期。把单元格格式设为文本"
        "再输入。",
        "Numbers and dates in a column of text are seldom what was typed: 001 becomes 1, 3-4 "
        "becomes a date. Format the cells as text and type them again.",
    ),
    entry(
        "TABLE007",
        ("命中策略不对", "a wrong hit policy"),
        "unique：最多一行命中；first：最上面的一行；any：几行命中但结果相同；priority：结果最优的"
        "一行；output order：全部，最优的在前；rule order、collect：全部，按表中次序；collect sum、"
        "min、max、count：把命中的行合成一个数。不写就是 first。评分可用单行的四种和合成一个数的"
        "四种；等级可用单行的四种，以及 collect max（最高的等级）和 collect min（最低的等级）；"
        "服务只用单行的四种；任务可用单行的四种和列出全部的三种。也可写中文名：唯一、首个、任意、"
        "优先级、输出顺序、规则顺序、收集、收集求和、收集最小、收集最大、收集计数。",
        "unique: one row at most; first: the topmost; any: several that say the same; priority: "
        "the one with the best output; output order: all, the best first; rule order and collect: "
        "all as they stand; collect sum, min, max and count: one number of all rows that fit. "
        "Without “hit” it is first. Points take the four of one row and the four that make a "
        "number; tiers the four of one row, collect max (the best tier) and collect min (the "
        "worst); service the four of one row; tasks those and the three that list all.",
    ),
    entry(
        "TABLE008",
        ("表格缺少输出", "an output is missing"),
        "这一列或这个单元格没有内容，命中的行就什么也不说。",
        "Without this column or cell a row that fits would say nothing.",
    ),
    entry(
        "TABLE009",
        ("表格的形状不对", "a table of the wrong shape"),
        "第一行是标题，下面至少一行；每个有内容的单元格上面都要有标题。",
        "The first row holds the headings, with at least one row below; every cell that is not "
        "empty stands below a heading.",
    ),
    entry(
        "TABLE010",
        ("几行可能同时命中", "rows that may both fit"),
        "命中策略 unique 只许一行命中，any 只许结果相同的几行命中。消息里给出一个例子。"
        "改窄其中一行，或用 hit: first 让最上面的一行起作用。",
        "The hit policy unique allows one row, any allows several that say the same. The message "
        "gives an example. Narrow one of them, or write hit: first: then the topmost counts.",
    ),
    entry(
        "TABLE011",
        ("有的客户没有一行适用", "customers no row fits"),
        "消息里给出没有命中任何一行的值。数值列常见的原因是两段之间漏了边界，或没有负数、没有更大的"
        "值；事实写了 between 就只检查这个范围。",
        "The message gives values that no row fits. In a column of numbers it is usually an edge "
        "between two stretches, a negative or a larger value; with “between” at the fact only that "
        "range is looked at.",
    ),
    entry(
        "TABLE012",
        ("永远不会命中的一行", "a row that is never reached"),
        "前面的行已经包含了它的所有值，或事实的 between、choices 里没有这样的值。",
        "The rows before it already fit every value of it, or the fact's between and choices allow "
        "no such value.",
    ),
    entry(
        "TABLE013",
        ("输入相同的两行", "two rows of the same inputs"),
        "只有一行会起作用；合成一个数时这一行会算两次。",
        "Only one of them can count; where rows are added up it counts twice.",
    ),
    entry(
        "TABLE014",
        ("这里不能用这个输入", "an input that cannot be used here"),
        "服务标准只看等级和生命周期；按其他事实变化的内容请写成任务或例外。",
        "Service goes by tier and stage alone; what hangs on other facts is written as a task or "
        "an exception.",
    ),
    entry(
        "TABLE015",
        ("行给出的等级不对", "a tier a row cannot give"),
        "等级表的一行给出一个有高低的等级；“保级”列（keep）写客户已经有时可以保住的等级，"
        "不低于这一行给出的等级。只由例外设定的等级写成例外。",
        "A row of a table of tiers gives a tier that has a rank; its column “keep” names the tier "
        "a customer who has it may keep, no worse than the one the row gives. A level set by "
        "exceptions only is set by an exception.",
    ),
)
