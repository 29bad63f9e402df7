"""How each output format carries a value.

A template never escapes: whatever it prints passes the escaper of the file's format, which either writes the value
so that the format reads it back as it was, or refuses it. No value can therefore end a line, open a tag or add a key.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

#: What XML 1.0 §2.2 admits as Char.
_NOT_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
#: C0, DEL, C1 and the two Unicode line ends: no phone shows them, some end a line at them.
_CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_XML_ENTITIES: Final = str.maketrans(
    {
        "&": "&amp;",
        "<": "&lt;",
        ">": "&gt;",
        '"': "&quot;",
        "'": "&#39;",
        "\t": "&#9;",
        "\n": "&#10;",
        "\r": "&#13;",
    }
)


class UnwritableValue(Exception):
    """A value that the format cannot carry. The message never holds the value."""


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of file that phones read."""

    name: str
    escape: Callable[[str], str]
    #: Raises UnwritableValue.


def escape_xml(text: str) -> str:
    """For element content and for attributes in either kind of quotes."""
    if _NOT_XML.search(text):
        raise UnwritableValue("a value holds a character that XML cannot carry")
    return text.translate(_XML_ENTITIES)


def escape_cfg(text: str) -> str:
    """For the right side of ``key = value``, a line of its own and without quotes, as Yealink reads it."""
    if _CONTROL.search(text):
        raise UnwritableValue("a value holds a line end or control character, which a cfg file cannot carry")
    if text != text.strip():
        raise UnwritableValue("a value begins or ends with a blank, which a cfg file cannot carry")
    if "%null%" in text.lower():
        raise UnwritableValue("a value holds %NULL%, with which a cfg file resets a key")
    return text


def escape_plain(text: str) -> str:
    """For text whose lines mean something."""
    if _CONTROL.search(text):
        raise UnwritableValue("a value holds a line end or control character, which a line cannot carry")
    return text


FORMATS: Final[Mapping[str, Format]] = MappingProxyType(
    {
        "xml": Format("xml", escape_xml),
        "cfg": Format("cfg", escape_cfg),
        "plain": Format("plain", escape_plain),
    }
)
