import asyncio

import pytest
from prometheus_client.parser import text_string_to_metric_families

from offhook.observability.health import STALLED_SECONDS, Health, Verdict
from offhook.observability.metrics import Metrics


class Time:
    """A clock whose sleep passes the time given, and late by ``lag``."""

    def __init__(self, lag: float = 0.0, sleeps: int = 3) -> None:
        self.now = 100.0
        self.lag = lag
        self.sleeps = sleeps

    def monotonic(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        if self.sleeps == 0:
            raise asyncio.CancelledError
        self.sleeps -= 1
        self.now += seconds + self.lag


def test_it_is_ready_from_start_to_stop_while_every_check_is_passed() -> None:
    health = Health(Metrics("1"))
    store = Verdict(ok=True, text="written a second ago")
    health.add_check("store", lambda: store)
    assert not health.ready
    health.mark_started()
    assert health.ready
    assert list(health.report()) == ["daemon", "store"]
    store = Verdict(ok=False, text="disk full")
    assert not health.ready
    assert health.report()["store"].text == "disk full"
    assert health.live
    store = Verdict(ok=True, text="written a second ago")
    health.mark_stopping()
    assert not health.ready
    assert health.report()["daemon"].text == "stopping"


async def test_lag_is_measured_and_is_a_sign_of_life() -> None:
    metrics, clock = Metrics("1"), Time(lag=0.25)
    health = Health(metrics, clock.monotonic)
    with pytest.raises(asyncio.CancelledError):
        await health.watch_event_loop(clock.sleep)
    values = {
        sample.name: sample.value
        for family in text_string_to_metric_families(metrics.exposition().decode())
        for sample in family.samples
    }
    assert values["offhook_event_loop_lag_seconds_count"] == 3
    assert values["offhook_event_loop_lag_seconds_sum"] == pytest.approx(0.75)
    assert health.live
    clock.now += STALLED_SECONDS
    assert not health.live
