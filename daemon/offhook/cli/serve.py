"""``offhook serve``."""

import click

from offhook.cli import settings


@click.command()
@settings.config_option
def serve() -> None:
    """Run the daemon, in the foreground."""
    from offhook.app import run

    raise SystemExit(run(settings.find_config_file()))
