"""What commands print: tables that fit the terminal, lists of fields, JSON, and a spinner while one waits."""

import json
import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import click

from offhook.cli.printable import printable

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")

_GAP: Final = 2
_WIDE: Final = 1000
#: Columns where there is no terminal: nothing is cut for grep.
_COLORS: Final = {
    "registered": "green",
    "provisioned": "green",
    "current": "green",
    "done": "green",
    "ok": "green",
    "new": "cyan",
    "pending": "yellow",
    "behind": "yellow",
    "partial": "yellow",
    "warn": "yellow",
    "never": "yellow",
    "offline": "red",
    "failed": "red",
    "fail": "red",
    "unreachable": "red",
    "expired": "red",
    "disabled": "dim",
}


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table."""

    title: str
    rank: int = 0
    #: Where the terminal is too narrow, the column with the highest rank goes first; 0 stays.
    right: bool = False


def console(*, stderr: bool = False) -> "Console":
    """Rich's console, as wide as the terminal. Imported late: most of a command's start is imports."""
    from rich.console import Console

    out = sys.stderr if stderr else sys.stdout
    width = None if out.isatty() else _WIDE
    return Console(file=out, width=width, highlight=False, markup=False, emoji=False, soft_wrap=False)


def print_json(value: Any) -> None:
    """Indented JSON; characters that a terminal obeys are escaped."""
    click.echo(printable(json.dumps(value, indent=2, ensure_ascii=False)))


def print_unpadded(out: "Console", table: "Table") -> None:
    """Prints a table without the blanks that fill it up to its width."""
    with out.capture() as captured:
        out.print(table)
    click.echo("\n".join(line.rstrip() for line in captured.get().splitlines()))


def print_table(columns: Sequence[Column], rows: Iterable[Sequence[object]], nothing: str) -> None:
    """A table, or ``nothing`` where there are no rows. Columns go, then texts fold, until it fits."""
    cells = [["" if value is None else printable(str(value)) for value in row] for row in rows]
    if not cells:
        click.echo(nothing, err=True)
        return
    from rich.table import Table
    from rich.text import Text

    out = console()
    shown = _fitting(columns, cells, out.width)
    table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), header_style="bold")
    for index in shown:
        column = columns[index]
        table.add_column(column.title, justify="right" if column.right else "left", overflow="fold")
    for row in cells:
        table.add_row(*(Text(row[index], style=_COLORS.get(row[index], "")) for index in shown))
    print_unpadded(out, table)


def _fitting(columns: Sequence[Column], cells: Sequence[Sequence[str]], width: int) -> list[int]:
    widths = [
        max(len(column.title), *(max(map(len, row[index].splitlines()), default=0) for row in cells))
        for index, column in enumerate(columns)
    ]
    # A column that is empty throughout says nothing.
    shown = [index for index in range(len(columns)) if not columns[index].rank or any(row[index] for row in cells)]
    while sum(widths[index] + _GAP for index in shown) - _GAP > width:
        last = max(shown, key=lambda index: columns[index].rank)
        if not columns[last].rank:
            break
        shown.remove(last)
    return shown


def print_fields(fields: Iterable[tuple[str, object]]) -> None:
    """Name and value, a line each; those without a value are left out."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), show_header=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in fields:
        text = "" if value is None else printable(str(value))
        if text:
            table.add_row(name, Text(text, style=_COLORS.get(text, "")))
    print_unpadded(console(), table)


@contextmanager
def waiting(text: str) -> Iterator[None]:
    """Shows on a terminal that something is under way."""
    if not sys.stderr.isatty():
        yield
        return
    with console(stderr=True).status(text):
        yield


def parse_time(text: str) -> datetime:
    """A time of the API, in the zone of whoever reads it."""
    return datetime.fromisoformat(text).astimezone()


def format_clock(text: str) -> str:
    """The time of day to the millisecond."""
    return parse_time(text).strftime("%H:%M:%S.%f")[:-3]


def format_ago(text: str | None) -> str:
    """How long ago, in the largest unit that fits: ``3 min ago``."""
    if text is None:
        return ""
    return f"{format_seconds((datetime.now().astimezone() - parse_time(text)).total_seconds())} ago"


def format_moment(text: str | None) -> str:
    """The time, and how long ago that is."""
    return f"{parse_time(text):%Y-%m-%d %H:%M:%S} ({format_ago(text)})" if text is not None else ""


def format_seconds(seconds: float) -> str:
    """A duration in its largest unit."""
    rest = max(0, round(seconds))
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if rest >= 2 * length:
            return f"{rest // length} {unit}"
    return f"{rest} s"


def terminal_width() -> int:
    """Columns to wrap at."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else _WIDE
