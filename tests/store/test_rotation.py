"""A root key is replaced, and whenever the power is cut, what is on disk opens."""

import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest
from sqlalchemy import Engine
from tests.support.failpoints import power_cut
from tests.support.inventory import account, credential, device, line
from tests.support.keys import begin_as_before, seal_all_directly, secrets_of
from tests.support.workbench import StillClock

from offhook.errors import Conflict, KeyUnusable, NotFound, StoreUnavailable
from offhook.inventory.models import Entity
from offhook.inventory.ports import Put
from offhook.secret import Secret
from offhook.store.envelope import Envelope, Purpose
from offhook.store.key_file import KeyFile
from offhook.store.keys import Keyring, RootKey
from offhook.store.rotation import MOST_ROOT_KEYS, Keys
from offhook.store.sql.data_keys import SqlDataKeys
from offhook.store.sql.engine import migrate, open_engine
from offhook.store.sql.inventory import SqlInventoryStore

SECRETS: Final = {"account:1:token": "token of acme", "device:1:token": "token", "credential:1:secret": "Sesame234"}


class Opened:
    """The keys and the inventory of a folder, as a start opens them."""

    def __init__(self, folder: Path) -> None:
        self.file = KeyFile.of(folder, {})
        path = folder / "inventory.db"
        keyring = self.file.open(create=not path.exists())
        self.engine: Engine = open_engine(path)
        try:
            migrate(self.engine, path, folder / "backups")
            self.clock = StillClock()
            self.keys = Keys(self.file, keyring, SqlDataKeys(self.engine), self.clock)
        except BaseException:
            self.engine.dispose()
            raise
        self.store = SqlInventoryStore(self.engine, self.keys.box)

    def fill(self) -> None:
        box = self.keys.box

        def seal(context: str) -> bytes:
            return box.seal(Secret(SECRETS[context]), context)

        digest = box.digest(SECRETS["account:1:token"])
        entities: list[Entity] = [
            account(token_digest=digest, sealed_token=seal("account:1:token")),
            device(sealed_token=seal("device:1:token")),
            line(),
            credential(sealed_secret=seal("credential:1:secret")),
        ]
        self.store.commit([Put(entity) for entity in entities], ())

    def roots(self) -> list[str]:
        """Of the key file."""
        return [key.id.hex() for key in self.file.read()]

    def close(self) -> None:
        self.engine.dispose()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A state_dir with a secret of each kind."""
    path = tmp_path / "state"
    path.mkdir()
    with closing(Opened(path)) as opened:
        opened.fill()
    return path


@pytest.fixture
def older_folder(tmp_path: Path) -> Path:
    """The same, as it was before there were data keys."""
    path = tmp_path / "older"
    path.mkdir()
    with closing(Opened(path)) as opened:
        root = opened.keys.keyring.current
        begin_as_before(opened.engine, root)
    with closing(Opened(path)) as opened:
        opened.fill()
        seal_all_directly(opened.engine, opened.keys.box, root)
    return path


def check(folder: Path) -> Keyring:
    """Everything opens, and what is derived is what it was."""
    with closing(Opened(folder)) as opened:
        entities = list(opened.store.load())
        assert secrets_of(entities, opened.keys.box) == SECRETS
        [acme] = [entity for entity in entities if type(entity) is type(account())]
        assert acme.token_digest == opened.keys.box.digest(SECRETS["account:1:token"])
        return opened.keys.keyring


def test_a_rotation_puts_a_new_key_in_use_and_keeps_the_old_behind(folder: Path) -> None:
    with closing(Opened(folder)) as opened:
        [old] = opened.roots()
        opened.clock.advance(60)
        new = opened.keys.rotate()
        assert opened.roots() == [new, old] == [key.id.hex() for key in opened.keys.keyring]
        use = opened.keys.describe()
        assert [(key.id, key.is_current, key.in_use_since) for key in use.root_keys] == [
            (new, True, opened.clock.now()),
            (old, False, None),
        ]
        assert {key.root_key for key in use.data_keys} == {new}
    check(folder)
    opened.file.write(opened.keys.keyring.without(bytes.fromhex(old)))
    check(folder)
    opened.file.write(opened.keys.keyring.without(bytes.fromhex(new)))
    with pytest.raises(KeyUnusable, match=f"root key {new}, and the key file holds {old}"):
        check(folder)


def _start_and_rotate(folder: Path) -> None:
    with closing(Opened(folder)) as opened:
        opened.keys.rotate()


def _start(folder: Path) -> None:
    Opened(folder).close()


@pytest.mark.parametrize("kind", ["folder", "older_folder", "half-way"])
def test_whenever_the_power_is_cut_the_next_start_opens_everything(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    origin: Path = request.getfixturevalue("folder" if kind == "half-way" else kind)
    work: Callable[[Path], None] = _start_and_rotate
    if kind == "half-way":
        # The key file says so already, and the next start has to do it.
        file = KeyFile.of(origin, {})
        file.write(Keyring(RootKey.generate(), *file.read()))
        work = _start
    steps, survived = 0, False
    while not survived:
        steps += 1
        copy = tmp_path / f"cut before {steps}"
        shutil.copytree(origin, copy)
        with power_cut(steps) as points:
            work(copy)
        survived = not points.is_cut
        keyring = check(copy)
        with closing(Opened(copy)) as opened:
            # Once it has begun, it is completed and not begun again.
            assert {key.root_key for key in opened.keys.describe().data_keys} == {keyring.current.id.hex()}
            opened.keys.rotate()
        assert len(check(copy)) <= 3
        shutil.rmtree(copy)
    assert steps > 8


def test_the_first_start_too_may_be_cut_off(tmp_path: Path) -> None:
    (tmp_path / "whole").mkdir()
    with power_cut(1_000_000) as points:
        _start(tmp_path / "whole")
    # The key is made first and the data keys last; what lies between makes the tables.
    for step in [*range(1, 12), *range(points.steps - 12, points.steps + 1)]:
        folder = tmp_path / f"cut before {step}"
        folder.mkdir()
        with power_cut(step) as points:
            _start(folder)
        assert points.is_cut
        with closing(Opened(folder)) as opened:
            opened.fill()
        check(folder)


def test_a_database_that_fails_in_between_leaves_both_keys_and_the_next_try_completes_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise StoreUnavailable("the disk is full")

    with closing(Opened(folder)) as opened:
        [old] = opened.roots()
        with monkeypatch.context() as patched:
            patched.setattr(SqlDataKeys, "rewrap", fail)
            with pytest.raises(StoreUnavailable):
                opened.keys.rotate()
        pending = opened.roots()
        assert pending[1:] == [old]
        with pytest.raises(Conflict, match=f"{old} is in use"):
            opened.keys.forget(old)
        assert opened.keys.rotate() == pending[0]
        assert opened.roots() == pending
    check(folder)


def test_a_key_that_is_not_needed_is_forgotten_and_no_other(folder: Path) -> None:
    with closing(Opened(folder)) as opened:
        [old] = opened.roots()
        new = opened.keys.rotate()
        with pytest.raises(Conflict, match=f"{new} is in use"):
            opened.keys.forget(new)
        with pytest.raises(NotFound, match="no root key 00000000"):
            opened.keys.forget("00000000")
        opened.keys.forget(old.upper())
        assert opened.roots() == [new]
        with pytest.raises(NotFound):
            opened.keys.forget(old)
    check(folder)


def test_a_key_file_does_not_grow_for_ever(folder: Path) -> None:
    with closing(Opened(folder)) as opened:
        for _ in range(MOST_ROOT_KEYS - 1):
            opened.keys.rotate()
        with pytest.raises(Conflict, match=f"holds {MOST_ROOT_KEYS} keys already"):
            opened.keys.rotate()
        opened.keys.forget(opened.roots()[-1])
        opened.keys.rotate()
    check(folder)


def test_a_credential_is_left_to_whoever_hands_it_over(folder: Path) -> None:
    with closing(Opened(folder)) as opened:
        other = RootKey.generate()
        ring = opened.file.read().including([other])
        keys = Keys(KeyFile(opened.file.path, is_ours=False), ring, SqlDataKeys(opened.engine), opened.clock)
        with pytest.raises(Conflict, match="systemd hands over") as refused:
            keys.rotate()
        assert "put a line with a new key before the others" in refused.value.remedy
        with pytest.raises(Conflict, match="systemd hands over"):
            keys.forget(other.id.hex())
        assert not keys.describe().is_ours
    check(folder)


def test_data_keys_are_shown_with_what_they_seal(folder: Path) -> None:
    with closing(Opened(folder)) as opened:
        use = opened.keys.describe()
        assert [(key.id, key.purpose, key.is_current, key.secrets) for key in use.data_keys] == [
            (1, Purpose.DERIVATION, True, 0),
            (2, Purpose.SECRETS, True, 4),
        ]
        assert (use.sealed_directly, use.outdated, opened.keys.current_data_key) == (0, 0, 2)

        opened.keys.renew()
        use = opened.keys.describe()
        assert (use.outdated, opened.keys.current_data_key) == (4, 3)
        opened.keys.renew()
        assert opened.keys.current_data_key == 3
        assert opened.keys.drop_unused() == ()
    check(folder)


def test_what_was_sealed_directly_is_counted_apart(older_folder: Path) -> None:
    with closing(Opened(older_folder)) as opened:
        use = opened.keys.describe()
        assert (use.sealed_directly, use.outdated) == (4, 4)
        opened.keys.renew()
        assert opened.keys.current_data_key == 2
        assert isinstance(opened.keys.box, Envelope)
    check(older_folder)


def test_a_data_key_that_seals_nothing_is_dropped(folder: Path) -> None:
    with closing(Opened(folder)) as opened:
        opened.keys.renew()
        opened.fill()
        assert opened.keys.drop_unused() == (2,)
        assert opened.keys.drop_unused() == ()
        assert [key.id for key in opened.keys.describe().data_keys] == [1, 3]
    check(folder)
