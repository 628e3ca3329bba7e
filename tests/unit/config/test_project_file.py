"""crmsync.yaml: every problem at once, with its place; secrets refused and never shown."""

from pathlib import Path

import pytest

from crmsync.config.project_file import load_project
from crmsync.errors import ConfigError

GOOD = """\
version: 1
language: en
people:
  role:客服主管: "1000"
connections:
  practice:
    connector: zoho
    client_id: 1000.EXAMPLE
    refresh_token: secret:zoho/refresh_token
    allow_private: true
jobs:
  nightly:
    ruleset: b2b-standard
    connection: practice
    at: "02:00"
    time_zone: Asia/Shanghai
    allow: {demotions: 40}
"""


def write(folder: Path, text: str) -> Path:
    (folder / "crmsync.yaml").write_text(text, encoding="utf-8")
    return folder


def codes(folder: Path, text: str) -> list[tuple[str, int]]:
    with pytest.raises(ConfigError) as caught:
        load_project(write(folder, text))
    return [(item.code, item.span.line) for item in caught.value.diagnostics]


def test_a_whole_file_is_read(tmp_path: Path) -> None:
    config = load_project(write(tmp_path, GOOD))
    practice = config.connections["practice"]
    assert practice.connector == "zoho"
    assert practice.allow_private is True
    assert practice.keys == {
        "client_id": "1000.EXAMPLE",
        "refresh_token": "secret:zoho/refresh_token",
    }
    nightly = config.jobs["nightly"]
    assert (nightly.when, nightly.time_zone, nightly.catch_up) == ("02:00", "Asia/Shanghai", "once")
    assert nightly.allow == ("demotions=40",)
    assert config.people == {"role:客服主管": "1000"}
    assert config.state == tmp_path / "var"


def test_without_a_file_the_message_names_init(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load_project(tmp_path)
    assert caught.value.mend is not None
    assert "crmsync init" in caught.value.mend.en
    assert "crmsync init" in caught.value.mend.zh


def test_all_problems_come_at_once_with_their_lines(tmp_path: Path) -> None:
    text = GOOD.replace("version: 1", "version: 2").replace("language: en", "langage: en")
    text = text.replace("connection: practice", "connection: practise")
    text = text.replace("Asia/Shanghai", "UTC+8")
    assert sorted(codes(tmp_path, text)) == [
        ("CONF003", 1),
        ("CONF004", 2),
        ("CONF008", 16),
        ("CONF021", 12),
    ]


def test_a_misspelt_key_names_the_nearest_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load_project(write(tmp_path, GOOD.replace("connections:", "conections:")))
    finding = caught.value.diagnostics[0]
    assert finding.mend is not None
    assert "connections" in finding.mend.en
    assert finding.fix is not None
    assert finding.fix.replacement == "connections"


def test_a_pasted_secret_is_refused_and_never_repeated(tmp_path: Path) -> None:
    secret = "1000.0123456789abcdef0123456789abcdef"  # invented
    text = GOOD.replace("secret:zoho/refresh_token", secret)
    with pytest.raises(ConfigError) as caught:
        load_project(write(tmp_path, text))
    (finding,) = caught.value.diagnostics
    assert finding.code == "CONF010"
    assert "secret:" in (finding.mend.en if finding.mend else "")
    assert secret not in repr(finding.message) + repr(finding.mend) + str(caught.value)


def test_a_job_needs_exactly_one_time(tmp_path: Path) -> None:
    both = GOOD.replace('at: "02:00"', 'at: "02:00"\n    cron: "0 2 * * *"')
    assert [code for code, _ in codes(tmp_path, both)] == ["CONF020"]
    none = GOOD.replace('    at: "02:00"\n', "")
    assert [code for code, _ in codes(tmp_path, none)] == ["CONF020"]


def test_a_pilot_limits_writing_to_its_group(tmp_path: Path) -> None:
    assert load_project(write(tmp_path, GOOD)).pilot.admits("any", None)
    text = GOOD + 'pilot:\n  owners: ["1000"]\n  ids: [a1]\n'
    pilot = load_project(write(tmp_path, text)).pilot
    assert pilot.admits("x", "1000")
    assert pilot.admits("a1", None)
    assert not pilot.admits("x", "1001")
    assert codes(tmp_path, GOOD + "pilot: {owners: 1000}\n") == [("CONF005", 18)]
