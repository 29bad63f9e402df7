import asyncio
import json

import aiohttp
import pytest
from structlog.testing import capture_logs
from tests.support.admin_daemon import AdminDaemon

from offhook.admin.routes import ROOT
from offhook.store.tokens import Role


@pytest.mark.parametrize("path", ["/api/v1/status", "/api/v1/nothing", "/"])
async def test_without_a_token_everything_is_401(daemon: AdminDaemon, path: str) -> None:
    async with aiohttp.ClientSession(daemon.url) as client, client.get(path) as response:
        assert response.status == 401
        assert response.headers["WWW-Authenticate"] == 'Bearer realm="offhook"'
        assert "offhook token create" in (await response.json(content_type=None))["remedy"]


async def test_wrong_tokens_cost_a_penalty_that_right_ones_do_not_pay(daemon: AdminDaemon) -> None:
    right = await daemon.token(Role.VIEWER)
    async with aiohttp.ClientSession(daemon.url) as client:

        async def ask(token: str) -> int:
            async with client.get(f"{ROOT}/status", headers={"Authorization": f"Bearer {token}"}) as response:
                return response.status

        with capture_logs() as logs:
            assert [await ask("ofh_wrong") for _ in range(12)] == [401] * 10 + [429] * 2
        assert [entry["event"] for entry in logs] == ["admin.token.refused"]
        assert await ask(right) == 200


async def test_every_answer_has_a_request_id_and_is_not_kept(daemon: AdminDaemon) -> None:
    async with daemon.local() as client:
        ids = set()
        for path in (f"{ROOT}/status", "/nothing", f"{ROOT}/devices/nothing"):
            async with client.get(path) as response:
                assert response.headers["Cache-Control"] == "no-store"
                assert response.headers["X-Content-Type-Options"] == "nosniff"
                assert response.headers["Server"] == "offhook"
                ids.add(response.headers["X-Request-ID"])
                if response.status >= 400:
                    problem = await response.json(content_type="application/problem+json")
                    assert problem["request_id"] == response.headers["X-Request-ID"]
        assert len(ids) == 3


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Origin": "http://evil.test"}, 403),
        ({"Origin": "null"}, 403),
        ({"Host": "evil.test"}, 403),
        ({"Host": "[::1"}, 403),
        ({"Host": "localhost:8000", "Origin": "http://localhost:8000"}, 200),
        ({"Host": "admin.acme.test"}, 200),
        ({"Host": "[::1]:8000"}, 200),
    ],
)
async def test_requests_of_other_sites_are_refused(daemon: AdminDaemon, headers: dict[str, str], status: int) -> None:
    async with await daemon.remote(Role.VIEWER) as client, client.get(f"{ROOT}/status", headers=headers) as response:
        assert response.status == status


async def test_a_body_that_is_too_long_is_413(daemon: AdminDaemon) -> None:
    async with daemon.local() as client, client.post(f"{ROOT}/inventory/plan", data=b"x" * 100_001) as response:
        assert response.status == 413
        assert "body_bytes" in (await response.json(content_type=None))["detail"]


async def test_another_method_is_405_with_those_that_are(daemon: AdminDaemon) -> None:
    async with daemon.local() as client, client.put(f"{ROOT}/tokens") as response:
        assert response.status == 405
        assert set(response.headers["Allow"].split(",")) == {"GET", "HEAD", "POST"}


async def test_head_is_answered_like_get_without_a_body(daemon: AdminDaemon) -> None:
    async with daemon.local() as client, client.head(f"{ROOT}/status") as response:
        assert response.status == 200
        assert await response.read() == b""


async def test_what_nobody_foresaw_is_a_500_that_tells_nothing_and_is_logged_once(
    daemon: AdminDaemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("hunter2")

    monkeypatch.setattr(daemon.reloads, "recent", fail)
    with capture_logs() as logs:
        async with daemon.local() as client, client.get(f"{ROOT}/reloads") as response:
            assert response.status == 500
            text = await response.text()
    assert "hunter2" not in text
    assert "ZeroDivision" not in text
    [entry] = logs
    assert entry["event"] == "admin.request.failed"
    assert entry["request_id"] == json.loads(text)["request_id"]


@pytest.mark.parametrize(
    "garbage", [b"\x00\xff\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"GET /api/v1/%zz HTTP/1.1\r\nHost: localhost\r\n\r\n"]
)
async def test_garbage_hurts_nobody(daemon: AdminDaemon, garbage: bytes, caplog: pytest.LogCaptureFixture) -> None:
    reader, writer = await asyncio.open_unix_connection(str(daemon.socket))
    writer.write(garbage)
    answer = await asyncio.wait_for(reader.read(1000), 5)
    writer.close()
    assert answer.startswith((b"HTTP/1.1 4", b"HTTP/1.0 4"))
    assert caplog.records == []
    async with daemon.local() as client, client.get(f"{ROOT}/status") as response:
        assert response.status == 200
