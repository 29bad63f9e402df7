import zoneinfo
from datetime import UTC, datetime, timedelta

import pytest

from offhook.provisioning.timezones import ClockChange, ClockRule, find_clock_rule

#: The zones of the United States, Canada and the European Union, one for each rule that holds there.
ZONES = """
America/New_York America/Detroit America/Chicago America/Denver America/Boise America/Phoenix America/Los_Angeles
America/Anchorage America/Adak Pacific/Honolulu America/Puerto_Rico Pacific/Guam Pacific/Pago_Pago
America/St_Johns America/Halifax America/Toronto America/Winnipeg America/Regina America/Edmonton America/Vancouver
America/Whitehorse Atlantic/Azores Atlantic/Canary Atlantic/Madeira Europe/Lisbon Europe/Dublin Europe/London
Europe/Amsterdam Europe/Berlin Europe/Brussels Europe/Paris Europe/Madrid Europe/Rome Europe/Vienna Europe/Warsaw
Europe/Prague Europe/Stockholm Europe/Copenhagen Europe/Budapest Europe/Zagreb Europe/Ljubljana Europe/Bratislava
Europe/Luxembourg Europe/Malta Europe/Athens Europe/Bucharest Europe/Helsinki Europe/Riga Europe/Sofia Europe/Tallinn
Europe/Vilnius Asia/Nicosia Europe/Zurich Europe/Oslo
""".split()  # noqa: SIM905 # a list of them fills a page


def test_new_york() -> None:
    assert find_clock_rule("America/New_York") == ClockRule(
        "America/New_York", -300, 60, ClockChange(3, 2, 7, 2), ClockChange(11, 1, 7, 2)
    )


def test_zone_without_summer_time() -> None:
    assert find_clock_rule("America/Phoenix") == ClockRule("America/Phoenix", -420)


def test_irish_winter_time_is_no_summer_time() -> None:
    assert find_clock_rule("Europe/Dublin") == ClockRule(
        "Europe/Dublin", 0, 60, ClockChange(3, 5, 7, 1), ClockChange(10, 5, 7, 2)
    )


def test_zone_of_half_an_hour() -> None:
    rule = find_clock_rule("America/St_Johns")
    assert rule is not None
    assert rule.offset_minutes == -210


def _day_of(change: ClockChange, year: int) -> datetime:
    days = [datetime(year, change.month, 1, change.hour, tzinfo=UTC) + timedelta(day) for day in range(31)]
    wanted = [day for day in days if day.month == change.month and day.isoweekday() == change.weekday]
    return wanted[-1] if change.week == 5 else wanted[change.week - 1]


@pytest.mark.parametrize("name", ZONES)
def test_rule_agrees_with_the_database(name: str) -> None:
    rule = find_clock_rule(name)
    assert rule is not None
    zone = zoneinfo.ZoneInfo(name)
    for year in (2030, 2031, 2035):
        saving = rule.saving_minutes
        if rule.starts is None or rule.ends is None:
            assert datetime(year, 7, 1, tzinfo=zone).utcoffset() == timedelta(minutes=rule.offset_minutes)
            continue
        for change, before, after in ((rule.starts, 0, saving), (rule.ends, saving, 0)):
            at = _day_of(change, year) - timedelta(minutes=rule.offset_minutes + before)
            for moment, expected in ((at - timedelta(seconds=1), before), (at, after)):
                offset = moment.astimezone(zone).utcoffset()
                assert offset == timedelta(minutes=rule.offset_minutes + expected)


def test_every_zone_has_a_rule() -> None:
    names = zoneinfo.available_timezones()
    assert len(names) > 400
    assert [name for name in sorted(names) if find_clock_rule(name) is None] == []


@pytest.mark.parametrize(
    "name",
    ["Mars/Olympus", "", "../../etc/passwd", "/etc/passwd", "America", "a" * 300, "Europe/Berlin\x00", "zone.tab"],
)
def test_what_is_no_zone_has_no_rule(name: str) -> None:
    assert find_clock_rule(name) is None
