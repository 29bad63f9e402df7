from typing import Annotated, Literal

import pydantic
import pytest
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from offhook.yamldoc import faults_of, load, paths_of, read


class Phone(BaseModel):
    model_config = ConfigDict(extra="forbid")
    type: Literal["phone"]
    mac: str
    index: Annotated[int, Field(ge=1, le=16)] = 1
    code: SecretStr | Annotated[str, Field(max_length=3)] | None = None


class Base(BaseModel):
    model_config = ConfigDict(extra="forbid")
    type: Literal["base"]
    role: Literal["single", "master", "member"]
    phones: list[Phone] = []


class Site(BaseModel):
    model_config = ConfigDict(extra="forbid")
    display_name: Annotated[str, Field(alias="name")]
    devices: list[Annotated[Phone | Base, Field(discriminator="type")]] = []
    tokens: Annotated[list[int], Field(max_length=2)] = []
    ready: pydantic.StrictBool = False


def faults(text: str) -> list[str]:
    document = read(text, "f.yaml")
    with pytest.raises(pydantic.ValidationError) as caught:
        Site.model_validate(document.data)
    return [str(fault) for fault in faults_of(caught.value, document, Site)]


def test_all_faults_are_told_in_the_documents_order() -> None:
    text = """nam: x
ready: yes
devices:
- {type: phone, mac: 001565123456, index: 17}
- {type: phone, mak: x, index: two}
- {type: base, role: masta, phones: [{type: phone, mac: true, indx: 1}]}
- {type: ata}
- {role: single}
- text
"""
    assert faults(text) == [
        "f.yaml:1:1: name: is missing; add it",
        "f.yaml:1:1: nam: unknown key; did you mean 'name'?",
        "f.yaml:2:8: ready: wants true or false, not 'yes'",
        "f.yaml:4:43: devices[0].index: must be at most 16, not '17'",
        "f.yaml:5:3: devices[1].mac: is missing; add it",
        "f.yaml:5:17: devices[1].mak: unknown key; did you mean 'mac'?",
        "f.yaml:5:32: devices[1].index: wants a whole number, not 'two'",
        "f.yaml:6:22: devices[2].role: wants one of 'single', 'master' or 'member', not 'masta'; "
        "did you mean 'master'?",
        "f.yaml:6:57: devices[2].phones[0].mac: wants text; put it in quotes",
        "f.yaml:6:63: devices[2].phones[0].indx: unknown key; did you mean 'index'?",
        "f.yaml:7:3: devices[3]: wants 'type' to be one of 'phone', 'base'",
        "f.yaml:8:3: devices[4]: lacks 'type', which says what it is",
        "f.yaml:9:3: devices[5]: wants keys with values below it, not 'text'",
    ]


def test_a_key_unlike_any_other_is_answered_with_those_there_are() -> None:
    assert faults("name: x\nzzz: 1") == ["f.yaml:2:1: zzz: unknown key; known here: devices, name, ready, tokens"]


def test_null_is_called_empty() -> None:
    assert faults("name:\ndevices:") == [
        "f.yaml:1:6: name: is empty; it wants text",
        "f.yaml:2:9: devices: is empty; it wants a list of devices, each beginning with '- '",
    ]


def test_a_list_of_values_is_asked_for_as_such() -> None:
    assert faults("name: x\ntokens:\ndevices: {a: b}") == [
        "f.yaml:2:8: tokens: is empty; it wants a list, such as [a, b], or [] for none",
        "f.yaml:3:10: devices: wants a list of devices, each beginning with '- '",
    ]


def test_faults_of_syntax_and_schema_are_told_together() -> None:
    assert faults("name: x\nname: y\nready: !!str no\ntokens: [z]\ndevices: [{<<: {}}]") == [
        "f.yaml:2:1: name: the key stands twice, first in line 1; remove one",
        "f.yaml:3:8: ready: the tag 'tag:yaml.org,2002:str' is not taken; remove it",
        "f.yaml:4:10: tokens[0]: wants a whole number",
        "f.yaml:5:12: devices[0]: merge keys (<<) are not taken; write the keys out",
    ]


def test_what_may_stand_under_a_key_that_was_not_taken_is_not_missing() -> None:
    assert faults("<<: {name: x}\ntokens: [z]") == [
        "f.yaml:1:1: merge keys (<<) are not taken; write the keys out",
        "f.yaml:2:10: tokens[0]: wants a whole number",
    ]


def test_the_places_at_fault_are_those_to_take_out() -> None:
    document = load("nam: x\ntokens: [1, z]\ndevices: [{type: phone, index: 1}, {type: ata}]", "f.yaml")
    with pytest.raises(pydantic.ValidationError) as caught:
        Site.model_validate(document.data)
    assert paths_of(caught.value, document) == {
        ("nam",), ("name",), ("tokens", 1), ("devices", 0, "mac"), ("devices", 1)
    }  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "name: x\ntokens: [hunter2]",
        "name: x\ntokens: hunter2",
        "name: x\ntokenz: hunter2",
        "name: x\ndevices: [{type: phone, mac: x, code: [hunter2]}]",
    ],
)
def test_a_value_that_may_be_secret_is_never_repeated(text: str) -> None:
    told = faults(text)
    assert told
    assert not [fault for fault in told if "hunter2" in fault]


def test_long_values_are_cut() -> None:
    (fault,) = faults(f"name: x\nready: {'x' * 1000}")
    assert len(fault) < 150


def test_of_very_many_the_first_are_put_into_words() -> None:
    text = "name: x\ndevices:\n" + "  - {type: phone, mac: x, index: 0}\n" * 50 + "tokens: [x]\n"
    document = read(text, "f.yaml")
    with pytest.raises(pydantic.ValidationError) as caught:
        Site.model_validate(document.data)
    told = faults_of(caught.value, document, Site, most=5)
    assert [fault.line for fault in told] == [3, 4, 5, 6, 7]
    assert len(faults_of(caught.value, document, Site)) == 51
