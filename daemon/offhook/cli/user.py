"""``offhook user``."""

from collections.abc import Iterable
from typing import Final

import click

from offhook.cli.address import add_address_command
from offhook.cli.changes import dry_run_option, print_change
from offhook.cli.client import connect
from offhook.cli.completion import complete_device, complete_location, complete_number, complete_user
from offhook.cli.output import Column, json_option
from offhook.cli.pins import describe_pin, pin_group
from offhook.cli.resource import Field, Kind, View, add_commands
from offhook.cli.settings import config_option


@click.group()
def user() -> None:
    """Users: whose phones they are."""


def _fields(it: View) -> Iterable[tuple[str, object]]:
    address = it["offsite_address"] or {}
    return (
        ("user", it["username"]),
        ("name", it["full_name"]),
        ("account", it["account"]),
        ("email", it["email"]),
        ("plan", it["plan"]),
        ("extension", it["extension"]),
        ("numbers", ", ".join(it["numbers"])),
        ("devices", ", ".join(it["devices"])),
        ("location", it["location"]),
        ("time zone", it["timezone"]),
        ("if unreachable", it["forward_unreachable"]),
        ("voicemail", "to email" if it["voicemail_to_email"] else ""),
        ("authorised", "yes" if it["authorised"] else ""),
        ("PIN", describe_pin(it["pin"])),
        ("off-site address", address.get("text")),
        ("state", address.get("state")),
    )


_OPTIONS: Final = (
    Field(option="--username", metavar="NAME", about="Another user name.", only="set"),
    Field(option="--first-name", metavar="NAME", about="First name."),
    Field(option="--last-name", metavar="NAME", about="Last name."),
    Field(option="--email", metavar="ADDRESS", about="Email address."),
    Field(option="--plan", choices=("pro", "plus", "basic"), about="Basic has no physical phone."),
    Field(option="--extension", metavar="DIGITS", about="Else the last four digits of the number."),
    Field(option="--location", metavar="NAME", about="Where the user sits.", complete=complete_location),
    Field(option="--timezone", metavar="ZONE", about="Where it is not that of the location."),
    Field(option="--forward-unreachable", metavar="NUMBER", about="Where calls go while no phone can be reached."),
    Field(option="--voicemail-to-email", is_flag=True, about="Send voicemail to the email address."),
    Field(option="--authorised", is_flag=True, about="May order changes by telephone, with the PIN."),
    Field(option="--number", metavar="NUMBER", about="Gets this free number.", only="add", complete=complete_number),
    Field(option="--device", metavar="DEVICE", about="Gets this phone.", only="add", complete=complete_device),
    Field(option="--line", metavar="N", about="Line or port of that device; else 1.", only="add", is_number=True),
)
_KIND: Final = Kind(
    path="users",
    noun="user",
    key="username",
    metavar="USER",
    columns=(
        Column("USER"),
        Column("NAME"),
        Column("EXTENSION"),
        Column("NUMBERS", 2),
        Column("DEVICES", 1),
        Column("PLAN", 5),
        Column("LOCATION", 3),
        Column("EMAIL", 6),
        Column("ACCOUNT", 4),
    ),
    row=lambda it: (
        it["username"],
        it["full_name"],
        it["extension"],
        ", ".join(it["numbers"]),
        ", ".join(it["devices"]),
        it["plan"],
        it["location"],
        it["email"],
        it["account"],
    ),
    fields=_fields,
    options=_OPTIONS,
    filters=(
        Field(
            option="--location",
            metavar="NAME",
            repeats=True,
            about="Only users at this location; 'unassigned' for none.",
            complete=complete_location,
        ),
        Field(option="--plan", choices=("pro", "plus", "basic"), repeats=True, about="Only users with this plan."),
        Field(option="--without-number", is_switch=True, about="Only users whom a number can be assigned to."),
        Field(option="--without-phone", is_switch=True, about="Only users without a phone."),
    ),
    complete=complete_user,
    moves_users=True,
    none_there="There are no users. Make one: offhook user add NAME --account ACCOUNT",
)
add_commands(user, _KIND)
user.add_command(pin_group("users", "user", complete_user))


@user.command("log-out")
@click.argument("name", metavar="USER", shell_complete=complete_user)
@dry_run_option
@config_option
@json_option
def log_out(name: str, dry_run: bool, as_json: bool) -> None:
    """Log out every number of a user, wherever it is logged in."""
    it = connect().post("users", name, "log-out", body={}, dry_run=dry_run)
    print_change(it, as_json, f"user {name} is logged out")


add_address_command(user, "users", "user", complete_user)
