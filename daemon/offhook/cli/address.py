"""``offhook location address``, ``user address`` and ``device address``."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Final

import click

from offhook.cli.changes import dry_run_option, print_change
from offhook.cli.client import Client, connect
from offhook.cli.completion import Completer, complete_account
from offhook.cli.failure import Failure
from offhook.cli.output import format_moment, json_option, print_fields, print_json, waiting
from offhook.cli.resource import confirm
from offhook.cli.settings import config_option

#: Option and metavar of each element, in the order in which people write an address.
_ELEMENTS: Final = {
    "--house-prefix": "TEXT",
    "--house-number": "350",
    "--house-suffix": "1/2",
    "--pre-directional": "N",
    "--pre-modifier": "Old",
    "--pre-type": "Avenue",
    "--street": "Fifth",
    "--suffix": "Ave",
    "--post-directional": "SW",
    "--post-modifier": "TEXT",
    "--building": "B",
    "--floor": "21",
    "--unit": "'Apt 4'",
    "--room": "2101",
    "--seat": "7",
    "--landmark": "TEXT",
    "--location-text": "TEXT",
    "--occupant": "TEXT",
    "--community": "TEXT",
    "--city": "'New York'",
    "--county": "TEXT",
    "--state": "NY",
    "--postal-code": "10118",
    "--country": "US",
}
#: Fields of the API that have options of another name: an address's ``name`` is not that of whose address it is.
_FIELDS: Final = {"occupant": "name"}

_BY_WHOM: Final = {
    "form": "nobody but its form: no validator is set up that knows its country",
    "street_ranges": "the street ranges",
    "http": "the validator",
}


def add_address_command(
    group: click.Group, path: str, noun: str, complete: Completer, *, is_ambiguous: bool = False
) -> None:
    """Gives a group the command ``address``. ``path`` is that of the API, ``noun`` what it names."""

    def run(name: str, as_json: bool, dry_run: bool, account: str | None = None, **given: Any) -> None:
        client, where = connect(), (path, name, "address")
        query: dict[str, object] = {"account": account, "dry_run": dry_run}
        text, choose = given.pop("text"), given.pop("choose")
        wants = {action: given.pop(action) for action in ("validate", "clear")}
        yes = given.pop("yes")
        elements = {_FIELDS.get(field, field): value for field, value in given.items() if value is not None}
        if sum((text is not None, bool(elements) and text is None, *wants.values())) > 1:
            raise click.UsageError("give an address, or --validate, or --clear")
        whose = f"{noun} {name}"
        if wants["clear"]:
            if not dry_run:
                confirm(
                    partial(client.delete, *where, account=account, dry_run=True), yes, f"clear the address of {whose}"
                )
            print_change(client.delete(*where, **query), as_json, f"{whose} has no emergency address of its own")
        elif wants["validate"]:
            with waiting("asking the validator"):
                it = client.post(*where, "validate", body={}, **query)
            _print_verdict(it, as_json, whose)
        elif text is not None or elements:
            body = {"text": text, **elements} if text is not None else _complete(client, where, account, elements)
            with waiting("asking the validator"):
                it = _put(client, where, body, query, choose)
            _print_verdict(it, as_json, whose)
        else:
            _show(client.get(*where, account=account), as_json)

    run.__doc__ = f"""Show, enter or clear the emergency address of a {noun}.

    In one line with --text, or by its elements. Elements without --country change those of the present address; an
    empty text ('') clears one. What is refused, or cannot be judged now, leaves the address in force as it is.
    """
    options: list[Callable[[Any], Any]] = [
        click.argument("name", metavar="DEVICE" if path == "devices" else "NAME", shell_complete=complete),
        click.option("--text", metavar="LINE", help="Such as '350 Fifth Ave Fl 21, New York, NY 10118'."),
        click.option("--choose", type=click.IntRange(1), metavar="N", help="Of several readings, take the Nth."),
        *(click.option(name, metavar=example, help=None) for name, example in _ELEMENTS.items()),
        click.option("--validate", is_flag=True, help="Ask the validator about the address as it is."),
        click.option("--clear", is_flag=True, help="Have no address of its own any more."),
        click.option("--yes", is_flag=True, help="Do not ask before clearing."),
        dry_run_option,
    ]
    if is_ambiguous:
        about = "Its account, where several have that name."
        options.append(click.option("--account", metavar="NAME", help=about, shell_complete=complete_account))
    command: Any = run
    for option in reversed((*options, config_option, json_option)):
        command = option(command)
    group.add_command(click.command("address")(command))


def _complete(
    client: Client, where: Sequence[str], account: str | None, elements: Mapping[str, str]
) -> dict[str, object]:
    """Elements that change an address, with those that it has."""
    if elements.get("country"):
        return dict(elements)
    present = client.get(*where, account=account)["entered"]
    return {name: value for name, value in {**present, **elements}.items() if value}


def _put(
    client: Client, where: Sequence[str], body: Mapping[str, object], query: Mapping[str, object], choose: int | None
) -> Any:
    """Enters an address; where there are several to choose from, the one that is chosen, else they are listed."""
    try:
        return client.put(*where, body=body, **query)
    except Failure as failure:
        choices = failure.alternatives
        if not choices:
            raise
        if choose is None or choose > len(choices):
            remedy = f"choose one of them: --choose 1 to {len(choices)}; or give the elements"
            raise Failure(failure.message, remedy=remedy, faults=list_choices(choices)) from None
        return client.put(*where, body=choices[choose - 1]["elements"], **query)


def list_choices(choices: Sequence[Mapping[str, Any]]) -> list[str]:
    """Numbered, each with the elements in which it differs from the others: in one line they may look alike."""
    elements = [choice["elements"] for choice in choices]
    names = dict.fromkeys(name for each in elements for name in each)
    differing = [name for name in names if len({each.get(name) for each in elements}) > 1]
    return [
        f"  {number}  {choice['text']}{_aside(choice['elements'], differing)}"
        for number, choice in enumerate(choices, start=1)
    ]


def _aside(elements: Mapping[str, str], names: Iterable[str]) -> str:
    said = ", ".join(f"{name.replace('_', ' ')} {elements[name]}" for name in names if elements.get(name))
    return f"  ({said})" if said else ""


def _print_verdict(it: Mapping[str, Any], as_json: bool, whose: str) -> None:
    """What came of it; a verdict against the address is a failure, whatever else went well."""
    address = it["item"]
    is_valid = address["state"] == "valid"
    if as_json or is_valid:
        print_change(it, as_json, f"the address of {whose} is valid, and in force")
    if not as_json and address["in_force_by"] == "form":
        click.echo("Nobody else was asked whether it exists: see emergency.validator in the configuration.", err=True)
    if not is_valid:
        raise Failure(address["message"], remedy=f"in force stays: {address['in_force_text'] or 'none'}")


def _show(it: Mapping[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(it)
        return
    print_fields(
        [
            ("emergency address", it["text"]),
            ("entered as", it["original"]),
            ("state", it["state"]),
            ("message", it["message"]),
            ("in force", it["in_force_text"] or "none"),
            ("since", format_moment(it["in_force_at"])),
            ("found valid by", _BY_WHOM.get(it["in_force_by"] or "", "")),
        ]
    )
