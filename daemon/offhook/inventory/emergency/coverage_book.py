"""The coverage report of the moment: made anew when the inventory has changed, and kept for everyone who asks."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Final

from offhook.clock import Clock
from offhook.inventory.emergency.coverage import (
    RECHECK_AFTER_SECONDS,
    AddressCounts,
    CoverageReport,
    count_addresses,
    report_coverage,
)
from offhook.inventory.snapshot import Inventory

#: Addresses grow old without any change.
_KEPT_SECONDS: Final = 3600.0


@dataclass(frozen=True, slots=True)
class Covered:
    """A report, and what it is about."""

    inventory: Inventory
    at: float
    report: CoverageReport
    addresses: AddressCounts


class CoverageBook:
    """Makes the report in a worker thread: for 50,000 devices it takes the better part of a second."""

    def __init__(
        self,
        inventory: Callable[[], Inventory],
        clock: Clock,
        executor: Executor,
        observe: Callable[[CoverageReport, AddressCounts], None],
    ) -> None:
        """``observe`` is told of each report."""
        self._inventory = inventory
        self._clock = clock
        self._executor = executor
        self._observe = observe
        self._recheck_after_seconds = RECHECK_AFTER_SECONDS
        self._covered: Covered | None = None
        self._turn = asyncio.Lock()

    def use(self, recheck_after_seconds: float) -> None:
        """Calls addresses old that were found valid longer ago than that."""
        self._recheck_after_seconds = recheck_after_seconds
        self._covered = None

    async def current(self) -> Covered:
        """The report on the inventory as it is now."""
        async with self._turn:
            inventory, now = self._inventory(), self._clock.now()
            covered = self._covered
            if covered is None or covered.inventory is not inventory or not 0 <= now - covered.at < _KEPT_SECONDS:
                loop = asyncio.get_running_loop()
                covered = await loop.run_in_executor(self._executor, self._make, inventory, now)
                self._covered = covered
                self._observe(covered.report, covered.addresses)
            return covered

    def _make(self, inventory: Inventory, now: float) -> Covered:
        report = report_coverage(inventory, now, recheck_after_seconds=self._recheck_after_seconds)
        return Covered(inventory, now, report, count_addresses(inventory))
