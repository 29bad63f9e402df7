"""The word for a device's state, and the two axes behind it."""

from dataclasses import replace
from typing import Any

import pytest
from tests.support.inventory import account, carrier, device, inventory_of, line, one_phone, user
from tests.support.provisioning import shipped

from offhook.inventory.facts import DeviceFacts
from offhook.inventory.models import Device, DeviceState, DeviceType
from offhook.inventory.snapshot import Inventory
from offhook.inventory.state import (
    ConfigState,
    LineBinding,
    RegistrationState,
    Status,
    find_config_state,
    find_registration_state,
    find_status,
    model_mismatch,
)

BOUND = (LineBinding(1, reachable=True),)
GONE = (LineBinding(1, reachable=False),)


def status(
    inventory: Inventory, bindings: tuple[LineBinding, ...] = (), device_id: int = 1, **facts: Any
) -> tuple[Status, ConfigState, RegistrationState]:
    found = find_status(
        inventory,
        inventory.get(Device, device_id),
        lambda wanted: DeviceFacts(device_id=wanted, **facts),
        lambda wanted: bindings,
    )
    return found.status, found.config, found.registration


@pytest.mark.parametrize(
    ("bindings", "facts", "expected"),
    [
        ((), {}, (Status.NEW, ConfigState.NEVER, RegistrationState.NONE)),
        (BOUND, {}, (Status.NEW, ConfigState.NEVER, RegistrationState.REGISTERED)),
        (BOUND, {"fetched_revision": 6}, (Status.PENDING, ConfigState.BEHIND, RegistrationState.REGISTERED)),
        ((), {"fetched_revision": 7}, (Status.OFFLINE, ConfigState.CURRENT, RegistrationState.NONE)),
        (
            (),
            {"fetched_revision": 7, "last_registered_at": 5.0},
            (Status.OFFLINE, ConfigState.CURRENT, RegistrationState.EXPIRED),
        ),
        (GONE, {"fetched_revision": 7}, (Status.OFFLINE, ConfigState.CURRENT, RegistrationState.UNREACHABLE)),
        (BOUND, {"fetched_revision": 7}, (Status.REGISTERED, ConfigState.CURRENT, RegistrationState.REGISTERED)),
        (
            BOUND,
            {"fetched_revision": 7, "failure": "line 3"},
            (Status.FAILED, ConfigState.FAILED, RegistrationState.REGISTERED),
        ),
    ],
)
def test_the_first_that_holds(
    bindings: tuple[LineBinding, ...],
    facts: dict[str, Any],
    expected: tuple[Status, ConfigState, RegistrationState],
) -> None:
    assert status(one_phone(), bindings, **facts) == expected


def test_disabled_comes_before_everything() -> None:
    disabled = one_phone(state=DeviceState.DISABLED)
    assert status(disabled, BOUND, fetched_revision=7, failure="x")[0] is Status.DISABLED


def test_revision_and_reason_are_told() -> None:
    found = find_status(
        one_phone(),
        one_phone().get(Device, 1),
        lambda wanted: DeviceFacts(device_id=wanted, fetched_revision=6, failure="device.j2:3"),
        lambda wanted: (),
    )
    assert (found.revision, found.fetched_revision, found.reason) == (7, 6, "device.j2:3")


def test_one_of_two_lines_is_partial_and_counts_as_registered() -> None:
    inventory = inventory_of(
        account(), device(), line(1, extension="2001"), line(2, index=2, extension="2002"), carrier(revision=7)
    )
    assert status(inventory, BOUND, fetched_revision=7) == (
        Status.REGISTERED, ConfigState.CURRENT, RegistrationState.PARTIAL
    )  # fmt: skip


def test_a_line_that_nobody_would_miss_does_not_count_beside_one_that_is_assigned() -> None:
    inventory = inventory_of(account(), device(), line(1, extension="2001"), line(2, index=2), carrier(revision=7))
    assert status(inventory, BOUND, fetched_revision=7)[2] is RegistrationState.REGISTERED


def test_an_idle_phone_is_provisioned_or_registered() -> None:
    inventory = inventory_of(account(), device(), line(1), carrier(revision=7))
    assert status(inventory, (), fetched_revision=7)[0] is Status.PROVISIONED
    assert status(inventory, BOUND, fetched_revision=7)[0] is Status.REGISTERED


def test_with_an_external_registrar_the_files_are_all_that_is_known() -> None:
    inventory = inventory_of(
        account(external_registrar="pbx.test"), user(), device(), line(user_id=1), carrier(revision=7)
    )
    assert status(inventory, (), fetched_revision=7)[0] is Status.PROVISIONED
    assert status(inventory, ())[0] is Status.NEW


def base_and_handset(base_id: int | None) -> Inventory:
    handset = device(2, type=DeviceType.DECT_HANDSET, mac=None, ipei="065850047939", base_id=base_id)
    return inventory_of(
        account(),
        device(1, type=DeviceType.DECT_BASE),
        handset,
        line(1, device_id=2, extension="2001"),
        carrier(1, revision=7),
    )


def test_a_handset_has_the_configuration_of_its_base_and_a_registration_of_its_own() -> None:
    inventory = base_and_handset(1)
    assert status(inventory, BOUND, 2, fetched_revision=7)[0] is Status.REGISTERED
    assert status(inventory, BOUND, 2, fetched_revision=6)[0] is Status.PENDING
    assert status(inventory, (), 2, fetched_revision=7)[0] is Status.OFFLINE
    assert status(inventory, (), 1, fetched_revision=7)[0] is Status.PROVISIONED


@pytest.mark.parametrize("disabled", [1, 2])
def test_a_handset_is_disabled_with_its_base(disabled: int) -> None:
    draft = base_and_handset(1).draft()
    draft.put(replace(draft.get(Device, disabled), state=DeviceState.DISABLED))
    assert status(draft, BOUND, 2, fetched_revision=7)[0] is Status.DISABLED
    assert (status(draft, BOUND, 1, fetched_revision=7)[0] is Status.DISABLED) is (disabled == 1)


@pytest.mark.parametrize(
    ("typed", "reported", "expected"),
    [
        ({}, {"vendor": "yealink", "model": "T46U"}, False),
        ({"model": "t46u"}, {"vendor": "yealink", "model": "T46U"}, False),
        ({"model": "SIP-T46U"}, {"vendor": "yealink", "model": "T46U"}, False),
        ({"model": "SIP-T46U", "vendor": None}, {"vendor": "yealink", "model": "T46U"}, False),
        ({}, {"vendor": "yealink", "model": "T31P"}, True),
        ({}, {"vendor": "snom", "model": "T46U"}, True),
        ({"model": "T99"}, {"vendor": "yealink", "model": "T98"}, True),
        ({"model": "T99"}, {"vendor": "yealink", "model": "t99"}, False),
        ({"model": None}, {"vendor": "yealink", "model": "T46U"}, False),
        ({"model": None}, {"vendor": "snom", "model": ""}, True),
        ({}, {}, False),
    ],
)
def test_what_is_reported_is_held_against_what_was_typed_in(
    typed: dict[str, Any], reported: dict[str, Any], expected: bool
) -> None:
    assert model_mismatch(device(**typed), DeviceFacts(device_id=1, **reported), shipped()) is expected


def test_a_handset_without_a_base_is_unpaired() -> None:
    assert status(base_and_handset(None), (), 2)[0] is Status.UNPAIRED


def test_a_softphone_is_registered_or_offline() -> None:
    softphone = device(type=DeviceType.SOFTPHONE, mac=None, name="PC")
    inventory = inventory_of(account(), softphone, line(1, extension="2001"))
    assert status(inventory, BOUND)[0] is Status.REGISTERED
    assert status(inventory, ())[0] is Status.OFFLINE
    assert status(inventory_of(account(), softphone, line(1)), ())[0] is Status.PROVISIONED


@pytest.mark.parametrize("kind", [DeviceType.ATA, DeviceType.DECT_BASE, DeviceType.DECT_HANDSET, DeviceType.SOFTPHONE])
def test_a_device_without_files_is_judged_by_its_registration(kind: DeviceType) -> None:
    handset: dict[str, Any] = (
        {"mac": None, "ipei": "065850047939", "base_id": 2} if kind is DeviceType.DECT_HANDSET else {}
    )
    parts = (account(), device(2, type=DeviceType.DECT_BASE), device(type=kind, **handset))
    idle = inventory_of(*parts, line(1))
    assert status(idle, ())[0] is Status.PROVISIONED
    assert status(idle, BOUND)[0] is Status.REGISTERED
    assigned = inventory_of(*parts, line(1, extension="2001"))
    assert status(assigned, ())[0] is Status.OFFLINE
    assert status(assigned, BOUND)[0] is Status.REGISTERED
    assert status(inventory_of(*parts), ())[0] is Status.PROVISIONED


def test_a_device_with_files_that_never_fetched_them_is_new() -> None:
    for lines in ((), (line(1),), (line(1, extension="2001"),)):
        assert status(inventory_of(account(), device(), *lines, carrier()), ())[0] is Status.NEW


def test_the_axes_stand_alone() -> None:
    inventory = one_phone()
    phone = inventory.get(Device, 1)
    facts = DeviceFacts(device_id=1, fetched_revision=9)
    assert find_config_state(inventory, phone, lambda _: facts) is ConfigState.CURRENT
    found = find_registration_state(inventory, phone, lambda _: facts, lambda _: BOUND)
    assert found is RegistrationState.REGISTERED
