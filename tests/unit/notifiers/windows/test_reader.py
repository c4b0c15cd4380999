import json

import pytest

from notifiers.matchers import Matcher, Mode, parse_matchers
from notifiers.windows.reach import reach
from notifiers.windows.reader import instant_of, read_wish, repeat_of
from schemas.windows import Repeat
from tests.unit.notifiers.scenario import START
from tests.unit.notifiers.windows.making import HOUR

BODY = {"matchers": ["service=shop"], "owner": "ada", "for": "1h"}


@pytest.mark.parametrize(
    ("text", "weekdays", "minute", "length", "location"),
    [
        ("tuesday 02:00 for 2h in Europe/Berlin", (2,), 120, 2 * HOUR, "Europe/Berlin"),
        ("every day at 23:30 for 90m", (), 1_410, 90 * 60_000, "UTC"),
        ("mon, wed and fri 0:05 for 1d", (1, 3, 5), 5, 24 * HOUR, "UTC"),
        ("Weekend 00:00 for 12h", (0, 6), 0, 12 * HOUR, "UTC"),
        ("every weekday 09:00 for 8h in Asia/Tokyo", (1, 2, 3, 4, 5), 540, 8 * HOUR, "Asia/Tokyo"),
        ("sundays and saturday 10:00 for 1w", (0, 6), 600, 168 * HOUR, "UTC"),
    ],
)
def test_every_is_written_as_people_say_it(
    text: str, weekdays: tuple[int, ...], minute: int, length: int, location: str
) -> None:
    want = Repeat(weekdays=weekdays, minute=minute, length=length, location=location)
    assert repeat_of(text) == want


@pytest.mark.parametrize(
    "text",
    [
        "",
        "tuesday",
        "tuesday 25:00 for 2h",
        "tuesday 02:00",
        "tue 02:00 for 8d",
        "tue 02:00 for 0s",
    ],
)
def test_what_is_no_repetition_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"wanted|understood"):
        repeat_of(text)


def test_an_instant_has_a_zone_or_is_a_number() -> None:
    assert instant_of("1700000000000") == START
    assert instant_of("2023-11-14T23:13:20+01:00") == START
    for text in ("now", "2023-11-14T23:13:20", "99999999999999999999"):
        with pytest.raises(ValueError, match=r"write RFC|no time zone"):
            instant_of(text)


def test_yaml_is_read_as_json_is() -> None:
    text = "matchers: [service=shop]\nowner: ada\nfor: 1h\n"
    for written in (text, json.dumps(BODY)):
        wish, problems = read_wish(written, "w", START, Mode.FALLBACK)
        assert (problems, wish is not None and wish.window.ends_at) == ([], START + HOUR)


@pytest.mark.parametrize(
    "text", ["", "[]", "{", "matchers: {a: b}", '{"for": ["x"]}', "a: &a [*a]"]
)
def test_what_is_no_mapping_of_ours_is_a_problem_and_no_crash(text: str) -> None:
    wish, problems = read_wish(text, "w", START, Mode.FALLBACK)
    assert wish is None
    assert problems


def matchers(text: str) -> list[list[Matcher]]:
    return [parse_matchers(text)]


@pytest.mark.parametrize(
    "text",
    [
        *("a=~.+", "a=~.*", 'a!=""', 'a!~"", b=~".+"', "a!=nothing-has-this"),
        *('nothing_has_this=""', 'a=~"x|"', 'a=~".+", b=""'),
    ],
)
def test_matchers_that_hold_for_any_value_say_nothing(text: str) -> None:
    assert "whatever its labels say" in reach(matchers(text), []).too_broad


def test_half_of_the_alerts_may_be_hidden_and_of_a_few_all() -> None:
    alerts = [{"a": "b", "n": str(n)} for n in range(10)]
    assert reach(matchers("a=b"), alerts).too_broad == ""
    alerts += [{"a": "c"}]
    assert "10 of the 11 alerts" in reach(matchers("a=b"), alerts).too_broad
    alerts += [{"a": "c"}] * 9
    assert reach(matchers("a=b"), alerts).too_broad == ""
