"""``offhook device``."""

from collections.abc import Mapping
from typing import Any

import click

from offhook.cli.client import connect
from offhook.cli.output import (
    Column,
    format_ago,
    format_moment,
    json_option,
    print_fields,
    print_json,
    print_table,
)
from offhook.cli.settings import config_option


@click.group()
def device() -> None:
    """Devices: phones, ATAs, DECT bases and handsets."""


@device.command("list")
@click.option("--account", metavar="NAME", help="Only those of this account.")
@click.option("--type", "kind", metavar="TYPE", help="Only this type, e.g. deskphone.")
@click.option("--status", metavar="STATUS", help="Only this status, e.g. offline.")
@click.argument("search", required=False, default="")
@config_option
@json_option
def list_devices(search: str, account: str | None, kind: str | None, status: str | None, as_json: bool) -> None:
    """List devices; with SEARCH those whose MAC, name, model, address, user or extension has that text."""
    items = list(connect().list("devices", q=search, account=account, type=kind, status=status))
    if as_json:
        print_json(items)
        return
    columns = (
        Column("DEVICE"),
        Column("NAME"),
        Column("MODEL", 2),
        Column("LINES"),
        Column("STATUS"),
        Column("CONFIG", 3),
        Column("ADDRESS", 1),
        Column("FETCHED", 4),
        Column("ACCOUNT", 5),
        Column("FIRMWARE", 6),
    )
    print_table(columns, [_row(it) for it in items], "No such device." if search else "There are no devices.")


def _row(it: Mapping[str, Any]) -> tuple[object, ...]:
    extensions = ", ".join(line["extension"] for line in it["lines"] if line["extension"])
    model = " ".join(word for word in (it["vendor"], it["model"] or it["reported_model"]) if word)
    return (
        it["device"],
        it["name"],
        model,
        extensions,
        it["status"],
        it["config"],
        it["ip"],
        format_ago(it["last_provisioned_at"]),
        it["account"],
        it["firmware"],
    )


@device.command()
@click.argument("device_name", metavar="DEVICE")
@config_option
@json_option
def show(device_name: str, as_json: bool) -> None:
    """Show a device: what it is, what it runs, whether it is registered."""
    it = connect().get("devices", device_name)
    if as_json:
        print_json(it)
        return
    print_fields(_fields(it))
    if it["lines"]:
        click.echo()
        columns = (
            Column("LINE", right=True),
            Column("EXTENSION"),
            Column("ADDRESS OF RECORD"),
            Column("USER"),
            Column("STATUS", 1),
        )
        rows = [
            (
                line["index"],
                line["extension"],
                line["aor"],
                line["user"],
                "registered" if line["registered"] else "",
            )
            for line in it["lines"]
        ]
        print_table(columns, rows, "")


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
        ("reports", reported if reported != entered else ""),
        ("location", it["location"]),
        ("status", it["status"]),
        ("configuration", it["config"]),
        ("failed because", it["reason"]),
        ("revision", f"{revisions} fetched" if it["revision"] is not None else revisions),
        ("registration", it["registration"]),
        ("firmware", it["firmware"]),
        ("user agent", it["user_agent"]),
        ("address", it["ip"]),
        ("provisioned", format_moment(it["last_provisioned_at"])),
        ("registered", format_moment(it["last_registered_at"])),
        ("phone ID", it["phone_id"]),
        ("DECT system", it["system"]),
        ("role", it["role"]),
        ("base", it["base"]),
        ("slot", it["slot"]),
        ("carried by", carrier),
        ("last reload", f"{reload['state']}, {format_ago(reload['created_at'])}" if reload else ""),
        ("", reload["reason"] if reload else ""),
    ]
