"""The rules between things, each in one place: they look at a draft and give what it breaks, and change nothing."""

from offhook.inventory.rules.breach import Breach
from offhook.inventory.rules.capabilities import find_capability
from offhook.inventory.rules.descriptions import describe, describe_device, name_type
from offhook.inventory.rules.judgement import find_breaches
from offhook.inventory.rules.numbers import default_extension
from offhook.inventory.rules.people import (
    PHYSICAL_PHONES,
    devices_logged_in_to,
    lines_of_person,
    physical_devices_of,
    users_concerned,
)

__all__ = [
    "PHYSICAL_PHONES",
    "Breach",
    "default_extension",
    "describe",
    "describe_device",
    "devices_logged_in_to",
    "find_breaches",
    "find_capability",
    "lines_of_person",
    "name_type",
    "physical_devices_of",
    "users_concerned",
]
