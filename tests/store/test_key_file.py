"""The key is made once, kept from others, and replaced without a moment at which there is none."""

import base64
import os
import stat
from pathlib import Path

import pytest

from offhook.errors import KeyUnusable, StoreUnavailable
from offhook.store.key_file import KeyFile
from offhook.store.keys import Keyring, RootKey

NEW = Keyring(RootKey(b"n" * 32), RootKey(b"o" * 32))


@pytest.fixture
def file(tmp_path: Path) -> KeyFile:
    return KeyFile.of(tmp_path, {})


def ids(keyring: Keyring) -> list[bytes]:
    return [key.id for key in keyring]


def test_the_first_start_makes_a_key_that_only_its_owner_reads(file: KeyFile, tmp_path: Path) -> None:
    made = file.open(create=True)
    assert stat.S_IMODE((tmp_path / "secret.key").stat().st_mode) == 0o400
    assert ids(file.open(create=False)) == ids(file.open(create=True)) == ids(made)
    assert [path.name for path in tmp_path.iterdir()] == ["secret.key"]


def test_a_missing_key_is_not_made_anew_where_secrets_exist(file: KeyFile, tmp_path: Path) -> None:
    with pytest.raises(KeyUnusable, match=r"secret\.key is missing, but the inventory holds secrets"):
        file.open(create=False)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("mode", [0o440, 0o404, 0o600 | 0o004])
def test_a_key_that_others_can_read_is_refused_with_the_command_to_run(file: KeyFile, mode: int) -> None:
    file.open(create=True)
    file.path.chmod(mode)
    with pytest.raises(KeyUnusable, match=rf"mode {mode:04o}\). Run: chmod 0400 "):
        file.open(create=True)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"offhook-key-1:",
        b"offhook-key-1:AAAA\n",
        base64.b64encode(bytes(32)),
        b"\xff\xfe\x00",
        "offhook-key-1:é".encode(),
    ],
)
def test_what_is_no_key_is_refused(file: KeyFile, content: bytes) -> None:
    file.path.write_bytes(content)
    file.path.chmod(0o400)
    with pytest.raises(KeyUnusable, match="is not a key that Offhook made"):
        file.open(create=True)


def test_a_folder_that_cannot_be_written_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(KeyUnusable, match="cannot be written"):
        KeyFile.of(tmp_path / "missing", {}).open(create=True)
    with pytest.raises(StoreUnavailable, match="cannot be written"):
        KeyFile.of(tmp_path / "missing", {}).write(NEW)


def test_a_credential_of_systemd_comes_before_the_file(tmp_path: Path) -> None:
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    environment = {"CREDENTIALS_DIRECTORY": str(credentials)}
    own = KeyFile.of(tmp_path, environment)
    assert own == KeyFile.of(tmp_path, {}) == KeyFile(tmp_path / "secret.key")
    own.open(create=True)
    (credentials / "offhook.key").write_text(NEW.format().reveal())
    (credentials / "offhook.key").chmod(0o440)
    given = KeyFile.of(tmp_path, environment)
    assert not given.is_ours
    assert ids(given.open(create=False)) == ids(NEW)


def test_keys_are_put_in_place_whole_whatever_was_left_before(file: KeyFile, tmp_path: Path) -> None:
    file.open(create=True)
    (tmp_path / "secret.new").write_text("half a k")
    file.write(NEW)
    assert ids(file.read()) == ids(NEW)
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o400
    assert [path.name for path in tmp_path.iterdir()] == ["secret.key"]


def test_a_disk_that_fails_leaves_the_keys_that_were_there(file: KeyFile, monkeypatch: pytest.MonkeyPatch) -> None:
    before = ids(file.open(create=True))

    def fail(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", fail)
        with pytest.raises(StoreUnavailable, match="No space left on device"):
            file.write(NEW)
    assert ids(file.read()) == before
