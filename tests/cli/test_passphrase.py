from pathlib import Path

import pytest

from offhook.cli.failure import Failure
from offhook.cli.passphrase import ask_new_passphrase, ask_passphrase


def write(folder: Path, content: bytes, mode: int = 0o600) -> Path:
    path = folder / "passphrase"
    path.write_bytes(content)
    path.chmod(mode)
    return path


@pytest.mark.parametrize("content", [b"four words of mine", b"four words of mine\n", b"four words of mine\r\nand more"])
def test_it_is_the_first_line(tmp_path: Path, content: bytes) -> None:
    assert ask_new_passphrase(write(tmp_path, content)).reveal() == "four words of mine"


@pytest.mark.parametrize(
    ("content", "mode", "message"),
    [
        (b"four words of mine", 0o644, "open to other users"),
        (b"four words of mine", 0o640, "open to other users"),
        (b"", 0o600, "empty"),
        (b"\nfour words", 0o600, "empty"),
        (b"x" * 1025, 0o600, "longer than any"),
        (b"\xff\xfe\xff\xfe", 0o600, "not text"),
        (b"eleven char", 0o600, "fewer than 12"),
    ],
)
def test_what_cannot_be_one_is_said_without_saying_it(tmp_path: Path, content: bytes, mode: int, message: str) -> None:
    with pytest.raises(Failure, match=message) as caught:
        ask_new_passphrase(write(tmp_path, content, mode))
    assert "four words" not in f"{caught.value.message} {caught.value.remedy}"


def test_an_old_one_may_be_short(tmp_path: Path) -> None:
    assert ask_passphrase(write(tmp_path, b"short")).reveal() == "short"


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="cannot be read"):
        ask_passphrase(tmp_path / "none")
