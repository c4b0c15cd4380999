import pytest

from notifiers.config import read
from notifiers.oncall.schedule import DAY, HOUR

HEAD = "route: {receiver: a}\nreceivers: [{name: a}]\nschedules:\n"
LAYER = "{name: one, users: [ada], rotation: weekly, start: 2026-01-05T09:00}"


def problems(schedules: str) -> list[str]:
    config, found = read(HEAD + schedules, "r.yml")
    assert (config is None) == bool(found)
    return [str(problem) for problem in found]


def test_a_schedule_is_read_whole() -> None:
    text = (
        f"- name: s\n  time_zone: Europe/Berlin\n  layers: [{LAYER}, {{users: [bob, eve],"
        " rotation: 12h, start: 2026-01-05T00:00}]\n"
        "  overrides: [{user: kim, from: 2026-07-01T00:00, to: 2026-07-02T00:00}]\n"
    )
    config, found = read(HEAD + text, "r.yml")
    assert not found
    assert config is not None
    schedule = config.schedules["s"]
    assert [layer.rotation.every for layer in schedule.layers] == [7 * DAY, 12 * HOUR]
    assert schedule.layers[1].rotation.users == ("bob", "eve")
    # Berlin is two hours before UTC in July.
    assert schedule.overrides[0].start == 1_782_864_000_000 - 2 * HOUR


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("- {name: s}", "r.yml:4: schedules[0].layers: a schedule without layers has nobody"),
        (f"- {{layers: [{LAYER}]}}", "r.yml:4: schedules[0].name: missing name of the schedule"),
        (f"- {{name: s, time_zone: Mars/X, layers: [{LAYER}]}}", "unknown time zone"),
        (
            f"- {{name: s, layers: [{LAYER.replace('weekly', 'weeky')}]}}",
            "not a duration",
        ),
        (f"- {{name: s, layers: [{LAYER.replace('weekly', '10m')}]}}", "takes an hour at least"),
        (f"- {{name: s, layers: [{LAYER.replace('09:00', '09:00Z')}]}}", "without one"),
        (f"- {{name: s, layers: [{LAYER.replace('[ada]', '[]')}]}}", "needs at least one user"),
        (f"- {{name: s, layers: [{LAYER[:-1]}, during: [x]}}]}}", 'undefined time interval "x"'),
        (f"- {{name: s, layers: [{LAYER}, {LAYER}]}}", "two layers have one name"),
        (f"- {{name: s, layer: [{LAYER}]}}", 'unknown key: did you mean "layers"?'),
        (
            f"- {{name: s, layers: [{LAYER}],"
            " overrides: [{user: k, from: 2026-07-02T00:00, to: 2026-07-01T00:00}]}",
            "overrides[0].to: the override ends before it begins",
        ),
        (f"- {{name: s, layers: [{LAYER}], overrides: [{{user: k}}]}}", "needs user, from and to"),
        (f"- &s {{name: s, layers: [{LAYER}]}}\n- *s", 'schedule "s" is not unique'),
    ],
)
def test_what_is_wrong_is_said_plainly(text: str, want: str) -> None:
    found = problems(text)
    assert any(want in line for line in found), found
