"""Changes are made one at a time, durable before anyone sees them, and finished once they are under way."""

import asyncio
import json
import threading
import traceback
from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.inventory.test_apply import JANE, ROBIN, site, snapshot
from tests.inventory.test_editor import PHONE, credentials, one_phone, password
from tests.support.inventory import BOX
from tests.support.workbench import JANE as ACTOR
from tests.support.workbench import K2, MemoryStore, Workbench

from offhook.errors import Conflict, DocumentError, StoreUnavailable
from offhook.events import ConfigFetched, Registered
from offhook.inventory.credentials import GRACE_SECONDS
from offhook.inventory.editor import Editor
from offhook.inventory.models import Account, Carrier, Credential, CredentialState, Device, User
from offhook.inventory.retirement import OVERLAP_SECONDS
from offhook.inventory.snapshot import Inventory


def registered(bench: Workbench, credential: Credential) -> Registered:
    return Registered(
        line_id=credential.line_id,
        device_id=bench.phone("001565000001").id,
        address_of_record="sip:2001@acme.test",
        credential_id=credential.id,
        contact="sip:2001@127.0.0.1:5062",
        source="127.0.0.1:5062",
        transport="udp",
        user_agent="Yealink",
        expires_at=bench.clock.now() + 3600,
        at=bench.clock.now(),
    )


def fetched(bench: Workbench, revision: int) -> ConfigFetched:
    carrier_id = bench.phone("001565000001").id
    return ConfigFetched(carrier_id, revision, "001565000001.cfg", "device", bench.clock.now(), "127.0.0.1", "http")


def never(inventory: Inventory, account: Account) -> bool:
    return False


def always(inventory: Inventory, account: Account) -> bool:
    return True


# -- committing -----------------------------------------------------------------------------------------------------


async def test_what_was_committed_is_there_after_a_restart() -> None:
    bench = Workbench()
    await bench.apply(K2)
    again = Workbench(bench.store.load())
    await again.service.load()
    assert snapshot(again.inventory) == snapshot(bench.inventory)
    assert again.store.commits == 0


async def test_a_store_that_fails_changes_nothing() -> None:
    bench = await one_phone()
    before, events = snapshot(bench.inventory), len(bench.events)
    bench.store.fails = True
    with pytest.raises(StoreUnavailable):
        await bench.apply(site(users="{username: kim}"))
    assert snapshot(bench.inventory) == before
    assert len(bench.events) == events
    bench.store.fails = False
    await bench.apply(site(users="{username: kim}"))
    assert bench.inventory.find_user("kim") is not None


async def test_concurrent_changes_are_made_one_after_the_other() -> None:
    with ThreadPoolExecutor(4) as executor:
        bench = Workbench(executor=executor)
        await bench.apply(site())
        await asyncio.gather(*(bench.apply(site(users=f"{{username: user{i}}}")) for i in range(20)))
        assert bench.inventory.count(User) == 20
        assert len({user.id for user in bench.inventory.all(User)}) == 20


class SlowStore(MemoryStore):
    """Commits when it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.reached = threading.Event()
        self.released = threading.Event()

    def commit(self, *args: object) -> None:
        self.reached.set()
        assert self.released.wait(10)
        super().commit(*args)  # type: ignore[arg-type]  # passed on as they came


async def test_a_change_under_way_is_finished_and_published_when_its_caller_is_cancelled() -> None:
    with ThreadPoolExecutor(2) as executor:
        bench = Workbench(executor=executor)
        store = SlowStore()
        bench.service._store = store
        caller = asyncio.create_task(bench.apply(site(users=JANE)))
        await asyncio.to_thread(store.reached.wait, 10)
        waiting = asyncio.create_task(bench.apply(site(users=ROBIN)))
        await asyncio.sleep(0)
        caller.cancel()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await caller
        assert bench.events == []
        store.released.set()
        await bench.service.finish()
        assert [user.username for user in bench.inventory.all(User)] == ["jane"]
        assert len(bench.events) == 1
        await bench.apply(site(users=ROBIN))
        assert bench.inventory.count(User) == 2


async def test_a_change_that_fails_after_its_caller_has_gone_lets_the_next_one_in() -> None:
    with ThreadPoolExecutor(2) as executor:
        bench = Workbench(executor=executor)
        store = SlowStore()
        store.fails = True
        bench.service._store = store
        caller = asyncio.create_task(bench.apply(site(users=JANE)))
        await asyncio.to_thread(store.reached.wait, 10)
        caller.cancel()
        with pytest.raises(asyncio.CancelledError):
            await caller
        store.released.set()
        await bench.service.finish()
        store.fails = False
        await bench.apply(site(users=ROBIN))
        assert [user.username for user in bench.inventory.all(User)] == ["robin"]


async def test_a_rule_refuses_a_single_change() -> None:
    bench = await one_phone()
    with pytest.raises(Conflict, match="the extension 2002 is taken: by user robin"):
        await bench.service.change(lambda editor: set_extension(editor, "jane", "2002"), ACTOR)
    assert bench.user("jane").extension == "2001"


def set_extension(editor: Editor, username: str, extension: str) -> None:
    user = editor.draft.find_user(username)
    assert user is not None
    editor.change(user, extension=extension)


async def test_two_users_swap_names_and_extensions_in_one_change() -> None:
    bench = Workbench()
    await bench.apply(site(users=f"{JANE}, {ROBIN}"))
    jane, robin = bench.user("jane"), bench.user("robin")

    def swap(editor: Editor) -> None:
        editor.change(jane, username="robin", extension="2002")
        editor.change(robin, username="jane", extension="2001")

    await bench.service.change(swap, ACTOR)
    assert (bench.user("jane").id, bench.user("robin").id) == (robin.id, jane.id)


async def test_ids_rise_even_when_the_clock_is_set_back() -> None:
    bench = await one_phone()
    again = Workbench(bench.store.load())
    again.clock.time = 1.0
    await again.service.load()
    await again.apply(site(users="{username: kim}"))
    assert again.user("kim").id > max(device.id for device in again.inventory.all(Device))


# -- revisions ------------------------------------------------------------------------------------------------------


def carrier(bench: Workbench) -> Carrier:
    return bench.inventory.get(Carrier, bench.phone("001565000001").id)


async def test_a_revision_rises_exactly_when_the_configuration_changes() -> None:
    bench = await one_phone()
    assert (carrier(bench).revision, carrier(bench).registration_revision) == (1, 1)
    await bench.apply(site(locations="{name: HQ}", users="{username: jane, email: j@acme.test}"))
    assert carrier(bench).revision == 1
    plan = await bench.apply(site(users="{username: jane, last_name: Doe}"))
    assert (carrier(bench).revision, carrier(bench).registration_revision) == (2, 1)
    assert [(reload.device, reload.revision, reload.is_new) for reload in plan.reloads] == [
        ("00:15:65:00:00:01", 2, False)
    ]
    await bench.apply(site(users='{username: jane, extension: "2055"}'))
    assert (carrier(bench).revision, carrier(bench).registration_revision) == (3, 3)
    assert bench.events[-1].revised == {bench.phone("001565000001").id}


async def test_revisions_follow_templates() -> None:
    bench = await one_phone()
    assert await bench.service.refresh_revisions() == frozenset()
    bench.digests.template = "template 2"
    audit = len(bench.store.audit)
    assert await bench.service.refresh_revisions() == {bench.phone("001565000001").id}
    assert (carrier(bench).revision, carrier(bench).registration_revision) == (2, 1)
    assert len(bench.store.audit) == audit
    bench.digests.without_files.add("yealink")
    await bench.service.refresh_revisions()
    assert bench.inventory.find(Carrier, bench.phone("001565000001").id) is None


async def test_a_handset_raises_the_revision_of_its_base_and_of_no_other() -> None:
    bench = Workbench()
    await bench.apply(K2)
    await bench.apply('accounts: [{name: acme, users: [{username: rlee, extension: "2042"}]}]')
    assert bench.events[-1].revised == {bench.phone("000413aabbcc").id}


# -- credentials whose time is over ---------------------------------------------------------------------------------


async def two_credentials() -> tuple[Workbench, Credential, Credential]:
    bench = await one_phone()
    await bench.apply(site(devices=f"{{{PHONE}, user: robin}}"))
    new, old = credentials(bench)
    return bench, new, old


async def test_old_credentials_stay_while_nothing_is_known() -> None:
    bench, new, old = await two_credentials()
    bench.clock.advance(GRACE_SECONDS - 1)
    await bench.service.retire(always)
    assert credentials(bench) == [new, old]


async def test_old_credentials_go_when_the_grace_ends() -> None:
    bench, new, _ = await two_credentials()
    bench.clock.advance(GRACE_SECONDS)
    await bench.service.retire(always)
    assert credentials(bench) == [new]


async def test_old_credentials_go_when_the_line_registers_with_the_new() -> None:
    bench, new, old = await two_credentials()
    bench.service.note_registered(registered(bench, old))
    await bench.service.retire(always)
    assert credentials(bench) == [new, old]
    bench.service.note_registered(registered(bench, new))
    await bench.service.retire(always)
    assert credentials(bench) == [new]


async def test_old_credentials_have_minutes_left_once_the_device_has_fetched_the_new() -> None:
    bench, new, old = await two_credentials()
    bench.service.note_fetched(fetched(bench, 1))
    await bench.service.retire(always)
    assert credentials(bench) == [new, old]
    bench.service.note_fetched(fetched(bench, 2))
    await bench.service.retire(always)
    assert credentials(bench)[1].retire_at == bench.clock.now() + OVERLAP_SECONDS
    bench.clock.advance(OVERLAP_SECONDS)
    await bench.service.retire(always)
    assert credentials(bench) == [new]


async def test_what_was_seen_is_not_forgotten_when_the_store_fails() -> None:
    bench, new, _ = await two_credentials()
    bench.service.note_registered(registered(bench, new))
    bench.store.fails = True
    with pytest.raises(StoreUnavailable):
        await bench.service.retire(always)
    bench.store.fails = False
    await bench.service.retire(always)
    assert credentials(bench) == [new]


async def test_retiring_credentials_are_known_after_a_restart() -> None:
    bench, new, _ = await two_credentials()
    again = Workbench(bench.store.load())
    await again.service.load()
    again.clock.advance(GRACE_SECONDS)
    await again.service.retire(always)
    assert [credential.id for credential in again.inventory.all(Credential)] == [new.id]


async def test_former_domains_go_when_no_carrier_is_behind() -> None:
    bench = await one_phone()
    await bench.apply("accounts: [{name: acme, sip_domain: new.test}]")
    await bench.service.retire(always)
    assert bench.inventory.find_domain("acme.test") is not None
    await bench.service.retire(never)
    assert bench.inventory.find_domain("acme.test") is None
    assert bench.inventory.find_domain("new.test") is not None


async def test_retiring_overwrites_no_change_that_came_meanwhile() -> None:
    with ThreadPoolExecutor(2) as executor:
        bench = Workbench(executor=executor)
        await bench.apply(site())
        await bench.apply("accounts: [{name: acme, sip_domain: new.test}]")
        edit = asyncio.create_task(bench.apply("accounts: [{name: acme, language: de, sip_domain: newer.test}]"))
        await asyncio.sleep(0)
        await bench.service.retire(never)
        await edit
        [account] = bench.inventory.all(Account)
        assert (account.language, account.sip_domain) == ("de", "newer.test")
        assert account.former_domains == ("acme.test", "new.test")


# -- tokens ---------------------------------------------------------------------------------------------------------


async def rotate(bench: Workbench, grace_seconds: float, **options: bool) -> None:
    def edit(editor: Editor) -> None:
        [account] = editor.draft.all(Account)
        editor.rotate_token(account, grace_seconds, **options)

    await bench.service.change(edit, ACTOR)


async def test_a_former_token_goes_when_its_grace_is_over_and_not_that_of_a_later_change() -> None:
    with ThreadPoolExecutor(2) as executor:
        bench = Workbench(executor=executor)
        await bench.apply(site())
        await rotate(bench, 60)
        await bench.service.retire(never)
        [held] = bench.inventory.all(Account)
        assert held.former_token_digest is not None
        bench.clock.advance(60)
        again = asyncio.create_task(rotate(bench, 60))
        await asyncio.sleep(0)
        await bench.service.retire(never)
        await again
        [held] = bench.inventory.all(Account)
        assert held.former_token_until == bench.clock.now() + 60
        bench.clock.advance(60)
        await bench.service.retire(never)
        [held] = bench.inventory.all(Account)
        assert (held.former_token_digest, held.former_token_until) == (None, None)
        assert bench.store.audit[-1].actor == "offhook"
        commits = bench.store.commits
        await bench.service.retire(never)
        assert bench.store.commits == commits


async def test_what_is_kept_without_rules_is_audited_by_what_was_noted() -> None:
    bench = await one_phone()
    jane, robin = bench.user("jane"), bench.user("robin")
    audited = len(bench.store.audit)

    def edit(editor: Editor) -> None:
        editor.note("renamed", editor.change(jane, first_name="Joan"), "by marriage")
        editor.note("counted", editor.change(robin, pin_failures=1))

    inventory = await bench.service.keep(edit, ACTOR)
    assert inventory is bench.inventory
    assert [(part.action, part.key, part.after, part.reason) for part in bench.store.audit[audited:]] == [
        ("renamed", "user jane", '{"first_name": "Joan"}', "by marriage"),
        ("counted", "user robin", "", ""),
    ]


# -- the audit ------------------------------------------------------------------------------------------------------


async def test_the_audit_says_who_did_what_and_holds_no_secret() -> None:
    bench = Workbench()
    await bench.apply(K2)
    await bench.apply(
        'accounts: [{name: acme, devices: [{mac: 001565123456, lines: [{index: 1, password: "Sesame!42"}]}]}]'
    )
    await bench.apply('accounts: [{name: acme, users: [{username: jsmith, extension: "2009"}]}]')
    records = bench.store.audit
    assert {(record.actor, record.origin, record.request_id) for record in records} == {
        ("jane", "uid 1000", "request 1")
    }
    [change] = [record for record in records if record.action == "update" and record.kind == "user"]
    assert (change.key, json.loads(change.before), json.loads(change.after)) == (
        "user jsmith", {"extension": "2001"}, {"extension": "2009"}
    )  # fmt: skip
    secrets = {password(credential) for credential in bench.inventory.all(Credential)}
    secrets |= {value for credential in bench.inventory.all(Credential) for _, value in credential.ha1}
    secrets |= {BOX.open(a.sealed_token, f"account:{a.id}:token").reveal() for a in bench.inventory.all(Account)}
    text = repr(records)
    assert "Sesame!42" in secrets
    assert not [secret for secret in secrets if secret in text]


async def test_a_reveal_is_audited_before_it_happens() -> None:
    bench = await one_phone()
    text = await bench.service.export(None, with_secrets=True, actor=ACTOR)
    assert password(credentials(bench)[0]) in text
    assert (bench.store.audit[-1].action, bench.store.audit[-1].key) == ("reveal", "all accounts")
    bench.store.fails = True
    with pytest.raises(StoreUnavailable):
        await bench.service.export(None, with_secrets=True, actor=ACTOR)
    assert password(credentials(bench)[0]) not in await bench.service.export(None, with_secrets=False, actor=ACTOR)


async def test_tokens_and_passwords_are_revealed_on_request() -> None:
    bench = await one_phone()
    [account] = bench.inventory.all(Account)
    token = bench.service.reveal_account_token(account)
    assert bench.inventory.find_account_by_token(BOX.digest(token.reveal()), 0.0) == account
    [credential] = credentials(bench)
    assert bench.service.reveal_password(credential).reveal() == password(credential)
    assert credential.state is CredentialState.ACTIVE


async def test_a_document_that_is_none_changes_nothing() -> None:
    bench = Workbench()
    for text in ("", "accounts: 7", "accounts: [", "\x00", "accounts: [{name: [}]}]"):
        with pytest.raises(DocumentError):
            await bench.apply(text)
    assert bench.store.commits == 0


async def test_a_refusal_does_not_keep_the_draft_that_it_was_found_in() -> None:
    """Its frames would hold it, and the collector of garbage has it only much later."""
    bench = Workbench()
    refusals = []
    for attempt in (bench.apply, bench.plan):
        with pytest.raises(DocumentError) as caught:
            await attempt("accounts: [{name: acme}]")
        refusals.append(caught.value)
    for refusal in refusals:
        assert refusal.__context__ is None
        frames = [frame.name for frame in traceback.extract_tb(refusal.__traceback__)]
        assert "run" in frames
        assert "_prepare" not in frames
