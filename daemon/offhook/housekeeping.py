"""What has to be done now and then: facts written behind, old credentials retired, gauges sampled."""

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import Executor
from functools import partial
from typing import Final

import structlog

from offhook.adapters import repeat
from offhook.errors import StoreError, StoreUnavailable
from offhook.events import EventBus, InventoryChanged
from offhook.inventory.facts import FactBook
from offhook.inventory.models import Account, Carrier, Device
from offhook.inventory.service import InventoryService
from offhook.inventory.snapshot import Inventory
from offhook.observability.metrics import Metrics
from offhook.observability.repeats import Repeats
from offhook.reload.service import ReloadService
from offhook.store.journal import Journal

_JOURNAL_SECONDS: Final = 0.5
_SAMPLE_SECONDS: Final = 1.0
_RETIRE_SECONDS: Final = 5.0

log = structlog.get_logger()


class Housekeeping:
    """Runs beside the servers."""

    def __init__(
        self,
        *,
        service: InventoryService,
        facts: FactBook,
        reloads: ReloadService,
        journal: Journal,
        bus: EventBus,
        metrics: Metrics,
        executor: Executor,
        sample: Callable[[], None],
    ) -> None:
        self._service = service
        self._facts = facts
        self._reloads = reloads
        self._journal = journal
        self._metrics = metrics
        self._executor = executor
        self._sample = sample
        self._gone: list[int] = []
        self._repeats = Repeats()
        bus.subscribe(InventoryChanged, self._forget_devices)

    async def run(self) -> None:
        """Everything, each at its pace. Runs until it is cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(repeat(_JOURNAL_SECONDS, self.write_journal))
            tasks.create_task(repeat(_SAMPLE_SECONDS, self._sample))
            tasks.create_task(repeat(_RETIRE_SECONDS, self.retire))

    async def write_journal(self) -> None:
        """Writes what changed since the last time; what cannot be written waits for the next."""
        facts, reloads = self._facts.take_changed(), self._reloads.take_changed()
        gone, self._gone = self._gone, []
        if not (facts or reloads or gone):
            return
        loop = asyncio.get_running_loop()
        try:
            await loop.run_in_executor(self._executor, partial(self._journal.write, facts, reloads, gone))
        except StoreUnavailable as error:
            self._facts.put_back(facts)
            self._reloads.put_back(reloads)
            self._gone += gone
            self._metrics.store_error("journal")
            self._tell("store.journal.failed", error)

    async def retire(self) -> None:
        """Deletes credentials that are not needed any more."""
        try:
            await self._service.retire(self._is_behind)
        except StoreError as error:
            self._metrics.store_error("inventory")
            self._tell("store.inventory.failed", error)

    def _tell(self, event: str, error: StoreError) -> None:
        """Once a minute: what fails twice a second on a full disk would fill the log as well."""
        text = str(error)
        self._repeats.log(log, logging.ERROR, event, (text,), time.monotonic(), error=text)

    def _is_behind(self, inventory: Inventory, account: Account) -> bool:
        """Whether a device of the account that may fetch has yet to; one that is disabled may not."""
        carriers = ((inventory.get(Device, carrier.id), carrier) for carrier in inventory.all(Carrier))
        return any(
            carrier.revision > self._facts.of(carrier.id).fetched_revision
            for device, carrier in carriers
            if device.account_id == account.id and inventory.is_in_service(device)
        )

    def _forget_devices(self, event: InventoryChanged) -> None:
        for device_id in self._facts.forget(event, self._service.inventory):
            self._gone.append(device_id)
            self._reloads.forget_carrier(device_id)
