"""Asks for a passphrase: at the terminal, or in a file. Command lines and environments are seen by others."""

import getpass
import stat
import warnings
from pathlib import Path
from typing import Final

import click

from offhook.cli.failure import Failure
from offhook.secret import Secret

LEAST_CHARACTERS: Final = 12
_MOST_BYTES: Final = 1024

passphrase_file_option = click.option(
    "--passphrase-file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Read the passphrase from the first line of FILE instead of asking for it.",
)


def ask_new_passphrase(file: Path | None) -> Secret:
    """One to be used from now on: long enough, and typed twice."""
    passphrase = _ask(file, confirm=True)
    if len(passphrase.reveal()) < LEAST_CHARACTERS:
        raise Failure(
            f"the passphrase has fewer than {LEAST_CHARACTERS} characters",
            remedy="take several words: whoever has the file can try passphrases as fast as a computer can",
        )
    return passphrase


def ask_passphrase(file: Path | None) -> Secret:
    """One that was chosen before."""
    return _ask(file, confirm=False)


def _ask(file: Path | None, *, confirm: bool) -> Secret:
    if file is not None:
        return _read(file)
    try:
        with warnings.catch_warnings():
            # Without a terminal getpass warns in its own words; ours follow.
            warnings.simplefilter("ignore", getpass.GetPassWarning)
            return Secret(click.prompt("Passphrase", hide_input=True, confirmation_prompt=confirm, err=True))
    except click.Abort:
        raise Failure(
            "no passphrase was given",
            remedy="type it at a terminal, or name a file: --passphrase-file FILE",
        ) from None


def _read(path: Path) -> Secret:
    try:
        with path.open("rb") as file:
            mode = path.stat().st_mode
            line = file.readline(_MOST_BYTES + 1).rstrip(b"\r\n")
    except OSError as error:
        raise Failure(f"{path} cannot be read: {error.strerror}", remedy="name a file that you may read") from None
    if stat.S_ISREG(mode) and mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise Failure(
            f"{path} is open to other users (mode {mode & 0o777:04o})",
            remedy=f"run: chmod 0600 {path}; if they may have read it, choose another passphrase",
        )
    try:
        text = line.decode()
    except UnicodeDecodeError:
        raise Failure(f"{path} is not text in UTF-8", remedy="write the passphrase into its first line") from None
    if not text or len(line) > _MOST_BYTES:
        raise Failure(
            f"the first line of {path} is {'longer than any passphrase' if text else 'empty'}",
            remedy="write the passphrase into it",
        )
    return Secret(text)
