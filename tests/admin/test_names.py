import pytest
from tests.support.workbench import Workbench

from offhook.admin.names import get_account, get_location, get_system, get_user, parse_id
from offhook.errors import Conflict, NotFound

DOCUMENT = """
accounts:
  - {name: acme, sip_domain: acme.test, locations: [{name: HQ}, {name: Branch}], users: [{username: jane}],
     dect_systems: [{name: Floor}]}
  - {name: globex, sip_domain: globex.test, locations: [{name: hq}]}
"""


async def _bench() -> Workbench:
    bench = Workbench()
    await bench.apply(DOCUMENT)
    return bench


async def test_things_are_found_by_name_without_case_and_by_id() -> None:
    inventory = (await _bench()).inventory
    acme = get_account(inventory, "ACME")
    assert get_account(inventory, str(acme.id)) == acme
    jane = get_user(inventory, "Jane")
    assert get_user(inventory, str(jane.id)) == jane
    branch = get_location(inventory, "branch")
    assert get_location(inventory, str(branch.id)) == branch
    assert get_system(inventory, "floor", "acme").name == "Floor"


async def test_a_name_of_several_accounts_wants_the_account() -> None:
    inventory = (await _bench()).inventory
    with pytest.raises(Conflict, match="2 accounts have a location HQ: acme, globex") as refused:
        get_location(inventory, "HQ")
    assert refused.value.remedy == "name the account too"
    assert get_location(inventory, "HQ", "globex").name == "hq"


async def test_what_is_not_there_is_told_with_what_may_be_meant() -> None:
    inventory = (await _bench()).inventory
    with pytest.raises(NotFound, match="no location 'Brunch'") as missing:
        get_location(inventory, "Brunch", "acme")
    assert missing.value.remedy == "did you mean Branch?"
    with pytest.raises(NotFound) as missing:
        get_system(inventory, "x")
    assert missing.value.remedy == "see: offhook dect list"
    with pytest.raises(NotFound):
        get_location(inventory, str(get_location(inventory, "Branch").id), "globex")


@pytest.mark.parametrize(("text", "number"), [("12", 12), ("٣", None), ("", None), ("-1", None), ("9" * 20, None)])
def test_ids(text: str, number: int | None) -> None:
    assert parse_id(text) == number
