"""The admin side of the real daemon: its bounds come from the configuration, and can change while it runs."""

import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

import aiohttp
import pytest_asyncio
from tests.support.daemon import DaemonProcess, eventually, running_daemon


@pytest_asyncio.fixture
async def daemon(tmp_path: Path) -> AsyncIterator[DaemonProcess]:
    with running_daemon(tmp_path, {"limits": {"admin": {"listeners": 1}}}) as process:
        yield process
        process.assert_log_is_clean()


def _client(daemon: DaemonProcess) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        "http://localhost", connector=aiohttp.UnixConnector(str(daemon.state_dir / "admin.sock"))
    )


async def _has_read(daemon: DaemonProcess) -> bool:
    return bool(daemon.log_events("config.reread.done"))


async def test_the_number_of_listeners_is_as_configured(daemon: DaemonProcess) -> None:
    async with AsyncExitStack() as open_streams:
        client = await open_streams.enter_async_context(_client(daemon))
        first = await open_streams.enter_async_context(client.get("/api/v1/events"))
        assert first.status == 200
        async with client.get("/api/v1/events") as second:
            assert second.status == 503
        daemon.write_config({"limits": {"admin": {"listeners": 2}}})
        daemon.send_signal(signal.SIGHUP)
        await eventually(partial(_has_read, daemon), "the configuration is read again")
        async with client.get("/api/v1/events") as second:
            assert second.status == 200


async def test_the_api_and_the_metrics_listen_where_they_are_told(daemon: DaemonProcess) -> None:
    assert daemon.get_http(daemon.ports.admin, "/api/v1/status")[0] == 401
    assert daemon.get_http(daemon.ports.metrics, "/healthz")[0] == 200
    async with _client(daemon) as client, client.get("/api/v1/status") as response:
        status = await response.json()
    addresses = {it["service"]: it["address"] for it in status["listening"]}
    assert addresses["metrics"] == f"http://127.0.0.1:{daemon.ports.metrics}"
    assert str(daemon.config_file) == status["config_file"]
