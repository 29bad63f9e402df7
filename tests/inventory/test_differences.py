"""Differences are for people: names instead of ids, no secrets, no noise."""

from typing import Any

import pytest
from tests.inventory.test_apply import JANE, site
from tests.support.inventory import account, inventory_of, number
from tests.support.workbench import K2, Workbench

from offhook.inventory.differences import Action, Difference, find_differences
from offhook.inventory.models import Entity


def lines(differences: tuple[Difference, ...]) -> list[str]:
    """As a plan could be printed."""
    return [
        f"{difference.action} {difference.key}: "
        + ", ".join(f"{part.field} {part.before!r} -> {part.after!r}" for part in difference.fields)
        for difference in differences
    ]


async def test_a_new_site_reads_as_it_was_written() -> None:
    plan = await Workbench().plan(K2)
    assert lines(plan.differences) == [
        "create account acme: name '' -> 'acme', sip_domain '' -> 'acme.test', gateway '' -> 'sip:pbx.acme.test', "
        "token '' -> '***'",
        "create location HQ: name '' -> 'HQ', timezone '' -> 'America/New_York', "
        "address '' -> '350 Fifth Ave Fl 21, New York, NY 10118 (draft)'",
        "create DECT system HQ DECT: name '' -> 'HQ DECT', vendor '' -> 'snom', model '' -> 'M900'",
        "create user jsmith: username '' -> 'jsmith', first_name '' -> 'Jane', last_name '' -> 'Smith', "
        "email '' -> 'jane@acme.test', extension '' -> '2001', location '' -> 'HQ'",
        "create user rlee: username '' -> 'rlee', first_name '' -> 'Robin', last_name '' -> 'Lee', "
        "email '' -> 'robin@acme.test', plan '' -> 'plus', extension '' -> '2002', location '' -> 'HQ'",
        "create number +12125550101: number '' -> '+12125550101', extension '' -> '0101', location '' -> 'HQ', "
        "user '' -> 'jsmith'",
        *[line for line in lines(plan.differences) if line.startswith("create device ")],
        *[line for line in lines(plan.differences) if line.startswith("create line ")],
    ]
    text = "\n".join(lines(plan.differences))
    assert "system '' -> 'HQ DECT'" in text
    assert "base '' -> 'Floor 2 (00:04:13:aa:bb:cc)'" in text
    assert "create line 2 of ec:74:d7:00:00:01: device '' -> 'ec:74:d7:00:00:01', index '' -> '2', " in text
    assert "token '' -> '***'" in text


async def test_a_plan_says_what_apply_does() -> None:
    bench = Workbench()
    plan = await bench.plan(K2)
    assert not [part for difference in plan.differences for part in difference.fields if part.field == "phone"]


async def test_a_change_says_what_was_and_what_is() -> None:
    bench = Workbench()
    await bench.apply(K2)
    plan = await bench.plan(
        "accounts: [{name: acme, devices: [{mac: 001565123456, name: null, user: null},"
        " {mac: ec74d7000001, lines: [{index: 1, label: Door}]}]}]"
    )
    assert lines(plan.differences)[:3] == [
        "update device 00:15:65:12:34:56: name 'Reception' -> ''",
        "update line 1 of 00:15:65:12:34:56: user 'jsmith' -> ''",
        "update line 1 of ec:74:d7:00:00:01: label '' -> 'Door'",
    ]
    assert [difference.kind for difference in plan.differences] == ["device", "line", "line", "credential"]


async def test_a_new_password_is_a_mask() -> None:
    bench = Workbench()
    await bench.apply(site(users=JANE, devices="{type: deskphone, mac: 001565000001, user: jane}"))
    plan = await bench.plan(
        site(devices="{mac: 001565000001, lines: [{index: 1, auth_username: jj, password: Sesame2}]}")
    )
    [text] = lines(plan.differences)
    assert text.startswith("create credential jj: line '' -> '1 of 00:15:65:00:00:01', auth_username '' -> 'jj'")
    assert "secret '' -> '***'" in text
    assert "Sesame2" not in repr(plan)


async def test_what_goes_is_kept_in_words() -> None:
    bench = Workbench()
    await bench.apply(site(users=JANE))
    plan = await bench.plan("accounts: [{name: acme}]", prune=True)
    assert lines(plan.differences) == ["delete user jane: username 'jane' -> '', extension '2001' -> ''"]
    assert plan.differences[0].action is Action.DELETE


def differences(before: Entity, after: Entity, *others: Entity) -> list[str]:
    """What differs between two states of one thing."""
    base = inventory_of(*others, before)
    draft = base.draft()
    draft.put(after)
    return lines(tuple(find_differences(base, draft, draft.changes)))


def test_another_token_shows_no_token_but_until_when_the_former_one_is_good() -> None:
    rotated = account(token="b" * 26, former_token_digest=b"former", former_token_until=1_750_000_000.0)
    assert differences(account(), rotated) == [
        "update account acme: token '***' -> '***', former_token_until '' -> '2025-06-15T15:06:40+00:00'"
    ]


@pytest.mark.parametrize(
    ("was", "is_now", "shown"),
    [
        ({}, {"pin_failures": 2}, []),
        ({"pin_failures": 2}, {"pin_failures": 3}, ["'default' -> 'default, locked'"]),
        ({"pin_failures": 3}, {}, ["'default, locked' -> 'default'"]),
        ({}, {"pin_hash": "hash 1"}, ["'default' -> 'own'"]),
        ({"pin_hash": "hash 1"}, {"pin_hash": "hash 2"}, ["'own' -> 'own'"]),
        ({"pin_hash": "hash 1", "pin_failures": 3}, {}, ["'own, locked' -> 'default'"]),
    ],
)
def test_a_pin_is_told_by_its_state(was: dict[str, Any], is_now: dict[str, Any], shown: list[str]) -> None:
    expected = [f"update number +12125550001: pin {part}" for part in shown]
    assert differences(number(**was), number(**is_now), account()) == expected
