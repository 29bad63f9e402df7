"""A document is applied whole or not at all, and a second time to no effect."""

from typing import Any

import pytest
from tests.support.workbench import K2, Workbench, devices_of_type

from offhook.errors import DocumentError, Invalid
from offhook.inventory.models import Account, Credential, DeviceType, Line, Location, Number, Plan, User
from offhook.inventory.snapshot import KINDS, Inventory

HEAD = "accounts: [{name: acme, sip_domain: acme.test, "


def site(**lists: str) -> str:
    """An account with these lists, in flow style."""
    return HEAD + ", ".join(f"{name}: [{text}]" for name, text in lists.items()) + "}]"


def snapshot(inventory: Inventory) -> dict[tuple[str, int], Any]:
    return {(kind.__name__, entity.id): entity for kind in KINDS for entity in inventory.all(kind)}


JANE = '{username: jane, extension: "2001"}'
ROBIN = '{username: robin, extension: "2002"}'
PHONE_1 = "type: deskphone, mac: 001565000001, name: One"
PHONE_2 = "type: deskphone, mac: 001565000002, name: Two"


async def test_the_document_of_the_handbook_applies_as_written() -> None:
    bench = Workbench()
    plan = await bench.apply(K2)
    inventory = bench.inventory
    account = inventory.find_account("ACME")
    assert account is not None
    assert (account.sip_domain, account.gateway) == ("acme.test", "sip:pbx.acme.test")
    phone = bench.phone("001565123456")
    base = bench.phone("000413aabbcc")
    handset = bench.phone("065850047939")
    ata = bench.phone("ec74d7000001")
    aors = [[inventory.address_of_record(line) for line in inventory.lines_of(d.id)] for d in (phone, handset, ata)]
    assert aors == [["sip:2001@acme.test"], ["sip:2002@acme.test"], ["sip:2090@acme.test", "sip:2091@acme.test"]]
    assert inventory.lines_of(base.id) == ()
    assert inventory.carrier_of(handset) == base
    assert handset.slot == 1
    assert inventory.find_extension(account.id, "+12125550101") == "2001"
    location = inventory.find(Location, phone.location_id)
    assert location is not None
    assert location.address is not None
    assert location.address.entered.postal_code == "10118"
    assert [reload.device for reload in plan.reloads if reload.is_new] == [
        "Reception (00:15:65:12:34:56)",
        "Floor 2 (00:04:13:aa:bb:cc)",
        "ec:74:d7:00:00:01",
    ]
    assert plan.warnings == ()


async def test_a_second_time_nothing_changes() -> None:
    bench = Workbench()
    await bench.apply(K2)
    before, commits, audit = snapshot(bench.inventory), bench.store.commits, len(bench.store.audit)
    bench.clock.advance(60)
    plan = await bench.apply(K2, prune=True)
    assert (plan.differences, plan.reloads, plan.pruned) == ((), (), ())
    assert snapshot(bench.inventory) == before
    assert (bench.store.commits, len(bench.store.audit)) == (commits, audit)
    assert len(bench.events) == 1


async def test_a_plan_changes_nothing() -> None:
    bench = Workbench()
    plan = await bench.plan(K2)
    assert {difference.kind for difference in plan.differences} == {
        "account", "location", "user", "number", "dect_system", "device", "line"
    }  # fmt: skip
    assert snapshot(bench.inventory) == {}
    assert bench.store.commits == 0
    assert bench.events == []


async def test_what_is_absent_is_untouched_and_null_clears() -> None:
    bench = Workbench()
    await bench.apply(
        site(
            locations="{name: HQ, timezone: Europe/Paris, address: {country: FR, city: Paris, street: Rivoli}}",
            users='{username: jane, first_name: Jane, email: j@acme.test, plan: plus, extension: "2001", location: HQ}',
            devices="{type: deskphone, mac: 001565000001, name: Desk, location: HQ, user: jane}",
        )
    )
    before = snapshot(bench.inventory)
    await bench.apply("accounts: [{name: acme, users: [{username: jane}], devices: [{mac: 001565000001}]}]")
    assert snapshot(bench.inventory) == before
    await bench.apply(
        "accounts: [{name: acme, language: null, users: [{username: jane, first_name: null, email: null, plan: null,"
        " location: null}], locations: [{name: HQ, timezone: null, address: null}], devices: [{mac: 001565000001,"
        " name: null, location: null, user: null}]}]"
    )
    jane, phone = bench.user("jane"), bench.phone("001565000001")
    assert (jane.first_name, jane.email, jane.plan, jane.location_id) == ("", None, Plan.PRO, None)
    assert (phone.name, phone.location_id) == (None, None)
    assert bench.inventory.lines_of_user(jane.id) == ()
    [location] = bench.inventory.all(Location)
    assert (location.timezone, location.address) == (None, None)


async def test_empty_lists_are_lists() -> None:
    bench = Workbench()
    await bench.apply("accounts:\n- name: acme\n  sip_domain: acme.test\n  users:\n  devices:\n")
    assert bench.inventory.count(Account) == 1


async def test_natural_keys_have_no_case() -> None:
    bench = Workbench()
    await bench.apply(K2)
    await bench.apply(
        "accounts: [{name: ACME, locations: [{name: hq}], users: [{username: JSmith}],"
        " dect_systems: [{name: hq dect}]}]"
    )
    assert bench.inventory.count(Account) == bench.inventory.count(Location) == 1
    assert bench.user("jsmith").username == "JSmith"


# -- renaming -------------------------------------------------------------------------------------------------------


async def test_rename_from_renames_and_is_harmless_the_second_time() -> None:
    bench = Workbench()
    await bench.apply(K2)
    ids = set(snapshot(bench.inventory))
    document = (
        "accounts: [{name: globex, rename_from: acme, locations: [{name: Main, rename_from: HQ}],"
        " users: [{username: jane, rename_from: jsmith}], dect_systems: [{name: Main DECT, rename_from: HQ DECT}]}]"
    )
    await bench.apply(document)
    assert set(snapshot(bench.inventory)) == ids
    assert bench.inventory.find_account("acme") is None
    assert bench.user("jane").first_name == "Jane"
    before = snapshot(bench.inventory)
    await bench.apply(document)
    assert snapshot(bench.inventory) == before


async def test_a_softphone_is_renamed_by_its_name() -> None:
    bench = Workbench()
    await bench.apply(site(users=JANE, devices="{type: softphone, name: Laptop, user: jane}"))
    [before] = devices_of_type(bench.inventory, DeviceType.SOFTPHONE)
    await bench.apply(site(devices="{name: Notebook, rename_from: laptop}"))
    [after] = devices_of_type(bench.inventory, DeviceType.SOFTPHONE)
    assert (after.id, after.name) == (before.id, "Notebook")


async def test_rename_onto_a_name_that_exists_is_refused() -> None:
    bench = Workbench()
    await bench.apply(site(users=f"{JANE}, {ROBIN}"))
    assert await bench.faults(site(users="{username: robin, rename_from: jane}")) == [
        "1: both the old and the new name exist; delete one, or drop rename_from"
    ]


async def test_names_are_not_swapped_in_one_document_since_the_second_time_would_swap_them_back() -> None:
    bench = Workbench()
    await bench.apply(site(users=f"{JANE}, {ROBIN}"))
    faults = await bench.faults(
        site(users="{username: robin, rename_from: jane}, {username: jane, rename_from: robin}")
    )
    assert "1: 'jane' is renamed and stated as well: applied twice, the document would do something else; " \
        "rename in a document of its own" in faults  # fmt: skip


async def test_a_chain_of_renames_is_refused_at_once() -> None:
    bench = Workbench()
    await bench.apply(site(users=f"{JANE}, {ROBIN}"))
    faults = await bench.faults(site(users="{username: kim, rename_from: robin}, {username: robin, rename_from: jane}"))
    assert faults[0].startswith("1: 'robin' is renamed and stated as well")


async def test_what_is_not_there_is_not_renamed() -> None:
    assert await Workbench().faults(site(users="{username: kim, rename_from: robin}")) == [
        "1: there is no 'robin' to rename; correct it, or drop rename_from"
    ]
    assert len(await Workbench().faults("accounts: [{name: acme, rename_from: globex}]")) == 1


async def test_one_is_not_renamed_to_two() -> None:
    bench = Workbench()
    await bench.apply(site(users=f"{JANE}, {ROBIN}"))
    assert await bench.faults(
        site(users="{username: kim, rename_from: jane},\n{username: lou, rename_from: JANE}")
    ) == ["2: 'JANE' is renamed already, in line 1; drop one of the two"]


async def test_a_device_that_has_a_mac_is_not_renamed_but_named() -> None:
    bench = await two_phones()
    assert await bench.faults(site(devices="{mac: 001565000001, name: Three, rename_from: One}")) == [
        "1: devices are known by their MAC or IPEI, and the name just changes; drop rename_from"
    ]
    await bench.apply(site(devices="{mac: 001565000001, name: Three}"))


async def test_only_the_case_of_a_name_changes() -> None:
    bench = Workbench()
    await bench.apply(site(users=JANE))
    await bench.apply(site(users="{username: Jane, rename_from: jane}"))
    assert bench.user("jane").username == "Jane"


async def test_two_users_swap_their_extensions_in_one_document() -> None:
    bench = Workbench()
    await bench.apply(site(users=f"{JANE}, {ROBIN}"))
    await bench.apply(site(users='{username: jane, extension: "2002"}, {username: robin, extension: "2001"}'))
    assert (bench.user("jane").extension, bench.user("robin").extension) == ("2002", "2001")


# -- pruning --------------------------------------------------------------------------------------------------------


async def test_prune_deletes_what_the_account_lacks_and_counts_it() -> None:
    bench = Workbench()
    await bench.apply(K2)
    document = "accounts: [{name: acme, users: [{username: jsmith, location: null}]}]"
    plan = await bench.plan(document, prune=True)
    assert dict(plan.pruned) == {"devices": 4, "dect_systems": 1, "numbers": 1, "users": 1, "locations": 1}
    await bench.apply(document, prune=True, yes=True)
    assert [user.username for user in bench.inventory.all(User)] == ["jsmith"]
    for kind in (Number, Location, Line, Credential):
        assert bench.inventory.count(kind) == 0


async def test_prune_counts_the_handsets_that_go_with_their_base_once() -> None:
    bench = Workbench()
    await bench.apply(K2)
    plan = await bench.plan(
        "accounts: [{name: acme, locations: [{name: HQ}], users: [{username: jsmith}, {username: rlee}],"
        ' numbers: [{number: "+12125550101"}], dect_systems: [{name: HQ DECT}], devices: [{mac: 001565123456}]}]',
        prune=True,
    )
    assert dict(plan.pruned) == {"devices": 3}
    assert [d.key for d in plan.differences if d.kind == "device"] == [
        "device Floor 2 (00:04:13:aa:bb:cc)",
        "device IPEI 0658500479393",
        "device ec:74:d7:00:00:01",
    ]


async def test_prune_wants_a_confirmation_that_tells_the_counts() -> None:
    bench = Workbench()
    await bench.apply(K2)
    before = snapshot(bench.inventory)
    with pytest.raises(Invalid, match=r"--prune would delete 4 devices, 1 DECT system, 1 number$") as refusal:
        await bench.apply("accounts: [{name: acme, users: [{username: jsmith}, {username: rlee}], "
                          "locations: [{name: HQ}]}]", prune=True)  # fmt: skip
    assert "--yes" in refusal.value.remedy
    assert snapshot(bench.inventory) == before


async def test_prune_leaves_other_accounts_alone() -> None:
    bench = Workbench()
    await bench.apply(K2)
    await bench.apply("accounts: [{name: globex, sip_domain: globex.test, users: [{username: kim}]}]")
    await bench.apply("accounts: [{name: globex}]", prune=True, yes=True)
    assert sorted(user.username for user in bench.inventory.all(User)) == ["jsmith", "rlee"]


async def test_a_location_in_use_is_not_pruned() -> None:
    bench = Workbench()
    await bench.apply(site(locations="{name: HQ}", users='{username: jane, extension: "2001", location: HQ}'))
    assert await bench.faults(site(users="{username: jane}"), prune=True) == [
        "1: location HQ is used by user jane, so it cannot be deleted; move them first"
    ]


async def test_a_handset_that_is_stated_is_not_deleted_with_its_base() -> None:
    bench = Workbench()
    await bench.apply(K2)
    faults = await bench.faults(
        "accounts: [{name: acme, locations: [{name: HQ}], users: [{username: jsmith}, {username: rlee}],"
        ' devices: [{ipei: "0658500479393"}]}]',
        prune=True,
    )
    assert faults == [
        "1: its base Floor 2 (00:04:13:aa:bb:cc) is not in the document, so --prune would delete both; "
        "state the base, or write base: null"
    ]


async def test_lines_that_a_list_lacks_are_pruned_and_the_first_is_released() -> None:
    bench = Workbench()
    await bench.apply(K2)
    [ata] = devices_of_type(bench.inventory, DeviceType.ATA)
    stated = K2.replace('lines: [{index: 1, extension: "2090"}, {index: 2, extension: "2091"}]', "lines: []")
    plan = await bench.apply(stated, prune=True, yes=True)
    assert dict(plan.pruned) == {"lines": 2}
    [line] = bench.inventory.lines_of(ata.id)
    assert (line.index, line.extension) == (1, None)
    assert (await bench.plan(stated, prune=True)).pruned == ()


# -- moving users ---------------------------------------------------------------------------------------------------


async def two_phones() -> Workbench:
    bench = Workbench()
    await bench.apply(site(users=f"{JANE}, {ROBIN}", devices=f"{{{PHONE_1}, user: jane}}, {{{PHONE_2}}}"))
    return bench


async def test_a_user_who_has_a_device_is_not_given_another_and_the_conflict_names_it() -> None:
    bench = await two_phones()
    before = snapshot(bench.inventory)
    document = site(devices=f"{{{PHONE_2}, user: jane}}")
    assert await bench.faults(document) == [
        "1: user jane has One (00:15:65:00:00:01) already, and a user has one device at a time; "
        "--confirm-moves moves the user and releases the old device"
    ]
    with pytest.raises(DocumentError):
        await bench.apply(document)
    assert snapshot(bench.inventory) == before


async def test_a_confirmed_move_releases_the_old_device() -> None:
    bench = await two_phones()
    document = site(devices=f"{{{PHONE_2}, user: jane}}")
    await bench.apply(document, confirm_moves=True)
    one, two = bench.phone("001565000001"), bench.phone("001565000002")
    jane = bench.user("jane")
    assert [line.device_id for line in bench.inventory.lines_of_user(jane.id)] == [two.id]
    assert bench.inventory.lines_of(one.id)[0].user_id is None
    before = snapshot(bench.inventory)
    await bench.apply(document)
    assert snapshot(bench.inventory) == before


@pytest.mark.parametrize("old", ["user: null", "user: robin"])
async def test_a_document_that_takes_the_user_from_the_old_device_needs_no_confirmation(old: str) -> None:
    bench = await two_phones()
    await bench.apply(site(devices=f"{{{PHONE_2}, user: jane}}, {{{PHONE_1}, {old}}}"))
    [line] = bench.inventory.lines_of_user(bench.user("jane").id)
    assert line.device_id == bench.phone("001565000002").id


async def test_an_old_device_without_a_word_on_its_user_keeps_the_user() -> None:
    bench = await two_phones()
    assert len(await bench.faults(site(devices=f"{{{PHONE_2}, user: jane}}, {{{PHONE_1}}}"))) == 1


async def test_two_users_swap_their_devices_in_one_document() -> None:
    bench = await two_phones()
    await bench.apply(site(devices=f"{{{PHONE_2}, user: robin}}"))
    await bench.apply(site(devices=f"{{{PHONE_1}, user: robin}}, {{{PHONE_2}, user: jane}}"))
    [line] = bench.inventory.lines_of_user(bench.user("jane").id)
    assert line.device_id == bench.phone("001565000002").id


async def test_a_new_user_with_two_phones_is_refused_even_with_confirmation() -> None:
    bench = Workbench()
    document = site(users=JANE, devices=f"{{{PHONE_1}, user: jane}}, {{{PHONE_2}, user: jane}}")
    assert len(await bench.faults(document)) == len(await bench.faults(document, confirm_moves=True)) == 1


async def test_a_line_with_the_users_number_counts_as_a_phone_of_the_user() -> None:
    bench = await two_phones()
    numbers = '{number: "+12125550101", user: jane}'
    document = site(numbers=numbers, devices=f'{{{PHONE_2}, lines: [{{index: 1, number: "+12125550101"}}]}}')
    [fault] = await bench.faults(document)
    assert "user jane has One" in fault
    await bench.apply(document, confirm_moves=True)
    assert bench.inventory.lines_of_user(bench.user("jane").id) == ()


async def test_a_softphone_is_no_phone_of_the_user() -> None:
    bench = await two_phones()
    await bench.apply(site(devices="{type: softphone, name: Laptop, user: jane}"))
    assert len(bench.inventory.lines_of_user(bench.user("jane").id)) == 2


# -- faults ---------------------------------------------------------------------------------------------------------


async def test_ten_faults_are_reported_at_once_with_their_lines_and_nothing_changes() -> None:
    bench = Workbench()
    await bench.apply(K2)
    before, commits = snapshot(bench.inventory), bench.store.commits
    document = """\
accounts:
  - name: acme
    users:
      - {username: kim, location: Nowhere}
      - {username: lou, extension: "2001"}
      - {username: bea, plan: basic, extension: "2005"}
      - {username: kim}
    numbers:
      - {number: "+12125550199", user: nobody}
    devices:
      - {mac: "00:15:65:00:00:01"}
      - {type: ata, mac: "00:15:65:12:34:56"}
      - {type: dect_handset, ipei: "002020807544", base: Basement}
      - {type: deskphone, mac: "00:15:65:00:00:02", user: bea}
      - {type: deskphone, mac: "00:15:65:00:00:03", lines: [{index: 1, extension: "2002"}]}
      - {type: dect_handset, mac: "00:15:65:00:00:04"}
  - name: globex
"""
    with pytest.raises(DocumentError) as refusal:
        await bench.apply(document)
    assert [fault.line for fault in refusal.value.faults] == [4, 5, 7, 9, 11, 12, 13, 14, 15, 16, 16, 17]
    assert all(fault.file == "site.yaml" for fault in refusal.value.faults)
    faults = [str(fault) for fault in refusal.value.faults]
    assert faults[1] == (
        "site.yaml:5:36: accounts[0].users[1].extension: the extension 2001 is taken: by user jsmith; "
        "choose another extension"
    )
    assert faults[7] == (
        "site.yaml:14:59: accounts[0].devices[3].user: user bea has plan basic, which allows no physical phone; "
        "change the plan to plus or pro"
    )
    assert snapshot(bench.inventory) == before
    assert bench.store.commits == commits


async def test_a_million_laughs_are_refused_at_once() -> None:
    bench = Workbench()
    laughs = "\n".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 10))
    with pytest.raises(DocumentError, match="aliases followed"):
        await bench.apply(f"a0: &a0 [ha, ha]\n{laughs}\naccounts: *a9\n")


async def test_the_list_of_faults_is_bounded() -> None:
    bench = Workbench()
    devices = ", ".join(f"{{mac: {0x001565000000 + i:012x}}}" for i in range(300))
    faults = await bench.faults(site(devices=devices))
    assert len(faults) == 101
    assert faults[-1] == "0: has 200 more faults; correct these first"


async def test_an_account_that_is_new_needs_a_domain() -> None:
    assert await Workbench().faults("accounts: [{name: acme}]") == [
        "1: account acme is new and has no sip_domain; state one"
    ]
