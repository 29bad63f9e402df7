"""A document without the parts that are at fault, so that the rest can be judged."""

import difflib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from offhook.yamldoc.document import Document, Path, Value

T = TypeVar("T")
#: By step, what is to be taken out below it; None where all of it is.
_Marks = dict[str | int, Any]
_KEYS_COMPARED: Final = 100


@dataclass(frozen=True, slots=True)
class Remainder:
    """What is left, and what it was taken from. Paths are those of the whole document."""

    data: Value
    _document: Document
    _kept: dict[Path, tuple[int, ...]]
    #: Of each list that lost entries, the indexes of those left.
    _taken: frozenset[Path]
    _lost: dict[Path, list[str]]
    #: Of each mapping that keys were taken out of, those keys.

    def each(self, path: Path, entries: Sequence[T]) -> Iterator[tuple[Path, T]]:
        """The entries of the list at ``path``, as they were read from ``data``, each with its place."""
        for index, entry in enumerate(entries):
            yield self.place(path, index), entry

    def place(self, path: Path, index: int) -> Path:
        """Where the entry that is ``index`` in ``data`` stands, of the list at ``path``."""
        kept = self._kept.get(path)
        return (*path, kept[index] if kept else index)

    def is_doubtful(self, path: Path) -> bool:
        """Whether what ``data`` says of ``path``, a default perhaps, is not what the author meant.

        So it is for what was taken out, and for a key that is absent beside one that may be it, misspelt or merged.
        """
        for length in range(1, len(path) + 1):
            here, key = path[:length], path[length - 1]
            if here in self._taken:
                return True
            lost = self._lost.get(path[: length - 1], [])
            if not lost or self._document.known(here) == here:
                continue
            if "<<" in lost or difflib.get_close_matches(str(key), lost[:_KEYS_COMPARED], n=1):
                return True
        return False


def take_out(document: Document, paths: Iterable[Path]) -> Remainder:
    """The document without the keys and entries at ``paths``. A list that loses every entry goes with them."""
    taken = set(paths)
    if () in taken:
        return Remainder(None, document, {}, frozenset(), {})
    marks: _Marks = {}
    for path in taken:
        inner: _Marks | None = marks
        for step in path[:-1]:
            inner = inner.setdefault(step, {}) if inner is not None else None
        if inner is not None:
            inner[path[-1]] = None
    kept: dict[Path, tuple[int, ...]] = {}
    data = _without(document.data, (), marks, kept, taken)
    lost: dict[Path, list[str]] = {}
    for path in taken:
        if isinstance(path[-1], str):
            lost.setdefault(path[:-1], []).append(path[-1])
    return Remainder(data, document, kept, frozenset(taken), lost)


def _without(value: Value, path: Path, marks: _Marks, kept: dict[Path, tuple[int, ...]], taken: set[Path]) -> Value:
    if isinstance(value, list):
        left = [(index, entry) for index, entry in enumerate(value) if marks.get(index, marks) is not None]
        kept[path] = tuple(index for index, _ in left)
        return [_inside(entry, (*path, index), marks.get(index), kept, taken) for index, entry in left]
    if not isinstance(value, dict):
        return value
    result: dict[str, Value] = {}
    for key, entry in value.items():
        if marks.get(key, marks) is None:
            continue
        inside = _inside(entry, (*path, key), marks.get(key), kept, taken)
        if inside == [] and entry != []:
            taken.add((*path, key))
        else:
            result[key] = inside
    return result


def _inside(
    value: Value, path: Path, marks: _Marks | None, kept: dict[Path, tuple[int, ...]], taken: set[Path]
) -> Value:
    return value if marks is None else _without(value, path, marks, kept, taken)
