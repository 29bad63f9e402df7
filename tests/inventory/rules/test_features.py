"""Which features a number can have, alone and beside others."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.inventory import account, device, inventory_of, line, location, number, user
from tests.support.workbench import VENDORS

from offhook.inventory.features import features_in_force
from offhook.inventory.models import Entity, Feature, Features, Number, NumberStatus, StationType
from offhook.inventory.rules import Breach, find_breaches
from offhook.inventory.snapshot import Draft

OUTSIDE = "+4930123456"
EMAIL = "jane@acme.test"


def station_type(*features: Feature, name: str = "Standard") -> StationType:
    return StationType(id=1, account_id=1, name=name, features=features)


def judged(*base: Entity, put: tuple[Entity, ...]) -> list[Breach]:
    draft = inventory_of(account(), *base).draft()
    for entity in put:
        draft.put(entity)
    return find_breaches(draft, VENDORS)


def told(breaches: list[Breach]) -> list[tuple[str, str]]:
    assert all(breach.rule and breach.remedy for breach in breaches)
    return [(breach.field, breach.message) for breach in breaches]


def with_features(number_id: int = 1, /, *, of: dict[str, Any] | None = None, **features: Any) -> Number:
    return number(number_id, features=Features(**features), **(of or {}))


# -- the station type -----------------------------------------------------------------------------------------------


def test_what_the_station_type_does_not_allow_is_refused() -> None:
    typed = {"station_type_id": 1}
    wanted = with_features(of=typed, forward_always=OUTSIDE, voicemail=True, call_waiting=False)
    [breach] = judged(station_type(Feature.VOICEMAIL), put=(wanted,))
    assert (breach.entity, breach.field, breach.rule) == (
        wanted,
        "features.forward_always",
        "features of the station type (T1)",
    )
    assert str(breach) == (
        "station type Standard does not allow forward_always; "
        "clear it, allow it in the station type, or choose another station type"
    )
    assert judged(station_type(Feature.VOICEMAIL, Feature.FORWARD_ALWAYS), put=(wanted,)) == []


def test_a_number_keeps_call_waiting_to_itself_where_the_type_does_not_allow_it() -> None:
    assert judged(station_type(), put=(number(station_type_id=1),)) == []


def test_another_station_type_must_allow_what_is_set() -> None:
    draft_of = with_features(voicemail=True)
    [breach] = judged(station_type(), draft_of, put=(with_features(of={"station_type_id": 1}, voicemail=True),))
    assert breach.field == "features.voicemail"


def test_a_station_type_does_not_forbid_what_its_numbers_have_set() -> None:
    both = (Feature.VOICEMAIL, Feature.HIDE_CALLER_ID)
    numbers = [with_features(n, of={"station_type_id": 1}, voicemail=True) for n in range(1, 8)]
    hiding = with_features(8, of={"station_type_id": 1}, hide_caller_id=True)
    kind = station_type(Feature.HIDE_CALLER_ID)
    [breach] = judged(station_type(*both), *numbers, hiding, put=(kind,))
    assert (breach.entity, breach.field, breach.is_conflict) == (kind, "features", True)
    assert breach.message == (
        "voicemail is set for number +12125550001, number +12125550002, number +12125550003, number +12125550004, "
        "number +12125550005 and 2 more, so station type Standard cannot forbid it"
    )
    [all_gone] = judged(station_type(*both), numbers[0], hiding, put=(station_type(),))
    assert all_gone.message.startswith("voicemail, hide_caller_id are set for number +12125550001, number +12125550008")
    assert all_gone.message.endswith("cannot forbid them")


def test_type_and_numbers_can_change_together() -> None:
    before = with_features(of={"station_type_id": 1}, voicemail=True)
    after = number(station_type_id=1)
    assert judged(station_type(Feature.VOICEMAIL), before, put=(station_type(), after)) == []


def test_a_number_that_changes_with_its_type_answers_for_itself() -> None:
    before = with_features(of={"station_type_id": 1}, voicemail=True)
    after = with_features(of={"station_type_id": 1, "display_first": "Front"}, voicemail=True)
    [breach] = judged(station_type(Feature.VOICEMAIL), before, put=(station_type(), after))
    assert (breach.entity, breach.field) == (after, "features.voicemail")


def test_a_station_type_does_not_turn_call_waiting_on_for_who_forwards_on_busy() -> None:
    busy = with_features(of={"station_type_id": 1}, forward_busy=OUTSIDE)
    assert judged(station_type(Feature.FORWARD_BUSY), put=(busy,)) == []
    [breach] = judged(
        station_type(Feature.FORWARD_BUSY), busy, put=(station_type(Feature.FORWARD_BUSY, Feature.CALL_WAITING),)
    )
    assert (breach.field, breach.rule) == ("features", "busy or waiting (E6)")
    assert "number +12125550001 forward on busy" in breach.message


# -- exclusions -----------------------------------------------------------------------------------------------------


def test_forwarding_on_busy_and_call_waiting_exclude_each_other() -> None:
    [breach] = judged(number(), put=(with_features(forward_busy=OUTSIDE),))
    assert (breach.field, breach.remedy) == (
        "features.forward_busy",
        "turn call_waiting off, or clear forward_busy",
    )
    off = with_features(forward_busy=OUTSIDE, call_waiting=False)
    assert judged(number(), put=(off,)) == []
    [breach] = judged(off, put=(with_features(forward_busy=OUTSIDE),))
    assert breach.field == "features.call_waiting"


@pytest.mark.parametrize("name", ["forward_always", "forward_busy", "forward_no_answer"])
def test_an_authorisation_code_and_forwarding_exclude_each_other(name: str) -> None:
    forwards: dict[str, Any] = {name: OUTSIDE, "call_waiting": False}
    both = with_features(**forwards, authorisation_code=True)
    [breach] = judged(with_features(**forwards), put=(both,))
    assert breach.field == "features.authorisation_code"
    assert breach.remedy == f"clear {name}, or turn authorisation_code off"
    [breach] = judged(with_features(authorisation_code=True), put=(both,))
    assert breach.field == f"features.{name}"
    assert judged(put=(with_features(authorisation_code=True),)) == []


def test_hiding_and_an_identity_may_both_be_set() -> None:
    shown = number(2)
    both = with_features(hide_caller_id=True, caller_identity=shown.number)
    assert judged(shown, put=(both,)) == []


# -- voicemail ------------------------------------------------------------------------------------------------------


def test_voicemail_to_email_needs_voicemail_and_a_user_with_an_email() -> None:
    mails: dict[str, Any] = {"voicemail": True, "voicemail_to_email": True}
    hers = {"user_id": 1}
    jane = user(email=EMAIL)
    assert judged(jane, put=(with_features(of=hers, **mails),)) == []
    assert told(judged(jane, put=(with_features(of=hers, voicemail_to_email=True),))) == [
        ("features.voicemail_to_email", "number +12125550001 sends voicemail to email, and has no voicemail")
    ]
    assert told(judged(user(), put=(with_features(of=hers, **mails),))) == [
        (
            "features.voicemail_to_email",
            "number +12125550001 sends voicemail to email, and is assigned to user user1, who has no email address",
        )
    ]
    assert told(judged(put=(with_features(**mails),))) == [
        ("features.voicemail_to_email", "number +12125550001 sends voicemail to email, and is assigned to nobody")
    ]


def test_an_email_address_that_voicemail_goes_to_is_not_cleared() -> None:
    number_of_jane = with_features(of={"user_id": 1}, voicemail=True, voicemail_to_email=True)
    [breach] = judged(user(email=EMAIL), number_of_jane, put=(user(),))
    assert (breach.entity, breach.rests_on) == (number_of_jane, (1,))


# -- targets --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["forward_always", "forward_busy", "forward_no_answer"])
@pytest.mark.parametrize(
    ("target", "message"),
    [
        (OUTSIDE, None),
        ("2001", None),
        ("2090", None),
        ("0002", None),
        ("+12125550002", None),
        ("2999", "the account has no extension 2999 to forward to"),
        ("+12125550001", "number +12125550001 would forward to itself, +12125550001"),
        ("0001", "number +12125550001 would forward to itself, 0001"),
    ],
)
def test_calls_are_forwarded_outside_or_to_another_extension(name: str, target: str, message: str | None) -> None:
    base = (user(), device(), line(extension="2090"), number(2, extension="0002"), number(extension="0001"))
    wanted = with_features(of={"extension": "0001"}, **{name: target, "call_waiting": False})
    assert told(judged(*base, put=(wanted,))) == ([(f"features.{name}", message)] if message else [])


def test_the_extension_of_its_user_and_his_other_numbers_are_the_number_itself() -> None:
    base = (user(), number(2, user_id=1))
    for target in ("2001", "+12125550002", "+12125550001"):
        [breach] = judged(*base, put=(with_features(of={"user_id": 1}, forward_always=target),))
        assert f"would forward to itself, {target}" in breach.message


def test_an_extension_that_rests_may_be_somebody_elses() -> None:
    base = (user(1), user(2, extension="0001"))
    wanted = with_features(of={"user_id": 1, "extension": "0001"}, forward_always="0001")
    assert judged(*base, put=(wanted,)) == []


def test_a_user_does_not_take_the_extension_that_the_own_number_forwards_to() -> None:
    forwarding = with_features(of={"user_id": 1}, forward_always="2009")
    [breach] = judged(user(1), user(2, extension="2009"), forwarding, put=(user(1, extension="2009"), user(2)))
    assert "would forward to itself, 2009" in breach.message


@pytest.mark.parametrize(
    ("holder", "after"),
    [
        (user(2, extension="2002"), user(2, extension="2003")),
        (user(2, extension="2002"), None),
        (number(2, extension="2002"), number(2)),
        (number(2, extension="2002"), number(2, extension="2002", user_id=1)),
        (line(2, index=2, extension="2002"), line(2, index=2)),
        (line(2, index=2, extension="2002"), None),
    ],
)
def test_an_extension_that_is_forwarded_to_is_not_taken_away(holder: Entity, after: Entity | None) -> None:
    base = (user(1), device(), holder, with_features(forward_no_answer="2002"))
    draft = inventory_of(account(), *base).draft()
    if after is None:
        draft.delete(holder)
    else:
        draft.put(after)
    [breach] = find_breaches(draft, VENDORS)
    verb = "deleted" if after is None else "taken away"
    assert (breach.field, breach.is_conflict, breach.remedy) == ("extension", True, "forward elsewhere first")
    assert breach.message == (f"extension 2002 is where number +12125550001 would forward to, so it cannot be {verb}")
    draft.put(number())
    assert find_breaches(draft, VENDORS) == []


def test_an_extension_that_moves_on_is_still_there() -> None:
    base = (user(2, extension="2002"), user(3), with_features(forward_always="2002"))
    assert judged(*base, put=(user(2, extension="2012"), user(3, extension="2002"))) == []


# -- the caller identity --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("identity", "message"),
    [
        (number(2, location_id=1), None),
        (number(2, location_id=1, is_main=True), None),
        (number(2, location_id=2), "number +12125550002 is one of another location than number +12125550001"),
        (number(2), "number +12125550002 is one of another location than number +12125550001"),
        (number(2, location_id=1, status=NumberStatus.PENDING), "number +12125550002 is pending"),
        (number(2, location_id=1, account_id=2), "+12125550002 is no number of the account"),
        (number(3, location_id=1), "+12125550002 is no number of the account"),
    ],
)
def test_the_caller_identity_is_an_active_number_of_the_same_location(identity: Number, message: str | None) -> None:
    wanted = with_features(of={"location_id": 1}, caller_identity="+12125550002")
    found = told(judged(account(2), location(1), location(2), identity, put=(wanted,)))
    tail = ", and the caller identity is an active number of the same location"
    assert found == ([("features.caller_identity", message + tail)] if message else [])


def test_the_own_number_is_an_identity_too() -> None:
    assert judged(put=(with_features(caller_identity="+12125550001"),)) == []


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"status": NumberStatus.RESERVED}, "status", "so it stays active"),
        ({"location_id": 1}, "location", "so it stays at their location"),
    ],
)
def test_a_number_that_others_show_stays_what_it_is(changes: dict[str, Any], field: str, words: str) -> None:
    base: list[Entity] = [
        location(1),
        number(9),
        *(with_features(n, caller_identity="+12125550009") for n in range(1, 8)),
    ]
    [breach] = judged(*base, put=(number(9, **changes),))
    assert (breach.field, breach.is_conflict) == (field, True)
    assert breach.message.startswith("number +12125550009 is the caller identity of number +12125550001, ")
    assert breach.message.endswith(f"and 2 more, {words}")


def test_a_site_moves_as_a_whole() -> None:
    base = (location(1), number(2), with_features(caller_identity="+12125550002"))
    moved = with_features(of={"location_id": 1}, caller_identity="+12125550002")
    assert judged(*base, put=(number(2, location_id=1), moved)) == []


# -- all of it ------------------------------------------------------------------------------------------------------

TARGETS = st.sampled_from([None, None, "2001", "2002", "2999", "0001", OUTSIDE])
FEATURES = st.builds(
    Features,
    forward_always=TARGETS,
    forward_busy=TARGETS,
    forward_no_answer=TARGETS,
    voicemail=st.booleans(),
    voicemail_to_email=st.booleans(),
    hide_caller_id=st.booleans(),
    call_waiting=st.booleans(),
    do_not_disturb=st.booleans(),
    caller_identity=st.sampled_from([None, "+12125550001", "+12125550009"]),
    authorisation_code=st.booleans(),
)
KINDS = st.lists(st.sampled_from(list(Feature)), unique=True).map(lambda features: station_type(*features))


@given(FEATURES, KINDS, st.sampled_from([None, 1]), st.sampled_from([None, EMAIL]))
def test_what_is_not_refused_is_in_force_as_it_was_set(
    features: Features, kind: StationType, user_id: int | None, email: str | None
) -> None:
    wanted = number(extension="0001", user_id=user_id, station_type_id=1, features=features)
    draft: Draft = inventory_of(account(), user(1, email=email), user(2), kind).draft()
    draft.put(wanted)
    if find_breaches(draft, VENDORS):
        return
    force = features_in_force(draft, wanted)
    assert (force.forward_always, force.forward_busy, force.forward_no_answer) == (
        features.forward_always,
        features.forward_busy,
        features.forward_no_answer,
    )
    assert not (force.forward_busy and force.call_waiting)
    assert force.voicemail == features.voicemail
    assert (force.voicemail_email is not None) == features.voicemail_to_email
    assert force.caller_identity == (None if force.hides_caller_id else features.caller_identity)
