"""Which features are in force."""

from typing import Any

import pytest
from tests.support.inventory import account, inventory_of, line, number, user

from offhook.inventory.features import (
    DoNotDisturb,
    FeaturesInForce,
    allowed_features,
    features_in_force,
    features_of_line,
    find_set_features,
    has_call_waiting,
)
from offhook.inventory.models import Feature, Features, StationType
from offhook.inventory.snapshot import Inventory

EVERYTHING = Features(
    forward_always="2001",
    forward_busy="2002",
    forward_no_answer="2003",
    voicemail=True,
    voicemail_to_email=True,
    hide_caller_id=True,
    call_waiting=True,
    do_not_disturb=True,
    caller_identity="+12125550100",
)


def site(*allowed: Feature, **of_number: Any) -> Inventory:
    """A number of Jane's whose station type allows these."""
    kind = StationType(id=1, account_id=1, name="Type", features=tuple(allowed))
    return inventory_of(account(), user(email="jane@acme.test"), kind, number(station_type_id=1, **of_number))


def in_force(*allowed: Feature, **of_number: Any) -> FeaturesInForce:
    return features_in_force(site(*allowed, **of_number), number(station_type_id=1, **of_number))


def test_features_that_are_set_are_told_in_their_order() -> None:
    assert find_set_features(Features()) == ()
    assert find_set_features(Features(call_waiting=False)) == ()
    assert find_set_features(EVERYTHING) == tuple(feature for feature in Feature if feature is not Feature.CALL_WAITING)


def test_without_a_station_type_everything_is_allowed() -> None:
    assert allowed_features(inventory_of(account()), number()) == frozenset(Feature)
    assert allowed_features(site(Feature.VOICEMAIL), number(station_type_id=1)) == {Feature.VOICEMAIL}


def test_call_waiting_is_off_where_the_station_type_does_not_allow_it() -> None:
    assert has_call_waiting(site(Feature.CALL_WAITING), number(station_type_id=1))
    assert not has_call_waiting(site(), number(station_type_id=1))
    assert not has_call_waiting(site(Feature.CALL_WAITING), number(features=Features(call_waiting=False)))
    assert not in_force().call_waiting


@pytest.mark.parametrize("feature", list(Feature))
def test_what_the_station_type_does_not_allow_is_not_in_force(feature: Feature) -> None:
    others = [other for other in Feature if other is not feature]
    identified = Features(
        **{name: getattr(EVERYTHING, name) for name in Features.__slots__} | {"hide_caller_id": False}
    )
    features = identified if feature is Feature.CALLER_IDENTITY else EVERYTHING
    without = in_force(*others, user_id=1, features=features)
    off = {
        Feature.FORWARD_ALWAYS: without.forward_always is None,
        Feature.FORWARD_BUSY: without.forward_busy is None,
        Feature.FORWARD_NO_ANSWER: without.forward_no_answer is None,
        Feature.VOICEMAIL: not without.voicemail and without.voicemail_email is None,
        Feature.VOICEMAIL_TO_EMAIL: without.voicemail_email is None,
        Feature.HIDE_CALLER_ID: not without.hides_caller_id,
        Feature.CALL_WAITING: not without.call_waiting,
        Feature.DO_NOT_DISTURB: without.do_not_disturb is DoNotDisturb.OFF,
        Feature.CALLER_IDENTITY: without.caller_identity is None,
    }
    assert off.pop(feature)
    allowed = in_force(*Feature, user_id=1, features=features)
    assert allowed != without


def test_hiding_overrides_the_identity() -> None:
    identity = Features(caller_identity="+12125550100")
    assert in_force(*Feature, features=identity).caller_identity == "+12125550100"
    hidden = in_force(*Feature, features=EVERYTHING)
    assert (hidden.hides_caller_id, hidden.caller_identity) == (True, None)


def test_an_authorisation_code_disables_forwarding() -> None:
    features = Features(forward_always="2001", forward_no_answer="2003", authorisation_code=True)
    force = in_force(*Feature, features=features)
    assert (force.forward_always, force.forward_busy, force.forward_no_answer) == (None, None, None)


def test_who_shall_not_disturb_gets_voicemail_where_there_is_one_else_busy() -> None:
    assert in_force(*Feature, features=Features()).do_not_disturb is DoNotDisturb.OFF
    assert in_force(*Feature, features=Features(do_not_disturb=True)).do_not_disturb is DoNotDisturb.BUSY
    both = Features(do_not_disturb=True, voicemail=True)
    assert in_force(*Feature, features=both).do_not_disturb is DoNotDisturb.VOICEMAIL
    assert in_force(Feature.DO_NOT_DISTURB, features=both).do_not_disturb is DoNotDisturb.BUSY


def test_voicemail_goes_to_the_email_of_the_user_as_number_or_user_says() -> None:
    by_number = Features(voicemail=True, voicemail_to_email=True)
    assert in_force(*Feature, features=by_number, user_id=1).voicemail_email == "jane@acme.test"
    assert in_force(*Feature, features=by_number).voicemail_email is None
    assert in_force(*Feature, features=Features(voicemail=True), user_id=1).voicemail_email is None
    kim = user(voicemail_to_email=True, email="kim@acme.test")
    hers = number(user_id=1, features=Features(voicemail=True))
    assert features_in_force(inventory_of(account(), kim, hers), hers).voicemail_email == "kim@acme.test"
    silent = number(user_id=1)
    assert features_in_force(inventory_of(account(), kim, silent), silent).voicemail_email is None


def test_a_line_has_the_features_of_its_number_else_of_its_users_first() -> None:
    one = number(1, features=Features(forward_always="2001"))
    two = number(2, user_id=1, features=Features(forward_always="2002"))
    three = number(3, user_id=1, features=Features(forward_always="2003"))
    inventory = inventory_of(account(), user(), one, three, two)
    assert features_of_line(inventory, line(number_id=1)).forward_always == "2001"
    assert features_of_line(inventory, line(user_id=1)).forward_always == "2002"
    assert features_of_line(inventory, line(extension="2090")) == FeaturesInForce()
