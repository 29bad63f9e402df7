"""Writes a file that nobody else may read: whole, or not at all."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from offhook.cli.failure import Failure


def check_absent(path: Path, *, force: bool) -> None:
    """Raises Failure for a file that is there already, unless ``force``."""
    if path.exists() and not force:
        raise Failure(f"{path} is there already", remedy="name another file, or add --force to replace it")


@contextmanager
def private_file(path: Path) -> Iterator[BinaryIO]:
    """A file, mode 0600, that takes the place of ``path`` once it is on disk; after an error nothing is left of it.

    Raises Failure where it cannot be written.
    """
    draft = None
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        draft = Path(name)
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
        draft = None
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise Failure(
            f"{path} cannot be written: {error.strerror}", remedy="make room, or name a folder that you may write to"
        ) from None
    finally:
        if draft is not None:
            draft.unlink(missing_ok=True)
