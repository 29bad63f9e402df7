"""YAML that keeps MAC addresses and extensions as text, and remembers where everything stood.

Stock loaders turn ``001565123456`` into a number, ``00:15:65:12:34:56`` into another and ``NO`` into a boolean. Here a
plain ``null``, ``~`` or nothing is None, a plain ``true`` or ``false`` is a bool, and everything else is text; whoever
wants a number says so in a schema. A document comes from a person or from a program that may be hostile: its bytes,
its depth and the nodes it has *after* its aliases are followed are bounded, so that a few lines that stand for
billions fail at once. Tags, merge keys and several documents in one file are refused.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, NoReturn, TypeAlias

import yaml
import yaml._yaml

from offhook.errors import DocumentError, Fault

Value: TypeAlias = "bool | str | list[Value] | dict[str, Value] | None"
Path: TypeAlias = tuple[str | int, ...]
Place: TypeAlias = tuple[int, int]
#: A mapping or list, and where its children stand, by key or index.
Placed: TypeAlias = "tuple[list[Value] | dict[str, Value], dict[str | int, Place]]"
_Mark: TypeAlias = "yaml.Mark | yaml._yaml.Mark | None"

_Loader: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_WORDS: Final[dict[str, bool | None]] = {"": None, "~": None, "null": None, "true": True, "false": False}


@dataclass(frozen=True, slots=True)
class Bounds:
    """How large a document may be."""

    document_bytes: int = 64 * 1024 * 1024
    nodes: int = 2_000_000
    #: Counted with every alias replaced by what it stands for.
    depth: int = 64
    faults: int = 100
    #: Reading stops there; nobody corrects more at once.


@dataclass(frozen=True, slots=True)
class _Places:
    """Where the children of one mapping or list stand."""

    keys: dict[str, Place] = field(default_factory=dict)
    values: dict[str | int, Place] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Refused:
    """A key that was not taken, since it stands twice or cannot be one, and the value that came with it."""

    path: Path
    value: Value


@dataclass(frozen=True, slots=True)
class Document:
    """What a file says, and where it says it."""

    file: str
    data: Value
    #: Containers that an alias repeats are one object: read them, do not change them.
    _places: dict[int, _Places]
    #: By ``id()`` of the container, which ``data`` keeps alive.
    _root: Place = (1, 1)
    faults: tuple[Fault, ...] = ()
    #: In order. Of a key that stands twice ``data`` has the first value, of a tagged value its text.
    refused: tuple[Refused, ...] = ()
    columns: tuple[str, ...] = ()
    #: Of a table: what its columns are called. Faults then name a column instead of a path.

    def position(self, path: Path, *, key: bool = False) -> Place:
        """Line and column, from 1, of the value at ``path`` (of its key if ``key``), else of its nearest parent."""
        node: Value = self.data
        place = self._root
        for index, step in enumerate(path):
            places = self._places.get(id(node))
            if places is None or step not in places.values:
                break
            last = index == len(path) - 1
            place = (
                places.keys.get(step, places.values[step])
                if key and last and isinstance(step, str)
                else places.values[step]
            )
            node = node[step]  # type: ignore[index] # places.values has it: it is a key of this node
        return place

    def known(self, path: Path) -> Path:
        """The steps of ``path`` that lead somewhere; the others are passed over."""
        node: Value = self.data
        steps: list[str | int] = []
        for step in path:
            if isinstance(node, dict) and isinstance(step, str):
                if step not in node:
                    continue
                node = node[step]
            elif isinstance(node, list) and isinstance(step, int):
                if not 0 <= step < len(node):
                    continue
                node = node[step]
            else:
                continue
            steps.append(step)
        return tuple(steps)

    def fault(self, path: Path, message: str, *, key: bool = False) -> Fault:
        """A fault at ``path``."""
        line, column = self.position(path, key=key)
        return Fault(message, self._name(path, column), self.file, line, column)

    def _name(self, path: Path, column: int) -> str:
        if not self.columns:
            return format_path(path)
        if column:
            return self.columns[column - 1]
        return str(path[-1]) if path and isinstance(path[-1], str) else ""


def document_of(
    data: Value,
    file: str = "",
    places: Iterable[Placed] = (),
    *,
    columns: tuple[str, ...] = (),
    faults: tuple[Fault, ...] = (),
) -> Document:
    """A document that was not read from YAML: a request's body, or the rows of a table.

    What ``places`` leaves out has the place of its nearest parent; without any there is none (0). In a row, the column
    0 stands for the row as a whole.
    """
    found = {id(container): _Places(values=values) for container, values in places}
    return Document(file, data, found, (0, 0), faults, columns=columns)


def format_path(path: Iterable[str | int]) -> str:
    """``("accounts", 0, "name")`` as ``accounts[0].name``."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def load(text: str | bytes, file: str, bounds: Bounds | None = None) -> Document:
    """Reads one document. Raises :class:`DocumentError` with every fault that can be told apart."""
    document = read(text, file, bounds)
    if document.faults:
        raise DocumentError(document.faults)
    return document


def read(text: str | bytes, file: str, bounds: Bounds | None = None) -> Document:
    """As :func:`load`, but faults that can be passed over are given along with the document.

    So can keys that stand twice or are none, and tags. Raises :class:`DocumentError` for the others.
    """
    bounds = bounds or Bounds()
    size = len(text)
    if size > bounds.document_bytes:
        raise DocumentError([Fault(f"is {size} bytes long; at most {bounds.document_bytes} are read", file=file)])
    if isinstance(text, bytes):
        text = _decode(text, file)
    builder = _Builder(file, bounds)
    try:
        for event in yaml.parse(text, Loader=_Loader):
            builder.feed(event)
    except yaml.MarkedYAMLError as error:
        builder.stop(_mark_place(error.problem_mark or error.context_mark), _explain_syntax(error, text))
    except yaml.reader.ReaderError as error:
        builder.stop(_offset_place(text, error.position), f"has a character that YAML forbids, U+{_ordinal(error):04X}")
    except UnicodeEncodeError as error:
        builder.stop(_offset_place(text, error.start), "is not valid Unicode; save the file as UTF-8")
    return builder.finish()


def _decode(raw: bytes, file: str) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line, column = _offset_place(raw[: error.start].decode(), None)
        raise DocumentError([Fault("is not UTF-8; save the file as UTF-8", "", file, line, column)]) from None


def _offset_place(text: str, offset: int | None) -> Place:
    before = text[:offset]
    return before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1


def _mark_place(mark: _Mark) -> Place:
    return (mark.line + 1, mark.column + 1) if mark else (1, 1)


def _ordinal(error: yaml.reader.ReaderError) -> int:
    return error.character if isinstance(error.character, int) else ord(error.character)


#: What libyaml and PyYAML say, and what an operator can do about it.
_SYNTAX: Final = (
    ("mapping values are not allowed", "a ':' stands where no key can be; indent it as its neighbours, or quote text"),
    ("could not find expected ':'", "a key has no ':' after it"),
    ("did not find expected ':'", "a key has no ':' after it"),
    ("expected <block end>", "the indentation does not match the lines above"),
    ("did not find expected key", "the indentation does not match the lines above, or a quote is not closed"),
    ("did not find expected '-' indicator", "the indentation does not match the list above"),
    ("did not find expected ',' or", "a [ or { is not closed, or a comma is missing"),
    ("expected ',' or", "a [ or { is not closed, or a comma is missing"),
    ("expected node content", "a value is missing here, or a [ or { is not closed"),
    ("unexpected end of stream", "a quote, [ or { is not closed"),
    ("document start", "something is left over here; a file holds one document"),
    ("undefined alias", "an alias (*name) comes before its anchor (&name), or has none"),
)


def _explain_syntax(error: yaml.MarkedYAMLError, text: str) -> str:
    problem = error.problem or error.context or "is not YAML"
    mark = error.problem_mark
    at = text[mark.index : mark.index + 1] if mark else ""
    if at == "\t" or "tab character" in problem:
        return "a tab stands here; indent with spaces"
    if "cannot start any token" in problem:
        return f"a value cannot begin with '{at}'; put it in quotes" if at else "a value must be put in quotes"
    for part, remedy in _SYNTAX:
        if part in problem:
            return remedy
    return f"is not YAML: {problem}"


@dataclass(slots=True)
class _Frame:
    """A mapping or list whose end has not come yet."""

    container: "list[Value] | dict[str, Value]"
    place: Place
    anchor: str | None
    nodes_before: int
    places: _Places = field(default_factory=_Places)
    height: int = 1
    #: Levels below and including this one.
    key: str | None = None
    #: Of a mapping, when the next value belongs to it.
    key_place: Place = (1, 1)
    is_refused: bool = False
    #: Whether ``key`` is not taken.


@dataclass(frozen=True, slots=True)
class _Anchored:
    value: Value
    nodes: int
    height: int


class _Builder:
    """Turns YAML events into plain values without recursion."""

    def __init__(self, file: str, bounds: Bounds) -> None:
        self._file = file
        self._bounds = bounds
        self._faults: list[Fault] = []
        self._stack: list[_Frame] = []
        self._anchors: dict[str, _Anchored] = {}
        self._places: dict[int, _Places] = {}
        self._refused: list[Refused] = []
        self._kept: list[Value] = []
        #: Until the document is done, as ``_refused``: an id() that is used again would find the wrong places.
        self._nodes = 0
        self._documents = 0
        self._data: Value = None
        self._root: Place = (1, 1)

    def feed(self, event: yaml.Event) -> None:
        """One event of the parser."""
        if isinstance(event, yaml.ScalarEvent):
            self._open_node(event)
            self._scalar(event)
        elif isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
            self._open_node(event)
            self._begin(event)
        elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
            self._end()
        elif isinstance(event, yaml.AliasEvent):
            self._alias(event)
        elif isinstance(event, yaml.DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                self.stop(_mark_place(event.start_mark), "a second document begins here; a file holds one")

    def finish(self) -> Document:
        """The document, once the last event is in."""
        faults = sorted(self._faults, key=lambda fault: (fault.line, fault.column))
        return Document(self._file, self._data, self._places, self._root, tuple(faults), tuple(self._refused))

    def stop(self, place: Place, message: str) -> NoReturn:
        """Gives up at a fault behind which nothing can be read."""
        self._fault(place, message)
        raise DocumentError(self._faults) from None

    def _fault(self, place: Place, message: str, *keys: str) -> None:
        path = format_path([*self._steps(self._stack[: -1 if keys else None]), *keys])
        self._faults.append(Fault(message, path if len(path) <= 200 else path[:200] + "…", self._file, *place))
        if len(self._faults) >= self._bounds.faults:
            self._faults.append(Fault("has more faults than are listed; correct these first", file=self._file))
            raise DocumentError(self._faults)

    def _steps(self, frames: "list[_Frame]") -> Path:
        steps: list[str | int] = []
        for frame in frames:
            if isinstance(frame.container, list):
                steps.append(len(frame.container))
            elif frame.key is not None:
                steps.append(frame.key)
        return tuple(steps)

    def _open_node(self, event: "yaml.ScalarEvent | yaml.CollectionStartEvent") -> None:
        self._count(1, event)
        if event.tag is not None:
            self._fault(_mark_place(event.start_mark), f"the tag {event.tag[:60]!r} is not taken; remove it")

    def _count(self, nodes: int, event: yaml.Event) -> None:
        self._nodes += nodes
        if self._nodes > self._bounds.nodes:
            self.stop(
                _mark_place(event.start_mark),
                f"holds more than {self._bounds.nodes} values, aliases followed; split the file",
            )

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        text: str = event.value
        plain = not event.style
        frame = self._stack[-1] if self._stack else None
        if frame is not None and isinstance(frame.container, dict) and frame.key is None:
            self._key(frame, frame.container, text, plain, _mark_place(event.start_mark))
            if event.anchor:
                self._anchors[event.anchor] = _Anchored(text, 1, 0)
            return
        value: Value = _WORDS[text] if plain and text in _WORDS else text
        if event.anchor:
            self._anchors[event.anchor] = _Anchored(value, 1, 0)
        self._add(value, _mark_place(event.start_mark))

    def _key(self, frame: _Frame, container: "dict[str, Value]", text: str, plain: bool, place: Place) -> None:
        frame.is_refused = True
        if plain and text == "<<":
            self._fault(place, "merge keys (<<) are not taken; write the keys out")
        elif plain and text in _WORDS:
            self._fault(place, f"a key must be text; put {text or 'it'} in quotes")
        elif text in container:
            line = frame.places.keys[text][0]
            self._fault(place, f"the key stands twice, first in line {line}; remove one", text)
        else:
            frame.is_refused = False
        frame.key, frame.key_place = text, place

    def _begin(self, event: "yaml.CollectionStartEvent") -> None:
        place = _mark_place(event.start_mark)
        frame = self._stack[-1] if self._stack else None
        if frame is not None and isinstance(frame.container, dict) and frame.key is None:
            self.stop(place, "a key must be text, not a list or a mapping; is a value with braces to be quoted?")
        if len(self._stack) >= self._bounds.depth:
            self.stop(place, f"is nested more than {self._bounds.depth} levels deep")
        container: list[Value] | dict[str, Value] = {} if isinstance(event, yaml.MappingStartEvent) else []
        self._stack.append(_Frame(container, place, event.anchor, self._nodes - 1))

    def _end(self) -> None:
        frame = self._stack.pop()
        self._places[id(frame.container)] = frame.places
        if frame.anchor:
            nodes = self._nodes - frame.nodes_before
            self._anchors[frame.anchor] = _Anchored(frame.container, nodes, frame.height)
        if self._stack:
            self._stack[-1].height = max(self._stack[-1].height, frame.height + 1)
        self._add(frame.container, frame.place)

    def _alias(self, event: yaml.AliasEvent) -> None:
        place = _mark_place(event.start_mark)
        frame = self._stack[-1] if self._stack else None
        if frame is not None and isinstance(frame.container, dict) and frame.key is None:
            self.stop(place, "an alias cannot be a key; write the key out")
        if any(open_frame.anchor == event.anchor for open_frame in self._stack):
            self.stop(place, f"the alias *{event.anchor} stands inside what it names")
        anchored = self._anchors.get(event.anchor or "")
        if anchored is None:
            self.stop(place, f"the alias *{event.anchor} comes before its anchor, or has none")
        if len(self._stack) + anchored.height > self._bounds.depth:
            self.stop(place, f"is nested more than {self._bounds.depth} levels deep, aliases followed")
        self._count(anchored.nodes, event)
        if frame is not None:
            frame.height = max(frame.height, anchored.height + 1)
        self._add(anchored.value, place)

    def _add(self, value: Value, place: Place) -> None:
        if not self._stack:
            self._data, self._root = value, place
            return
        frame = self._stack[-1]
        if isinstance(frame.container, list):
            frame.places.values[len(frame.container)] = place
            frame.container.append(value)
        elif frame.key is not None:
            if not frame.is_refused:
                frame.container[frame.key] = value
                frame.places.keys[frame.key] = frame.key_place
                frame.places.values[frame.key] = place
            elif not any(outer.is_refused for outer in self._stack[:-1]):
                self._refused.append(Refused(self._steps(self._stack), value))
            else:
                self._kept.append(value)
            frame.key, frame.is_refused = None, False
