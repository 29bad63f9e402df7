"""The key is made once, kept from others, and nothing opens without it."""

import base64
import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.errors import KeyUnusable
from offhook.secret import Secret
from offhook.store.keys import AesGcmBox, Keyring, load_keyring

BOX = AesGcmBox(Keyring(bytes(32)))


def test_the_first_start_makes_a_key_that_only_its_owner_reads(tmp_path: Path) -> None:
    key = load_keyring(tmp_path, create=True)
    assert stat.S_IMODE((tmp_path / "secret.key").stat().st_mode) == 0o400
    assert load_keyring(tmp_path, create=False).key_id == key.key_id
    assert [path.name for path in tmp_path.iterdir()] == ["secret.key"]


def test_a_missing_key_is_not_made_anew_where_secrets_exist(tmp_path: Path) -> None:
    with pytest.raises(KeyUnusable, match=r"secret\.key is missing, but the inventory holds secrets"):
        load_keyring(tmp_path, create=False)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("mode", [0o440, 0o404, 0o600 | 0o004])
def test_a_key_that_others_can_read_is_refused_with_the_command_to_run(tmp_path: Path, mode: int) -> None:
    load_keyring(tmp_path, create=True)
    (tmp_path / "secret.key").chmod(mode)
    with pytest.raises(KeyUnusable, match=rf"mode {mode:04o}\). Run: chmod 0400 "):
        load_keyring(tmp_path, create=True)


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
def test_what_is_no_key_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "secret.key"
    path.write_bytes(content)
    path.chmod(0o400)
    with pytest.raises(KeyUnusable, match="is not a key that Offhook made"):
        load_keyring(tmp_path, create=True)


def test_a_folder_that_cannot_be_written_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(KeyUnusable, match="cannot be written"):
        load_keyring(tmp_path / "missing", create=True)


def test_a_credential_of_systemd_comes_before_the_file(tmp_path: Path) -> None:
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    own = load_keyring(tmp_path, create=True)
    assert load_keyring(tmp_path, create=False, credentials_dir=credentials).key_id == own.key_id
    text = "offhook-key-1:" + base64.b64encode(os.urandom(32)).decode()
    (credentials / "offhook.key").write_text(text)
    (credentials / "offhook.key").chmod(0o440)
    assert load_keyring(tmp_path, create=False, credentials_dir=credentials).key_id != own.key_id


def test_keys_differ_by_purpose() -> None:
    keyring = Keyring(bytes(32))
    assert keyring.derive("secrets") == keyring.derive("secrets")
    assert len({keyring.derive(purpose) for purpose in ("secrets", "nonces", "to tags")}) == 3


@given(st.text(max_size=50), st.text(max_size=20))
def test_what_is_sealed_opens_under_its_context_alone(text: str, context: str) -> None:
    sealed = BOX.seal(Secret(text), context)
    assert BOX.open(sealed, context) == Secret(text)
    assert BOX.seal(Secret(text), context) != sealed
    with pytest.raises(KeyUnusable):
        BOX.open(sealed, context + "x")


@given(st.integers(0, 40), st.integers(1, 255))
def test_what_was_altered_does_not_open(place: int, flip: int) -> None:
    sealed = bytearray(BOX.seal(Secret("Sesame234"), "credential:1:secret"))
    sealed[place % len(sealed)] ^= flip
    with pytest.raises(KeyUnusable, match="sealed with another key, or altered"):
        BOX.open(bytes(sealed), "credential:1:secret")


def test_another_key_opens_nothing() -> None:
    other = AesGcmBox(Keyring(bytes(31) + b"\x01"))
    with pytest.raises(KeyUnusable, match="sealed with another key"):
        other.open(BOX.seal(Secret("Sesame234"), "x"), "x")
    with pytest.raises(KeyUnusable):
        BOX.open(b"", "x")
    assert other.digest("token") != BOX.digest("token") == BOX.digest("token")
