from typing import Any

from tests.support.tables import read
from tests.support.workbench import apply_to

from offhook.inventory.snapshot import Inventory
from offhook.inventory.tabular.columns import Kind

INVENTORY = apply_to(Inventory(), "accounts: [{name: acme, sip_domain: acme.test, locations: [{name: HQ}]}]")


def parts(text: str, kind: Kind | None = None) -> Any:
    """The account that a table makes, without its name."""
    reading = read(INVENTORY, text, kind=kind)
    assert not reading.faults
    data: Any = reading.document.data
    [account] = data["accounts"]
    return {name: value for name, value in account.items() if name != "name"}


def faults(text: str) -> list[str]:
    return [f"{fault.line}:{fault.column} {fault.path}: {fault.message}" for fault in read(INVENTORY, text).faults]


def test_a_row_of_everything_states_a_user_a_number_a_device_and_its_line() -> None:
    assert parts("username,first_name,number,type,mac\njane,Jane,+12125550101,deskphone,00:15:65:12:34:56\n") == {
        "users": [{"username": "jane", "first_name": "Jane"}],
        "numbers": [{"number": "+12125550101", "user": "jane"}],
        "devices": [
            {"type": "deskphone", "mac": "00:15:65:12:34:56", "lines": [{"index": "1", "user": "jane"}]},
        ],
    }


def test_without_a_user_the_number_is_on_the_line() -> None:
    assert parts("number,mac\n+12125550101,00:15:65:12:34:56\n", Kind.ALL)["devices"] == [
        {"mac": "00:15:65:12:34:56", "lines": [{"index": "1", "number": "+12125550101"}]}
    ]


def test_an_extension_is_the_users_else_the_numbers_else_the_lines() -> None:
    table = parts(
        "username,number,mac,extension\n"
        "jane,+12125550101,00:15:65:12:34:56,2001\n"
        ",+12125550102,00:15:65:12:34:57,2002\n"
        ",,00:15:65:12:34:58,2003\n"
    )
    assert table["users"] == [{"username": "jane", "extension": "2001"}]
    assert [number.get("extension") for number in table["numbers"]] == [None, "2002"]
    assert [device["lines"][0].get("extension") for device in table["devices"]] == [None, None, "2003"]


def test_a_location_is_that_of_all_that_has_one_and_a_handset_has_none() -> None:
    table = parts(
        "username,number,type,mac,ipei,location\n"
        "jane,+12125550101,deskphone,00:15:65:12:34:56,,HQ\n"
        "rob,,dect_handset,,0658500479393,HQ\n"
    )
    assert [part.get("location") for name in ("users", "numbers", "devices") for part in table[name]] == [
        "HQ",
        "HQ",
        "HQ",
        "HQ",
        None,
    ]


def test_rows_that_name_the_same_thing_in_any_notation_are_one_part() -> None:
    table = parts(
        "type,mac,port,extension,model\n"
        "ata,ec:74:d7:00:00:01,1,2090,HT802\n"
        "ATA,EC74D7000001,2,2091,\n"
        ",ec-74-d7-00-00-01,2,,\n"
    )
    assert table["devices"] == [
        {
            "type": "ata",
            "mac": "ec:74:d7:00:00:01",
            "model": "HT802",
            "lines": [{"index": "1", "extension": "2090"}, {"index": "2", "extension": "2091"}],
        }
    ]


def test_what_rows_say_of_a_thing_is_put_together() -> None:
    table = parts("username,number\njane,+1 212 555 0101\nJANE,+12125550102\njane,\n")
    assert table["users"] == [{"username": "jane"}]
    assert [number["user"] for number in table["numbers"]] == ["jane", "JANE"]


def test_a_contradiction_names_both_lines() -> None:
    assert faults("username,first_name\njane,Jane\nrob,Rob\njane,Joan\n") == [
        "4:2 first_name: is 'Joan' here and 'Jane' in line 2; make them the same"
    ]
    assert faults("mac,line,extension,line_extension\n00:15:65:12:34:56,1,2001,2002\n") == [
        "2:3 extension: is '2001' here and '2002' in another column of the row; make them the same"
    ]


def test_a_contradiction_of_secrets_does_not_show_them() -> None:
    [fault] = faults("mac,line,password\n00:15:65:12:34:56,1,Sesame1\n00:15:65:12:34:56,1,Sesame2\n")
    assert fault == "3:3 password: is another one in line 2; make them the same"


def test_an_empty_cell_says_nothing_and_a_dash_clears() -> None:
    table = parts("username,email,extension,first_name\njane,-,,'-\n")
    assert table["users"] == [{"username": "jane", "email": None, "first_name": "-"}]


def test_a_user_or_number_that_is_cleared_is_taken_from_what_the_row_states() -> None:
    table = parts("username,number,mac\n-,+12125550101,\n-,,00:15:65:12:34:56\n,-,00:15:65:12:34:57\n")
    assert table == {
        "numbers": [{"number": "+12125550101", "user": None}],
        "devices": [
            {"mac": "00:15:65:12:34:56", "lines": [{"index": "1", "user": None}]},
            {"mac": "00:15:65:12:34:57", "lines": [{"index": "1", "number": None}]},
        ],
    }


def test_an_address_is_stated_whole_and_cleared_by_its_country() -> None:
    assert parts("name,country,city,address_name\nHQ,US,New York,Tower\n") == {
        "locations": [{"name": "HQ", "address": {"country": "US", "city": "New York", "name": "Tower"}}]
    }
    assert parts("name,country,city\nHQ,-,\n") == {"locations": [{"name": "HQ", "address": None}]}
    for header, row in (("country,city", "-,Boston"), ("city,country", "Boston,-")):
        [fault] = faults(f"name,{header}\nHQ,{row}\n")
        assert fault.endswith("the address is cleared and stated as well; drop one of the two")


def test_a_softphone_is_known_by_its_name_and_other_devices_are_not() -> None:
    table = parts("type,mac,name\nsoftphone,,Desk\ndeskphone,00:15:65:12:34:56,Desk\n")
    assert len(table["devices"]) == 2


def test_what_belongs_to_nothing_in_its_row_is_a_fault() -> None:
    assert faults("username,first_name,mac,label\n,Jane,00:15:65:12:34:56,\njane,,,Desk\n") == [
        "2:2 first_name: the row does not say whose first_name this is; fill in username",
        "3:4 label: the row does not say whose label this is; fill in mac, ipei or, of a softphone, name",
    ]
    assert faults("username,plan\n,pro\n-,pro\n") == [
        "2:0 : the row does not say what it is about; fill in username",
        "3:0 : the row does not say what it is about; fill in username",
    ]
