"""Python's collector of cyclic garbage, kept from stopping everybody.

A full collection visits every object while it holds the interpreter, so no REGISTER is answered: 0.4 s with 10,000
phones in memory, and several times while as many are made. The inventory is trees of values without cycles, which go
without it. So it is off while much is made at once, and what there is then is set apart, where no collection looks.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

#: A collection of so many objects takes a few milliseconds.
_MANY: Final = 50_000


@dataclass(slots=True)
class _Pauses:
    """How many there are; the collector is one for the whole process."""

    count: int = 0
    was_enabled: bool = False


_PAUSES: Final = _Pauses()


@contextmanager
def collection_paused() -> Iterator[None]:
    """Nothing is collected meanwhile. For the event loop's thread; it may be entered several times at once.

    Where many objects have come into being, no collection looks at them afterwards either; they go when nobody refers
    to them any more. What was garbage in cycles just then stays until the process ends, so this is for what is seldom.
    """
    if not _PAUSES.count:
        _PAUSES.was_enabled = gc.isenabled()
        gc.disable()
    _PAUSES.count += 1
    try:
        yield
    finally:
        _PAUSES.count -= 1
        if not _PAUSES.count and _PAUSES.was_enabled:
            if gc.get_count()[0] > _MANY:
                set_apart()
            gc.enable()


def set_apart() -> None:
    """What there is now lasts: no collection looks at it any more. It still goes when nobody refers to it."""
    gc.freeze()
