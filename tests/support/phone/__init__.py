"""A phone to test with: it boots as its vendor's do, registers what its files say, and obeys NOTIFY.

:class:`Phone` is the whole of it without a network; :class:`PhoneShell` gives it one.
"""

from tests.support.phone.account import Account
from tests.support.phone.core import Obedience, Phone
from tests.support.phone.events import (
    Event,
    Fetch,
    FileRead,
    FileRejected,
    Ignored,
    Notified,
    Provisioned,
    Rebooted,
    Registered,
    RegistrationFailed,
    SendSip,
    Unregistered,
)
from tests.support.phone.fetching import fetch
from tests.support.phone.shell import PhoneShell
from tests.support.phone.snom import Snom
from tests.support.phone.vendors import FetchedFile, Firmware
from tests.support.phone.yealink import Yealink

__all__ = [
    "Account",
    "Event",
    "Fetch",
    "FetchedFile",
    "FileRead",
    "FileRejected",
    "Firmware",
    "Ignored",
    "Notified",
    "Obedience",
    "Phone",
    "PhoneShell",
    "Provisioned",
    "Rebooted",
    "Registered",
    "RegistrationFailed",
    "SendSip",
    "Snom",
    "Unregistered",
    "Yealink",
    "fetch",
]
