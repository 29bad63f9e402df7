"""The files of the section emergency: street ranges and a token, refused with what is wrong in them."""

from pathlib import Path

import pytest

from offhook.config.emergency import read_emergency
from offhook.config.load import parse_config
from offhook.config.schema import Emergency
from offhook.errors import ConfigError
from offhook.inventory.emergency.street_ranges import COLUMNS

HEADER = ",".join(COLUMNS)
ROW = "US,NV,Reno,89501,,Main,St,,1,99,both"


def section(folder: Path, text: str) -> Emergency:
    return parse_config(f"state_dir: {folder}\nemergency: {{{text}}}", folder / "offhook.yaml").emergency


def with_ranges(folder: Path, text: str) -> Emergency:
    (folder / "streets.csv").write_text(text)
    return section(folder, "validator: street_ranges, street_ranges: streets.csv")


def with_token(folder: Path, token: bytes, mode: int = 0o640) -> Emergency:
    (folder / "token").write_bytes(token)
    (folder / "token").chmod(mode)
    return section(folder, "validator: http, http: {url: 'https://validator.test/', token_file: token}")


def faults(emergency: Emergency) -> str:
    with pytest.raises(ConfigError) as caught:
        read_emergency(emergency)
    return str(caught.value)


def test_street_ranges_are_read(tmp_path: Path) -> None:
    read = read_emergency(with_ranges(tmp_path, f"{HEADER}\n{ROW}\n"))
    assert read.street_ranges is not None
    assert read.street_ranges.countries == {"US"}
    assert read.token is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"{HEADER}\n{ROW},x\n", ":2: 12 fields instead of 11"),
        (f"{HEADER}\n", "has no street range"),
        ("", "the file is empty"),
    ],
)
def test_a_file_of_ranges_that_is_wrong_is_a_fault_of_the_configuration(
    tmp_path: Path, text: str, message: str
) -> None:
    assert f"{tmp_path}/streets.csv" in (said := faults(with_ranges(tmp_path, text)))
    assert message in said


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    assert "No such file" in faults(section(tmp_path, "validator: street_ranges, street_ranges: nothing.csv"))
    assert "No such file" in faults(section(tmp_path, "validator: http, http: {url: 'https://v.test', token_file: x}"))


def test_the_token_is_read_and_does_not_show(tmp_path: Path) -> None:
    read = read_emergency(with_token(tmp_path, b"sesame-123\n"))
    assert read.token is not None
    assert read.token.reveal() == "sesame-123"
    assert "sesame" not in repr(read)


@pytest.mark.parametrize(
    ("token", "mode", "message"),
    [
        (b"sesame", 0o644, "chmod o-rw"),
        (b"", 0o600, "holds no bearer token"),
        (b"two words", 0o600, "holds no bearer token"),
        ("süß".encode(), 0o600, "holds no bearer token"),
        (b"x" * 5000, 0o600, "holds no bearer token"),
    ],
)
def test_a_token_that_cannot_be_one(tmp_path: Path, token: bytes, mode: int, message: str) -> None:
    said = faults(with_token(tmp_path, token, mode))
    assert message in said
    assert "sesame" not in said.replace(str(tmp_path), "")


def test_files_that_the_validator_does_not_need_are_not_read(tmp_path: Path) -> None:
    read = read_emergency(section(tmp_path, "street_ranges: nothing.csv, http: {token_file: nothing}"))
    assert (read.street_ranges, read.token) == (None, None)
