"""``offhook key``."""

import sys
from collections.abc import Mapping
from typing import Any

import click

from offhook.cli.client import connect
from offhook.cli.failure import Failure
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
def key() -> None:
    """The keys that passwords and tokens are sealed with."""


@key.command()
@config_option
@json_option
def show(as_json: bool) -> None:
    """Show the keys by their ids: which are in use, since when, and how many secrets each seals."""
    it = connect().get("keys")
    if as_json:
        print_json(it)
        return
    print_fields([("key file", it["file"])])
    click.echo()
    print_table(
        (Column("ROOT KEY"), Column("IN USE SINCE")),
        [(root["id"], format_moment(root["in_use_since"]) or "opens older backups") for root in it["root_keys"]],
        "",
    )
    click.echo()
    print_table(
        (
            Column("DATA KEY", right=True),
            Column("FOR"),
            Column("SECRETS", right=True),
            Column("MADE", 1),
            Column("", 2),
        ),
        [
            (data["id"], data["purpose"], data["secrets"], format_ago(data["created_at"]), _state(data))
            for data in it["data_keys"]
        ],
        "",
    )
    if it["outdated"]:
        click.echo(f"\n{_secrets(it['outdated'])} not sealed with the current data key. Next: offhook key reseal")


def _state(data_key: Mapping[str, Any]) -> str:
    if data_key["purpose"] == "derivation":
        return "never changes"
    return "current" if data_key["is_current"] else "being replaced"


def _secrets(count: int) -> str:
    return "1 secret is" if count == 1 else f"{count} secrets are"


@key.command()
@config_option
@json_option
def rotate(as_json: bool) -> None:
    """Put a new root key in use.

    The data keys are wrapped anew, and nothing else changes. The root key before it stays in the key file, behind:
    backups made without the key until now open with it only.
    """
    it = connect().post("keys", "rotate", body={})
    if as_json:
        print_json(it)
        return
    current, *behind = (root["id"] for root in it["root_keys"])
    click.echo(f"The root key {current} is in use. Put a copy of {it['file']} away, where your backups are not.")
    if behind:
        click.echo(
            f"{behind[0]} opens older backups. When you keep none of them any more: offhook key forget {behind[0]}"
        )


@key.command()
@click.argument("key_id", metavar="ID")
@click.option("--yes", is_flag=True, help="Do not ask.")
@config_option
@json_option
def forget(key_id: str, yes: bool, as_json: bool) -> None:
    """Take a root key that is not in use out of the key file.

    Backups that were made with it, without the key inside, do not open any more but with a copy of it.
    """
    if not yes:
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            raise Failure(f"forgetting the root key {key_id} wants a confirmation", remedy="add --yes")
        click.confirm(f"Forget the root key {key_id}, and the backups that it alone opens?", abort=True, err=True)
    it = connect().delete("keys", key_id)
    if as_json:
        print_json(it)
        return
    click.echo(f"The root key {key_id} is forgotten.")


@key.command()
@config_option
@json_option
def reseal(as_json: bool) -> None:
    """Seal every password and token with a new data key.

    The daemon works on, and no phone has to fetch anything. Cut off, it goes on where it was when it is run again.
    """
    client = connect()
    it = client.post("keys", "reseal", body={})
    done, dropped = it["resealed"], list(it["dropped"])
    with click.progressbar(length=done + it["left"], label="sealing anew", file=sys.stderr, hidden=not _shows()) as bar:
        bar.update(done)
        while it["left"]:
            it = client.post("keys", "reseal", body={"data_key": it["data_key"]})
            done += it["resealed"]
            dropped += it["dropped"]
            bar.update(it["resealed"])
    if as_json:
        print_json({"data_key": it["data_key"], "resealed": done, "dropped": dropped})
        return
    click.echo(
        f"Every password, PIN and token is sealed with data key {it['data_key']} now; {done} records were changed."
    )
    if dropped:
        click.echo(f"Dropped, for nothing is sealed with it any more: data key {', '.join(map(str, dropped))}.")


def _shows() -> bool:
    return sys.stderr.isatty()
