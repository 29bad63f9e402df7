"""Things are named as people know them."""

from dataclasses import replace

import pytest
from tests.support.inventory import account, carrier, credential, device, inventory_of, line, location, number, user

from offhook.inventory.models import DectSystem, DeviceType, Entity, StationType
from offhook.inventory.rules import describe, describe_device, name_type


@pytest.mark.parametrize(
    ("entity", "words"),
    [
        (account(), "account acme"),
        (location(), "location place 1"),
        (StationType(id=1, account_id=1, name="Premium"), "station type Premium"),
        (user(), "user user1"),
        (number(), "number +12125550001"),
        (DectSystem(id=1, account_id=1, name="HQ DECT"), "DECT system HQ DECT"),
        (device(1), "device 00:15:65:12:34:56"),
        (line(1), "line 1 of Desk (00:15:65:12:34:56)"),
        (line(2, device_id=9), "line 1 of a deleted device"),
        (credential(), "credential 2001-abc001"),
        (carrier(), "revision of device 1"),
    ],
)
def test_things_are_described_by_kind_and_key(entity: Entity, words: str) -> None:
    assert describe(entity, inventory_of(account(), device(1, name="Desk"))) == words


def test_a_device_without_hardware_is_its_type() -> None:
    softphone = device(type=DeviceType.SOFTPHONE, mac=None, name="PC")
    assert describe_device(softphone) == "PC (softphone)"
    handset = device(type=DeviceType.DECT_HANDSET, mac=None, ipei="065850047939")
    assert describe_device(handset) == "IPEI 0658500479393"
    assert describe_device(replace(handset, name="Lobby")) == "Lobby (IPEI 0658500479393)"


def test_types_have_their_article() -> None:
    assert (name_type(DeviceType.ATA), name_type(DeviceType.DESKPHONE)) == ("an ata", "a deskphone")
