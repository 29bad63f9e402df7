"""Asks the daemon, over its admin socket."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, BinaryIO, Final
from urllib.parse import quote, urlencode

from offhook.cli import settings
from offhook.cli.failure import Failure

if TYPE_CHECKING:
    from http.client import HTTPResponse

_ROOT: Final = "/api/v1"
_SECONDS: Final = 30.0
_PAGE: Final = 1000
_PIECE_BYTES: Final = 1024 * 1024
#: The daemon says something more often than that, even where nothing happens.
_SILENCE_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened."""

    id: str
    type: str
    data: Mapping[str, Any]


class Client:
    """The daemon of a socket. Every method raises Failure with what the daemon says is wrong, and its remedy."""

    def __init__(self, path: Path, config_file: Path) -> None:
        self._path = path
        self._config_file = config_file

    def get(self, *steps: str, timeout: float = _SECONDS, **query: object) -> Any:
        """What is at ``/api/v1/<steps>``."""
        return json.loads(self._ask("GET", steps, query, timeout=timeout))

    def get_text(self, *steps: str, **query: object) -> str:
        """The same, of what is not JSON."""
        return self._ask("GET", steps, query, timeout=600.0).decode()

    def list(self, *steps: str, most: int | None = None, **query: object) -> Iterator[Any]:
        """Every item of a list, page by page, or the first ``most``."""
        cursor: str | None = None
        left = most if most is not None else -1
        while left:
            limit = min(_PAGE, left) if left > 0 else _PAGE
            page = json.loads(self._ask("GET", steps, {**query, "limit": limit, "cursor": cursor}))
            yield from page["items"]
            cursor, left = page["next"], left - len(page["items"])
            if cursor is None:
                return

    def post(self, *steps: str, body: Mapping[str, object], **query: object) -> Any:
        """Sends JSON."""
        return json.loads(self._ask("POST", steps, query, json.dumps(body).encode(), "application/json"))

    def post_document(self, *steps: str, text: bytes, content_type: str = "application/yaml", **query: object) -> Any:
        """Sends a document or a table. It may take minutes where it is long."""
        return json.loads(self._ask("POST", steps, query, text, content_type, timeout=1800.0))

    def post_for_file(self, *steps: str, body: Mapping[str, object], file: BinaryIO) -> int:
        """Sends JSON, and writes what comes back to a file; gives its length. OSError is the file's."""
        with self._response("POST", steps, {}, json.dumps(body).encode(), "application/json", 1800.0) as response:
            expected, length = response.length, 0
            while piece := self._read(response, _PIECE_BYTES):
                file.write(piece)
                length += len(piece)
        if length != expected:
            raise Failure("the daemon broke off; nothing was written", remedy="see the daemon's log")
        return length

    def follow(self, *steps: str, last_id: str = "", **query: object) -> "Iterator[Event]":
        """Events as they happen, until the daemon ends; from after the one of that id, where it is given."""
        headers = {"Last-Event-ID": last_id} if last_id else {}
        with self._response("GET", steps, query, timeout=_SILENCE_SECONDS, headers=headers) as response:
            name, data, event_id = "", "", last_id
            while line := self._read_line(response):
                field, _, value = line.decode().rstrip("\r\n").partition(": ")
                match field:
                    case "id":
                        event_id = value
                    case "event":
                        name = value
                    case "data":
                        data = value
                    case "":
                        if data:
                            yield Event(event_id, name, json.loads(data))
                        name = data = ""

    def patch(self, *steps: str, body: Mapping[str, object], **query: object) -> Any:
        """Changes what is there: absent fields stay, null clears."""
        return json.loads(self._ask("PATCH", steps, query, json.dumps(body).encode(), "application/merge-patch+json"))

    def put(self, *steps: str, body: Mapping[str, object], **query: object) -> Any:
        """Sets what is there."""
        return json.loads(self._ask("PUT", steps, query, json.dumps(body).encode(), "application/json"))

    def delete(self, *steps: str, **query: object) -> Any:
        """Deletes what is there."""
        return json.loads(self._ask("DELETE", steps, query))

    def _ask(
        self,
        method: str,
        steps: tuple[str, ...],
        query: Mapping[str, object],
        body: bytes | None = None,
        content_type: str = "",
        *,
        timeout: float = _SECONDS,
    ) -> bytes:
        with self._response(method, steps, query, body, content_type, timeout) as response:
            return self._read(response)

    @contextmanager
    def _response(
        self,
        method: str,
        steps: tuple[str, ...],
        query: Mapping[str, object],
        body: bytes | None = None,
        content_type: str = "",
        timeout: float = _SECONDS,
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> "Iterator[HTTPResponse]":
        url = "/".join((_ROOT, *(quote(step, safe="") for step in steps)))
        given = {name: _text(value) for name, value in query.items() if value not in (None, "", False, ())}
        if given:
            url = f"{url}?{urlencode(given, doseq=True)}"
        # Late: it is a third of what a command imports, and only help does without.
        from offhook.cli.connection import HTTPException, UnixConnection

        connection = UnixConnection(self._path, timeout)
        try:
            try:
                content = {"Content-Type": content_type} if body is not None else {}
                connection.request(method, url, body, {**content, **headers})
                response = connection.getresponse()
            except OSError as error:
                raise self._unreachable(error) from None
            except HTTPException:
                raise self._broken_off() from None
            if response.status >= 400:
                raise _failure(response.status, self._read(response))
            yield response
        finally:
            connection.close()

    def _read(self, response: "HTTPResponse", size: int | None = None) -> bytes:
        from offhook.cli.connection import HTTPException

        try:
            return response.read(size)
        except OSError as error:
            raise self._unreachable(error) from None
        except HTTPException:
            raise self._broken_off() from None

    def _read_line(self, response: "HTTPResponse") -> bytes:
        from offhook.cli.connection import HTTPException

        try:
            return response.readline()
        except OSError as error:
            raise self._unreachable(error) from None
        except HTTPException:
            raise self._broken_off() from None

    def _broken_off(self) -> Failure:
        return Failure(f"what answers on {self._path} broke off", remedy="see the daemon's log")

    def _unreachable(self, error: OSError) -> Failure:
        match error:
            case FileNotFoundError() | ConnectionRefusedError():
                return Failure(
                    f"no daemon answers on {self._path} (admin.socket of {self._config_file})",
                    remedy=f"start it with: offhook serve --config {self._config_file}, or: systemctl start offhook",
                )
            case PermissionError():
                return Failure(
                    f"you may not open {self._path}",
                    remedy="be a member of the group offhook, or use sudo",
                )
            case TimeoutError():
                return Failure(f"the daemon on {self._path} did not answer in time", remedy="see: offhook doctor")
            case _:
                return Failure(
                    f"the daemon on {self._path} cannot be asked: {error.strerror or 'it broke off'}",
                    remedy="see: offhook doctor",
                )


def connect() -> Client:
    """The daemon of the configuration that is meant."""
    return Client(settings.load().admin.socket, settings.find_config_file())


def _text(value: object) -> object:
    return "true" if value is True else value


def _failure(status: int, content: bytes) -> Failure:
    """What a problem document says (RFC 9457)."""
    try:
        problem = json.loads(content)
        faults = [format_fault(fault) for fault in problem.get("faults", ())]
        message = problem.get("detail") or problem["title"]
        remedy = problem.get("remedy", "")
        alternatives = problem.get("alternatives", ())
        if status >= 500:
            message += f" (request {problem['request_id']})"
    except (ValueError, KeyError, TypeError, AttributeError):
        return Failure(f"the daemon answered {status}, and nothing that can be read", remedy="see the daemon's log")
    return Failure(message, remedy=remedy, faults=faults, alternatives=alternatives)


def format_fault(fault: Mapping[str, Any]) -> str:
    """``file:line:column: path: what is wrong; what to do``, as far as they are told."""
    place = ":".join(str(part) for part in (fault["file"], fault["line"], fault["line"] and fault["column"]) if part)
    said = f"{fault['message']}; {fault['remedy']}" if fault.get("remedy") else fault["message"]
    return ": ".join(part for part in (place, fault["path"], said) if part)
