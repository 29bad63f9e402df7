"""Which configuration file is meant, and what stands in it."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

if TYPE_CHECKING:
    from offhook.config.schema import Config

DEFAULT_FILE: Final = Path("/etc/offhook/offhook.yaml")
VARIABLE: Final = "OFFHOOK_CONFIG"
_KEY: Final = "offhook.config_file"


def _remember(ctx: click.Context, _parameter: click.Parameter, value: Path | None) -> None:
    if value is not None:
        ctx.find_root().meta[_KEY] = value


config_option = click.option(
    "--config",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    expose_value=False,
    callback=_remember,
    help=f"Configuration; else ${VARIABLE}, else {DEFAULT_FILE}.",
)


def find_config_file() -> Path:
    """The file that ``--config`` names, here or before the command, else the environment, else the default."""
    named = click.get_current_context().find_root().meta.get(_KEY)
    if isinstance(named, Path):
        return named
    return Path(os.environ.get(VARIABLE) or DEFAULT_FILE)


def load() -> "Config":
    """Reads that file. Raises ConfigError."""
    from offhook.config.load import load_config

    return load_config(find_config_file())
