from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Protocol

import aiohttp
import pytest_asyncio
from tests.support.admin_daemon import AdminDaemon, running

from offhook.admin.routes import ROOT


class Ask(Protocol):
    """Asks on the local socket, below /api/v1; gives status and JSON."""

    async def __call__(self, method: str, path: str, **arguments: Any) -> tuple[int, Any]: ...


@pytest_asyncio.fixture
async def daemon(tmp_path: Path) -> AsyncIterator[AdminDaemon]:
    async with running(tmp_path) as started:
        yield started


@pytest_asyncio.fixture
async def ask(daemon: AdminDaemon) -> AsyncIterator[Ask]:
    async with daemon.local() as client:

        async def send(method: str, path: str, **arguments: Any) -> tuple[int, Any]:
            response: aiohttp.ClientResponse
            async with client.request(method, ROOT + path, **arguments) as response:
                return response.status, await response.json(content_type=None)

        yield send
