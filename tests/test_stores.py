"""The databases of a state_dir."""

import sqlite3
import subprocess
from pathlib import Path

import pytest
from tests.support.keys import KEYRING

from offhook.config.load import parse_config
from offhook.config.schema import Config
from offhook.errors import KeyUnusable, SchemaTooNew
from offhook.observability.metrics import Metrics
from offhook.store.key_file import KeyFile
from offhook.stores import Stores


def _config(folder: Path) -> Config:
    folder.mkdir(mode=0o700, exist_ok=True)
    return parse_config(f"state_dir: {folder}\n", folder / "offhook.yaml")


def _open(folder: Path) -> Stores:
    return Stores(_config(folder), Metrics("test"), lambda *_: None)


def test_a_first_start_makes_everything_for_the_owner_alone(tmp_path: Path) -> None:
    _open(tmp_path / "state").close()
    made = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "state").iterdir()}
    assert made == {"secret.key": 0o400, "inventory.db": 0o600, "bindings.db": 0o600, "journal.db": 0o600}


def test_a_second_start_finds_what_the_first_made(tmp_path: Path) -> None:
    first = _open(tmp_path / "state")
    key = first.keys.keyring.current.id
    first.close()
    second = _open(tmp_path / "state")
    assert second.keys.keyring.current.id == key
    assert list(second.inventory.load()) == []
    second.close()


def test_another_key_is_refused(tmp_path: Path) -> None:
    for name in ("one", "two"):
        _open(tmp_path / name).close()
    (tmp_path / "two" / "secret.key").rename(tmp_path / "one" / "secret.key")
    with pytest.raises(KeyUnusable, match="sealed with another key"):
        _open(tmp_path / "one")


def test_the_key_can_be_a_credential(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _open(tmp_path / "state").close()
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    (tmp_path / "state" / "secret.key").rename(credentials / "offhook.key")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(credentials))
    stores = _open(tmp_path / "state")
    old = stores.keys.keyring.current.id.hex()
    stores.close()
    assert not (tmp_path / "state" / "secret.key").exists()

    # As docs/operations.md says how a credential is changed.
    file = credentials / "offhook.key"
    commands = """
        umask 077
        { echo "offhook-key-1:$(head -c 32 /dev/urandom | base64 -w0)"; cat offhook.key; } > offhook.key.new
        mv offhook.key.new offhook.key
    """
    subprocess.run(["bash", "-euc", commands], cwd=credentials, check=True)
    stores = _open(tmp_path / "state")
    new, behind = (key.id.hex() for key in stores.keys.keyring)
    use = stores.keys.describe()
    assert {key.root_key for key in use.data_keys} == {new}
    assert (behind, use.is_ours, use.file) == (old, False, str(file))
    stores.close()
    file.write_text(file.read_text().splitlines()[0])
    _open(tmp_path / "state").close()


def test_a_failure_half_way_leaves_nothing_open(tmp_path: Path) -> None:
    _open(tmp_path / "state").close()
    newer = sqlite3.connect(tmp_path / "state" / "bindings.db")
    newer.execute("PRAGMA user_version = 999")
    newer.close()
    with pytest.raises(SchemaTooNew):
        _open(tmp_path / "state")
    assert not list((tmp_path / "state").glob("*-wal"))


def test_keys_that_are_given_stand_in_for_those_of_the_state_dir(tmp_path: Path) -> None:
    config = _config(tmp_path / "state")
    Stores(config, Metrics("test"), lambda *_: None, keyring=KEYRING).close()
    assert not (tmp_path / "state" / "secret.key").exists()
    KeyFile.of(tmp_path / "state", {}).write(KEYRING)
    _open(tmp_path / "state").close()
