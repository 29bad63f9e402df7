"""``offhook audit``."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import click

from offhook.cli.client import connect
from offhook.cli.output import Column, json_option, parse_time, print_json, print_table
from offhook.cli.settings import config_option
from offhook.cli.token import parse_duration


def parse_moment(ctx: click.Context, parameter: click.Parameter, text: str | None) -> str | None:
    """A time for the API: ISO 8601, in the zone of whoever types it, or how long ago: ``2h``."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        try:
            seconds = parse_duration(ctx, parameter, text)
        except click.BadParameter:
            raise click.BadParameter("write a time, like 2026-11-22 or 2026-11-22T08:30, or how long ago: 2h") from None
        moment = datetime.now() - timedelta(seconds=seconds or 0)  # noqa: DTZ005 - made aware below
    return moment.astimezone().isoformat(timespec="seconds")


@click.command()
@click.argument("key", required=False)
@click.option("--actor", help="Part of the name of who did it.")
@click.option("--action", help="create, update, delete, reveal, or whatever else was done.")
@click.option("--kind", help="device, user, number, line, account, ...")
@click.option("--account", help="Only what concerns this account.")
@click.option("--request", "request_id", help="Only what this request did.")
@click.option("--since", metavar="TIME", callback=parse_moment, help="From this time on, or so long ago: 2h.")
@click.option("--until", metavar="TIME", callback=parse_moment, help="Before this time, or so long ago.")
@click.option("-q", "--search", "q", help="Part of anything in it.")
@click.option("-n", "--limit", type=click.IntRange(1, 100_000), default=50, show_default=True, help="How many.")
@config_option
@json_option
def audit(key: str | None, limit: int, as_json: bool, **filters: str | None) -> None:
    """Show who changed or revealed what, latest first.

    KEY is what it was done to: a device by its MAC in any notation, its IPEI or its name, a user by name. A device that
    was replaced is found by its former identifiers too.
    """
    items = list(connect().list("audit", most=limit, key=key, **filters))
    if as_json:
        print_json(items)
        return
    columns = (
        Column("TIME"),
        Column("WHO"),
        Column("FROM", 3),
        Column("ACTION"),
        Column("ACCOUNT", 2),
        Column("WHAT"),
        Column("BEFORE → AFTER", 1),
        Column("REQUEST", 4),
    )
    rows = [
        (
            f"{parse_time(it['at']):%Y-%m-%d %H:%M:%S}",
            it["actor"],
            it["origin"],
            it["action"],
            it["account"],
            it["key"],
            _change(it),
            it["request_id"],
        )
        for it in items
    ]
    is_filtered = key or any(filters.values())
    print_table(columns, rows, "Nothing of that kind was changed." if is_filtered else "Nothing was changed yet.")


def _change(it: Mapping[str, Any]) -> str:
    """``first_name: Jane → Joan``; of what comes or goes, what it was; then why."""
    before, after = it["before"], it["after"]
    names = dict.fromkeys((*before, *after))
    if it["action"] in ("create", "delete"):
        parts = [f"{name}: {before.get(name) or after.get(name)}" for name in names]
    else:
        parts = [f"{name}: {before.get(name) or '-'} → {after.get(name) or '-'}" for name in names]
    parts += [it["reason"]] if it["reason"] else []
    return ", ".join(parts)
