"""The reloads that are remembered: those under way, and the last that ended. The journal has more."""

import asyncio
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Final

import structlog

from offhook.errors import NotFound
from offhook.reload.progress import ReloadRecord, ReloadState

_KEPT: Final = 1_000

log = structlog.get_logger()


class ReloadRecords:
    """Records by id, who waits for them to change, and which are not in the journal yet."""

    def __init__(self, timeout: Callable[[float], asyncio.Timeout] = asyncio.timeout) -> None:
        self._timeout = timeout
        self._records: dict[int, ReloadRecord] = {}
        self._changed: set[int] = set()
        self._waiters: dict[int, set[asyncio.Event]] = {}

    def __getitem__(self, reload_id: int) -> ReloadRecord:
        return self._records[reload_id]

    def find(self, reload_id: int) -> ReloadRecord | None:
        return self._records.get(reload_id)

    def recent(self) -> Sequence[ReloadRecord]:
        """Latest first."""
        return sorted(self._records.values(), key=lambda record: record.id, reverse=True)

    def load(self, records: Sequence[ReloadRecord]) -> None:
        """Takes what the journal holds, in order: all that have not ended, and the last that have."""
        ended = [record for record in records if record.state.is_final]
        under_way = [record for record in records if not record.state.is_final]
        self._records.update({record.id: record for record in (*ended[-_KEPT:], *under_way)})

    def put(self, record: ReloadRecord, running: Collection[int]) -> bool:
        """Replaces a record and wakes who waits for it; False where nothing differs. ``running`` ones are kept."""
        before = self._records.get(record.id)
        if before == record:
            return False
        self._records[record.id] = record
        self._changed.add(record.id)
        if before is None or before.state is not record.state:
            tell = log.warning if record.state is ReloadState.FAILED else log.info
            tell(
                "reload.progressed",
                state=record.state.value,
                reload=record.id,
                device_id=record.carrier_id,
                revision=record.revision,
                sip_event=record.event,
                status=record.answer_status,
                reason=record.reason,
            )
        for waiter in self._waiters.get(record.id, ()):
            waiter.set()
        self._forget_surplus(running)
        return True

    def _forget_surplus(self, running: Collection[int]) -> None:
        """Lets the oldest go that have ended and are in the journal."""
        surplus = len(self._records) - _KEPT
        if surplus <= 0:
            return
        for old in sorted(self._records)[:surplus]:
            if self._records[old].state.is_final and old not in self._changed and old not in running:
                del self._records[old]

    async def wait(self, reload_id: int, state: str, seconds: float) -> ReloadRecord:
        """The record once its state is another than ``state``, or as it is when the time is over."""
        record = self._records.get(reload_id)
        if record is None:
            raise NotFound(f"there is no reload {reload_id}")
        if record.state.value != state or record.state.is_final:
            return record
        changed = asyncio.Event()
        self._waiters.setdefault(reload_id, set()).add(changed)
        try:
            async with self._timeout(seconds):
                await changed.wait()
        except TimeoutError:
            pass
        finally:
            waiters = self._waiters.get(reload_id, set())
            waiters.discard(changed)
            if not waiters:
                self._waiters.pop(reload_id, None)
        return self._records.get(reload_id, record)

    def take_changed(self) -> list[ReloadRecord]:
        """Records that changed since the last call."""
        changed = [self._records[reload_id] for reload_id in sorted(self._changed) if reload_id in self._records]
        self._changed.clear()
        return changed

    def put_back(self, records: Iterable[ReloadRecord]) -> None:
        """Marks as not on disk what could not be written."""
        self._changed.update(record.id for record in records if record.id in self._records)
