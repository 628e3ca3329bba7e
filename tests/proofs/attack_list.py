"""Rule files written to get at what is not theirs, by the place they are put in."""

# ruff: noqa: E501 - lists of attacks read best in long lines
from __future__ import annotations

from dataclasses import dataclass

TOKEN = "TOKEN-7f3a9c"
ENV = "CRMSYNC_CANARY"


@dataclass(frozen=True)
class Attack:
    """Where a text is put (``rules``: a change of the small ruleset; ``mapping``; ``file``: all of
    the file), what it stands for and what stands there instead."""

    kind: str
    old: str
    new: str

    @property
    def name(self) -> str:
        return f"{self.kind}: {self.new[:60]!r}"


def quoted(text: str) -> str:
    """A YAML scalar in single quotes."""
    return "'" + text.replace("'", "''") + "'"


CONDITIONS = (
    "__import__('os').system('id') = 0", "open('/etc/passwd').read() is known", "eval(“1”) = 1",
    "exec('import os') is known", "days.__class__ is known", "days.__class__.__mro__ is known",
    "(lambda: 1)() = 1", "days > (SELECT token FROM secrets)", "days = days OR 1=1", "days > 1; DROP TABLE secrets",
    "days > 1 -- ", "days /* */ > 1", "days) UNION SELECT token FROM secrets", "read_csv('/etc/passwd') is known",
    "read_text('/etc/passwd') is known", "getenv('CRMSYNC_CANARY') is known", "$CRMSYNC_CANARY is known",
    "${CRMSYNC_CANARY} is known", "$(id) = 0", "`id` = 0", "{{7*7}} = 49", "sleep_ms(10000) is known",
    "repeat('x', 3000000000) is known", "9**9**9 > 1", "days > " + "9" * 1900, "days > " + "1" + "0" * 400,
    "(" * 500 + "days" + ")" * 500 + " > 1", "not(" * 300 + "blacklisted" + ")" * 300, "all(" + ", ".join(["blacklisted"] * 400) + ")",
    "any(" * 22 + "blacklisted" + ")" * 22, "potential in " + ", ".join(["高"] * 300), "potential matches (a+)+b",
    "potential ~ '^(a|a)*b'", "secrets.token is known", "main.secrets is known", "token is known", "days > 1e999",
    "days > .inf", "days > 0x7fffffff", "days within 1000000 years", "last_order_on within 199 years", "potential = “'; DROP TABLE secrets; --”",
    "potential is \"高' OR '1'='1\"", "http://127.0.0.1/x is known", "attach('/tmp/x') is known", "globals() is known", "f\"{days}\" = 1",
)  # fmt: skip
FORMULAS = (
    "__import__('os').getpid()", "open('/etc/passwd')", "days_since(last_order_on).__class__", "round(1, 1000000000)", "round(days_since(last_order_on), 6) ** 9",
    " + ".join(["1"] * 499), "(" * 100 + "1" + ")" * 100, "max(" + ", ".join(["1"] * 300) + ")", "-" * 900 + "1", "if(1 = 1, " * 30 + "1" + ", 0)" * 30,
    "days", "(SELECT 1)", "read_blob('/etc/passwd')", "1 / 0", "1" * 29 + "." + "9" * 400, "getattr(days, '__class__')",
)  # fmt: skip
TITLES = (
    "{name.__class__.__mro__}", "{0}", "{name!r}", "{name:>1000000000}", "{days.__init__.__globals__}", "{__import__('os')}", "%(name)s %s %n", "{{name}}",
    "${CRMSYNC_CANARY}", "{CRMSYNC_CANARY}", "{% include '/etc/passwd' %}", "<script>alert(1)</script>", "{name}" * 300, "\\N{BULLET}{name[0]}", "=cmd|' /C calc'!A0",
)  # fmt: skip
SERVICES = (
    "/etc/passwd", "../../../../etc/passwd", "tables/../../../etc/passwd", "file:///etc/passwd", "http://127.0.0.1:9/x.csv", "/dev/zero", "/proc/self/environ",
    "\\\\host\\share\\x.csv", "tables/%2e%2e/%2e%2e/etc/passwd", "~/.ssh/id_rsa", "|id", "s3://bucket/x.csv",
)  # fmt: skip
MAPPINGS = (
    ("object: Accounts", "object: secrets"), ("object: Accounts", "object: ../../etc/passwd"), ("object: Accounts", "object: main.secrets"),
    ("object: Deals", "object: secrets"), ("{name: Account_Name,", "{name: 'Account_Name\"; DROP TABLE secrets; --',"),
    ("sum: Amount", "sum: 'Amount) FROM secrets; --'"), ("sum: Amount", "sum: token"), ("sum: Amount", "sum: read_csv"), ("date: Closing_Date", "date: 'Closing_Date\" OR 1=1'"),
    ("via: Account_Name", "via: secrets.token"), ("Stage is Closed Won", "Stage is “x' OR '1'='1”"), ("Stage is Closed Won", "(SELECT token FROM secrets) is known"),
    ("Stage is Closed Won", "token is known"), ("within: 12 months", "within: 1000000 years"), ("within: 12 months", "within: '1 day; DROP TABLE secrets'"),
    ("[Amount > 0]", "['Amount > 0) UNION SELECT token FROM secrets']"), ("[Amount > 0]", "[\"getenv('CRMSYNC_CANARY') is known\"]"),
    ("connector: zett", "connector: ../../../etc/passwd"),
    ("read:\n", "read:\n" + "".join(f"  fact{n}: Field{n}\n" for n in range(20_000))),
    ("connector: zett\n", "connector: zett\n" + "".join(f"konnector{n}: Field{n}\n" for n in range(20_000))),
)  # fmt: skip
FILES = (
    "a: &a [*a]\n", "a: &x {b: 1}\nc: *x\n", "a: &a [x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nd: [*c, *c]\n", "base: &b {x: 1}\nfacts:\n  <<: *b\n",
    "a: !!python/object/apply:os.system ['id']\n", "a: !!python/name:os.system\n", "a: !include /etc/passwd\n", "a: !!binary aWQ=\n", "%TAG ! tag:x,2000:\n---\na: !foo 1\n",
    "---\na: 1\n---\nb: 2\n", "a: " + "[" * 20_000 + "]" * 20_000 + "\n", "a: " + "{a: " * 5_000 + "1" + "}" * 5_000 + "\n", "".join(f"k{n}: 1\n" for n in range(60_000)),
    "a: " + "x" * 1_100_000 + "\n", "a\x00b: 1\n", "? [complex, key]\n: 1\n", "a: 1\n" * 50_000, "\ufeff" * 1000 + "a: 1\n", "a: |\n" + "  x\n" * 200_000, "a: \"" + "\\u0041" * 150_000 + "\"\n",
    "facts:\n" + "".join(f"  f{n}: {{type: number, formula: f{n + 1} + f{n + 1}}}\n" for n in range(600)),
    "ruleset: a\nfacts:\n" + "".join(f"  f{n}: {{type: number, formula: f{n + 1} + f{n + 1}}}\n" for n in range(400)) + "  f400: {type: number}\n",
)  # fmt: skip


MANY = (
    ("when: days > 90, lasting", "when: [" + ", ".join(["days > 90"] * 12_000) + "], lasting"),
    (
        "when: days > 90, lasting",
        "when: [" + ", ".join(f"dayz{n} > 90" for n in range(12_000)) + "], lasting",
    ),
    (
        "points: {≥ 12: 20,",
        "points: {" + "".join(f"≥ {n}: 20, " for n in range(9_000, 12, -1)) + "≥ 12: 20,",
    ),
    ("points: {高: 20,", "points: {" + "".join(f"高{n}: 20, " for n in range(12_000)) + "高: 20,"),
    (
        "tasks:\n",
        "tasks:\n"
        + "".join(
            f"  - {{id: t{n}, event: enter quiet, title: a, owner: b, due: c}}\n"
            for n in range(3_000)
        ),
    ),
    ("guards:\n", "guards:\n" + "".join(f"  guard{n}: 10%\n" for n in range(20_000))),
    (
        "potential: {type: choice,",
        "potential: {" + "".join(f"tipe{n}: 1, " for n in range(20_000)) + "type: choice,",
    ),
)


def attacks() -> tuple[Attack, ...]:
    """All of them."""
    when = "when: days > 90, lasting"
    formula = "formula: days_since(last_order_on)"
    title = "title: 回访 {name} | Visit {name}"
    found = [Attack("rules", when, f"when: {quoted(text)}, lasting") for text in CONDITIONS]
    found += [Attack("rules", formula, f"formula: {quoted(text)}") for text in FORMULAS]
    found += [Attack("rules", title, f"title: {quoted(text)}") for text in TITLES]
    found += [
        Attack("rules", "service:\n", f"service:\n  table: {quoted(text)}\n") for text in SERVICES
    ]
    found += [Attack("rules", old, new) for old, new in MANY]
    found += [Attack("mapping", old, new) for old, new in MAPPINGS]
    found += [Attack("file", "", text) for text in FILES]
    return tuple(found)
