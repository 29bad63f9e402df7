"""The location object holds every element in the place that the RFCs give it, and any text."""

from dataclasses import fields
from xml.etree import ElementTree as ET

from hypothesis import given, settings
from hypothesis import strategies as st

from offhook.inventory.address import CivicAddress
from offhook.inventory.emergency.pidflo import CIVIC, CIVIC_EXTENSION, ELEMENTS, GEOPRIV, PIDF, POLICY, format_pidf_lo

PATH = f"{{{PIDF}}}tuple/{{{PIDF}}}status/{{{GEOPRIV}}}geopriv"


def read_civic(document: bytes) -> dict[str, str]:
    civic = ET.fromstring(document).find(f"{PATH}/{{{GEOPRIV}}}location-info/{{{CIVIC}}}civicAddress")
    assert civic is not None
    return {element.tag: element.text or "" for element in civic}


def test_the_document_for_an_address() -> None:
    address = CivicAddress(
        country="US", state="NY", city="New York", house_prefix="37-", house_number="15", street="73rd", suffix="St"
    )
    document = format_pidf_lo(address, entity="sip:2001@acme.test", at=1_700_000_000.5)
    root = ET.fromstring(document)
    assert document.startswith(b"<?xml version='1.0' encoding='UTF-8'?>")
    assert root.tag == f"{{{PIDF}}}presence"
    assert root.get("entity") == "sip:2001@acme.test"
    assert root.findtext(f"{{{PIDF}}}tuple/{{{PIDF}}}timestamp") == "2023-11-14T22:13:20Z"
    assert root.findtext(f"{PATH}/{{{GEOPRIV}}}method") == "Manual"
    assert root.findtext(f"{PATH}/{{{GEOPRIV}}}usage-rules/{{{POLICY}}}retransmission-allowed") == "no"
    assert list(read_civic(document).items()) == [
        (f"{{{CIVIC}}}country", "US"),
        (f"{{{CIVIC}}}A1", "NY"),
        (f"{{{CIVIC}}}A3", "New York"),
        (f"{{{CIVIC}}}RD", "73rd"),
        (f"{{{CIVIC}}}STS", "St"),
        (f"{{{CIVIC}}}HNO", "15"),
        (f"{{{CIVIC_EXTENSION}}}HNP", "37-"),
    ]


def test_every_element_has_its_place() -> None:
    assert {name for name, _, _ in ELEMENTS} == {field.name for field in fields(CivicAddress)}
    assert len({element for _, _, element in ELEMENTS}) == len(ELEMENTS)


texts = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=20).map(
    lambda text: text.replace("\ufffe", "").replace("\uffff", "")
)


@given(st.builds(CivicAddress, **{field.name: texts for field in fields(CivicAddress)}), texts)
@settings(max_examples=60, deadline=None)
def test_what_is_written_is_read_back(address: CivicAddress, entity: str) -> None:
    document = format_pidf_lo(address, entity=entity, at=0.0)
    read = read_civic(document)
    names = {f"{{{namespace}}}{element}": name for name, namespace, element in ELEMENTS}
    assert {names[tag]: text for tag, text in read.items()} == address.elements()
    assert ET.fromstring(document).get("entity") == entity


@given(st.text(st.characters(), max_size=20))
@settings(max_examples=60, deadline=None)
def test_any_text_gives_well_formed_xml(text: str) -> None:
    ET.fromstring(format_pidf_lo(CivicAddress(country="US", street=text, name="\ud800\x00]]>"), entity=text, at=0.0))
