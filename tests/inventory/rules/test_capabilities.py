"""What a model can hold: lines or ports, appearances, handsets."""

from typing import Any

import pytest
from tests.support.inventory import account, device, inventory_of, line
from tests.support.workbench import CAPABILITIES, VENDORS, Workbench

from offhook.errors import DocumentError
from offhook.inventory.models import BaseRole, DectSystem, Device, DeviceType, Entity
from offhook.inventory.rules import Breach, find_breaches, find_capability
from offhook.inventory.snapshot import Draft

ATA = device(1, type=DeviceType.ATA, vendor="grandstream", model="HT802")
PHONE = device(1, model="T31P")


def handset(number: int, base_id: int | None = 1) -> Device:
    return device(10 + number, type=DeviceType.DECT_HANDSET, mac=None, ipei=f"{number:012}", base_id=base_id)


def base(device_id: int = 1, model: str | None = "W2B", **values: Any) -> Device:
    return device(device_id, type=DeviceType.DECT_BASE, model=model, **values)


def draft_of(*entities: Entity) -> Draft:
    return inventory_of(account(), *entities).draft()


def told(breaches: list[Breach]) -> list[tuple[str, str]]:
    return [(breach.field, breach.message) for breach in breaches]


def test_an_ata_has_the_ports_of_its_model() -> None:
    draft = draft_of(ATA, line(1), line(2, index=2))
    draft.put(line(3, index=3))
    [breach] = find_breaches(draft, VENDORS)
    assert (breach.entity, breach.field, breach.rule) == (line(3, index=3), "index", "ports by model (T2)")
    assert str(breach) == (
        "model HT802 has 2 ports, and there is no port 3; choose one of 1 to 2, or correct the model"
    )


def test_the_ports_that_there_are_may_be_used() -> None:
    draft = draft_of(ATA, line(1))
    draft.put(line(2, index=2))
    assert find_breaches(draft, VENDORS) == []


@pytest.mark.parametrize("kind", [device(1, model="T99"), device(1, model=None), device(1, vendor=None, model="T31P")])
def test_a_model_that_nobody_knows_bounds_nothing(kind: Device) -> None:
    draft = draft_of(kind)
    draft.put(line(200, index=200, appearances=24))
    assert find_breaches(draft, VENDORS) == []


def test_a_new_phone_is_judged_with_its_lines() -> None:
    draft = draft_of()
    draft.put(PHONE)
    draft.put(line(1))
    draft.put(line(4, index=4))
    assert told(find_breaches(draft, VENDORS)) == [("index", "model T31P has 2 lines, and there is no line 4")]


def test_a_model_cannot_become_one_that_holds_less() -> None:
    draft = draft_of(device(1, name="Desk"), line(1), line(3, index=3), line(4, index=4))
    draft.put(device(1, name="Desk", model="T31P"))
    [breach] = find_breaches(draft, VENDORS)
    assert (breach.field, breach.is_conflict) == ("model", True)
    assert str(breach) == (
        "model T31P has 2 lines, and Desk (00:15:65:12:34:56) has lines 3 and 4; "
        "delete lines 3 and 4 first, or choose another model"
    )
    draft.delete(line(3, index=3))
    draft.delete(line(4, index=4))
    assert find_breaches(draft, VENDORS) == []


def test_what_was_too_much_already_does_not_stand_in_the_way() -> None:
    draft = draft_of(PHONE, line(1, appearances=9), line(4, index=4))
    draft.put(device(1, model="T31P", name="Renamed"))
    draft.put(line(1, appearances=9, label="Renamed"))
    draft.delete(line(4, index=4))
    assert find_breaches(draft, VENDORS) == []


def test_lines_appear_as_often_as_there_are_keys() -> None:
    draft = draft_of(PHONE, line(1), line(2, index=2))
    draft.put(line(2, index=2, appearances=2))
    [breach] = find_breaches(draft, VENDORS)
    assert (breach.entity, breach.field) == (line(2, index=2, appearances=2), "appearances")
    assert breach.message == "model T31P has 2 line keys, and its lines would appear 3 times"
    draft.delete(line(1))
    assert find_breaches(draft, VENDORS) == []


def test_without_keys_a_line_appears_once() -> None:
    draft = draft_of(device(1, model="T19P"))
    draft.put(line(1))
    assert find_breaches(draft, VENDORS) == []
    draft.put(line(1, appearances=2))
    assert told(find_breaches(draft, VENDORS)) == [
        ("appearances", "model T19P has no line keys, and its lines would appear 2 times")
    ]


def test_another_model_is_at_fault_where_the_appearances_stay() -> None:
    draft = draft_of(device(1), line(1, appearances=5))
    draft.put(PHONE)
    assert told(find_breaches(draft, VENDORS)) == [
        ("model", "model T31P has 2 line keys, and its lines would appear 5 times")
    ]


def test_a_base_holds_so_many_handsets() -> None:
    draft = draft_of(base(name="Hall"), handset(1), handset(2), handset(3, None))
    assert find_breaches(draft, VENDORS) == []
    draft.put(handset(3))
    [breach] = find_breaches(draft, VENDORS)
    assert (breach.entity, breach.field, breach.is_conflict) == (handset(3), "base", True)
    assert str(breach) == (
        "Hall (00:15:65:12:34:56) is of model W2B, which holds 2 handsets, and would have 3; pair with another base"
    )


def test_a_full_base_may_be_renamed_and_emptied() -> None:
    draft = draft_of(base(model="W0B"), handset(1), handset(2))
    draft.put(base(model="W0B", name="Renamed"))
    draft.put(handset(2, None))
    assert find_breaches(draft, VENDORS) == []


def test_a_base_cannot_become_one_that_holds_fewer() -> None:
    draft = draft_of(base(model=None), handset(1))
    draft.put(base(model="W0B"))
    [breach] = find_breaches(draft, VENDORS)
    assert (breach.entity.id, breach.field) == (1, "model")
    assert breach.message.endswith("is of model W0B, which holds no handsets, and would have 1")
    assert breach.remedy == "let a base lead the system that holds handsets"


def test_the_leader_counts_for_the_whole_system() -> None:
    system = DectSystem(id=1, account_id=1, name="Plant", vendor="yealink", model="W2B")
    leader = base(1, None, system_id=1, role=BaseRole.MASTER)
    member = base(2, "W0B", system_id=1, role=BaseRole.MEMBER)
    inventory = inventory_of(account(), system, leader, member, handset(1), handset(2, 2))
    assert find_capability(inventory, leader, VENDORS) == CAPABILITIES[DeviceType.DECT_BASE, "W2B"]
    draft = inventory.draft()
    draft.put(handset(3, 2))
    [breach] = find_breaches(draft, VENDORS)
    assert breach.message == "00:15:65:12:34:56 is of model W2B, which holds 2 handsets, and would have 3"
    draft = inventory.draft()
    draft.put(DectSystem(id=1, account_id=1, name="Plant", vendor="yealink", model="W0B"))
    assert [breach.field for breach in find_breaches(draft, VENDORS)] == ["model"]


async def test_a_document_is_told_which_of_its_lines_is_at_fault() -> None:
    ports = "lines: [{index: 1}, {index: 3}]"
    ata = f"{{type: ata, mac: ec74d7000001, vendor: grandstream, model: HT802, {ports}}}"
    with pytest.raises(DocumentError) as told:
        await Workbench().plan(f"accounts: [{{name: acme, sip_domain: acme.test, devices: [{ata}]}}]")
    [fault] = told.value.faults
    assert (fault.path, fault.rule) == ("accounts[0].devices[0].lines[1].index", "ports by model (T2)")
