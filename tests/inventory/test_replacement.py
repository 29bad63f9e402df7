"""A dead device is replaced: what it was for moves, and nothing that it knew stays valid."""

from typing import Any

import pytest
from tests.inventory.test_editor import password
from tests.support.workbench import K2, Workbench

from offhook.errors import Conflict, Invalid
from offhook.inventory.models import Carrier, Credential, CredentialState, Device, DeviceState, Line
from offhook.inventory.replacement import FORMER_KEPT, known_as, replace_device

PHONE, NEW = "001565123456", "00:15:65:99:99:99"
BASE, HANDSET, ATA = "000413aabbcc", "065850047939", "ec74d7000001"


async def site() -> Workbench:
    bench = Workbench()
    await bench.apply(K2)
    return bench


async def replace(bench: Workbench, found: str = PHONE, **hardware: Any) -> Device:
    """Replaces a device that is found by its MAC or IPEI."""
    device = bench.phone(found)
    await bench.change(lambda editor: replace_device(editor, device, **hardware))
    return bench.inventory.get(Device, device.id)


def credentials(bench: Workbench, device: Device) -> list[Credential]:
    lines = bench.inventory.lines_of(device.id)
    return [credential for line in lines for credential in bench.inventory.credentials_of(line.id)]


async def test_the_new_hardware_is_the_same_device() -> None:
    bench = await site()
    old = bench.phone(PHONE)
    lines = bench.inventory.lines_of(old.id)
    new = await replace(bench, mac=NEW, model="T31P")
    assert (new.id, new.mac, new.vendor, new.model) == (old.id, "001565999999", "yealink", "T31P")
    assert (new.name, new.location_id, new.phone_id) == (old.name, old.location_id, old.phone_id)
    assert bench.inventory.lines_of(new.id) == lines
    assert bench.inventory.find_device_by_mac(PHONE) is None
    assert new.former_identifiers == (PHONE,)


async def test_nothing_that_the_old_one_knew_stays_valid() -> None:
    bench = await site()
    old = bench.phone(PHONE)
    await bench.change(lambda editor: editor.change(old, name="Renamed"))
    [before] = credentials(bench, old)
    new = await replace(bench, mac=NEW)
    [after] = credentials(bench, new)
    assert after.state is CredentialState.ACTIVE
    assert after.auth_username != before.auth_username
    assert password(after) != password(before)
    assert bench.inventory.find_device_by_token(old.token_digest) is None
    assert bench.inventory.find_device_by_token(new.token_digest) == new


async def test_everybody_is_told_whose_bindings_and_facts_are_past() -> None:
    bench = await site()
    new = await replace(bench, mac=NEW)
    assert (bench.events[-1].replaced, bench.events[-1].revoked) == (frozenset({new.id}), frozenset({new.id}))
    assert bench.events[-1].revised == {new.id}


async def test_the_audit_names_both() -> None:
    bench = await site()
    new = await replace(bench, mac=NEW)
    [record] = [record for record in bench.store.audit if record.action == "replace"]
    assert (record.kind, record.key) == ("device", "device Reception (00:15:65:99:99:99)")
    assert '"mac": "00:15:65:12:34:56"' in record.before
    assert known_as(new) == ("00:15:65:99:99:99", "00:15:65:12:34:56")


async def test_of_the_former_identifiers_the_last_are_kept() -> None:
    bench = await site()
    for number in range(FORMER_KEPT + 3):
        last = await replace(
            bench, PHONE if number == 0 else f"0015650000{number - 1:02}", mac=f"0015650000{number:02}"
        )
    assert len(last.former_identifiers) == FORMER_KEPT
    assert last.former_identifiers[-1] == "001565000017"


async def test_hardware_that_was_repaired_may_come_back() -> None:
    bench = await site()
    await replace(bench, mac=NEW)
    again = await replace(bench, "001565999999", mac=PHONE)
    assert (again.mac, again.former_identifiers) == (PHONE, ("001565999999",))


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        ({"mac": "00:04:13:00:00:01"}, ("snom", None)),
        ({"mac": NEW, "vendor": "grandstream", "model": "X"}, ("grandstream", "X")),
        ({"mac": "02:00:00:00:00:01"}, ("yealink", None)),
    ],
)
async def test_the_vendor_is_told_by_the_mac_and_the_model_by_nobody(
    stated: dict[str, Any], expected: tuple[str, str | None]
) -> None:
    new = await replace(await site(), **stated)
    assert (new.vendor, new.model) == expected


async def test_what_is_in_stock_is_merged() -> None:
    bench = await site()
    await bench.apply(
        f"accounts: [{{name: acme, devices: [{{type: deskphone, mac: '{NEW}', model: T31P, name: Box}}]}}]"
    )
    stock = bench.phone("001565999999")
    new = await replace(bench, mac=NEW)
    assert bench.inventory.find(Device, stock.id) is None
    assert bench.inventory.lines_of(stock.id) == ()
    assert (new.name, new.vendor, new.model) == ("Reception", "yealink", "T31P")
    assert (await replace(bench, "001565999999", mac=PHONE)).model is None


@pytest.mark.parametrize(
    ("device", "message"),
    [
        (f"{{type: deskphone, mac: '{NEW}', lines: [{{index: 1, extension: '2077'}}]}}", "is assigned"),
        (f"{{type: ata, mac: '{NEW}'}}", "is an ata, not a deskphone"),
        (f"{{type: deskphone, mac: '{NEW}', state: disabled}}", "is disabled"),
    ],
)
async def test_hardware_in_use_does_not_take_its_place(device: str, message: str) -> None:
    bench = await site()
    await bench.apply(f"accounts: [{{name: acme, devices: [{device}]}}]")
    with pytest.raises(
        Conflict, match=f"00:15:65:99:99:99 {message}, so it cannot take the place of Reception"
    ) as told:
        await replace(bench, mac=NEW)
    assert (told.value.field, told.value.remedy) == ("mac", "choose hardware that is free, or free it first")


@pytest.mark.parametrize(
    ("second", "message"),
    [
        ("name: Spare}, {type: dect_handset, ipei: '002020807544', base: Spare}", "has handsets"),
        ("name: Spare, system: HQ DECT, role: member}", "belongs to a DECT system"),
    ],
)
async def test_a_base_in_use_does_not_either(second: str, message: str) -> None:
    bench = await site()
    role = "{mac: 000413aabbcc, role: master}"
    await bench.apply(f"accounts: [{{name: acme, devices: [{role}, {{type: dect_base, mac: 000413000001, {second}]}}]")
    with pytest.raises(Conflict, match=message):
        await replace(bench, BASE, mac="000413000001")


async def test_a_paired_handset_does_not_either() -> None:
    bench = await site()
    spare = "{type: dect_handset, ipei: '002020807544', base: Floor 2}"
    await bench.apply(f"accounts: [{{name: acme, devices: [{spare}]}}]")
    with pytest.raises(Conflict, match="is paired with a base"):
        await replace(bench, HANDSET, ipei="0020208075442")


async def test_hardware_of_another_account_does_not_either() -> None:
    bench = await site()
    globex = f"{{name: globex, sip_domain: globex.test, devices: [{{type: deskphone, mac: '{NEW}'}}]}}"
    await bench.apply(f"accounts: [{globex}]")
    with pytest.raises(Conflict, match="belongs to another account"):
        await replace(bench, mac=NEW)


@pytest.mark.parametrize(
    ("found", "stated", "field", "message"),
    [
        (PHONE, {"mac": PHONE}, "mac", "has that MAC already"),
        (PHONE, {"ipei": "0020208075442"}, "mac", "a deskphone is replaced by one with another MAC"),
        (PHONE, {}, "mac", "a deskphone is replaced by one with another MAC"),
        (PHONE, {"mac": "00:15"}, "mac", "is not a MAC address"),
        (HANDSET, {"mac": NEW}, "ipei", "a dect_handset is replaced by one with another IPEI"),
        (HANDSET, {"mac": NEW, "ipei": "0020208075442"}, "ipei", "is replaced by one with another IPEI"),
        (HANDSET, {"ipei": "0658500479393"}, "ipei", "has that IPEI already"),
    ],
)
async def test_what_cannot_be_its_identifier_is_refused(
    found: str, stated: dict[str, str], field: str, message: str
) -> None:
    with pytest.raises(Invalid, match=message) as told:
        await replace(await site(), found, **stated)
    assert told.value.field == field


async def test_a_softphone_has_no_hardware() -> None:
    bench = Workbench()
    await bench.apply("accounts: [{name: a, sip_domain: a.test, devices: [{type: softphone, name: PC}]}]")
    [device] = bench.inventory.devices_named("PC")
    with pytest.raises(Invalid, match="is a softphone, which has no hardware"):
        await bench.change(lambda editor: replace_device(editor, device, mac=NEW))


async def test_lines_that_the_new_model_does_not_have_are_refused() -> None:
    bench = await site()
    with pytest.raises(Conflict, match="model HT801 has 1 port, and ec:74:d7:00:00:02 has port 2"):
        await replace(bench, ATA, mac="ec:74:d7:00:00:02", vendor="grandstream", model="HT801")
    assert bench.phone(ATA).model == "HT802"


async def test_a_base_keeps_its_handsets_and_their_secrets_are_new_too() -> None:
    bench = await site()
    handset = bench.phone(HANDSET)
    [before] = credentials(bench, handset)
    new = await replace(bench, BASE, mac="000413000009", model="M900")
    assert bench.inventory.handsets_of(new.id) == (handset,)
    [after] = credentials(bench, handset)
    assert after.auth_username != before.auth_username
    assert bench.events[-1].revoked == {handset.id}
    assert bench.events[-1].replaced == {new.id}
    carrier = bench.inventory.get(Carrier, new.id)
    assert carrier.revision == carrier.registration_revision == 2


async def test_a_handset_keeps_base_and_slot_and_its_base_gets_another_file() -> None:
    bench = await site()
    old = bench.phone(HANDSET)
    new = await replace(bench, HANDSET, ipei="0020208075442")
    assert (new.ipei, new.base_id, new.slot) == ("002020807544", old.base_id, old.slot)
    assert known_as(new) == ("0020208075442", "0658500479393")
    assert bench.events[-1].revised == {bench.phone(BASE).id}


async def test_a_lost_device_is_in_service_with_its_new_hardware() -> None:
    bench = await site()
    lost = bench.phone(PHONE)
    await bench.change(lambda editor: editor.change(lost, state=DeviceState.DISABLED))
    new = await replace(bench, mac=NEW)
    assert new.state is DeviceState.ACTIVE
    assert [credential.state for credential in credentials(bench, new)] == [CredentialState.ACTIVE]


async def test_what_a_foreign_registrar_gave_is_kept() -> None:
    bench = Workbench()
    line = "{index: 1, extension: '2001', auth_username: pbx2001, password: abc}"
    device = f"{{type: deskphone, mac: {PHONE}, lines: [{line}]}}"
    await bench.apply(
        f"accounts: [{{name: acme, sip_domain: acme.test, external_registrar: pbx.test, devices: [{device}]}}]"
    )
    before = credentials(bench, bench.phone(PHONE))
    assert credentials(bench, await replace(bench, mac=NEW)) == before
    assert bench.events[-1].revoked == frozenset()
    assert bench.inventory.count(Line) == 1
