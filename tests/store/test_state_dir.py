"""One daemon at a time has a state_dir."""

import os
import stat
from pathlib import Path

import pytest

from offhook.errors import StoreError, StoreLocked
from offhook.store.state_dir import StateDir


def test_it_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    state = StateDir(tmp_path / "a" / "var")
    assert stat.S_IMODE(state.path.stat().st_mode) == 0o700
    state.close()


def test_a_second_holder_is_told_which_process_has_it(tmp_path: Path) -> None:
    first = StateDir(tmp_path)
    with pytest.raises(StoreLocked, match=rf"in use by another Offhook daemon \(process {os.getpid()}\)"):
        StateDir(tmp_path)
    first.close()
    StateDir(tmp_path).close()


def test_a_path_that_cannot_be_a_folder_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"file cannot be used: .* Make it writable"):
        StateDir(tmp_path / "file")
