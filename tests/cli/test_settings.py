from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from offhook.cli.settings import config_option, find_config_file


@click.group()
@config_option
def _group() -> None:
    pass


@_group.command("which")
@config_option
def _which() -> None:
    click.echo(find_config_file())


@pytest.mark.parametrize(
    ("arguments", "variable", "file"),
    [
        ([], None, "/etc/offhook/offhook.yaml"),
        ([], "", "/etc/offhook/offhook.yaml"),
        ([], "/env.yaml", "/env.yaml"),
        (["--config", "/a.yaml"], "/env.yaml", "/a.yaml"),
        (["--config", "/a.yaml", "which", "--config", "/b.yaml"], "/env.yaml", "/b.yaml"),
        (["which", "--config", "/b.yaml"], None, "/b.yaml"),
    ],
)
def test_the_command_line_comes_before_the_environment(arguments: list[str], variable: str | None, file: str) -> None:
    if "which" not in arguments:
        arguments = [*arguments, "which"]
    result = CliRunner().invoke(_group, arguments, env={"OFFHOOK_CONFIG": variable})
    assert Path(result.output.strip()) == Path(file)
