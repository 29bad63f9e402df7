"""What is remembered of reloads."""

import asyncio

import pytest

from offhook.errors import NotFound
from offhook.reload import records as records_module
from offhook.reload.progress import ReloadRecord, ReloadState, fail, note_sent
from offhook.reload.records import ReloadRecords


def _record(reload_id: int) -> ReloadRecord:
    return ReloadRecord(
        id=reload_id, device_id=1, carrier_id=1, revision=7, awaits_registration=False, actor="jane", created_at=1.0
    )


def test_the_latest_is_first() -> None:
    records = ReloadRecords()
    for reload_id in (3, 1, 2):
        records.put(_record(reload_id), ())
    assert [record.id for record in records.recent()] == [3, 2, 1]
    assert records.find(2) == records[2]
    assert records.find(9) is None


def test_a_record_that_does_not_differ_is_no_change() -> None:
    records = ReloadRecords()
    assert records.put(_record(1), ())
    assert not records.put(_record(1), ())
    assert records.put(note_sent(_record(1), "check-sync", 2.0), ())


def test_what_runs_or_is_not_in_the_journal_is_kept_beyond_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records_module, "_KEPT", 1)
    records = ReloadRecords()
    for reload_id in (1, 2):
        records.put(fail(_record(reload_id), "why", 2.0), ())
    records.take_changed()
    records.put(fail(_record(3), "why", 2.0), (1,))
    assert [record.id for record in records.recent()] == [3, 1]


def test_a_journal_gives_back_the_last_that_ended_and_all_that_have_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records_module, "_KEPT", 1)
    records = ReloadRecords()
    ended = [fail(_record(reload_id), "why", 2.0) for reload_id in (1, 3, 4)]
    records.load([ended[0], _record(2), *ended[1:]])
    assert [record.id for record in records.recent()] == [4, 2]
    assert records.take_changed() == []


async def test_who_waits_is_woken_by_another_state() -> None:
    records = ReloadRecords()
    records.put(_record(1), ())
    waiting = asyncio.create_task(records.wait(1, ReloadState.QUEUED.value, 30.0))
    await asyncio.sleep(0)
    records.put(note_sent(_record(1), "check-sync", 2.0), ())
    assert (await waiting).state is ReloadState.SENT


async def test_nobody_waits_for_what_is_not_remembered() -> None:
    with pytest.raises(NotFound, match="there is no reload 9"):
        await ReloadRecords().wait(9, "queued", 1.0)
