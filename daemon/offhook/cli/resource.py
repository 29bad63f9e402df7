"""The five commands that every kind of thing has: list, show, add, set, delete.

A :class:`Kind` states what is particular to one; :func:`add_commands` gives its group the commands. What is done to a
thing beside that, an action, is a command of its own.
"""

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import click

from offhook.cli.changes import confirm_moves_option, dry_run_option, fields_of, print_change, print_differences
from offhook.cli.client import Client, connect
from offhook.cli.completion import Completer, complete_account
from offhook.cli.failure import Failure
from offhook.cli.output import Column, json_option, print_fields, print_json, print_table
from offhook.cli.settings import config_option

View = Mapping[str, Any]
Decorator = Callable[[Any], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """An option that states a field of the API's body."""

    option: str
    #: ``--time-zone``.
    about: str
    field: str = ""
    #: Its name in the body; without it the option's, with underscores. ``display_name.first`` is one inside another.
    metavar: str | None = None
    choices: tuple[str, ...] = ()
    is_flag: bool = False
    #: ``--NAME / --no-NAME``; neither leaves things as they are.
    is_switch: bool = False
    #: ``--NAME``, or not.
    is_number: bool = False
    repeats: bool = False
    only: Literal["add", "set", ""] = ""
    required: bool = False
    #: To add.
    complete: Completer | None = None

    @property
    def parameter(self) -> str:
        """What click calls its value."""
        return self.option.removeprefix("--").replace("-", "_")

    @property
    def path(self) -> tuple[str, ...]:
        """Where it stands in the body."""
        return tuple((self.field or self.parameter).split("."))

    def decorate(self, command: Any, *, required: bool) -> Any:
        """The command with this option."""
        if self.is_flag:
            name = f"{self.option}/--no-{self.option.removeprefix('--')}"
            return click.option(name, self.parameter, default=None, help=self.about)(command)
        if self.is_switch:
            return click.option(self.option, self.parameter, flag_value=True, default=None, help=self.about)(command)
        kind: click.ParamType[Any] = click.STRING
        if self.choices:
            kind = click.Choice(("", *self.choices) if not required else self.choices, case_sensitive=False)
        elif self.is_number:
            kind = click.INT
        return click.option(
            self.option,
            self.parameter,
            type=kind,
            metavar=self.metavar if not self.choices else f"[{'|'.join(self.choices)}]",
            multiple=self.repeats,
            required=required,
            help=self.about,
            shell_complete=self.complete,
        )(command)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of thing, as commands have it."""

    path: str
    #: Of the API: ``users``.
    noun: str
    key: str
    #: The field that it is known by: ``username``.
    metavar: str
    columns: tuple[Column, ...]
    row: Callable[[View], Sequence[object]]
    fields: Callable[[View], Iterable[tuple[str, object]]]
    options: tuple[Field, ...] = ()
    filters: tuple[Field, ...] = ()
    #: Of list.
    complete: Completer | None = None
    is_searched: bool = True
    belongs: bool = True
    #: To an account, which ``add`` names.
    is_ambiguous: bool = False
    #: Its name is unique in its account alone, so that commands may have to name that too.
    moves_users: bool = False
    none_there: str = ""
    known_by: Callable[[str, Mapping[str, object]], dict[str, object]] | None = None
    #: What a new one's body says that it is known by, from the argument and the options; else the key.
    more: Callable[[View], None] = lambda _it: None
    #: Prints what ``show`` has below the fields.
    deleting: tuple[str, ...] = ()
    #: Parameters that the API wants as a confirmation, set where the command has got one.

    @property
    def described(self) -> str:
        """With its article."""
        return f"{'an' if self.noun[0] in 'aeio' else 'a'} {self.noun}"


_account: Final = click.option(
    "--account", metavar="NAME", required=True, help="The account that it belongs to.", shell_complete=complete_account
)
_which_account: Final = click.option(
    "--account", metavar="NAME", help="Its account, where several have that name.", shell_complete=complete_account
)
_only_account: Final = click.option(
    "--account", metavar="NAME", help="Only those of this account.", shell_complete=complete_account
)
_sort: Final = click.option("--sort", metavar="FIELD", help="Sort by this; with a dash before it descending.")


def body_of(options: Iterable[Field], values: Mapping[str, object]) -> dict[str, object]:
    """The API's body of the options that were given; an empty text clears."""
    body: dict[str, object] = {}
    for option in options:
        value = values[option.parameter]
        if option.repeats:
            assert isinstance(value, tuple)
            given = fields_of(it=None if value == () else [part for part in value if part])
        else:
            given = fields_of(it=value)
        if not given:
            continue
        inner = body
        for step in option.path[:-1]:
            held = inner.setdefault(step, {})
            assert isinstance(held, dict)
            inner = held
        inner[option.path[-1]] = given["it"]
    return body


def add_commands(group: click.Group, kind: Kind) -> None:
    """Gives a group the commands of a kind."""
    group.add_command(_list_command(kind), "list")
    group.add_command(_show_command(kind), "show")
    group.add_command(_add_command(kind), "add")
    group.add_command(_set_command(kind), "set")
    group.add_command(_delete_command(kind), "delete")


def confirm(dry_run: Callable[[], View], yes: bool, what: str) -> None:
    """Shows what would happen and asks, unless ``yes``. Raises Failure where there is nobody to ask."""
    if yes:
        return
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise Failure(f"{what} wants a confirmation", remedy="add --yes, or look first: --dry-run")
    print_differences(dry_run()["differences"])
    click.confirm(f"{what[:1].upper()}{what[1:]}?", abort=True, err=True)


def _name_argument(kind: Kind) -> Decorator:
    return click.argument("thing", metavar=kind.metavar, shell_complete=kind.complete)


def _decorated(function: Callable[..., None], about: str, *decorators: Decorator) -> click.Command:
    function.__doc__ = about
    for decorator in reversed((*decorators, config_option, json_option)):
        function = decorator(function)
    return click.command()(function)


def _with_options(kind: Kind, options: Iterable[Field], *, adding: bool) -> list[Decorator]:
    return [
        lambda command, it=option: it.decorate(command, required=adding and it.required)  # type: ignore[misc]
        for option in options
        if option.only in ("", "add" if adding else "set")
    ]


def _list_command(kind: Kind) -> click.Command:
    def run(as_json: bool, sort: str | None, search: str = "", account: str | None = None, **values: Any) -> None:
        query: dict[str, Any] = {option.path[0]: _filter(values[option.parameter]) for option in kind.filters}
        items = list(connect().list(kind.path, q=search, account=account, sort=sort, **query))
        if as_json:
            print_json(items)
            return
        is_narrowed = bool(search or account or any(query.values()))
        print_table(
            kind.columns,
            [kind.row(it) for it in items],
            f"No such {kind.noun}." if is_narrowed else kind.none_there or f"There are no {kind.noun}s.",
        )

    decorators: list[Decorator] = [_sort, *_with_options(kind, kind.filters, adding=False)]
    if kind.belongs:
        decorators.append(_only_account)
    if kind.is_searched:
        decorators.append(click.argument("search", required=False, default=""))
    about = f"List {kind.noun}s" + ("; with SEARCH those in which it is found." if kind.is_searched else ".")
    return _decorated(run, about, *decorators)


def _filter(value: object) -> object:
    """A parameter of a query: false is said, not left out, where it was asked for."""
    return "false" if value is False else value


def _show_command(kind: Kind) -> click.Command:
    def run(thing: str, as_json: bool, account: str | None = None) -> None:
        it = connect().get(kind.path, thing, account=account)
        if as_json:
            print_json(it)
            return
        print_fields(kind.fields(it))
        kind.more(it)

    extra = [_which_account] if kind.is_ambiguous else []
    return _decorated(run, f"Show {kind.described}.", _name_argument(kind), *extra)


def _add_command(kind: Kind) -> click.Command:
    options = [option for option in kind.options if option.only != "set"]

    def run(
        thing: str,
        as_json: bool,
        dry_run: bool,
        account: str | None = None,
        confirm_moves: bool = False,
        **values: object,
    ) -> None:
        known_by = kind.known_by(thing, values) if kind.known_by else {kind.key: thing}
        body = {**known_by, **fields_of(account=account), **body_of(options, values)}
        it = connect().post(kind.path, body=body, dry_run=dry_run, confirm_moves=confirm_moves)
        print_change(it, as_json, f"{kind.noun} {thing} is added")

    extra = [_account] if kind.belongs else []
    moves = [confirm_moves_option] if kind.moves_users else []
    argument = click.argument("thing", metavar=kind.metavar)
    described = _with_options(kind, options, adding=True)
    return _decorated(run, f"Add {kind.described}.", argument, *extra, *described, *moves, dry_run_option)


def _set_command(kind: Kind) -> click.Command:
    options = [option for option in kind.options if option.only != "add"]

    def run(
        thing: str,
        as_json: bool,
        dry_run: bool,
        account: str | None = None,
        confirm_moves: bool = False,
        **values: object,
    ) -> None:
        body = body_of(options, values)
        if not body:
            raise click.UsageError("there is nothing to set; name an option, see --help")
        query: dict[str, object] = {"account": account, "dry_run": dry_run, "confirm_moves": confirm_moves}
        it = connect().patch(kind.path, thing, body=body, **query)
        print_change(it, as_json, f"{kind.noun} {thing} is changed")

    extra = [_which_account] if kind.is_ambiguous else []
    moves = [confirm_moves_option] if kind.moves_users else []
    about = f"Change {kind.described}.\n\nWhat is not named stays as it is; an empty text ('') clears."
    described = _with_options(kind, options, adding=False)
    return _decorated(run, about, _name_argument(kind), *extra, *described, *moves, dry_run_option)


def _delete_command(kind: Kind) -> click.Command:
    def run(thing: str, yes: bool, as_json: bool, dry_run: bool, account: str | None = None) -> None:
        client = connect()

        def ask(client: Client = client, *, trying: bool) -> Any:
            confirmed = dict.fromkeys(kind.deleting, True)
            return client.delete(kind.path, thing, account=account, dry_run=trying, **confirmed)

        if not dry_run:
            confirm(lambda: ask(trying=True), yes, f"delete {kind.noun} {thing}")
        print_change(ask(trying=dry_run), as_json, f"{kind.noun} {thing} is deleted")

    extra = [_which_account] if kind.is_ambiguous else []
    yes_option = click.option("--yes", is_flag=True, help="Do not ask.")
    return _decorated(run, f"Delete {kind.described}.", _name_argument(kind), *extra, yes_option, dry_run_option)
