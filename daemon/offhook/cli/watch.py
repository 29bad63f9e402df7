"""Keeps a PBX's file current: exports anew after each change of the inventory, and runs a command where it differs."""

import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import FrameType
from typing import Final

import click

from offhook.cli.failure import Failure
from offhook.cli.pbx import PbxExport
from offhook.cli.printable import printable
from offhook.cli.private_file import private_file

_WAIT_SECONDS: Final = 30
#: A change is followed by others as a rule: so long nothing must have changed.
_QUIET_SECONDS: Final = 1
_MOST_CHANGES_AWAITED: Final = 20
_RETRY_SECONDS: Final = (1, 2, 5, 10, 30)
_COMMAND_ENDS_SECONDS: Final = 5
_SUFFIXES: Final = {"asterisk": ".conf", "kamailio": ".sql"}


class _Stopped(Exception):
    """SIGTERM or SIGINT came."""


def watch(wanted: PbxExport, output: Path | None, command: Sequence[str]) -> None:
    """Runs until SIGTERM or SIGINT. Without ``output`` the file lies in a folder of its own, which goes in the end."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        for number in before:
            signal.signal(number, signal.SIG_IGN)
        raise _Stopped

    with ExitStack() as held:
        before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
        held.callback(lambda: [signal.signal(number, handler) for number, handler in before.items()])
        path = output
        if path is None:
            folder = held.enter_context(tempfile.TemporaryDirectory(prefix="offhook-export-"))
            path = Path(folder) / f"{wanted.program}{_SUFFIXES[wanted.program]}"
        for number in before:
            signal.signal(number, stop)
        try:
            Watch(wanted, path, command, time.sleep).run()
        except _Stopped:
            return


class Watch:
    """What has been exported, and what is to be done."""

    def __init__(self, wanted: PbxExport, path: Path, command: Sequence[str], sleep: Callable[[float], None]) -> None:
        self._wanted = wanted
        self._path = path
        self._command = command
        self._sleep = sleep
        self._done: str | None = None
        #: The text with which the command succeeded last.
        self._notes: tuple[str, ...] = ()
        self._failures = 0

    def run(self) -> None:
        """Never returns."""
        known = ""
        while True:
            known = self.step(known)

    def step(self, known: str) -> str:
        """Waits for a change, and brings the PBX up to it. Gives what is known then; what failed is tried again."""
        try:
            settled = self._await_change(known)
            if settled != known:
                # What changes meanwhile, the next step sees.
                self._bring_up()
        except Failure as failure:
            seconds = _RETRY_SECONDS[min(self._failures, len(_RETRY_SECONDS) - 1)]
            self._failures += 1
            failure.show()
            click.echo(f"  trying again in {seconds} s", err=True)
            self._sleep(seconds)
            return ""
        self._failures = 0
        return settled

    def _await_change(self, known: str) -> str:
        change = self._wanted.wait_for_change(known, _WAIT_SECONDS)
        for _ in range(_MOST_CHANGES_AWAITED):
            if known in ("", change):
                break
            known, change = change, self._wanted.wait_for_change(change, _QUIET_SECONDS)
        return change

    def _bring_up(self) -> None:
        fetched = self._wanted.fetch()
        if fetched.notes != self._notes:
            self._notes = fetched.notes
            for note in fetched.notes:
                click.echo(f"Note: {printable(note)}", err=True)
        if fetched.text == self._done:
            return
        with private_file(self._path) as file:
            file.write(fetched.text.encode())
        self._run_command()
        self._done = fetched.text

    def _run_command(self) -> None:
        name = self._command[0]
        try:
            process = subprocess.Popen([*self._command, str(self._path)], stdin=subprocess.DEVNULL)  # noqa: S603 - what the operator typed
        except OSError as error:
            raise Failure(f"{name} cannot be run: {error.strerror}", remedy="correct the command") from None
        try:
            status = process.wait()
        except BaseException:
            process.terminate()
            try:
                process.wait(_COMMAND_ENDS_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            raise
        if status:
            raise Failure(f"{name} ended with {status}", remedy=f"the file is {self._path}")
