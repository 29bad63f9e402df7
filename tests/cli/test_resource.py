import click
import pytest
from click.testing import CliRunner
from tests.cli.conftest import Commands

from offhook.cli.failure import Failure
from offhook.cli.resource import Field, body_of, confirm


def test_options_become_a_body_and_an_empty_text_clears() -> None:
    options = (
        Field(option="--first-name", about=""),
        Field(option="--display-last", field="display_name.last", about=""),
        Field(option="--feature", field="features", repeats=True, about=""),
        Field(option="--email", about=""),
        Field(option="--main", is_flag=True, about=""),
    )
    values = {"first_name": "Kim", "display_last": "Desk", "feature": ("voicemail",), "email": "", "main": False}
    assert body_of(options, values) == {
        "first_name": "Kim",
        "display_name": {"last": "Desk"},
        "features": ["voicemail"],
        "email": None,
        "main": False,
    }
    nothing = {"first_name": None, "display_last": None, "feature": (), "email": None, "main": None}
    assert body_of(options, nothing) == {}
    assert body_of(options, {**nothing, "feature": ("",)}) == {"features": []}


def test_a_confirmation_wants_somebody_to_ask() -> None:
    @click.command()
    @click.option("--yes", is_flag=True)
    def command(yes: bool) -> None:
        try:
            confirm(lambda: {"differences": []}, yes, "delete user kim")
        except Failure as failure:
            click.echo(f"{failure.message}; {failure.remedy}")
        else:
            click.echo("done")

    assert CliRunner().invoke(command, ["--yes"]).output == "done\n"
    assert "delete user kim wants a confirmation; add --yes" in CliRunner().invoke(command).output


@pytest.mark.parametrize(
    ("kind", "name", "more"),
    [
        ("account", "initech", ["--sip-domain", "initech.test"]),
        ("location", "Branch", ["--account", "acme", "--timezone", "Etc/UTC"]),
        ("station-type", "Premium", ["--account", "acme", "--feature", "voicemail"]),
        ("dect", "Hall", ["--account", "acme", "--vendor", "snom"]),
        ("user", "kim", ["--account", "acme", "--first-name", "Kim", "--extension", "2777"]),
        ("number", "+12125550177", ["--account", "acme", "--voicemail"]),
    ],
)
def test_a_thing_is_added_listed_shown_and_deleted(offhook: Commands, kind: str, name: str, more: list[str]) -> None:
    assert "A dry run: nothing was changed." in offhook.output(kind, "add", name, *more, "--dry-run")
    assert f"{name} is added." in offhook.output(kind, "add", name, *more)
    assert name in offhook.output(kind, "list")
    assert name in offhook.output(kind, "show", name)
    shown = offhook.json(kind, "show", name)
    assert shown in offhook.json(kind, "list") or kind == "account"  # Whose token the list does not show.
    refused = offhook(kind, "delete", name)
    assert (refused.exit_code, "add --yes" in refused.stderr) == (1, True)
    assert f"{name} is deleted." in offhook.output(kind, "delete", name, "--yes")
    assert offhook(kind, "show", name).exit_code == 1


def test_a_thing_is_changed_and_renamed(offhook: Commands) -> None:
    offhook.output("user", "add", "kim", "--account", "acme", "--email", "kim@acme.test")
    text = offhook.output("user", "set", "kim", "--username", "kim.park", "--email", "")
    assert "email: kim@acme.test → (none)" in text
    assert offhook.json("user", "show", "kim.park")["email"] is None
    nothing = offhook("user", "set", "kim.park")
    assert (nothing.exit_code, "there is nothing to set" in nothing.stderr) == (2, True)
    assert "Nothing to change." in offhook.output("user", "set", "kim.park", "--email", "")


def test_what_is_refused_is_told_with_the_remedy(offhook: Commands) -> None:
    refused = offhook("user", "add", "kim", "--account", "acne")
    assert (refused.exit_code, "did you mean acme?" in refused.stderr) == (1, True)
    refused = offhook("user", "add", "k m", "--account", "acme", "--plan", "pro")
    assert refused.exit_code == 1
    assert "'k m' cannot be a user name" in refused.stderr
