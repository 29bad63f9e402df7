"""TFTP clients that others wrote fetch from the server: atftp, tftp-hpa, busybox, curl and tftpy.

What each of them sends: atftp no options unless told to, tftp-hpa never any, busybox tsize (and blksize with -b),
curl tsize, blksize and timeout, tftpy what it is given. tftp-hpa exits with 0 whatever happens, so it is the file
that counts. curl cannot take an empty file when it has asked for tsize.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
import tftpy
from tests.support.peers import require_peer

from offhook.clock import SystemClock
from offhook.errors import TftpError
from offhook.servers.tftp import TftpAnswer, TftpRequest, TftpServer

SIZES = (0, 511, 512, 513, 70_000)
FILES = {f"{size}.bin": random.Random(size).randbytes(size) for size in SIZES}
TEXT = b"one\ntwo\r\nthree\rfour\n" * 100


@dataclass(slots=True)
class Site:
    """A server on loopback, and what became of its transfers."""

    port4: int
    port6: int
    server: TftpServer
    completions: list[bool]

    async def get_completions(self) -> list[bool]:
        """What the handler was told, once the last ACKs have been read; the server takes no more requests."""
        await self.server.close(grace_seconds=5)
        return self.completions


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    completions: list[bool] = []

    async def handler(request: TftpRequest) -> TftpAnswer:
        content = TEXT if request.filename == "text" else FILES.get(request.filename)
        if content is None:
            raise TftpError(1, "no such file")
        return TftpAnswer(content, completions.append)

    server = TftpServer(handler, clock=SystemClock(), redact=str)
    yield Site(server.listen("0.0.0.0", 0)[1], server.listen("::", 0)[1], server, completions)
    await server.close(grace_seconds=2)


async def run(command: Sequence[str], folder: Path) -> int:
    """Runs a client in ``folder`` and gives its exit code."""
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=folder,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(30):
            return await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


ATFTP_OPTIONS = [word for option in ("blksize 1428", "tsize 0", "timeout 2") for word in ("--option", option)]
ATFTP_FOREIGN = [word for option in ("windowsize 16", "blksize 600") for word in ("--option", option)]


def command_of(client: str, host: str, port: int, file: str) -> list[str]:
    """The command that fetches ``file`` to ``got``."""
    url_host = f"[{host}]" if ":" in host else host
    name, _, variant = client.partition(" ")
    program = require_peer(name)
    match name, variant:
        case "atftp", _:
            options = {"": [], "options": ATFTP_OPTIONS, "windowsize": ATFTP_FOREIGN}[variant]
            return [program, "-g", "-r", file, "-l", "got", *options, host, str(port)]
        case "tftp", _:
            family = "-6" if ":" in host else "-4"
            mode = "ascii" if variant == "netascii" else "binary"
            return [program, family, "-m", mode, host, str(port), "-c", "get", file, "got"]
        case "busybox", _:
            options = ["-b", "1428"] if variant == "blksize" else []
            return [program, "tftp", "-g", *options, "-r", file, "-l", "got", host, str(port)]
        case "curl", _:
            options = {
                "": [],
                "blksize": ["--tftp-blksize", "1428"],
                "huge": ["--tftp-blksize", "65464"],
                "plain": ["--tftp-no-options"],
            }[variant]
            return [program, "-sS", "-m", "20", *options, "-o", "got", f"tftp://{url_host}:{port}/{file}"]
    raise ValueError(client)


CLIENTS = [
    "atftp",
    "atftp options",
    "atftp windowsize",
    "tftp",
    "busybox",
    "busybox blksize",
    "curl",
    "curl blksize",
    "curl huge",
    "curl plain",
]


@pytest.mark.parametrize("client", CLIENTS)
async def test_files_arrive_byte_identical(site: Site, tmp_path: Path, client: str) -> None:
    files = {name: content for name, content in FILES.items() if content or not _refuses_empty_files(client)}
    for file, content in files.items():
        assert await run(command_of(client, "127.0.0.1", site.port4, file), tmp_path) == 0
        assert (tmp_path / "got").read_bytes() == content
        (tmp_path / "got").unlink()
    assert await site.get_completions() == [True] * len(files)


@pytest.mark.parametrize("client", ["atftp options", "tftp", "busybox blksize", "curl"])
async def test_files_arrive_over_ipv6(site: Site, tmp_path: Path, client: str) -> None:
    assert await run(command_of(client, "::1", site.port6, "70000.bin"), tmp_path) == 0
    assert (tmp_path / "got").read_bytes() == FILES["70000.bin"]


async def test_the_answer_leaves_from_the_address_that_was_asked(site: Site, tmp_path: Path) -> None:
    """curl and busybox drop what comes from another address."""
    for client in ("curl", "busybox"):
        assert await run(command_of(client, "127.0.0.7", site.port4, "513.bin"), tmp_path) == 0
        assert (tmp_path / "got").read_bytes() == FILES["513.bin"]


@pytest.mark.parametrize(
    ("client", "code"), [("atftp", 255), ("tftp", 0), ("busybox", 1), ("curl", 68), ("curl plain", 68)]
)
async def test_a_missing_file_is_understood(site: Site, tmp_path: Path, client: str, code: int) -> None:
    assert await run(command_of(client, "127.0.0.1", site.port4, "missing.bin"), tmp_path) == code
    got = tmp_path / "got"
    assert not got.exists() or got.read_bytes() == b""
    assert await site.get_completions() == []


async def test_netascii_text_comes_back_as_it_was(site: Site, tmp_path: Path) -> None:
    assert await run(command_of("tftp netascii", "127.0.0.1", site.port4, "text"), tmp_path) == 0
    assert (tmp_path / "got").read_bytes() == TEXT


@pytest.mark.parametrize("options", [{}, {"blksize": 1428}, {"blksize": 8, "tsize": 0}, {"tsize": 0}])
async def test_tftpy_fetches(site: Site, tmp_path: Path, options: dict[str, int]) -> None:
    for file, content in FILES.items():
        client = tftpy.TftpClient("127.0.0.1", site.port4, dict(options))
        await asyncio.to_thread(client.download, file, str(tmp_path / file), timeout=5)
        assert (tmp_path / file).read_bytes() == content
    assert await site.get_completions() == [True] * len(FILES)


async def test_tftpy_is_told_of_a_missing_file(site: Site, tmp_path: Path) -> None:
    client = tftpy.TftpClient("127.0.0.1", site.port4)
    with pytest.raises(tftpy.TftpShared.TftpFileNotFoundError):
        await asyncio.to_thread(client.download, "missing.bin", str(tmp_path / "got"), timeout=5)


async def test_tftpy_may_not_store(site: Site, tmp_path: Path) -> None:
    (tmp_path / "mine").write_bytes(b"x")
    client = tftpy.TftpClient("127.0.0.1", site.port4)
    with pytest.raises(tftpy.TftpException):
        await asyncio.to_thread(client.upload, "longer-than-an-error.bin", str(tmp_path / "mine"), timeout=5)
    assert await site.get_completions() == []


def _refuses_empty_files(client: str) -> bool:
    return client.startswith("curl") and client != "curl plain"
