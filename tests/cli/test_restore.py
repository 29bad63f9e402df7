from pathlib import Path

import pytest
from tests.cli.conftest import Commands

from offhook.config.load import load_config
from offhook.observability.metrics import Metrics
from offhook.secret import Secret
from offhook.store import archive
from offhook.store.archive import Cost
from offhook.store.backup import Backups
from offhook.stores import Stores

PASSPHRASE = "four words of mine"


@pytest.fixture
def backups(without_daemon: Commands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    """Of an empty inventory, with the key and without."""
    monkeypatch.setattr(archive, "PASSPHRASE_COST", Cost(1, 64, 1))
    origin = tmp_path / "origin"
    origin.mkdir(mode=0o700)
    without_daemon.config.write_text("state_dir: state\n")
    config = load_config(without_daemon.config).model_copy(update={"state_dir": origin})
    stores = Stores(config, Metrics("test"), lambda *_: None)
    files = {}
    for name, passphrase in (("whole", Secret(PASSPHRASE)), ("keyless", None)):
        backup = Backups(origin, lambda: stores.keys.keyring, "1.2.3").make(passphrase, 1_800_000_000.0)
        files[name] = tmp_path / f"{name}.backup"
        files[name].write_bytes(b"".join(backup.pieces()))
        backup.close()
    stores.close()
    return files


def test_it_asks_for_the_passphrase_and_says_what_to_do_next(
    without_daemon: Commands, backups: dict[str, Path], tmp_path: Path
) -> None:
    wrong = without_daemon("restore", str(backups["whole"]), text="something else\n")
    assert wrong.exit_code == 1
    assert "wrong passphrase, or a damaged file" in wrong.stderr
    assert not (tmp_path / "state").exists()
    said = without_daemon.output("restore", str(backups["whole"]), text=f"{PASSPHRASE}\n")
    assert "by Offhook 1.2.3; 0 accounts, 0 devices." in said
    assert "Next: " in said
    assert PASSPHRASE not in said
    assert (tmp_path / "state" / "secret.key").exists()


def test_without_the_key_no_passphrase_is_asked_for(
    without_daemon: Commands, backups: dict[str, Path], tmp_path: Path
) -> None:
    result = without_daemon("restore", str(backups["keyless"]))
    assert result.exit_code == 1
    assert "--key-file" in result.stderr
    key = str(tmp_path / "origin" / "secret.key")
    assert "Nothing was changed" in without_daemon.output(
        "restore", str(backups["keyless"]), "--check", "--key-file", key
    )
    assert "The key was not in the backup" in without_daemon.output(
        "restore", str(backups["keyless"]), "--key-file", key
    )
    assert without_daemon("restore", str(backups["keyless"]), "--key-file", key).exit_code == 1
    moved = without_daemon.output("restore", str(backups["keyless"]), "--force", "--key-file", key)
    assert "What was there is in " in moved


def test_what_is_no_backup_is_said(without_daemon: Commands) -> None:
    result = without_daemon("restore", str(without_daemon.config))
    assert result.exit_code == 1
    assert "no backup that Offhook made" in result.stderr
