"""Where help is sent, with source and age; and which devices it cannot be sent to."""

from xml.etree import ElementTree as ET

import pytest
from tests.admin.conftest import Ask
from tests.support.admin_daemon import START, AdminDaemon
from tests.support.validator import RENO, Answers

from offhook.admin.routes import ROOT
from offhook.inventory.address import CheckedBy
from offhook.inventory.emergency.validation import Authority
from offhook.store.tokens import Role

PHONE, BASE, HANDSET = "001565123456", "000413aabbcc", "0658500479393"


@pytest.fixture(autouse=True)
def answers(daemon: AdminDaemon) -> Answers:
    validator = Answers()
    daemon.services.validation.authority = Authority(validator=validator, by=CheckedBy.HTTP)
    return validator


def there(number: int, **more: str) -> dict[str, str]:
    return {**RENO.elements(), "house_number": str(number), **more}


async def test_a_device_has_its_own_address_else_its_users_else_its_locations(ask: Ask, daemon: AdminDaemon) -> None:
    async def source() -> tuple[str, str, str]:
        status, it = await ask("GET", f"/devices/{PHONE}/dispatch")
        assert (status, it["dispatchable"], it["in_force_by"]) == (200, True, "http")
        return it["source"], it["source_name"], it["address"]["house_number"]

    await ask("PATCH", f"/devices/{PHONE}", json={"location": "HQ"})
    await ask("PUT", "/locations/HQ/address", json=there(1))
    assert await source() == ("location", "HQ", "1")
    await ask("PUT", "/users/jsmith/address", json=there(2))
    assert await source() == ("user", "Jane Smith", "2")
    await ask("PUT", f"/devices/{PHONE}/address", json=there(3))
    assert await source() == ("device", "Reception", "3")
    daemon.clock.time = START + 3 * 86400
    _, aged = await ask("GET", f"/devices/{PHONE}/dispatch")
    assert (aged["age_seconds"], aged["in_force_at"][:4], aged["why_not"]) == (3 * 86400, "2027", "")


async def test_a_handset_has_the_address_of_its_base_and_says_so(ask: Ask) -> None:
    await ask("PUT", f"/devices/{BASE}/address", json=there(1))
    _, it = await ask("GET", f"/devices/{HANDSET}/dispatch")
    assert (it["source"], it["source_name"], it["base"], it["text"]) == (
        "device",
        "Floor 2",
        "Floor 2",
        "1 Main St, Reno, NV 89501",
    )


async def test_what_help_cannot_be_sent_to_says_why_and_what_to_do(ask: Ask, answers: Answers) -> None:
    _, nowhere = await ask("GET", f"/devices/{PHONE}/dispatch")
    assert (nowhere["dispatchable"], nowhere["source"], nowhere["address"]) == (False, "none", None)
    assert "no location" in nowhere["why_not"]
    assert "put it at a location" in nowhere["remedy"]
    answers.is_reachable = False
    await ask("PUT", f"/devices/{PHONE}/address", json=there(1))
    _, waiting = await ask("GET", f"/devices/{PHONE}/dispatch")
    assert (waiting["dispatchable"], waiting["state"], waiting["entered_text"]) == (
        False,
        "draft",
        "1 Main St, Reno, NV 89501",
    )


async def test_an_address_of_another_location_of_the_account_never_counts(ask: Ask) -> None:
    """What a place has for all its phones, a default, is no answer to where one of them is."""
    await ask("PUT", "/locations/HQ/address", json=there(1))
    _, it = await ask("GET", f"/devices/{PHONE}/dispatch")
    assert (it["dispatchable"], it["source"]) == (False, "none")


async def test_the_location_object_says_where_and_since_when(ask: Ask, daemon: AdminDaemon) -> None:
    status, problem = await ask("GET", f"/devices/{PHONE}/dispatch.pidf")
    assert (status, problem["field"], bool(problem["remedy"])) == (409, "address", True)
    await ask("PUT", f"/devices/{PHONE}/address", json=there(7))
    daemon.clock.time = START + 60
    async with daemon.local() as client, client.get(f"{ROOT}/devices/{PHONE}/dispatch.pidf") as response:
        assert (response.status, response.content_type) == (200, "application/pidf+xml")
        document = ET.fromstring(await response.read())
    assert document.attrib["entity"] == "sip:2001@acme.test"
    texts = {element.tag.rpartition("}")[2]: element.text for element in document.iter()}
    assert (texts["HNO"], texts["RD"], texts["A1"]) == ("7", "Main", "NV")
    assert texts["timestamp"] == "2027-01-15T08:00:00Z"
    await ask("PUT", f"/devices/{BASE}/address", json=there(8))
    async with daemon.local() as client, client.get(f"{ROOT}/devices/{BASE}/dispatch.pidf") as response:
        entity = ET.fromstring(await response.read()).attrib["entity"]
    assert entity.startswith("sip:dev-")


async def test_counts_come_first_then_places_then_devices(ask: Ask) -> None:
    await ask("PATCH", f"/devices/{PHONE}", json={"location": "HQ"})
    status, it = await ask("GET", "/emergency/coverage")
    assert (status, next(iter(it))) == (200, "counts")
    counts = it["counts"]
    assert (counts["devices"], counts["dispatchable"]) == (5, 0)
    assert (counts["assigned_without_address"], counts["assigned_not_dispatchable"]) == (2, 2)
    assert [(place["account"], place["counts"]["devices"]) for place in it["accounts"]] == [("acme", 3), ("globex", 2)]
    first, second, *rest = it["items"]
    assert {first["device"], second["device"]} == {"00:15:65:12:34:56", HANDSET}
    assert [gap["assigned"] for gap in rest] == [False, False, False]
    by_device = {gap["device"]: gap for gap in it["items"]}
    phone = by_device["00:15:65:12:34:56"]
    assert (phone["level"], phone["user"], phone["location"]) == ("missing", "jsmith", "HQ")
    assert phone["remedy"] == "give location HQ its address"

    await ask("PUT", "/locations/HQ/address", json=there(1))
    _, it = await ask("GET", "/emergency/coverage")
    assert (it["counts"]["dispatchable"], it["counts"]["assigned_without_address"], it["total"]) == (1, 1, 4)
    assert {place["location"] for place in it["locations"]} == {None}


async def test_it_is_narrowed_to_an_account_or_a_location(ask: Ask) -> None:
    await ask("PATCH", f"/devices/{PHONE}", json={"location": "HQ"})
    _, it = await ask("GET", "/emergency/coverage?account=globex")
    assert (it["counts"]["devices"], {gap["account"] for gap in it["items"]}) == (2, {"globex"})
    _, it = await ask("GET", "/emergency/coverage?location=HQ")
    assert [gap["device"] for gap in it["items"]] == ["00:15:65:12:34:56"]
    _, it = await ask("GET", "/emergency/coverage?account=acme&location=unassigned")
    assert (it["counts"]["devices"], it["total"]) == (2, 2)
    assert (await ask("GET", "/emergency/coverage?account=acm"))[0] == 404


async def test_the_list_goes_on_page_by_page(ask: Ask) -> None:
    _, whole = await ask("GET", "/emergency/coverage")
    seen, cursor = [], ""
    for _ in range(5):
        _, page = await ask("GET", f"/emergency/coverage?limit=1{cursor}")
        seen += page["items"]
        cursor = f"&cursor={page['next']}"
    assert seen == whole["items"]
    assert page["next"] is None


async def test_the_same_phones_are_one_step_from_the_status(ask: Ask) -> None:
    _, status = await ask("GET", "/status")
    _, listed = await ask("GET", "/devices?without_address=true")
    assert status["emergency"]["assigned_not_dispatchable"] == listed["total"] == 2


async def test_a_token_for_an_account_sees_its_own_coverage_only(ask: Ask, daemon: AdminDaemon) -> None:
    async with await daemon.remote(Role.VIEWER, accounts=["globex"]) as client:
        async with client.get(f"{ROOT}/emergency/coverage") as response:
            it = await response.json()
        async with client.get(f"{ROOT}/devices/{PHONE}/dispatch") as response:
            assert response.status == 404
    assert (it["counts"]["devices"], {gap["account"] for gap in it["items"]}) == (2, {"globex"})
    assert [place["account"] for place in it["accounts"]] == ["globex"]
