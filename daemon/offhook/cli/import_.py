"""``offhook import``: users, numbers, devices and assignments from a table."""

import secrets
from collections.abc import Mapping
from typing import Any, BinaryIO, Final

import click

from offhook.cli.changes import confirm_moves_option, count, dry_run_option, print_differences, print_warnings
from offhook.cli.client import connect
from offhook.cli.output import Column, json_option, print_json, print_table
from offhook.cli.printable import printable
from offhook.cli.progress import with_bar
from offhook.cli.settings import config_option

#: As the API calls what rows state.
KINDS: Final = ("locations", "users", "numbers", "devices", "assignments", "all")
_COLUMNS: Final = ("created", "updated", "deleted", "unchanged")
_SHOWN: Final = 20


@click.command("import")
@click.argument("file", type=click.File("rb"))
@click.option("--kind", type=click.Choice(KINDS), help="What the rows state.  [default: as the header tells]")
@click.option("--account", metavar="NAME", help="Account of the rows, where no column says it.")
@dry_run_option
@confirm_moves_option
@config_option
@json_option
def import_(
    file: BinaryIO, kind: str | None, account: str | None, dry_run: bool, confirm_moves: bool, as_json: bool
) -> None:
    """Bring the inventory to what the CSV in FILE says.

    All of it, or nothing: each row's fault is told with its line. An empty cell leaves things as they are, - clears.
    FILE may be - for standard input. "offhook export --csv all" prints a table with every column.
    """
    name, text = str(getattr(file, "name", "<stdin>")), file.read()
    progress = secrets.token_hex(8)
    client = connect()

    def work() -> Any:
        return client.post_document(
            "imports",
            text=text,
            content_type="text/csv",
            file=name,
            kind=kind,
            account=account,
            dry_run=dry_run,
            confirm_moves=confirm_moves,
            progress=progress,
        )

    it = with_bar(work, lambda: client.get("imports", progress))
    if as_json:
        print_json(it)
        return
    _print(it)


def _print(it: Mapping[str, Any]) -> None:
    if not it["applied"]:
        print_differences(it["differences"])
        if it["more_differences"]:
            click.echo(f"and {count(it['more_differences'], 'more change')}")
        if it["differences"]:
            click.echo()
    rows = [[part["kind"].replace("_", " "), *(part[name] or None for name in _COLUMNS)] for part in it["counts"]]
    columns = [Column("KIND"), *(Column(name.upper(), rank=1, right=True) for name in _COLUMNS)]
    print_table(columns, rows, "The table has no rows.")
    _print_reloads(it)
    print_warnings(it["warnings"])
    if it["more_warnings"]:
        click.echo(f"and {count(it['more_warnings'], 'more warning')}")
    click.echo(_summary(it))


def _print_reloads(it: Mapping[str, Any]) -> None:
    number = len(it["reloads"]) + it["more_reloads"]
    would = "" if it["applied"] else "would "
    if number:
        click.echo(f"{count(number, 'device')} {would}have to fetch again (offhook reload DEVICE).")
        for reload in it["reloads"][:_SHOWN]:
            click.echo(f"    {printable(reload['device'])}, to revision {reload['revision']}")
        if number > _SHOWN:
            click.echo(f"    and {number - _SHOWN} more")
    if it["new_configurations"]:
        click.echo(f"{count(it['new_configurations'], 'new device')} {would}have a first configuration to fetch.")


def _summary(it: Mapping[str, Any]) -> str:
    if not it["differences"]:
        return "Nothing to change."
    number = count(len(it["differences"]) + it["more_differences"], "change")
    return f"Imported: {number}." if it["applied"] else f"A dry run: nothing was changed; {number} would be made."
