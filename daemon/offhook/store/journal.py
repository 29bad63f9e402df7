"""journal.db: what devices reported and how reloads went. Written behind, at most a second of it can be lost.

Nothing waits for it and nothing depends on it being complete, so a disk that fails costs facts, never a
registration: what could not be written is kept, in its bounded memory, and tried again.
"""

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Final

from offhook.errors import SchemaTooNew, StoreError, StoreUnavailable
from offhook.inventory.facts import DeviceFacts
from offhook.reload.progress import ReloadRecord, ReloadState
from offhook.store.failures import explain

_SCHEMA_VERSION: Final = 1
_SCHEMA: Final = """
CREATE TABLE facts (device_id INTEGER PRIMARY KEY, facts TEXT NOT NULL) STRICT;
CREATE TABLE reloads (id INTEGER PRIMARY KEY, record TEXT NOT NULL) STRICT;
"""
_RELOADS_KEPT: Final = 10_000
_REMEDY: Final = "Move it away and start again: that forgets when devices were last seen, and no more."


class Journal:
    """Calls block: they are made from one worker thread at a time."""

    def __init__(self, path: Path) -> None:
        """Opens or makes the file.

        Raises SchemaTooNew where a newer Offhook wrote it, StoreError where it cannot be used.
        """
        self._path = path
        try:
            path.touch(mode=0o600)
            self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5)
        except (OSError, sqlite3.Error) as error:
            raise StoreError(explain(error, path, "cannot be opened", _REMEDY)) from None
        try:
            self._prepare(path)
        except sqlite3.Error as error:
            self._connection.close()
            raise StoreError(explain(error, path, "cannot be used", _REMEDY)) from None
        except SchemaTooNew:
            self._connection.close()
            raise

    def _prepare(self, path: Path) -> None:
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=NORMAL")
        version = self._connection.execute("PRAGMA user_version").fetchone()[0]
        if version > _SCHEMA_VERSION:
            raise SchemaTooNew(
                f"{path} has schema {version}, and this version knows {_SCHEMA_VERSION}: a newer Offhook wrote it. "
                "Install that version again; or move the file away, which forgets when devices were last seen."
            )
        if version == 0:
            self._connection.executescript(f"BEGIN;{_SCHEMA}PRAGMA user_version={_SCHEMA_VERSION};COMMIT;")

    def load_facts(self) -> list[DeviceFacts]:
        """Those of every device. Raises StoreError where the file cannot be read."""
        names = {field.name for field in fields(DeviceFacts)}
        rows = self._read("SELECT facts FROM facts")
        return [DeviceFacts(**{key: value for key, value in json.loads(row).items() if key in names}) for row in rows]

    def load_reloads(self) -> list[ReloadRecord]:
        """Those that are kept, oldest first. Raises StoreError where the file cannot be read."""
        return [_record(row) for row in self._read("SELECT record FROM reloads ORDER BY id")]

    def _read(self, query: str) -> list[str]:
        try:
            return [row[0] for row in self._connection.execute(query)]
        except sqlite3.Error as error:
            raise StoreError(explain(error, self._path, "cannot be read", _REMEDY)) from None

    def write(self, facts: Sequence[DeviceFacts], reloads: Sequence[ReloadRecord], gone: Sequence[int]) -> None:
        """Everything of a moment, in one transaction. Raises StoreUnavailable, and nothing is written."""
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                self._write(facts, reloads, gone)
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:  # a full disk, for one, has ended it already
                    self._connection.execute("ROLLBACK")
                raise
        except sqlite3.Error as error:
            raise StoreUnavailable(explain(error, self._path, "was not written", _REMEDY)) from None

    def _write(self, facts: Sequence[DeviceFacts], reloads: Sequence[ReloadRecord], gone: Sequence[int]) -> None:
        self._connection.execute(
            "DELETE FROM facts WHERE device_id IN (SELECT value FROM json_each(?))", [json.dumps(gone)]
        )
        self._connection.execute(
            "INSERT OR REPLACE INTO facts SELECT json_extract(value, '$.device_id'), value FROM json_each(?)",
            [json.dumps([asdict(entry) for entry in facts])],
        )
        self._connection.execute(
            "INSERT OR REPLACE INTO reloads SELECT json_extract(value, '$.id'), value FROM json_each(?)",
            [json.dumps([asdict(record) for record in reloads])],
        )
        self._connection.execute(
            "DELETE FROM reloads WHERE id <= (SELECT id FROM reloads ORDER BY id DESC LIMIT 1 OFFSET ?)",
            [_RELOADS_KEPT],
        )

    def close(self) -> None:
        self._connection.close()


def _record(text: str) -> ReloadRecord:
    names = {field.name for field in fields(ReloadRecord)}
    data = {key: value for key, value in json.loads(text).items() if key in names}
    return ReloadRecord(**{**data, "state": ReloadState(data["state"])})
