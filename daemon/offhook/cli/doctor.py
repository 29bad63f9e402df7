"""``offhook doctor``."""

from typing import TYPE_CHECKING

import click

from offhook.cli import settings
from offhook.cli.client import Client
from offhook.cli.failure import FAILED, Failure
from offhook.cli.output import json_option, print_json, waiting

if TYPE_CHECKING:
    from offhook.cli.checks import Finding


@click.command()
@settings.config_option
@json_option
@click.pass_context
def doctor(ctx: click.Context, as_json: bool) -> None:
    """Look for what keeps phones from working.

    It helps with the daemon running, and without.

    Exit status 1 where something is wrong.
    """
    from offhook.cli.checks import Level, examine, findings_of_faults
    from offhook.errors import ConfigError

    file = settings.find_config_file()
    findings: list[Finding]
    with waiting("looking"):
        try:
            config = settings.load()
        except ConfigError as error:
            findings = findings_of_faults(error)
        else:
            client = Client(config.admin.socket, file)
            try:
                status = client.get("status")
            except Failure as failure:
                findings = list(examine(file, config, None, (), (), str(failure)))
            else:
                findings = list(
                    examine(file, config, status, list(client.list("accounts")), list(client.list("devices")))
                )
    if as_json:
        print_json(
            [{"check": it.check, "level": it.level.value, "text": it.text, "remedy": it.remedy} for it in findings]
        )
    else:
        _print(findings)
    if any(it.level is Level.FAIL for it in findings):
        ctx.exit(FAILED)


def _print(findings: "list[Finding]") -> None:
    from rich.table import Table
    from rich.text import Text

    from offhook.cli.output import console, print_unpadded
    from offhook.cli.printable import printable

    colors = {"ok": "green", "warn": "yellow", "fail": "red bold"}
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for it in findings:
        text = Text(printable(it.text))
        if it.remedy:
            text.append(f"\n→ {printable(it.remedy)}", style="cyan")
        table.add_row(Text(it.level.value, style=colors[it.level.value]), it.check, text)
    out = console()
    print_unpadded(out, table)
    counts = {level: sum(it.level.value == level for it in findings) for level in colors}
    out.print(f"\n{counts['ok']} ok, {counts['warn']} to look at, {counts['fail']} wrong")
