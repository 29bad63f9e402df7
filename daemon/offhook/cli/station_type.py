"""``offhook station-type``."""

from typing import Final

import click

from offhook.cli.completion import complete_from
from offhook.cli.output import Column
from offhook.cli.resource import Field, Kind, add_commands


@click.group("station-type")
def station_type() -> None:
    """Station types: what numbers may do."""


_FEATURES: Final = (
    "forward_always",
    "forward_busy",
    "forward_no_answer",
    "voicemail",
    "voicemail_to_email",
    "hide_caller_id",
    "call_waiting",
    "do_not_disturb",
    "caller_identity",
)
_KIND: Final = Kind(
    path="station-types",
    noun="station type",
    key="name",
    metavar="NAME",
    columns=(Column("NAME"), Column("FEATURES"), Column("NUMBERS", 1, right=True), Column("ACCOUNT", 2)),
    row=lambda it: (it["name"], ", ".join(it["features"]) or "none", it["numbers"], it["account"]),
    fields=lambda it: (
        ("station type", it["name"]),
        ("account", it["account"]),
        ("features", ", ".join(it["features"]) or "none"),
        ("numbers", it["numbers"]),
    ),
    options=(
        Field(option="--name", metavar="NAME", about="Another name.", only="set"),
        Field(
            option="--feature",
            field="features",
            choices=_FEATURES,
            repeats=True,
            about="A feature that it allows; may be repeated.",
        ),
    ),
    complete=complete_from("station-types", "name", "account"),
    is_searched=False,
    is_ambiguous=True,
    none_there="There are no station types, so every number may use every feature.",
)
add_commands(station_type, _KIND)
