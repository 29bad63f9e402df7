"""``offhook location``."""

from collections.abc import Iterable
from typing import Final

import click

from offhook.cli.address import add_address_command
from offhook.cli.completion import complete_location
from offhook.cli.output import Column, format_moment
from offhook.cli.resource import Field, Kind, View, add_commands


@click.group()
def location() -> None:
    """Locations: where phones stand, and help is sent."""


def _fields(it: View) -> Iterable[tuple[str, object]]:
    address = it["address"] or {}
    return (
        ("location", it["name"]),
        ("account", it["account"]),
        ("time zone", it["timezone"]),
        ("emergency address", address.get("text") or "none: nobody would know where to send help"),
        ("state", address.get("state")),
        ("in force", address.get("in_force_text")),
        ("in force since", format_moment(address.get("in_force_at"))),
        ("message", address.get("message")),
        ("holds", ", ".join(f"{kind} {it[kind]}" for kind in ("devices", "users", "numbers"))),
    )


_KIND: Final = Kind(
    path="locations",
    noun="location",
    key="name",
    metavar="NAME",
    columns=(
        Column("NAME"),
        Column("EMERGENCY ADDRESS"),
        Column("STATE", 2),
        Column("TIME ZONE", 4),
        Column("DEVICES", 1, right=True),
        Column("ACCOUNT", 3),
    ),
    row=lambda it: (
        it["name"],
        it["address"]["text"] if it["address"] else "none",
        it["address"]["state"] if it["address"] else "",
        it["timezone"],
        it["devices"],
        it["account"],
    ),
    fields=_fields,
    options=(
        Field(option="--name", metavar="NAME", about="Another name.", only="set"),
        Field(option="--timezone", metavar="ZONE", about="Like America/New_York."),
    ),
    complete=complete_location,
    is_ambiguous=True,
    none_there="There are no locations. Make one: offhook location add NAME --account ACCOUNT",
)
add_commands(location, _KIND)
add_address_command(location, "locations", "location", complete_location, is_ambiguous=True)
