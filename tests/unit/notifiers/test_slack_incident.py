from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from notifiers.channels.channel import DeliveryFailed, Failure, Sent
from notifiers.channels.slack import Slack
from schemas.alerts import AlertLevel, AlertState
from schemas.deliveries import Why
from tests.unit.notifiers.deliveries import delivery, message
from tests.unit.notifiers.servers import hang, serving
from tests.unit.notifiers.slack_server import Workspace
from tests.unit.notifiers.test_slack import config, slack

ENDED = AlertLevel(
    labels={"alertname": "CPU"},
    state=AlertState.RESOLVED,
    active_at=1_700_000_000_000,
    starts_at=1_700_000_000_000,
    ends_at=1_700_000_060_000,
)
KEPT = "update_message: true\nthread: true\nsend_resolved: true"
COUNT = 30


@contextmanager
def incident(text: str = KEPT) -> Iterator[tuple[Slack, Workspace]]:
    """A channel that keeps one message an incident, and its workspace."""
    workspace = Workspace()
    with serving(hang, workspace.respond) as server:
        url = f"http://127.0.0.1:{server.port}/api/chat.postMessage"
        way = f"app_url: {url}\napp_token: xoxb-canary\nchannel: '#ops'\nusername: T\n"
        channel = slack(way + text)
        yield channel, workspace
        channel.close()


def told(channel: Slack, reference: str = "", **fields: object) -> Sent:
    """What the receipt says."""
    said = channel.send(message(incident="i1", reference=reference, **fields))
    assert said is not None
    return said


def shown(workspace: Workspace, ts: str) -> tuple[str, str]:
    """Title and colour of a message."""
    attachment: dict[str, Any] = workspace.messages[ts]["attachments"][0]
    return attachment["title"], attachment["color"]


def test_an_incident_is_one_message_whose_changes_stand_in_its_thread() -> None:
    with incident() as (channel, workspace):
        first = told(channel)
        ts = first.reference.removeprefix("C01:")
        assert shown(workspace, ts) == ("[FIRING:1] CPU ", "danger")
        assert told(channel, first.reference, why=Why.GREW) == first
        told(channel, first.reference, why=Why.ACKNOWLEDGED, acknowledged_by="ada")
        assert shown(workspace, ts) == ("Acknowledged by ada [FIRING:1] CPU ", "warning")
        told(channel, first.reference, why=Why.ALL_RESOLVED, alerts=(ENDED,))
        assert shown(workspace, ts) == ("[RESOLVED] CPU ", "good")
    assert [one for one in workspace.messages if "thread_ts" not in workspace.messages[one]] == [ts]
    texts = [
        (one["text"].split("\n")[0], "reply_broadcast" in one) for one in workspace.replies(ts)
    ]
    assert texts == [
        ("*new alerts added*", True),
        ("*Acknowledged by ada*", False),
        ("*all alerts resolved*", False),
    ]
    assert "• firing: alertname=CPU, instance=a: hot" in workspace.replies(ts)[0]["text"]


def test_what_a_person_resolved_is_green_though_it_fires() -> None:
    with incident() as (channel, workspace):
        first = told(channel)
        told(channel, first.reference, why=Why.CLOSED)
        assert shown(workspace, first.reference.removeprefix("C01:"))[1] == "good"


@pytest.mark.parametrize("why", [Why.ESCALATED, Why.UNACKNOWLEDGED, Why.REPEAT])
def test_what_calls_people_goes_to_the_channel_too(why: Why) -> None:
    with incident() as (channel, workspace):
        first = told(channel)
        told(channel, first.reference, why=why)
        [reply] = workspace.replies(first.reference.removeprefix("C01:"))
    assert reply["reply_broadcast"] is True


def test_without_a_thread_messages_are_updated_as_alertmanager_does_it() -> None:
    with incident("update_message: true") as (channel, workspace):
        first = told(channel)
        told(channel, first.reference, why=Why.GREW)
    assert len(workspace.messages) == len(workspace.updates) == 1


@pytest.mark.parametrize("why", ["message_not_found", "edit_window_closed"])
def test_a_message_that_is_gone_is_written_anew(why: str) -> None:
    with incident() as (channel, workspace):
        first = told(channel)
        workspace.gone = why
        second = told(channel, first.reference, why=Why.GREW)
        assert second.reference != first.reference
        assert why in second.note
        workspace.gone = ""
        assert told(channel, second.reference).reference == second.reference


def test_a_reference_that_is_none_of_slacks_is_not_used() -> None:
    with incident() as (channel, workspace):
        told(channel, "C01:1.2\r\nX: y")
    assert (len(workspace.messages), workspace.updates) == (1, [])


def test_any_other_refusal_is_one() -> None:
    with incident() as (channel, workspace):
        first = told(channel)
        workspace.gone = "is_archived"
        with pytest.raises(DeliveryFailed) as caught:
            told(channel, first.reference)
    assert (caught.value.reason, caught.value.detail) == (Failure.REJECTED, "is_archived")


def test_slacks_own_trouble_is_tried_again_and_writes_no_second_message() -> None:
    with incident() as (channel, workspace):
        first = told(channel)
        workspace.gone = "ratelimited"
        with pytest.raises(DeliveryFailed) as caught:
            told(channel, first.reference)
    assert caught.value.retry
    assert len(workspace.messages) == 1


def test_a_thread_holds_what_slack_shows_and_no_mention() -> None:
    many = tuple(
        AlertLevel(
            labels={"alertname": "<!channel>" * 50, "n": str(n)},
            annotations={"summary": "&" * 400},
            state=AlertState.FIRING,
            active_at=1_700_000_000_000,
        )
        for n in range(COUNT)
    )
    with incident() as (channel, workspace):
        first = told(channel)
        told(channel, first.reference, alerts=many, truncated=5)
        [reply] = workspace.replies(first.reference.removeprefix("C01:"))
    assert len(reply["text"]) <= 4_000
    assert "<!channel>" not in reply["text"]


def labels(body: dict[str, Any]) -> list[tuple[str, str]]:
    """The buttons of a message: what they say and where they lead."""
    [block] = body["attachments"][1]["blocks"]
    assert {one["value"] for one in block["elements"]} == {"i1"}
    return [(one["text"]["text"], one["url"]) for one in block["elements"]]


def test_buttons_lead_to_what_people_may_do() -> None:
    with incident(f"{KEPT}\nbuttons: true") as (channel, workspace):
        ts = told(channel).reference.removeprefix("C01:")
        page, form = "http://tocsin/incidents/i1", "http://tocsin/silences?incident=i1"
        three = [("Acknowledge", page), ("Silence", form), ("Open", page)]
        assert labels(workspace.messages[ts]) == three
        told(channel, f"C01:{ts}", why=Why.ACKNOWLEDGED, acknowledged_by="ada")
        assert labels(workspace.messages[ts]) == three[1:]
        told(channel, f"C01:{ts}", alerts=(ENDED,))
        assert labels(workspace.messages[ts]) == three[2:]


@pytest.mark.parametrize("url", ["", "javascript:alert(1)", "http://" + "x" * 3_000])
def test_buttons_that_lead_nowhere_are_left_out(url: str) -> None:
    with incident("update_message: true\nbuttons: true") as (channel, workspace):
        told(channel, external_url=url)
    [only] = workspace.messages.values()
    assert len(only["attachments"]) == 1


def test_alertmanagers_way_of_saying_it_is_taken() -> None:
    found, problems = config(
        "api_url: https://slack.com/api/chat.postMessage\nupdate_message: true\n"
        "http_config: {authorization: {credentials: xoxb-1}}"
    )
    assert (problems, found.update, found.thread) == ([], True, False)
    assert delivery().reference == ""
