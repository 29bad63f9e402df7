import asyncio
import csv
import io
import json
from typing import Any

import aiohttp
import pytest
from tests.admin.conftest import Ask
from tests.support.admin_daemon import AdminDaemon

from offhook.admin.routes import ROOT
from offhook.inventory.tabular.columns import Kind
from offhook.store.tokens import Role

TABLE = (
    "username,first_name,type,mac,vendor,extension\n"
    "mlopez,Maria,deskphone,00:15:65:12:34:57,yealink,2003\n"
    "jsmith,Joan,,,,\n"
    "rlee,,,,,2002\n"
)


def counts(it: Any) -> dict[str, tuple[int, int, int, int]]:
    return {
        part["kind"]: (part["created"], part["updated"], part["deleted"], part["unchanged"]) for part in it["counts"]
    }


@pytest.mark.parametrize("path", ["/imports/plan?account=acme", "/imports?account=acme&dry_run=true"])
async def test_a_preview_says_what_would_change_and_changes_nothing(ask: Ask, daemon: AdminDaemon, path: str) -> None:
    before = daemon.inventory
    status, it = await ask("POST", path, data=TABLE)
    assert (status, it["applied"]) == (200, False)
    assert counts(it) == {"user": (1, 1, 0, 1), "device": (1, 0, 0, 0), "line": (1, 0, 0, 0)}
    assert ("update", "user", "user jsmith") in {(d["action"], d["kind"], d["key"]) for d in it["differences"]}
    assert [reload["device"] for reload in it["reloads"]] == ["Reception (00:15:65:12:34:56)"]
    assert it["new_configurations"] == 1
    assert (it["more_differences"], it["more_reloads"], it["more_warnings"]) == (0, 0, 0)
    assert daemon.inventory is before


async def test_importing_changes_it_once_and_is_in_the_audit(ask: Ask, daemon: AdminDaemon) -> None:
    status, first = await ask("POST", "/imports?account=acme", data=TABLE)
    assert (status, first["applied"]) == (200, True)
    assert daemon.inventory.find_user("mlopez") is not None
    assert daemon.services.audit.read(1)[0].record.actor.split()[0] == "uid"
    _, second = await ask("POST", "/imports?account=acme", data=TABLE)
    assert (second["differences"], second["reloads"], second["new_configurations"]) == ([], [], 0)
    assert counts(second) == {"user": (0, 0, 0, 3), "device": (0, 0, 0, 1), "line": (0, 0, 0, 1)}


async def test_every_rows_fault_comes_with_its_line_and_column(ask: Ask, daemon: AdminDaemon) -> None:
    before = daemon.inventory
    text = "username,extension\nx,1\njsmith,2002\n"
    status, problem = await ask("POST", "/imports?account=acme&file=users.csv", data=text)
    assert status == 422
    assert [(it["file"], it["line"], it["column"], it["path"]) for it in problem["faults"]] == [
        ("users.csv", 2, 2, "extension"),
        ("users.csv", 3, 2, "extension"),
    ]
    assert daemon.inventory is before


async def test_the_kind_and_the_account_can_be_said(ask: Ask) -> None:
    status, problem = await ask("POST", "/imports/plan?account=globex&kind=numbers", data="username\nkim\n")
    assert (status, problem["faults"][0]["message"]) == (422, "a table of numbers needs the column number")
    status, problem = await ask("POST", "/imports/plan?kind=nunbers", data="username\nkim\n")
    assert (status, problem["remedy"]) == (422, "did you mean numbers?")
    status, problem = await ask("POST", "/imports/plan?account=akme", data="username\nkim\n")
    assert (status, problem["remedy"]) == (404, "did you mean acme?")


async def test_moving_a_user_wants_a_confirmation(ask: Ask) -> None:
    text = "username,type,mac,vendor\njsmith,deskphone,00:15:65:12:34:57,yealink\n"
    status, _ = await ask("POST", "/imports/plan?account=acme", data=text)
    assert status == 422
    status, _ = await ask("POST", "/imports/plan?account=acme&confirm_moves", data=text)
    assert status == 200


async def test_a_long_list_is_cut_and_says_what_is_left_out(ask: Ask) -> None:
    text = "username,type,mac,vendor,extension\n" + "".join(
        f"user{number},deskphone,{0x001565200000 + number:012x},yealink,{30000 + number}\n" for number in range(400)
    )
    status, it = await ask("POST", "/imports/plan?account=acme", data=text)
    assert (status, len(it["differences"]), it["more_differences"]) == (200, 1000, 3 * 400 - 1000)
    assert counts(it)["line"] == (400, 0, 0, 0)
    assert it["new_configurations"] == 400


async def test_the_progress_of_an_import_is_told_to_who_began_it(ask: Ask, daemon: AdminDaemon) -> None:
    assert (await ask("GET", "/imports/mine"))[0] == 404
    await ask("POST", "/imports?account=acme&progress=mine", data=TABLE)
    assert await ask("GET", "/imports/mine") == (200, {"stage": "done", "done": 0, "total": 0})
    await ask("POST", "/imports?account=acme&progress=mine", data="username\n?\n")
    assert (await ask("GET", "/imports/mine"))[1]["stage"] == "failed"
    async with await daemon.remote(Role.OPERATOR) as client, client.get(f"{ROOT}/imports/mine") as response:
        assert response.status == 404


async def test_progress_can_be_asked_for_while_it_is_under_way(ask: Ask, daemon: AdminDaemon) -> None:
    holds = await daemon.services.inventory._turn.acquire()
    assert holds
    running = asyncio.create_task(ask("POST", "/imports?account=acme&progress=slow", data=TABLE))
    try:
        while (seen := await ask("GET", "/imports/slow"))[0] == 404:
            pass
        assert seen == (200, {"stage": "waiting", "done": 0, "total": 0})
    finally:
        daemon.services.inventory._turn.release()
    assert (await running)[0] == 200


@pytest.mark.parametrize("kind", Kind)
async def test_what_is_exported_changes_nothing_when_it_is_imported(ask: Ask, daemon: AdminDaemon, kind: Kind) -> None:
    async with daemon.local() as client, client.get(f"{ROOT}/exports/csv/{kind}") as response:
        assert (response.status, response.content_type) == (200, "text/csv")
        assert response.headers["Content-Disposition"] == f'attachment; filename="{kind}.csv"'
        raw = await response.read()
    status, it = await ask("POST", f"/imports?kind={kind}", data=raw)
    assert (status, it["differences"]) == (200, [])
    assert "globex" in raw.decode() or kind in (Kind.USERS, Kind.NUMBERS, Kind.LOCATIONS)


async def read_table(client: aiohttp.ClientSession, path: str) -> list[dict[str, str]]:
    async with client.get(ROOT + path) as response:
        text = (await response.read()).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


async def test_an_export_is_of_the_accounts_that_are_wanted(ask: Ask, daemon: AdminDaemon) -> None:
    async with daemon.local() as client:
        rows = await read_table(client, "/exports/csv/devices?account=globex")
    assert {row["account"] for row in rows} == {"globex"}
    status, problem = await ask("GET", "/exports/csv/devices?account=akme")
    assert (status, problem["remedy"]) == (404, "did you mean acme?")
    status, problem = await ask("GET", "/exports/csv/phones")
    assert (status, problem["remedy"]) == (404, "use locations, users, numbers, devices, assignments, all")


async def test_a_token_of_one_account_imports_and_exports_nothing_of_others(daemon: AdminDaemon) -> None:
    async with await daemon.remote(Role.OPERATOR, accounts=["globex"]) as client:
        assert {row["account"] for row in await read_table(client, "/exports/csv/devices")} == {"globex"}
        async with client.post(f"{ROOT}/imports", data="account,username\nacme,mallory\n") as response:
            problem = json.loads(await response.read())
            assert (response.status, problem["faults"][0]["message"]) == (422, "there is no account 'acme'")
        async with client.post(f"{ROOT}/imports", data="username\nkim\n") as response:
            assert response.status == 200
    kim = daemon.inventory.find_user("kim")
    assert kim is not None
    assert kim.account_id == daemon.device("Lobby", "globex").account_id
