"""``offhook token``."""

import re
from collections.abc import Mapping
from typing import Any, Final

import click

from offhook.cli.client import connect
from offhook.cli.output import Column, format_ago, format_moment, json_option, print_json, print_table
from offhook.cli.settings import config_option

_UNITS: Final = {"m": 60, "h": 3600, "d": 86400, "w": 7 * 86400, "y": 365 * 86400}
_ROLES: Final = ("viewer", "operator", "administrator")
_SCOPES: Final = ("reveal",)


def parse_duration(_ctx: click.Context, _parameter: click.Parameter, text: str | None) -> int | None:
    """Seconds, of a number and a unit: ``90d``."""
    if text is None:
        return None
    match = re.fullmatch(r"([0-9]{1,6})([mhdwy])", text.strip().lower(), re.ASCII)
    if match is None:
        raise click.BadParameter("write a number and a unit: 12h, 90d, 52w or 1y")
    return int(match[1]) * _UNITS[match[2]]


@click.group()
def token() -> None:
    """Admin tokens: what programs show to the API."""


@token.command()
@click.argument("name")
@click.option("--role", type=click.Choice(_ROLES), required=True, help="The most that it may do.")
@click.option("--scope", "scopes", type=click.Choice(_SCOPES), multiple=True, help="May reveal secrets as well.")
@click.option("--account", "accounts", multiple=True, help="Reaches this account only; may be repeated.")
@click.option("--network", "networks", metavar="CIDR", multiple=True, help="Is valid from here only; may be repeated.")
@click.option("--expires", metavar="90d", callback=parse_duration, help="After how long it expires; else never.")
@config_option
@json_option
def create(
    name: str,
    role: str,
    scopes: tuple[str, ...],
    accounts: tuple[str, ...],
    networks: tuple[str, ...],
    expires: int | None,
    as_json: bool,
) -> None:
    """Make a token, and print it. It is shown this once."""
    body = {
        "name": name,
        "role": role,
        "scopes": scopes,
        "accounts": accounts,
        "networks": networks,
        "expires_in_seconds": expires,
    }
    body = {name: value for name, value in body.items() if value not in (None, [], ())}
    it = connect().post("tokens", body=body)
    if as_json:
        print_json(it)
        return
    click.echo(it["token"])
    until = f", expires {format_moment(it['expires_at']).partition(' (')[0]}" if it["expires_at"] else ""
    click.echo(f"{it['name']}: {_describe_rights(it)}{until}. It is not shown again.", err=True)


@token.command("list")
@config_option
@json_option
def list_tokens(as_json: bool) -> None:
    """List the tokens, without their text."""
    items = list(connect().list("tokens"))
    if as_json:
        print_json(items)
        return
    columns = (
        Column("NAME"),
        Column("ROLE"),
        Column("ACCOUNTS"),
        Column("NETWORKS", 2),
        Column("EXPIRES"),
        Column("LAST USED"),
        Column("CREATED", 1),
    )
    rows = [
        (
            it["name"],
            " + ".join((it["role"], *it["scopes"])),
            "all" if it["accounts"] is None else ", ".join(it["accounts"]) or "none that is left",
            ", ".join(it["networks"]),
            "expired" if it["expired"] else (it["expires_at"] or "never")[:10],
            format_ago(it["last_used_at"]) or "never used",
            format_ago(it["created_at"]),
        )
        for it in items
    ]
    print_table(columns, rows, "There are no tokens; the local socket needs none.")


@token.command()
@click.argument("name")
@config_option
@json_option
def revoke(name: str, as_json: bool) -> None:
    """Revoke a token; it counts no more from now on."""
    it = connect().delete("tokens", name)
    if as_json:
        print_json(it)
        return
    click.echo(f"token {it['name']} is revoked")


def _describe_rights(it: Mapping[str, Any]) -> str:
    """``operator + reveal, of acme, from 10.0.0.0/8``."""
    parts = [" + ".join((it["role"], *it["scopes"]))]
    parts += [f"of {' and '.join(it['accounts'])}"] if it["accounts"] is not None else []
    parts += [f"from {' and '.join(it['networks'])}"] if it["networks"] else []
    return ", ".join(parts)
