from dataclasses import replace

from tests.support.inventory import account, device, inventory_of, line, location, user

from offhook.inventory.auditing import Accounts, Actor, audit_records, changed_things
from offhook.inventory.differences import find_differences
from offhook.inventory.editor import Note
from offhook.inventory.models import Account, Entity, User
from offhook.inventory.snapshot import Draft, Inventory

JANE = Actor("jane", "10.0.0.9", "abc")
BEFORE = inventory_of(
    account(1),
    account(2),
    user(10),
    user(20, account_id=2),
    location(11, name="HQ"),
    device(12),
    line(13, device_id=12),
)


def recorded(draft: Draft, *notes: Note) -> list[tuple[str, str, str, int, str]]:
    after = draft.freeze()
    differences = find_differences(BEFORE, after, draft.changes)
    records = audit_records(JANE, Accounts(BEFORE, after), differences, notes, 1.5)
    return [(it.action, it.kind, it.key, it.account_id, it.reason) for it in records]


def put(*entities: Entity) -> Draft:
    draft = BEFORE.draft()
    for entity in entities:
        draft.put(entity)
    return draft


def test_a_record_says_which_account_it_concerns() -> None:
    draft = put(
        user(10, first_name="Joan"), user(20, account_id=2, first_name="Kim"), line(13, device_id=12, user_id=10)
    )
    assert recorded(draft) == [
        ("update", "user", "user user10", 1, ""),
        ("update", "user", "user user20", 2, ""),
        ("update", "line", "line 1 of 00:15:65:12:34:61", 1, ""),
    ]


def test_an_account_that_comes_or_goes_is_told_by_its_id() -> None:
    draft = put(account(3), replace(BEFORE.get(Account, 1), name="renamed"))
    draft.delete(BEFORE.get(User, 20))
    draft.delete(BEFORE.get(Account, 2))
    assert recorded(draft) == [
        ("delete", "account", "account account2", 2, ""),
        ("create", "account", "account account3", 3, ""),
        ("update", "account", "account renamed", 1, ""),
        ("delete", "user", "user user20", 2, ""),
    ]


def test_what_was_noted_names_the_action_or_is_a_record_of_its_own() -> None:
    changed, untouched = user(10, first_name="Joan"), BEFORE.get(User, 20)
    notes = Note("renamed", changed, "by marriage"), Note("asked", untouched, "by the PBX")
    assert recorded(put(changed), *notes) == [
        ("renamed", "user", "user user10", 1, "by marriage"),
        ("asked", "user", "user user20", 2, "by the PBX"),
    ]


def test_things_of_the_same_name_in_two_accounts_are_told_apart() -> None:
    ours, theirs = location(11, name="HQ", timezone="UTC"), location(21, account_id=2, name="HQ")
    notes = [Note("moved", theirs, "to town")]
    assert recorded(put(ours, theirs), *notes) == [
        ("update", "location", "location HQ", 1, ""),
        ("moved", "location", "location HQ", 2, "to town"),
    ]


def test_a_record_holds_who_asked_and_what_differs() -> None:
    draft = put(user(10, first_name="Joan"), user(30, username="kim"))
    draft.delete(BEFORE.get(User, 20))
    after = draft.freeze()
    differences = find_differences(BEFORE, after, draft.changes)
    records = {it.action: it for it in audit_records(JANE, Accounts(BEFORE, after), differences, (), 1.5)}
    update = records["update"]
    assert (update.at, update.actor, update.origin, update.request_id) == (1.5, "jane", "10.0.0.9", "abc")
    assert (update.before, update.after) == ('{"first_name": "Jane"}', '{"first_name": "Joan"}')
    assert (records["create"].before, records["delete"].after) == ("", "")
    assert '"username": "kim"' in records["create"].after


def test_listeners_are_told_the_same() -> None:
    draft = put(user(10, first_name="Joan"))
    after: Inventory = draft.freeze()
    [thing] = changed_things(Accounts(BEFORE, after), find_differences(BEFORE, after, draft.changes))
    assert (thing.action, thing.kind, thing.key, thing.account_id) == ("update", "user", "user user10", 1)
