"""``offhook line``."""

import click

from offhook.cli.client import connect
from offhook.cli.output import Column, json_option, print_json, print_table
from offhook.cli.settings import config_option


@click.group()
def line() -> None:
    """Lines: what devices register."""


@line.command("list")
@click.option("--account", metavar="NAME", help="Only those of this account.")
@click.option("--device", metavar="DEVICE", help="Only those of this device.")
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
        *((Column("PASSWORD"),) if reveal else ()),
    )
    rows = [
        (
            it["device"],
            it["index"],
            it["extension"],
            it["aor"],
            it["auth_username"],
            *((it["password"],) if reveal else ()),
        )
        for it in items
    ]
    print_table(columns, rows, "There are no lines.")
