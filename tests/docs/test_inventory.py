"""docs/inventory.md goes through every row, and what it names exists: calls of the API, commands, tests."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click
import pytest
from tests.support.admin_daemon import routes_of, running
from tests.support.documents import ROOT

from offhook.cli.main import main

ROWS = [
    *(f"R{number}" for number in range(1, 15)),
    *(f"U{number}" for number in range(1, 7)),
    *(f"N{number}" for number in range(1, 6)),
    *(f"T{number}" for number in range(1, 4)),
    *(f"E{number}" for number in range(1, 7)),
]


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the tables; of each cell what stands in code."""

    name: str
    about: str
    calls: list[str]
    commands: list[str]
    tests: list[str]


def _rows() -> Iterator[Row]:
    for line in (ROOT / "docs" / "inventory.md").read_text().splitlines():
        if re.match(r"\| [A-Z]\d+ \|", line):
            name, about, *cells = (cell.strip() for cell in line.strip("|").split("|"))
            calls, commands, tests = (re.findall(r"`([^`]+)`", cell) for cell in cells)
            yield Row(name, about, calls, commands, tests)


TABLE = list(_rows())
each_row = pytest.mark.parametrize("row", TABLE, ids=lambda row: row.name)


def test_every_row_is_there_once_and_in_order() -> None:
    assert [row.name for row in TABLE] == ROWS


@each_row
def test_a_row_says_what_it_is_and_how_it_is_done_and_shown(row: Row) -> None:
    assert row.about
    assert row.calls
    assert row.commands
    assert row.tests


async def test_every_call_is_a_route_of_the_api_with_its_parameters(tmp_path: Path) -> None:
    async with running(tmp_path) as daemon:
        known = {f"{route.method} {route.path}": {param.name for param in route.query} for route in routes_of(daemon)}
    for call in [call for row in TABLE for call in row.calls]:
        route, _, query = call.partition("?")
        assert route in known, call
        assert {part.removesuffix("=") for part in query.split("&") if part} <= known[route], call


@each_row
def test_every_command_exists_with_its_options(row: Row) -> None:
    for command in row.commands:
        program, *words = shlex.split(command)
        assert program == "offhook"
        found: click.Command = main
        context = click.Context(main)
        while isinstance(found, click.Group):
            step = found.get_command(context, words.pop(0))
            assert step is not None, command
            found = step
        options = {text for it in found.params for text in (*it.opts, *it.secondary_opts) if text.startswith("-")}
        arguments = [it for it in found.params if isinstance(it, click.Argument)]
        given = [word for word in words if word.startswith("-")]
        assert set(given) <= options, command
        assert len(words) - len(given) <= len(arguments), command


@each_row
def test_every_test_exists(row: Row) -> None:
    for test in row.tests:
        path, _, name = test.partition("::")
        source = (ROOT / "tests" / path).read_text()
        assert re.search(rf"^(async )?def {re.escape(name)}\(", source, re.MULTILINE), test
