import asyncio
import socket
import stat
from pathlib import Path

import aiohttp
import pytest
import uvloop
from aiohttp import web

from offhook.admin.auth import identify_peer
from offhook.endpoint import Endpoint
from offhook.errors import StoreError, StoreLocked
from offhook.observability.health import Health, Verdict
from offhook.observability.metrics import Metrics
from offhook.servers.admin import AdminServer, MetricsServer

LOOPBACK = Endpoint(None, "127.0.0.1", 0)


async def _who(request: web.Request) -> web.Response:
    assert request.transport is not None
    peer = request.transport.get_extra_info("socket")
    name = identify_peer(peer).name if peer.family == socket.AF_UNIX else "tcp"
    return web.Response(text=name)


def _application() -> web.Application:
    application = web.Application()
    application.router.add_get("/", _who)
    return application


async def _ask(path: Path) -> str:
    connector = aiohttp.UnixConnector(str(path))
    async with aiohttp.ClientSession("http://localhost", connector=connector) as client, client.get("/") as response:
        return await response.text()


@pytest.fixture
def metrics_server() -> tuple[MetricsServer, Health]:
    metrics = Metrics("1.2.3")
    health = Health(metrics)
    return MetricsServer(metrics, health, LOOPBACK), health


async def test_it_listens_on_both_and_lets_go_of_both(tmp_path: Path) -> None:
    path = tmp_path / "admin.sock"
    server = AdminServer(_application(), path, LOOPBACK)
    await server.start()
    unix, tcp = sorted(server.addresses, reverse=True)
    assert unix == f"unix://{path}"
    assert stat.S_IMODE(path.stat().st_mode) == 0o660
    assert (await _ask(path)).startswith("uid ")
    async with aiohttp.ClientSession() as client, client.get(f"http://{tcp}/") as response:
        assert await response.text() == "tcp"
    await server.stop()
    assert not path.exists()


def test_peers_are_told_apart_under_uvloop_too(tmp_path: Path) -> None:
    async def main() -> str:
        server = AdminServer(_application(), tmp_path / "admin.sock", None)
        await server.start()
        try:
            return await _ask(tmp_path / "admin.sock")
        finally:
            await server.stop()

    assert uvloop.run(main()).startswith("uid ")


async def test_a_socket_that_a_killed_daemon_left_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "admin.sock"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    server = AdminServer(_application(), path, None)
    await server.start()
    assert await _ask(path)
    await server.stop()


async def test_a_socket_that_answers_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "admin.sock"
    first = AdminServer(_application(), path, None)
    await first.start()
    with pytest.raises(StoreLocked, match="another Offhook daemon answers on"):
        await AdminServer(_application(), path, None).start()
    assert await _ask(path)
    await first.stop()


async def test_a_file_in_its_place_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "admin.sock"
    path.write_text("precious")
    with pytest.raises(StoreError, match="in the way"):
        await AdminServer(_application(), path, None).start()
    assert path.read_text() == "precious"


async def test_a_missing_folder_is_told_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="Make its folder"):
        await AdminServer(_application(), tmp_path / "none" / "admin.sock", None).start()


async def test_a_port_that_is_taken_leaves_nothing_behind(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        server = AdminServer(_application(), tmp_path / "admin.sock", Endpoint(None, *taken.getsockname()))
        with pytest.raises(OSError, match="address already in use"):
            await server.start()
    assert not (tmp_path / "admin.sock").exists()


async def test_the_socket_of_whoever_came_after_is_not_removed(tmp_path: Path) -> None:
    path = tmp_path / "admin.sock"
    first = AdminServer(_application(), path, None)
    await first.start()
    path.unlink()
    second = AdminServer(_application(), path, None)
    await second.start()
    await first.stop()
    assert await _ask(path)
    await second.stop()


async def test_metrics_are_what_prometheus_reads(metrics_server: tuple[MetricsServer, Health]) -> None:
    server, _ = metrics_server
    await server.start()
    async with aiohttp.ClientSession(f"http://{server.addresses[0]}") as client:
        async with client.get("/metrics") as response:
            assert response.headers["Content-Type"].startswith("text/plain; version=0.0.4")
            assert 'offhook_build_info{version="1.2.3"} 1.0' in await response.text()
        async with client.head("/metrics") as response:
            assert (response.status, await response.read()) == (200, b"")
        async with client.post("/metrics") as response:
            assert response.status == 405
        async with client.get("/") as response:
            assert response.status == 404
    await server.stop()


async def test_readiness_names_what_fails(metrics_server: tuple[MetricsServer, Health]) -> None:
    server, health = metrics_server
    await server.start()
    health.add_check("disk", lambda: Verdict(ok=False, text="3 seconds behind"))

    async def ask(path: str) -> tuple[int, str]:
        async with client.get(path) as response:
            return response.status, await response.text()

    async with aiohttp.ClientSession(f"http://{server.addresses[0]}") as client:
        assert await ask("/readyz") == (503, "daemon: starting\ndisk: 3 seconds behind\n")
        health.mark_started()
        health.add_check("disk", lambda: Verdict(ok=True, text="fine"))
        assert await ask("/readyz") == (200, "ready\n")
        assert await ask("/healthz") == (200, "live\n")
    await server.stop()


async def test_a_stalled_loop_is_not_live() -> None:
    now = 0.0
    metrics = Metrics("1.2.3")
    server = MetricsServer(metrics, Health(metrics, lambda: now), LOOPBACK)
    await server.start()
    now = 11.0
    async with aiohttp.ClientSession(f"http://{server.addresses[0]}") as client, client.get("/healthz") as response:
        assert response.status == 503
    await server.stop()


async def test_stopping_does_not_wait_for_a_long_poll(tmp_path: Path) -> None:
    asked = asyncio.Event()

    async def wait_for_ever(_request: web.Request) -> web.Response:
        asked.set()
        await asyncio.Event().wait()
        raise AssertionError

    application = web.Application()
    application.router.add_get("/", wait_for_ever)
    server = AdminServer(application, tmp_path / "admin.sock", None)
    await server.start()
    poll = asyncio.create_task(_ask(tmp_path / "admin.sock"))
    await asked.wait()
    async with asyncio.timeout(8):
        await server.stop()
    with pytest.raises(aiohttp.ClientError):
        await poll
