"""A device's files for the admin API, made with the addresses that this daemon gives out."""

from collections.abc import Callable

from offhook.admin.ports import RenderedFile
from offhook.config.schema import Config
from offhook.inventory.models import AccessLevel, Account, Device
from offhook.inventory.ports import SecretBox
from offhook.inventory.service import InventoryService
from offhook.places import Places
from offhook.provisioning.catalog import Catalog
from offhook.provisioning.preview import MaskedBox, preview_file
from offhook.secret import Secret


class Previews:
    """Satisfies :class:`offhook.admin.ports.Preview`."""

    def __init__(
        self,
        service: InventoryService,
        box: SecretBox,
        places: Places,
        current: Callable[[], tuple[Config, Catalog]],
    ) -> None:
        """``current`` gives the configuration and the vendor folders of the moment."""
        self._service = service
        self._box = box
        self._places = places
        self._current = current

    def __call__(self, device: Device, file: str, *, reveal: bool) -> RenderedFile:
        """What the device would be given, if it asked where most phones do."""
        config, catalog = self._current()
        inventory = self._service.inventory
        account = inventory.get(Account, device.account_id)
        of_device = self._service.find_device_token(device) if account.access is AccessLevel.DEVICE else None
        token = (of_device or self._service.reveal_account_token(account)).reveal() if reveal else Secret.MASK
        folder = "d" if of_device is not None else "p"
        previewed = preview_file(
            inventory,
            device,
            file,
            catalog=catalog,
            secrets=self._box if reveal else MaskedBox(),
            base_url=f"{self._places.public_url(config)}/{folder}/{token}/",
            proxy=self._places.sip_proxy(config),
            expires_seconds=config.sip.expires.default,
        )
        return RenderedFile(previewed.name, previewed.content_type, previewed.text, previewed.names)
