"""An emergency address as a location object: PIDF-LO (RFC 4119 §2.2) with a civic address (RFC 5139, RFC 6848)."""

from datetime import UTC, datetime
from typing import Final
from xml.etree import ElementTree as ET

from offhook.inventory.address import CivicAddress

PIDF: Final = "urn:ietf:params:xml:ns:pidf"
GEOPRIV: Final = "urn:ietf:params:xml:ns:pidf:geopriv10"
POLICY: Final = "urn:ietf:params:xml:ns:pidf:geopriv10:basicPolicy"
CIVIC: Final = "urn:ietf:params:xml:ns:pidf:geopriv10:civicAddr"
CIVIC_EXTENSION: Final = "urn:ietf:params:xml:ns:pidf:geopriv10:civicAddr:ext"

CONTENT_TYPE: Final = "application/pidf+xml"

#: In the order of the schema in RFC 5139 §4; what RFC 6848 added stands last, in a namespace of its own.
ELEMENTS: Final = (
    ("country", CIVIC, "country"),
    ("state", CIVIC, "A1"),
    ("county", CIVIC, "A2"),
    ("city", CIVIC, "A3"),
    ("pre_modifier", CIVIC, "PRM"),
    ("pre_directional", CIVIC, "PRD"),
    ("street", CIVIC, "RD"),
    ("suffix", CIVIC, "STS"),
    ("post_directional", CIVIC, "POD"),
    ("post_modifier", CIVIC, "POM"),
    ("house_number", CIVIC, "HNO"),
    ("house_suffix", CIVIC, "HNS"),
    ("landmark", CIVIC, "LMK"),
    ("location_text", CIVIC, "LOC"),
    ("floor", CIVIC, "FLR"),
    ("name", CIVIC, "NAM"),
    ("postal_code", CIVIC, "PC"),
    ("building", CIVIC, "BLD"),
    ("unit", CIVIC, "UNIT"),
    ("room", CIVIC, "ROOM"),
    ("seat", CIVIC, "SEAT"),
    ("community", CIVIC, "PCN"),
    ("pre_type", CIVIC_EXTENSION, "STP"),
    ("house_prefix", CIVIC_EXTENSION, "HNP"),
)

for _prefix, _namespace in (("", PIDF), ("gp", GEOPRIV), ("gbp", POLICY), ("ca", CIVIC), ("cae", CIVIC_EXTENSION)):
    ET.register_namespace(_prefix, _namespace)


def format_pidf_lo(address: CivicAddress, *, entity: str, at: float, tuple_id: str = "location") -> bytes:
    """The document for one address.

    ``entity`` is the URI of whom it is about, such as the line's address of record; ``at`` is when the address was last
    found valid, in seconds since the epoch. Nobody along the way may hand it on (RFC 4119 §2.2.2). Characters that XML
    cannot hold become U+FFFD.
    """
    presence = ET.Element(f"{{{PIDF}}}presence", {"entity": _xml(entity)})
    entry = ET.SubElement(presence, f"{{{PIDF}}}tuple", {"id": _xml(tuple_id)})
    status = ET.SubElement(entry, f"{{{PIDF}}}status")
    geopriv = ET.SubElement(status, f"{{{GEOPRIV}}}geopriv")
    civic = ET.SubElement(ET.SubElement(geopriv, f"{{{GEOPRIV}}}location-info"), f"{{{CIVIC}}}civicAddress")
    for name, namespace, element in ELEMENTS:
        if value := getattr(address, name):
            ET.SubElement(civic, f"{{{namespace}}}{element}").text = _xml(value)
    rules = ET.SubElement(geopriv, f"{{{GEOPRIV}}}usage-rules")
    ET.SubElement(rules, f"{{{POLICY}}}retransmission-allowed").text = "no"
    ET.SubElement(geopriv, f"{{{GEOPRIV}}}method").text = "Manual"
    stamp = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    ET.SubElement(entry, f"{{{PIDF}}}timestamp").text = stamp
    document: bytes = ET.tostring(presence, encoding="UTF-8", xml_declaration=True)
    return document


def _xml(text: str) -> str:
    """The text with each character that XML 1.0 §2.2 excludes replaced."""
    return "".join(
        c if c in "\t\n" or " " <= c <= "\ud7ff" or "\ue000" <= c <= "\ufffd" or c > "\uffff" else "\ufffd"
        for c in text
    )
