"""Whoever is reached over a receiver of their own reads times of their own zone."""

import json
from pathlib import Path

import pytest

from notifiers.channels.address import LOOPBACK
from notifiers.channels.build import build
from notifiers.config import Config, read
from notifiers.templating import Templates
from notifiers.time_intervals import in_words
from schemas.deliveries import Why
from tests.unit.notifiers.deliveries import message
from tests.unit.notifiers.scenario import Scenario, seconds
from tests.unit.notifiers.servers import answer, serving
from tests.unit.notifiers.windows.making import wish

ROUTES = """
route: {receiver: ada-phone, group_by: ['...'], group_wait: 0s}
receivers:
- {name: ada-phone, rate_limit: {messages: 1, per: 1m}, webhook_configs: [{url: 'http://x/'}]}
- {name: chat, webhook_configs: [{url: 'http://x/'}]}
- {name: team, webhook_configs: [{url: 'http://x/'}]}
suppression: tocsin
users:
- {name: ada, time_zone: Europe/Berlin, contacts: [ada-phone, chat, team]}
- {name: bob, time_zone: Europe/Vienna, contacts: [chat]}
- {name: eve, time_zone: Europe/Berlin, contacts: [team]}
"""


def config(text: str = ROUTES) -> Config:
    found, problems = read(text, "routes.yml")
    assert not problems
    assert found is not None
    return found


def test_a_receiver_is_where_all_its_people_are() -> None:
    zones = {name: one.location for name, one in config().receivers.items()}
    assert zones == {"ada-phone": "Europe/Berlin", "team": "Europe/Berlin", "chat": "UTC"}


def test_a_digest_says_times_of_its_reader() -> None:
    day = Scenario(ROUTES).fires(1, "a", "b", "c").until(70)
    (digest,) = [one for _, one in day.deliveries if one.why is Why.DIGEST]
    assert f"Held since {in_words(seconds(1), 'Europe/Berlin')}." in digest.notice
    assert " CE" in digest.notice
    assert "UTC" not in digest.notice


@pytest.mark.parametrize(("who", "zone"), [("ada", "Europe/Berlin"), ("chat", "UTC")])
def test_a_reminder_says_times_of_its_reader(who: str, zone: str) -> None:
    window = wish(0, 1_000, remind_before=300_000, owner=who)
    day = Scenario(ROUTES).at(0, window).until(800)
    (reminder,) = [one for _, one in day.deliveries if one.why is Why.REMINDER]
    end = in_words(seconds(1_000), zone, "%Y-%m-%d %H:%M %Z")
    assert f"ends at {end}" in reminder.notice


def test_the_end_of_the_calendar_is_said_all_the_same() -> None:
    assert in_words(253_402_300_799_000, "Europe/Berlin") == "253402300799000 ms"
    assert in_words(253_402_300_799_000) == "9999-12-31 23:59:59 UTC"


@pytest.mark.parametrize(
    ("receiver", "want"),
    [("ada-phone", ["+0100", "CET", "CET"]), ("chat", ["+0000", "UTC", "UTC"])],
)
def test_local_is_the_readers_zone_in_templates(
    receiver: str, want: list[str], tmp_path: Path
) -> None:
    times = '{{ (index .Alerts 0).StartsAt.Local }} {{ now | tz "Local" | date "MST" }}'
    with serving(answer("200 OK")) as server:
        hook = f"{{url: '{server.url}', payload: {{at: '{times}'}}}}"
        channels = build(
            config(ROUTES.replace("{url: 'http://x/'}", hook)),
            data=tmp_path,
            secrets=tmp_path,
            allow=LOOPBACK,
            now=lambda: 1_700_000_000.0,
            templates=Templates(),
        )
        channels[receiver, 0].send(message())
    said = json.loads(server.requests[0].partition(b"\r\n\r\n")[2])["at"]
    assert said.split()[2:] == want
