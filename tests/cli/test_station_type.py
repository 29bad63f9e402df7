from tests.cli.conftest import Commands

from offhook.cli import station_type
from offhook.inventory.models import Feature


def test_every_feature_can_be_named() -> None:
    assert tuple(feature.value for feature in Feature) == station_type._FEATURES


def test_features_are_set_as_a_whole(offhook: Commands) -> None:
    offhook.output("station-type", "add", "Premium", "--account", "acme", "--feature", "voicemail")
    offhook.output("station-type", "set", "Premium", "--feature", "call_waiting", "--feature", "forward_busy")
    assert offhook.json("station-type", "show", "Premium")["features"] == ["forward_busy", "call_waiting"]
    offhook.output("station-type", "set", "Premium", "--feature", "")
    assert "none" in offhook.output("station-type", "show", "Premium")


def test_without_any_it_says_what_that_means(offhook: Commands) -> None:
    assert "every number may use every feature" in offhook("station-type", "list").stderr
