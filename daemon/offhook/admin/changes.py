"""Tells those who wait that the inventory has changed."""

import asyncio
import contextlib

from offhook.events import InventoryChanged


class Changes:
    """Counts changes. What it gives is compared, and no more: after a restart of the daemon it is another one."""

    def __init__(self, started_at: float) -> None:
        self._started = f"{round(started_at * 1000):x}"
        self._count = 0
        self._changed = asyncio.Event()

    @property
    def current(self) -> str:
        """Names the state of the inventory that everyone sees now."""
        return f"{self._started}-{self._count}"

    def note(self, _event: InventoryChanged) -> None:
        """Wakes all who wait."""
        self._count += 1
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def wait(self, known: str, seconds: float) -> str:
        """The current state as soon as it is not ``known``, at the latest after ``seconds``."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self.current == known:
                    await self._changed.wait()
        return self.current
