"""Emergency addresses through the API: refused, unclear and out of reach are told apart, and what was valid stays."""

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from tests.admin.conftest import Ask
from tests.support.admin_daemon import AdminDaemon
from tests.support.validator import RENO, Answers

from offhook.admin.routes import ROOT
from offhook.inventory.address import CheckedBy, CivicAddress
from offhook.inventory.emergency.validation import Authority
from offhook.inventory.emergency.validator import Verdict
from offhook.secret import Secret
from offhook.store.tokens import Role
from offhook.validators.http import HttpValidator

HQ, JANE, PHONE = "/locations/HQ/address", "/users/jsmith/address", "/devices/001565123456/address"
HOLDERS = [HQ, JANE, PHONE]
HANDSET = "0658500479393"


def there(number: int) -> dict[str, str]:
    return {**RENO.elements(), "house_number": str(number)}


@pytest.fixture
def answers(daemon: AdminDaemon) -> Answers:
    """What the daemon's validator says."""
    validator = Answers()
    daemon.services.validation.authority = Authority(validator=validator, by=CheckedBy.HTTP)
    return validator


@pytest.mark.parametrize("url", HOLDERS)
async def test_a_valid_address_is_in_force_at_once(ask: Ask, answers: Answers, url: str) -> None:
    assert (await ask("GET", url))[0] == 404
    status, made = await ask("PUT", url, json={"text": "1 Main Street, Reno, Nevada 89501"})
    assert status == 200
    item = made["item"]
    assert (item["state"], item["in_force_text"], item["in_force_by"]) == ("valid", "1 Main St, Reno, NV 89501", "http")
    assert item["original"] == "1 Main Street, Reno, Nevada 89501"
    assert [difference["action"] for difference in made["differences"]] == ["update"]
    assert await ask("GET", url) == (200, item)
    status, gone = await ask("DELETE", url)
    assert (status, gone["item"], len(gone["differences"])) == (200, None, 1)
    assert (await ask("GET", url))[0] == 404


@pytest.mark.parametrize("url", HOLDERS)
async def test_what_is_refused_is_refused_with_what_to_check_and_the_one_before_stays(
    ask: Ask, answers: Answers, daemon: AdminDaemon, url: str
) -> None:
    _, made = await ask("PUT", url, json=there(1))
    answers.refused = {"2"}
    before = daemon.inventory
    status, problem = await ask("PUT", url, json=there(2))
    assert (status, problem["type"]) == (422, "urn:offhook:problem:address-refused")
    assert (problem["detail"], problem["remedy"]) == ("there is no such street", "check the directional, suffix")
    assert [fault["path"] for fault in problem["faults"]] == ["pre_directional", "suffix"]
    assert daemon.inventory is before
    assert await ask("GET", url) == (200, made["item"])


@pytest.mark.parametrize("url", HOLDERS)
async def test_out_of_reach_is_told_apart_and_the_one_before_stays(
    ask: Ask, answers: Answers, daemon: AdminDaemon, url: str
) -> None:
    await ask("PUT", url, json=there(1))
    answers.is_reachable = False
    before = daemon.inventory
    status, problem = await ask("PUT", f"{url}?dry_run=true", json=there(2))
    assert status == 503
    assert daemon.inventory is before
    async with daemon.local() as client, client.put(ROOT + url, json=there(2)) as response:
        problem = await response.json(content_type=None)
        assert (response.status, response.headers["Retry-After"]) == (503, "60")
    assert problem["type"] == "urn:offhook:problem:validator-out-of-reach"
    assert "kept as a draft" in problem["detail"]
    assert "try again" in problem["remedy"]
    _, item = await ask("GET", url)
    assert (item["state"], item["entered"]["house_number"], item["in_force"]["house_number"]) == ("draft", "2", "1")
    answers.is_reachable = True
    status, validated = await ask("POST", f"{url}/validate")
    assert (status, validated["item"]["state"], validated["item"]["in_force"]["house_number"]) == (200, "valid", "2")


async def test_a_text_that_can_be_read_in_several_ways_is_asked_about(ask: Ask, answers: Answers) -> None:
    status, problem = await ask("PUT", HQ, json={"text": "12 Avenue B, New York, NY 10009"})
    assert (status, problem["type"]) == (422, "urn:offhook:problem:address-unclear")
    assert len(problem["alternatives"]) > 1
    assert answers.asked == []
    status, made = await ask("PUT", HQ, json=problem["alternatives"][0]["elements"])
    assert (status, made["item"]["text"]) == (200, problem["alternatives"][0]["text"])


async def test_what_the_validator_would_correct_is_offered_to_choose_from(ask: Ask, answers: Answers) -> None:
    answers.corrected = {"5"}
    status, problem = await ask("PUT", HQ, json=there(5))
    assert (status, problem["type"]) == (422, "urn:offhook:problem:address-refused")
    assert [choice["text"] for choice in problem["alternatives"]] == ["5 Main Ave, Reno, NV 89501"]
    assert (await ask("GET", HQ))[0] == 404


async def test_rules_are_told_by_element_before_anybody_is_asked(ask: Ask, answers: Answers) -> None:
    status, problem = await ask("PUT", HQ, json={**there(1), "suffix": "Gasse", "state": "ZZ"})
    assert (status, problem["type"]) == (422, "urn:offhook:problem:invalid-value")
    assert [(fault["path"], bool(fault["rule"]), bool(fault["remedy"])) for fault in problem["faults"]] == [
        ("state", True, True),
        ("suffix", True, True),
    ]
    assert answers.asked == []


async def test_a_handset_has_the_address_of_its_base(ask: Ask, answers: Answers) -> None:
    status, problem = await ask("PUT", f"/devices/{HANDSET}/address", json=there(1))
    assert status == 422
    assert "the emergency address of its base" in problem["detail"]
    assert answers.asked == []


async def test_without_a_validator_the_form_decides_and_says_so(ask: Ask) -> None:
    status, made = await ask("PUT", HQ, json=there(1))
    assert (status, made["item"]["state"], made["item"]["in_force_by"]) == (200, "valid", "form")


async def test_a_dry_run_asks_and_changes_nothing(ask: Ask, answers: Answers, daemon: AdminDaemon) -> None:
    before = daemon.inventory
    status, tried = await ask("PUT", f"{HQ}?dry_run=true", json=there(1))
    assert (status, tried["dry_run"], tried["item"]["state"]) == (200, True, "valid")
    assert daemon.inventory is before


async def test_what_is_valid_already_is_entered_again_without_asking(ask: Ask, answers: Answers) -> None:
    await ask("PUT", HQ, json=there(1))
    status, again = await ask("PUT", HQ, json=there(1))
    assert (status, again["differences"], again["item"]["state"]) == (200, [], "valid")
    assert answers.asked == ["1"]


async def test_what_only_its_form_spoke_for_is_asked_about_when_it_is_entered_again(
    ask: Ask, daemon: AdminDaemon
) -> None:
    await ask("PUT", HQ, json=there(1))
    answers = Answers()
    daemon.services.validation.authority = Authority(validator=answers, by=CheckedBy.HTTP)
    status, again = await ask("PUT", HQ, json=there(1))
    assert (status, again["item"]["in_force_by"], answers.asked) == (200, "http", ["1"])


async def test_an_update_of_what_has_changed_meanwhile_is_refused_and_a_verdict_is_no_change(
    ask: Ask, answers: Answers, daemon: AdminDaemon
) -> None:
    async with daemon.local() as client:
        async with client.put(ROOT + HQ, json=there(1)) as response:
            tag = response.headers["ETag"]
        async with client.get(f"{ROOT}/locations/HQ") as response:
            assert response.headers["ETag"] == tag
        async with client.post(f"{ROOT}{HQ}/validate", headers={"If-Match": tag}) as response:
            assert (response.status, response.headers["ETag"]) == (200, tag)
        async with client.put(ROOT + HQ, json=there(2), headers={"If-Match": tag}) as response:
            assert (response.status, response.headers["ETag"] != tag) == (200, True)
        async with client.put(ROOT + HQ, json=there(3), headers={"If-Match": tag}) as response:
            assert response.status == 412
    assert answers.asked == ["1", "1", "2"]


async def test_validating_tells_what_became_of_it(ask: Ask, answers: Answers) -> None:
    assert (await ask("POST", f"{HQ}/validate"))[0] == 404
    await ask("PUT", HQ, json=there(1))
    answers.refused = {"1"}
    status, judged = await ask("POST", f"{HQ}/validate")
    assert (status, judged["item"]["state"]) == (200, "rejected")
    assert "check the directional, suffix" in judged["item"]["message"]
    assert judged["item"]["in_force"] == judged["item"]["entered"]
    answers.is_reachable = False
    status, problem = await ask("POST", f"{HQ}/validate")
    assert (status, problem["type"]) == (503, "urn:offhook:problem:validator-out-of-reach")
    assert (await ask("GET", HQ))[1]["state"] == "rejected"


async def test_a_verdict_on_what_was_changed_meanwhile_is_dropped(
    ask: Ask, answers: Answers, daemon: AdminDaemon
) -> None:
    await ask("PUT", HQ, json=there(1))

    class Slow(Answers):
        async def validate(self, address: CivicAddress) -> Verdict:
            daemon.services.validation.authority = Authority(validator=answers, by=CheckedBy.HTTP)
            await ask("PUT", HQ, json=there(2))
            return await super().validate(address)

    daemon.services.validation.authority = Authority(validator=Slow(), by=CheckedBy.HTTP)
    status, problem = await ask("POST", f"{HQ}/validate")
    assert (status, problem["remedy"]) == (409, "validate it again")
    assert (await ask("GET", HQ))[1]["in_force"]["house_number"] == "2"


async def test_a_floor_is_asked_for_where_others_in_the_building_have_one(ask: Ask, answers: Answers) -> None:
    await ask("PUT", HQ, json={**there(1), "floor": "3"})
    status, made = await ask("PUT", PHONE, json=there(1))
    assert (status, [warning["path"] for warning in made["warnings"]]) == (200, ["floor"])
    _, better = await ask("PUT", PHONE, json={**there(1), "floor": "2"})
    assert better["warnings"] == []


async def test_reading_one_line_changes_nothing_and_asks_nobody(ask: Ask, answers: Answers) -> None:
    status, read = await ask("POST", "/addresses/parse", json={"text": "350 Fifth Ave Fl 21, New York, NY 10118"})
    assert (status, read["certain"], read["questions"]) == (200, True, [])
    elements = read["address"]["elements"]
    assert (elements["house_number"], elements["suffix"], elements["floor"]) == ("350", "Ave", "21")
    _, unclear = await ask("POST", "/addresses/parse", json={"text": "12 Avenue B, New York, NY 10009"})
    assert (unclear["certain"], unclear["address"], len(unclear["alternatives"]) > 1) == (False, None, True)
    assert unclear["questions"][0]["element"] == "pre_type"
    status, problem = await ask("POST", "/addresses/parse", json={"text": ""})
    assert (status, problem["field"]) == (422, "text")
    assert answers.asked == []


async def test_a_document_and_a_change_enter_a_draft(ask: Ask, answers: Answers) -> None:
    status, changed = await ask("PATCH", "/locations/HQ", json={"address": there(1)})
    assert (status, changed["item"]["address"]["state"]) == (200, "draft")
    status, problem = await ask("PATCH", "/locations/HQ", json={"address": {**there(1), "suffix": "Gasse"}})
    assert (status, problem["field"]) == (422, "address.suffix")
    assert answers.asked == []


async def test_a_token_of_another_account_finds_no_address(ask: Ask, answers: Answers, daemon: AdminDaemon) -> None:
    await ask("PUT", HQ, json=there(1))
    async with await daemon.remote(Role.OPERATOR, accounts=["globex"]) as client:
        async with client.get(ROOT + HQ) as response:
            assert response.status == 404
        async with client.put(ROOT + HQ, json=there(2)) as response:
            assert response.status == 404
    assert answers.asked == ["1"]


async def test_a_service_on_the_network_is_asked_over_http(ask: Ask, daemon: AdminDaemon) -> None:
    answers: dict[str, tuple[int, object]] = {
        "1": (200, {"result": "valid"}),
        "2": (200, {"result": "refused", "check": ["suffix", "directional"], "message": "no such street"}),
        "3": (200, {"result": "corrected", "candidates": [there(33)]}),
        "4": (500, {}),
    }

    async def judge(request: web.Request) -> web.Response:
        status, body = answers[(await request.json())["address"]["house_number"]]
        return web.json_response(body, status=status)

    application = web.Application()
    application.router.add_post("/validate", judge)
    async with TestServer(application) as server, aiohttp.ClientSession() as session:
        validator = HttpValidator(session, str(server.make_url("/validate")), token=Secret("sesame"))
        daemon.services.validation.authority = Authority(validator=validator, by=CheckedBy.HTTP)
        told = [await ask("PUT", HQ, json=there(number)) for number in (1, 2, 3, 4)]
    assert [(status, it.get("type", "").rpartition(":")[2]) for status, it in told] == [
        (200, ""),
        (422, "address-refused"),
        (422, "address-refused"),
        (503, "validator-out-of-reach"),
    ]
    assert told[1][1]["remedy"] == "check the directional, suffix"
    assert [choice["elements"]["house_number"] for choice in told[2][1]["alternatives"]] == ["33"]
    assert "status 500" in told[3][1]["detail"]
    assert "sesame" not in repr(told)
    _, item = await ask("GET", HQ)
    assert (item["state"], item["entered"]["house_number"], item["in_force"]["house_number"]) == ("draft", "4", "1")
