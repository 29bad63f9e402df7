"""What is done now and then."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from structlog.testing import capture_logs
from tests.support.workbench import Workbench, raise_error

from offhook.errors import StoreUnavailable
from offhook.events import ConfigFetched, EventBus
from offhook.housekeeping import Housekeeping
from offhook.inventory.facts import DeviceFacts, FactBook
from offhook.observability.metrics import Metrics
from offhook.reload.progress import ReloadRecord
from offhook.store.journal import Journal


class _Reloads:
    """Reloads of which nothing has changed."""

    def __init__(self) -> None:
        self.forgotten: list[int] = []

    def take_changed(self) -> list[ReloadRecord]:
        return []

    def put_back(self, records: Sequence[ReloadRecord]) -> None:
        assert not records

    def forget_carrier(self, carrier_id: int) -> None:
        self.forgotten.append(carrier_id)


def _fetched(device_id: int) -> ConfigFetched:
    return ConfigFetched(device_id, 3, "001565123456.cfg", "device", 1000.0, "10.0.0.9", "http")


def _housekeeping(
    facts: FactBook, journal: Journal, metrics: Metrics, executor: ThreadPoolExecutor, bench: Workbench | None = None
) -> Housekeeping:
    bench = bench or Workbench()
    return Housekeeping(
        service=bench.service,
        facts=facts,
        reloads=_Reloads(),  # type: ignore[arg-type] # all of it that is used here
        journal=journal,
        bus=EventBus(raise_error),
        metrics=metrics,
        executor=executor,
        sample=lambda: None,
    )


async def test_facts_are_in_the_journal_after_a_write(tmp_path: Path) -> None:
    facts, journal = FactBook(), Journal(tmp_path / "journal.db")
    facts.note_fetched(_fetched(5))
    with ThreadPoolExecutor(1) as executor:
        await _housekeeping(facts, journal, Metrics("test"), executor).write_journal()
    assert [entry.fetched_revision for entry in journal.load_facts()] == [3]
    journal.close()


async def test_what_cannot_be_written_waits_for_the_next_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    facts, journal, metrics = FactBook(), Journal(tmp_path / "journal.db"), Metrics("test")
    facts.note_fetched(_fetched(5))
    write = journal.write

    def fail(entries: Sequence[DeviceFacts], reloads: Sequence[ReloadRecord], gone: Sequence[int]) -> None:
        raise StoreUnavailable("the disk is full")

    with ThreadPoolExecutor(1) as executor, capture_logs() as logs:
        housekeeping = _housekeeping(facts, journal, metrics, executor)
        monkeypatch.setattr(journal, "write", fail)
        await housekeeping.write_journal()
        monkeypatch.setattr(journal, "write", write)
        assert journal.load_facts() == []
        await housekeeping.write_journal()
    assert [entry.device_id for entry in journal.load_facts()] == [5]
    assert [entry["event"] for entry in logs] == ["store.journal.failed"]
    assert b'offhook_store_errors_total{op="journal"} 1.0' in metrics.exposition()
    journal.close()


async def test_a_former_domain_does_not_wait_for_a_device_that_may_not_fetch(tmp_path: Path) -> None:
    bench, facts, journal = Workbench(), FactBook(), Journal(tmp_path / "journal.db")
    device = "{type: deskphone, mac: 001565000001, state: %s}"
    await bench.apply("accounts: [{name: a, sip_domain: old.test, devices: [%s]}]" % (device % "active"))
    await bench.apply("accounts: [{name: a, sip_domain: new.test}]")
    with ThreadPoolExecutor(1) as executor:
        housekeeping = _housekeeping(facts, journal, Metrics("test"), executor, bench)
        await housekeeping.retire()
        assert bench.inventory.find_domain("old.test") is not None
        await bench.apply("accounts: [{name: a, devices: [%s]}]" % (device % "disabled"))
        await housekeeping.retire()
    assert bench.inventory.find_domain("old.test") is None
    journal.close()
