"""``offhook version``."""

import platform

import click

from offhook import __version__


@click.command()
def version() -> None:
    """Print the version."""
    click.echo(f"offhook {__version__} (Python {platform.python_version()})")
