from pathlib import Path

import pytest

from offhook.errors import StoreUnavailable
from offhook.inventory.ports import AuditRecord
from offhook.store.audit import SqlAuditLog
from offhook.store.keys import AesGcmBox, Keyring
from offhook.store.sql.engine import open_engine
from offhook.store.sql.inventory import SqlInventoryStore
from offhook.store.sql.tables import metadata


def _record(number: int) -> AuditRecord:
    return AuditRecord(float(number), "uid 0 (root)", "socket", "abc", "update", "user", f"user {number}", "{}", "{}")


def test_the_latest_come_first_and_the_rest_in_parts(tmp_path: Path) -> None:
    engine = open_engine(tmp_path / "inventory.db")
    metadata.create_all(engine)
    store = SqlInventoryStore(engine, AesGcmBox(Keyring(bytes(32))))
    store.commit((), [_record(number) for number in range(5)])
    log = SqlAuditLog(engine)
    first = log.read(3)
    assert [entry.record for entry in first] == [_record(4), _record(3), _record(2)]
    assert [entry.record for entry in log.read(3, first[-1].id)] == [_record(1), _record(0)]


def test_a_database_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="the audit could not be read"):
        SqlAuditLog(open_engine(tmp_path / "inventory.db")).read(1)
