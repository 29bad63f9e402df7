from pathlib import Path

import pytest

from offhook.cli.failure import Failure
from offhook.cli.private_file import check_absent, private_file


def test_a_file_is_there_whole_and_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "new"
    path.write_text("before")
    path.chmod(0o644)
    with private_file(path) as file:
        file.write(b"after")
        file.flush()
        assert path.read_text() == "before"
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("after", 0o600)
    assert list(tmp_path.iterdir()) == [path]


def test_after_an_error_nothing_is_left_of_it(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), private_file(tmp_path / "new"):
        raise ZeroDivisionError
    with pytest.raises(Failure, match="cannot be written: No space left"), private_file(tmp_path / "new"):
        raise OSError(28, "No space left on device")
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="cannot be written: No such file"), private_file(tmp_path / "none" / "new"):
        raise AssertionError


def test_what_is_there_is_replaced_by_force_only(tmp_path: Path) -> None:
    check_absent(tmp_path / "new", force=False)
    with pytest.raises(Failure, match="is there already"):
        check_absent(tmp_path, force=False)
    check_absent(tmp_path, force=True)
