"""``offhook reload``."""

from collections.abc import Mapping
from typing import Any, Final

import click

from offhook.cli.client import Client, connect
from offhook.cli.failure import Failure
from offhook.cli.output import format_clock, json_option, print_json, waiting
from offhook.cli.printable import printable
from offhook.cli.settings import config_option

_POLL_SECONDS: Final = 30
_FINAL: Final = ("done", "failed")


@click.command()
@click.argument("device", metavar="DEVICE")
@click.option("--wait/--no-wait", default=True, help="Follow it to the end, or only begin it.  [default: wait]")
@config_option
@json_option
def reload(device: str, wait: bool, as_json: bool) -> None:
    """Have a device fetch its configuration, and follow it.

    Exit status 0 where it has fetched and its lines are registered, else 1.
    """
    client = connect()
    record = client.post("reloads", body={"device": device})
    if not wait:
        if as_json:
            print_json(record)
        else:
            click.echo(f"reload {record['id']} of {record['device']} has begun; offhook device show {record['device']}")
        return
    record = _follow(client, record, quiet=as_json)
    if as_json:
        print_json(record)
    if record["state"] == "failed":
        raise Failure(f"the reload of {record['device']} failed: {record['reason']}")


def _follow(client: Client, record: Mapping[str, Any], *, quiet: bool) -> Mapping[str, Any]:
    shown: set[tuple[str, str]] = set()
    if not quiet:
        by = f", by its carrier {record['carrier']}" if record["carrier"] != record["device"] else ""
        click.echo(f"{record['device']}: reload {record['id']}, to revision {record['revision']}{by}")
    try:
        while True:
            if not quiet:
                _print_steps(record, shown)
            if record["state"] in _FINAL:
                return record
            with waiting(_awaited(record)):
                record = client.get(
                    "reloads",
                    record["id"],
                    wait=_POLL_SECONDS,
                    state=record["state"],
                    timeout=_POLL_SECONDS + 30,
                )
    except KeyboardInterrupt:
        raise Failure(
            "not waiting any more; the reload goes on", remedy=f"see: offhook device show {record['device']}"
        ) from None


def _print_steps(record: Mapping[str, Any], shown: set[tuple[str, str]]) -> None:
    """What has happened since: by its times, as some steps may have come at once."""
    for name, at, text in _steps(record):
        if at is not None and (name, at) not in shown:
            shown.add((name, at))
            click.echo(f"  {format_clock(at)}  {click.style(f'{name:<9}', fg=_color(name))} {printable(text)}".rstrip())


def _steps(record: Mapping[str, Any]) -> list[tuple[str, str | None, str]]:
    attempt = f", attempt {record['attempts']}" if record["attempts"] > 1 else ""
    end = "failed" if record["state"] == "failed" else "done"
    registered = "its lines have registered with it" if record["awaits_registration"] else "its lines are registered"
    return [
        ("sent", record["sent_at"], f"NOTIFY with Event: {record['event']}{attempt}"),
        ("answered", record["answered_at"], str(record["answer_status"])),
        ("fetched", record["fetched_at"], f"revision {record['revision']}"),
        (end, record["finished_at"], "" if end == "failed" else registered),
    ]


def _awaited(record: Mapping[str, Any]) -> str:
    return {
        "queued": "waiting for its turn",
        "sent": "waiting for its answer",
        "answered": f"waiting for it to fetch revision {record['revision']}",
        "fetched": "waiting for its lines to register",
    }.get(record["state"], "waiting")


def _color(step: str) -> str:
    return {"done": "green", "failed": "red"}.get(step, "cyan")
