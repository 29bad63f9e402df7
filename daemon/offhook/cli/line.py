"""``offhook line``."""

from typing import Any, Final

import click

from offhook.cli.changes import confirm_moves_option, dry_run_option, print_change
from offhook.cli.client import connect
from offhook.cli.completion import complete_account, complete_device, complete_number, complete_user
from offhook.cli.output import Column, json_option, print_json, print_table
from offhook.cli.resource import Field, body_of, confirm
from offhook.cli.settings import config_option

_device: Final = click.argument("device", shell_complete=complete_device)
_index: Final = click.argument("index", type=int, metavar="LINE")
_FIELDS: Final = (
    Field(option="--user", metavar="USER", about="Whose it is.", complete=complete_user),
    Field(option="--number", metavar="NUMBER", about="The number of a common area.", complete=complete_number),
    Field(option="--extension", metavar="DIGITS", about="An extension of its own."),
    Field(option="--label", metavar="TEXT", about="What stands beside its key."),
    Field(option="--appearances", metavar="N", is_number=True, about="How many keys it has."),
    Field(option="--auth-username", metavar="NAME", about="What it authenticates as; else made up."),
)


def _fields(command: Any) -> Any:
    for field in reversed(_FIELDS):
        command = field.decorate(command, required=False)
    return command


@click.group()
def line() -> None:
    """Lines: what devices register with."""


@line.command("list")
@click.option("--account", metavar="NAME", help="Only those of this account.", shell_complete=complete_account)
@click.option("--device", metavar="DEVICE", help="Only those of this device.", shell_complete=complete_device)
@click.option("--reveal", is_flag=True, help="Show passwords; it is written to the audit.")
@click.option("--reason", metavar="TEXT", help="Why, for the audit.")
@config_option
@json_option
def list_lines(account: str | None, device: str | None, reveal: bool, reason: str | None, as_json: bool) -> None:
    """List lines and the names that they register with."""
    if reason and not reveal:
        raise click.UsageError("--reason says why passwords are revealed: add --reveal, or leave it out")
    items = list(connect().list("lines", account=account, device=device, reveal=reveal, reason=reason))
    if as_json:
        print_json(items)
        return
    columns = (
        Column("DEVICE"),
        Column("LINE", 2, right=True),
        Column("EXTENSION"),
        Column("ADDRESS OF RECORD", 1),
        Column("AUTH USERNAME"),
        Column("PASSWORD"),
    )
    rows = [
        (it["device"], it["index"], it["extension"], it["aor"], it["auth_username"], it["password"]) for it in items
    ]
    shown = columns if reveal else columns[:-1]
    print_table(shown, [row[: len(shown)] for row in rows], "There are no lines.")


@line.command()
@_device
@_index
@_fields
@confirm_moves_option
@dry_run_option
@config_option
@json_option
def add(device: str, index: int, confirm_moves: bool, dry_run: bool, as_json: bool, **values: object) -> None:
    """Add a line to a device.

    LINE is a port of an ATA, or the number of another registration of a phone.
    """
    body = {"index": index, **body_of(_FIELDS, values)}
    it = connect().post("devices", device, "lines", body=body, dry_run=dry_run, confirm_moves=confirm_moves)
    print_change(it, as_json, f"line {index} of {device} is added")


@line.command("set")
@_device
@_index
@_fields
@confirm_moves_option
@dry_run_option
@config_option
@json_option
def set_line(device: str, index: int, confirm_moves: bool, dry_run: bool, as_json: bool, **values: object) -> None:
    """Change a line.

    What is not named stays as it is; an empty text ('') clears.
    """
    body = body_of(_FIELDS, values)
    if not body:
        raise click.UsageError("there is nothing to set; name an option, see --help")
    query: dict[str, object] = {"dry_run": dry_run, "confirm_moves": confirm_moves}
    it = connect().patch("devices", device, "lines", str(index), body=body, **query)
    print_change(it, as_json, f"line {index} of {device} is changed")


@line.command()
@_device
@_index
@click.option("--yes", is_flag=True, help="Do not ask.")
@dry_run_option
@config_option
@json_option
def delete(device: str, index: int, yes: bool, dry_run: bool, as_json: bool) -> None:
    """Delete a line. The first one of a device stays: release it instead."""

    def ask(*, trying: bool) -> Any:
        return connect().delete("devices", device, "lines", str(index), dry_run=trying)

    if not dry_run:
        confirm(lambda: ask(trying=True), yes, f"delete line {index} of {device}")
    print_change(ask(trying=dry_run), as_json, f"line {index} of {device} is deleted")


_DONE: Final = {
    "renew": "has a new password; the former is valid until the device has fetched it",
    "stage": "accepts a staged password as well",
    "activate": "has the staged password in its file; the former is valid until the device has fetched it",
    "drop": "accepts its staged password no more",
}


@line.command()
@_device
@_index
@click.argument("step", type=click.Choice(tuple(_DONE)))
@dry_run_option
@config_option
@json_option
def password(device: str, index: int, step: str, dry_run: bool, as_json: bool) -> None:
    """Exchange the password of a line.

    Renew it at once, or stage, activate or drop another one.
    """
    it = connect().post("devices", device, "lines", str(index), "password", step, body={}, dry_run=dry_run)
    print_change(it, as_json, f"line {index} of {device} {_DONE[step]}")
