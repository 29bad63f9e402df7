"""The machine's clocks."""

import time

from offhook.clock import SystemClock


def test_both_clocks_are_the_machines() -> None:
    clock = SystemClock()
    before = time.time(), time.monotonic()
    now = clock.now(), clock.monotonic()
    after = time.time(), time.monotonic()
    assert before[0] <= now[0] <= after[0]
    assert before[1] <= now[1] <= after[1]
