"""What the inventory makes up: ids, phone ids, tokens, authentication names and passwords."""

import secrets
import threading
from collections.abc import Iterable
from functools import lru_cache
from itertools import pairwise
from typing import Final

from offhook.clock import Clock
from offhook.inventory.snapshot import Inventory
from offhook.secret import Secret

#: No vowels and no look-alikes: what is read aloud, or typed once, is read right.
_NAME_ALPHABET: Final = "bcdfghjkmnpqrstvwxz23456789"
#: RFC 4648 §6 in lower case; 26 characters hold 130 bits.
_TOKEN_ALPHABET: Final = "abcdefghijklmnopqrstuvwxyz234567"
TOKEN_LENGTH: Final = 26

_PHONE_ID_DIGITS: Final = 6
_PIN_DIGITS: Final = 6


class IdSource:
    """Ids that rise with time, so that rows written together lie together: milliseconds, then a counter.

    They are asked for by the event loop and by worker threads.
    """

    _COUNTER_BITS: Final = 20

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last = 0
        self._lock = threading.Lock()

    def next(self) -> int:
        now = int(self._clock.now() * 1000) << self._COUNTER_BITS
        with self._lock:
            self._last = max(self._last + 1, now)
            return self._last

    def pass_over(self, ids: Iterable[int]) -> None:
        """Gives no id again that was given before; the clock may have been set back since."""
        with self._lock:
            self._last = max(self._last, max(ids, default=0))


def _text(alphabet: str, length: int) -> str:
    """Random characters, each as likely as the others: bytes beyond the last whole alphabet are thrown away."""
    letters, thrown_away = _letters(alphabet)
    chosen = b""
    while len(chosen) < length:
        chosen += secrets.token_bytes(2 * length).translate(letters, thrown_away)
    return chosen[:length].decode()


@lru_cache(maxsize=64)
def _letters(alphabet: str) -> tuple[bytes, bytes]:
    """A letter of an ASCII alphabet for each byte, and the bytes that have none."""
    size = len(alphabet)
    limit = 256 - 256 % size
    return bytes(ord(alphabet[byte % size]) for byte in range(256)), bytes(range(limit, 256))


def new_token() -> Secret:
    """A provisioning token: 130 bits."""
    return Secret(_text(_TOKEN_ALPHABET, TOKEN_LENGTH))


def new_password(alphabet: str, length: int) -> Secret:
    """A SIP password of the shape that the vendor's phones can hold."""
    return Secret(_text(alphabet, length))


def new_auth_username(user_part: str) -> str:
    """``<extension>-<6 random>``: unguessable enough that a scanner's 401s stay 401s, short enough to read aloud."""
    return f"{user_part}-{_text(_NAME_ALPHABET, 6)}"


def new_pin() -> Secret:
    """A default PIN: six digits, none of which people would try first (all alike, or a run up or down)."""
    while True:
        pin = _text("0123456789", _PIN_DIGITS)
        steps = {int(after) - int(before) for before, after in pairwise(pin)}
        if not (len(steps) == 1 and steps <= {-1, 0, 1}):
            return Secret(pin)


def new_phone_id(inventory: Inventory) -> str:
    """Six digits that no device has; never with a leading zero, which people drop."""
    while True:
        phone_id = str(secrets.randbelow(9 * 10 ** (_PHONE_ID_DIGITS - 1)) + 10 ** (_PHONE_ID_DIGITS - 1))
        if not inventory.ids_under("device.phone_id", phone_id):
            return phone_id
