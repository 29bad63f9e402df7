import pytest
from tests.admin.conftest import Ask

KINDS = ("station-types", "dect-systems")


@pytest.mark.parametrize("kind", KINDS)
async def test_they_are_listed_by_name_within_an_account_or_over_all(ask: Ask, kind: str) -> None:
    for account, name in (("acme", "Zeta 10"), ("acme", "zeta 2"), ("globex", "Alpha")):
        assert (await ask("POST", f"/{kind}", json={"account": account, "name": name}))[0] == 201
    _, page = await ask("GET", f"/{kind}")
    assert [it["name"] for it in page["items"]] == ["Alpha", "zeta 2", "Zeta 10"]
    _, page = await ask("GET", f"/{kind}?account=acme&sort=-name")
    assert ([it["name"] for it in page["items"]], page["total"]) == (["Zeta 10", "zeta 2"], 2)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_name_is_unique_in_its_account(ask: Ask, kind: str) -> None:
    assert (await ask("POST", f"/{kind}", json={"account": "acme", "name": "One"}))[0] == 201
    status, problem = await ask("POST", f"/{kind}", json={"account": "acme", "name": "ONE"})
    assert (status, problem["field"]) == (409, "name")
    assert (await ask("POST", f"/{kind}", json={"account": "globex", "name": "One"}))[0] == 201
    assert (await ask("GET", f"/{kind}/One"))[0] == 409
    assert (await ask("GET", f"/{kind}/One?account=globex"))[1]["account"] == "globex"
