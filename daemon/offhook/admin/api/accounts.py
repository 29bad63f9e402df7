"""Accounts."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Annotated, Final

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from offhook.admin.changing import ChangeView, answer_change
from offhook.admin.names import get_account
from offhook.admin.paging import LAST_TIME, CountedPage, Order, SortKey, page_of, text_key, time_key
from offhook.admin.ports import Services
from offhook.admin.resource import Resource, resource_routes
from offhook.admin.routes import DRY_RUN, PAGING, Call, Param, Route, format_time, json_response
from offhook.admin.search import fold, parse_search
from offhook.errors import Conflict
from offhook.inventory.document import AccountFields, Domain, Label
from offhook.inventory.editor import Editor
from offhook.inventory.models import Account, Device, Location, Number, User
from offhook.inventory.snapshot import Inventory
from offhook.store.tokens import Role, Scope


class NewAccount(AccountFields):
    """An account to be made."""

    name: Label
    sip_domain: Domain


class AccountChange(AccountFields):
    """What to change of an account."""

    name: Label | None = None


class Rotation(BaseModel):
    """How an account gets a new provisioning token."""

    model_config = ConfigDict(extra="forbid")

    grace_seconds: Annotated[int, Field(ge=0, le=90 * 86400)] = 7 * 86400
    force: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountView:
    """An account, and how much belongs to it."""

    id: str
    name: str
    sip_domain: str
    former_domains: tuple[str, ...]
    gateway: str | None
    external_registrar: str | None
    access: str
    digest_algorithms: tuple[str, ...]
    language: str
    timezone: str
    ntp_server: str | None
    tones: str
    locations: int
    users: int
    numbers: int
    devices: int
    former_token_until: str | None
    #: Until when the provisioning token before the present one is valid; None where it is not.
    provisioning_token: str | None = field(default=None, repr=False)
    provisioning_url: str | None = field(default=None, repr=False)
    #: For operators with the scope reveal, and only of an account that is asked for by name.


def routes(services: Services) -> list[Route]:
    service = services.inventory

    def view(call: Call, inventory: Inventory, account: Account) -> AccountView:
        token = url = None
        if call.identity.may(Role.OPERATOR, Scope.REVEAL):
            secret = service.reveal_account_token(account)
            token, url = secret.reveal(), services.provisioning_url(secret)
        return _view(account, _count(inventory), services.clock.now(), token, url)

    async def list_accounts(call: Call) -> web.Response:
        """List accounts."""
        inventory, now = service.inventory, services.clock.now()
        counts = _count(inventory)
        search = parse_search(call.query.text("q"))
        page = await page_of(
            [_Row(account) for account in inventory.all(Account)],
            call.query,
            order=_ORDER,
            narrow=search.narrow,
            view=lambda row: _view(row.account, counts, now),
        )
        return json_response(page)

    async def rotate_token(call: Call) -> web.Response:
        """Give an account a new provisioning token.

        The one before is valid until its grace is over, so that phones find their way to the new one (R12).
        """
        body = await call.body(Rotation)
        name = call.path("id")
        found: list[Account] = []

        def match(inventory: Inventory) -> list[Account]:
            found[:] = [get_account(inventory, name)]
            return found

        def edit(editor: Editor) -> None:
            editor.rotate_token(found[0], body.grace_seconds, force=body.force)

        return await answer_change(
            service,
            call,
            edit,
            view=lambda inventory: view(call, inventory, inventory.get(Account, found[0].id)),
            find=lambda inventory: [inventory.get(Account, found[0].id)],
            match=match,
        )

    resource = Resource(
        path="accounts",
        kind="accounts",
        key="name",
        singular="account",
        creation=NewAccount,
        alteration=AccountChange,
        view_type=AccountView,
        view=view,
        find=lambda inventory, text, _account: get_account(inventory, text),
        find_new=lambda inventory, _account, part: inventory.find_account(str(part["name"])),
        account_of=lambda _inventory, account: account.name,
        path_params=(),
        deleting=(Param("yes", "Confirms that all that the account holds is deleted along.", bool),),
        guard_deletion=_guard_deletion,
        owner=Role.ADMINISTRATOR,
    )
    listing = Route(
        method="GET",
        path="/accounts",
        role=Role.VIEWER,
        handler=list_accounts,
        query=(
            Param("q", "Part of the name or a SIP domain."),
            Param("sort", "name, sip_domain or created; with a dash before it descending."),
            *PAGING,
        ),
        gives=CountedPage[AccountView],
    )
    return [
        *resource_routes(services, resource, listing),
        Route(
            method="POST",
            path="/accounts/{id}/rotate-token",
            role=Role.OPERATOR,
            handler=rotate_token,
            query=(DRY_RUN,),
            takes=Rotation,
            gives=ChangeView[AccountView],
            matches=True,
        ),
    ]


@dataclass(frozen=True, slots=True)
class _Row:
    """An account as it is searched and sorted."""

    account: Account

    @property
    def text(self) -> str:
        return fold("\n".join((self.account.name, self.account.sip_domain, *self.account.former_domains)))

    @property
    def codes(self) -> str:
        return ""


_ORDER: Final = Order[_Row](
    name="accounts",
    id_of=lambda row: row.account.id,
    keys={
        "name": SortKey(lambda row: text_key(row.account.name)),
        "sip_domain": SortKey(lambda row: text_key(row.account.sip_domain)),
        "created": SortKey(lambda row: time_key(float(row.account.id)), LAST_TIME),
    },
    default="name",
)


def _guard_deletion(call: Call, inventory: Inventory, account: Account) -> None:
    counts = {name: inventory_counts[account.id] for name, inventory_counts in _count(inventory).items()}
    held = ", ".join(
        f"{count} {kind.__name__.lower()}{'s' if count != 1 else ''}" for kind, count in counts.items() if count
    )
    if held and not call.query.flag("yes"):
        raise Conflict(
            f"account {account.name} holds {held}, which would be deleted along",
            field="yes",
            rule="deleting wants a confirmation",
            remedy="look at the dry run, then confirm with yes",
        )


def _count(inventory: Inventory) -> dict[type, Counter[int]]:
    kinds: tuple[type[Location | User | Number | Device], ...] = (Location, User, Number, Device)
    return {kind: Counter(entity.account_id for entity in inventory.all(kind)) for kind in kinds}


def _view(
    account: Account,
    counts: dict[type, Counter[int]],
    now: float,
    token: str | None = None,
    url: str | None = None,
) -> AccountView:
    former_until = account.former_token_until if account.former_token_digest is not None else None
    return AccountView(
        id=str(account.id),
        name=account.name,
        sip_domain=account.sip_domain,
        former_domains=account.former_domains,
        gateway=account.gateway,
        external_registrar=account.external_registrar,
        access=account.access.value,
        digest_algorithms=account.digest_algorithms,
        language=account.language,
        timezone=account.timezone,
        ntp_server=account.ntp_server,
        tones=account.tones,
        locations=counts[Location][account.id],
        users=counts[User][account.id],
        numbers=counts[Number][account.id],
        devices=counts[Device][account.id],
        former_token_until=format_time(former_until) if former_until is not None and former_until > now else None,
        provisioning_token=token,
        provisioning_url=url,
    )
