"""``offhook dect``."""

from typing import Any, Final

import click

from offhook.cli.completion import complete_from
from offhook.cli.output import Column
from offhook.cli.resource import Field, Kind, add_commands


@click.group()
def dect() -> None:
    """DECT systems: bases that act as one."""


def _bases(bases: list[dict[str, Any]]) -> str:
    return ", ".join(f"{base['name'] or base['device']} ({base['role'] or 'no role'})" for base in bases) or "none"


_KIND: Final = Kind(
    path="dect-systems",
    noun="DECT system",
    key="name",
    metavar="NAME",
    columns=(
        Column("NAME"),
        Column("MODEL", 1),
        Column("BASES"),
        Column("HANDSETS", right=True),
        Column("ACCOUNT", 2),
    ),
    row=lambda it: (
        it["name"],
        " ".join(word for word in (it["vendor"], it["model"]) if word),
        _bases(it["bases"]),
        it["handsets"],
        it["account"],
    ),
    fields=lambda it: (
        ("DECT system", it["name"]),
        ("account", it["account"]),
        ("vendor", it["vendor"]),
        ("model", it["model"]),
        ("bases", _bases(it["bases"])),
        ("handsets", it["handsets"]),
    ),
    options=(
        Field(option="--name", metavar="NAME", about="Another name.", only="set"),
        Field(option="--vendor", metavar="NAME", about="Like snom."),
        Field(option="--model", metavar="MODEL", about="Like M900."),
    ),
    complete=complete_from("dect-systems", "name", "account"),
    is_searched=False,
    is_ambiguous=True,
    none_there="There are no DECT systems; a base that is alone needs none.",
)
add_commands(dect, _KIND)
