"""``offhook render``."""

import click

from offhook.cli.client import connect
from offhook.cli.output import json_option, print_json
from offhook.cli.settings import config_option


@click.command()
@click.argument("device", metavar="DEVICE")
@click.argument("file", required=False, default="")
@click.option("--reveal", is_flag=True, help="Show passwords; it is written to the audit.")
@click.option("--reason", metavar="TEXT", help="Why, for the audit.")
@config_option
@json_option
def render(device: str, file: str, reveal: bool, reason: str | None, as_json: bool) -> None:
    """Print the file that a device would be given.

    FILE is a name that it would ask for; else it is the device's own file.
    """
    it = connect().get("devices", device, "render", file=file, reveal=reveal, reason=reason)
    if as_json:
        print_json(it)
        return
    click.echo(it["text"], nl=not it["text"].endswith("\n"))
    others = [name for name in it["files"] if name != it["file"]]
    click.echo(f"{it['file']}, {it['content_type']}{'' if reveal else ', secrets masked'}", err=True)
    if others:
        click.echo(f"it may ask for {', '.join(others)} too", err=True)
