"""The description of this API, for programs; for people it is the page at /api/v1/."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Any

from aiohttp import web

from offhook.admin.openapi import describe_api
from offhook.admin.routes import Call, Route
from offhook.store.tokens import Role


class Description:
    """Describes the routes that it is told. It is made when somebody asks first, and kept."""

    def __init__(self, version: str) -> None:
        self._version = version
        self._routes: Sequence[Route] = ()
        self._made: bytes | None = None
        self._turn = asyncio.Lock()

    def tell(self, routes: Sequence[Route]) -> None:
        """These are all routes."""
        self._routes = routes

    def routes(self) -> list[Route]:
        return [
            Route(
                method="GET",
                path="/openapi.json",
                role=Role.VIEWER,
                handler=self._show,
                gives=Mapping[str, Any],
            )
        ]

    async def _show(self, _call: Call) -> web.Response:
        """Describe the API in OpenAPI 3.1."""
        async with self._turn:
            if self._made is None:
                self._made = await asyncio.to_thread(self._make)
        return web.Response(body=self._made, content_type="application/json")

    def _make(self) -> bytes:
        return json.dumps(describe_api(self._routes, self._version), ensure_ascii=False).encode()
