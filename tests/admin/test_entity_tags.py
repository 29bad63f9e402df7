from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.admin.entity_tags import entity_tag, parse_if_match, require_match
from offhook.errors import Invalid, RequestRefused
from offhook.inventory.address import AddressState, CivicAddress, EmergencyAddress
from offhook.inventory.models import Location, User

HQ = Location(id=1, account_id=2, name="HQ")
RENO, BANFF = CivicAddress(country="US", city="Reno"), CivicAddress(country="CA", city="Banff")
KIM = User(id=3, account_id=2, username="kim")
TAGS = st.text("abc0123!#", max_size=12).map(lambda text: f'"{text}"')


def test_a_tag_is_the_same_for_the_same_and_another_for_anything_else() -> None:
    assert entity_tag(HQ) == entity_tag(Location(id=1, account_id=2, name="HQ"))
    assert entity_tag(HQ) != entity_tag(Location(id=1, account_id=2, name="hq"))
    assert entity_tag(HQ) != entity_tag(HQ, HQ)


def test_what_a_validator_found_out_changes_no_tag_and_another_address_does() -> None:
    entered = replace(HQ, address=EmergencyAddress(entered=RENO))
    found = replace(HQ, address=EmergencyAddress(entered=RENO, state=AddressState.VALID, in_force=RENO, checked_at=1.0))
    assert entity_tag(found) == entity_tag(entered) != entity_tag(HQ)
    assert entity_tag(replace(HQ, address=EmergencyAddress(entered=BANFF))) != entity_tag(entered)


def test_a_wrong_pin_or_a_key_rotation_changes_no_tag() -> None:
    assert entity_tag(KIM) == entity_tag(replace(KIM, pin_failures=2, sealed_default_pin=b"x"))
    assert entity_tag(KIM) != entity_tag(replace(KIM, pin_hash="x"))


@given(st.lists(TAGS, min_size=1, max_size=4), st.sampled_from([",", ", ", " ,  "]))
def test_every_tag_of_a_list_is_read(tags: list[str], comma: str) -> None:
    assert parse_if_match(comma.join(tags)) == frozenset(tags)


@pytest.mark.parametrize("value", [None, "*", " * "])
def test_without_a_tag_any_will_do(value: str | None) -> None:
    assert parse_if_match(value) is None
    require_match(parse_if_match(value), '"x"', "location HQ")


@pytest.mark.parametrize("value", ["abc", '"abc', '"a" "b"', 'x"a"'])
def test_what_is_no_tag_is_refused(value: str) -> None:
    with pytest.raises(Invalid, match="no entity tag"):
        parse_if_match(value)


def test_a_tag_that_does_not_match_is_refused() -> None:
    require_match({'"a"', '"b"'}, '"b"', "location HQ")
    with pytest.raises(RequestRefused, match="location HQ has changed") as refused:
        require_match({'"a"'}, '"b"', "location HQ")
    assert refused.value.status == 412
