"""``offhook events``."""

import contextlib
import json
from collections.abc import Mapping
from typing import Any

import click

from offhook.cli.client import Event, connect
from offhook.cli.output import format_clock
from offhook.cli.printable import printable
from offhook.cli.settings import config_option

_TYPES = ("change", "device", "reload")
_SHOWN = 3
#: Things of a change that are named on its line.


@click.command()
@click.option("--type", "types", type=click.Choice(_TYPES), multiple=True, help="Only these; may be repeated.")
@click.option("--account", help="Only what concerns this account.")
@click.option("--since", "last_id", metavar="ID", default="", help="Go on after this event; --json tells ids.")
@config_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON, an object a line.")
def events(types: tuple[str, ...], account: str | None, last_id: str, as_json: bool) -> None:
    """Follow what happens, as it happens.

    What is missed, because it was too much at once or too long ago, is told as reset.
    """
    with contextlib.suppress(KeyboardInterrupt):
        for event in connect().follow("events", types=types, account=account, last_id=last_id):
            click.echo(printable(_format(event) if as_json else _describe(event)))


def _format(event: Event) -> str:
    return json.dumps({"id": event.id, "type": event.type, "data": event.data}, ensure_ascii=False)


def _describe(event: Event) -> str:
    data = event.data
    match event.type:
        case "change":
            return f"{format_clock(data['at'])}  change  {data['account']}: {_name_things(data)}, by {data['actor']}"
        case "device":
            name = f"{data['name']} ({data['device']})" if data["name"] else data["device"]
            return f"{format_clock(data['at'])}  device  {name}: {data['before'] or '-'} → {data['status']}"
        case "reload":
            reason = f", {data['reason']}" if data["reason"] else ""
            return f"{format_clock(_latest(data))}  reload  {data['device']}: {data['state']}{reason}"
        case _:
            return "              reset   something was missed"


def _name_things(data: Mapping[str, Any]) -> str:
    named = ", ".join(f"{it['action']} {it['key']}" for it in data["things"][:_SHOWN]) or "revisions"
    more = f" and {data['thing_count'] - _SHOWN} more" if data["thing_count"] > _SHOWN else ""
    count = data["revised_count"]
    return named + more + (f"; {count} device{'s' if count != 1 else ''} to reload" if count else "")


def _latest(data: Mapping[str, Any]) -> str:
    times = ("finished_at", "fetched_at", "answered_at", "sent_at", "created_at")
    return str(next(data[name] for name in times if data[name]))
