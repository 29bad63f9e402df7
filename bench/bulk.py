"""Imports a table of 10,000 rows into a running daemon, and measures what phones notice of it.

    .venv/bin/python -m bench.bulk [ROWS]

The daemon is a process of its own with its databases on disk, and `offhook import` is run as an operator runs it. All
the while phones register, at a fixed rate whatever the answers do, so that a daemon that stops for a moment shows.
bench/README.md says how to read the table.
"""

import asyncio
import hashlib
import os
import re
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles
from typing import Any, Final, cast

from tests.support.daemon import DaemonProcess, running_daemon

ROWS: Final = 10_000
PHONES: Final = 200
REGISTERS_PER_SECOND: Final = 200
QUIET_SECONDS: Final = 8.0
#: An answer that takes longer is counted as lost.
PATIENCE_SECONDS: Final = 4.0

HEADER: Final = (
    "username,first_name,last_name,email,plan,extension,location,number,status,type,mac,vendor,model,name\r\n"
)


def table(rows: int) -> str:
    """A user with a number and a phone in each row."""
    return HEADER + "".join(
        f"user{row},Jane,Smith {row},user{row}@acme.test,pro,{200_000 + row},HQ,'+1212{5_000_000 + row},active,"
        f"deskphone,{0x001565100000 + row:012x},yealink,T46U,Phone {row}\r\n"
        for row in range(rows)
    )


def broken(rows: int) -> str:
    """The same with a fault in each row."""
    return HEADER + "".join(
        f"user{row},Jane,Smith,nobody,gold,{row}.0,HQ,12125550101,active,phone,1.57E+{row % 90 + 10},yealink,,\r\n"
        for row in range(rows)
    )


def phones_document() -> str:
    devices = "".join(
        f"      - {{type: deskphone, mac: {0x001565000000 + phone:012x}, vendor: yealink, model: T46U,"
        f" lines: [{{index: 1, extension: '{1000 + phone}'}}]}}\n"
        for phone in range(PHONES)
    )
    return (
        f"accounts:\n  - name: acme\n    sip_domain: acme.test\n    locations: [{{name: HQ}}]\n    devices:\n{devices}"
    )


# -- phones -----------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Phone:
    """Registers one line again and again, with one nonce for as long as it is taken."""

    extension: str
    auth_username: str
    ha1: str
    contact: str
    nonce: str = ""
    nc: int = 0
    cseq: int = 0

    def request(self, branch: str) -> bytes:
        self.cseq += 1
        return (
            f"REGISTER sip:acme.test SIP/2.0\r\nVia: SIP/2.0/UDP {self.contact};rport;branch=z9hG4bK{branch}\r\n"
            f"Max-Forwards: 70\r\nFrom: <sip:{self.extension}@acme.test>;tag=a{self.extension}\r\n"
            f"To: <sip:{self.extension}@acme.test>\r\nCall-ID: {self.extension}@bench\r\nCSeq: {self.cseq} REGISTER\r\n"
            f"Contact: <sip:{self.extension}@{self.contact}>\r\nExpires: 3600\r\n{self._authorization()}"
            "Content-Length: 0\r\n\r\n"
        ).encode()

    def _authorization(self) -> str:
        if not self.nonce:
            return ""
        self.nc += 1
        nc, cnonce, uri = f"{self.nc:08x}", "0a4f113b", "sip:acme.test"
        response = _md5(f"{self.ha1}:{self.nonce}:{nc}:{cnonce}:auth:{_md5(f'REGISTER:{uri}')}")
        return (
            f'Authorization: Digest username="{self.auth_username}", realm="acme.test", nonce="{self.nonce}", '
            f'uri="{uri}", response="{response}", algorithm=MD5, qop=auth, nc={nc}, cnonce="{cnonce}"\r\n'
        )


def _md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()


@dataclass(slots=True)
class Load(asyncio.DatagramProtocol):
    """All phones behind one socket, each second as many REGISTERs."""

    address: tuple[str, int]
    phones: list[Phone] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)
    lost: int = 0
    _sent: dict[str, tuple[float, Phone]] = field(default_factory=dict)
    _count: int = 0
    _transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def send(self, phone: Phone) -> None:
        assert self._transport is not None
        self._count += 1
        branch = f"{self._count:x}"
        self._sent[branch] = time.perf_counter(), phone
        self._transport.sendto(phone.request(branch), self.address)

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        branch = re.search(rb"branch=z9hG4bK([0-9a-f]+)", data)
        sent = self._sent.pop(branch[1].decode(), None) if branch else None
        if sent is None:
            return
        at, phone = sent
        if data.startswith(b"SIP/2.0 200"):
            self.latencies.append(time.perf_counter() - at)
        elif data.startswith(b"SIP/2.0 401") and (nonce := re.search(rb'nonce="([^"]+)"', data)):
            phone.nonce, phone.nc = nonce[1].decode(), 0
            self.send(phone)
        else:
            self.lost += 1

    async def run(self) -> None:
        """Until it is cancelled."""
        began, sent = time.perf_counter(), 0
        while True:
            due = int((time.perf_counter() - began) * REGISTERS_PER_SECOND)
            for turn in range(sent, due):
                self.send(self.phones[turn % len(self.phones)])
            sent = due
            await asyncio.sleep(0.001)

    async def settle(self) -> None:
        """Waits for the answers that are still to come."""
        for _ in range(round(PATIENCE_SECONDS / 0.05)):
            if not self._sent:
                break
            await asyncio.sleep(0.05)
        self.lost += len(self._sent)
        self._sent.clear()


@dataclass(frozen=True, slots=True)
class Measured:
    """What phones saw during one thing."""

    name: str
    seconds: float
    #: By the clock, the command's own start included.
    processor: float
    #: Seconds that the daemon worked, for phones and for the command.
    registers: int
    p50: float
    p99: float
    worst: float
    #: In milliseconds.
    lost: int


def processor_seconds(daemon: DaemonProcess) -> float:
    """What the daemon has worked so far."""
    assert daemon.process is not None
    user, system = Path(f"/proc/{daemon.process.pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


async def measure(daemon: DaemonProcess, load: Load, name: str, work: Callable[[], Awaitable[object]]) -> Measured:
    load.latencies.clear()
    load.lost = 0
    sending = asyncio.create_task(load.run())
    began, worked = time.perf_counter(), processor_seconds(daemon)
    await work()
    seconds, worked = time.perf_counter() - began, processor_seconds(daemon) - worked
    sending.cancel()
    await load.settle()
    millis = [1000 * latency for latency in load.latencies]
    parts = quantiles(millis, n=100)
    return Measured(name, seconds, worked, len(millis), parts[49], parts[98], max(millis), load.lost)


def show(measured: list[Measured]) -> None:
    quiet = measured[0]
    titles = ("seconds", 8), ("worked", 8), ("REGISTERs", 11), ("p50 ms", 8), ("p99 ms", 8), ("worst", 8), ("lost", 6)
    print(f"\n{'':32}{''.join(f'{title:>{width}}' for title, width in titles)}{'p99 ÷ quiet':>13}")
    for it in measured:
        print(
            f"{it.name:32}{it.seconds:8.2f}{it.processor:8.2f}{it.registers:11}{it.p50:8.1f}{it.p99:8.1f}{it.worst:8.1f}{it.lost:6}"
            f"{it.p99 / quiet.p99:12.1f}×"
        )


async def bench(daemon: DaemonProcess, rows: int) -> None:
    daemon.apply_now(phones_document())
    loop = asyncio.get_running_loop()
    load = Load(daemon.sip_address)
    transport, _ = await loop.create_datagram_endpoint(lambda: load, local_addr=("127.0.0.1", 0))
    port = transport.get_extra_info("sockname")[1]
    for line in daemon.lines():
        extension, name, password = line["extension"], line["auth_username"], line["password"]
        load.phones.append(Phone(extension, name, _md5(f"{name}:acme.test:{password}"), f"127.0.0.1:{port}"))
    for phone in load.phones:
        load.send(phone)
        await asyncio.sleep(0.005)
    await load.settle()

    good, bad, out = daemon.folder / "rows.csv", daemon.folder / "broken.csv", daemon.folder / "out.csv"
    good.write_text(table(rows))
    bad.write_text(broken(10 * rows))

    async def offhook(*arguments: str, exit_code: int = 0) -> None:
        await daemon.run(*arguments, exit_code=exit_code)

    cases: list[tuple[str, Callable[[], Awaitable[object]]]] = [
        ("nothing else", lambda: asyncio.sleep(QUIET_SECONDS)),
        (f"preview of {rows} rows", lambda: offhook("import", "--dry-run", "--json", str(good))),
        (f"import of {rows} rows", lambda: offhook("import", str(good))),
        ("the same again", lambda: offhook("import", str(good))),
        (f"import of {10 * rows} broken rows", lambda: offhook("import", str(bad), exit_code=1)),
        ("export of all", lambda: offhook("export", "--csv", "all", "--output", str(out))),
    ]
    show([await measure(daemon, load, name, work) for name, work in cases])
    transport.close()


def main() -> None:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else ROWS
    with tempfile.TemporaryDirectory() as folder, running_daemon(Path(folder), {"log": {"level": "info"}}) as daemon:
        asyncio.run(bench(daemon, rows))


if __name__ == "__main__":
    main()
