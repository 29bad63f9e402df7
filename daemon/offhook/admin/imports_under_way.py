"""Imports whose progress somebody may ask for."""

from collections import OrderedDict
from typing import Final

from offhook.errors import NotFound
from offhook.inventory.progress import Progress

#: The oldest goes first.
_REMEMBERED: Final = 64


class ImportsUnderWay:
    """The latest imports that were given a name, by whom and which."""

    def __init__(self) -> None:
        self._found: OrderedDict[tuple[str, str], Progress] = OrderedDict()

    def begin(self, asker: str, name: str) -> Progress:
        """A new one; without a name nobody can ask for it."""
        progress = Progress()
        if name:
            self._found.pop((asker, name), None)
            self._found[asker, name] = progress
            while len(self._found) > _REMEMBERED:
                self._found.popitem(last=False)
        return progress

    def get(self, asker: str, name: str) -> Progress:
        """The one that this asker has begun under this name. Raises NotFound."""
        progress = self._found.get((asker, name))
        if progress is None:
            raise NotFound(f"no import is known as {name[:64]!r}", remedy="say progress=NAME when you begin an import")
        return progress
