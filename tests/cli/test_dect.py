from tests.cli.conftest import Commands


def test_a_system_is_shown_with_its_bases(offhook: Commands) -> None:
    offhook.output("dect", "add", "Hall", "--account", "acme", "--vendor", "snom", "--model", "M900")
    offhook.output(
        "device", "add", "000413000001", "--account", "acme", "--type", "dect_base", "--system", "Hall",
        "--role", "master", "--name", "East",
    )  # fmt: skip
    text = offhook.output("dect", "show", "Hall")
    assert "East (master)" in text
    assert "snom" in text
    assert "M900" in offhook.output("dect", "list")
