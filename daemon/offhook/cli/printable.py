"""Text that came from phones or files, made safe for a terminal."""

import re
from typing import Final

#: C0 but newline and tab, DEL, C1, and what turns the direction of text.
_CONTROL: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def printable(text: str) -> str:
    """The text with control characters written out, so that none reaches the terminal."""
    return _CONTROL.sub(lambda match: f"\\u{ord(match[0]):04x}", text)
