"""What has happened lately, for those who follow it: one ring that all listeners read, each at its own pace.

A listener holds no more than the number of the announcement that it has read last, so a slow one costs nothing. One
that the ring has overtaken, or that comes back too late, is told to read everything anew (``reset``). While nobody
listens, and for as long as those who were cut off may come back, nothing is announced at all.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from typing import Final

from offhook.admin.routes import format_json
from offhook.clock import Clock
from offhook.errors import RequestRefused
from offhook.inventory.reach import Reach

#: So long after the last listener has gone, announcements are still kept for it.
_REMEMBERED_SECONDS: Final = 120.0
_RETRY_SECONDS: Final = 30


class EventType(StrEnum):
    """What can be followed."""

    CHANGE = "change"
    #: Of the inventory.
    DEVICE = "device"
    #: The status of a device.
    RELOAD = "reload"
    #: Where a reload stands.


@dataclass(frozen=True, slots=True)
class Announcement:
    """Something that happened."""

    number: int
    #: Rises by one from each to the next.
    type: EventType
    account_id: int
    data: str
    #: JSON, on one line.


@dataclass(frozen=True, slots=True)
class News:
    """What a listener has not read yet."""

    missed: int
    #: Announcements that are kept no more, wanted or not; -1 where it is not known how many.
    items: tuple[Announcement, ...]
    last: int
    #: The number of the latest announcement, wanted or not.


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a listener wants."""

    types: frozenset[EventType]
    accounts: Reach | None = None

    def __call__(self, announcement: Announcement) -> bool:
        return announcement.type in self.types and (self.accounts is None or announcement.account_id in self.accounts)


class Announcements:
    """The ring, and who listens."""

    def __init__(
        self,
        clock: Clock,
        *,
        kept: int = 1000,
        listeners: int = 100,
        observer: Callable[[int, int], None] = lambda _listeners, _missed: None,
    ) -> None:
        """``observer`` is told how many listen now, and how many announcements one has missed."""
        self._clock = clock
        self._origin = f"{round(clock.now() * 1000):x}"
        #: In every id, so that one from before a restart is known for what it is.
        self._ring: deque[Announcement] = deque(maxlen=kept)
        self._last = 0
        self._listening = 0
        self._most = listeners
        self._observe = observer
        self._left_at: float | None = None
        self._news = asyncio.Event()
        self._is_closed = False

    def use(self, *, kept: int, listeners: int) -> None:
        """Takes other bounds; who listens already goes on."""
        self._most = listeners
        if kept != self._ring.maxlen:
            self._ring = deque(self._ring, maxlen=kept)

    @property
    def are_heard(self) -> bool:
        """Whether there is any use in announcing."""
        if self._listening:
            return True
        return self._left_at is not None and self._clock.monotonic() - self._left_at < _REMEMBERED_SECONDS

    def announce(self, kind: EventType, account_id: int, view: object) -> None:
        """Tells those who listen."""
        if not self.are_heard:
            return
        self._last += 1
        self._ring.append(Announcement(self._last, kind, account_id, format_json(view)))
        self._wake()

    def close(self) -> None:
        """Ends all listening, at once."""
        self._is_closed = True
        self._wake()

    def _wake(self) -> None:
        news, self._news = self._news, asyncio.Event()
        news.set()

    def id_of(self, number: int) -> str:
        """What a listener sends to go on from there."""
        return f"{self._origin}-{number}"

    @contextmanager
    def listen(self, wanted: Wanted, last_id: str = "") -> Iterator["Listener"]:
        """Begins after the announcement of that id, or now. Raises RequestRefused where too many listen."""
        if self._is_closed or self._listening >= self._most:
            raise RequestRefused(
                503, f"{self._listening} listen already", remedy="try again later", retry_after_seconds=_RETRY_SECONDS
            )
        if not self.are_heard:
            # What happened meanwhile was not announced, so that nobody can go on from before it.
            self._ring.clear()
            self._last += 1
        listener = Listener(self, wanted, self._find(last_id) if last_id else self._last)
        self._listening += 1
        self._observe(self._listening, 0)
        try:
            yield listener
        finally:
            self._listening -= 1
            self._left_at = self._clock.monotonic()
            self._observe(self._listening, 0)

    def _find(self, last_id: str) -> int:
        """The number of an id; -1 for one from elsewhere."""
        origin, _, number = last_id.strip().rpartition("-")
        is_number = number.isascii() and number.isdecimal() and len(number) < 20
        return int(number) if origin == self._origin and is_number and int(number) <= self._last else -1

    async def wait(self, number: int, seconds: float) -> bool:
        """Waits for an announcement after that one, so long at most; False once it is all over."""
        if self._last == number and not self._is_closed:
            try:
                async with asyncio.timeout(seconds):
                    await self._news.wait()
            except TimeoutError:
                pass
        return not self._is_closed

    def since(self, number: int, wanted: Wanted) -> News:
        """What came after that one."""
        oldest = self._last - len(self._ring) + 1
        missed = -1 if number < 0 else max(0, oldest - number - 1)
        if missed:
            self._observe(self._listening, abs(missed))
            return News(missed, (), self._last)
        fresh = islice(self._ring, number + 1 - oldest, None)
        return News(0, tuple(filter(wanted, fresh)), self._last)


class Listener:
    """Somebody who follows what is announced."""

    def __init__(self, announcements: Announcements, wanted: Wanted, number: int) -> None:
        self._announcements = announcements
        self._wanted = wanted
        self._number = number

    @property
    def id(self) -> str:
        """What it has read last."""
        return self._announcements.id_of(self._number)

    async def read(self, seconds: float) -> News | None:
        """What is new, after so many seconds at the latest; None once it is all over."""
        if not await self._announcements.wait(self._number, seconds):
            return None
        news = self._announcements.since(self._number, self._wanted)
        self._number = news.last
        return news
