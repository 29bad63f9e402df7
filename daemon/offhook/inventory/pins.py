"""PINs of numbers and users: a default one that is shown, then one of their own that nobody is shown (E4, N1).

========== ==================================== =======================================
state      a right PIN                          a wrong one
========== ==================================== =======================================
default    is right, and must be changed        counts; the third in a row locks
own        is right, and the count starts anew  counts; the third in a row locks
locked     does not help                        does not matter: until it is reset
========== ==================================== =======================================

Resetting brings the default back. An own PIN is kept as Argon2id over a keyed digest: whoever has the database without
its key cannot try the few PINs that there are.

What is asked about one subject is answered one after the other, and a wrong PIN is on disk before the answer leaves:
three guesses are three, however many come at once. The hashing itself holds up nobody else's change.
"""

import asyncio
import re
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Any, Final, TypeVar
from weakref import WeakValueDictionary

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

from offhook.errors import Invalid, RequestRefused, StoreError
from offhook.inventory.editor import Editor
from offhook.inventory.models import PIN_ATTEMPTS, Number, User
from offhook.inventory.ports import SecretBox
from offhook.inventory.service import Actor, Changed, InventoryService
from offhook.inventory.snapshot import Inventory
from offhook.secret import Secret

T = TypeVar("T")
PinSubject = Number | User

#: 50 ms on one core of the machine that docs/decisions.md was measured on.
HASHER: Final = PasswordHasher(time_cost=4, memory_cost=19 * 1024, parallelism=1)
#: Hashed at the same time: as many workers and 19 MiB are taken from everything else.
_AT_ONCE: Final = 2
#: Asked at the same time; more are refused.
_MOST_UNDER_WAY: Final = 64
_PIN: Final = re.compile(r"[0-9]{4,12}")
_RULE: Final = "PIN of one's own (E4)"


class PinAnswer(StrEnum):
    """What is said of a PIN."""

    RIGHT = "right"
    MUST_CHANGE = "must_change"
    #: Right, but still the default: to be replaced before anything else.
    WRONG = "wrong"
    LOCKED = "locked"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer, and how many wrong PINs may follow before it is locked."""

    answer: PinAnswer
    attempts_left: int = PIN_ATTEMPTS

    @property
    def is_right(self) -> bool:
        return self.answer in (PinAnswer.RIGHT, PinAnswer.MUST_CHANGE)


_LOCKED: Final = Verdict(PinAnswer.LOCKED, 0)


class Pins:
    """Asks, sets and resets PINs."""

    def __init__(
        self, service: InventoryService, secrets: SecretBox, executor: Executor, *, hasher: PasswordHasher = HASHER
    ) -> None:
        self._service = service
        self._secrets = secrets
        self._executor = executor
        self._hasher = hasher
        self._hashing = asyncio.Semaphore(_AT_ONCE)
        self._turns: WeakValueDictionary[tuple[type, int], asyncio.Lock] = WeakValueDictionary()
        self._under_way: set[asyncio.Task[Any]] = set()
        self._unwritten: dict[tuple[type, int], int] = {}
        #: Wrong PINs that the store could not write: they count until it can, or until the daemon is started anew.

    def default_of(self, subject: PinSubject) -> Secret | None:
        """The default PIN while it is in force, locked or not; None once it was replaced."""
        return self._open_default(subject) if subject.pin_hash is None else None

    async def verify(self, subject: PinSubject, pin: Secret, actor: Actor) -> Verdict:
        """Whether the PIN is right. Raises NotFound where the subject is gone, StoreUnavailable, RequestRefused."""
        return await self._in_turn(subject, lambda current: self._verify(current, pin, actor))

    async def set_own(self, subject: PinSubject, old: Secret, new: Secret, actor: Actor) -> Verdict:
        """Replaces the PIN in force, on which the verdict is; nothing is changed where it is wrong.

        Raises Invalid where the new one is no good, and what :meth:`verify` raises.
        """

        async def work(current: PinSubject) -> Verdict:
            verdict = await self._verify(current, old, actor)
            if not verdict.is_right:
                return verdict
            check_own_pin(self._service.inventory, current, new, (old, self._open_default(current)))
            material = self._material(current, new)
            hashed = await self._compute(lambda: self._hasher.hash(material))

            def edit(editor: Editor) -> None:
                present = editor.draft.get(type(current), current.id)
                editor.note("pin_set", editor.change(present, pin_hash=hashed, pin_failures=0))

            await self._service.keep(edit, actor)
            return Verdict(PinAnswer.RIGHT)

        return await self._in_turn(subject, work)

    async def reset(self, subject: PinSubject, actor: Actor, *, renew: bool = False, dry_run: bool = False) -> Changed:
        """Brings the default PIN back, a new one with ``renew``, and unlocks. Raises NotFound, StoreUnavailable."""

        def edit(editor: Editor) -> None:
            present = editor.draft.get(type(subject), subject.id)
            default = present.sealed_default_pin
            if renew or not default:
                default = editor.seal_default_pin(type(subject), subject.id)
            present = editor.change(present, pin_hash=None, pin_failures=0, sealed_default_pin=default)
            editor.note("pin_reset", present, "with a new default" if renew else "")

        async def work(current: PinSubject) -> Changed:
            changed = await self._service.change(edit, actor, dry_run=dry_run)
            if not dry_run:
                self._unwritten.pop(_key(current), None)
            return changed

        return await self._in_turn(subject, work)

    # -- one subject at a time ------------------------------------------------------------------------------------

    async def _in_turn(self, subject: PinSubject, work: Callable[[PinSubject], Coroutine[Any, Any, T]]) -> T:
        """Once it is under way it is finished: who hangs up early has guessed all the same."""
        if len(self._under_way) >= _MOST_UNDER_WAY:
            raise RequestRefused(503, "too many PINs are being looked at", remedy="try again", retry_after_seconds=1)
        turn = self._turns.setdefault(_key(subject), asyncio.Lock())

        async def run() -> T:
            async with turn:
                return await work(self._service.inventory.get(type(subject), subject.id))

        task = asyncio.create_task(run())
        self._under_way.add(task)
        task.add_done_callback(self._done)
        return await asyncio.shield(task)

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._under_way.discard(task)
        if not task.cancelled():
            task.exception()  # Raised in the caller, if there still is one.

    async def _verify(self, subject: PinSubject, pin: Secret, actor: Actor) -> Verdict:
        failures = subject.pin_failures + self._unwritten.get(_key(subject), 0)
        if failures >= PIN_ATTEMPTS:
            return _LOCKED
        if not await self._is_right(subject, pin):
            return await self._count(subject, actor)
        self._unwritten.pop(_key(subject), None)
        if subject.pin_failures:
            await self._service.keep(lambda editor: _forgive(editor, subject), actor)
        return Verdict(PinAnswer.MUST_CHANGE if subject.pin_hash is None else PinAnswer.RIGHT)

    async def _count(self, subject: PinSubject, actor: Actor) -> Verdict:
        uncounted = self._unwritten.get(_key(subject), 0) + 1
        failures = subject.pin_failures + uncounted

        def edit(editor: Editor) -> None:
            present = editor.change(editor.draft.get(type(subject), subject.id), pin_failures=failures)
            action = "pin_locked" if failures >= PIN_ATTEMPTS else "pin_failed"
            editor.note(action, present, f"attempt {failures} of {PIN_ATTEMPTS}")

        try:
            await self._service.keep(edit, actor)
        except StoreError:
            self._unwritten[_key(subject)] = uncounted
            raise
        self._unwritten.pop(_key(subject), None)
        return Verdict(PinAnswer.WRONG, PIN_ATTEMPTS - failures) if failures < PIN_ATTEMPTS else _LOCKED

    # -- what is right --------------------------------------------------------------------------------------------

    async def _is_right(self, subject: PinSubject, pin: Secret) -> bool:
        if not _PIN.fullmatch(pin.reveal()):
            return False
        hashed = subject.pin_hash
        if hashed is None:
            return self._open_default(subject) == pin
        material = self._material(subject, pin)

        def is_match() -> bool:
            try:
                return self._hasher.verify(hashed, material)
            except VerifyMismatchError:
                return False

        return await self._compute(is_match)

    async def _compute(self, work: Callable[[], T]) -> T:
        async with self._hashing:
            return await asyncio.get_running_loop().run_in_executor(self._executor, work)

    def _material(self, subject: PinSubject, pin: Secret) -> bytes:
        return self._secrets.digest(f"{_context(subject)}:{pin.reveal()}")

    def _open_default(self, subject: PinSubject) -> Secret | None:
        if not subject.sealed_default_pin:
            return None
        return self._secrets.open(subject.sealed_default_pin, f"{_context(subject)}:default_pin")


def check_own_pin(inventory: Inventory, subject: PinSubject, new: Secret, held: tuple[Secret | None, ...]) -> None:
    """Refuses a PIN that would be guessed at once, or is one of those ``held``. Raises Invalid."""
    digits = new.reveal()
    if not _PIN.fullmatch(digits):
        raise _refusal("a PIN has 4 to 12 digits")
    if new in held:
        raise _refusal("the new PIN is the default one, or the one before")
    steps = {(int(after) - int(before)) % 10 for before, after in pairwise(digits)}
    if len(steps) == 1 and steps <= {0, 1, 9}:
        raise _refusal("a PIN of equal digits, or of digits in a row, is the first that anybody tries")
    if any(known.endswith(digits) for known in _known_digits(inventory, subject)):
        raise _refusal("the PIN is an extension, or the end of a number, which everybody knows")


def _known_digits(inventory: Inventory, subject: PinSubject) -> set[str]:
    """The extensions and numbers of whoever has the PIN."""
    user = subject if isinstance(subject, User) else inventory.find(User, subject.user_id)
    numbers = {subject} if isinstance(subject, Number) else set()
    if user is not None:
        numbers.update(inventory.numbers_of_user(user.id))
    extensions = {entity.extension for entity in (user, *numbers) if entity is not None}
    return {number.number for number in numbers} | {extension for extension in extensions if extension is not None}


def _refusal(message: str) -> Invalid:
    return Invalid(message, field="new_pin", rule=_RULE, remedy="choose another")


def _forgive(editor: Editor, subject: PinSubject) -> None:
    editor.change(editor.draft.get(type(subject), subject.id), pin_failures=0)


def _key(subject: PinSubject) -> tuple[type, int]:
    return type(subject), subject.id


def _context(subject: PinSubject) -> str:
    return f"{type(subject).__name__.lower()}:{subject.id}"
