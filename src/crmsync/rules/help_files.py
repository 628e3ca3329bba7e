"""Help for what can be wrong with a file before its content matters: YAML and crmsync.yaml."""

from __future__ import annotations

from crmsync.rules.help_entry import entry

FILE_HELP = (
    entry(
        "YAML001",
        ("文件不是 UTF-8 文字", "the file is not UTF-8 text"),
        "规则文件一律用 UTF-8 保存。老版本的 Excel 和记事本常存成 GBK。在编辑器里“另存为”UTF-8。",
        "Rule files are saved as UTF-8. Old spreadsheet programs and editors often write GBK. "
        "Save the file again as UTF-8.",
    ),
    entry(
        "YAML002",
        ("同一个键写了两次", "a key is written twice"),
        "两个值里只有一个会生效，而看文件的人分不清是哪一个。只留一个。",
        "Only one of the two values would count, and nobody could tell which. Keep one.",
    ),
    entry(
        "YAML003",
        ("看不见的字符", "an invisible character"),
        "全角空格、不间断空格或零宽字符看起来像空格，却会改变键的名字或缩进。删掉它，"
        "换成普通空格。",
        "A full-width, no-break or zero-width blank looks like a space but changes a key or the "
        "indent. Delete it and type a plain space.",
    ),
    entry(
        "YAML004",
        ("文件太大或嵌套太深", "the file is too big or nests too deeply"),
        "一个文件最多 1 MB、20 层、3 万个值。规则文件通常只有几百行；更大的文件多半是误放的数据。",
        "A file may hold 1 MB, 20 levels and 30,000 values. Rule files have some hundred lines; a "
        "bigger one is usually data put in the wrong place.",
    ),
    entry(
        "YAML005",
        ("文件顶层不是“键: 值”", "the top of the file is no “key: value” block"),
        "空文件、列表或一个词都不是规则。第一行应是 ruleset: 或 version: 这样的键。",
        "An empty file, a list or a single word is no rule file. It begins with keys such as "
        "ruleset: or version:.",
    ),
    entry(
        "YAML006",
        ("一个文件里有两份内容", "two documents in one file"),
        "单独一行的 --- 会开始第二份内容，它会被悄悄丢掉。拆成两个文件。",
        "A line of --- begins a second document, which would silently be lost. Make two files.",
    ),
    entry(
        "YAML007",
        ("不允许锚点、引用和合并", "anchors, aliases and merge keys are refused"),
        "& * << 让内容出现在看不见的地方，也能让很小的文件膨胀到无法读取。把内容完整写出来。",
        "& * and << make content appear where nobody sees it, and let a tiny file grow beyond "
        "measure. Write the content out.",
    ),
    entry(
        "YAML008",
        ("不允许标签", "tags are refused"),
        "以 ! 开头的标签可以让读取程序执行代码。规则文件只是数据；若是文字，请加引号。",
        "A tag beginning with ! can make a reader run code. Rule files are data; put text in "
        "quotes.",
    ),
    entry(
        "YAML009",
        ("数字的写法会丢失信息", "a number that would lose something"),
        "0123 会丢掉前面的零，1e3、0x1F、.inf 各家读法不同。编号加引号，数字写成 1500、0.25、"
        "30万、20%。",
        "0123 would lose its zero, and 1e3, 0x1F or .inf are read differently by every program. "
        "Quote identifiers; write numbers like 1500, 0.25, 30万, 20%.",
    ),
    entry(
        "YAML010",
        ("全角冒号", "a full-width colon"),
        "“键：值”的冒号必须是半角加空格：“键: 值”。用 crmsync check --fix 改正。",
        "The colon between key and value is a plain one followed by a blank. crmsync check --fix "
        "mends it.",
    ),
    entry(
        "YAML011",
        ("值不能以 > 开头", "a value cannot begin with >"),
        "在 YAML 里 > 表示多行文字。请写完整的条件：days_since_order > 90；评分表可以写 ≥。",
        "In YAML > announces a block of text. Write the whole condition, days_since_order > 90; "
        "point tables may use ≥.",
    ),
    entry(
        "YAML012",
        ("用 Tab 缩进", "indented with a tab"),
        "YAML 只认空格。请在编辑器里把 Tab 设为两个空格。",
        "YAML knows blanks only. Set your editor to put two blanks for a tab.",
    ),
    entry(
        "YAML013",
        ("一行里有第二个“: ”", "a second “: ” in one line"),
        '含有“: ”的文字要放进引号，例如 title: "VIP: 回访"。',
        'Text that holds “: ” goes in quotes, such as title: "VIP: call back".',
    ),
    entry(
        "YAML014",
        ("括号或引号没有配对", "a bracket or quote never closes"),
        "错误常在文件末尾才显出来；这里指的是打开的那一个。",
        "The trouble usually shows only at the end of the file; the place named is where it opens.",
    ),
    entry(
        "YAML015",
        ("大括号里的逗号", "a comma inside braces"),
        '{…} 里的逗号会开始新的一项。含逗号的文字要加引号：{label: "Days, overdue"}。',
        "A comma inside {…} begins a new entry. "
        'Quote text that holds one: {label: "Days, overdue"}.',
    ),
    entry(
        "YAML016",
        ("全角逗号", "a full-width comma"),
        "{…} 和 […] 里只有半角逗号才分开两项。",
        "Inside {…} and […] only the plain comma separates entries.",
    ),
    entry(
        "YAML017",
        ("弯引号不是 YAML 的引号", "curly quotes are no YAML quotes"),
        '“…”会成为文字的一部分。要给整个值加引号就用 "…"。'
        "条件里的“…”是可以的：country is “United Kingdom”。",
        '“…” stays part of the text. Put a whole value in "…". Inside a condition “…” is right: '
        "country is “United Kingdom”.",
    ),
    entry(
        "YAML018",
        ("YAML 写法读不懂", "YAML that cannot be read"),
        "缩进、冒号或横线放错了位置。看指出的那一行和它上面的一行。",
        "An indent, colon or dash is out of place. Look at the line named and the one above it.",
    ),
    entry(
        "YAML019",
        ("控制字符", "a control character"),
        "文件里有键盘上打不出来的字符，多半是从别处粘贴来的。删掉它。",
        "The file holds a character no keyboard types, probably pasted. Delete it.",
    ),
    entry(
        "YAML020",
        ("文件读不了", "the file cannot be read"),
        "文件不存在、是文件夹或管道，或没有读取权限。",
        "It does not exist, is a folder or a pipe, or its permissions forbid reading.",
    ),
    entry(
        "YAML021",
        ("值的第一个字符有特殊含义", "a value begins with a sign of its own meaning"),
        "@ ` % 等字符在 YAML 里是保留的。把整个值放进引号。",
        "Signs such as @ ` and % are reserved in YAML. Put the whole value in quotes.",
    ),
    entry(
        "YAML022",
        ("冒号后面缺少空格", "no blank after the colon"),
        "“max:20”是一个词，“max: 20”才是键和值。",
        "“max:20” is one word; “max: 20” is a key and a value.",
    ),
    entry(
        "CONF001",
        ("这里没有项目", "there is no project here"),
        "crmsync 在当前文件夹及其上级查找 crmsync.yaml。用 crmsync init 新建。",
        "crmsync looks for crmsync.yaml in this folder and above. crmsync init makes one.",
    ),
    entry(
        "CONF002",
        ("crmsync.yaml 有错误", "crmsync.yaml has errors"),
        "在改好之前什么都不会运行。用 crmsync check 查看全部错误。",
        "Nothing runs until it is mended. crmsync check shows every error.",
    ),
    entry(
        "CONF003",
        ("版本不认识", "an unknown version"),
        "version 说明文件按哪一版的写法来读。目前只有 1。",
        "version says by which edition the file is read. There is only 1 so far.",
    ),
    entry(
        "CONF004",
        ("没有这个键或连接器", "an unknown key or connector"),
        "多半是拼写错误。不认识的键一律报错，从不悄悄忽略。",
        "Usually a slip of the pen. Unknown keys are errors and never silently ignored.",
    ),
    entry(
        "CONF005",
        ("值的形状不对", "a value of the wrong shape"),
        "这里要的是另一种值：一个词、整数、true/false，或一组“键: 值”。",
        "Another kind of value belongs here: a word, a whole number, true or false, or a block.",
    ),
    entry(
        "CONF006",
        ("缺少必需的键", "a required key is missing"),
        "没有它就无法运行，也没有安全的默认值。",
        "Without it nothing can run, and no default would be safe.",
    ),
    entry(
        "CONF007",
        ("值不在允许的范围", "a value that is not allowed"),
        "只能写列出的几个词之一，或写在所说范围内的数量。",
        "Only one of the listed words may stand here, or an amount within the range named.",
    ),
    entry(
        "CONF008",
        ("没有这个时区", "an unknown time zone"),
        "写成 Asia/Shanghai 这样的地区名；EST、UTC+8 之类不随夏令时变化，不能用。",
        "Write a region such as Asia/Shanghai. EST or UTC+8 know no summer time and are refused.",
    ),
    entry(
        "CONF010",
        ("密钥写进了文件", "a secret stands in the file"),
        "文件会进版本库和备份。改成 secret:名称，把值放进环境变量、系统钥匙串或 var/secrets。"
        "已经提交过的令牌要作废重发。",
        "Files end up in repositories and backups. Write secret:NAME and keep the value in the "
        "environment, the key ring or var/secrets. A token that was committed must be revoked.",
    ),
    entry(
        "CONF011",
        ("找不到密钥", "a secret is nowhere to be found"),
        "依次查找：环境变量 CRMSYNC_SECRET_…、systemd 凭据、系统钥匙串、var/secrets 文件。",
        "Looked up in turn: the environment CRMSYNC_SECRET_…, systemd credentials, the key ring, "
        "files in var/secrets.",
    ),
    entry(
        "CONF012",
        ("密钥文件别人也能读", "others can read the secret file"),
        "运行 chmod 600 文件名，让只有你自己能读。",
        "Run chmod 600 on it, so that you alone can read it.",
    ),
    entry(
        "CONF013",
        ("密钥文件读不了", "the secret file cannot be read"),
        "检查文件权限，以及是不是一行文字。",
        "Check its permissions, and that it holds one line of text.",
    ),
    entry(
        "CONF014",
        ("缺少签名密钥", "the signing key is missing"),
        "计划文件用这把密钥签名，apply 只写没有被改动过的计划。"
        "换了密钥，以前的计划就失效，重新 plan 即可。",
        "Plan files are signed with it, and apply writes only plans nobody altered. With a new key "
        "earlier plans are refused; plan again.",
    ),
    entry(
        "CONF015",
        ("连接的设置有误", "a connection has wrong settings"),
        "每个连接器有自己的设置，见它的指南（crmsync connectors）。值不会显示出来，"
        "因为可能是密钥。",
        "Every connector has settings of its own; see its guide (crmsync connectors). Values are "
        "not shown, for they may be secrets.",
    ),
    entry(
        "CONF016",
        ("连接器不能带条件写入", "the connector cannot write conditionally"),
        "write_mode: strict 要求 CRM 能在记录被改动过时拒绝写入；这个连接器没有这种能力。"
        "改回默认的 batch：写入前会再读一次并比较。",
        "write_mode: strict needs a CRM that refuses a write when the record has moved; this "
        "connector has no such thing. Go back to the default, which reads and compares just before "
        "writing.",
    ),
    entry(
        "CONF020",
        ("定时任务没有时间", "a job without a time"),
        "每个任务写 at（每天几点）或 cron 之一。",
        "Each job has exactly one of at (a time of day) and cron.",
    ),
    entry(
        "CONF021",
        ("任务用的连接不存在", "a job names an unknown connection"),
        "connections 下要有这个名称。",
        "connections must hold that name.",
    ),
    entry(
        "CONF022",
        ("定时任务的时间写法不对", "a job's time written wrongly"),
        "at 写一天中的时刻，如 02:00；cron 写五段：分 时 日 月 星期（1-5 是周一到周五）。",
        "“at” is a time of day such as 02:00; “cron” has five fields: minute, hour, day, month, "
        "weekday (1-5 is Monday to Friday).",
    ),
    entry(
        "CONF030",
        ("时间表读不懂", "a schedule that cannot be read"),
        'at 写成 "02:00"；cron 写五段，星期一是 1、星期日是 0 或 7。',
        'at reads "02:00"; cron has five fields, Monday is 1 and Sunday 0 or 7.',
    ),
)
