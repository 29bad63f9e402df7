"""The databases of a state_dir."""

import sqlite3
from pathlib import Path

import pytest

from offhook.config.load import parse_config
from offhook.config.schema import Config
from offhook.errors import KeyUnusable, SchemaTooNew
from offhook.observability.metrics import Metrics
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
    key = first.keyring.key_id
    first.close()
    second = _open(tmp_path / "state")
    assert second.keyring.key_id == key
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
    _open(tmp_path / "state").close()
    assert not (tmp_path / "state" / "secret.key").exists()


def test_a_failure_half_way_leaves_nothing_open(tmp_path: Path) -> None:
    _open(tmp_path / "state").close()
    newer = sqlite3.connect(tmp_path / "state" / "bindings.db")
    newer.execute("PRAGMA user_version = 999")
    newer.close()
    with pytest.raises(SchemaTooNew):
        _open(tmp_path / "state")
    assert not list((tmp_path / "state").glob("*-wal"))
