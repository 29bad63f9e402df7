"""Runs programs of others: bounded in time, ended by process id, with nothing on standard input."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

RUN_SECONDS: Final = 30.0
QUIT_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class Ended:
    """How a program ended, and what it said on both outputs."""

    exit_code: int
    output: str


async def run_program(
    command: Sequence[str], folder: Path, *, seconds: float = RUN_SECONDS, environment: Mapping[str, str] | None = None
) -> Ended:
    """Runs it in ``folder`` to its end."""
    async with started_program(command, folder, environment=environment) as program:
        async with asyncio.timeout(seconds):
            return await program.finish()


class Program:
    """A program that runs."""

    def __init__(self, process: asyncio.subprocess.Process, output: Path) -> None:
        self._process = process
        self._output = output

    @property
    def output(self) -> str:
        """What it has said so far."""
        return self._output.read_text(errors="replace")

    async def finish(self) -> Ended:
        """Waits for its end."""
        return Ended(await self._process.wait(), self.output)

    async def quit(self) -> None:
        """SIGTERM, and SIGKILL where that is not enough."""
        if self._process.returncode is not None:
            return
        self._process.terminate()
        try:
            async with asyncio.timeout(QUIT_SECONDS):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()


@asynccontextmanager
async def started_program(
    command: Sequence[str], folder: Path, *, environment: Mapping[str, str] | None = None
) -> AsyncIterator[Program]:
    """Starts it in ``folder``, and has it ended at the end."""
    output = folder / f"{Path(command[0]).name}.out"
    with output.open("wb") as file:
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=folder,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            env={**os.environ, **(environment or {})},
        )
    program = Program(process, output)
    try:
        yield program
    finally:
        await program.quit()


def find_free_port(*, following: int = 0) -> int:
    """A port of 127.0.0.1 that is free for UDP and TCP, as are the ``following`` ones after it."""
    for _ in range(100):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.bind(("127.0.0.1", 0))
            first = int(probe.getsockname()[1])
        if all(_is_free(first + offset) for offset in range(following + 1)):
            return first
    raise OSError("no ports are free in a row")


def _is_free(port: int) -> bool:
    if port > 65535:
        return False
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                return False
    return True
