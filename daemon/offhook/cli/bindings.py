"""``offhook bindings``."""

import click

from offhook.cli.client import connect
from offhook.cli.output import Column, format_seconds, json_option, print_json, print_table
from offhook.cli.settings import config_option


@click.command()
@click.option("--aor", metavar="AOR", help="Only this address of record, or extension.")
@click.option("--device", metavar="DEVICE", help="Only those of this device.")
@config_option
@json_option
def bindings(aor: str | None, device: str | None, as_json: bool) -> None:
    """List who is registered, from where, and for how long."""
    items = list(connect().list("bindings", aor=aor, device=device))
    if as_json:
        print_json(items)
        return
    columns = (
        Column("ADDRESS OF RECORD"),
        Column("DEVICE"),
        Column("RECEIVED FROM", 1),
        Column("EXPIRES IN", 2, right=True),
        Column("CONTACT", 4),
        Column("USER AGENT", 3),
    )
    rows = [
        (
            it["aor"],
            it["device"],
            it["received"],
            format_seconds(it["expires_in"]),
            it["contact"],
            it["user_agent"],
        )
        for it in items
    ]
    print_table(columns, rows, "Nobody is registered.")
