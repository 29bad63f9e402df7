"""``offhook backup``."""

from pathlib import Path

import click

from offhook.cli.client import connect
from offhook.cli.output import waiting
from offhook.cli.passphrase import ask_new_passphrase, passphrase_file_option
from offhook.cli.private_file import check_absent, private_file
from offhook.cli.settings import config_option


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE")
@passphrase_file_option
@click.option("--without-key", is_flag=True, help="Leave the key out: it is then needed to restore, and no passphrase.")
@click.option("--force", is_flag=True, help="Replace FILE.")
@config_option
def backup(file: Path, passphrase_file: Path | None, without_key: bool, force: bool) -> None:
    """Write everything the daemon keeps to FILE, while it runs.

    Inventory, audit, API tokens, registrations, and the key that opens the passwords; all of it encrypted under a
    passphrase. The configuration file and site templates are not in it.
    """
    if without_key and passphrase_file is not None:
        raise click.UsageError("a backup without the key has no passphrase: drop --passphrase-file")
    check_absent(file, force=force)
    body: dict[str, object] = {"without_key": True}
    if not without_key:
        body = {"passphrase": ask_new_passphrase(passphrase_file).reveal()}
    with waiting("backing up"), private_file(file) as out:
        length = connect().post_for_file("backups", body=body, file=out)
    opens = "the key of this daemon opens it: keep secret.key elsewhere" if without_key else "the passphrase opens it"
    click.echo(f"Wrote {file}, {max(1, round(length / 1024))} KiB; {opens}.")
