"""``offhook plan`` and ``apply``."""

from collections.abc import Mapping
from typing import Any, BinaryIO, Final

import click

from offhook.cli.changes import confirm_moves_option, count, print_differences, print_reloads, print_warnings
from offhook.cli.client import connect
from offhook.cli.output import json_option, print_json, waiting
from offhook.cli.settings import config_option

_DONE: Final = {"create": "created", "update": "changed", "delete": "deleted"}

_file = click.argument("file", type=click.File("rb"))
_prune = click.option("--prune", is_flag=True, help="Delete what the accounts named in the document lack.")


@click.command()
@_file
@_prune
@confirm_moves_option
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
@confirm_moves_option
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
    print_differences(it["differences"])
    if it["differences"]:
        click.echo()
    print_reloads(it["reloads"], is_done=it["applied"])
    print_warnings(it["warnings"])
    click.echo(_summary(it))


def _summary(it: Mapping[str, Any]) -> str:
    counts = [
        f"{number} {word}"
        for action, word in _DONE.items()
        if (number := sum(difference["action"] == action for difference in it["differences"]))
    ]
    if not counts:
        return "Nothing to change."
    kinds = ((part["count"], part["kind"].removesuffix("s").replace("dect_", "DECT ")) for part in it["pruned"])
    pruned = ", ".join(count(number, kind) for number, kind in kinds)
    by_prune = f" (--prune: {pruned})" if pruned else ""
    return f"{'Applied' if it['applied'] else 'Plan'}: {', '.join(counts)}{by_prune}."
