"""Reads a pjsip.conf as Asterisk does, and complains where Asterisk would guess.

What it does with a line (main/config.c): a semicolon begins a comment unless a backslash stands before it, ``;--``
begins a block of comment; what is left is trimmed; ``#`` at its beginning is a directive, ``[`` a section, and
everything else ``name = value``. Sections of one name and different types are different objects (res_pjsip).
"""

import re
from dataclasses import dataclass, field
from typing import Final

_OPTIONS: Final = {
    "endpoint": {"type", "context", "disallow", "allow", "auth", "aors", "callerid", "callerid_privacy"},
    "aor": {"type", "max_contacts", "remove_existing"},
    "auth": {"type", "auth_type", "username", "realm", "md5_cred"},
}


@dataclass(slots=True)
class Section:
    """An object of res_pjsip."""

    name: str
    values: dict[str, str] = field(default_factory=dict)

    @property
    def type(self) -> str:
        return self.values["type"]


class PjsipConf:
    """The objects of a file, by type and name."""

    def __init__(self, text: str) -> None:
        self.objects: dict[tuple[str, str], Section] = {}
        self._section: Section | None = None
        for number, line in enumerate(text.splitlines(), start=1):
            self._take(line, number)
        self._close()

    def of(self, kind: str) -> dict[str, Section]:
        """Those of a type."""
        return {name: section for (found, name), section in self.objects.items() if found == kind}

    def check_references(self) -> None:
        """Every name that a section mentions is there."""
        for name, endpoint in self.of("endpoint").items():
            for option, kind in (("auth", "auth"), ("aors", "aor")):
                for wanted in endpoint.values[option].split(","):
                    assert wanted in self.of(kind), f"endpoint {name}: {option}={wanted} is not there"
        for name, auth in self.of("auth").items():
            assert auth.values["auth_type"] == "md5", name
            assert re.fullmatch("[0-9a-f]{32}", auth.values["md5_cred"]), name
            assert auth.values["realm"], f"auth {name}: md5_cred without a realm is of no use"

    def _take(self, line: str, number: int) -> None:
        assert ";--" not in line, f"line {number} begins a block of comment"
        line = self._without_comment(line).strip()
        if not line:
            return
        assert not line.startswith("#"), f"line {number} is a directive"
        if line.startswith("["):
            match = re.fullmatch(r"\[([^\[\](),;]+)\]", line)
            assert match is not None, f"line {number} is no plain section: {line}"
            self._close()
            self._section = Section(match[1])
            return
        name, equals, value = line.partition("=")
        assert equals, f"line {number} is no option: {line}"
        assert self._section is not None, f"line {number} stands in no section"
        assert name not in self._section.values, f"line {number} states {name} again"
        self._section.values[name] = value

    @staticmethod
    def _without_comment(line: str) -> str:
        return re.sub(r"(?<!\\);.*", "", line).replace("\\;", ";")

    def _close(self) -> None:
        section = self._section
        if section is None:
            return
        key = section.type, section.name
        assert key not in self.objects, f"{key} is there twice"
        assert set(section.values) <= _OPTIONS[section.type], key
        self.objects[key] = section
