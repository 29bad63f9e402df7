"""Whoever waits for a change hears of it."""

import asyncio

from offhook.admin.changes import Changes
from offhook.events import InventoryChanged

CHANGED = InventoryChanged(actor="anna", request_id="-", device_ids=frozenset(), revised=frozenset(), at=0.0)


async def test_who_knows_an_older_state_is_answered_at_once() -> None:
    changes = Changes(1000.0)
    known = await changes.wait("", 60.0)
    changes.note(CHANGED)
    assert await changes.wait(known, 60.0) == changes.current != known


async def test_a_change_wakes_everyone_who_waits() -> None:
    changes = Changes(1000.0)
    known = changes.current
    waiting = [asyncio.create_task(changes.wait(known, 60.0)) for _ in range(3)]
    await asyncio.sleep(0)
    changes.note(CHANGED)
    assert await asyncio.gather(*waiting) == [changes.current] * 3


async def test_waiting_ends_without_a_change() -> None:
    changes = Changes(1000.0)
    assert await changes.wait(changes.current, 0.0) == changes.current


def test_another_daemon_counts_otherwise() -> None:
    assert Changes(1000.0).current != Changes(1000.5).current
