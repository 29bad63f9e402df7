"""How a command fails: what happened, what to do, and the exit code. 1: failed; 2: usage or configuration."""

import shutil
import sys
import textwrap
from collections.abc import Mapping, Sequence
from typing import IO, Any, Final

import click

from offhook.cli.printable import printable
from offhook.errors import CatalogError, ConfigError, DocumentError, InventoryError, OffhookError

FAILED: Final = 1
UNUSABLE: Final = 2


class Failure(click.ClickException):
    """Ends a command."""

    exit_code = FAILED

    def __init__(
        self,
        message: str,
        *,
        remedy: str = "",
        faults: Sequence[str] = (),
        alternatives: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        super().__init__(message)
        self.remedy = remedy
        self.faults = faults
        #: Each on a line of its own, as ``file:line:column: path: message``.
        self.alternatives = alternatives
        #: What the daemon offers to choose from, with ``text`` and ``elements``.

    def show(self, file: IO[Any] | None = None) -> None:
        out = file or sys.stderr
        for fault in self.faults:
            click.echo(printable(fault), file=out)
        _say(f"Error: {self._summary}", out)
        if self.remedy and not self._is_told:
            _say(f"  {self.remedy}", out)

    @property
    def _is_told(self) -> bool:
        """Whether the message is that of a fault that is listed."""
        return any(self.message in fault for fault in self.faults)

    @property
    def _summary(self) -> str:
        return f"{len(self.faults)} faults; nothing was changed" if self._is_told else self.message


def _say(text: str, out: IO[Any]) -> None:
    """Prints it, on a terminal in lines that break between words."""
    text = printable(text)
    if out.isatty():
        width = shutil.get_terminal_size().columns
        text = textwrap.fill(text, width, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
        text = text.replace("Error:", click.style("Error:", fg="red"), 1) if text.startswith("Error:") else text
    click.echo(text, file=out)


class Unusable(Failure):
    """Ends a command whose configuration cannot be used."""

    exit_code = UNUSABLE


def failure_of(error: OffhookError) -> Failure:
    """The one place where an error of Offhook's becomes an exit code."""
    match error:
        case ConfigError():
            return Unusable("the configuration cannot be used", faults=[str(fault) for fault in error.faults])
        case CatalogError():
            return Unusable("the vendor folders cannot be used", faults=[str(fault) for fault in error.faults])
        case DocumentError():
            return Failure("the document has faults", faults=[str(fault) for fault in error.faults])
        case InventoryError():
            return Failure(error.message, remedy=error.remedy)
        case _:
            return Failure(str(error))
