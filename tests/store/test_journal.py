"""Facts and reloads come back as they were, in bounds, and a failing disk loses nothing but time."""

import sqlite3
import stat
from pathlib import Path
from typing import Any

import pytest

from offhook.errors import SchemaTooNew, StoreError, StoreUnavailable
from offhook.inventory.facts import DeviceFacts
from offhook.reload.progress import ReloadRecord, ReloadState
from offhook.store import journal as journal_module
from offhook.store.journal import Journal

FACTS = DeviceFacts(
    device_id=2**60 + 1, ip="192.0.2.7", vendor="yealink", model="T46U", firmware="108.86.0.20", user_agent="Yealink é",
    fetched_revision=7, last_provisioned_at=1000.5, last_registered_at=None, failure="x",
)  # fmt: skip


def record(reload_id: int, state: ReloadState = ReloadState.DONE) -> ReloadRecord:
    return ReloadRecord(
        id=reload_id, device_id=1, carrier_id=2, revision=3, awaits_registration=True, actor="jane",
        created_at=1000.0, state=state, event="check-sync", answer_status=200, attempts=1, sent_at=1001.0,
    )  # fmt: skip


def test_what_is_written_comes_back(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.db")
    journal.write([FACTS, DeviceFacts(device_id=5)], [record(2**60 + 9), record(3, ReloadState.SENT)], [])
    journal.write([DeviceFacts(device_id=6)], [], [5])
    journal.close()
    again = Journal(tmp_path / "journal.db")
    assert again.load_facts() == [DeviceFacts(device_id=6), FACTS]
    assert again.load_reloads() == [record(3, ReloadState.SENT), record(2**60 + 9)]
    again.close()
    assert stat.S_IMODE((tmp_path / "journal.db").stat().st_mode) == 0o600


def test_the_latest_reloads_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_module, "_RELOADS_KEPT", 3)
    journal = Journal(tmp_path / "journal.db")
    for reload_id in range(1, 8):
        journal.write([], [record(reload_id)], [])
    assert [entry.id for entry in journal.load_reloads()] == [5, 6, 7]
    journal.close()


def test_a_write_that_fails_writes_nothing_and_may_be_repeated(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    journal = Journal(path)
    breaker = sqlite3.connect(path, isolation_level=None)
    breaker.execute("ALTER TABLE reloads RENAME TO elsewhere")
    with pytest.raises(StoreUnavailable, match=r"journal\.db was not written"):
        journal.write([FACTS], [record(1)], [])
    assert journal.load_facts() == []
    breaker.execute("ALTER TABLE elsewhere RENAME TO reloads")
    breaker.close()
    journal.write([FACTS], [record(1)], [])
    assert journal.load_facts() == [FACTS]
    journal.close()


def test_the_first_error_is_told_where_the_transaction_is_over_already(tmp_path: Path) -> None:
    """As on a full disk, where SQLite rolls back by itself."""
    path = tmp_path / "journal.db"
    journal = Journal(path)
    journal._connection.execute(
        "CREATE TEMP TRIGGER refuse BEFORE INSERT ON facts BEGIN SELECT RAISE(ROLLBACK, 'the disk is full'); END"
    )
    with pytest.raises(StoreUnavailable, match="the disk is full"):
        journal.write([FACTS], [], [])
    journal._connection.execute("DROP TRIGGER refuse")
    journal.write([FACTS], [], [])
    assert journal.load_facts() == [FACTS]
    journal.close()


def test_a_full_disk_is_said_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "journal.db"
    journal = Journal(path)
    pages = journal._connection.execute("PRAGMA page_count").fetchone()[0]
    journal._connection.execute(f"PRAGMA max_page_count={pages}")
    large = [DeviceFacts(device_id=number, user_agent="x" * 4000) for number in range(100)]
    with pytest.raises(
        StoreUnavailable, match=r"journal\.db was not written: the disk of .* is full\. Free some space"
    ):
        journal.write(large, [], [])
    journal.write([FACTS], [], [])
    journal.close()

    def connect_to_full_disk(*arguments: Any, **settings: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = connect(*arguments, **settings)
        connection.execute("PRAGMA max_page_count=1")
        return connection

    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", connect_to_full_disk)
    with pytest.raises(StoreError, match="is full") as refused:
        Journal(tmp_path / "new.db")
    assert "Move it away" not in str(refused.value)


def test_pages_that_are_damaged_are_said_so(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    journal = Journal(path)
    journal.write([DeviceFacts(device_id=number, user_agent="x" * 4000) for number in range(50)], [], [])
    journal.close()
    content = path.read_bytes()
    path.write_bytes(content[:8192] + b"\xff" * (len(content) - 8192))
    journal = Journal(path)
    with pytest.raises(StoreError, match=r"is damaged: .*Move it away"):
        journal.load_facts()
    journal.close()


def test_a_newer_journal_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    Journal(path).close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version=2")
    connection.close()
    with pytest.raises(SchemaTooNew, match="has schema 2, and this version knows 1"):
        Journal(path)


def test_a_damaged_journal_is_said_so(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    path.write_bytes(b"This is no database, whatever it is called. " * 50)
    with pytest.raises(StoreError, match=r"is damaged: .*Move it away"):
        Journal(path)
    with pytest.raises(StoreError, match="cannot be opened"):
        Journal(tmp_path / "missing" / "journal.db")
