"""The site that system and interop tests apply: the example document of the handbook, and a desk phone of Snom's."""

from collections.abc import Iterator
from typing import Final

import pytest
from tests.support.daemon import DaemonProcess, running_daemon
from tests.support.phone import Account, Firmware, Snom, Yealink, fetch

YEALINK_MAC: Final = "00:15:65:12:34:56"
SNOM_MAC: Final = "00:04:13:9a:0b:0c"

DOCUMENT: Final = """\
accounts:
  - name: acme
    sip_domain: acme.test
    gateway: sip:pbx.acme.test           # optional
    access: token                        # certificate | device | token | lan
    locations:
      - {name: HQ, timezone: America/New_York,
         address: {country: US, state: NY, city: New York, house_number: "350", street: Fifth, suffix: Ave,
                   postal_code: "10118", floor: "21"}}
    users:
      - {username: jsmith, first_name: Jane, last_name: Smith, email: jane@acme.test, plan: pro, extension: "2001",
         location: HQ}
      - {username: rlee, first_name: Robin, last_name: Lee, email: robin@acme.test, plan: plus, extension: "2002",
         location: HQ}
    numbers:
      - {number: "+12125550101", location: HQ, status: active, user: jsmith}
    dect_systems:
      - {name: HQ DECT, vendor: snom, model: M900}
    devices:
      - {type: deskphone, mac: "00:15:65:12:34:56", vendor: yealink, model: T46U, name: Reception, location: HQ,
         user: jsmith}
      - {type: dect_base, mac: "00:04:13:aa:bb:cc", system: HQ DECT, role: single, name: Floor 2, location: HQ}
      - {type: dect_handset, ipei: "0658500479393", base: "00:04:13:aa:bb:cc", user: rlee}
      - {type: ata, mac: "ec:74:d7:00:00:01", vendor: grandstream, model: HT802, location: HQ,
         lines: [{index: 1, extension: "2090"}, {index: 2, extension: "2091"}]}
"""

SNOM_DESK_PHONE: Final = """\
accounts:
  - name: acme
    users:
      - {username: mdoe, first_name: Max, last_name: Doe, extension: "2003", location: HQ}
    devices:
      - {type: deskphone, mac: "00:04:13:9a:0b:0c", vendor: snom, model: D785, name: Workshop, location: HQ, user: mdoe}
"""


def set_up(daemon: DaemonProcess) -> None:
    """Applies both documents."""
    daemon.apply_now(DOCUMENT, SNOM_DESK_PHONE)


def provisioning_url(daemon: DaemonProcess, protocol: str) -> str:
    """What an installer types into a phone: ``protocol`` is http or tftp."""
    port = {"http": daemon.ports.http, "tftp": daemon.ports.tftp}[protocol]
    return f"{protocol}://127.0.0.1:{port}/p/{daemon.token_of('acme')}/"


@pytest.fixture(scope="module")
def acme(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaemonProcess]:
    """One daemon with this site for a whole file of tests that leave it as it is; no log holds its secrets."""
    with running_daemon(tmp_path_factory.mktemp("acme")) as daemon:
        set_up(daemon)
        hidden = [*daemon.passwords(), daemon.token_of("acme")]
        yield daemon
    daemon.assert_log_is_clean(hidden)


async def fetch_accounts(url: str, firmware: Firmware, mac: str) -> tuple[Account, ...]:
    """The accounts in the files that this phone would read."""
    bare = mac.replace(":", "").lower()
    factory = firmware.factory_settings
    sequence = firmware.file_sequence(bare)
    name = next(sequence)
    while True:
        file = await fetch(name if "://" in name else url + name, firmware.http_user_agent(bare, factory))
        try:
            name = sequence.send(file)
        except StopIteration as end:
            return firmware.accounts(firmware.merge(factory, end.value.values))


async def fetch_account(daemon: DaemonProcess, vendor: str, protocol: str = "http") -> Account:
    """The one account of the site's Yealink or Snom, as its files have it."""
    phones: dict[str, tuple[Firmware, str]] = {"yealink": (Yealink(), YEALINK_MAC), "snom": (Snom(), SNOM_MAC)}
    firmware, mac = phones[vendor]
    (account,) = await fetch_accounts(provisioning_url(daemon, protocol), firmware, mac)
    return account
