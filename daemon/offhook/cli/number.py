"""``offhook number``."""

from collections.abc import Iterable
from typing import Final

import click

from offhook.cli.changes import confirm_moves_option, dry_run_option, fields_of, print_change
from offhook.cli.client import connect
from offhook.cli.completion import complete_device, complete_from, complete_location, complete_number, complete_user
from offhook.cli.output import Column, format_moment, json_option
from offhook.cli.pins import describe_pin, pin_group
from offhook.cli.resource import Field, Kind, View, add_commands
from offhook.cli.settings import config_option


@click.group()
def number() -> None:
    """Numbers: whose they are, and what they do."""


def _where(it: View) -> str:
    if it["device"] is None:
        return ""
    return it["device"] if it["line"] == 1 else f"{it['device']} line {it['line']}"


def _features(it: View) -> str:
    words = []
    for name, value in it["features"].items():
        text = name.replace("_", " ")
        if name == "call_waiting":
            words += [] if value else ["no call waiting"]
        elif value:
            words.append(text if value is True else f"{text} {value}")
    return ", ".join(words)


def _fields(it: View) -> Iterable[tuple[str, object]]:
    shown = it["display_name"]
    return (
        ("number", it["number"]),
        ("account", it["account"]),
        ("location", it["location"]),
        ("extension", it["extension"]),
        ("status", it["status"]),
        ("assigned to", it["assigned_to"]),
        ("user", it["user"]),
        ("station type", it["station_type"]),
        ("display name", " ".join((shown["first"], shown["last"])).strip() if shown else ""),
        ("features", _features(it)),
        ("device", _where(it)),
        ("logged in", format_moment(it["logged_in_at"])),
        ("PIN", describe_pin(it["pin"])),
    )


_STATUSES: Final = ("reserved", "active", "pending")
_station_types: Final = complete_from("station-types", "name")
_OPTIONS: Final = (
    Field(option="--location", metavar="NAME", about="Its site.", complete=complete_location),
    Field(option="--status", choices=_STATUSES, about="Only active numbers can be assigned."),
    Field(option="--main", is_flag=True, about="The main number of its site."),
    Field(option="--extension", metavar="DIGITS", about="Else its last four digits."),
    Field(option="--station-type", metavar="NAME", about="What it may do.", complete=_station_types),
    Field(option="--user", metavar="USER", about="Whose it is.", complete=complete_user),
    Field(option="--display-first", field="display_name.first", metavar="TEXT", about="Shown on the phone."),
    Field(option="--display-last", field="display_name.last", metavar="TEXT", about="Its second part."),
)
_FORWARD: Final = "to a number or an extension"
_FEATURES: Final = (
    Field(
        option="--forward-always", field="features.forward_always", metavar="NUMBER", about=f"Every call {_FORWARD}."
    ),
    Field(option="--forward-busy", field="features.forward_busy", metavar="NUMBER", about=f"While busy {_FORWARD}."),
    Field(
        option="--forward-no-answer",
        field="features.forward_no_answer",
        metavar="NUMBER",
        about=f"After three rings {_FORWARD}.",
    ),
    Field(option="--voicemail", field="features.voicemail", is_flag=True, about="Voicemail."),
    Field(
        option="--voicemail-to-email",
        field="features.voicemail_to_email",
        is_flag=True,
        about="Send it to the user's email address as well.",
    ),
    Field(option="--hide-caller-id", field="features.hide_caller_id", is_flag=True, about="Hide who calls."),
    Field(option="--call-waiting", field="features.call_waiting", is_flag=True, about="Tell of a second call."),
    Field(
        option="--do-not-disturb",
        field="features.do_not_disturb",
        is_flag=True,
        about="Calls go to voicemail, else find it busy.",
    ),
    Field(
        option="--caller-identity",
        field="features.caller_identity",
        metavar="NUMBER",
        about="Show this active number of the site to those who are called.",
        complete=complete_number,
    ),
    Field(
        option="--authorisation-code",
        field="features.authorisation_code",
        is_flag=True,
        about="Calls to the outside want a code, so nothing is forwarded.",
    ),
)
_KIND: Final = Kind(
    path="numbers",
    noun="number",
    key="number",
    metavar="NUMBER",
    columns=(
        Column("NUMBER"),
        Column("EXTENSION"),
        Column("ASSIGNED TO"),
        Column("STATUS", 1),
        Column("LOGGED IN", 2),
        Column("PIN", 4),
        Column("STATION TYPE", 5),
        Column("LOCATION", 3),
        Column("ACCOUNT", 6),
    ),
    row=lambda it: (
        it["number"],
        it["extension"],
        it["assigned_to"],
        it["status"],
        _where(it),
        describe_pin(it["pin"]),
        it["station_type"],
        it["location"],
        it["account"],
    ),
    fields=_fields,
    options=(*_OPTIONS, *_FEATURES),
    filters=(
        Field(
            option="--location",
            metavar="NAME",
            repeats=True,
            about="Only numbers of this site; 'unassigned' for none.",
            complete=complete_location,
        ),
        Field(option="--status", choices=_STATUSES, repeats=True, about="Only numbers with this status."),
        Field(option="--user", metavar="USER", about="Only numbers of this user.", complete=complete_user),
        Field(option="--assigned", is_flag=True, about="Only numbers that are assigned, or that are not."),
        Field(option="--logged-in", is_flag=True, about="Only numbers that are on a device, or that are not."),
    ),
    complete=complete_number,
    none_there="There are no numbers. Make one: offhook number add NUMBER --account ACCOUNT",
)
add_commands(number, _KIND)
number.add_command(pin_group("numbers", "number", complete_number))

_number_argument: Final = click.argument("name", metavar="NUMBER", shell_complete=complete_number)


@number.command()
@_number_argument
@click.option("--user", metavar="USER", help="Whose it is.", shell_complete=complete_user)
@click.option("--station-type", metavar="NAME", help="What it may do.", shell_complete=_station_types)
@click.option("--location", metavar="NAME", help="Its site.", shell_complete=complete_location)
@click.option("--device", metavar="DEVICE", help="Where it rings.", shell_complete=complete_device)
@click.option("--line", metavar="N", type=int, help="The line, or port of an ATA; else 1.")
@confirm_moves_option
@dry_run_option
@config_option
@json_option
def assign(
    name: str,
    user: str | None,
    station_type: str | None,
    location: str | None,
    device: str | None,
    line: int | None,
    confirm_moves: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Assign a number: user, station type and device in one go.

    Without a user, the device stands in a common area and has the number itself.
    """
    body = fields_of(user=user, station_type=station_type, location=location, device=device, line=line)
    if not body:
        raise click.UsageError("name at least a user or a device, see --help")
    it = connect().post("numbers", name, "assign", body=body, dry_run=dry_run, confirm_moves=confirm_moves)
    print_change(it, as_json, f"number {name} is assigned")


@number.command()
@_number_argument
@dry_run_option
@config_option
@json_option
def unassign(name: str, dry_run: bool, as_json: bool) -> None:
    """Take a number from its user, and from the line that has it."""
    it = connect().post("numbers", name, "unassign", body={}, dry_run=dry_run)
    print_change(it, as_json, f"number {name} is free")


@number.command("log-in")
@_number_argument
@click.argument("phone_id", metavar="PHONE-ID")
@click.option("--line", metavar="N", type=int, help="The port of an ATA; else 1.")
@click.option("--move", is_flag=True, help="Log it out where it is logged in now.")
@dry_run_option
@config_option
@json_option
def log_in(name: str, phone_id: str, line: int | None, move: bool, dry_run: bool, as_json: bool) -> None:
    """Log a number in to the phone that shows PHONE-ID on its screen."""
    body = {"phone_id": phone_id, "move": move, **fields_of(line=line)}
    it = connect().post("numbers", name, "log-in", body=body, dry_run=dry_run)
    print_change(it, as_json, f"number {name} is logged in to {it['item']['device']}")


@number.command("log-out")
@_number_argument
@dry_run_option
@config_option
@json_option
def log_out(name: str, dry_run: bool, as_json: bool) -> None:
    """Log a number out, wherever it is logged in."""
    it = connect().post("numbers", name, "log-out", body={}, dry_run=dry_run)
    print_change(it, as_json, f"number {name} is logged out")
