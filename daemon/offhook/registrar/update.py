"""Contacts of a REGISTER against the bindings of one address of record, RFC 3261 §10.3 steps 6 and 7."""

import re
from collections.abc import Iterable
from typing import Final

from offhook.errors import SipError
from offhook.events import ContactIgnored, Registered, Unregistered
from offhook.registrar.answers import Refused
from offhook.registrar.authentication import Authenticated
from offhook.registrar.bindings import Binding, BindingChange, BindingTable
from offhook.registrar.policy import RegisterPolicy
from offhook.registrar.ports import Flow
from offhook.sip.headers import Contact, format_parameters
from offhook.sip.message import Request
from offhook.sip.uri import SipUri

MAX_CONTACT_LENGTH: Final = 1024
MAX_ID_LENGTH: Final = 256
#: Of a Call-ID and of an instance.
MAX_USER_AGENT_LENGTH: Final = 256
_MAX_SCHEME_LENGTH: Final = 32
#: Of what is logged of it.

_QVALUE: Final = re.compile(r"0(\.[0-9]{0,3})?|1(\.0{0,3})?")


class Update:
    """The bindings of one address of record while a REGISTER's contacts are applied to them, all or none."""

    def __init__(
        self,
        bindings: BindingTable,
        policy: RegisterPolicy,
        aor: str,
        sender: Authenticated,
        request: Request,
        flow: Flow,
        now: float,
    ) -> None:
        self._table = bindings
        self._policy = policy
        self._aor = aor
        self._sender = sender
        self._request = request
        self._flow = flow
        self._now = now
        self._before = {binding.id: binding for binding in bindings.pending_of(aor, now)}
        self._current = dict(self._before)
        self._touched: dict[int, Binding] = {}
        self._displaced: dict[int, Binding] = {}
        self._ignored: list[str] = []

    @property
    def added(self) -> tuple[Binding, ...]:
        """Bindings made or refreshed."""
        return tuple(self._touched.values())

    def after(self) -> tuple[Binding, ...]:
        """All bindings of the address of record once the change is made."""
        return tuple(self._current.values())

    def change(self) -> BindingChange:
        """What must be committed."""
        removed = [binding for binding in self._before.values() if binding.id not in self._current]
        elsewhere = [binding for binding in self._displaced.values() if binding.id not in self._before]
        return BindingChange(self.added, (*removed, *elsewhere))

    def events(self) -> tuple[object, ...]:
        """What to tell the others once the change is committed."""
        gone = [
            unregistered(binding, "displaced" if binding.id in self._displaced else "removed", self._now)
            for binding in self.change().removals
        ]
        made = [
            Registered(
                binding.line_id,
                binding.device_id,
                binding.aor,
                binding.credential_id,
                binding.contact,
                str(binding.flow),
                binding.flow.transport,
                binding.user_agent,
                binding.expires_at,
                self._now,
                refreshed=binding.id in self._before,
            )
            for binding in self.added
        ]
        return (*gone, *made, *self.ignored())

    def ignored(self) -> tuple[ContactIgnored, ...]:
        """Contacts that were passed over, for they are no SIP addresses."""
        aor, source, device_id = self._aor, str(self._flow), self._sender.device.id
        return tuple(ContactIgnored(aor, scheme, source, device_id, self._now) for scheme in self._ignored)

    def remove_all(self) -> bool:
        """``Contact: *``, RFC 3261 §10.3 step 6. False where the request is out of order."""
        own = self._own()
        if any(self._is_old(binding) for binding in own):
            return False
        for binding in own:
            del self._current[binding.id]
        return True

    def take_all(self, contacts: Iterable[Contact]) -> bool:
        """Every contact, step 7. False where the request is out of order for one of the bindings that they name.

        Raises:
            SipError: 400 or 423.
        """
        in_order = all([self._take(contact) for contact in contacts])  # noqa: C419 - a fault in any of them must show
        if len(self._touched) > self._policy.max_bindings:
            raise Refused(400, "Too Many Contacts")
        return in_order

    def _take(self, contact: Contact) -> bool:
        try:
            uri = SipUri.parse(contact.uri)
        except SipError as error:
            if error.status == 416:  # RFC 3261 §10.2.1 allows mailto: and tel:, which no NOTIFY can reach
                scheme = contact.uri.partition(":")[0][:_MAX_SCHEME_LENGTH].lower()
                if scheme not in self._ignored:
                    self._ignored.append(scheme)
                return True
            raise Refused(400, "Malformed Contact") from None
        expires_seconds = self._granted(contact)
        parameters = format_parameters(tuple(pair for pair in contact.parameters if pair[0].lower() != "expires"))
        instance = contact.parameter("+sip.instance") or ""
        reg_id = _parse_reg_id(contact) if instance else 0
        if len(contact.uri) + len(parameters) > MAX_CONTACT_LENGTH or len(instance) > MAX_ID_LENGTH:
            raise Refused(400, "Contact Too Long")
        qvalue = contact.parameter("q")
        if qvalue is not None and not _QVALUE.fullmatch(qvalue):
            raise Refused(400, "Malformed q Value")
        existing = self._find(uri, instance, reg_id, is_removal=expires_seconds == 0)
        if existing is not None and self._is_old(existing):
            return False
        if expires_seconds == 0:
            if existing is not None:
                self._current.pop(existing.id)
                self._touched.pop(existing.id, None)
            return True
        binding = Binding(
            id=self._table.new_id() if existing is None else existing.id,
            aor=self._aor,
            line_id=self._sender.line.id,
            device_id=self._sender.device.id,
            credential_id=self._sender.credential.id,
            contact=contact.uri,
            parameters=parameters,
            instance=instance,
            reg_id=reg_id,
            flow=self._flow,
            call_id=self._request.call_id,
            cseq=self._request.cseq.number,
            expires_at=self._now + expires_seconds,
            registered_at=self._now if existing is None else existing.registered_at,
            refreshed_at=self._now,
            user_agent=_clean(self._request.headers.get("User-Agent") or ""),
            nonce=self._sender.credentials.nonce,
            nc=self._sender.credentials.nc or 0,
        )
        self._current[binding.id] = self._touched[binding.id] = binding
        return True

    def displace(self) -> None:
        """Makes room: the same phone's bindings under another address go, and the stalest beyond the cap.

        A line that was given another extension registers anew; what it had before would send calls and NOTIFY to
        an address that the phone no longer listens for.
        """
        for other in self._table.pending_of_device(self._sender.device.id, self._now):
            is_own = other.line_id == self._sender.line.id and other.aor != self._aor
            if is_own and any(_is_same_phone(other, binding) for binding in self.added):
                self._displaced[other.id] = other
        surplus = len(self._current) - self._policy.max_bindings
        if surplus > 0:
            rest = [binding for binding in self._current.values() if binding.id not in self._touched]
            for binding in sorted(rest, key=lambda binding: (binding.reachable, binding.expires_at))[:surplus]:
                self._displaced[binding.id] = self._current.pop(binding.id)

    def _own(self) -> list[Binding]:
        return [binding for binding in self._current.values() if binding.line_id == self._sender.line.id]

    def _granted(self, contact: Contact) -> int:
        asked = contact.expires
        if asked is None:
            asked = self._request.expires
        if asked is None:
            asked = self._policy.default_expires
        granted = self._policy.grant(asked)
        if granted is None:
            raise Refused(423, "Interval Too Brief", [("Min-Expires", str(self._policy.min_expires))])
        return granted

    def _is_old(self, binding: Binding) -> bool:
        """Whether the request comes before what the binding was made from (step 7); within a request all are new."""
        return (
            binding.id not in self._touched
            and binding.call_id == self._request.call_id
            and self._request.cseq.number <= binding.cseq
        )

    def _find(self, uri: SipUri, instance: str, reg_id: int, *, is_removal: bool) -> Binding | None:
        """The binding of this line that a contact is about.

        The instance decides where both have one (RFC 5626 §6), then the comparison of URIs (§19.1.4). A phone that
        gives no instance and comes back from another port is told by its line: its former binding is replaced, but
        never removed by a contact that it no longer has.
        """
        own = self._own()
        for binding in own:
            if instance and binding.instance == instance and binding.reg_id == reg_id:
                return binding
        for binding in own:
            if not (instance and binding.instance) and uri.matches(SipUri.parse(binding.contact)):
                return binding
        if not instance and not is_removal:
            for binding in own:
                if not binding.instance and binding.id not in self._touched:
                    return binding
        return None


def unregistered(binding: Binding, reason: str, now: float) -> Unregistered:
    """The event that says that a binding is gone."""
    return Unregistered(binding.line_id, binding.device_id, binding.aor, binding.contact, reason, now)


def _is_same_phone(old: Binding, new: Binding) -> bool:
    return old.instance == new.instance or old.contact == new.contact


def _parse_reg_id(contact: Contact) -> int:
    text = contact.parameter("reg-id") or "0"
    if len(text) > 9 or not text.isascii() or not text.isdecimal():
        raise Refused(400, "Malformed reg-id")
    return int(text)


def _clean(user_agent: str) -> str:
    return "".join(character for character in user_agent[:MAX_USER_AGENT_LENGTH] if character.isprintable())
