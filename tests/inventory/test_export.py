"""What is exported applies to no effect, and makes the same inventory elsewhere."""

import json
from dataclasses import replace

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.inventory.test_apply import site, snapshot
from tests.support.workbench import JANE, K2, Workbench, apply_to

from offhook import yamldoc
from offhook.errors import NotFound
from offhook.inventory.export import export_document
from offhook.inventory.identifiers import format_ipei
from offhook.inventory.models import Account, DectSystem, Device, Feature, Location, Number, User
from offhook.inventory.snapshot import Inventory

LABELS = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=12)
CHOICES = st.booleans()
PLACES = st.lists(LABELS, max_size=3, unique_by=str.casefold)


@st.composite
def documents(draw: st.DrawFn) -> str:
    """A document with some of everything, in JSON, which is YAML."""
    places = draw(PLACES)
    extras: list[dict[str, object]] = [
        {},
        {"extension": None},
        {"station_type": "premium"},
        {"display_name": {"last": "X"}},
    ]
    # What is not active, or the main number, can neither be assigned nor have features (E1).
    idle: list[dict[str, object]] = [{"status": "reserved"}, {"status": "pending"}, {"main": True}]
    features: list[dict[str, object]] = [
        {},
        {"features": {"forward_always": "2999", "call_waiting": False}},
        {"features": {"caller_identity": "+12125552999", "voicemail": True}},
    ]
    allowed = [["voicemail", "forward_always", "caller_identity"], [feature.value for feature in Feature]]
    users = [
        {
            "username": f"user{i}",
            "first_name": draw(LABELS),
            "plan": draw(st.sampled_from(["pro", "plus"])),
            "extension": draw(st.sampled_from([f"{2000 + i}", f"0{100 + i}"])),
            **({"location": draw(st.sampled_from(places))} if places else {}),
            **draw(st.sampled_from([{}, {"voicemail_to_email": "true"}, {"email": "a@b"}])),
        }
        for i in range(draw(st.integers(0, 4)))
    ]
    numbers = [
        {
            "number": f"+1212555{3000 + i}",
            **draw(st.sampled_from(extras)),
            **(
                draw(st.sampled_from(idle if i == 0 else idle[:2]))
                if draw(CHOICES)
                else draw(st.sampled_from(features))
                | ({"user": draw(st.sampled_from(users))["username"]} if draw(CHOICES) and users else {})
            ),
        }
        for i in range(draw(st.integers(0, 3)))
    ]
    numbers.append({"number": "+12125552999"})
    devices: list[dict[str, object]] = []
    for i, user in enumerate(users):
        kind = draw(st.sampled_from(["deskphone", "ata", "softphone", "none"]))
        if kind == "none":
            continue
        device: dict[str, object] = {"type": kind, "user": user["username"], "name": draw(LABELS) + str(i)}
        if kind != "softphone":
            device |= {"mac": f"{0x001565000000 + i:012x}", "vendor": draw(st.sampled_from(["yealink", None]))}
        if kind == "ata":
            device["lines"] = [{"index": 2, "extension": f"4{i}00"}, {"index": 3, "label": draw(LABELS)}, {"index": 4}]
        devices.append(device)
    if draw(CHOICES):
        devices.append({"type": "dect_base", "mac": "000413000001", "system": "S", "role": "master"})
        devices.append({"type": "dect_handset", "ipei": format_ipei("065850047939"), "base": "000413000001"})
    account = {
        "name": draw(LABELS),
        "sip_domain": "acme.test",
        "locations": [
            {"name": name, "address": {"country": "FR", "city": "Paris", "street": draw(LABELS)}} for name in places
        ],
        "station_types": [{"name": "premium", "features": draw(st.sampled_from(allowed))}],
        "users": users,
        "numbers": numbers,
        "dect_systems": [{"name": "S", "vendor": "snom"}],
        "devices": devices,
    }
    return json.dumps({"accounts": [account]}, ensure_ascii=False)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(documents())
def test_an_export_applies_to_no_effect_and_makes_the_same_elsewhere(text: str) -> None:
    inventory = apply_to(Inventory(), text)
    exported = export_document(inventory)
    assert snapshot(apply_to(inventory, exported, prune=True)) == snapshot(inventory)
    elsewhere = apply_to(Inventory(), exported)
    assert export_document(elsewhere) == exported
    for kind in (User, Number, Location, DectSystem, Device):
        assert elsewhere.count(kind) == inventory.count(kind)


async def test_the_document_of_the_handbook_survives_its_export() -> None:
    bench = Workbench()
    await bench.apply(K2)
    exported = await bench.service.export(["ACME"], with_secrets=False, actor=JANE)
    plan = await bench.plan(exported, prune=True)
    assert (plan.differences, plan.reloads, plan.pruned) == ((), (), ())


async def test_with_secrets_the_credentials_move_to_another_daemon() -> None:
    bench = Workbench()
    await bench.apply(K2)
    exported = await bench.service.export(None, with_secrets=True, actor=JANE)
    other = Workbench()
    await other.apply(exported)
    assert await other.service.export(None, with_secrets=True, actor=JANE) == exported


@pytest.mark.parametrize(
    "name",
    [
        "null",
        "true",
        "~",
        "NO",
        "0x10",
        "1_000",
        "12:30",
        "- a",
        "a: b",
        "a #b",
        "'",
        '"',
        "%",
        "@x",
        "é",
        "a-b",
        "b_c",
        "x.y",
        ".inf",
        "a -",
        "y",
    ],
)
async def test_every_name_stays_text_for_any_reader(name: str) -> None:
    bench = Workbench()
    await bench.apply(site())
    [account] = bench.inventory.all(Account)
    text = export_document(Inventory([replace(account, name=name)]))
    assert yaml.safe_load(text)["accounts"][0]["name"] == name
    data = yamldoc.load(text, "site.yaml").data
    assert data["accounts"][0]["name"] == name  # type: ignore[index, call-overload]  # as just written


async def test_keys_are_plain_and_only_values_that_need_it_are_quoted() -> None:
    bench = Workbench()
    await bench.apply(K2)
    exported = await bench.service.export(None, with_secrets=False, actor=JANE)
    assert "\n  sip_domain: acme.test\n" in exported
    assert "type: dect_base\n" in exported
    assert 'mac: "00:15:65:12:34:56"\n' in exported
    assert 'extension: "2001"\n' in exported
    assert '":' not in exported.replace('": "', "")
    assert all(not line.lstrip(" -").startswith('"') or ":" not in line for line in exported.splitlines())


async def test_an_account_that_is_not_there_is_not_found() -> None:
    with pytest.raises(NotFound, match="there is no account 'globex'"):
        export_document(Inventory(), ["globex"])
