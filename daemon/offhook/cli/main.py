"""``offhook``: the commands, in the order in which one meets them. Each is imported when it is used."""

import difflib
import importlib
from typing import Final

import click

from offhook import __version__
from offhook.cli.failure import failure_of
from offhook.cli.settings import config_option
from offhook.errors import OffhookError

#: Module below offhook.cli and attribute.
_COMMANDS: Final[dict[str, tuple[str, str]]] = {
    "serve": ("serve", "serve"),
    "check-config": ("check_config", "check_config"),
    "doctor": ("doctor", "doctor"),
    "status": ("status", "status"),
    "plan": ("documents", "plan"),
    "apply": ("documents", "apply"),
    "import": ("import_", "import_"),
    "export": ("export", "export"),
    "account": ("account", "account"),
    "location": ("location", "location"),
    "station-type": ("station_type", "station_type"),
    "user": ("user", "user"),
    "number": ("number", "number"),
    "dect": ("dect", "dect"),
    "device": ("device", "device"),
    "line": ("line", "line"),
    "emergency": ("emergency", "emergency"),
    "bindings": ("bindings", "bindings"),
    "reload": ("reload", "reload"),
    "render": ("render", "render"),
    "token": ("token", "token"),
    "audit": ("audit", "audit"),
    "events": ("events", "events"),
    "key": ("key", "key"),
    "backup": ("backup", "backup"),
    "restore": ("restore", "restore"),
    "completion": ("completion", "completion"),
    "version": ("version", "version"),
}


class _Commands(click.Group):
    """Finds a command in its module, and turns Offhook's errors into messages and exit codes."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in _COMMANDS:
            return None
        module, attribute = _COMMANDS[name]
        command = getattr(importlib.import_module(f"offhook.cli.{module}"), attribute)
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and not args[0].startswith("-") and args[0] not in _COMMANDS:
            close = difflib.get_close_matches(args[0], _COMMANDS, 1)
            hint = f" Did you mean {close[0]}?" if close else ""
            raise click.UsageError(f"there is no command {args[0]!r}.{hint}", ctx)
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except OffhookError as error:
            raise failure_of(error) from None


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Completion: offhook completion bash, or zsh, or fish.",
)
@click.version_option(__version__, "--version", prog_name="offhook", message="%(prog)s %(version)s")
@config_option
def main() -> None:
    """Provisioning server, SIP registrar and check-sync sender for phones.

    A device is named by its MAC in any notation, its IPEI, or its name.
    """
