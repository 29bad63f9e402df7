"""``offhook check-config``."""

import click

from offhook.cli import settings
from offhook.cli.output import json_option, print_json


@click.command("check-config")
@settings.config_option
@json_option
def check_config(as_json: bool) -> None:
    """Check the configuration; say all that is wrong with it.

    Exit status 0 where it can be used, with or without warnings, else 2.
    """
    from offhook.config.emergency import read_emergency
    from offhook.config.load import find_lowest_port, find_warnings

    file, config = settings.find_config_file(), settings.load()
    read_emergency(config.emergency)
    warnings = find_warnings(config, find_lowest_port())
    if as_json:
        print_json({"file": str(file), "warnings": warnings})
        return
    for warning in warnings:
        click.echo(click.style("Warning: ", fg="yellow") + warning)
    click.echo(f"{file} can be used")
