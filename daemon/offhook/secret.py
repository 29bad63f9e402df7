"""A text that must not be seen: passwords, tokens, keys.

``str()``, ``repr()``, ``format()`` and JSON encoders that fall back on ``str`` show ``***``. Only
:meth:`Secret.reveal` gives the text, so every place that uses one can be found by that name.
"""

import hmac
from typing import Final


class Secret:
    """Holds a text and shows ``***``."""

    __slots__ = ("_text",)

    MASK: Final = "***"

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself. Call it where the text is used, never to pass it on."""
        return self._text

    def __repr__(self) -> str:
        return "Secret('***')"

    def __str__(self) -> str:
        return self.MASK

    def __format__(self, spec: str) -> str:
        return format(self.MASK, spec)

    def __eq__(self, other: object) -> bool:
        """Compares in constant time."""
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._text.encode(), other._text.encode())

    def __hash__(self) -> int:
        return hash((Secret, self._text))

    def __reduce__(self) -> str:
        raise TypeError("a Secret is not pickled")

    def __bool__(self) -> bool:
        return bool(self._text)
