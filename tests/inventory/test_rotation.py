"""Passwords are exchanged without a moment in which the phone holds none that is valid."""

from collections.abc import Callable

import pytest
from tests.inventory.test_editor import EXTERNAL, PHONE, credentials, one_phone, password
from tests.support.workbench import Workbench

from offhook.errors import Conflict, Invalid
from offhook.events import ConfigFetched, Registered
from offhook.inventory.credentials import GRACE_SECONDS
from offhook.inventory.disabling import disable
from offhook.inventory.editor import Editor
from offhook.inventory.models import Carrier, Credential, CredentialState, Line
from offhook.inventory.retirement import OVERLAP_SECONDS
from offhook.inventory.rotation import activate_staged, drop_staged, new_password, stage_password
from offhook.sip.digest import Algorithm, ha1

ACTIVE, STAGED, RETIRING = CredentialState.ACTIVE, CredentialState.STAGED, CredentialState.RETIRING


async def do(bench: Workbench, *steps: Callable[[Editor, Line], object]) -> None:
    """Each step on the one line that there is, all in one change."""

    def run(editor: Editor) -> None:
        for step in steps:
            [line] = editor.draft.all(Line)
            step(editor, line)

    await bench.change(run)


def of_state(bench: Workbench, state: CredentialState) -> list[Credential]:
    return [credential for credential in credentials(bench) if credential.state is state]


def revision(bench: Workbench) -> int:
    return bench.inventory.get(Carrier, bench.phone("001565000001").id).revision


def registered(bench: Workbench, credential: Credential) -> Registered:
    now = bench.clock.now()
    device_id = bench.phone("001565000001").id
    return Registered(credential.line_id, device_id, "", credential.id, "", "", "", "", now + 600, now)


async def test_a_staged_password_is_another_for_the_same_name_and_in_no_file() -> None:
    bench = await one_phone()
    [active] = credentials(bench)
    before = revision(bench)
    await do(bench, stage_password)
    [staged] = of_state(bench, STAGED)
    assert of_state(bench, ACTIVE) == [active]
    assert (staged.auth_username, staged.realm, staged.aor_user) == (active.auth_username, "acme.test", "2001")
    assert password(staged) != password(active)
    assert staged.ha1 == (("MD5", ha1(Algorithm.MD5, staged.auth_username, "acme.test", password(staged))),)
    assert revision(bench) == before


async def test_activated_it_is_in_the_file_and_the_former_retires() -> None:
    bench = await one_phone()
    await do(bench, stage_password)
    [former], [staged], before = of_state(bench, ACTIVE), of_state(bench, STAGED), revision(bench)
    await do(bench, activate_staged)
    assert [credential.id for credential in of_state(bench, ACTIVE)] == [staged.id]
    [retiring] = of_state(bench, RETIRING)
    assert (retiring.id, retiring.retire_at) == (former.id, bench.clock.now() + GRACE_SECONDS)
    assert revision(bench) == before + 1


async def test_the_former_goes_when_the_phone_has_shown_the_new_one() -> None:
    bench = await one_phone()
    await do(bench, new_password)
    bench.service.note_registered(registered(bench, of_state(bench, RETIRING)[0]))
    await bench.service.retire(lambda *_: True)
    assert len(credentials(bench)) == 2
    bench.service.note_registered(registered(bench, of_state(bench, ACTIVE)[0]))
    await bench.service.retire(lambda *_: True)
    assert of_state(bench, RETIRING) == []


async def test_the_former_outlasts_the_fetch_by_its_overlap() -> None:
    bench = await one_phone()
    await do(bench, new_password)
    carrier, now = bench.phone("001565000001").id, bench.clock.now()
    bench.service.note_fetched(ConfigFetched(carrier, revision(bench), "x.cfg", "device", now, "10.0.0.9", "http"))
    await bench.service.retire(lambda *_: True)
    [retiring] = of_state(bench, RETIRING)
    assert retiring.retire_at == bench.clock.now() + OVERLAP_SECONDS
    assert bench.events[-1].revoked == frozenset()
    bench.clock.advance(OVERLAP_SECONDS)
    await bench.service.retire(lambda *_: True)
    assert of_state(bench, RETIRING) == []
    assert bench.events[-1].revoked == frozenset()


async def test_a_staged_password_outlasts_registrations_with_the_active_one() -> None:
    bench = await one_phone()
    await do(bench, stage_password)
    bench.service.note_registered(registered(bench, of_state(bench, ACTIVE)[0]))
    await bench.service.retire(lambda *_: True)
    assert len(of_state(bench, STAGED)) == 1


async def test_dropped_it_is_void() -> None:
    bench = await one_phone()
    before = credentials(bench)
    await do(bench, stage_password)
    await do(bench, drop_staged)
    assert credentials(bench) == before
    assert bench.events[-1].revoked == {bench.phone("001565000001").id}


async def test_at_once_keeps_the_name_and_drops_what_was_staged() -> None:
    bench = await one_phone()
    [former] = credentials(bench)
    await do(bench, stage_password)
    await do(bench, new_password)
    active, retiring = credentials(bench)
    assert (active.state, active.auth_username) == (ACTIVE, former.auth_username)
    assert password(active) != password(former)
    assert (retiring.id, retiring.state) == (former.id, RETIRING)


async def test_a_line_that_is_assigned_anew_needs_what_was_staged_no_longer() -> None:
    bench = await one_phone()
    await do(bench, stage_password)
    await bench.apply("accounts: [{name: acme, users: [{username: jane, extension: '2055'}]}]")
    assert [credential.aor_user for credential in credentials(bench)] == ["2055", "2001"]
    assert of_state(bench, STAGED) == []


async def test_another_algorithm_reaches_the_staged_password_too() -> None:
    bench = await one_phone()
    await do(bench, stage_password)
    await bench.apply("accounts: [{name: acme, digest_algorithms: [SHA-256, MD5]}]")
    [staged] = of_state(bench, STAGED)
    assert [name for name, _ in staged.ha1] == ["SHA-256", "MD5"]
    assert staged.ha1[0][1] == ha1(Algorithm.SHA_256, staged.auth_username, "acme.test", password(staged))


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ((stage_password, stage_password), "line 1 of 00:15:65:00:00:01 has a staged password already"),
        ((activate_staged,), "line 1 of 00:15:65:00:00:01 has no staged password"),
        ((drop_staged,), "line 1 of 00:15:65:00:00:01 has no staged password"),
    ],
)
async def test_one_password_is_staged_at_a_time(
    steps: tuple[Callable[[Editor, Line], object], ...], message: str
) -> None:
    with pytest.raises(Conflict, match=message) as told:
        await do(await one_phone(), *steps)
    assert told.value.remedy


@pytest.mark.parametrize("step", [stage_password, new_password])
async def test_nothing_is_made_for_lines_that_hold_nothing_made_here(step: Callable[[Editor, Line], object]) -> None:
    bench = await one_phone()
    await bench.change(lambda editor: disable(editor, bench.phone("001565000001")))
    with pytest.raises(Invalid, match="has no credentials, so no password can be made for it"):
        await do(bench, step)
    other = Workbench()
    await other.apply(EXTERNAL % f"{{{PHONE}, lines: [{{index: 1, auth_username: pbx, password: abc}}]}}")
    with pytest.raises(Invalid, match="has credentials of another registrar"):
        await do(other, step)
