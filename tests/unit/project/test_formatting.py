"""fmt changes white space and encoding and never what a file says."""

from __future__ import annotations

from pathlib import Path

import pytest

from crmsync.errors import UsageError
from crmsync.project.formatting import tidy

WORDS = "title: 客户分级 | £20,000\n"


def test_from_gbk_turns_the_old_files_and_leaves_those_that_are_utf8(tmp_path: Path) -> None:
    old, new = tmp_path / "old.yaml", tmp_path / "new.yaml"
    old.write_bytes(WORDS.encode("gb18030"))
    new.write_bytes(WORDS.encode())
    assert tidy(tmp_path, [old, new], encoding="gbk", write=True) == (old,)
    assert old.read_bytes() == new.read_bytes() == WORDS.encode()


def test_one_unreadable_file_leaves_every_file_as_it_was(tmp_path: Path) -> None:
    loose, broken = tmp_path / "loose.yaml", tmp_path / "broken.yaml"
    loose.write_bytes(b"title: a   \r\n")
    broken.write_bytes(b"title: \xff\xff\n")
    with pytest.raises(UsageError, match=r"broken\.yaml is not UTF-8"):
        tidy(tmp_path, [loose, broken], encoding=None, write=True)
    assert loose.read_bytes() == b"title: a   \r\n"
