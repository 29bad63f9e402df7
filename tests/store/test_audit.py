from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.support.keys import new_box

from offhook.errors import StoreUnavailable
from offhook.inventory.ports import AuditRecord
from offhook.store.audit import AuditFilter, SqlAuditLog
from offhook.store.sql.engine import open_engine
from offhook.store.sql.inventory import SqlInventoryStore
from offhook.store.sql.tables import metadata


def _record(number: int, **changes: Any) -> AuditRecord:
    record = AuditRecord(float(number), "uid 0 (root)", "socket", "abc", "update", "user", f"user {number}", "{}", "{}")
    return replace(record, **changes)


def _log_of(folder: Path, *records: AuditRecord) -> SqlAuditLog:
    engine = open_engine(folder / "inventory.db")
    metadata.create_all(engine)
    SqlInventoryStore(engine, new_box()).commit((), records)
    return SqlAuditLog(engine)


def test_the_latest_come_first_and_the_rest_in_parts(tmp_path: Path) -> None:
    log = _log_of(tmp_path, *(_record(number) for number in range(5)))
    first = log.read(3)
    assert [entry.record for entry in first] == [_record(4), _record(3), _record(2)]
    assert [entry.record for entry in log.read(3, first[-1].id)] == [_record(1), _record(0)]


RECORDS = (
    _record(1, actor="token ci", account_id=7),
    _record(2, action="create", before="", after='{"email": "jane@acme.test"}', account_id=7),
    _record(3, kind="device", key="device Reception (00:15:65:12:34:56)", request_id="def", account_id=8),
    _record(4, action="reveal", kind="line", key="lines of 100%_sure", reason="moving the PBX"),
)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (AuditFilter(), [4, 3, 2, 1]),
        (AuditFilter(actor="CI"), [1]),
        (AuditFilter(action="create"), [2]),
        (AuditFilter(kind="device"), [3]),
        (AuditFilter(keys=("reception", "user 1")), [3, 1]),
        (AuditFilter(keys=("%_",)), [4]),
        (AuditFilter(keys=("_",)), [4]),
        (AuditFilter(text="JANE@"), [2]),
        (AuditFilter(text="moving"), [4]),
        (AuditFilter(request_id="def"), [3]),
        (AuditFilter(since=2.0), [4, 3, 2]),
        (AuditFilter(until=3.0), [2, 1]),
        (AuditFilter(accounts=frozenset({7})), [2, 1]),
        (AuditFilter(accounts=frozenset({7, 8})), [3, 2, 1]),
        (AuditFilter(accounts=frozenset()), []),
        (AuditFilter(accounts=frozenset({7}), action="update"), [1]),
    ],
)
def test_records_are_found_by_what_they_hold(tmp_path: Path, wanted: AuditFilter, found: list[int]) -> None:
    log = _log_of(tmp_path, *RECORDS)
    assert [entry.id for entry in log.read(10, wanted=wanted)] == found
    assert [entry.id for entry in log.read(10, 2, wanted)] == [number for number in found if number < 2]
    assert [entry.id for entry in log.read(1, wanted=wanted)] == found[:1]


def test_a_database_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="the audit could not be read"):
        SqlAuditLog(open_engine(tmp_path / "inventory.db")).read(1)
