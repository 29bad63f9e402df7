"""What changing commands share: options for fields, a dry run, and what a change did or would do."""

import textwrap
from collections.abc import Mapping
from typing import Any, Final

import click

from offhook.cli.client import format_fault
from offhook.cli.output import print_json, terminal_width
from offhook.cli.printable import printable

dry_run_option = click.option("--dry-run", is_flag=True, help="Tell what would change, and change nothing.")
confirm_moves_option = click.option("--confirm-moves", is_flag=True, help="Move users from devices that they have now.")

_SIGNS: Final = {"create": ("+", "green"), "update": ("~", "yellow"), "delete": ("-", "red")}


def fields_of(**values: object) -> dict[str, object]:
    """The body of a change: options that were given, by the name of their field. An empty text clears (null)."""
    return {name: None if value == "" else value for name, value in values.items() if value is not None}


def print_change(it: Mapping[str, Any], as_json: bool, done: str) -> None:
    """What the API says of a change (ChangeView). ``done`` sums it up, like ``user kim is added``."""
    if as_json:
        print_json(it)
        return
    print_differences(it["differences"])
    if it["differences"]:
        click.echo()
    print_reloads(it["reloads"], is_done=not it["dry_run"])
    print_warnings(it["warnings"])
    if not it["differences"]:
        click.echo("Nothing to change.")
    elif it["dry_run"]:
        click.echo("A dry run: nothing was changed.")
    else:
        click.echo(printable(done[:1].upper() + done[1:]) + ".")


def print_differences(differences: list[dict[str, Any]]) -> None:
    """What is created and deleted, with what it has, and what is changed, with its fields before and after."""
    for difference in differences:
        sign, color = _SIGNS[difference["action"]]
        click.echo(click.style(f"{sign} {printable(difference['key'])}", fg=color))
        fields = difference["fields"]
        if difference["action"] == "update":
            lines = [printable(_change(field)) for field in fields]
        else:
            held = "after" if difference["action"] == "create" else "before"
            text = ", ".join(f"{field['field'].replace('_', ' ')} {field[held]}" for field in fields)
            lines = textwrap.wrap(printable(text), terminal_width() - 4, break_on_hyphens=False)
        for line in lines:
            click.echo(f"    {line}")


def _change(field: Mapping[str, str]) -> str:
    name = field["field"].replace("_", " ")
    return f"{name}: {field['before'] or '(none)'} → {field['after'] or '(none)'}"


def print_reloads(reloads: list[dict[str, Any]], *, is_done: bool) -> None:
    """The devices that have to fetch again."""
    changed = [reload for reload in reloads if not reload["is_new"]]
    new = len(reloads) - len(changed)
    if changed:
        verb = _verb(len(changed), is_done=is_done)
        click.echo(f"{count(len(changed), 'device')} {verb} to fetch again (offhook reload DEVICE):")
        for reload in changed:
            click.echo(f"    {printable(reload['device'])}, to revision {reload['revision']}")
    if new:
        click.echo(f"{count(new, 'new device')} {_verb(new, is_done=is_done)} a first configuration to fetch.")


def print_warnings(warnings: list[dict[str, Any]]) -> None:
    """What is not wrong, but wants a look."""
    for warning in warnings:
        click.echo(click.style("Warning: ", fg="yellow") + printable(format_fault(warning)))


def _verb(number: int, *, is_done: bool) -> str:
    if not is_done:
        return "would have"
    return "has" if number == 1 else "have"


def count(number: int, noun: str) -> str:
    """``1 device``, ``2 devices``."""
    return f"{number} {noun}{'s' if number != 1 else ''}"
