"""What a schema has against a document, in the operator's words and at the place where it stands."""

import difflib
import heapq
import types
import typing
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import pydantic
from pydantic.fields import FieldInfo

from offhook.errors import Fault
from offhook.secret import Secret
from offhook.yamldoc.document import Document, Path, format_path


def faults_of(
    error: pydantic.ValidationError,
    document: Document,
    model: type[pydantic.BaseModel],
    unknown_keys: Mapping[str, str] | None = None,
    *,
    most: int | None = None,
) -> list[Fault]:
    """Says in the operator's words what pydantic found, and what the document was read with, in its order.

    ``unknown_keys`` has better words for keys that ``model`` lacks, by path (``sip.tls``). The text of a field that
    holds a secret is never repeated. With ``most``, what pydantic found beyond so many places is left out. A location's
    steps that the document lacks are tags of unions and names of validators.
    """
    faults = {str(fault): fault for fault in document.faults}
    places = {(fault.line, fault.column) for fault in document.faults}
    incomplete = {refused.path[:-1] for refused in document.refused}
    for detail, path in _first(_details(error, document), document, most):
        location = detail["loc"]
        if detail["type"] in {"missing", "union_tag_not_found"} and path in incomplete:
            continue  # It may be among the keys that were not taken.
        if detail["type"] == "extra_forbidden":
            known = (unknown_keys or {}).get(format_path(path))
            message = known or _unknown_key(str(location[-1]), _models_at(model, location[:-1]))
            fault = document.fault(path, message, key=True)
        elif detail["type"] == "missing":
            fault = document.fault((*path, str(location[-1])), "is missing; add it")
        else:
            secret = _is_secret(model, location)
            fault = document.fault(path, _explain(detail, secret, _models_at(model, location)))
        if (fault.line, fault.column) not in places:
            faults[str(fault)] = fault
    return sorted(faults.values(), key=lambda fault: (fault.line, fault.column))


def paths_of(error: pydantic.ValidationError, document: Document) -> set[Path]:
    """Where the schema has something against the document: what to take out of it to make the rest acceptable."""
    return {
        (*path, str(detail["loc"][-1])) if detail["type"] == "missing" else path
        for detail, path in _details(error, document)
    }


def _first(
    details: Iterable[tuple[Mapping[str, Any], Path]], document: Document, most: int | None
) -> Iterable[tuple[Mapping[str, Any], Path]]:
    """Those that stand first: to put one into words takes longer than to find its place."""
    if most is None:
        return details
    return heapq.nsmallest(most, details, key=lambda detail: document.position(detail[1]))


def _details(error: pydantic.ValidationError, document: Document) -> Iterator[tuple[Mapping[str, Any], Path]]:
    for detail in error.errors(include_url=False):
        if detail["type"] == "too_short" and len(detail["input"]) >= detail["ctx"]["min_length"]:
            continue  # It has enough entries, and the wrong ones among them have faults of their own.
        yield detail, document.known(detail["loc"])


def _models_in(annotation: object) -> Iterator[type[pydantic.BaseModel]]:
    if isinstance(annotation, type) and not isinstance(annotation, types.GenericAlias):
        if issubclass(annotation, pydantic.BaseModel):
            yield annotation
        return
    for part in typing.get_args(annotation):
        yield from _models_in(part)


def _names_of(name: str, info: FieldInfo) -> set[str]:
    if info.validation_alias is None and info.alias is None:
        return {name}
    choices = info.validation_alias or info.alias
    if isinstance(choices, pydantic.AliasChoices):
        return {choice for choice in choices.choices if isinstance(choice, str)}
    return {choices} if isinstance(choices, str) else {name}


def _fields_at(models: Iterable[type[pydantic.BaseModel]], step: str) -> list[FieldInfo]:
    return [
        info for model in models for name, info in model.model_fields.items() if step in _names_of(name, info) | {name}
    ]


def _models_at(model: type[pydantic.BaseModel], location: Path) -> list[type[pydantic.BaseModel]]:
    models = [model]
    for step in location:
        if isinstance(step, int):
            continue
        if fields := _fields_at(models, step):
            models = [found for info in fields for found in _models_in(info.annotation)]
        else:
            models = [one for one in models if one.__name__ == step or _has_tag(one, step)] or models
    return models


def _has_tag(model: type[pydantic.BaseModel], tag: str) -> bool:
    """Whether a union's discriminator chooses this model for ``tag``."""
    return any(
        typing.get_origin(info.annotation) is typing.Literal and tag in typing.get_args(info.annotation)
        for info in model.model_fields.values()
    )


def _unknown_key(key: str, models: list[type[pydantic.BaseModel]]) -> str:
    names = sorted(
        {name for model in models for own, info in model.model_fields.items() for name in _names_of(own, info)}
    )
    if close := difflib.get_close_matches(key.lower(), names, n=1):
        return f"unknown key; did you mean {close[0]!r}?"
    return f"unknown key; known here: {', '.join(names)}" if names else "unknown key; remove it"


_SECRET_NAMES: Final = ("password", "secret", "pin", "token", "key", "url")


def _is_secret(model: type[pydantic.BaseModel], location: Path) -> bool:
    """Whether the value may be one that nobody should see: by its type, else by its name."""
    models = [model]
    for index, step in enumerate(location):
        if isinstance(step, int):
            continue
        if any(part in step.lower() for part in _SECRET_NAMES):
            return True
        if any(_mentions_secret(info.annotation) for info in _fields_at(models, step)):
            return True
        models = _models_at(model, location[: index + 1])
    return False


def _mentions_secret(annotation: object) -> bool:
    if isinstance(annotation, type) and not isinstance(annotation, types.GenericAlias):
        return issubclass(annotation, (Secret, pydantic.SecretStr, pydantic.SecretBytes))
    return any(_mentions_secret(part) for part in typing.get_args(annotation))


#: What is wanted, by pydantic's name of the error; ``{...}`` are keys of its context.
_WANTED: Final = {
    "int_parsing": "wants a whole number",
    "int_parsing_size": "wants a smaller number",
    "int_type": "wants a whole number",
    "int_from_float": "wants a whole number",
    "float_parsing": "wants a number",
    "float_type": "wants a number",
    "byte_size": "wants a size such as 65536 or 64 MiB",
    "byte_size_unit": "wants a size such as 65536 or 64 MiB",
    "bool_parsing": "wants true or false",
    "bool_type": "wants true or false",
    "enum": "wants one of {expected}",
    "literal_error": "wants one of {expected}",
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "string_too_short": "must have at least {min_length} characters",
    "string_too_long": "must have at most {max_length} characters",
    "too_short": "is too short a list; entries needed: {min_length}",
    "too_long": "is too long a list; entries allowed: {max_length}",
    "string_pattern_mismatch": "does not have the form {pattern}",
    "union_tag_invalid": "wants {discriminator} to be one of {expected_tags}",
    "union_tag_not_found": "lacks {discriminator}, which says what it is",
    "none_required": "must be null",
    "path_type": "wants a path",
    "string_type": "wants text; put it in quotes",
    "list_type": "wants a list{entries}",
    "tuple_type": "wants a list{entries}",
    "set_type": "wants a list{entries}",
    "frozen_set_type": "wants a list{entries}",
    "dict_type": "wants keys with values below it",
    "model_type": "wants keys with values below it",
    "model_attributes_type": "wants keys with values below it",
    "dataclass_type": "wants keys with values below it",
}


def _explain(detail: Mapping[str, Any], secret: bool, models: list[type[pydantic.BaseModel]]) -> str:
    """``models``: of the value, or of its entries where it should be a list."""
    kind, context, given = detail["type"], detail.get("ctx", {}), detail["input"]
    if kind in {"value_error", "assertion_error"}:
        return str(context["error"])
    if kind not in _WANTED:
        message: str = detail["msg"]
        return message[:1].lower() + message[1:]
    name = str(next((step for step in reversed(detail["loc"]) if isinstance(step, str)), "entries")).replace("_", " ")
    entries = f" of {name}, each beginning with '- '" if models else ", such as [a, b], or [] for none"
    wanted = _WANTED[kind].format_map({**context, "entries": entries})
    if given is None:
        return f"is empty; it {wanted.removesuffix('; put it in quotes')}"
    if secret or not isinstance(given, str):
        return wanted
    shown = given if len(given) <= 60 else given[:60] + "…"
    suggestion = ""
    if kind in {"enum", "literal_error"}:
        choices = [part for part in context["expected"].split("'") if part.strip(" ,") and part.strip() != "or"]
        if close := difflib.get_close_matches(given.lower(), choices, n=1):
            suggestion = f"; did you mean {close[0]!r}?"
    return f"{wanted}, not {shown!r}{suggestion}"
