"""A breach reads as one sentence, and names the first few of many."""

from tests.support.inventory import account, inventory_of, user

from offhook.inventory.rules import Breach
from offhook.inventory.rules.breach import ids_of, judge_account, name_first


def test_a_breach_ends_with_its_remedy() -> None:
    assert str(Breach(user(), "extension", "the extension is taken")) == "the extension is taken"
    breach = Breach(user(), "extension", "the extension is taken", remedy="choose another")
    assert str(breach) == "the extension is taken; choose another"


def test_of_many_five_are_named_and_the_others_counted() -> None:
    users = [user(n) for n in range(1, 8)]
    inventory = inventory_of(account(), *users)
    assert name_first(users, inventory) == "user user1, user user2, user user3, user user4, user user5 and 2 more"
    assert name_first(users[:5], inventory) == "user user1, user user2, user user3, user user4, user user5"
    assert ids_of(*users[:3]) == (1, 2, 3)


def test_what_refers_to_each_other_is_of_one_account() -> None:
    assert list(judge_account(user(), "location", 1, 1, "location HQ")) == []
    [breach] = judge_account(user(), "location", 2, 1, "location HQ")
    assert (breach.field, breach.message) == ("location", "location HQ belongs to another account")
