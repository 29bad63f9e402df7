"""``offhook restore``."""

from pathlib import Path

import click

from offhook.cli import settings
from offhook.cli.output import format_moment, waiting
from offhook.cli.passphrase import ask_passphrase, passphrase_file_option


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE")
@passphrase_file_option
@click.option(
    "--key-file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="The key of a backup that has none inside, where it is not in the state_dir.",
)
@click.option("--check", is_flag=True, help="Only verify FILE; nothing is changed.")
@click.option("--force", is_flag=True, help="Move aside what the state_dir holds.")
@settings.config_option
def restore(file: Path, passphrase_file: Path | None, key_file: Path | None, check: bool, force: bool) -> None:
    """Put back what backup wrote, where no daemon runs.

    Everything is verified before anything is changed.
    """
    from offhook import restore as work

    config = settings.load()
    passphrase = ask_passphrase(passphrase_file) if work.wants_passphrase(file) else None
    with waiting(f"verifying {file}"):
        it = work.restore(config, file, passphrase=passphrase, key_file=key_file, force=force, only_check=check)
    what = f"{_count(it.accounts, 'account')}, {_count(it.devices, 'device')}"
    click.echo(f"{file}: made {format_moment(it.created_at.isoformat())} by Offhook {it.version}; {what}.")
    if check:
        click.echo("It is whole, and its secrets open. Nothing was changed.")
        return
    click.echo(f"Restored into {config.state_dir}.")
    if it.aside is not None:
        click.echo(f"What was there is in {it.aside}; delete it when you do not need it any more.")
    if not it.has_key:
        click.echo("The key was not in the backup: the daemon must find the one that you have now.")
    click.echo("Next: see that no other daemon serves these phones any more, and that sip.advertise and")
    click.echo("provisioning.public_url name this machine; then systemctl start offhook, and offhook doctor.")


def _count(count: int, noun: str) -> str:
    return f"{count} {noun}{'s' if count != 1 else ''}"
