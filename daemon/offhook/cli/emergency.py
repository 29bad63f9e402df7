"""``offhook emergency``, and ``offhook device dispatch``."""

from collections.abc import Mapping
from typing import Any, Final

import click

from offhook.cli.address import list_choices
from offhook.cli.changes import count
from offhook.cli.client import connect
from offhook.cli.completion import complete_account, complete_device, complete_location
from offhook.cli.failure import Failure
from offhook.cli.output import Column, format_moment, json_option, print_fields, print_json, print_table
from offhook.cli.printable import printable
from offhook.cli.settings import config_option

_LISTED: Final = 100
_PLACE_COLUMNS: Final = (
    Column("LOCATION"),
    Column("ACCOUNT", 1),
    Column("DEVICES", right=True),
    Column("WITHOUT", right=True),
)
_GAP_COLUMNS: Final = (
    Column("DEVICE"),
    Column("NAME", 2),
    Column("USER", 1),
    Column("WHY NOT"),
    Column("WHAT TO DO", 3),
    Column("ACCOUNT", 4),
)


@click.group()
def emergency() -> None:
    """Emergency addresses: where help is sent."""


@emergency.command()
@click.argument("text")
@click.option("--country", metavar="US", help="Where the text does not say it.")
@config_option
@json_option
def parse(text: str, country: str | None, as_json: bool) -> None:
    """Read an address in one line. Nothing is changed.

    Exit status 0 where it can be taken as it is, else 1 with what is to be decided or added.
    """
    body = {"text": text, **({"country": country} if country else {})}
    it = connect().post("addresses", "parse", body=body)
    if as_json:
        print_json(it)
        if not it["certain"]:
            raise click.exceptions.Exit(1)
        return
    if it["address"] is not None:
        elements = it["address"]["elements"]
        print_fields((name.replace("_", " "), value) for name, value in elements.items())
    if not it["certain"]:
        questions = [f"{question['element']}: {question['message']}" for question in it["questions"]]
        raise Failure("the text does not say it all", faults=[*questions, *list_choices(it["alternatives"])])


@emergency.command()
@click.option("--account", metavar="NAME", help="Only this account.", shell_complete=complete_account)
@click.option("--location", metavar="NAME", help="Only this location, or unassigned.", shell_complete=complete_location)
@click.option("--limit", type=click.IntRange(0), default=_LISTED, show_default=True, help="Devices to list.")
@config_option
@json_option
def coverage(account: str | None, location: str | None, limit: int, as_json: bool) -> None:
    """Show which devices help cannot be sent to, and why."""
    client = connect()
    it = client.get("emergency", "coverage", account=account, location=location, limit=1)
    items = list(client.list("emergency", "coverage", most=limit, account=account, location=location))
    if as_json:
        print_json({**it, "items": items, "next": None})
        return
    print_fields(describe_counts(it["counts"]))
    if it["locations"] and limit:
        click.echo()
        print_table(_PLACE_COLUMNS, [_place_row(place) for place in it["locations"][:limit]], "")
    if items:
        click.echo()
        print_table(_GAP_COLUMNS, [_gap_row(gap) for gap in items], "")
    if it["total"] > len(items):
        click.echo(f"{it['total'] - len(items)} more: --limit {it['total']}")


def describe_counts(counts: Mapping[str, int]) -> list[tuple[str, object]]:
    """The figures, the most urgent first; what is 0 is left out but for the first."""
    missing = counts["assigned_not_dispatchable"]
    return [
        ("phones of users", f"{count(missing, 'phone')} without an address that help can be sent to"),
        ("of these", f"{counts['assigned_without_address']} without any" if missing else ""),
        ("devices", f"{counts['dispatchable']} of {counts['devices']} can be sent help"),
        ("by form alone", f"{counts['form_only']}: nobody was asked" if counts["form_only"] else ""),
        ("incomplete", f"{counts['incomplete']}: a floor or unit is missing" if counts["incomplete"] else ""),
        ("edited", f"{counts['pending']} with a newer address that is not valid" if counts["pending"] else ""),
        ("old", f"{counts['old']} not validated for long" if counts["old"] else ""),
    ]


def _place_row(place: Mapping[str, Any]) -> tuple[object, ...]:
    counts = place["counts"]
    without = counts["devices"] - counts["dispatchable"]
    return place["location"] or "unassigned", place["account"], counts["devices"], without


def _gap_row(gap: Mapping[str, Any]) -> tuple[object, ...]:
    return gap["device"], gap["name"], gap["user"], gap["why"], gap["remedy"], gap["account"]


@click.command()
@click.argument("device", metavar="DEVICE", shell_complete=complete_device)
@click.option("--pidf", is_flag=True, help="As a location object (PIDF-LO).")
@config_option
@json_option
def dispatch(device: str, pidf: bool, as_json: bool) -> None:
    """Show where help is sent when DEVICE calls for it.

    Exit status 1 where it cannot be sent anywhere.
    """
    client = connect()
    if pidf:
        click.echo(client.get_text("devices", device, "dispatch.pidf"))
        return
    it = client.get("devices", device, "dispatch")
    if as_json:
        print_json(it)
        if not it["dispatchable"]:
            raise click.exceptions.Exit(1)
        return
    source = f"{it['source']} {it['source_name']}" if it["source"] != "none" else "none"
    print_fields(
        [
            ("device", f"{it['name']} ({it['device']})" if it["name"] else it["device"]),
            ("help is sent to", it["text"] or "nowhere"),
            ("the address of", source),
            ("by its base", it["base"]),
            ("in force since", format_moment(it["in_force_at"])),
            ("entered", it["entered_text"] if it["entered_text"] != it["text"] else ""),
            ("state", it["state"]),
        ]
    )
    if not it["dispatchable"]:
        raise Failure(printable(it["why_not"]), remedy=it["remedy"])
