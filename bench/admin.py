"""Times the lists of 50,000 devices and their users, beside a bare aiohttp handler that answers the same bytes.

    .venv/bin/python -m bench.admin [DEVICES]

The whole of the admin side runs: the socket, aiohttp, who may, the query, the rows, the views and JSON. The client is
in the same process and reads raw bytes, so that it costs little; what it costs is in both columns. bench/README.md says
how to read the table, and which figures to expect.
"""

import asyncio
import json
import logging
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles
from typing import Any, Final
from urllib.parse import quote

import structlog
import uvloop
from aiohttp import web
from bench.fleet import Fleet, bring_to_life, fetched, make_fleet, register
from tests.support.admin_daemon import START, AdminDaemon, running

from offhook.admin.device_rows import DEVICE_ORDER
from offhook.inventory.editor import Editor
from offhook.inventory.models import Device, Location
from offhook.inventory.service import DAEMON

ROUNDS: Final = 60
BUDGET_MS: Final = 50.0


@dataclass(frozen=True, slots=True)
class Case:
    """A query, and what comes before each."""

    name: str
    path: str
    before: Callable[[int], Any] | None = None
    #: Given the round; awaited where it is awaitable; not timed.


class Client:
    """Keeps one connection to a Unix socket."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def connect(cls, path: Path) -> "Client":
        return cls(*await asyncio.open_unix_connection(str(path), limit=2**24))

    async def get(self, path: str) -> tuple[float, float, bytes]:
        """Milliseconds until the last byte is here, by the clock and of processor time, and the body."""
        began, began_work = time.perf_counter(), time.process_time()
        self._writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.partition("content-length:")[2].split("\r\n")[0])
        body = await self._reader.readexactly(length)
        taken, work = 1000 * (time.perf_counter() - began), 1000 * (time.process_time() - began_work)
        if not head.startswith("http/1.1 200"):
            raise SystemExit(f"{path}: {head.splitlines()[0]} {body.decode()}")
        return taken, work, body

    async def close(self) -> None:
        self._writer.close()
        await self._writer.wait_closed()


class Mirror:
    """A bare aiohttp server that answers what it is told to."""

    def __init__(self) -> None:
        self.body = b""
        application = web.Application()
        application.router.add_get("/", self._answer)
        self._runner = web.AppRunner(application, access_log=None)

    async def start(self, path: Path) -> None:
        await self._runner.setup()
        await web.UnixSite(self._runner, str(path)).start()

    async def stop(self) -> None:
        await self._runner.cleanup()

    async def _answer(self, _request: web.Request) -> web.Response:
        return web.Response(body=self.body, content_type="application/json")


async def main(size: int) -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    fleet = make_fleet(size)
    print(
        f"storing {len(fleet.devices):,} devices and {len(fleet.entities) - len(fleet.devices):,} other things", end=""
    )
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        async with running(Path(folder), document="", entities=fleet.entities) as daemon:
            bring_to_life(daemon.inventory, daemon.facts, daemon.bindings, START)
            print(f": {time.perf_counter() - began:.1f} s")
            client, mirror = await Client.connect(daemon.socket), Mirror()
            await mirror.start(Path(folder) / "mirror.sock")
            bare = await Client.connect(Path(folder) / "mirror.sock")
            first, *_ = await client.get("/api/v1/devices")
            print(f"first list after start, when every row is made: {first:,.0f} ms, giving way to others meanwhile\n")
            while not daemon.services.registers.is_filled:
                await daemon.services.registers.tend()
            print(f"{'':44}{'':>8}{'by the clock':>16}{'processor':>16}{'bare':>7}{'':>7}{'longest':>9}")
            print(f"{'query':44}{'found':>8}{'p50':>8}{'p99':>8}{'p50':>8}{'p99':>8}{'p50':>7}{'ratio':>7}{'stall':>9}")
            slow = [
                case.name
                for case in await _cases(daemon, fleet, client)
                if await _measure(case, client, bare, mirror) > BUDGET_MS
            ]
            await client.close()
            await bare.close()
            await mirror.stop()
    verdict = "every p99 of processor time is" if not slow else "p99 of processor time is not"
    print(f"\n{verdict} under {BUDGET_MS:g} ms", *slow, sep="\n  ")


async def _measure(case: Case, client: Client, bare: Client, mirror: Mirror) -> float:
    """Prints a line; gives the p99 of processor time."""
    taken: list[float] = []
    worked: list[float] = []
    same: list[float] = []
    stall = 0.0
    body = b""
    for number in range(ROUNDS):
        if case.before is not None:
            result = case.before(number)
            if asyncio.iscoroutine(result):
                await result
        watch = asyncio.create_task(_watch())
        await asyncio.sleep(0)
        milliseconds, work, body = await client.get("/api/v1/" + case.path)
        taken.append(milliseconds)
        worked.append(work)
        watch.cancel()
        stall = max(stall, await watch)
        mirror.body = body
        same.append((await bare.get("/"))[0])
    found = json.loads(body)["total"]
    (p50, p99), (work50, work99) = _percentiles(taken), _percentiles(worked)
    plain = _percentiles(same)[0]
    print(f"{case.name:44}{found:>8,}{p50:>8.1f}{p99:>8.1f}{work50:>8.1f}{work99:>8.1f}", end="")
    print(f"{plain:>7.2f}{p50 / plain:>7.0f}{stall:>9.1f}", flush=True)
    return work99


def _percentiles(values: list[float]) -> tuple[float, float]:
    points = quantiles(values, n=100)
    return points[49], points[98]


async def _watch() -> float:
    """How long, in milliseconds of processor time, somebody waited who wanted the event loop all the time."""
    longest, before = 0.0, time.process_time()
    try:
        while True:
            await asyncio.sleep(0)
            now = time.process_time()
            longest, before = max(longest, now - before), now
    except asyncio.CancelledError:
        return 1000 * longest


async def _cases(daemon: AdminDaemon, fleet: Fleet, client: Client) -> list[Case]:
    inventory = daemon.inventory
    phone = next(it for it in fleet.devices if it.mac and it.name)
    here, there = [place for place in inventory.all(Location) if place.account_id == 3][:2]
    places = f"location={here.id}&location={there.id}"
    mac = phone.mac or ""
    some = [it for it in fleet.devices if it.id % 100 < 60]

    def rename(number: int) -> Coroutine[Any, Any, object]:
        def edit(editor: Editor) -> None:
            editor.change(editor.draft.get(Device, phone.id), name=f"Renamed {number}")

        return daemon.services.inventory.change(edit, DAEMON)

    def move(number: int) -> Coroutine[Any, Any, object]:
        def edit(editor: Editor) -> None:
            editor.change(editor.draft.get(Location, here.id), name=f"Annex {number}")

        return daemon.services.inventory.change(edit, DAEMON)

    def refresh(number: int) -> None:
        begin = number * 1000 % len(some)
        register(inventory, daemon.bindings, some[begin : begin + 1000], START, START + 3600 + number)

    def fetch(number: int) -> None:
        for device in fleet.devices[number * 1000 % len(fleet.devices) :][:1000]:
            daemon.facts.note_fetched(fetched(device, 1, START + number))

    return [
        Case("first page", "devices"),
        Case("20 to a page", "devices?limit=20"),
        Case("1,000 to a page", "devices?limit=1000"),
        Case("part of a name", f"devices?q={quote('recep')}"),
        Case("two words, one of them a surname", f"devices?q={quote('warehouse Lindqvist')}"),
        Case("nothing found", "devices?q=nobody-has-this"),
        Case("part of a MAC, with colons", f"devices?q={quote(':'.join((mac[2:4], mac[4:6], mac[6:8])))}"),
        Case("a whole MAC, with blanks", f"devices?q={quote(' '.join(mac[i : i + 2] for i in range(0, 12, 2)))}"),
        Case("email", "devices?q=user4711@mail55.example"),
        Case("two locations and a status", f"devices?{places}&status=registered"),
        Case("no location, handsets", "devices?location=unassigned&type=dect_handset"),
        Case("phones without an address", "devices?without_address=true"),
        Case("in stock", "devices?stock=true"),
        *(Case(f"sort by {name}", f"devices?sort={name}") for name in DEVICE_ORDER.keys),
        *(
            Case(f"sort by {name}, descending", f"devices?sort=-{name}")
            for name in ("name", "created", "last_provisioned")
        ),
        Case("handsets under their base", "devices?group=base"),
        Case("handsets under their base, descending", "devices?group=base&sort=-name"),
        Case("last page by cursor", await _last_page(client, "devices?sort=name")),
        Case("last page by cursor, grouped", await _last_page(client, "devices?group=base")),
        Case("after a device was renamed", "devices", rename),
        Case("after a location was renamed", "devices", move),
        Case("without an address, after a change", "devices?without_address=true", rename),
        Case("after 1,000 registrations", "devices", refresh),
        Case("after 1,000 fetches", "devices", fetch),
        Case("users, first page", "users"),
        Case("users, part of a name", f"users?q={quote('müll')}"),
        Case("users without a number, by location", "users?without_number=true&sort=location"),
        Case("numbers, part of one", f"numbers?q={quote('+1 212 001')}"),
        Case("numbers, whose they are", "numbers?q=lindqvist&sort=-assigned_to"),
    ]


async def _last_page(client: Client, path: str) -> str:
    """The address of the last page, found by going through all."""
    last = path
    for limit in (1000, 100):
        address: str | None = last
        while address is not None:
            last = address
            cursor = json.loads((await client.get(f"/api/v1/{last}&limit={limit}"))[-1])["next"]
            address = f"{path}&cursor={cursor}" if cursor else None
    return last


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 50_000))
