"""The HTTP validator against a stub server: verdicts, and everything that is none."""

import asyncio
import json
import logging
import traceback
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from offhook.errors import ValidatorUnreachable
from offhook.inventory.address import CivicAddress
from offhook.inventory.emergency.validator import Check, Corrected, Refused, Valid
from offhook.secret import Secret
from offhook.validators.http import CONCURRENCY_LIMIT, RESPONSE_LIMIT, HttpValidator

HERE = CivicAddress(
    country="US", state="NV", city="Reno", house_number="1", street="Main", suffix="St", postal_code="89501"
)
TOKEN = "sesame-0123456789"


class Stub:
    """A validator service that gives one answer and keeps the requests."""

    def __init__(self) -> None:
        self.status = 200
        self.body: bytes = b'{"result": "valid"}'
        self.headers: dict[str, str] = {}
        self.requests: list[tuple[str, str | None, Any]] = []
        self.release: asyncio.Event | None = None
        self.now = self.most = 0
        self.arrived = asyncio.Condition()
        self.url = ""

    async def answer(self, request: web.Request) -> web.Response:
        self.requests.append((request.path, request.headers.get("Authorization"), await request.json()))
        async with self.arrived:
            self.now += 1
            self.most = max(self.most, self.now)
            self.arrived.notify_all()
        if self.release is not None:
            await self.release.wait()
        self.now -= 1
        return web.Response(status=self.status, body=self.body, headers=self.headers)


@pytest.fixture
async def stub() -> AsyncIterator[Stub]:
    service = Stub()
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", service.answer)
    runner = web.AppRunner(application, shutdown_timeout=0.1, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    service.url = f"http://127.0.0.1:{runner.addresses[0][1]}/validate"
    yield service
    if service.release is not None:
        service.release.set()
    await runner.cleanup()


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as opened:
        yield opened


@pytest.fixture
def validator(stub: Stub, session: aiohttp.ClientSession) -> HttpValidator:
    return HttpValidator(session, stub.url, token=Secret(TOKEN))


async def test_a_valid_address(stub: Stub, validator: HttpValidator) -> None:
    assert await validator.validate(HERE) == Valid(HERE)
    assert stub.requests == [("/validate", f"Bearer {TOKEN}", {"address": HERE.elements()})]


async def test_corrections_in_standard_spelling(stub: Stub, validator: HttpValidator) -> None:
    candidate = replace(HERE, suffix="Avenue")
    stub.body = json.dumps({"result": "corrected", "candidates": [candidate.elements()] * 20, "score": 7}).encode()
    verdict = await validator.validate(HERE)
    assert verdict == Corrected(HERE, (replace(HERE, suffix="Ave"),) * 8)


async def test_a_refusal_with_what_to_check(stub: Stub, validator: HttpValidator) -> None:
    stub.body = b'{"result": "refused", "check": ["suffix", "aura", "directional"], "message": "no such street"}'
    assert await validator.validate(HERE) == Refused(HERE, (Check.DIRECTIONAL, Check.SUFFIX), "no such street")


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (500, "status 500"),
        (503, "status 503"),
        (404, "status 404"),
        (204, "status 204"),
        (401, "token"),
        (403, "token"),
    ],
)
async def test_other_statuses_are_no_verdict(stub: Stub, validator: HttpValidator, status: int, reason: str) -> None:
    stub.status = status
    if status == 204:
        stub.body = b""
    with pytest.raises(ValidatorUnreachable, match=reason):
        await validator.validate(HERE)


async def test_redirects_are_not_followed(stub: Stub, validator: HttpValidator) -> None:
    stub.status, stub.headers = 307, {"Location": "/elsewhere"}
    with pytest.raises(ValidatorUnreachable, match="status 307"):
        await validator.validate(HERE)
    assert [path for path, _, _ in stub.requests] == ["/validate"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b"null",
        b"\xff\xfe",
        b'{"result": "perhaps"}',
        b'{"result": "corrected", "candidates": []}',
        b'{"result": "corrected", "candidates": [{"city": "Reno"}]}',
        b'{"result": "corrected", "candidates": [{"country": "US", "planet": "Earth"}]}',
        b'{"result": "refused", "check": "suffix"}',
        b'{"result": "valid"' + b" " * RESPONSE_LIMIT + b"}",
        b"[" * 5000,
    ],
)
async def test_answers_that_cannot_be_understood_are_no_verdict(
    stub: Stub, validator: HttpValidator, body: bytes
) -> None:
    stub.body = body
    with pytest.raises(ValidatorUnreachable):
        await validator.validate(HERE)


async def test_silence_is_no_verdict(stub: Stub, session: aiohttp.ClientSession) -> None:
    stub.release = asyncio.Event()
    with pytest.raises(ValidatorUnreachable, match="in time"):
        await HttpValidator(session, stub.url, timeout_seconds=0.05).validate(HERE)
    assert stub.requests[0][1] is None


async def test_nobody_listening_is_no_verdict(session: aiohttp.ClientSession) -> None:
    server = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    with pytest.raises(ValidatorUnreachable, match="connection failed"):
        await HttpValidator(session, f"http://127.0.0.1:{port}/").validate(HERE)


async def test_neither_credentials_nor_the_address_are_shown(
    stub: Stub, session: aiohttp.ClientSession, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    stub.status = 500
    url = stub.url.replace("http://", "http://user:hunter2@") + "?key=hunter3"
    with pytest.raises(ValidatorUnreachable) as caught:
        await HttpValidator(session, url).validate(HERE)
    with pytest.raises(ValidatorUnreachable) as with_token:
        await HttpValidator(session, stub.url, token=Secret(TOKEN)).validate(HERE)
    shown = "".join(traceback.format_exception(caught.value) + traceback.format_exception(with_token.value))
    seen = caplog.text + shown
    for secret in ("hunter2", "hunter3", TOKEN, "Main"):
        assert secret not in seen
    assert "127.0.0.1" in str(caught.value)


async def test_only_a_few_ask_at_a_time(stub: Stub, validator: HttpValidator) -> None:
    stub.release = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(validator.validate(HERE)) for _ in range(3 * CONCURRENCY_LIMIT)]
        async with stub.arrived:
            await stub.arrived.wait_for(lambda: stub.now == CONCURRENCY_LIMIT)
        stub.release.set()
    assert [task.result() for task in tasks] == [Valid(HERE)] * len(tasks)
    assert stub.most == CONCURRENCY_LIMIT
