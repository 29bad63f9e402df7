"""What happens, as it happens: a stream of server-sent events (the HTML standard, "Server-sent events")."""

import asyncio
import contextlib
import json
from collections.abc import Callable
from typing import Final

from aiohttp import web

from offhook.admin.announcements import EventType, News, Wanted
from offhook.admin.names import get_account
from offhook.admin.ports import Services
from offhook.admin.routes import Call, Param, Route
from offhook.store.tokens import Role

CONTENT_TYPE: Final = "text/event-stream"
#: A comment that often keeps proxies from closing the stream, and finds out who is gone.
_KEEP_ALIVE_SECONDS: Final = 15.0
#: Who takes nothing for so long is gone.
_STALLED_SECONDS: Final = 30.0
#: After how long a browser comes back.
_RETRY_MILLISECONDS: Final = 3000


def routes(services: Services) -> list[Route]:
    async def follow(call: Call) -> web.StreamResponse:
        """Follow what happens, as server-sent events.

        `change`: a change of what belongs to an account: who made it, what was made, altered and deleted, and which
        devices have to reload. `device`: a device has another status. `reload`: where a reload stands; as
        `GET /reloads/{id}` shows it. `reset`: something was missed (the listener was too slow, or came back too late,
        or the daemon has been started anew), so whatever was read before is to be read again.

        Listen first, and then read what there is: from then on each difference is told. Each event has an id; who
        comes back with `Last-Event-ID` misses nothing of the last few.
        """
        query = call.query
        account = get_account(services.inventory.inventory, query.text("account")) if query.text("account") else None
        wanted = Wanted(
            types=query.choices("types", EventType) or frozenset(EventType),
            accounts=frozenset({account.id}) if account is not None else None,
        )
        response = web.StreamResponse(headers={"X-Accel-Buffering": "no"})
        response.content_type = CONTENT_TYPE
        if call.request.method == "HEAD":
            return response
        with (
            services.announcements.listen(wanted, call.request.headers.get("Last-Event-ID", "")) as listener,
            contextlib.suppress(ConnectionError, TimeoutError),
        ):
            await response.prepare(call.request)
            await _write(response, f"retry: {_RETRY_MILLISECONDS}\nid: {listener.id}\n\n")
            while (news := await listener.read(_KEEP_ALIVE_SECONDS)) and services.tokens.counts(call.identity):
                await _write(response, _format(news, services.announcements.id_of))
        return response

    return [
        Route(
            method="GET",
            path="/events",
            role=Role.VIEWER,
            handler=follow,
            query=(
                Param("types", "Only events of these types.", EventType, repeats=True),
                Param("account", "Only what concerns this account."),
            ),
            gives_type=CONTENT_TYPE,
        )
    ]


async def _write(response: web.StreamResponse, text: str) -> None:
    """Raises TimeoutError where nobody reads: that is no listener."""
    async with asyncio.timeout(_STALLED_SECONDS):
        await response.write(text.encode())


def _format(news: News, id_of: Callable[[int], str]) -> str:
    """Events; where there are none, a comment, and the id to go on from."""
    if news.missed:
        missed = json.dumps({"missed": news.missed if news.missed > 0 else None})
        return f"id: {id_of(news.last)}\nevent: reset\ndata: {missed}\n\n"
    if not news.items:
        return f":\nid: {id_of(news.last)}\n\n"
    return "".join(f"id: {id_of(it.number)}\nevent: {it.type.value}\ndata: {it.data}\n\n" for it in news.items)
