import pytest
from tests.cli.conftest import Commands

LINE = "1 Main Street, Reno, Nevada 89501"
PHONE, HANDSET = "00:15:65:12:34:56", "0658500479393"


def test_an_address_in_one_line_is_read(offhook: Commands) -> None:
    said = offhook.output("emergency", "parse", "350 Fifth Ave Fl 21, New York, NY 10118")
    assert "house number  350" in said
    assert "floor         21" in said
    assert offhook.json("emergency", "parse", "1 Main St, Banff, AB T1L 1A1", "--country", "CA")["certain"] is True


def test_what_is_not_clear_is_asked_and_ends_with_1(offhook: Commands) -> None:
    result = offhook("emergency", "parse", "12 Avenue B, New York, NY 10009")
    assert result.exit_code == 1
    assert "pre_type: is Avenue the kind of the street 'B', or part of its name?" in result.output
    assert "  1  12 Avenue B, New York, NY 10009  (pre type Avenue, street B)" in result.output
    result = offhook("emergency", "parse", "12 Avenue B, New York, NY 10009", "--json")
    assert (result.exit_code, '"certain": false' in result.stdout) == (1, True)
    result = offhook("emergency", "parse", "1 Main St, Reno")
    assert (result.exit_code, "state: " in result.output) == (1, True)


def test_coverage_counts_first_and_then_lists_what_to_do(offhook: Commands) -> None:
    offhook.output("device", "set", PHONE, "--location", "HQ")
    said = offhook.output("emergency", "coverage")
    assert said.startswith("phones of users  2 phones without an address that help can be sent to\n")
    assert "of these         2 without any" in said
    assert "devices          0 of 5 can be sent help" in said
    assert "location HQ has no address" in said
    assert "give location HQ its address" in said
    narrowed = offhook.output("emergency", "coverage", "--account", "acme", "--location", "HQ")
    assert (PHONE in narrowed, HANDSET in narrowed) == (True, False)
    offhook.output("location", "address", "HQ", "--text", LINE)
    after = offhook.output("emergency", "coverage", "--account", "acme", "--limit", "1")
    assert "1 phone without an address" in after
    assert "1: nobody was asked" in after
    assert "1 more: --limit 2" in after
    assert PHONE not in after


def test_coverage_as_json_has_all_that_is_asked_for(offhook: Commands) -> None:
    it = offhook.json("emergency", "coverage")
    assert (len(it["items"]), it["total"], it["counts"]["devices"]) == (5, 5, 5)
    assert len(offhook.json("emergency", "coverage", "--limit", "2")["items"]) == 2


def test_the_status_leads_there(offhook: Commands) -> None:
    assert "2 phones of users without an address that help can be sent to" in offhook.output("status")
    for name in (PHONE, "00:04:13:aa:bb:cc"):
        offhook.output("device", "address", name, "--text", LINE)
    assert "emergency" not in offhook.output("status")
    assert offhook.output("emergency", "coverage", "--account", "acme").startswith("phones of users  0 phones without")


def test_where_help_is_sent(offhook: Commands) -> None:
    result = offhook("device", "dispatch", PHONE)
    assert result.exit_code == 1
    assert "help is sent to  nowhere" in result.output
    assert "put it at a location" in result.output
    result = offhook("device", "dispatch", PHONE, "--json")
    assert (result.exit_code, '"dispatchable": false' in result.stdout) == (1, True)
    offhook.output("device", "address", "00:04:13:aa:bb:cc", "--text", LINE)
    said = offhook.output("device", "dispatch", HANDSET)
    assert "help is sent to  1 Main St, Reno, NV 89501" in said
    assert "the address of   device Floor 2" in said
    assert "by its base      Floor 2" in said
    assert offhook.json("device", "dispatch", HANDSET)["dispatchable"] is True


@pytest.mark.parametrize("has_address", [True, False])
def test_as_a_location_object(offhook: Commands, has_address: bool) -> None:
    if has_address:
        offhook.output("device", "address", PHONE, "--text", LINE)
    result = offhook("device", "dispatch", PHONE, "--pidf")
    assert result.exit_code == (0 if has_address else 1)
    assert ("<ca:RD>Main</ca:RD>" in result.stdout) is has_address
