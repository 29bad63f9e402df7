"""Whether the daemon is alive, and whether it can do its work.

*Live* asks for a restart when it is false, *ready* only says that phones should not be sent here. The difference
matters when the disk is full: a restart would not help, and would cost every TCP connection.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeAlias

from offhook.observability.metrics import Metrics

LAG_INTERVAL_SECONDS = 0.1
#: Without a tick for so long, the event loop is held up by something that will not end.
STALLED_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one check found."""

    ok: bool
    text: str
    #: For an operator: what is wrong, or in which state it is.


Check: TypeAlias = Callable[[], Verdict]


class Health:
    """Named checks, and the event loop's pulse."""

    def __init__(self, metrics: Metrics, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._metrics = metrics
        self._monotonic = monotonic
        self._checks: dict[str, Check] = {}
        self._phase = Verdict(ok=False, text="starting")
        self._ticked_at = monotonic()

    def add_check(self, name: str, check: Check) -> None:
        """``check`` is asked whenever someone wants to know: it looks at what is known, and does no I/O."""
        self._checks[name] = check

    def mark_started(self) -> None:
        """Everything listens."""
        self._phase = Verdict(ok=True, text="running")

    def mark_stopping(self) -> None:
        """Nothing new is to be sent here."""
        self._phase = Verdict(ok=False, text="stopping")

    def report(self) -> dict[str, Verdict]:
        """Every check by name, ``daemon`` (starting, running, stopping) first."""
        return {"daemon": self._phase} | {name: check() for name, check in self._checks.items()}

    @property
    def ready(self) -> bool:
        """Whether every check is passed."""
        return all(verdict.ok for verdict in self.report().values())

    @property
    def live(self) -> bool:
        """Whether the event loop turns."""
        return self._monotonic() - self._ticked_at < STALLED_SECONDS

    async def watch_event_loop(self, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        """Measures ten times a second how late timers run. Runs until it is cancelled."""
        while True:
            began = self._monotonic()
            await sleep(LAG_INTERVAL_SECONDS)
            self._ticked_at = self._monotonic()
            self._metrics.event_loop_lag(max(0.0, self._ticked_at - began - LAG_INTERVAL_SECONDS))
