"""A device out of service holds no secrets, and gets new ones when it comes back."""

import pytest
from tests.support.workbench import K2, Workbench

from offhook.inventory.disabling import disable, enable
from offhook.inventory.models import Carrier, Credential, Device, DeviceState
from offhook.inventory.rotation import stage_password

PHONE, BASE, HANDSET = "001565123456", "000413aabbcc", "065850047939"
STATED = "accounts: [{name: acme, devices: [{mac: 001565123456, state: %s}]}]"
SYSTEM = """
accounts:
  - name: acme
    sip_domain: acme.test
    dect_systems: [{name: Plant}]
    devices:
      - {type: dect_base, mac: 000413000001, system: Plant, role: master, name: Master}
      - {type: dect_base, mac: 000413000002, system: Plant, role: member, name: Member}
      - {type: dect_handset, ipei: "065850047939", base: Master, lines: [{index: 1, extension: "2001"}]}
      - {type: dect_handset, ipei: "002020807544", base: Member, lines: [{index: 1, extension: "2002"}]}
"""


async def site(document: str = K2) -> Workbench:
    bench = Workbench()
    await bench.apply(document)
    return bench


def credentials(bench: Workbench, *found: str) -> list[Credential]:
    """Of all lines of these devices."""
    lines = [line for name in found for line in bench.inventory.lines_of(bench.phone(name).id)]
    return [credential for line in lines for credential in bench.inventory.credentials_of(line.id)]


async def put_out_of_service(bench: Workbench, found: str) -> Device:
    await bench.change(lambda editor: disable(editor, bench.phone(found)))
    return bench.phone(found)


async def put_into_service(bench: Workbench, found: str) -> Device:
    await bench.change(lambda editor: enable(editor, bench.phone(found)))
    return bench.phone(found)


async def test_secrets_go_at_once_and_the_assignment_stays() -> None:
    bench = await site()
    before = bench.phone(PHONE)
    after = await put_out_of_service(bench, PHONE)
    assert credentials(bench, PHONE) == []
    assert (after.token_digest, after.sealed_token) == (b"", b"")
    assert bench.inventory.find_device_by_token(before.token_digest) is None
    [line] = bench.inventory.lines_of(after.id)
    assert line.user_id == bench.user("jsmith").id
    assert bench.events[-1].revoked == bench.events[-1].revised == {after.id}


async def test_retiring_and_staged_credentials_go_too() -> None:
    bench = await site()
    await bench.apply("accounts: [{name: acme, users: [{username: jsmith, extension: '2055'}]}]")
    [line] = bench.inventory.lines_of(bench.phone(PHONE).id)
    await bench.change(lambda editor: stage_password(editor, line))
    assert len(credentials(bench, PHONE)) == 3
    await put_out_of_service(bench, PHONE)
    assert credentials(bench, PHONE) == []


async def test_new_secrets_come_with_the_service() -> None:
    bench = await site()
    [before], token = credentials(bench, PHONE), bench.phone(PHONE).token_digest
    await put_out_of_service(bench, PHONE)
    after = await put_into_service(bench, PHONE)
    [credential] = credentials(bench, PHONE)
    assert credential.auth_username != before.auth_username
    assert credential.aor_user == before.aor_user
    assert after.token_digest
    assert after.token_digest != token
    assert bench.inventory.get(Carrier, after.id).revision == 3


async def test_a_document_does_the_same() -> None:
    bench = await site()
    [before] = credentials(bench, PHONE)
    await bench.apply(STATED % "disabled")
    assert (credentials(bench, PHONE), bench.phone(PHONE).token_digest) == ([], b"")
    assert (await bench.plan(STATED % "disabled")).differences == ()
    await bench.apply(STATED % "active")
    [after] = credentials(bench, PHONE)
    assert after.auth_username != before.auth_username
    assert bench.phone(PHONE).token_digest


async def test_a_device_may_begin_out_of_service() -> None:
    bench = await site()
    device = "{type: deskphone, mac: 001565000009, state: disabled, lines: [{index: 1, extension: '2099'}]}"
    await bench.apply(f"accounts: [{{name: acme, devices: [{device}]}}]")
    assert (credentials(bench, "001565000009"), bench.phone("001565000009").token_digest) == ([], b"")


async def test_what_is_so_already_stays_so() -> None:
    bench = await site()
    await put_into_service(bench, PHONE)
    assert len(bench.events) == 1
    await put_out_of_service(bench, PHONE)
    await put_out_of_service(bench, PHONE)
    assert len(bench.events) == 2


async def test_changes_while_it_is_out_of_service_make_no_secrets() -> None:
    bench = await site()
    await put_out_of_service(bench, PHONE)
    await bench.apply(
        "accounts: [{name: acme, sip_domain: new.test, users: [{username: jsmith, extension: '2055'}],"
        " devices: [{mac: 001565123456, lines: [{index: 1, auth_username: jane, password: Sesame42}]}]}]"
    )
    assert credentials(bench, PHONE) == []
    await put_into_service(bench, PHONE)
    [credential] = credentials(bench, PHONE)
    assert (credential.aor_user, credential.realm) == ("2055", "new.test")


async def test_the_audit_says_what_was_done() -> None:
    bench = await site()
    await put_out_of_service(bench, PHONE)
    await put_into_service(bench, PHONE)
    told = [(record.action, record.key) for record in bench.store.audit if record.kind == "device"]
    assert told[-2:] == [(action, "device Reception (00:15:65:12:34:56)") for action in ("disable", "enable")]


async def test_a_handset_leaves_its_bases_file_and_keeps_its_slot() -> None:
    bench = await site()
    base = bench.phone(BASE)
    before = bench.phone(HANDSET)
    after = await put_out_of_service(bench, HANDSET)
    assert bench.inventory.carried_devices(base) == (base,)
    assert bench.inventory.carried_handsets(base) == (after,)
    assert after.slot == before.slot == 1
    assert bench.events[-1].revised == {base.id}
    second = "{type: dect_handset, ipei: '002020807544', base: Floor 2}"
    await bench.apply(f"accounts: [{{name: acme, devices: [{second}]}}]")
    assert bench.phone("002020807544").slot == 2
    assert (await put_into_service(bench, HANDSET)).slot == 1
    assert [device.ipei for device in bench.inventory.carried_devices(base)[1:]] == ["065850047939", "002020807544"]


@pytest.mark.parametrize(
    ("base", "out"),
    [("000413000001", {"065850047939", "002020807544"}), ("000413000002", {"002020807544"})],
)
async def test_handsets_go_with_the_base_that_knows_their_secrets(base: str, out: set[str]) -> None:
    bench = await site(SYSTEM)
    handsets = ("065850047939", "002020807544")
    before = {name: credentials(bench, name) for name in handsets}
    await put_out_of_service(bench, base)
    for name in handsets:
        assert bench.phone(name).state is DeviceState.ACTIVE
        assert bench.inventory.is_in_service(bench.phone(name)) is (name not in out)
        assert credentials(bench, name) == ([] if name in out else before[name])
    assert bench.events[-1].revoked == {bench.phone(name).id for name in out}
    await put_into_service(bench, base)
    for name in handsets:
        [after] = credentials(bench, name)
        assert (after == before[name][0]) is (name not in out)
    assert bench.inventory.get(Carrier, bench.phone("000413000001").id).revision == 3


async def test_what_a_foreign_registrar_gave_must_be_stated_again() -> None:
    line = "lines: [{index: 1, extension: '2001', auth_username: pbx2001, password: abc}]"
    document = (
        "accounts: [{name: acme, sip_domain: acme.test, external_registrar: pbx.test,"
        f" devices: [{{type: deskphone, mac: {PHONE}, {line}}}]}}]"
    )
    bench = await site(document)
    await put_out_of_service(bench, PHONE)
    await put_into_service(bench, PHONE)
    assert credentials(bench, PHONE) == []
    await bench.apply(document)
    assert [credential.auth_username for credential in credentials(bench, PHONE)] == ["pbx2001"]
