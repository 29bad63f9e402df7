"""``offhook plan`` and ``apply``."""

import textwrap
from collections.abc import Mapping
from typing import Any, BinaryIO, Final

import click

from offhook.cli.client import connect
from offhook.cli.output import json_option, print_json, terminal_width, waiting
from offhook.cli.printable import printable
from offhook.cli.settings import config_option

_SIGNS: Final = {"create": ("+", "green"), "update": ("~", "yellow"), "delete": ("-", "red")}
_DONE: Final = {"create": "created", "update": "changed", "delete": "deleted"}

_file = click.argument("file", type=click.File("rb"))
_prune = click.option("--prune", is_flag=True, help="Delete what the accounts named in the document lack.")
_confirm_moves = click.option("--confirm-moves", is_flag=True, help="Move users from devices that they have now.")


@click.command()
@_file
@_prune
@_confirm_moves
@config_option
@json_option
def plan(file: BinaryIO, prune: bool, confirm_moves: bool, as_json: bool) -> None:
    """Show what applying FILE would change.

    - is standard input.
    """
    with waiting(f"planning {_name(file)}"):
        it = connect().post_document(
            "inventory", "plan", text=file.read(), file=_name(file), prune=prune, confirm_moves=confirm_moves
        )
    _print(it, as_json)


@click.command()
@_file
@_prune
@click.option("--yes", is_flag=True, help="Do delete what --prune finds.")
@_confirm_moves
@config_option
@json_option
def apply(file: BinaryIO, prune: bool, yes: bool, confirm_moves: bool, as_json: bool) -> None:
    """Bring the inventory to what FILE says.

    All of it, or nothing. - is standard input. Applying a document twice changes nothing the second time.
    """
    with waiting(f"applying {_name(file)}"):
        it = connect().post_document(
            "inventory", "apply", text=file.read(), file=_name(file), prune=prune, yes=yes, confirm_moves=confirm_moves
        )
    _print(it, as_json)


def _name(file: BinaryIO) -> str:
    """What faults call the document."""
    return str(getattr(file, "name", "<stdin>"))


def _print(it: Mapping[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(it)
        return
    for difference in it["differences"]:
        _print_difference(difference)
    if it["differences"]:
        click.echo()
    _print_reloads(it)
    for warning in it["warnings"]:
        place = f"{warning['file']}:{warning['line']}:{warning['column']}: " if warning["line"] else ""
        path = f"{warning['path']}: " if warning["path"] else ""
        click.echo(click.style("Warning: ", fg="yellow") + printable(f"{place}{path}{warning['message']}"))
    click.echo(_summary(it))


def _print_difference(difference: Mapping[str, Any]) -> None:
    sign, color = _SIGNS[difference["action"]]
    click.echo(click.style(f"{sign} {printable(difference['key'])}", fg=color))
    fields = difference["fields"]
    if difference["action"] == "create":
        text = ", ".join(f"{field['field'].replace('_', ' ')} {field['after']}" for field in fields)
        lines = textwrap.wrap(printable(text), terminal_width() - 4, break_on_hyphens=False)
    else:
        lines = [printable(_change(field)) for field in fields]
    for line in lines:
        click.echo(f"    {line}")


def _change(field: Mapping[str, str]) -> str:
    name = field["field"].replace("_", " ")
    return f"{name}: {field['before'] or '(none)'} → {field['after'] or '(none)'}"


def _print_reloads(it: Mapping[str, Any]) -> None:
    changed = [reload for reload in it["reloads"] if not reload["is_new"]]
    new = len(it["reloads"]) - len(changed)
    if changed:
        verb = _verb(len(changed), applied=it["applied"])
        click.echo(f"{_count(len(changed), 'device')} {verb} to fetch again (offhook reload DEVICE):")
        for reload in changed:
            click.echo(f"    {printable(reload['device'])}, to revision {reload['revision']}")
    if new:
        verb = _verb(new, applied=it["applied"])
        click.echo(f"{_count(new, 'new device')} {verb} a first configuration to fetch.")


def _verb(count: int, *, applied: bool) -> str:
    if not applied:
        return "would have"
    return "has" if count == 1 else "have"


def _summary(it: Mapping[str, Any]) -> str:
    counts = [
        f"{count} {word}"
        for action, word in _DONE.items()
        if (count := sum(difference["action"] == action for difference in it["differences"]))
    ]
    if not counts:
        return "Nothing to change."
    kinds = ((part["count"], part["kind"].removesuffix("s").replace("dect_", "DECT ")) for part in it["pruned"])
    pruned = ", ".join(_count(count, kind) for count, kind in kinds)
    by_prune = f" (--prune: {pruned})" if pruned else ""
    return f"{'Applied' if it['applied'] else 'Plan'}: {', '.join(counts)}{by_prune}."


def _count(count: int, noun: str) -> str:
    return f"{count} {noun}{'s' if count != 1 else ''}"
