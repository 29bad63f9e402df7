"""What devices say of themselves is kept, and written down when it has changed."""

from dataclasses import replace

from tests.support.inventory import account, carrier, device, inventory_of

from offhook.events import ConfigFetched, InventoryChanged, Registered, RenderFailed
from offhook.inventory.facts import Agent, DeviceFacts, FactBook

FETCHED = ConfigFetched(
    1,
    7,
    "001565123456.cfg",
    "device",
    1000.0,
    "192.0.2.7",
    "http",
    "Yealink SIP-T46U",
    "yealink",
    "T46U",
    "108.86.0.20",
)
REGISTERED = Registered(
    1, 1, "sip:2001@acme.test", 5, "sip:x", "[2001:db8::7]:5062", "udp", "Yealink", expires_at=4600.0, at=1001.0
)


def test_a_device_that_was_never_seen_has_blank_facts() -> None:
    assert FactBook().of(9) == DeviceFacts(device_id=9)


def test_a_fetch_tells_address_model_firmware_and_revision() -> None:
    book = FactBook()
    book.note_fetched(FETCHED)
    facts = book.of(1)
    assert (facts.ip, facts.vendor, facts.model, facts.firmware) == ("192.0.2.7", "yealink", "T46U", "108.86.0.20")
    assert (facts.fetched_revision, facts.last_provisioned_at) == (7, 1000.0)


def test_a_file_without_a_revision_proves_none_and_forgets_nothing() -> None:
    book = FactBook()
    book.note_fetched(FETCHED)
    book.note_fetched(replace(FETCHED, revision=0, model="", firmware="", at=2000.0, source="192.0.2.8"))
    facts = book.of(1)
    assert (facts.ip, facts.model, facts.firmware, facts.fetched_revision) == ("192.0.2.8", "T46U", "108.86.0.20", 7)
    assert facts.last_provisioned_at == 1000.0


def test_a_failure_lasts_until_a_fetch() -> None:
    book = FactBook()
    book.note_failed(RenderFailed(1, 7, "x" * 5000, 900.0))
    assert len(book.of(1).failure) == 1024
    book.note_fetched(FETCHED)
    assert book.of(1).failure == ""


def test_a_registration_tells_the_address_and_the_program_where_nothing_else_does() -> None:
    book = FactBook()
    book.note_registered(REGISTERED)
    assert (book.of(1).ip, book.of(1).user_agent, book.of(1).last_registered_at) == ("2001:db8::7", "Yealink", 1001.0)
    book.note_fetched(FETCHED)
    book.note_registered(replace(REGISTERED, user_agent="Other", source="192.0.2.9:5060"))
    assert (book.of(1).ip, book.of(1).user_agent) == ("192.0.2.9", "Yealink SIP-T46U")


def test_texts_from_outside_are_cut() -> None:
    book = FactBook()
    book.note_fetched(replace(FETCHED, user_agent="a" * 999, model="b" * 999, firmware="c" * 999))
    book.note_registered(replace(REGISTERED, device_id=2, user_agent="d" * 999))
    facts = book.of(1)
    assert {len(text) for text in (facts.user_agent, facts.model, facts.firmware, book.of(2).user_agent)} == {256}


def test_changes_are_handed_over_once_and_can_be_put_back() -> None:
    book = FactBook([DeviceFacts(device_id=3)])
    assert book.take_changed() == []
    book.note_registered(REGISTERED)
    [taken] = book.take_changed()
    assert book.take_changed() == []
    book.put_back([taken, DeviceFacts(device_id=77)])
    assert book.take_changed() == [taken]


def test_facts_go_with_their_device() -> None:
    book = FactBook([DeviceFacts(device_id=3)])
    book.note_registered(REGISTERED)
    change = InventoryChanged("jane", "-", frozenset({1, 2, 3}), frozenset(), 1.0)
    inventory = inventory_of(account(), device(3), carrier(3))
    assert book.forget(change, inventory) == [1]
    assert book.of(1) == DeviceFacts(device_id=1)
    assert book.take_changed() == []


def test_facts_of_hardware_that_was_replaced_are_past() -> None:
    book = FactBook([DeviceFacts(device_id=3, firmware="1")])
    book.note_fetched(FETCHED)
    book.take_changed()
    change = InventoryChanged("jane", "-", frozenset({1, 3}), frozenset(), 1.0, replaced=frozenset({1, 2}))
    assert book.forget(change, inventory_of(account(), device(1), carrier(1), device(3), carrier(3))) == []
    assert book.of(1) == DeviceFacts(device_id=1)
    assert book.of(3).firmware == "1"
    assert book.take_changed() == [DeviceFacts(device_id=1)]


def test_a_device_without_files_has_fetched_nothing() -> None:
    book = FactBook()
    book.note_fetched(FETCHED)
    change = InventoryChanged("jane", "-", frozenset({1}), frozenset(), 1.0)
    assert book.forget(change, inventory_of(account(), device(1))) == []
    assert (book.of(1).fetched_revision, book.of(1).firmware) == (0, "108.86.0.20")


def test_a_new_binding_tells_what_the_device_is_and_a_refresh_nothing_more() -> None:
    book = FactBook(read_agent=lambda text: Agent("yealink", "T46U", text.rpartition(" ")[2]))
    book.note_registered(replace(REGISTERED, user_agent="Yealink SIP-T46U 108.86.0.20"))
    facts = book.of(1)
    assert (facts.vendor, facts.model, facts.firmware) == ("yealink", "T46U", "108.86.0.20")
    book.note_registered(replace(REGISTERED, user_agent="Yealink SIP-T46U 108.86.0.99", refreshed=True))
    assert book.of(1).firmware == "108.86.0.20"


def test_who_watches_learns_of_every_device_whose_facts_change() -> None:
    told: list[int] = []
    book = FactBook([DeviceFacts(device_id=3)])
    book.watch(told.append)
    book.note_fetched(FETCHED)
    book.note_registered(replace(REGISTERED, device_id=2))
    book.note_failed(RenderFailed(3, 1, "line 3", 1.0))
    assert told == [1, 2, 3]
    book.put_back(book.take_changed())
    assert told == [1, 2, 3]
