"""Hardware identifiers, telephone numbers and names: parsed once, compared in one form.

A MAC is kept as twelve lower-case hexadecimal digits, an IPEI as twelve decimal digits without its check
digit, a number in E.164 with its plus sign.
"""

import re
from typing import Final

from offhook.errors import Invalid

_MAC_SEPARATORS: Final = str.maketrans("", "", ":-. ")
_HEX_12: Final = re.compile(r"[0-9a-f]{12}")
_E164: Final = re.compile(r"\+[1-9][0-9]{6,14}")
_EXTENSION: Final = re.compile(r"[0-9]{2,10}")
_USERNAME: Final = re.compile(r"[A-Za-z0-9.\-:\[\]]{1,64}")
_EMAIL: Final = re.compile(r"[^@\s\"<>,;]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.\-]{0,252}[A-Za-z0-9])?")
_DOMAIN_LABEL: Final = re.compile(r"[a-z0-9](?:[a-z0-9\-]{0,61}[a-z0-9])?")

#: EN 300 175-6 Annex C: the manufacturer code has five decimal digits, the serial number seven.
_EMC_DIGITS: Final = 5
_MAX_EMC: Final = 0xFFFF
_MAX_PSN: Final = 0xFFFFF


def parse_mac(text: str) -> str:
    """A MAC address in any usual notation, as twelve lower-case hexadecimal digits.

    Raises Invalid, with what is wrong, for anything else and for group addresses, which no phone has.
    """
    mac = text.strip().lower().translate(_MAC_SEPARATORS)
    if not _HEX_12.fullmatch(mac):
        raise Invalid(
            f"{text!r} is not a MAC address",
            field="mac",
            rule="a MAC address has twelve hexadecimal digits",
            remedy="write it as on the label, e.g. 00:15:65:12:34:56",
        )
    if int(mac[:2], 16) & 1:
        raise Invalid(
            f"{text!r} is a group address, not that of a device",
            field="mac",
            rule="the first byte of a device's MAC is even",
            remedy="copy the MAC from the label",
        )
    return mac


def format_mac(mac: str) -> str:
    """``001565123456`` as ``00:15:65:12:34:56``."""
    return f"{mac[:2]}:{mac[2:4]}:{mac[4:6]}:{mac[6:8]}:{mac[8:10]}:{mac[10:]}"


def ipei_check_digit(digits: str) -> str:
    """The check digit of twelve IPEI digits: each times its place, summed, modulo 11; ten is ``*`` (EN 300 175-6)."""
    remainder = sum(int(digit) * place for place, digit in enumerate(digits, start=1)) % 11
    return "*" if remainder == 10 else str(remainder)


def parse_ipei(text: str) -> str:
    """An IPEI as twelve decimal digits, from 12 or 13 digits or the ten hexadecimal digits of an IPUI N.

    Ten characters are read as hexadecimal, as bases write them (``02c332b510``). A wrong check digit is refused
    with the digit expected.
    """
    compact = text.strip().translate(_MAC_SEPARATORS).lower()
    if len(compact) == 10 and compact[0] == "0" and re.fullmatch(r"[0-9a-f]{10}", compact):
        emc, psn = int(compact[1:5], 16), int(compact[5:], 16)
        return f"{emc:05d}{psn:07d}"
    if not re.fullmatch(r"[0-9]{12}[0-9*]?", compact):
        raise Invalid(
            f"{text!r} is not an IPEI",
            field="ipei",
            rule="an IPEI has twelve digits and a check digit, or ten hexadecimal digits",
            remedy="dial *#06# on the handset, or read the label in its battery bay",
        )
    digits, check = compact[:12], compact[12:]
    if int(digits[:_EMC_DIGITS]) > _MAX_EMC or int(digits[_EMC_DIGITS:]) > _MAX_PSN:
        raise Invalid(
            f"{text!r} is not an IPEI: manufacturer {digits[:5]} or serial {digits[5:]} is beyond what 36 bits hold",
            field="ipei",
            rule="manufacturer up to 65535, serial up to 1048575",
            remedy="dial *#06# on the handset and copy the digits again",
        )
    expected = ipei_check_digit(digits)
    if check and check != expected:
        raise Invalid(
            f"IPEI {text!r} has check digit {check}, but {expected} is expected",
            field="ipei",
            rule="the check digit is the weighted sum of the twelve digits, modulo 11",
            remedy="one of the digits was misread: dial *#06# on the handset",
        )
    return digits


def format_ipei(digits: str) -> str:
    """The printed form, with its check digit: thirteen characters."""
    return digits + ipei_check_digit(digits)


def parse_e164(text: str) -> str:
    """A number in E.164. Blanks, dots, dashes and brackets are dropped; the plus sign is required."""
    number = text.strip().translate(str.maketrans("", "", " .-()"))
    if not _E164.fullmatch(number):
        raise Invalid(
            f"{text!r} is not a number in E.164",
            field="number",
            rule="a plus sign, the country code, at most 15 digits",
            remedy="write it like +12125550101",
        )
    return number


def parse_extension(text: str) -> str:
    """An extension: two to ten digits."""
    extension = text.strip()
    if not _EXTENSION.fullmatch(extension):
        raise Invalid(
            f"{text!r} is not an extension",
            field="extension",
            rule="an extension has two to ten digits",
            remedy='write it in digits, e.g. "2001"',
        )
    return extension


def parse_username(text: str) -> str:
    """A user name: letters, digits and ``. - : [ ]``, or an email address. Its case is kept, but not compared."""
    username = text.strip()
    if not (_USERNAME.fullmatch(username) or _EMAIL.fullmatch(username)):
        raise Invalid(
            f"{text!r} cannot be a user name",
            field="username",
            rule="letters, digits and . - : [ ], at most 64, or an email address",
            remedy="drop the other characters",
        )
    return username


def parse_email(text: str) -> str:
    """An email address, judged by its form only."""
    email = text.strip()
    if not _EMAIL.fullmatch(email):
        raise Invalid(f"{text!r} is not an email address", field="email", rule="name@domain", remedy="correct it")
    return email


def parse_domain(text: str) -> str:
    """A SIP domain in lower case: a host name, or an IPv4 address for a site without names."""
    domain = text.strip().lower().rstrip(".")
    labels = domain.split(".")
    if not domain or len(domain) > 253 or not all(_DOMAIN_LABEL.fullmatch(label) for label in labels):
        raise Invalid(
            f"{text!r} is not a domain",
            field="sip_domain",
            rule="letters, digits and dashes between dots",
            remedy="use a name like acme.example.net; it need not resolve",
        )
    return domain


def parse_auth_username(text: str) -> str:
    """A digest user name that every phone can hold and no header or file needs to escape."""
    name = text.strip()
    if not re.fullmatch(r"[A-Za-z0-9.\-_+@]{1,64}", name):
        raise Invalid(
            f"{text!r} cannot be an authentication name",
            field="auth_username",
            rule="letters, digits and . - _ + @, at most 64",
            remedy="drop the other characters",
        )
    return name


def parse_label(text: str, field: str = "name") -> str:
    """A name that people read: any script, blanks collapsed, no control characters, at most 128 characters."""
    label = " ".join(text.split())
    if not label or len(label) > 128 or not label.isprintable():
        raise Invalid(
            f"{text!r} cannot be used as {field}",
            field=field,
            rule="1 to 128 printable characters",
            remedy="shorten it, or remove the control characters",
        )
    return label
