"""A small inventory, a phone that speaks REGISTER, and a store that does as it is told."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from offhook.endpoint import Transport
from offhook.errors import StoreError, StoreUnavailable
from offhook.inventory.models import Account, Credential, Device, DeviceType, Line, Number, User
from offhook.inventory.snapshot import Inventory
from offhook.registrar.answers import Answer, Outcome, Proposal
from offhook.registrar.bindings import Binding, BindingChange, BindingTable
from offhook.registrar.policy import RegisterPolicy
from offhook.registrar.ports import Flow
from offhook.registrar.requests import Registrar
from offhook.sip.digest import Algorithm, NonceSource, answer_challenge, choose_challenge, ha1
from offhook.sip.message import Headers, Request, Response
from offhook.sip.parser import parse_message

NOW = 1_800_000_000.0
DOMAIN = "acme.test"
PASSWORD = "correct horse"
FLOW = Flow(Transport.UDP, ("10.0.0.21", 5060), ("10.0.0.1", 5060))
OTHER_FLOW = Flow(Transport.UDP, ("10.0.0.22", 5062), ("10.0.0.1", 5060))


def make_credential(
    credential_id: int, line_id: int, aor_user: str, username: str | None = None, realm: str = DOMAIN
) -> Credential:
    """Credentials with the password :data:`PASSWORD`, under ``<aor_user>-auth`` where no name is given."""
    name = username or f"{aor_user}-auth"
    return Credential(
        id=credential_id,
        line_id=line_id,
        auth_username=name,
        realm=realm,
        aor_user=aor_user,
        ha1=tuple((algorithm.value, ha1(algorithm, name, realm, PASSWORD)) for algorithm in Algorithm),
        sealed_secret=b"",
    )


def make_inventory() -> Inventory:
    """Account acme: user 2001 on device 1, user 2002 with a number on device 2, device 3 without assignment.

    Device 4 has a line that shares extension 2001 through its user.
    """
    return Inventory(
        [
            Account(id=1, name="acme", sip_domain=DOMAIN, gateway="sip:pbx.acme.test:5080;transport=tcp"),
            User(id=1, account_id=1, username="jsmith", extension="2001"),
            User(id=2, account_id=1, username="rlee", extension="2002"),
            Number(id=1, account_id=1, number="+12125550101", user_id=2),
            *[
                Device(id=device_id, account_id=1, type=DeviceType.DESKPHONE, phone_id=f"{device_id:06}")
                for device_id in (1, 2, 3, 4)
            ],
            Line(id=11, account_id=1, device_id=1, index=1, user_id=1),
            Line(id=12, account_id=1, device_id=2, index=1, user_id=2),
            Line(id=13, account_id=1, device_id=3, index=1),
            Line(id=14, account_id=1, device_id=4, index=1, user_id=1),
            make_credential(101, 11, "2001"),
            make_credential(102, 12, "2002"),
            make_credential(103, 13, "dev-000003"),
            make_credential(104, 14, "2001", "2001-shared"),
        ]
    )


def change_credential(inventory: Inventory, credential_id: int, **changes: object) -> Inventory:
    """The inventory with one of its credentials changed."""
    draft = inventory.draft()
    draft.put(replace(inventory.get(Credential, credential_id), **changes))  # type: ignore[arg-type]
    return draft


@dataclass
class FakeStore:
    """Keeps what is submitted until the test decides how it went."""

    waiting: list[tuple[BindingChange, Callable[[StoreError | None], None]]] = field(default_factory=list)
    backlog: float = 0.0
    is_full: bool = False
    commits_at_once: bool = False

    def submit(self, change: BindingChange, done: Callable[[StoreError | None], None]) -> None:
        if self.is_full:
            raise StoreUnavailable("full")
        self.waiting.append((change, done))
        if self.commits_at_once:
            self.settle()

    def backlog_seconds(self) -> float:
        return self.backlog

    def load(self, now: float) -> list[Binding]:
        return []

    def settle(self, error: StoreError | None = None) -> None:
        """Everything that waits was committed, or failed."""
        waiting, self.waiting = self.waiting, []
        for _, done in waiting:
            done(error)


class RegistrarBench:
    """A registrar with what it stands on; changes are committed by the test."""

    def __init__(self, inventory: Inventory | None = None, policy: RegisterPolicy | None = None) -> None:
        self.inventory = inventory or make_inventory()
        self.now = NOW
        self.table = BindingTable()
        self.registrar = Registrar(
            lambda: self.inventory,
            self.table,
            NonceSource([("k", b"nonce key")], 7200),
            policy or RegisterPolicy(),
            tag_key=b"tag key",
        )

    def handle(self, request: Request, flow: Flow = FLOW) -> Outcome:
        return self.registrar.handle(request, flow, self.now)

    def settle(self, outcome: Outcome) -> Response:
        """The response of an outcome, with its change committed."""
        if isinstance(outcome, Proposal):
            self.table.commit(outcome.change)
        return response_of(outcome)

    def aor(self, user: str) -> list[str]:
        """Contacts committed under an address of record."""
        return [binding.contact for binding in self.table.bindings_of(f"sip:{user}@{DOMAIN}", self.now)]


def response_of(outcome: Outcome) -> Response:
    assert isinstance(outcome, Answer | Proposal), outcome
    response = parse_message(outcome.response)
    assert isinstance(response, Response)
    return response


class SipPhone:
    """One line of a phone: writes REGISTERs, and answers challenges as RFC 3261 §22.2 says."""

    def __init__(
        self,
        user: str = "2001",
        *,
        username: str | None = None,
        password: str = PASSWORD,
        contact: str | None = None,
        flow: Flow = FLOW,
        domain: str = DOMAIN,
    ) -> None:
        self.user = user
        self.username = username or f"{user}-auth"
        self.password = password
        self.domain = domain
        self.flow = flow
        self.contact = contact or f"<sip:{user}@{flow.source[0]}:{flow.source[1]}>"
        self.call_id = f"call-{self.username}-{flow.source[1]}"
        self.user_agent = "Test Phone 1.0"
        self.cseq = 0
        self.nc = 0
        self.challenge_values: list[str] = []
        self._branch = 0

    def register(
        self,
        contacts: Iterable[str] | None = None,
        *,
        expires: int | str | None = 600,
        headers: Iterable[tuple[str, str]] = (),
        without: str = "",
        to: str | None = None,
        uri: str | None = None,
    ) -> Request:
        """The next REGISTER, with credentials where there has been a challenge."""
        self.cseq += 1
        self._branch += 1
        uri = uri or f"sip:{self.domain}"
        source = self.flow.source
        protocol = self.flow.transport.upper()
        fields = [
            ("Via", f"SIP/2.0/{protocol} {source[0]}:{source[1]};branch=z9hG4bK{self.username}{self._branch};rport"),
            ("Max-Forwards", "70"),
            ("From", f"<sip:{self.user}@{self.domain}>;tag=f{self._branch}"),
            ("To", to or f"<sip:{self.user}@{self.domain}>"),
            ("Call-ID", self.call_id),
            ("CSeq", f"{self.cseq} REGISTER"),
            *[("Contact", contact) for contact in ([self.contact] if contacts is None else contacts)],
            *([] if expires is None else [("Expires", str(expires))]),
            ("User-Agent", self.user_agent),
            *headers,
        ]
        if self.challenge_values:
            fields.append(("Authorization", self.authorization(uri)))
        return Request("REGISTER", uri, Headers([pair for pair in fields if pair[0] != without]))

    def authorization(self, uri: str) -> str:
        challenge = choose_challenge(self.challenge_values)
        assert challenge is not None
        self.nc += 1

        def get_ha1(algorithm: Algorithm, realm: str) -> str:
            return ha1(algorithm, self.username, realm, self.password)

        return answer_challenge(challenge, self.username, get_ha1, "REGISTER", uri, "cnonce", self.nc)

    def hear(self, response: Response) -> Response:
        """Takes the challenges of a 401."""
        if response.status == 401:
            self.challenge_values = response.headers.get_all("WWW-Authenticate")
            self.nc = 0
        return response

    def run(self, bench: RegistrarBench, request: Request | None = None) -> Response:
        """REGISTER, 401, REGISTER again, and what comes of that, committed."""
        if not self.challenge_values:
            self.hear(response_of(bench.handle(self.register(), self.flow)))
        return self.hear(bench.settle(bench.handle(request or self.register(), self.flow)))

    def challenged(self, bench: RegistrarBench) -> "SipPhone":
        """The phone with a challenge in hand."""
        assert self.hear(response_of(bench.handle(self.register(), self.flow))).status == 401
        return self
