"""``offhook audit``."""

from collections.abc import Mapping
from typing import Any

import click

from offhook.cli.client import connect
from offhook.cli.output import Column, json_option, parse_time, print_json, print_table
from offhook.cli.settings import config_option


@click.command()
@click.option("-n", "--limit", type=click.IntRange(1, 100_000), default=50, show_default=True, help="How many.")
@config_option
@json_option
def audit(limit: int, as_json: bool) -> None:
    """Show who changed or revealed what, latest first."""
    items = list(connect().list("audit", most=limit))
    if as_json:
        print_json(items)
        return
    columns = (Column("TIME"), Column("WHO"), Column("ACTION"), Column("WHAT"), Column("HOW", 1))
    rows = [
        (f"{parse_time(it['at']):%Y-%m-%d %H:%M:%S}", it["actor"], it["action"], it["key"], _change(it)) for it in items
    ]
    print_table(columns, rows, "Nothing was changed yet.")


def _change(it: Mapping[str, Any]) -> str:
    if it["reason"]:
        return str(it["reason"])
    names = dict.fromkeys((*it["before"], *it["after"])) if it["action"] == "update" else ()
    return ", ".join(f"{name}: {it['before'].get(name) or '-'} → {it['after'].get(name) or '-'}" for name in names)
