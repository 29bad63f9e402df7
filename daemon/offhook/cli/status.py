"""``offhook status``."""

import click

from offhook.cli.changes import count
from offhook.cli.client import connect
from offhook.cli.output import Column, format_seconds, json_option, print_fields, print_json, print_table
from offhook.cli.settings import config_option


@click.command()
@config_option
@json_option
def status(as_json: bool) -> None:
    """Show the daemon: version, state, where it listens."""
    it = connect().get("status")
    if as_json:
        print_json(it)
        return
    counts = ", ".join(f"{name} {count}" for name, count in it["counts"].items() if count)
    missing = it["emergency"]["assigned_not_dispatchable"]
    print_fields(
        [
            ("Offhook", f"{it['version']}, process {it['pid']}, up {format_seconds(it['uptime_seconds'])}"),
            ("ready", "yes" if it["ready"] else "no"),
            ("configuration", it["config_file"]),
            ("state", it["state_dir"]),
            ("inventory", counts or "empty"),
            (
                "emergency",
                f"{count(missing, 'phone')} of users without an address that help can be sent to; "
                "see: offhook emergency coverage"
                if missing
                else "",
            ),
            *((f"check {check['name']}", check["text"]) for check in it["checks"] if not check["ok"]),
        ]
    )
    click.echo()
    rows = [(entry["service"], entry["address"]) for entry in it["listening"]]
    print_table((Column("SERVICE"), Column("LISTENS ON")), rows, "It listens nowhere.")
