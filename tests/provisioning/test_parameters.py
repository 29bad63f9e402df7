from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.inventory import (
    BOX,
    account,
    credential,
    device,
    inventory_of,
    line,
    location,
    number,
    one_phone,
    user,
)
from tests.support.provisioning import shipped

from offhook.endpoint import HostPort
from offhook.errors import KeyUnusable
from offhook.inventory.models import (
    AccessLevel,
    BaseRole,
    CredentialState,
    Device,
    DeviceType,
    Entity,
    Feature,
    Features,
    StationType,
)
from offhook.inventory.ports import ConfigDigests
from offhook.inventory.revisions import affected_carriers, revise
from offhook.inventory.snapshot import Draft, Inventory
from offhook.provisioning.parameters import (
    DeviceParameters,
    EveryPhone,
    FeatureParameters,
    ParameterDigests,
    build_parameters,
    one_line,
)


def build(inventory: Inventory, **given: Any) -> DeviceParameters:
    return build_parameters(inventory, inventory.get(Device, 1), BOX, shipped(), **given)


def phone(*entities: Entity) -> Inventory:
    """A phone with one line and credential, and what a test adds or replaces."""
    parts: dict[tuple[type, int], Entity] = {
        (type(part), part.id): part for part in (account(), device(name="Desk"), line(user_id=1), credential(), user())
    }
    for entity in entities:
        parts[type(entity), entity.id] = entity
    return inventory_of(*parts.values())


def test_line_registers_with_what_its_credential_says() -> None:
    [built] = build(one_phone(), expires_seconds=600).lines
    assert (built.user_name, built.auth_name, built.password.reveal()) == ("2001", "2001-abc001", "Sesame234")
    assert (built.domain, built.registrar_host, built.registrar_port) == ("acme.test", "acme.test", None)
    assert (built.transport, built.expires_seconds, built.is_external) == ("udp", 600, False)


def test_external_registrar_is_where_the_line_registers() -> None:
    [built] = build(phone(account(external_registrar="sip.provider.test:5070"))).lines
    assert (built.registrar_host, built.registrar_port, built.is_external) == ("sip.provider.test", 5070, True)


@pytest.mark.parametrize(
    ("entities", "shown"),
    [
        ((line(number_id=1, label="L"), number(display_first="Front", display_last="Desk", user_id=1)), "Front Desk"),
        ((line(number_id=1, label="L"), number(user_id=1)), "Jane Smith"),
        ((line(user_id=1, label="L"), number(user_id=1, display_first="Front")), "Front"),
        ((line(user_id=1, label="L"),), "Jane Smith"),
        ((line(extension="2005", label="Lobby"),), "Lobby"),
        ((line(extension="2005"),), "Desk"),
        ((line(extension="2005"), device(name=None)), "2005"),
        ((line(), device(name=None)), "2001"),
        ((line(extension="2005", label="\u200b\n"), device(name=" ")), "2005"),
    ],
)
def test_display_name_by_precedence(entities: tuple[Entity, ...], shown: str) -> None:
    [built] = build(phone(*entities)).lines
    assert built.display_name == shown


@pytest.mark.parametrize(
    ("entities", "label"),
    [
        ((line(), device(name="Hall")), "Hall ID 100001"),
        ((line(), device(name=None)), "ID 100001"),
        ((line(extension="2099", label="Lobby"),), "Lobby ID 100001"),
        ((line(extension="2099"),), "2099 ID 100001"),
        ((line(user_id=1, label="Jane"),), "Jane"),
        ((line(user_id=1), line(2, index=2, extension="2099", label="Gate")), "2001"),
        ((line(extension="2099", label="Lobby", number_id=7, logged_in_at=5.0), number(7, extension="0101")), "0101"),
        ((account(external_registrar="pbx.test"), line(extension="2099")), "2099"),
    ],
)
def test_a_phone_that_a_number_can_log_in_to_shows_its_phone_id(entities: tuple[Entity, ...], label: str) -> None:
    assert build(phone(*entities)).lines[0].label == label


def test_line_without_active_credential_is_left_out() -> None:
    assert build(phone(credential(state=CredentialState.RETIRING))).lines == ()


def test_secret_of_another_place_is_not_opened() -> None:
    with pytest.raises(KeyUnusable):
        build(phone(credential(sealed_secret=credential(2).sealed_secret)))


@pytest.mark.parametrize(
    ("entities", "zone"),
    [
        ((device(location_id=1), location(1, timezone="Europe/Paris")), "Europe/Paris"),
        ((user(timezone="Europe/Rome", location_id=1), location(1, timezone="Europe/Paris")), "Europe/Rome"),
        ((user(location_id=1), location(1, timezone="Europe/Paris")), "Europe/Paris"),
        ((user(timezone="Mars/Olympus"),), "America/New_York"),
        ((account(timezone="Mars/Olympus"),), "UTC"),
    ],
)
def test_clock_is_that_of_the_place(entities: tuple[Entity, ...], zone: str) -> None:
    assert build(phone(*entities)).clock.name == zone


def test_reported_model_counts_if_given() -> None:
    t31p = shipped().vendors["yealink"].find_model("T31P")
    assert build(one_phone(), model=t31p).model == t31p
    assert build(one_phone()).model.name == "T46U"


def test_unknown_model_holds_the_lines_that_are_there() -> None:
    inventory = phone(device(model="T99"), line(2, index=5, extension="2005"), credential(2, line_id=2))
    model = build(inventory).model
    assert (model.name, model.lines) == ("T99", 5)


def test_base_carries_the_lines_of_its_handsets() -> None:
    inventory = inventory_of(
        account(),
        device(type=DeviceType.DECT_BASE, role=BaseRole.SINGLE),
        device(2, type=DeviceType.DECT_HANDSET, mac=None, ipei="065850047939", base_id=1, slot=2, name="Second"),
        device(3, type=DeviceType.DECT_HANDSET, mac=None, ipei="065850047940", base_id=1, slot=1, name="First"),
        line(1, device_id=2, extension="2002"),
        line(2, device_id=3, extension="2001"),
        credential(1, line_id=1, aor_user="2002"),
        credential(2, line_id=2, aor_user="2001"),
    )
    built = build(inventory)
    assert [(part.index, part.extension) for part in built.lines] == [(1, "2001"), (2, "2002")]
    assert [(part.name, part.slot, part.line_indexes) for part in built.handsets] == [
        ("First", 1, (1,)),
        ("Second", 2, (2,)),
    ]


@pytest.mark.parametrize(
    ("entities", "registration"),
    [
        ((user(first_name="Joan"),), False),
        ((account(ntp_server="ntp.acme.test"),), False),
        ((account(timezone="Europe/Berlin"),), False),
        ((line(user_id=1, appearances=2),), False),
        ((credential(password="Another99"),), True),
        ((credential(auth_username="else"),), True),
        ((credential(aor_user="2002"),), True),
        ((account(sip_domain="new.test"),), True),
        ((account(external_registrar="sip.provider.test"),), True),
    ],
)
def test_digests_tell_what_changed(entities: tuple[Entity, ...], registration: bool) -> None:
    before, after = build(phone()), build(phone(*entities))
    assert before.config_digest != after.config_digest
    assert (before.registration_digest != after.registration_digest) is registration


def test_digests_are_the_same_for_the_same_values() -> None:
    assert build(phone()) == build(phone())
    unrelated = phone(device(2), line(2, device_id=2), credential(2, line_id=2), user(2))
    assert build(unrelated).config_digest == build(phone()).config_digest


def test_digest_source_gives_none_without_templates() -> None:
    source = ParameterDigests(shipped(), BOX)
    inventory = phone(device(2, vendor="polycom"), device(3, vendor=None), device(4, vendor=None, mac="02ffff000000"))
    digests = source.digests(inventory, inventory.get(Device, 1))
    assert digests is not None
    assert source.digests(inventory, inventory.get(Device, 2)) is None
    assert source.digests(inventory, inventory.get(Device, 3)) is not None
    assert source.digests(inventory, inventory.get(Device, 4)) is None


def test_what_the_configuration_tells_every_phone_is_a_reason_to_fetch_again() -> None:
    inventory = phone()

    def digests(told: EveryPhone) -> ConfigDigests:
        found = ParameterDigests(shipped(), BOX, told).digests(inventory, inventory.get(Device, 1))
        assert found is not None
        return found

    plain = digests(EveryPhone())
    assert digests(EveryPhone()) == plain
    moved = digests(EveryPhone(sip_advertise=HostPort("10.0.0.5", 5060)))
    assert (moved.config == plain.config, moved.registration == plain.registration) == (False, False)
    elsewhere = digests(EveryPhone(public_url="http://10.0.0.5:8080"))
    assert (elsewhere.config == plain.config, elsewhere.registration == plain.registration) == (False, True)
    assert digests(EveryPhone(expires_seconds=600)).config != plain.config


@pytest.mark.parametrize("access", list(AccessLevel))
def test_another_account_token_is_a_reason_to_fetch_again_where_it_opens_anything(access: AccessLevel) -> None:
    def digests(token: str) -> ConfigDigests:
        inventory = inventory_of(account(token=token, access=access), user(), device(), line(user_id=1), credential())
        found = ParameterDigests(shipped(), BOX).digests(inventory, inventory.get(Device, 1))
        assert found is not None
        return found

    before, after = digests("a" * 26), digests("b" * 26)
    assert (before.config != after.config) is (access in (AccessLevel.TOKEN, AccessLevel.LAN))
    assert before.registration == after.registration


def test_template_change_changes_the_digest() -> None:
    catalog = shipped()
    vendor = replace(catalog.vendors["yealink"], digest="other")
    changed = type(catalog)([vendor], catalog.sources)
    inventory = phone()
    assert build_parameters(inventory, inventory.get(Device, 1), BOX, changed).config_digest != (
        build(inventory).config_digest
    )


def test_parameters_show_no_secret() -> None:
    assert "Sesame234" not in repr(build(one_phone()))


@given(st.text())
def test_screen_text_is_one_line(text: str) -> None:
    shown = one_line(text)
    assert shown.isprintable()
    assert shown == " ".join(shown.split())


def test_screen_text_keeps_words_apart() -> None:
    assert one_line("\tFront\r\n Desk\x00") == "Front Desk"


# -- features (E6) and display names (E3) ---------------------------------------------------------------------------

FEATURES = Features(
    forward_busy="2002",
    forward_no_answer="+12125550199",
    voicemail=True,
    hide_caller_id=True,
    call_waiting=False,
    do_not_disturb=True,
)
OFF = FeatureParameters(
    forward_always="",
    forward_busy="",
    forward_no_answer="",
    no_answer_rings=3,
    hides_caller_id=False,
    call_waiting=True,
    do_not_disturb=False,
)


@pytest.mark.parametrize(
    "entities", [(line(extension="2005"),), (line(),), (line(number_id=1), number()), (number(user_id=1),)]
)
def test_features_are_stated_where_none_are_set(entities: tuple[Entity, ...]) -> None:
    [built] = build(phone(*entities)).lines
    assert built.features == OFF


@pytest.mark.parametrize(
    "entities",
    [
        (line(number_id=1), number(features=FEATURES)),
        (number(user_id=1, features=FEATURES), number(2, user_id=1)),
    ],
)
def test_features_come_from_the_number_on_the_line_or_that_of_its_user(entities: tuple[Entity, ...]) -> None:
    [built] = build(phone(*entities)).lines
    assert built.features == FeatureParameters(
        forward_always="",
        forward_busy="2002",
        forward_no_answer="+12125550199",
        no_answer_rings=3,
        hides_caller_id=True,
        call_waiting=False,
        do_not_disturb=True,
    )


def revised_by(edit: Callable[[Draft], object]) -> set[int]:
    """Carriers whose revision rises: phone 1 has Jane, phone 2 her other number, phone 3 an extension, 4 nothing."""
    base = inventory_of(
        account(),
        StationType(id=1, account_id=1, name="Premium", features=tuple(Feature)),
        StationType(id=2, account_id=1, name="Basic", features=("call_waiting",)),
        user(1),
        user(2, extension="2002"),
        number(1, user_id=1, station_type_id=1),
        number(2, extension="0002", station_type_id=1),
        number(3, user_id=1, features=Features(voicemail=True)),
        number(4, extension="0004"),
        *(device(device_id) for device_id in (1, 2, 3, 4)),
        line(1, user_id=1),
        line(2, device_id=2, number_id=2),
        line(3, device_id=3, extension="2090"),
        line(4, device_id=4),
        *(credential(line_id, line_id=line_id, aor_user=f"200{line_id}") for line_id in (1, 2, 3, 4)),
    )
    source = ParameterDigests(shipped(), BOX)
    draft = base.draft()
    revise(draft, [1, 2, 3, 4], source)
    fresh = draft.freeze()
    changed = fresh.draft()
    edit(changed)
    return set(revise(changed, affected_carriers(fresh, changed), source))


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (lambda draft: draft.put(number(1, user_id=1, station_type_id=1, features=FEATURES)), {1}),
        (lambda draft: draft.put(number(2, extension="0002", station_type_id=1, features=FEATURES)), {2}),
        (lambda draft: draft.put(number(3, user_id=1, features=FEATURES)), set()),
        (lambda draft: draft.put(number(4, extension="0004", features=FEATURES)), set()),
        (lambda draft: draft.put(number(1, user_id=1, station_type_id=1, display_first="Front")), {1}),
        (lambda draft: draft.put(number(2, extension="0002", station_type_id=1, display_first="Front")), {2}),
        (lambda draft: draft.put(number(3, user_id=1, display_first="Front")), set()),
        (lambda draft: draft.put(number(1, user_id=1, station_type_id=2)), set()),
        (lambda draft: draft.put(number(1, user_id=1, station_type_id=1, features=Features(voicemail=True))), set()),
        (lambda draft: draft.put(StationType(id=1, account_id=1, name="Premium", features=())), {1, 2}),
        (lambda draft: draft.put(StationType(id=1, account_id=1, name="Gold", features=tuple(Feature))), set()),
        (lambda draft: draft.put(user(1, first_name="Joan")), {1}),
        (lambda draft: draft.put(user(2, extension="2002", first_name="Joan")), set()),
    ],
)
def test_a_revision_rises_on_exactly_the_phones_that_show_the_change(
    edit: Callable[[Draft], object], expected: set[int]
) -> None:
    assert revised_by(edit) == expected
