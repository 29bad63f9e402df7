"""``offhook export``: the inventory as a document, or its credentials for a PBX."""

from pathlib import Path

import click

from offhook.cli.client import connect
from offhook.cli.import_ import KINDS
from offhook.cli.output import waiting
from offhook.cli.pbx import PbxExport
from offhook.cli.printable import printable
from offhook.cli.private_file import check_absent, private_file
from offhook.cli.settings import config_option


@click.command()
@click.option("--account", "accounts", metavar="NAME", multiple=True, help="Only this account; may be repeated.")
@click.option("--secrets", is_flag=True, help="With passwords; it is written to the audit.")
@click.option("--csv", "kind", type=click.Choice(KINDS), help="A table instead, as import takes it back.")
@click.option(
    "--for",
    "program",
    type=click.Choice(["asterisk", "kamailio"]),
    help="Credentials for that PBX instead: pjsip.conf, or SQL for the table subscriber. Written to the audit.",
)
@click.option("--context", metavar="NAME", help="Context of Asterisk's endpoints.  [default: from-internal]")
@click.option("--reason", metavar="TEXT", help="Why, for the audit; with --for.")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Write to FILE.")
@click.option("--force", is_flag=True, help="Replace FILE.")
@click.option("--watch", is_flag=True, help="Export anew after each change, run COMMAND, and go on until SIGTERM.")
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
@config_option
def export(
    accounts: tuple[str, ...],
    secrets: bool,
    kind: str | None,
    program: str | None,
    context: str | None,
    reason: str | None,
    output: Path | None,
    force: bool,
    watch: bool,
    command: tuple[str, ...],
) -> None:
    """Print the inventory, as apply takes it back.

    With --for, what a PBX needs to know of it. With --watch, COMMAND is run with the path of that file added to its
    arguments: at once, and whenever the file has become another one.
    """
    if program is None and (context or reason or watch):
        raise click.UsageError("--context, --reason and --watch go with --for")
    if context and program != "asterisk":
        raise click.UsageError("--context goes with --for asterisk")
    if kind is not None and (program is not None or secrets):
        raise click.UsageError("--csv goes without --for and --secrets: no secret is in a table")
    if program is not None and secrets:
        raise click.UsageError("--for exports credentials anyway: leave out --secrets")
    if bool(command) is not watch:
        raise click.UsageError("a command goes with --watch: offhook export --for PBX --watch -- COMMAND")
    if output is not None and not watch:
        check_absent(output, force=force)
    if kind is not None:
        with waiting("exporting"):
            text = connect().get_text("exports", "csv", kind, account=accounts)
    elif program is None:
        with waiting("exporting"):
            text = connect().get_text("inventory", "export", account=accounts, secrets=secrets)
    else:
        wanted = PbxExport(connect(), program, accounts, context, reason)
        if watch:
            from offhook.cli.watch import watch as keep_current

            keep_current(wanted, output, command)
            return
        with waiting("exporting"):
            fetched = wanted.fetch()
        text = fetched.text
        for note in fetched.notes:
            click.echo(f"Note: {printable(note)}", err=True)
    if output is None:
        click.echo(text, nl=False)
        return
    with private_file(output) as file:
        file.write(text.encode())
