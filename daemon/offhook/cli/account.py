"""``offhook account``."""

import click

from offhook.cli.client import connect
from offhook.cli.output import Column, json_option, print_fields, print_json, print_table
from offhook.cli.settings import config_option


@click.group()
def account() -> None:
    """Accounts: customers or sites, each with a SIP domain."""


@account.command("list")
@config_option
@json_option
def list_accounts(as_json: bool) -> None:
    """List the accounts."""
    items = list(connect().list("accounts"))
    if as_json:
        print_json(items)
        return
    columns = (
        Column("NAME"),
        Column("SIP DOMAIN"),
        Column("GATEWAY", 2),
        Column("ACCESS", 1),
        Column("USERS", 3, right=True),
        Column("DEVICES", right=True),
    )
    rows = [(it["name"], it["sip_domain"], it["gateway"], it["access"], it["users"], it["devices"]) for it in items]
    print_table(columns, rows, "There are no accounts. Write a document, and: offhook apply FILE")


@account.command()
@click.argument("name")
@config_option
@json_option
def show(name: str, as_json: bool) -> None:
    """Show an account, with the URL that its phones are provisioned from."""
    it = connect().get("accounts", name)
    if as_json:
        print_json(it)
        return
    print_fields(
        [
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
        ]
    )
