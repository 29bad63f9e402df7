"""What keeps a stranger from writing the log: the same thing over and over is a line a minute.

Metrics count every occurrence; the log tells the first at once, and then at most one a minute, with how many were
left out since. What is left out can still be seen at level debug. Memory is bounded, and so are the lines: while as
many things as are told apart have been logged within a minute, everything else of an event shares one line.
"""

import logging
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any, Final

_SECONDS: Final = 60.0
_KEPT: Final = 1000


@dataclass(slots=True)
class _Told:
    at: float
    left_out: int = 0


class Repeats:
    """Counts what was logged a short while ago. Not for several threads at once."""

    def __init__(self, seconds: float = _SECONDS, kept: int = _KEPT) -> None:
        """``seconds`` lie between two lines about the same; ``kept`` things are told apart."""
        self._seconds = seconds
        self._kept = kept
        self._told: OrderedDict[Hashable, _Told] = OrderedDict()
        self._rest: dict[str, _Told] = {}

    def count(self, event: str, about: tuple[Hashable, ...], now: float) -> int | None:
        """How many were left out before this one, which is to be logged; None where it is to be left out itself.

        ``about`` is what makes an occurrence the same as another: source, reason. ``now`` may be of any clock.
        """
        key = (event, *about)
        told = self._told.get(key)
        if told is None and not self._has_room(now):
            told = self._rest.get(event)
            if told is None:
                self._rest[event] = _Told(now)
                return 0
        if told is None:
            self._told[key] = _Told(now)
            return 0
        if self._is_recent(told, now):
            told.left_out += 1
            return None
        left_out, told.at, told.left_out = told.left_out, now, 0
        if key in self._told:
            self._told.move_to_end(key)
        return left_out

    def log(
        self, log: Any, level: int, event: str, about: tuple[Hashable, ...], now: float, /, **fields: object
    ) -> None:
        """Logs at ``level`` of :mod:`logging`, with ``repeated`` where some were left out; or else at debug."""
        left_out = self.count(event, about, now)
        if left_out:
            fields["repeated"] = left_out
        log.log(logging.DEBUG if left_out is None else level, event, **fields)

    def _has_room(self, now: float) -> bool:
        """The one told longest ago makes room when its minute is over, and what was left out of it is forgotten."""
        if len(self._told) < self._kept:
            return True
        key, oldest = next(iter(self._told.items()))
        if self._is_recent(oldest, now):
            return False
        del self._told[key]
        return True

    def _is_recent(self, told: _Told, now: float) -> bool:
        """Wall time can be set back; then what was told counts as long ago."""
        return 0.0 <= now - told.at < self._seconds
