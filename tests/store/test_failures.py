"""A full disk, a file of somebody else and a damaged one are told apart."""

import errno
import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from offhook.store.failures import Trouble, explain, find_trouble

REMEDY = "Restore a backup."


def sqlite_error(code: int) -> sqlite3.Error:
    error = sqlite3.OperationalError("as SQLite says")
    error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize(
    ("error", "trouble"),
    [
        (sqlite_error(sqlite3.SQLITE_FULL), Trouble.FULL),
        (sqlite_error(sqlite3.SQLITE_IOERR_SHMSIZE), Trouble.FULL),
        (sqlite_error(sqlite3.SQLITE_IOERR_FSYNC), Trouble.DISK),
        (sqlite_error(sqlite3.SQLITE_READONLY_DBMOVED), Trouble.FORBIDDEN),
        (sqlite_error(sqlite3.SQLITE_CANTOPEN_ISDIR), Trouble.FORBIDDEN),
        (sqlite_error(sqlite3.SQLITE_BUSY_SNAPSHOT), Trouble.LOCKED),
        (sqlite_error(sqlite3.SQLITE_CORRUPT_INDEX), Trouble.DAMAGED),
        (sqlite_error(sqlite3.SQLITE_NOTADB), Trouble.DAMAGED),
        (sqlite_error(sqlite3.SQLITE_ERROR), Trouble.OTHER),
        (sqlite3.OperationalError("without a code"), Trouble.OTHER),
        (ValueError("no database's"), Trouble.OTHER),
        (OSError(errno.ENOSPC, "x"), Trouble.FULL),
        (OSError(errno.EIO, "x"), Trouble.DISK),
        (PermissionError(errno.EACCES, "x"), Trouble.FORBIDDEN),
    ],
)
def test_each_kind_is_known(error: Exception, trouble: Trouble) -> None:
    assert find_trouble(error) is trouble


@pytest.mark.parametrize("code", [sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR])
def test_a_backup_is_no_remedy_for_a_disk(code: int) -> None:
    told = explain(sqlite_error(code), Path("/state/x.db"), "cannot be used", REMEDY)
    assert told.startswith("/state/x.db cannot be used: ")
    assert REMEDY not in told


def test_a_full_disk_is_named() -> None:
    told = explain(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), Path("/state/x.db"), "cannot be opened", REMEDY)
    assert told == "/state/x.db cannot be opened: the disk of /state is full. Free some space there."


def test_what_sqlite_itself_raises_is_understood(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA max_page_count = 1")
        with pytest.raises(sqlite3.Error) as full:
            connection.execute("CREATE TABLE t (a)")
    path.write_bytes(b"no database" * 1000)
    with closing(sqlite3.connect(path)) as connection, pytest.raises(sqlite3.Error) as damaged:
        connection.execute("SELECT * FROM sqlite_master")
    assert [find_trouble(caught.value) for caught in (full, damaged)] == [Trouble.FULL, Trouble.DAMAGED]
    assert explain(damaged.value, path, "cannot be used", REMEDY) == (
        f"{path} is damaged: file is not a database. Restore a backup."
    )
