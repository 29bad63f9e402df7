import asyncio
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from offhook.observability.systemd import Notifier


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.setblocking(False)
        yield listening


def received(manager: socket.socket) -> list[str]:
    return manager.recv(4096).decode().split("\n")


def test_states_are_sent_as_systemd_reads_them(manager: socket.socket) -> None:
    notifier = Notifier(manager.getsockname())
    notifier.ready("10 phones,\nall well")
    assert received(manager) == ["READY=1", "STATUS=10 phones, all well"]
    before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    notifier.reloading()
    reloading, at = received(manager)
    assert reloading == "RELOADING=1"
    assert before <= int(at.removeprefix("MONOTONIC_USEC=")) <= time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    notifier.status("busy")
    assert received(manager) == ["STATUS=busy"]
    notifier.stopping()
    assert received(manager)[0] == "STOPPING=1"


def test_abstract_sockets_are_reached() -> None:
    name = f"offhook-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(f"\0{name}")
        listening.setblocking(False)
        Notifier.from_environment({"NOTIFY_SOCKET": f"@{name}"}, 1).alive()
        assert received(listening) == ["WATCHDOG=1"]


@pytest.mark.parametrize("address", [None, "", "/nonexistent/notify"])
def test_without_a_manager_nothing_is_sent_and_nothing_fails(address: str | None) -> None:
    Notifier(address).ready("well")


@pytest.mark.parametrize(
    ("environment", "seconds"),
    [
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "42"}, 30.0),
        ({"WATCHDOG_USEC": "30000000"}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "43"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({"WATCHDOG_USEC": "9" * 5000}, None),
        ({}, None),
    ],
)
def test_the_watchdog_is_the_one_meant_for_this_process(environment: dict[str, str], seconds: float | None) -> None:
    assert Notifier.from_environment(environment, 42).watchdog_seconds == seconds


async def test_the_watchdog_is_put_off_at_half_its_time_while_all_is_well(manager: socket.socket) -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 3:
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await Notifier(manager.getsockname(), 30.0).keep_alive(lambda: not slept, sleep)
    assert slept == [15.0, 15.0, 15.0]
    assert received(manager) == ["WATCHDOG=1"]
    with pytest.raises(BlockingIOError):
        received(manager)


async def test_without_a_watchdog_there_is_nothing_to_put_off() -> None:
    await Notifier(None).keep_alive(lambda: True)
