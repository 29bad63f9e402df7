"""Emergency addresses: who judges them by the configuration, and what is done about them beside the servers."""

import asyncio
from concurrent.futures import Executor
from typing import Final

import aiohttp

from offhook.adapters import repeat
from offhook.clock import Clock
from offhook.config.emergency import ReadEmergency
from offhook.config.schema import ValidatorKind
from offhook.inventory.address import CheckedBy
from offhook.inventory.emergency.coverage import AddressCounts, CoverageReport
from offhook.inventory.emergency.coverage_book import CoverageBook
from offhook.inventory.emergency.upkeep import AddressUpkeep
from offhook.inventory.emergency.validation import Authority, Validation
from offhook.inventory.service import InventoryService
from offhook.observability.metrics import Metrics
from offhook.validators.http import HttpValidator

_DAY_SECONDS: Final = 86400.0
_VALIDATE_SECONDS: Final = 1.0
_COUNT_SECONDS: Final = 10.0


class Addresses:
    """What works on emergency addresses in the daemon."""

    def __init__(self, service: InventoryService, metrics: Metrics, clock: Clock, executor: Executor) -> None:
        self.validation = Validation(metrics.address_validated)
        self.coverage = CoverageBook(lambda: service.inventory, clock, executor, self._observe)
        self._metrics = metrics
        self._upkeep = AddressUpkeep(service, self.validation, clock)
        self._session: aiohttp.ClientSession | None = None

    def use(self, read: ReadEmergency) -> None:
        """Takes what was read of the configuration; on the loop."""
        authority = self._authority(read)
        self._upkeep.use(authority)
        self.coverage.use(authority.recheck_after_seconds)

    def _authority(self, read: ReadEmergency) -> Authority:
        recheck = read.section.recheck_days * _DAY_SECONDS
        if read.street_ranges is not None:
            return Authority(
                validator=read.street_ranges,
                by=CheckedBy.STREET_RANGES,
                countries=read.street_ranges.countries,
                recheck_after_seconds=recheck,
            )
        http = read.section.http
        if read.section.validator is ValidatorKind.HTTP and http.url is not None:
            if self._session is None:
                self._session = aiohttp.ClientSession()
            validator = HttpValidator(self._session, http.url, token=read.token, timeout_seconds=http.timeout_seconds)
            return Authority(validator=validator, by=CheckedBy.HTTP, recheck_after_seconds=recheck)
        return Authority(recheck_after_seconds=recheck)

    async def run(self) -> None:
        """Validates drafts and counts what is covered. Runs until it is cancelled."""
        await self.coverage.current()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(repeat(_VALIDATE_SECONDS, self._upkeep.tend))
            tasks.create_task(repeat(_COUNT_SECONDS, self.coverage.current))

    async def close(self) -> None:
        """Lets go of the validator."""
        if self._session is not None:
            await self._session.close()

    def _observe(self, report: CoverageReport, addresses: AddressCounts) -> None:
        total = report.total
        self._metrics.devices_without_location(total.devices - total.dispatchable, total.assigned_not_dispatchable)
        self._metrics.emergency_addresses("draft", addresses.draft)
        self._metrics.emergency_addresses("valid", addresses.valid)
        self._metrics.emergency_addresses("rejected", addresses.rejected)
