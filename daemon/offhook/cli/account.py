"""``offhook account``."""

from collections.abc import Iterable
from typing import Final

import click

from offhook.cli.changes import dry_run_option, print_change
from offhook.cli.client import connect
from offhook.cli.completion import complete_account
from offhook.cli.output import Column, format_moment, json_option
from offhook.cli.resource import Field, Kind, View, add_commands
from offhook.cli.settings import config_option
from offhook.cli.token import parse_duration


@click.group()
def account() -> None:
    """Accounts: customers or sites, each with a SIP domain."""


def _fields(it: View) -> Iterable[tuple[str, object]]:
    return (
        ("account", it["name"]),
        ("SIP domain", it["sip_domain"]),
        ("former domains", ", ".join(it["former_domains"])),
        ("gateway", it["gateway"] or "none: calls of its phones fail"),
        ("external registrar", it["external_registrar"]),
        ("access", it["access"]),
        ("digest", ", ".join(it["digest_algorithms"])),
        ("language", it["language"]),
        ("time zone", it["timezone"]),
        ("NTP server", it["ntp_server"]),
        ("tones", it["tones"]),
        ("holds", ", ".join(f"{kind} {it[kind]}" for kind in ("locations", "users", "numbers", "devices"))),
        ("provisioning URL", it["provisioning_url"]),
        ("URL before valid to", format_moment(it["former_token_until"])),
    )


_KIND: Final = Kind(
    path="accounts",
    noun="account",
    key="name",
    metavar="NAME",
    columns=(
        Column("NAME"),
        Column("SIP DOMAIN"),
        Column("GATEWAY", 2),
        Column("ACCESS", 1),
        Column("USERS", 3, right=True),
        Column("DEVICES", right=True),
    ),
    row=lambda it: (it["name"], it["sip_domain"], it["gateway"], it["access"], it["users"], it["devices"]),
    fields=_fields,
    options=(
        Field(option="--name", metavar="NAME", about="Another name.", only="set"),
        Field(option="--sip-domain", metavar="DOMAIN", about="Registrar and realm of its phones.", required=True),
        Field(option="--gateway", metavar="URI", about="The PBX that calls go to, like sip:pbx.acme.test."),
        Field(option="--external-registrar", metavar="HOST", about="Its phones register there instead of here."),
        Field(option="--access", choices=("device", "token", "lan"), about="What a phone must show for its file."),
        Field(
            option="--digest",
            field="digest_algorithms",
            choices=("MD5", "SHA-256", "SHA-512-256"),
            repeats=True,
            about="How phones prove their passwords; may be repeated.",
        ),
        Field(option="--language", metavar="TAG", about="What its phones speak, like en or de."),
        Field(option="--timezone", metavar="ZONE", about="Where no location says otherwise, like America/New_York."),
        Field(option="--ntp-server", metavar="HOST", about="Where its phones get the time."),
        Field(option="--tones", metavar="COUNTRY", about="Whose tones its phones play, like us."),
    ),
    complete=complete_account,
    belongs=False,
    none_there="There are no accounts. Make one: offhook account add NAME --sip-domain DOMAIN",
    deleting=("yes",),
)
add_commands(account, _KIND)


@account.command("rotate-token")
@click.argument("name", shell_complete=complete_account)
@click.option(
    "--grace", metavar="7d", default="7d", callback=parse_duration, help="How long the present URL is valid still."
)
@click.option("--now", is_flag=True, help="No grace: the present URL is void at once.")
@click.option("--force", is_flag=True, help="Even though the URL before the present one is still valid.")
@dry_run_option
@config_option
@json_option
def rotate_token(name: str, grace: int, now: bool, force: bool, dry_run: bool, as_json: bool) -> None:
    """Give an account a new provisioning URL."""
    body = {"grace_seconds": 0 if now else grace, "force": force}
    it = connect().post("accounts", name, "rotate-token", body=body, dry_run=dry_run)
    print_change(it, as_json, f"account {name} has a new URL: {it['item']['provisioning_url']}")
