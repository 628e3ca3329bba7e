"""Everything people write wrong is told with place, cause and mend, in English and in Chinese.

``CRMSYNC_GOLDEN=write pytest tests/unit/bad_input`` writes the pages anew; look at the difference
before committing it.
"""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from tests.unit.bad_input.catalogue import ELSEWHERE, ROWS, TOKEN, Row, Slip
from tests.unit.bad_input.small_project import (
    LANGUAGES,
    RULES,
    Told,
    against_the_crm,
    checked,
    refused,
    write,
)

from crmsync.config import SecretSources
from crmsync.schedule.slots import timetable

GOLDEN = Path(__file__).resolve().parents[2] / "golden" / "bad_input"
CHINESE = re.compile(r"[\u4e00-\u9fff]")
FORMATS = ("full", "concise", "github", "json")


def told(slip: Slip, folder: Path) -> Told:
    write(folder, slip.edits, slip.whole)
    slip.done(folder)
    return slip.look(folder)


def kept(name: str, page: str) -> None:
    file = GOLDEN / f"{name}.txt"
    if os.environ.get("CRMSYNC_GOLDEN") == "write":
        file.write_text(page, encoding="utf-8")
    assert page == file.read_text(encoding="utf-8")


def page_of(row: Row, every: list[tuple[Slip, Told]]) -> str:
    parts = [f"{row.number} · {row.name}\n"]
    for slip, said in every:
        parts += [
            f"\n═══ {slip.what}\n",
            *("\n" + said.as_page("full", lang) for lang in LANGUAGES),
        ]
    return "".join(parts)


def file_of(row: Row) -> str:
    words = re.sub(r"[^a-z0-9]+", "-", row.name.lower()).strip("-")
    return f"{row.number.zfill(2) if row.number.isdigit() else row.number}-{words}"


def test_the_small_project_is_sound(tmp_path: Path) -> None:
    write(tmp_path)
    assert checked(tmp_path).found == ()
    assert against_the_crm(tmp_path).found == ()


def test_no_row_is_missing() -> None:
    numbers = [row.number for row in ROWS] + list(ELSEWHERE)
    assert sorted(numbers) == sorted([*map(str, range(1, 41)), *"ABCDEFGHI"])
    assert all(name in globals() for name in ELSEWHERE.values())
    files = {f"{file_of(row)}.txt" for row in ROWS} | {"36-secret-file.txt"}
    assert {path.name for path in GOLDEN.iterdir()} == files


@pytest.mark.parametrize("row", ROWS, ids=file_of)
def test_what_is_said(row: Row, tmp_path: Path) -> None:
    every = [(slip, told(slip, tmp_path / str(n))) for n, slip in enumerate(row.slips)]
    kept(file_of(row), page_of(row, every))
    for slip, said in every:
        assert bool(said.found) != slip.fine, slip.what
        for one in said.found:
            assert one.span.file
            assert one.span.line >= 1
            assert one.mend is not None, one.message.en
            for text in (one.message, one.mend):
                assert text.en
                assert CHINESE.search(text.zh) or text.zh == text.en
            assert not CHINESE.search(re.sub("“[^”]*”", "", one.message.en)), one.message.en
        for format in FORMATS:
            for language in LANGUAGES:
                assert TOKEN not in said.as_page(format, language)


def test_a_file_nobody_may_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Row 40 once more; who runs the tests may read everything, so the refusal is the system's
    own put in by hand."""
    write(tmp_path)
    plain = Path.read_bytes

    def read(path: Path) -> bytes:
        if path.name == "rules.yaml":
            raise PermissionError
        return plain(path)

    monkeypatch.setattr(Path, "read_bytes", read)
    (found,) = checked(tmp_path).found
    assert found.message.en == f"no permission to read {RULES}"
    assert found.message.zh == f"没有权限读取 {RULES}"
    assert found.mend is not None
    assert found.mend.en == f"Run chmod u+r {RULES}."


def test_a_secret_file_others_can_read(tmp_path: Path) -> None:
    """Row 36."""
    path = tmp_path / "shop" / "refresh_token"
    path.parent.mkdir()
    path.write_text(TOKEN)
    path.chmod(0o644)
    english, chinese = refused(
        lambda: SecretSources(tmp_path, {}).get("secret:shop/refresh_token"), tmp_path
    )
    kept("36-secret-file", f"36 · a secret file others can read\n\n{english}\n{chinese}")
    assert TOKEN not in english + chinese


def test_the_next_runs_of_monday_to_friday() -> None:
    """Row 37: the days are those every cron means."""
    zone = ZoneInfo("Asia/Shanghai")
    friday = datetime(2026, 11, 27, 12, tzinfo=UTC)
    for written, days in (
        ("0 2 * * 1-5", ["Mon", "Tue", "Wed"]),
        ("0 2 * * 1-5/2", ["Mon", "Wed", "Fri"]),
        ("0 2 * * */2", ["Sat", "Sun", "Tue"]),
        ("0 2 * * 5-7", ["Sat", "Sun", "Fri"]),
        ("0 2 * * fri-sun", ["Sat", "Sun", "Fri"]),
        ("0 2 * * 3/2", ["Wed", "Fri", "Wed"]),
    ):
        runs = timetable(written, zone).between(friday, friday + timedelta(days=14))
        first = [f"{moment.astimezone(zone):%a}" for moment, _ in zip(runs, range(3), strict=False)]
        assert first == days, written
