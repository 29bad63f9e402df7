"""``offhook device``."""

from collections.abc import Mapping
from typing import Any, Final

import click

from offhook.cli.address import add_address_command
from offhook.cli.changes import confirm_moves_option, dry_run_option, fields_of, print_change
from offhook.cli.client import connect
from offhook.cli.completion import complete_device, complete_from, complete_location, complete_number, complete_user
from offhook.cli.emergency import dispatch
from offhook.cli.output import Column, format_ago, format_moment, json_option, print_table
from offhook.cli.resource import Field, Kind, add_commands, confirm
from offhook.cli.settings import config_option


@click.group()
def device() -> None:
    """Devices: phones, ATAs, DECT bases and handsets."""


def _row(it: Mapping[str, Any]) -> tuple[object, ...]:
    extensions = ", ".join(line["extension"] for line in it["lines"] if line["extension"])
    model = " ".join(word for word in (it["vendor"], it["model"] or it["reported_model"]) if word)
    return (
        it["device"],
        it["name"],
        it["type"],
        model,
        extensions,
        ", ".join(it["users"]),
        it["location"],
        it["status"],
        it["config"],
        it["ip"],
        format_ago(it["last_provisioned_at"]),
        it["account"],
        it["firmware"],
        it["emergency_address"],
    )


def _emergency(it: Mapping[str, Any]) -> str:
    if it["emergency_address"] is None:
        return "none: nobody would know where to send help"
    source = "" if it["emergency_source"] == "device" else f" (its {it['emergency_source']}'s)"
    return f"{it['emergency_address']}{source}"


def _fields(it: Mapping[str, Any]) -> list[tuple[str, object]]:
    reported = " ".join(word for word in (it["reported_vendor"], it["reported_model"]) if word)
    entered = " ".join(word for word in (it["vendor"], it["model"]) if word)
    revisions = f"{it['fetched_revision'] or 'none'} of {it['revision']}" if it["revision"] is not None else "no files"
    reload = it["last_reload"]
    carrier = it["carrier"] if it["carrier"] != it["device"] else None
    return [
        ("device", it["device"]),
        ("name", it["name"]),
        ("account", it["account"]),
        ("type", it["type"]),
        ("model", entered or reported),
        ("reports", f"{reported}, which is what counts" if it["model_mismatch"] else ""),
        ("location", it["location"]),
        ("emergency address", _emergency(it)),
        ("status", it["status"]),
        ("configuration", it["config"]),
        ("failed because", it["reason"]),
        ("revision", f"{revisions} fetched" if it["revision"] is not None else revisions),
        ("registration", it["registration"]),
        ("firmware", it["firmware"]),
        ("user agent", it["user_agent"]),
        ("IP address", it["ip"]),
        ("provisioned", format_moment(it["last_provisioned_at"])),
        ("registered", format_moment(it["last_registered_at"])),
        ("its own URL", it["provisioning_url"]),
        ("phone ID", it["phone_id"]),
        ("DECT system", it["system"]),
        ("role", it["role"]),
        ("handsets at most", it["max_handsets"]),
        ("base", it["base"]),
        ("slot", it["slot"]),
        ("carried by", carrier),
        ("last reload", f"{reload['state']}, {format_ago(reload['created_at'])}" if reload else ""),
        ("", reload["reason"] if reload else ""),
    ]


def _print_lines(it: Mapping[str, Any]) -> None:
    if not it["lines"]:
        return
    click.echo()
    columns = (
        Column("LINE", right=True),
        Column("EXTENSION"),
        Column("ADDRESS OF RECORD"),
        Column("USER"),
        Column("NUMBER", 2),
        Column("STATUS", 1),
    )
    rows = [
        (
            line["index"],
            line["extension"],
            line["aor"],
            line["user"],
            line["number"],
            "registered" if line["registered"] else "",
        )
        for line in it["lines"]
    ]
    print_table(columns, rows, "")


def _known_by(identifier: str, values: Mapping[str, object]) -> dict[str, object]:
    """A handset by its IPEI, a softphone by its name, everything else by its MAC."""
    field = {"dect_handset": "ipei", "softphone": "name"}.get(str(values["type"]), "mac")
    return {field: identifier}


_TYPES: Final = ("deskphone", "dect_base", "dect_handset", "ata", "softphone", "generic")
_STATUSES: Final = ("new", "pending", "registered", "provisioned", "offline", "failed", "unpaired", "disabled")
_systems: Final = complete_from("dect-systems", "name")
_KIND: Final = Kind(
    path="devices",
    noun="device",
    key="mac",
    metavar="DEVICE",
    columns=(
        Column("DEVICE"),
        Column("NAME"),
        Column("TYPE", 6),
        Column("MODEL", 2),
        Column("LINES"),
        Column("USER", 1),
        Column("LOCATION", 3),
        Column("STATUS"),
        Column("CONFIG", 5),
        Column("IP ADDRESS", 4),
        Column("FETCHED", 7),
        Column("ACCOUNT", 8),
        Column("FIRMWARE", 9),
        Column("EMERGENCY ADDRESS", 10),
    ),
    row=lambda it: _row(it),
    fields=lambda it: _fields(it),
    more=_print_lines,
    known_by=_known_by,
    options=(
        Field(option="--type", choices=_TYPES, about="What it is.", only="add", required=True),
        Field(option="--name", metavar="NAME", about="What people call it."),
        Field(option="--vendor", metavar="NAME", about="Else told by the MAC."),
        Field(option="--model", metavar="MODEL", about="Like T46U; what the device reports wins."),
        Field(option="--location", metavar="NAME", about="Where it stands.", complete=complete_location),
        Field(option="--user", metavar="USER", about="Whose its first line is.", complete=complete_user),
        Field(option="--base", metavar="DEVICE", about="A handset's base.", only="add", complete=complete_device),
        Field(option="--system", metavar="NAME", about="A base's DECT system.", only="add", complete=_systems),
        Field(option="--role", choices=("single", "master", "member"), about="A base's role in it.", only="add"),
    ),
    filters=(
        Field(option="--type", choices=_TYPES, repeats=True, about="Only devices of this type."),
        Field(option="--status", choices=_STATUSES, repeats=True, about="Only devices with this status."),
        Field(
            option="--location",
            metavar="NAME",
            repeats=True,
            about="Only devices at this location; 'unassigned' for none.",
            complete=complete_location,
        ),
        Field(option="--assigned", choices=("yes", "common_area", "no"), about="Only phones assigned like this."),
        Field(option="--stock", is_switch=True, about="Only phones that can be given to somebody."),
        Field(option="--without-address", is_switch=True, about="Only phones of users that help cannot be sent to."),
        Field(option="--user", metavar="USER", about="Only devices of this user.", complete=complete_user),
        Field(option="--base", metavar="DEVICE", about="Only this base and its handsets.", complete=complete_device),
        Field(option="--system", metavar="NAME", about="Only devices of this DECT system.", complete=_systems),
        Field(option="--vendor", metavar="NAME", about="Only devices of this vendor."),
        Field(option="--model", metavar="MODEL", about="Only devices of this model."),
        Field(option="--group", choices=("base",), about="Put handsets directly under their base."),
    ),
    complete=complete_device,
    moves_users=True,
    none_there="There are no devices. Make one: offhook device add MAC --account ACCOUNT --type deskphone",
)
add_commands(device, _KIND)

_device_argument: Final = click.argument("name", metavar="DEVICE", shell_complete=complete_device)
_yes: Final = click.option("--yes", is_flag=True, help="Do not ask.")


def _act(name: str, action: str, body: Mapping[str, object], done: str, as_json: bool, **query: object) -> None:
    print_change(connect().post("devices", name, action, body=body, **query), as_json, done)


@device.command()
@_device_argument
@click.option("--user", metavar="USER", help="Whose it is.", shell_complete=complete_user)
@click.option("--number", metavar="NUMBER", help="The number of a common area.", shell_complete=complete_number)
@click.option("--extension", metavar="DIGITS", help="An extension of its own.")
@click.option("--line", metavar="N", type=int, help="The line, or port of an ATA; else 1.")
@confirm_moves_option
@dry_run_option
@config_option
@json_option
def assign(
    name: str,
    user: str | None,
    number: str | None,
    extension: str | None,
    line: int | None,
    confirm_moves: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Give a device to a user, a number or an extension.

    A user who has another device is moved only with --confirm-moves.
    """
    body = fields_of(user=user, number=number, extension=extension, line=line)
    if not body.keys() - {"line"}:
        raise click.UsageError("name a user, a number or an extension; to release it: offhook device release")
    _act(name, "assign", body, f"device {name} is assigned", as_json, dry_run=dry_run, confirm_moves=confirm_moves)


@device.command()
@_device_argument
@click.option("--line", metavar="N", type=int, help="The line, or port of an ATA; else 1.")
@dry_run_option
@config_option
@json_option
def release(name: str, line: int | None, dry_run: bool, as_json: bool) -> None:
    """Take a device from whoever has it; it is in stock then."""
    _act(name, "assign", {"user": None, **fields_of(line=line)}, f"device {name} is released", as_json, dry_run=dry_run)


@device.command()
@_device_argument
@click.argument("identifier")
@click.option("--vendor", metavar="NAME", help="Else told by the MAC.")
@click.option("--model", metavar="MODEL", help="Of the new device.")
@_yes
@dry_run_option
@config_option
@json_option
def replace(
    name: str, identifier: str, vendor: str | None, model: str | None, yes: bool, dry_run: bool, as_json: bool
) -> None:
    """Put new hardware in the place of a dead device.

    IDENTIFIER is its MAC or IPEI. Lines, location, handsets and name move to it; nothing that the dead one knew stays
    valid.
    """
    is_handset = connect().get("devices", name)["type"] == "dect_handset"
    body = {"ipei" if is_handset else "mac": identifier, **fields_of(vendor=vendor, model=model)}
    if not dry_run:
        ask = f"replace device {name} by {identifier}"
        confirm(lambda: connect().post("devices", name, "replace", body=body, dry_run=True), yes, ask)
    _act(name, "replace", body, f"device {name} is replaced by {identifier}", as_json, dry_run=dry_run)


@device.command()
@_device_argument
@_yes
@dry_run_option
@config_option
@json_option
def disable(name: str, yes: bool, dry_run: bool, as_json: bool) -> None:
    """Take a lost device out of service.

    Its secrets, registrations and files are void at once. Its assignment stays.
    """
    if not dry_run:
        confirm(lambda: connect().post("devices", name, "disable", body={}, dry_run=True), yes, f"disable {name}")
    _act(name, "disable", {}, f"device {name} is disabled", as_json, dry_run=dry_run)


@device.command()
@_device_argument
@dry_run_option
@config_option
@json_option
def enable(name: str, dry_run: bool, as_json: bool) -> None:
    """Put a device into service again, with new secrets."""
    _act(name, "enable", {}, f"device {name} is enabled", as_json, dry_run=dry_run)


@device.command()
@_device_argument
@click.argument("base", shell_complete=complete_device)
@dry_run_option
@config_option
@json_option
def pair(name: str, base: str, dry_run: bool, as_json: bool) -> None:
    """Pair a handset with a base."""
    _act(name, "pair", {"base": base}, f"device {name} is paired with {base}", as_json, dry_run=dry_run)


@device.command()
@_device_argument
@dry_run_option
@config_option
@json_option
def unpair(name: str, dry_run: bool, as_json: bool) -> None:
    """Take a handset from its base."""
    _act(name, "unpair", {}, f"device {name} stands by itself", as_json, dry_run=dry_run)


@device.command()
@_device_argument
@click.argument("role", type=click.Choice(("single", "master", "member")))
@dry_run_option
@config_option
@json_option
def role(name: str, role: str, dry_run: bool, as_json: bool) -> None:
    """Give a base another role in its DECT system.

    A new master takes the lead from the former.
    """
    _act(name, "role", {"role": role}, f"device {name} is {role}", as_json, dry_run=dry_run)


@device.command()
@_device_argument
@click.option("--system", metavar="NAME", help="The DECT system; without it, none.", shell_complete=_systems)
@click.option("--role", type=click.Choice(("single", "master", "member")), help="What it is there.")
@dry_run_option
@config_option
@json_option
def move(name: str, system: str | None, role: str | None, dry_run: bool, as_json: bool) -> None:
    """Move a base to another DECT system, or out of its own."""
    body = fields_of(system=system, role=role)
    _act(name, "move", body, f"device {name} is moved", as_json, dry_run=dry_run)


@device.command("log-out")
@_device_argument
@dry_run_option
@config_option
@json_option
def log_out(name: str, dry_run: bool, as_json: bool) -> None:
    """Log out the number that is logged in to a device."""
    _act(name, "log-out", {}, f"device {name} is free", as_json, dry_run=dry_run)


@device.command("rotate-token")
@_device_argument
@dry_run_option
@config_option
@json_option
def rotate_token(name: str, dry_run: bool, as_json: bool) -> None:
    """Give a device a new provisioning token.

    The present one is void at once.
    """
    _act(name, "rotate-token", {}, f"device {name} has a new token", as_json, dry_run=dry_run)


add_address_command(device, "devices", "device", complete_device)
device.add_command(dispatch)
