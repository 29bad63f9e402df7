"""``offhook completion``, and the names that the shell completes: those that the daemon knows."""

from collections.abc import Callable
from typing import Any, Final

import click
from click.shell_completion import CompletionItem, get_completion_class

from offhook.cli.client import connect
from offhook.errors import OffhookError

_SHELLS: Final = ("bash", "zsh", "fish")
#: So many are offered; whoever has more types a letter.
_OFFERED: Final = 200
#: Nobody waits longer for the Tab key.
_SECONDS: Final = 2.0

Completer = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


@click.command()
@click.argument("shell", type=click.Choice(_SHELLS))
def completion(shell: str) -> None:
    """Print what makes SHELL complete commands, options and names.

    \b
    bash: offhook completion bash > ~/.local/share/bash-completion/completions/offhook
    zsh:  offhook completion zsh > "${fpath[1]}/_offhook"
    fish: offhook completion fish > ~/.config/fish/completions/offhook.fish
    """
    found = get_completion_class(shell)
    assert found is not None
    root = click.get_current_context().find_root().command
    click.echo(found(root, {}, "offhook", "_OFFHOOK_COMPLETE").source())


def complete_from(path: str, field: str, about: str = "") -> Completer:
    """Completes to the ``field`` of what is listed at ``path``; ``about`` is the field that zsh and fish show beside.

    A daemon that cannot be asked completes to nothing: the command itself says why.
    """

    def complete(ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
        try:
            with ctx.scope(cleanup=False):
                page: dict[str, Any] = connect().get(path, timeout=_SECONDS, limit=_OFFERED)
        except (OffhookError, click.ClickException):
            return []
        return [
            CompletionItem(str(it[field]), help=str(it.get(about) or "") or None)
            for it in page["items"]
            if str(it[field]).lower().startswith(incomplete.lower())
        ]

    return complete


complete_account: Final = complete_from("accounts", "name", "sip_domain")
complete_device: Final = complete_from("devices", "device", "name")
complete_user: Final = complete_from("users", "username", "full_name")
complete_number: Final = complete_from("numbers", "number", "assigned_to")
complete_location: Final = complete_from("locations", "name", "account")
