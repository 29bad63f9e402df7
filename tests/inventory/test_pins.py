"""A PIN is the default one until it is replaced by one's own; three wrong ones in a row lock it (E4)."""

import asyncio
import json
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
from argon2 import PasswordHasher, extract_parameters
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from tests.inventory.test_apply import site
from tests.support.inventory import BOX, number, user
from tests.support.workbench import JANE as ACTOR
from tests.support.workbench import InlineExecutor, Workbench

from offhook.errors import Invalid, NotFound, RequestRefused, StoreUnavailable
from offhook.inventory.editor import Editor
from offhook.inventory.models import Number, User
from offhook.inventory.pins import HASHER, PinAnswer, Pins, PinSubject, Verdict, check_own_pin
from offhook.inventory.snapshot import Inventory
from offhook.secret import Secret

#: As quick as Argon2 goes.
QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
OWN, OTHER, WRONG = Secret("480159"), Secret("7302"), Secret("915264")
RIGHT, MUST_CHANGE = Verdict(PinAnswer.RIGHT), Verdict(PinAnswer.MUST_CHANGE)
LOCKED = Verdict(PinAnswer.LOCKED, 0)


def wrong(attempts_left: int) -> Verdict:
    return Verdict(PinAnswer.WRONG, attempts_left)


class Desk:
    """A number and a user, and who looks after their PINs."""

    def __init__(self, bench: Workbench, pins: Pins) -> None:
        self.bench = bench
        self.pins = pins

    @classmethod
    async def open(cls, executor: ThreadPoolExecutor | InlineExecutor | None = None) -> "Desk":
        bench = Workbench(executor=executor)
        await bench.apply(site(users='{username: jane, extension: "2001"}', numbers='{number: "+12125550142"}'))
        return cls(bench, Pins(bench.service, BOX, executor or InlineExecutor(), hasher=QUICK))

    @property
    def number(self) -> Number:
        [found] = self.bench.inventory.all(Number)
        return found

    @property
    def user(self) -> User:
        return self.bench.user("jane")

    @property
    def default(self) -> Secret:
        default = self.pins.default_of(self.number)
        assert default is not None
        return default

    async def verify(self, pin: Secret) -> Verdict:
        return await self.pins.verify(self.number, pin, ACTOR)

    async def choose(self, pin: Secret = OWN) -> None:
        assert await self.pins.set_own(self.number, self.default, pin, ACTOR) == RIGHT

    def audited(self) -> list[tuple[str, str]]:
        """What was noted of the number since it was made."""
        records = [record for record in self.bench.store.audit if record.kind == "number"]
        return [(record.action, record.reason) for record in records[1:]]


# -- default and own ------------------------------------------------------------------------------------------------


async def test_the_default_is_shown_and_right_but_must_be_changed() -> None:
    desk = await Desk.open()
    assert len(desk.default.reveal()) == 6
    assert desk.pins.default_of(desk.user) != desk.default
    assert await desk.verify(desk.default) == MUST_CHANGE
    assert MUST_CHANGE.is_right
    assert await desk.verify(WRONG) == wrong(2)


async def test_ones_own_replaces_it_and_is_nowhere_to_be_seen() -> None:
    desk = await Desk.open()
    default = desk.default
    await desk.choose()
    assert desk.pins.default_of(desk.number) is None
    assert await desk.verify(OWN) == RIGHT
    assert await desk.verify(default) == wrong(2)
    assert OWN.reveal() not in repr(desk.bench.store.entities) + repr(desk.bench.store.audit)
    [record] = [record for record in desk.bench.store.audit if record.action == "pin_set"]
    assert (record.key, json.loads(record.before), json.loads(record.after)) == (
        "number +12125550142",
        {"pin": "default"},
        {"pin": "own"},
    )


async def test_ones_own_is_replaced_by_another_and_that_is_audited() -> None:
    desk = await Desk.open()
    default = desk.default
    await desk.choose()
    assert await desk.pins.set_own(desk.number, OWN, OTHER, ACTOR) == RIGHT
    assert (await desk.verify(OTHER), await desk.verify(OWN)) == (RIGHT, wrong(2))
    with pytest.raises(Invalid, match="the default one"):
        await desk.pins.set_own(desk.number, OTHER, default, ACTOR)
    assert [action for action, _ in desk.audited()] == ["pin_set", "pin_set", "pin_failed"]


async def test_the_old_one_must_be_shown_and_wrong_ones_count() -> None:
    desk = await Desk.open()
    assert await desk.pins.set_own(desk.number, WRONG, OWN, ACTOR) == wrong(2)
    assert desk.number.pin_hash is None
    with pytest.raises(Invalid):
        await desk.pins.set_own(desk.number, desk.default, Secret("1111"), ACTOR)
    assert desk.number.pin_failures == 0


async def test_a_hash_is_worth_nothing_without_the_key_and_belongs_to_its_subject() -> None:
    desk = await Desk.open()
    await desk.choose()
    held = desk.number.pin_hash
    assert held is not None
    assert QUICK.verify(held, BOX.digest(f"number:{desk.number.id}:{OWN.reveal()}"))


def test_hashes_are_argon2id_of_a_cost_that_hurts() -> None:
    parameters = extract_parameters(HASHER.hash("1234"))
    assert (parameters.type.name, parameters.time_cost, parameters.memory_cost) == ("ID", 4, 19 * 1024)


async def test_users_have_pins_as_numbers_do() -> None:
    desk = await Desk.open()
    default = desk.pins.default_of(desk.user)
    assert default is not None
    assert await desk.pins.set_own(desk.user, default, OWN, ACTOR) == RIGHT
    assert await desk.pins.verify(desk.user, OWN, ACTOR) == RIGHT
    assert await desk.verify(OWN) == wrong(2)


# -- locking and resetting ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("has_own", [False, True])
async def test_three_wrong_ones_lock_and_then_the_right_one_does_not_help(has_own: bool) -> None:
    desk = await Desk.open()
    right = desk.default
    if has_own:
        await desk.choose()
        right = OWN
    assert [await desk.verify(WRONG) for _ in range(4)] == [wrong(2), wrong(1), LOCKED, LOCKED]
    assert await desk.verify(right) == LOCKED
    assert await desk.pins.set_own(desk.number, right, OTHER, ACTOR) == LOCKED
    assert desk.audited()[-3:] == [
        ("pin_failed", "attempt 1 of 3"),
        ("pin_failed", "attempt 2 of 3"),
        ("pin_locked", "attempt 3 of 3"),
    ]


async def test_a_right_one_forgives_and_leaves_no_trace() -> None:
    desk = await Desk.open()
    for _ in range(3):
        assert await desk.verify(WRONG) == wrong(2)
        before = desk.audited()
        assert await desk.verify(desk.default) == MUST_CHANGE
        assert desk.audited() == before
    commits = desk.bench.store.commits
    assert await desk.verify(desk.default) == MUST_CHANGE
    assert desk.bench.store.commits == commits


async def test_what_cannot_be_a_pin_counts_too() -> None:
    desk = await Desk.open()
    await desk.choose()
    assert [await desk.verify(Secret(text)) for text in ("", "48015９", "480159" * 3)] == [wrong(2), wrong(1), LOCKED]


@pytest.mark.parametrize("renew", [False, True])
async def test_a_reset_brings_the_default_back_or_a_new_one(renew: bool) -> None:
    desk = await Desk.open()
    default = desk.default
    await desk.choose()
    for _ in range(3):
        await desk.verify(WRONG)
    changed = await desk.pins.reset(desk.number, ACTOR, renew=renew)
    assert [field.field for part in changed.plan.differences for field in part.fields] == (
        ["default_pin", "pin"] if renew else ["pin"]
    )
    assert (desk.default == default) is not renew
    assert await desk.verify(desk.default) == MUST_CHANGE
    assert await desk.verify(OWN) == wrong(2)
    assert desk.audited()[-2] == ("pin_reset", "with a new default" if renew else "")


async def test_a_reset_of_the_count_alone_is_audited() -> None:
    desk = await Desk.open()
    await desk.verify(WRONG)
    await desk.pins.reset(desk.number, ACTOR)
    assert desk.number.pin_failures == 0
    assert desk.audited()[-1] == ("pin_reset", "")


async def test_a_reset_that_is_only_tried_says_what_it_would_do() -> None:
    desk = await Desk.open()
    await desk.choose()
    changed = await desk.pins.reset(desk.number, ACTOR, dry_run=True)
    [difference] = changed.plan.differences
    assert [(field.field, field.before, field.after) for field in difference.fields] == [("pin", "own", "default")]
    assert await desk.verify(OWN) == RIGHT


async def test_what_is_gone_is_not_found() -> None:
    desk = await Desk.open()
    subject = desk.number

    def delete(editor: Editor) -> None:
        editor.delete(subject)

    await desk.bench.service.change(delete, ACTOR)
    with pytest.raises(NotFound):
        await desk.pins.verify(subject, WRONG, ACTOR)


async def test_whoever_has_no_default_pin_gets_one_when_the_daemon_starts() -> None:
    bench = Workbench([*(await Desk.open()).bench.store.load(), number(7, account_id=1), user(8, account_id=1)])
    await bench.service.load()
    pins = Pins(bench.service, BOX, InlineExecutor(), hasher=QUICK)
    subjects: list[PinSubject] = [*bench.inventory.all(Number), *bench.inventory.all(User)]
    assert len(subjects) == 4
    assert all(pins.default_of(subject) for subject in subjects)
    assert bench.store.audit == []


# -- guessing -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("has_own", [False, True])
async def test_guesses_at_the_same_time_are_three_all_the_same(has_own: bool) -> None:
    with ThreadPoolExecutor(4) as executor:
        desk = await Desk.open(executor)
        if has_own:
            await desk.choose()
        answers = await asyncio.gather(*(desk.verify(Secret(f"91{guess}526")) for guess in range(10, 40)))
        assert sorted(verdict.attempts_left for verdict in answers) == [0] * 28 + [1, 2]
        assert desk.number.pin_failures == 3


async def test_a_guess_counts_though_its_caller_hangs_up() -> None:
    desk = await Desk.open()
    for _ in range(3):
        caller = asyncio.create_task(desk.verify(WRONG))
        await asyncio.sleep(0)
        caller.cancel()
        with pytest.raises(asyncio.CancelledError):
            await caller
    assert await desk.verify(desk.default) == LOCKED


async def test_a_wrong_one_is_on_disk_before_the_answer_and_counts_without_a_disk() -> None:
    desk = await Desk.open()
    assert await desk.verify(WRONG) == wrong(2)
    stored = desk.bench.store.entities[Number, desk.number.id]
    assert isinstance(stored, Number)
    assert stored.pin_failures == 1
    desk.bench.store.fails = True
    for _ in range(2):
        with pytest.raises(StoreUnavailable):
            await desk.verify(WRONG)
    assert await desk.verify(desk.default) == LOCKED
    desk.bench.store.fails = False
    assert await desk.verify(desk.default) == LOCKED
    await desk.pins.reset(desk.number, ACTOR)
    assert await desk.verify(WRONG) == wrong(2)


async def test_failures_that_could_not_be_written_are_forgiven_like_others() -> None:
    desk = await Desk.open()
    desk.bench.store.fails = True
    with pytest.raises(StoreUnavailable):
        await desk.verify(WRONG)
    assert await desk.verify(desk.default) == MUST_CHANGE
    desk.bench.store.fails = False
    assert await desk.verify(WRONG) == wrong(2)


async def test_failures_that_could_not_be_written_are_written_with_the_next() -> None:
    desk = await Desk.open()
    desk.bench.store.fails = True
    with pytest.raises(StoreUnavailable):
        await desk.verify(WRONG)
    desk.bench.store.fails = False
    assert await desk.verify(WRONG) == wrong(1)
    assert desk.number.pin_failures == 2
    assert await desk.verify(desk.default) == MUST_CHANGE
    assert await desk.verify(WRONG) == wrong(2)


class HeldExecutor(InlineExecutor):
    """Keeps what it is given until it is let go."""

    def __init__(self) -> None:
        self.waiting: list[Future[Any]] = []
        self.most = 0

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        held: Future[Any] = Future()
        self.waiting.append(held)
        self.most = max(self.most, len(self.waiting))
        return held


async def test_hashing_holds_up_no_change_and_is_bounded() -> None:
    desk = await Desk.open()
    await desk.choose()
    held = HeldExecutor()
    pins = Pins(desk.bench.service, BOX, held, hasher=QUICK)
    others = [number(n, pin_hash=desk.number.pin_hash) for n in range(100, 164)]

    def add(editor: Editor) -> None:
        for other in others:
            editor.draft.put(other)

    await desk.bench.service.keep(add, ACTOR)
    asked = [asyncio.create_task(pins.verify(other, OWN, ACTOR)) for other in others]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert held.most == 2
    await desk.bench.apply(site(users="{username: jane, last_name: Doe}"))
    assert desk.user.last_name == "Doe"
    with pytest.raises(RequestRefused, match="too many PINs"):
        await pins.verify(desk.user, OWN, ACTOR)
    for _ in others:
        held.waiting.pop(0).set_result(True)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    assert await asyncio.gather(*asked) == [RIGHT] * len(others)
    assert held.most == 2


# -- what may be one's own ------------------------------------------------------------------------------------------

JANES = Inventory([user(1, extension="52001"), number(1, number="+12125550142", user_id=1, extension="7788")])


@pytest.mark.parametrize(
    ("pin", "said"),
    [
        ("123", "4 to 12 digits"),
        ("1234567890123", "4 to 12 digits"),
        ("12a4", "4 to 12 digits"),
        ("４８０１", "4 to 12 digits"),
        ("7777", "digits in a row"),
        ("3456", "digits in a row"),
        ("987654", "digits in a row"),
        ("7890", "digits in a row"),
        ("2001", "the PIN is an extension"),
        ("52001", "the PIN is an extension"),
        ("7788", "the PIN is an extension"),
        ("0142", "the end of a number"),
        ("5550142", "the end of a number"),
        ("480159", "the one before"),
    ],
)
@pytest.mark.parametrize("kind", [User, Number])
def test_pins_that_would_be_guessed_at_once(kind: type[PinSubject], pin: str, said: str) -> None:
    with pytest.raises(Invalid, match=said) as caught:
        check_own_pin(JANES, JANES.get(kind, 1), Secret(pin), (None, OWN))
    assert (caught.value.field, caught.value.remedy) == ("new_pin", "choose another")
    assert pin not in caught.value.message


@pytest.mark.parametrize("pin", ["4801", "1357", "1122", "014255501420"])
def test_pins_that_are_as_good_as_any(pin: str) -> None:
    check_own_pin(JANES, JANES.get(User, 1), Secret(pin), (OWN,))


# -- against a model ------------------------------------------------------------------------------------------------

_GUESSES = st.sampled_from(["default", "480159", "915264"])


class Life(RuleBasedStateMachine):
    """A PIN in force and a count, against the inventory."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()

    @initialize()
    def open_the_desk(self) -> None:
        self.desk = self.runner.run(Desk.open())
        self.default = self.desk.default.reveal()
        self.own: str | None = None
        self.failures = 0

    def teardown(self) -> None:
        self.runner.close()

    def guess(self, which: str) -> tuple[str, Verdict]:
        """What is typed, and what the model says of it."""
        typed = self.default if which == "default" else which
        if self.failures >= 3:
            return typed, LOCKED
        if typed == (self.own or self.default):
            self.failures = 0
            return typed, RIGHT if self.own else MUST_CHANGE
        self.failures += 1
        return typed, LOCKED if self.failures >= 3 else wrong(3 - self.failures)

    @rule(which=_GUESSES)
    def verify(self, which: str) -> None:
        typed, expected = self.guess(which)
        assert self.runner.run(self.desk.verify(Secret(typed))) == expected

    @rule(old=_GUESSES, new=st.sampled_from(["default", "480159", "1111", "2468"]))
    def set_own(self, old: str, new: str) -> None:
        typed, expected = self.guess(old)
        new = self.default if new == "default" else new
        is_good = new not in ("1111", typed, self.default)
        try:
            verdict = self.runner.run(self.desk.pins.set_own(self.desk.number, Secret(typed), Secret(new), ACTOR))
        except Invalid:
            assert expected.is_right
            assert not is_good
            return
        if not expected.is_right:
            assert verdict == expected
            return
        assert is_good
        assert verdict == RIGHT
        self.own = new

    @rule(renew=st.booleans())
    def reset(self, renew: bool) -> None:
        self.runner.run(self.desk.pins.reset(self.desk.number, ACTOR, renew=renew))
        self.own, self.failures = None, 0
        if renew:
            self.default = self.desk.default.reveal()

    @rule()
    def fail_without_a_disk(self) -> None:
        self.guess("915264")
        self.desk.bench.store.fails = True
        try:
            assert self.runner.run(self.desk.verify(WRONG)) == LOCKED
        except StoreUnavailable:
            pass
        finally:
            self.desk.bench.store.fails = False

    @rule()
    def change_something_else(self) -> None:
        self.runner.run(self.desk.bench.apply(site(numbers='{number: "+12125550142", extension: "7000"}')))

    @invariant()
    def only_a_default_in_force_is_shown(self) -> None:
        shown = self.desk.pins.default_of(self.desk.number)
        assert (shown.reveal() if shown else None) == (self.default if self.own is None else None)

    @invariant()
    def the_store_never_counts_more_than_there_were(self) -> None:
        assert self.desk.number.pin_failures <= self.failures


Life.TestCase.settings = settings(
    max_examples=40, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
)
TestLife = Life.TestCase
