import csv
import io
from typing import Any, Final

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.inventory import BOX
from tests.support.tables import read
from tests.support.workbench import FakeVendors, StillClock, apply_to

from offhook.inventory.apply import ApplyOptions, apply_document
from offhook.inventory.editor import Editor, Workshop
from offhook.inventory.generated import IdSource
from offhook.inventory.identifiers import format_ipei
from offhook.inventory.models import Account
from offhook.inventory.ports import Change
from offhook.inventory.reading import Reading, read_parts
from offhook.inventory.snapshot import Inventory
from offhook.inventory.tabular.columns import TABLES, Kind
from offhook.inventory.tabular.export import export_table
from offhook.yamldoc import document_of

#: Order in which the tables fill an empty account; the table of everything does it alone.
APART: Final = (Kind.LOCATIONS, Kind.USERS, Kind.NUMBERS, Kind.DEVICES, Kind.ASSIGNMENTS)
WORKSHOP: Final = Workshop(IdSource(StillClock(2e9)), BOX, FakeVendors())


def table(inventory: Inventory, kind: Kind, *names: str) -> bytes:
    accounts = [account for account in inventory.all(Account) if not names or account.name in names]
    return export_table(inventory, kind, accounts)


def rows(raw: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(raw.decode("utf-8-sig"), newline="")))


def changes_of(inventory: Inventory, reading: Reading) -> tuple[Inventory, tuple[Change, ...]]:
    """What a reading makes of an inventory."""
    draft = inventory.draft()
    editor = Editor(draft, WORKSHOP, 2e9)
    applied = apply_document(editor, reading, ApplyOptions())
    assert not applied.faults, "\n".join(map(str, applied.faults))
    return draft.freeze(), draft.changes


# -- any inventory ----------------------------------------------------------------------------------------------------

#: Texts as people write them, and as nobody would want to open them in a spreadsheet.
LABEL = (
    st.one_of(
        st.text(st.characters(categories=["L", "N", "P", "S", "Zs"]), min_size=1, max_size=10),
        st.text("'=+-@0123456789.,;eE\" ()\n\u00e9", min_size=1, max_size=8),
        st.sampled_from(["-", "'-", "=1+1", "@x", "007", "1E5", "mar 12", "'t Hooft", "TRUE", "a,b", 'say "x"']),
    )
    .map(lambda text: " ".join(text.split()))
    .filter(lambda text: bool(text) and text.isprintable())
)
USERNAME = st.from_regex(r"[A-Za-z0-9.\-:\[\]]{1,8}", fullmatch=True).filter(lambda name: name != "-")
ADDRESS = st.fixed_dictionaries(
    {"country": st.just("DE"), "city": LABEL, "street": LABEL, "house_number": LABEL, "postal_code": st.just("01067")},
    optional={"floor": LABEL, "name": LABEL, "state": st.just("SN")},
)


def some(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | values


@st.composite
def accounts(draw: st.DrawFn) -> dict[str, Any]:
    """The parts of an account, each of them right."""
    extensions = iter(draw(st.permutations([f"{number:04}" for number in range(5, 40)])))
    locations = draw(st.lists(LABEL, max_size=2, unique_by=str.casefold))
    place = st.sampled_from([None, *locations])
    users = [
        {
            "username": name,
            "first_name": draw(some(LABEL)),
            "last_name": draw(some(LABEL)),
            "plan": draw(st.sampled_from(["pro", "plus"])),
            "extension": next(extensions),
            "location": draw(place),
            "timezone": draw(st.sampled_from([None, "Europe/Berlin"])),
            "forward_unreachable": draw(st.sampled_from([None, "+4935112345", "0012"])),
            "authorised": draw(st.booleans()),
            "offsite_address": draw(some(ADDRESS)),
        }
        for name in draw(st.lists(USERNAME, max_size=4, unique_by=str.casefold))
    ]
    names = [user["username"] for user in users]
    numbers = [
        {
            "number": f"+4935112{number:05}",
            "status": "active",
            "user": draw(st.sampled_from([None, *names])),
            "extension": draw(st.sampled_from([None, next(extensions)])),
            "location": draw(place),
            "display_name": {"first": draw(some(LABEL)), "last": draw(some(LABEL))},
            "features": {"hide_caller_id": draw(st.booleans()), "call_waiting": draw(st.booleans())},
        }
        for number in draw(st.lists(st.integers(0, 99_999), max_size=4, unique=True))
    ]
    free_users = list(draw(st.permutations(names)))
    free_numbers = [it["number"] for it in numbers if it["user"] is None and it["extension"] is not None]

    def line(index: int) -> dict[str, Any]:
        entry: dict[str, Any] = {"index": str(index), "label": draw(some(LABEL))}
        match draw(st.sampled_from(["user", "number", "extension", "nothing"])):
            case "user" if free_users:
                entry["user"] = free_users.pop()
            case "number" if free_numbers:
                entry["number"] = free_numbers.pop()
            case "extension":
                entry["extension"] = next(extensions)
        return entry

    bases = [
        f"{0x000413000000 + number:012x}" for number in draw(st.lists(st.integers(0, 255), max_size=2, unique=True))
    ]
    devices: list[dict[str, Any]] = [{"type": "dect_base", "mac": mac, "name": draw(some(LABEL))} for mac in bases]
    for serial in draw(st.lists(st.integers(0, 999), max_size=3, unique=True)):
        lines = [line(index) for index in range(1, draw(st.integers(1, 3)) + 1)]
        devices.append(
            {
                "type": "generic",
                "mac": f"{0x000001000000 + serial:012x}",
                "name": draw(some(LABEL)),
                "location": draw(place),
                "address": draw(some(ADDRESS)),
                "lines": lines,
            }
        )
    for serial in draw(st.lists(st.integers(0, 999), max_size=2, unique=True)):
        ipei, base = format_ipei(f"00001{serial:07}"), draw(st.sampled_from([None, *bases]))
        devices.append({"type": "dect_handset", "ipei": ipei, "base": base, "lines": [line(1)]})
    softphones = draw(st.lists(LABEL, max_size=2, unique_by=str.casefold))
    devices += [{"type": "softphone", "name": name, "lines": [line(1)]} for name in softphones]
    return {
        "locations": [{"name": name, "address": draw(some(ADDRESS))} for name in locations],
        "users": users,
        "numbers": numbers,
        "devices": devices,
    }


def inventory_of_parts(parts: dict[str, Any]) -> Inventory:
    data: Any = {"accounts": [{"name": "acme", "sip_domain": "acme.test", **parts}]}
    return changes_of(Inventory(), read_parts(document_of(data)))[0]


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(accounts())
def test_what_is_exported_changes_nothing_when_it_is_imported(parts: dict[str, Any]) -> None:
    inventory = inventory_of_parts(parts)
    for kind in Kind:
        _, changes = changes_of(inventory, read(inventory, table(inventory, kind), kind=kind))
        assert not changes, kind


@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(accounts())
def test_an_empty_account_becomes_what_was_exported(parts: dict[str, Any]) -> None:
    inventory = inventory_of_parts(parts)
    exported = {kind: table(inventory, kind) for kind in Kind}
    account = apply_to(Inventory(), "accounts: [{name: acme, sip_domain: acme.test}]")
    for kinds in (APART, (Kind.LOCATIONS, Kind.ALL)):
        copy = account
        for kind in kinds:
            copy, _ = changes_of(copy, read(copy, exported[kind], kind=kind))
        for kind in kinds:
            assert rows(table(copy, kind)) == rows(exported[kind])


# -- what stands there ------------------------------------------------------------------------------------------------

OFFICE = """
accounts:
  - name: acme
    sip_domain: acme.test
    users:
      - {username: jane, first_name: "=cmd|' /C calc'!A0", extension: "0123"}
      - {username: rob, extension: "2002"}
    numbers:
      - {number: "+12125550101", user: jane}
      - {number: "+12125550102", user: rob}
      - {number: "+12125550103", user: rob}
      - {number: "+12125550104"}
    devices:
      - {type: dect_base, mac: "000413aabbcc", vendor: snom}
      - {type: ata, mac: "ec74d7000001", vendor: grandstream, name: Fax, lines: [{index: 1, user: jane}, {index: 2, number: "+12125550104"}]}
  - {name: globex, sip_domain: globex.test, users: [{username: kim, extension: "2001"}]}
"""  # noqa: E501 # as an operator writes it


def test_the_table_of_everything_has_a_row_for_each_line_and_one_for_whatever_has_none() -> None:
    found = rows(table(apply_to(Inventory(), OFFICE), Kind.ALL, "acme"))
    assert [(row["mac"], row["line"], row["username"], row["number"]) for row in found] == [
        ("00:04:13:aa:bb:cc", "", "", ""),
        ("ec:74:d7:00:00:01", "1", "jane", "'+12125550101"),
        ("ec:74:d7:00:00:01", "2", "", "'+12125550104"),
        ("", "", "rob", "'+12125550102"),
        ("", "", "rob", "'+12125550103"),
    ]
    assert [row["type"] for row in found] == ["dect_base", "ata", "", "", ""]


def test_what_a_spreadsheet_would_run_or_shorten_is_guarded() -> None:
    raw = table(apply_to(Inventory(), OFFICE), Kind.USERS, "acme")
    assert raw.startswith(b"\xef\xbb\xbfaccount,username,")
    assert rows(raw)[0]["first_name"] == "'=cmd|' /C calc'!A0"
    assert rows(raw)[0]["extension"] == "'0123"


def test_an_export_is_of_the_accounts_that_are_wanted() -> None:
    inventory = apply_to(Inventory(), OFFICE)
    assert {row["account"] for row in rows(table(inventory, Kind.USERS))} == {"acme", "globex"}
    assert [row["username"] for row in rows(table(inventory, Kind.USERS, "globex"))] == ["kim"]


def test_columns_in_which_nobody_has_anything_are_left_out_where_they_are_many() -> None:
    [header] = csv.reader([table(apply_to(Inventory(), OFFICE), Kind.USERS).decode("utf-8-sig").splitlines()[0]])
    assert "email" in header
    assert "offsite_city" not in header


def test_a_table_without_rows_has_every_column_but_those_for_secrets() -> None:
    inventory = apply_to(Inventory(), "accounts: [{name: acme, sip_domain: acme.test}]")
    for kind in Kind:
        [header] = csv.reader(table(inventory, kind).decode("utf-8-sig").splitlines())
        assert header == [column.name for column in TABLES[kind] if column.name not in ("auth_username", "password")]


def test_no_secret_is_in_any_table() -> None:
    inventory = apply_to(
        Inventory(),
        "accounts: [{name: acme, sip_domain: acme.test, devices: [{type: ata, mac: ec74d7000001, lines: "
        "[{index: 1, extension: '2001', auth_username: fax-1, password: Sesame123}]}]}]",
    )
    for kind in Kind:
        text = table(inventory, kind).decode()
        assert "Sesame123" not in text
        assert "fax-1" not in text
