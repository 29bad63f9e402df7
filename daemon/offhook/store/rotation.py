"""The keys of a daemon while it works: what there is, another root key, another data key.

A root key is changed so that what is on disk opens at every moment: first the key file holds the new key before the
old one, then all data keys are wrapped anew in one transaction. A daemon that is killed between the two completes it
at its next start. The old key stays in the file, behind, for backups that were made with it, until it is forgotten.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from offhook.clock import Clock
from offhook.errors import Conflict, NotFound
from offhook.store.envelope import DataKey, Envelope, Purpose
from offhook.store.key_file import KeyFile
from offhook.store.keys import Keyring, RootKey
from offhook.store.sql.data_keys import SqlDataKeys

#: Keys in one key file.
MOST_ROOT_KEYS: Final = 16
_NOT_OURS: Final = "the keys are a credential that systemd hands over, and the daemon cannot write it"


@dataclass(frozen=True, slots=True)
class RootKeyUse:
    """A root key in the key file."""

    id: str
    is_current: bool
    in_use_since: float | None
    #: None: it wraps nothing any more.


@dataclass(frozen=True, slots=True)
class DataKeyUse:
    """A data key, and what it is needed for."""

    id: int
    purpose: Purpose
    is_current: bool
    created_at: float
    root_key: str
    #: Id of the one that wraps it.
    secrets: int
    #: How many are sealed with it.


@dataclass(frozen=True, slots=True)
class KeyUse:
    """All keys."""

    file: str
    is_ours: bool
    root_keys: tuple[RootKeyUse, ...]
    data_keys: tuple[DataKeyUse, ...]
    sealed_directly: int
    #: Secrets from before there were data keys.

    @property
    def outdated(self) -> int:
        """Secrets that are not sealed with the data key that is current."""
        others = sum(key.secrets for key in self.data_keys if not key.is_current)
        return others + self.sealed_directly


class Keys:
    """The root keys and data keys of one state_dir. Calls block."""

    def __init__(self, file: KeyFile, keyring: Keyring, table: SqlDataKeys, clock: Clock) -> None:
        """Reads the data keys. Raises KeyUnusable where they do not open."""
        self._file = file
        self._table = table
        self._clock = clock
        self._turn = threading.Lock()
        self._data_keys = table.open(keyring, clock.now())
        self._keyring = keyring
        self.box = Envelope(self._data_keys)

    @property
    def keyring(self) -> Keyring:
        """The root keys, as the key file holds them."""
        return self._keyring

    @property
    def current_data_key(self) -> int:
        """Id of the data key that seals now."""
        return next(key.id for key in self._data_keys if key.is_current and key.purpose is Purpose.SECRETS)

    def describe(self) -> KeyUse:
        """What there is. Raises StoreUnavailable."""
        wraps, sealed = self._table.wrapped_under(), self._table.count_sealed()
        data_keys = tuple(
            DataKeyUse(
                key.id, key.purpose, key.is_current, key.created_at, wraps[key.id][0].hex(), sealed.pop(key.header, 0)
            )
            for key in self._data_keys
            if key.id in wraps
        )
        roots = tuple(
            RootKeyUse(
                key.id.hex(),
                key is self._keyring.current,
                min((since for root, since in wraps.values() if root == key.id), default=None),
            )
            for key in self._keyring
        )
        return KeyUse(str(self._file.path), self._file.is_ours, roots, data_keys, sum(sealed.values()))

    # -- root keys ------------------------------------------------------------------------------------------------

    def rotate(self) -> str:
        """Puts a new root key in use, and gives its id. One whose turn was cut off is put in use instead.

        Raises Conflict where the key file is not the daemon's, StoreUnavailable where the disk fails.
        """
        with self._turn:
            wraps = self._table.wrapped_under().values()
            if all(root == self._keyring.current.id for root, _ in wraps):
                self._add_root_key()
            self._table.rewrap(self._data_keys, self._keyring, self._clock.now())
            return self._keyring.current.id.hex()

    def _add_root_key(self) -> None:
        if not self._file.is_ours:
            raise Conflict(
                _NOT_OURS,
                remedy="put a line with a new key before the others in the credential's file, and restart: "
                'docs/operations.md, "Keys", has the commands',
            )
        if len(self._keyring) >= MOST_ROOT_KEYS:
            raise Conflict(
                f"{self._file.path} holds {MOST_ROOT_KEYS} keys already",
                remedy="forget some of those that nothing needs any more: offhook key forget ID",
            )
        keyring = Keyring(RootKey.generate(), *self._keyring)
        self._file.write(keyring)
        self._keyring = keyring

    def forget(self, key_id: str) -> None:
        """Takes a root key that wraps nothing out of the key file.

        Raises NotFound for one that is not there, Conflict for one that is needed or where the file is not the
        daemon's, StoreUnavailable where the disk fails.
        """
        with self._turn:
            key = next((key for key in self._keyring if key.id.hex() == key_id.lower()), None)
            if key is None:
                raise NotFound(f"there is no root key {key_id}", remedy="see: offhook key show")
            needed = {root for root, _ in self._table.wrapped_under().values()}
            if key is self._keyring.current or key.id in needed:
                raise Conflict(
                    f"the root key {key_id} is in use", remedy="put another in use first: offhook key rotate"
                )
            if not self._file.is_ours:
                raise Conflict(_NOT_OURS, remedy="delete the line of that key in the credential's file, and restart")
            keyring = self._keyring.without(key.id)
            self._file.write(keyring)
            self._keyring = keyring

    # -- data keys ------------------------------------------------------------------------------------------------

    def renew(self) -> None:
        """Seals with a new data key from now on, unless secrets are still to be moved to the one that is current."""
        with self._turn:
            if not self.describe().outdated:
                self._use(self._table.replace_current(self._data_keys, self._keyring, self._clock.now()))

    def drop_unused(self) -> tuple[int, ...]:
        """Deletes the data keys that seal nothing any more, and gives their ids.

        To be called while nobody writes, since writing seals with the key that was current when it began.
        """
        with self._turn:
            sealed = self._table.count_sealed()
            unused = [key for key in self._data_keys if not key.is_current and not sealed[key.header]]
            if unused:
                self._table.drop(unused)
                self._use([key for key in self._data_keys if key not in unused])
            return tuple(key.id for key in unused)

    def _use(self, keys: Sequence[DataKey]) -> None:
        self._data_keys = tuple(keys)
        self.box.use(self._data_keys)
