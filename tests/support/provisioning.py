"""A provisioner on values of a test, with what it published and how to ask it."""

import ipaddress
from dataclasses import dataclass, field
from functools import cache

from tests.support.inventory import BOX

from offhook.inventory.snapshot import Inventory
from offhook.provisioning.answer import Answer, FileRequest, Protocol, Provisioner, ProvisioningSettings
from offhook.provisioning.catalog import Catalog, load_catalog

LAN = (ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("fd00::/8"))


@cache
def shipped() -> Catalog:
    """The vendors that come with Offhook."""
    return load_catalog()


@dataclass
class Desk:
    """A provisioner and all that it says."""

    inventory: Inventory
    settings: ProvisioningSettings = field(default_factory=lambda: ProvisioningSettings(lan_networks=LAN))
    catalog: Catalog = field(default_factory=shipped)
    events: list[object] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.provisioner = Provisioner(
            inventory=lambda: self.inventory,
            catalog=self.catalog,
            secrets=BOX,
            events=self,
            settings=self.settings,
        )

    def publish(self, event: object) -> None:
        self.events.append(event)

    def ask(
        self,
        path: str,
        *,
        user_agent: str = "",
        source: str = "10.0.0.9",
        protocol: Protocol = Protocol.HTTP,
        if_none_match: str = "",
        local_address: str = "10.0.0.1",
        local_port: int = 8080,
        now: float = 1000.0,
    ) -> Answer:
        """What a phone at ``source`` is answered."""
        request = FileRequest(
            path=path,
            protocol=protocol,
            source=source,
            local_address=local_address,
            local_port=local_port,
            user_agent=user_agent,
            if_none_match=if_none_match,
        )
        return self.provisioner.answer(request, now)
