"""What lines show to the registrar: kept while it is right, left to retire, or void at once."""

from typing import Any

import pytest
from tests.inventory.test_editor import password
from tests.support.inventory import BOX, account, credential, device, inventory_of, line, user
from tests.support.workbench import VENDORS, StillClock

from offhook.inventory.credentials import CredentialEditor, GivenCredential, find_revoked
from offhook.inventory.generated import IdSource
from offhook.inventory.models import Account, Credential, CredentialState, DeviceState
from offhook.inventory.snapshot import Draft

NOTHING = GivenCredential()
SHAPE = "abcdefghjkmnpqrstuvwxyz23456789"


def site(*credentials: Credential, owner: Account | None = None, **changes: Any) -> Draft:
    """Jane's phone, and the credentials of its line."""
    return inventory_of(owner or account(), user(), device(**changes), line(user_id=1), *credentials).draft()


def editor_of(draft: Draft) -> CredentialEditor:
    clock = StillClock()
    return CredentialEditor(draft, IdSource(clock), BOX, VENDORS, clock.now())


def states(draft: Draft) -> list[CredentialState]:
    return [held.state for held in sorted(draft.credentials_of(1), key=lambda held: held.id)]


def test_what_is_right_is_kept() -> None:
    draft = site(credential(), credential(2, state=CredentialState.STAGED))
    editor_of(draft).settle(line(user_id=1), NOTHING)
    assert draft.changes == ()


def test_a_line_without_one_gets_one_of_its_vendors_shape() -> None:
    draft = site()
    editor = editor_of(draft)
    editor.settle(line(user_id=1), NOTHING)
    [made] = draft.credentials_of(1)
    assert (made.state, made.realm, made.aor_user) == (CredentialState.ACTIVE, "acme.test", "2001")
    assert len(password(made)) == 24
    assert set(password(made)) <= set(SHAPE)
    assert editor.reveal(made).reveal() == password(made)


def test_out_of_service_nothing_is_held() -> None:
    draft = site(credential(), credential(2, state=CredentialState.RETIRING), state=DeviceState.DISABLED)
    editor_of(draft).settle(line(user_id=1), GivenCredential("jane"))
    assert draft.credentials_of(1) == ()


@pytest.mark.parametrize("change", [{"aor_user": "2099"}, {"realm": "old.test"}])
def test_what_is_replaced_retires_and_what_was_to_succeed_it_goes(change: dict[str, Any]) -> None:
    draft = site(credential(**change), credential(2, state=CredentialState.STAGED, **change))
    editor_of(draft).settle(line(user_id=1), NOTHING)
    assert states(draft) == [CredentialState.RETIRING, CredentialState.ACTIVE]


def test_void_is_what_was_made_here() -> None:
    foreign = credential(3, is_external=True)
    draft = site(credential(), credential(2, state=CredentialState.RETIRING), foreign)
    editor = editor_of(draft)
    editor.void(device())
    assert draft.credentials_of(1) == (foreign,)
    editor.revoke(line())
    assert draft.credentials_of(1) == ()


def test_revoked_is_who_lost_what_had_not_been_left_to_retire() -> None:
    draft = site(
        credential(), credential(2, state=CredentialState.STAGED), credential(3, state=CredentialState.RETIRING)
    )
    editor = editor_of(draft)
    editor.drop(credential(3, state=CredentialState.RETIRING))
    assert find_revoked(draft, draft.changes) == frozenset()
    editor.drop(credential(2, state=CredentialState.STAGED))
    assert find_revoked(draft, draft.changes) == {1}
    draft = site(credential())
    editor_of(draft).settle(line(user_id=1), GivenCredential("jane"))
    assert find_revoked(draft, draft.changes) == frozenset()
    draft = site(credential())
    draft.delete(credential())
    draft.delete(line(user_id=1))
    assert find_revoked(draft, draft.changes) == frozenset()
