"""The mirror of records read from one CRM connection: a DuckDB file with only mapped fields.

A pull works beside the published file and replaces it by rename; readers open the published file
read-only and keep what they opened. Encryption at rest is the disk's business.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from crmsync.errors import StoreError
from crmsync.model.text import Text
from crmsync.store.mirror_files import DEFAULTS, MirrorFiles, MirrorSettings, connect, unusable
from crmsync.store.mirror_merge import MergeCounts
from crmsync.store.mirror_meta import MirroredObject, MirrorMeta, merges_in, read_meta
from crmsync.store.mirror_purge import pointing_to, purge_mirror
from crmsync.store.mirror_staging import ReadKind, ReadState
from crmsync.store.mirror_writer import MirrorWriter

__all__ = [
    "MergeCounts",
    "MirrorFiles",
    "MirrorMeta",
    "MirrorSettings",
    "MirrorWriter",
    "MirroredObject",
    "ReadKind",
    "ReadState",
    "merges_in",
    "open_mirror",
    "pointing_to",
    "purge_mirror",
    "read_meta",
]


def open_mirror(path: Path, settings: MirrorSettings = DEFAULTS) -> duckdb.DuckDBPyConnection:
    """A read-only connection to the published mirror; close it when done.

    The mirror is attached as ``mirror`` and is the default catalogue; cursors reach its tables as
    ``mirror.main."Object"``. Temporary tables may be made; nothing outside the mirror can be
    reached. Raises StoreError when there is no mirror yet or it cannot be read.
    """
    files = MirrorFiles(path)
    if not path.exists():
        raise StoreError(
            Text(zh=f"还没有本地镜像 {path.name}", en=f"there is no local mirror {path.name} yet"),
            mend=Text(zh="先运行 crmsync pull", en="Run crmsync pull first."),
            code="MIRROR_MISSING",
        )
    try:
        connection = connect(settings, files, [("mirror", path, True)])
    except duckdb.Error as error:
        raise unusable(path, error) from error
    try:
        connection.execute("USE mirror")
        read_meta(connection)
    except (duckdb.Error, ValueError, KeyError) as error:
        connection.close()
        raise unusable(path, error) from error
    return connection
