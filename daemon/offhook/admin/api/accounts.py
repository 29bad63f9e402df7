"""Accounts."""

import difflib
from collections import Counter
from dataclasses import dataclass, field

from aiohttp import web

from offhook.admin.ports import Services
from offhook.admin.query import collect_page
from offhook.admin.routes import Call, Route, json_response
from offhook.errors import NotFound
from offhook.inventory.models import Account, Device, Location, Number, User
from offhook.inventory.snapshot import Inventory
from offhook.store.tokens import Role


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
    provisioning_token: str | None = field(default=None, repr=False)
    provisioning_url: str | None = field(default=None, repr=False)
    #: For operators, and only of an account that is asked for by name.


def get_account(inventory: Inventory, name: str) -> Account:
    """The account of that name. Raises NotFound, with what may have been meant."""
    found = next((account for account in inventory.all(Account) if account.name.casefold() == name.casefold()), None)
    if found is None:
        known = [account.name for account in inventory.all(Account)]
        close = difflib.get_close_matches(name, known, 1)
        raise NotFound(
            f"there is no account {name[:128]!r}",
            field="account",
            remedy=f"did you mean {close[0]}?" if close else "see: offhook account list",
        )
    return found


def routes(services: Services) -> list[Route]:
    service = services.inventory

    async def list_accounts(call: Call) -> web.Response:
        query = call.query("q", "limit", "cursor")
        inventory, wanted = service.inventory, query.text("q").casefold()
        counts = _count(inventory)
        page = await collect_page(
            inventory.all(Account),
            query,
            key=lambda account: account.id,
            view=lambda account: _view(account, counts),
            wanted=lambda account: wanted in account.name.casefold() or wanted in account.sip_domain,
        )
        return json_response(page)

    async def show_account(call: Call) -> web.Response:
        call.query()
        inventory = service.inventory
        account = get_account(inventory, call.path("name"))
        token = url = None
        if call.identity.role.allows(Role.OPERATOR):
            secret = service.reveal_account_token(account)
            token, url = secret.reveal(), services.provisioning_url(secret)
        return json_response(_view(account, _count(inventory), token, url))

    return [
        Route("GET", "/accounts", Role.VIEWER, list_accounts),
        Route("GET", "/accounts/{name}", Role.VIEWER, show_account),
    ]


def _count(inventory: Inventory) -> dict[type, Counter[int]]:
    kinds: tuple[type[Location | User | Number | Device], ...] = (Location, User, Number, Device)
    return {kind: Counter(entity.account_id for entity in inventory.all(kind)) for kind in kinds}


def _view(
    account: Account, counts: dict[type, Counter[int]], token: str | None = None, url: str | None = None
) -> AccountView:
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
        provisioning_token=token,
        provisioning_url=url,
    )
