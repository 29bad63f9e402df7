"""Where the root keys lie: a file of the state_dir, or a credential that systemd hands over.

The credential is ``$CREDENTIALS_DIRECTORY/offhook.key`` (LoadCredential=), which the daemon can only read. Else it is
``secret.key`` of the state_dir, mode 0400, where the first start makes it. Either holds a key a line, and the first is
the one that is in use.
"""

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from offhook.errors import KeyUnusable, StoreUnavailable
from offhook.store.keys import Keyring, RootKey, parse_keyring

KEY_FILE: Final = "secret.key"
_CREDENTIAL: Final = "offhook.key"
_VARIABLE: Final = "CREDENTIALS_DIRECTORY"


@dataclass(frozen=True, slots=True)
class KeyFile:
    """A file with root keys."""

    path: Path
    is_ours: bool = True
    #: Else systemd hands it over: whoever put it where systemd finds it changes it there.

    @classmethod
    def of(cls, state_dir: Path, environment: Mapping[str, str] = os.environ) -> Self:
        """The file that a daemon on this state_dir uses."""
        folder = environment.get(_VARIABLE)
        if folder and (credential := Path(folder, _CREDENTIAL)).exists():
            return cls(credential, is_ours=False)
        return cls(state_dir / KEY_FILE)

    def exists(self) -> bool:
        return self.path.exists()

    def open(self, *, create: bool) -> Keyring:
        """Reads the keys, or makes one where ``create`` says that nothing has been sealed yet.

        Raises KeyUnusable where the file is missing, open to others, or holds something else.
        """
        if not self.exists():
            if not create:
                raise KeyUnusable(
                    f"{self.path} is missing, but the inventory holds secrets that it opens. "
                    "Put the key file back, or restore a backup that has it."
                )
            try:
                self.write(Keyring(RootKey.generate()))
            except StoreUnavailable as error:
                raise KeyUnusable(str(error)) from None
        return self.read()

    def read(self) -> Keyring:
        """The keys. Raises KeyUnusable."""
        path, mode = self.path, 0
        try:
            mode = path.stat().st_mode
            text = path.read_text()
        except OSError as error:
            raise KeyUnusable(f"{path} cannot be read: {error.strerror}. The daemon's user must own it.") from None
        except UnicodeDecodeError:
            text = ""
        if self.is_ours and mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise KeyUnusable(f"{path} is open to other users (mode {mode & 0o777:04o}). Run: chmod 0400 {path}")
        keyring = parse_keyring(text)
        if keyring is None:
            raise KeyUnusable(
                f"{path} is not a key that Offhook made. Put back the key file that belongs to this state_dir."
            )
        return keyring

    def write(self, keyring: Keyring) -> None:
        """Puts these keys in the place of the file's, durably: at no moment it holds anything but one or the other.

        Raises StoreUnavailable where that fails; the file holds one or the other then, too.
        """
        draft = self.path.with_suffix(".new")
        try:
            draft.unlink(missing_ok=True)
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o400)
            with os.fdopen(descriptor, "w") as file:
                file.write(keyring.format().reveal())
                file.flush()
                os.fsync(file.fileno())
            draft.rename(self.path)
            folder = os.open(self.path.parent, os.O_RDONLY | os.O_CLOEXEC)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except OSError as error:
            raise StoreUnavailable(
                f"{self.path} cannot be written: {error.strerror}. Make the state_dir writable for the daemon's user, "
                "and see that its disk has room."
            ) from None
