"""``crmsync.yaml``: what it becomes, every mistake at once, and no secret in any message."""

# ruff: noqa: E501 - tables of mistakes read best in one line
from __future__ import annotations

from pathlib import Path

import pytest

from crmsync.config import load_project
from crmsync.errors import ConfigError
from crmsync.model.diagnostic import Diagnostic

GOOD = """\
version: 1
language: en
time_zone: Asia/Shanghai
state: var
human_edits: adopt
connections:
  shop:
    connector: zett
    data_centre: cn
    client_id: 1000.GMB0YULZHJK411248S8I5GZ4CHUEX0
    client_secret: secret:shop/client_secret
    token_url: https://accounts.example.test/a/very/long/path/with/0123456789
    allow_private: true
    page_size: 50
jobs:
  nightly: {ruleset: small, connection: shop, at: 02:00, catch_up: skip, allow: {demotions: 40}}
  weekly: {ruleset: small, connection: shop, cron: "30 2 * * 1-5", time_zone: Europe/London}
"""


def write(folder: Path, text: str) -> None:
    (folder / "crmsync.yaml").write_text(text, encoding="utf-8")


def problems(folder: Path, text: str) -> tuple[Diagnostic, ...]:
    write(folder, text)
    with pytest.raises(ConfigError) as caught:
        load_project(folder)
    return tuple(caught.value.diagnostics)


def test_the_day_the_credentials_end_is_a_day(tmp_path: Path) -> None:
    write(tmp_path, GOOD.replace("allow_private: true", "expires: 2026-12-31"))
    shop = load_project(tmp_path).connections["shop"]
    assert shop.expires is not None
    assert shop.expires.isoformat() == "2026-12-31"
    assert "expires" not in shop.keys
    (found,) = problems(tmp_path, GOOD.replace("allow_private: true", "expires: soon"))
    assert found.mend is not None
    assert "2026-12-01" in found.mend.en


def test_the_write_mode_is_no_key_of_the_connector_s(tmp_path: Path) -> None:
    write(tmp_path, GOOD.replace("allow_private: true", "write_mode: strict"))
    shop = load_project(tmp_path).connections["shop"]
    assert shop.write_mode == "strict"
    assert "write_mode" not in shop.keys


@pytest.mark.parametrize(
    ("word", "rows"), [("250", 250), ("0", 0), ("off", 0), ("all", None), ("", 1000)]
)
def test_how_many_rows_are_looked_back_at(tmp_path: Path, word: str, rows: int | None) -> None:
    write(tmp_path, GOOD.replace("allow_private: true", f"look_back: {word}"))
    shop = load_project(tmp_path).connections["shop"]
    assert shop.look_back == rows
    assert "look_back" not in shop.keys


@pytest.mark.parametrize("word", ["some", "-1", "1.5", "99999999", "[1]"])
def test_any_other_look_back_is_refused(tmp_path: Path, word: str) -> None:
    write(tmp_path, GOOD.replace("allow_private: true", f"look_back: {word}"))
    with pytest.raises(ConfigError):
        load_project(tmp_path)


def test_duplicate_tasks_are_accepted_only_where_the_file_says_so(tmp_path: Path) -> None:
    write(tmp_path, GOOD)
    assert not load_project(tmp_path).connections["shop"].accept_duplicate_tasks
    write(tmp_path, GOOD.replace("allow_private: true", "accept_duplicate_tasks: true"))
    shop = load_project(tmp_path).connections["shop"]
    assert shop.accept_duplicate_tasks
    assert "accept_duplicate_tasks" not in shop.keys


def test_a_project(tmp_path: Path) -> None:
    write(tmp_path, GOOD)
    for name in ("b", "a"):
        folder = tmp_path / "rulesets" / name
        folder.mkdir(parents=True)
        (folder / "rules.yaml").touch()
    project = load_project(tmp_path)
    assert (project.language, project.human_edits) == ("en", "adopt")
    assert project.state == tmp_path / "var"
    shop = project.connections["shop"]
    assert (shop.connector, shop.allow_private, shop.write_mode) == ("zett", True, "batch")
    assert shop.keys["client_secret"] == "secret:shop/client_secret"
    assert shop.keys["page_size"] == 50
    assert "connector" not in shop.keys
    nightly, weekly = project.jobs["nightly"], project.jobs["weekly"]
    assert (nightly.when, nightly.time_zone, nightly.catch_up) == ("02:00", "Asia/Shanghai", "skip")
    assert nightly.allow == ("demotions=40",)
    assert (weekly.when, weekly.time_zone) == ("30 2 * * 1-5", "Europe/London")
    assert [path.name for path in project.rulesets] == ["a", "b"]


CASES = [
    ("version: 1", "version: 2", "CONF003", 1, "版本 2 不认识", "version 2 is not known"),
    ("language: en", "langage: en", "CONF004", 2, "没有“langage”这个键", "no key “langage”"),
    ("language: en", "language: fr", "CONF007", 2, "不能是“fr”", "cannot be “fr”"),
    ("version: 1", "version: one", "CONF005", 1, "应是整数", "a whole number"),
    ("Asia/Shanghai", "UTC+8", "CONF008", 3, "没有时区“UTC+8”", "no time zone “UTC+8”"),
    ("Asia/Shanghai", "EST", "CONF008", 3, "没有时区“EST”", "no time zone “EST”"),
    ("    connector: zett\n", "", "CONF006", 8, "缺少“connector”", "“connector” is missing"),
    ("allow_private: true", "allow_private: maybe", "CONF005", 13, "应是 true 或 false", "true or false"),
    ("data_centre: cn", "data_centre: [cn]", "CONF005", 9, "应是一个值", "a single value"),
    ("secret:shop/client_secret", "hunter2", "CONF010", 11, "像是密码或密钥", "looks like a secret"),
    ("data_centre: cn", "data_centre: 1000.0123456789abcdef0123456789abcdef", "CONF010", 9, "像是密码或密钥", "looks like a secret"),
    ("https://accounts", "https://me:hunter2@accounts", "CONF010", 12, "像是密码或密钥", "looks like a secret"),
    ("state: var", "store: postgresql://me:hunter2@db.example.test/crm", "CONF010", 4, "“store”像是密码或密钥", "“store” looks like a secret"),
    (", at: 02:00", "", "CONF020", 16, "at 或 cron 之一", "either at or cron"),
    ("at: 02:00", "at: 02:00, cron: 0 2 * * *", "CONF020", 16, "at 或 cron 之一", "either at or cron"),
    ("at: 02:00", "at: 2am", "CONF022", 16, "不是几点几分", "no time of day"),
    ('"30 2 * * 1-5"', '"30 2 * *"', "CONF022", 17, "应有五段", "five fields"),
    ("connection: shop, at", "connection: shp, at", "CONF021", 16, "连接“shp”不存在", "names connection “shp”"),
    ("catch_up: skip", "catch_up: skips", "CONF007", 16, "不能是“skips”", "cannot be “skips”"),
    ("version: 1", "memory: 100 MB", "CONF007", 1, "内存不能是“100 MB”", "memory cannot be “100 MB”"),
    ("version: 1", "memory: lots", "CONF007", 1, "内存不能是“lots”", "memory cannot be “lots”"),
    ("jobs:\n", "jobs: [a]\nx:\n", "CONF005", 15, "键: 值", "key: value"),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=[f"{case[2]} {case[1][:24]}" for case in CASES])
def test_mistake(case: tuple[str, str, str, int, str, str], tmp_path: Path) -> None:
    old, new, code, line, zh, en = case
    found = problems(tmp_path, GOOD.replace(old, new, 1))
    item = next((item for item in found if item.code == code), None)
    assert item is not None, [(one.code, one.message.en) for one in found]
    assert item.span.line == line
    assert zh in item.message.zh
    assert en in item.message.en
    for one in found:
        assert "hunter2" not in repr((one.message, one.mend, one.fix, one.labels))
        assert "0123456789abcdef" not in repr((one.message, one.mend, one.fix))


def test_every_problem_comes_at_once(tmp_path: Path) -> None:
    text = GOOD.replace("version: 1", "version: 2").replace("language: en", "language: fr")
    found = problems(tmp_path, text.replace("at: 02:00", "at: 2am"))
    assert {item.code for item in found} == {"CONF003", "CONF007", "CONF022"}


def test_no_project_names_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load_project(tmp_path)
    assert caught.value.code == "CONF001"
    assert caught.value.mend is not None
    assert "crmsync init" in caught.value.mend.en
