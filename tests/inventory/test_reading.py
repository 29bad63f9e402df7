"""What of a faulty document can be judged nevertheless, and what is set aside."""

import pytest

from offhook.errors import DocumentError, Fault
from offhook.inventory.reading import Reading, SetAside, list_faults, read_document


def read(text: str) -> Reading:
    return read_document(text, "site.yaml")


def test_a_document_without_faults_is_read_whole() -> None:
    reading = read("accounts: [{name: acme, users: [{username: jane}]}]")
    assert (reading.faults, reading.set_aside) == ((), ())
    assert [user.username for user in reading.part.accounts[0].users] == ["jane"]


def test_the_innermost_part_at_fault_is_set_aside() -> None:
    reading = read("""\
accounts:
  - name: acme
    gateway: pbx
    users: [{username: jane, plan: gold}, {username: kim}]
    devices: [{mac: 001565123456, lines: [{index: 0}, {index: 2}]}]
  - name: globex
    rename_from: ""
    numbers: [{number: "+12125550101"}]
""")
    [account] = reading.part.accounts
    assert account.gateway is None
    assert [user.username for user in account.users] == ["kim"]
    assert [line.index for line in account.devices[0].lines or ()] == [2]
    assert sorted(reading.set_aside, key=str) == sorted(
        [
            SetAside("users", ("accounts", 0, "users", 0), {"username": "jane", "plan": "gold"}),
            SetAside("lines", ("accounts", 0, "devices", 0, "lines", 0), {"index": "0"}),
            SetAside("numbers", ("accounts", 1), {"number": "+12125550101"}),
        ],
        key=str,
    )
    assert [fault.line for fault in reading.faults] == [3, 4, 5, 7]


def test_of_keys_that_stand_twice_a_list_keeps_its_first_value_and_a_part_is_set_aside() -> None:
    reading = read("""\
accounts:
  - name: acme
    users: [{username: jane}, {username: kim, username: lou}]
    users: [{username: bea}]
    usres: [{username: eve}]
""")
    [account] = reading.part.accounts
    assert [user.username for user in account.users] == ["jane"]
    names = [aside.value for aside in reading.set_aside if aside.kind == "users"]
    assert {"username": "bea"} in names
    assert {"username": "lou"} in names
    assert {"username": "kim"} in names
    assert {"username": "eve"} in names
    assert [fault.line for fault in reading.faults] == [3, 4, 5]


@pytest.mark.parametrize("text", ["", "[]", "accounts: {}", "users: []", "accounts: [{}]", "accounts: [[]]", "<<: {}"])
def test_where_nothing_is_left_the_faults_are_all_there_is(text: str) -> None:
    with pytest.raises(DocumentError):
        read(text)


def test_a_list_of_faults_is_in_order_without_repetition_and_says_what_it_leaves_out() -> None:
    found = [Fault(f"fault {line}", file="f.yaml", line=line) for line in range(150, 0, -1)]
    listed = list_faults([*found, *found[:3]])
    assert [fault.line for fault in listed[:100]] == list(range(1, 101))
    assert [str(fault) for fault in listed[100:]] == ["f.yaml: has 50 more faults; correct these first"]
    assert str(list_faults(found, 7)[-1]) == "f.yaml: has 57 more faults; correct these first"
    assert str(list_faults(found, is_all=False)[-1]) == "f.yaml: has at least 50 more faults; correct these first"
    assert list_faults(found[:2]) == [found[1], found[0]]


def test_a_document_that_is_wrong_throughout_is_not_judged() -> None:
    text = "accounts:\n  - name: acme\n    users:\n" + "      - {username: x, extension: '1'}\n" * 1100
    with pytest.raises(DocumentError) as caught:
        read(text)
    assert len(caught.value.faults) == 101
    assert "has 1000 more faults" in caught.value.faults[-1].message
