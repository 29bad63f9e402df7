"""``pin``, below ``user`` and ``number``."""

import sys
from collections.abc import Mapping
from typing import Any

import click

from offhook.cli.changes import dry_run_option, print_change
from offhook.cli.client import connect
from offhook.cli.completion import Completer
from offhook.cli.failure import Failure
from offhook.cli.output import json_option, print_json
from offhook.cli.settings import config_option

_ANSWERS = {
    "right": "The PIN is right.",
    "must_change": "The PIN is right. It is the default one still, and to be replaced first.",
    "wrong": "The PIN is wrong; {attempts_left} left before it is locked.",
    "locked": "The PIN is locked.",
}


def describe_pin(pin: Mapping[str, Any]) -> str:
    """How it stands with a PIN."""
    if pin["state"] == "locked":
        return "locked"
    if pin["state"] == "own":
        return "their own"
    return f"{pin['default_pin']} (default)" if pin["default_pin"] else "default"


def pin_group(path: str, noun: str, complete: Completer) -> click.Group:
    """The commands for the PINs of what is listed at ``path``."""
    name_argument = click.argument("name", metavar=noun.upper(), shell_complete=complete)

    @click.group("pin")
    def pin() -> None:
        """PINs: the default one is shown, one of their own never."""

    @pin.command()
    @name_argument
    @config_option
    @json_option
    def verify(name: str, as_json: bool) -> None:
        """Ask whether a PIN is right.

        It is read from the terminal or standard input. Exit status 1 where it is not.
        """
        it = connect().post(path, name, "pin", "verify", body={"pin": _read_pin("PIN")})
        if as_json:
            print_json(it)
        else:
            click.echo(_ANSWERS[it["answer"]].format(**it))
        if not it["right"]:
            raise click.exceptions.Exit(1)

    @pin.command("set")
    @name_argument
    @config_option
    @json_option
    def set_own(name: str, as_json: bool) -> None:
        """Replace the PIN in force by one of their own.

        Both are read from the terminal or standard input, a line each.
        """
        body = {"pin": _read_pin("PIN in force"), "new_pin": _read_pin("New PIN")}
        it = connect().put(path, name, "pin", body=body)
        if as_json:
            print_json(it)
        elif it["right"]:
            click.echo("The new PIN is in force.")
        else:
            click.echo(_ANSWERS[it["answer"]].format(**it))
        if not it["right"]:
            raise click.exceptions.Exit(1)

    @pin.command()
    @name_argument
    @click.option("--renew", is_flag=True, help="To another default than before.")
    @dry_run_option
    @config_option
    @json_option
    def reset(name: str, renew: bool, dry_run: bool, as_json: bool) -> None:
        """Bring the default PIN back, and unlock."""
        it = connect().post(path, name, "pin", "reset", body={"renew": renew}, dry_run=dry_run)
        print_change(it, as_json, f"the PIN is {describe_pin(it['item']['pin'])}")

    return pin


def _read_pin(prompt: str) -> str:
    """Never an argument: those are seen by everybody on the machine."""
    if sys.stdin.isatty():
        return str(click.prompt(prompt, hide_input=True, err=True))
    line = sys.stdin.readline().strip()
    if not line:
        raise Failure(f"standard input has no {prompt}", remedy="write the PIN to it, on a line of its own")
    return line
