"""Time as an argument: what needs it is given a :class:`Clock`, or ``now`` itself.

Timers run on the monotonic clock; what is stored or shown (expiry, "last seen") is wall time, in seconds
since the epoch.
"""

import time
from typing import Protocol


class Clock(Protocol):
    """Both clocks, in seconds."""

    def now(self) -> float:
        """Wall time since the epoch."""
        ...

    def monotonic(self) -> float:
        """Time that never goes backward; its zero means nothing."""
        ...


class SystemClock:
    """The machine's clocks."""

    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()
