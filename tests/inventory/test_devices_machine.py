"""Devices, users and DECT systems against a small model of them: in whatever order things are done, the rules hold."""

import copy
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from tests.support.revisions import Site

from offhook.errors import InventoryError
from offhook.inventory.assigning import assign_line, get_line, move_user
from offhook.inventory.disabling import disable, enable
from offhook.inventory.editor import Editor
from offhook.inventory.models import (
    Account,
    BaseRole,
    Credential,
    CredentialState,
    DectSystem,
    Device,
    DeviceState,
    DeviceType,
    Line,
    User,
)
from offhook.inventory.pairing import move_base, pair, set_role, unpair
from offhook.inventory.replacement import replace_device
from offhook.inventory.rotation import activate_staged, drop_staged, new_password, stage_password
from offhook.inventory.rules import physical_devices_of

PHONE, SOFTPHONE = DeviceType.DESKPHONE, DeviceType.SOFTPHONE
BASE, HANDSET = DeviceType.DECT_BASE, DeviceType.DECT_HANDSET
PHYSICAL = (PHONE, HANDSET)
#: What holds a user.
HOLDERS = (PHONE, SOFTPHONE, HANDSET)
#: By a base of model B2, or by the system that it leads.
HANDSETS_HELD = 2

ONE_DEVICE, ONE_LEADER = "one device per user (R10)", "one base leads a DECT system (R2)"
PAIRED, FULL = "handsets stand under their base (R2)", "handsets by model (T2)"
ONE_MAC, ONE_IPEI = "a MAC is unique in the daemon (R1)", "an IPEI is unique in the daemon (R1)"
FREE, NAMED = "the new hardware is of the same type, and free (R13)", "a softphone is known by its name (R1)"
PICK = st.integers(0, 99)


@dataclass
class Thing:
    """A device as it should be. Others are named by their ids."""

    type: DeviceType
    identifier: str
    active: bool = True
    base: int | None = None
    system: int | None = None
    role: BaseRole | None = None
    user: int | None = None


@dataclass
class Model:
    """What should be there."""

    things: dict[int, Thing] = field(default_factory=dict)

    def of(self, *kinds: DeviceType) -> list[int]:
        return [thing_id for thing_id, thing in self.things.items() if thing.type in kinds]

    def others(self, base: int, system: int | None) -> list[int]:
        """The other bases of a system."""
        return [other for other in self.of(BASE) if other != base and self.things[other].system == system is not None]

    def leads(self, base: int) -> bool:
        return self.things[base].role is not BaseRole.MEMBER

    def leader_of(self, base: int) -> int:
        bases = [base, *self.others(base, self.things[base].system)]
        return next((other for other in bases if self.leads(other)), base)

    def carrier_of(self, handset: int) -> int | None:
        base = self.things[handset].base
        return None if base is None else self.leader_of(base)

    def in_service(self, thing_id: int) -> bool:
        base = self.things[thing_id].base
        holders = [thing_id] if base is None else [thing_id, base, self.leader_of(base)]
        return all(self.things[holder].active for holder in holders)

    def is_overfull(self) -> bool:
        carriers = Counter(carrier for handset in self.of(HANDSET) if (carrier := self.carrier_of(handset)) is not None)
        return max(carriers.values(), default=0) > HANDSETS_HELD

    def holder(self, identifier: str) -> int | None:
        return next((thing_id for thing_id, thing in self.things.items() if thing.identifier == identifier), None)

    def is_stock(self, thing_id: int) -> bool:
        thing = self.things[thing_id]
        is_bare = (thing.base, thing.system, thing.user) == (None, None, None)
        return thing.active and is_bare and not any(other.base == thing_id for other in self.things.values())

    def delete(self, thing_id: int) -> None:
        for handset in [other for other in self.of(HANDSET) if self.things[other].base == thing_id]:
            del self.things[handset]
        del self.things[thing_id]

    def place(self, base: int, system: int | None, role: BaseRole | None) -> None:
        """Puts a base into a system; whoever leads there gives way, or is no longer alone."""
        for other in self.others(base, system):
            if self.leads(other):
                self.things[other].role = BaseRole.MEMBER if role is BaseRole.MASTER else BaseRole.MASTER
        self.things[base].system, self.things[base].role = system, role


def mac(number: int) -> str:
    return f"02aabb0000{number % 12:02}"


def ipei(number: int) -> str:
    return f"{number % 8:012}"


class DevicesMachine(RuleBasedStateMachine):
    """One account with three users and two DECT systems, and a few devices to begin with."""

    def __init__(self) -> None:
        super().__init__()
        self.site = Site()
        self.model = Model()
        self.site.change(self._begin)
        self.users = sorted(user.id for user in self.site.inventory.all(User))
        self.systems = sorted(system.id for system in self.site.inventory.all(DectSystem))
        for number, kind in enumerate((PHONE, PHONE, BASE, BASE, SOFTPHONE)):
            self.add_by_itself(kind, number)
        for number in range(3):
            self.add_handset(number, number)

    @staticmethod
    def _begin(editor: Editor) -> None:
        account = editor.create_account(name="acme", sip_domain="acme.test")
        for number in range(1, 4):
            editor.create(User, account_id=account.id, username=f"user{number}", extension=f"200{number}")
        for name in ("Plant", "Mill"):
            editor.create(DectSystem, account_id=account.id, name=name)

    # -- doing ----------------------------------------------------------------------------------------------------

    def do(self, edit: Callable[[Editor], object], effect: Callable[[Model], object], refusal: str = "") -> None:
        """Makes a change, which must be refused by a certain rule, or have this effect."""
        expected = copy.deepcopy(self.model)
        if not refusal:
            effect(expected)
            refusal = FULL if expected.is_overfull() else ""
        if refusal:
            with pytest.raises(InventoryError) as told:
                self.site.change(edit)
            assert told.value.rule == refusal
            assert told.value.field
            assert told.value.remedy
        else:
            raised, differing = self.site.change(edit)
            assert raised == differing
            self.model = expected

    def device(self, thing_id: int) -> Device:
        return self.site.inventory.get(Device, thing_id)

    def pick(self, number: int, *kinds: DeviceType) -> int:
        found = self.model.of(*kinds)
        return found[number % len(found)]

    def add(self, thing: Thing, refusal: str, **values: Any) -> None:
        created: list[int] = []

        def edit(editor: Editor) -> None:
            [account] = editor.draft.all(Account)
            created.append(editor.create_device(account_id=account.id, type=thing.type, **values).id)

        self.do(edit, lambda model: model.things.update({0: thing}), refusal)
        if 0 in self.model.things:
            self.model.things[created[0]] = self.model.things.pop(0)

    @rule(kind=st.sampled_from([PHONE, BASE, SOFTPHONE]), number=PICK)
    def add_by_itself(self, kind: DeviceType, number: int) -> None:
        if kind is SOFTPHONE:
            name = f"PC {number % 2}"
            self.add(Thing(kind, name), NAMED if self.model.holder(name) else "", name=name)
        else:
            address, model = mac(number), "P4" if kind is PHONE else "B2"
            taken = ONE_MAC if self.model.holder(address) else ""
            self.add(Thing(kind, address), taken, mac=address, vendor="acme", model=model)

    @rule(number=PICK, base=PICK)
    def add_handset(self, number: int, base: int) -> None:
        bases = [None, *self.model.of(BASE)]
        chosen = bases[base % len(bases)]
        taken = ONE_IPEI if self.model.holder(ipei(number)) else ""
        self.add(Thing(HANDSET, ipei(number), base=chosen), taken, ipei=ipei(number), base_id=chosen)

    @precondition(lambda self: len(self.model.things) > 4)
    @rule(number=PICK)
    def delete(self, number: int) -> None:
        thing_id = self.pick(number, *DeviceType)
        self.do(lambda editor: editor.delete(self.device(thing_id)), lambda model: model.delete(thing_id))

    @precondition(lambda self: self.model.of(*HOLDERS))
    @rule(user=PICK, number=PICK, confirm=st.booleans())
    def assign(self, user: int, number: int, confirm: bool) -> None:
        user_id, thing_id = self.users[user % 3], self.pick(number, *HOLDERS)
        is_physical = self.model.things[thing_id].type in PHYSICAL
        held = [
            other
            for other in self.model.of(*PHYSICAL)
            if is_physical and other != thing_id and self.model.things[other].user == user_id
        ]

        def effect(model: Model) -> None:
            for other in held:
                model.things[other].user = None
            model.things[thing_id].user = user_id

        self.do(
            lambda editor: move_user(editor, editor.draft.get(User, user_id), self.device(thing_id), confirm=confirm),
            effect,
            ONE_DEVICE if held and not confirm else "",
        )

    @precondition(lambda self: self.model.of(*HOLDERS))
    @rule(number=PICK)
    def release(self, number: int) -> None:
        thing_id = self.pick(number, *HOLDERS)

        def effect(model: Model) -> None:
            model.things[thing_id].user = None

        self.do(lambda editor: assign_line(editor, get_line(editor, self.device(thing_id))), effect)

    @precondition(lambda self: self.model.of(BASE) and self.model.of(HANDSET))
    @rule(number=PICK, base=PICK)
    def pair(self, number: int, base: int) -> None:
        handset_id, base_id = self.pick(number, HANDSET), self.pick(base, BASE)

        def effect(model: Model) -> None:
            model.things[handset_id].base = base_id

        self.do(lambda editor: pair(editor, self.device(handset_id), self.device(base_id)), effect)

    @precondition(lambda self: self.model.of(HANDSET))
    @rule(number=PICK)
    def unpair(self, number: int) -> None:
        handset_id = self.pick(number, HANDSET)

        def effect(model: Model) -> None:
            model.things[handset_id].base = None

        refusal = PAIRED if self.model.things[handset_id].base is None else ""
        self.do(lambda editor: unpair(editor, self.device(handset_id)), effect, refusal)

    @precondition(lambda self: self.model.of(BASE))
    @rule(number=PICK, role=st.sampled_from(BaseRole))
    def set_role(self, number: int, role: BaseRole) -> None:
        base_id = self.pick(number, BASE)
        system = self.model.things[base_id].system
        others = self.model.others(base_id, system)
        refused = (
            system is None
            or (role is BaseRole.SINGLE and others)
            or (role is BaseRole.MEMBER and not any(map(self.model.leads, others)))
        )
        self.do(
            lambda editor: set_role(editor, self.device(base_id), role),
            lambda model: model.place(base_id, system, role),
            ONE_LEADER if refused else "",
        )

    @precondition(lambda self: self.model.of(BASE))
    @rule(number=PICK, system=PICK)
    def move_base(self, number: int, system: int) -> None:
        base_id, target = self.pick(number, BASE), [None, *self.systems][system % 3]
        model, present = self.model, self.model.things[base_id].system
        stranded = target != present and model.leads(base_id) and model.others(base_id, present)
        others = model.others(base_id, target)
        led = any(map(model.leads, others))
        role = BaseRole.MEMBER if led else BaseRole.MASTER if others else BaseRole.SINGLE if target else None
        self.do(
            lambda editor: move_base(editor, self.device(base_id), editor.draft.find(DectSystem, target)),
            lambda model: model.place(base_id, target, role),
            ONE_LEADER if stranded else "",
        )

    @precondition(lambda self: self.model.things)
    @rule(number=PICK, active=st.booleans())
    def switch(self, number: int, active: bool) -> None:
        thing_id = self.pick(number, *DeviceType)

        def effect(model: Model) -> None:
            model.things[thing_id].active = active

        self.do(lambda editor: (enable if active else disable)(editor, self.device(thing_id)), effect)

    @precondition(lambda self: self.model.of(PHONE, BASE, HANDSET))
    @rule(number=PICK, new=PICK)
    def replace(self, number: int, new: int) -> None:
        thing_id = self.pick(number, PHONE, BASE, HANDSET)
        thing = self.model.things[thing_id]
        identifier = ipei(new) if thing.type is HANDSET else mac(new)
        stock = self.model.holder(identifier)
        is_free = stock is None or (self.model.is_stock(stock) and self.model.things[stock].type is thing.type)

        def effect(model: Model) -> None:
            if stock is not None:
                model.delete(stock)
            model.things[thing_id].identifier, model.things[thing_id].active = identifier, True

        field_name = "ipei" if thing.type is HANDSET else "mac"
        model_name = {PHONE: "P4", BASE: "B2"}.get(thing.type)
        before = self.secrets_of(thing_id)
        self.do(
            lambda editor: replace_device(editor, self.device(thing_id), **{field_name: identifier}, model=model_name),
            effect,
            "" if is_free and stock != thing_id else FREE,
        )
        if self.model.things.get(thing_id) != thing:
            assert not before & self.secrets_of(thing_id)

    @precondition(lambda self: self.model.of(*HOLDERS))
    @rule(number=PICK, step=st.sampled_from([stage_password, activate_staged, drop_staged, new_password]))
    def exchange_password(self, number: int, step: Callable[[Editor, Line], object]) -> None:
        thing_id = self.pick(number, *HOLDERS)
        [line] = self.site.inventory.lines_of(thing_id)
        states = {credential.state for credential in self.site.inventory.credentials_of(line.id)}
        makes, is_staged = step in (stage_password, new_password), CredentialState.STAGED in states
        refused = (not states) if step is new_password else (not states or is_staged) if makes else not is_staged
        if refused:
            with pytest.raises(InventoryError):
                self.site.change(lambda editor: step(editor, line))
        else:
            raised, differing = self.site.change(lambda editor: step(editor, line))
            assert raised == differing

    # -- what must hold -------------------------------------------------------------------------------------------

    def secrets_of(self, thing_id: int) -> set[object]:
        """What the hardware knows that opens anything: names and tokens."""
        inventory, device = self.site.inventory, self.device(thing_id)
        lines = [line for held in inventory.carried_devices(device) for line in inventory.lines_of(held.id)]
        secrets: set[object] = {held.auth_username for line in lines for held in inventory.credentials_of(line.id)}
        return secrets | ({device.token_digest} if device.token_digest else set())

    @invariant()
    def things_are_as_they_should_be(self) -> None:
        inventory = self.site.inventory
        found = {
            device.id: Thing(
                type=device.type,
                identifier=device.mac or device.ipei or device.name or "",
                active=device.state is DeviceState.ACTIVE,
                base=device.base_id,
                system=device.system_id,
                role=device.role,
                user=next((line.user_id for line in inventory.lines_of(device.id)), None),
            )
            for device in inventory.all(Device)
        }
        assert found == self.model.things

    @invariant()
    def a_user_has_one_device_and_a_system_one_leader(self) -> None:
        for user_id in self.users:
            assert len(physical_devices_of(self.site.inventory, user_id)) <= 1
        for system in self.systems:
            bases = self.site.inventory.bases_of(system)
            assert sum(base.role is not BaseRole.MEMBER for base in bases) <= 1
            assert len(bases) < 2 or all(base.role is not BaseRole.SINGLE for base in bases)

    @invariant()
    def a_file_has_the_handsets_that_are_in_service(self) -> None:
        for base_id in self.model.of(BASE):
            carried = self.site.inventory.carried_devices(self.device(base_id))
            wanted = [
                handset.id
                for handset in self.site.inventory.carried_handsets(self.device(base_id))
                if self.model.in_service(handset.id)
            ]
            assert [device.id for device in carried] == [base_id, *wanted]

    @invariant()
    def slots_are_unique_within_a_file(self) -> None:
        inventory = self.site.inventory
        for base_id in self.model.of(BASE):
            handsets = inventory.carried_handsets(self.device(base_id))
            assert len({handset.slot for handset in handsets}) == len(handsets)
        for handset_id in self.model.of(HANDSET):
            assert (self.device(handset_id).slot is None) == (self.model.things[handset_id].base is None)

    @invariant()
    def who_is_in_service_has_secrets_and_nobody_else(self) -> None:
        inventory = self.site.inventory
        for thing_id, thing in self.model.things.items():
            device = self.device(thing_id)
            assert bool(device.token_digest) == thing.active
            for line in inventory.lines_of(thing_id):
                held = Counter(credential.state for credential in inventory.credentials_of(line.id))
                assert held[CredentialState.ACTIVE] == self.model.in_service(thing_id)
                assert held[CredentialState.STAGED] <= held[CredentialState.ACTIVE]
                assert self.model.in_service(thing_id) or not held
                active = inventory.active_credential(line.id)
                assert active is None or active.aor_user == inventory.aor_user(line)

    @invariant()
    def names_and_tokens_are_of_one_device(self) -> None:
        inventory = self.site.inventory
        tokens = [device.token_digest for device in inventory.all(Device) if device.token_digest]
        assert len(set(tokens)) == len(tokens)
        lines: dict[str, int] = {}
        for credential in inventory.all(Credential):
            assert lines.setdefault(credential.auth_username, credential.line_id) == credential.line_id


TestDevices = DevicesMachine.TestCase
TestDevices.settings = settings(max_examples=15, stateful_step_count=30, deadline=None)
