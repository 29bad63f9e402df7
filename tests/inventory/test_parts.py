import pytest
from tests.support.workbench import JANE, K2, Workbench

from offhook.errors import Conflict, Fault, Invalid
from offhook.inventory.editor import Editor
from offhook.inventory.models import User
from offhook.inventory.parts import apply_part, refuse_faults
from offhook.yamldoc import Value


async def _bench() -> Workbench:
    bench = Workbench()
    await bench.apply(K2)
    return bench


async def test_a_part_creates_and_changes_as_a_document_would() -> None:
    bench = await _bench()

    def create(editor: Editor) -> None:
        apply_part(editor, "acme", "users", {"username": "Kim", "extension": "2777"})

    await bench.service.change(create, JANE)

    def change(editor: Editor) -> None:
        apply_part(editor, "acme", "users", {"username": "kim", "first_name": "Kim", "extension": None})

    await bench.service.change(change, JANE)
    user = bench.inventory.find_user("kim")
    assert user is not None
    assert (user.first_name, user.extension) == ("Kim", None)


async def test_every_fault_is_named_from_the_part() -> None:
    bench = await _bench()

    def edit(editor: Editor) -> None:
        apply_part(editor, "acme", "users", {"username": "kim", "plan": "gold", "location": "Nowhere"})

    with pytest.raises(Invalid) as refused:
        await bench.service.change(edit, JANE)
    assert [fault.path for fault in refused.value.faults] == ["plan", "location"]
    assert bench.inventory.find_user("kim") is None


async def test_what_contradicts_what_is_there_is_a_conflict_with_its_rule() -> None:
    bench = await _bench()

    def edit(editor: Editor) -> None:
        apply_part(editor, "acme", "users", {"username": "kim", "extension": "2001"})

    with pytest.raises(Conflict) as refused:
        await bench.service.change(edit, JANE)
    assert refused.value.field == "extension"
    assert "N2" in refused.value.rule
    assert refused.value.remedy


async def test_others_are_changed_along_or_nothing_is() -> None:
    bench = await _bench()

    def edit(editor: Editor) -> None:
        device: dict[str, Value] = {"mac": "001565000077", "name": "Desk"}
        others = {"devices": [device]}
        apply_part(editor, "acme", "users", {"username": "kim", "extension": "2777"}, others=others)

    with pytest.raises(Invalid, match="a new device needs a type") as refused:
        await bench.service.change(edit, JANE)
    assert refused.value.field == "devices[0]"
    assert bench.inventory.find_user("kim") is None


def test_nothing_wrong_is_nothing_refused() -> None:
    refuse_faults([])
    with pytest.raises(Conflict, match="taken") as refused:
        refuse_faults([Fault("taken", "name", rule="R", remedy="choose", is_conflict=True), Fault("other", "x")])
    assert (refused.value.field, refused.value.rule, refused.value.remedy) == ("name", "R", "choose")
    assert len(refused.value.faults) == 2


async def test_an_account_is_a_part_of_its_own() -> None:
    bench = await _bench()
    await bench.service.change(
        lambda editor: apply_part(editor, None, "accounts", {"name": "acme", "tones": "DE"}), JANE
    )
    account = bench.inventory.find_account("acme")
    assert account is not None
    assert account.tones == "de"
    assert bench.inventory.count(User) == 2
