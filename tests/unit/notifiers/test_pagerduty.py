import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from notifiers.channels.address import LOOPBACK
from notifiers.channels.channel import DeliveryFailed, Failure
from notifiers.channels.config import ChannelKind
from notifiers.channels.http import Caller
from notifiers.channels.pagerduty import PagerDuty
from notifiers.channels.pagerduty_config import DETAILS, Link, PagerDutyConfig
from notifiers.channels.pagerduty_event import LEFT_OUT
from notifiers.channels.tree import Tree
from notifiers.config import read
from notifiers.templating import Templates
from schemas.alerts import AlertState
from schemas.deliveries import Why
from tests.unit.notifiers.deliveries import delivery, message
from tests.unit.notifiers.servers import Server, answer, serving
from tests.unit.notifiers.vendors import pagerduty

KEY = "c" * 26 + "canary"


def channel(server: Server, folder: Path = Path(), **fields: Any) -> PagerDuty:
    url = f"http://127.0.0.1:{server.port}/v2/enqueue"
    given = {"url": url, "routing_key": KEY, **fields}
    config = PagerDutyConfig(ChannelKind.PAGERDUTY, **given)
    caller = Caller(config.http, allow=LOOPBACK, now=lambda: 0.0, directory=folder)
    return PagerDuty(config, caller, Templates())


def sent(fields: dict[str, Any] | None = None, **about: Any) -> dict[str, object]:
    with serving(answer("202 Accepted", body=b'{"status":"success"}')) as server:
        channel(server, **(fields or {})).send(message(**about))
    [request] = server.requests
    found = pagerduty(request)
    assert isinstance(found, dict)
    return found


def failure(status: str, body: bytes = b"", **fields: Any) -> DeliveryFailed:
    with serving(answer(status, body=body)) as server, pytest.raises(DeliveryFailed) as caught:
        channel(server, **fields).send(message())
    assert "canary" not in str(caught.value)
    return caught.value


@pytest.mark.parametrize(
    ("why", "action"),
    [
        (Why.FIRST, "trigger"),
        (Why.ESCALATED, "trigger"),
        (Why.UNACKNOWLEDGED, "trigger"),
        (Why.DRILL, "trigger"),
        (Why.ACKNOWLEDGED, "acknowledge"),
        (Why.CLOSED, "resolve"),
    ],
)
def test_what_people_do_about_an_incident_reaches_the_same_alert(why: Why, action: str) -> None:
    event = sent(why=why, acknowledged_by="ada")
    assert event["event_action"] == action
    assert event["dedup_key"] == sent()["dedup_key"]


@pytest.mark.parametrize("why", [Why.DRILL, Why.DIGEST])
def test_what_has_no_alerts_and_calls_people_triggers(why: Why) -> None:
    event = sent(why=why, alerts=(), notice="read this")
    assert event["event_action"] == "trigger"
    payload = event["payload"]
    assert isinstance(payload, dict)
    assert "read this" in payload["summary"]
    assert "read this" in payload["custom_details"]["notice"]


def test_what_calls_nobody_is_a_change_event() -> None:
    event = sent(why=Why.REMINDER, notice="the window ends at noon")
    assert "event_action" not in event
    payload = event["payload"]
    assert isinstance(payload, dict)
    assert payload["summary"].startswith("Reminder: the window ends at noon")
    assert payload["custom_details"] == {"notice": "Reminder: the window ends at noon"}


def test_an_event_triggers_with_alertmanagers_texts_and_key() -> None:
    event = sent()
    key = sha256(b'{}:{alertname="CPU"}').hexdigest()
    assert (event["event_action"], event["dedup_key"]) == ("trigger", key)
    assert event["client"] == "Alertmanager"
    payload = event["payload"]
    assert isinstance(payload, dict)
    assert payload["summary"] == "[FIRING:1] CPU"
    assert (payload["severity"], payload["source"]) == ("error", "Alertmanager")
    details = payload["custom_details"]
    assert (details["num_firing"], details["num_resolved"]) == (1, 1)
    assert details["firing"][0]["labels"] == {"alertname": "CPU", "instance": "a"}


def test_a_group_that_is_over_resolves_the_same_key() -> None:
    resolved = tuple(
        one.model_copy(update={"state": AlertState.RESOLVED}) for one in delivery().alerts
    )
    event = sent(alerts=resolved)
    assert (event["event_action"], event["dedup_key"]) == ("resolve", sent()["dedup_key"])


def test_every_field_is_a_template() -> None:
    status = "{{ .Status }}"
    fields: dict[str, Any] = dict.fromkeys(
        ("client", "client_url", "description", "source", "class_", "component", "group"), status
    )
    deep: list[Tree] = [{status: status}, 7]
    fields |= {
        "severity": "{{ if eq .Status `firing` }}Critical{{ end }}",
        "details": {**DETAILS, "deep": deep, "firing": None},
        "links": (Link(status, status), Link("")),
        "images": (Link(status, status, status), Link("http://x", "y", "")),
    }
    event = sent(fields)
    payload = event["payload"]
    assert isinstance(payload, dict)
    for name in ("summary", "source", "class", "component", "group"):
        assert payload[name] == "firing"
    assert payload["severity"] == "critical"
    assert payload["custom_details"]["deep"] == [{"firing": "firing"}, 7]
    assert event["links"] == [{"href": "firing", "text": "firing"}]
    assert event["images"] == [{"src": "firing", "href": "firing", "alt": "firing"}]


def test_what_pagerduty_would_refuse_is_mended() -> None:
    payload = sent({"severity": "page", "description": " ", "source": ""})["payload"]
    assert isinstance(payload, dict)
    assert payload["severity"] == "error"
    assert payload["summary"] == delivery().group_key
    assert payload["source"] == "Tocsin"


def test_a_long_summary_is_cut() -> None:
    payload = sent({"description": "ü" * 2_000})["payload"]
    assert isinstance(payload, dict)
    assert payload["summary"] == "ü" * 1_023 + "…"


def test_an_event_too_large_loses_its_large_details_first() -> None:
    one = delivery().alerts[0]
    alerts = tuple(
        one.model_copy(update={"labels": {"n": str(n), "x": "y" * 3_000}}) for n in range(200)
    )
    payload = sent(alerts=alerts)["payload"]
    assert isinstance(payload, dict)
    details = payload["custom_details"]
    assert (details["firing"], details["num_firing"]) == (LEFT_OUT, 200)


def test_a_detail_that_cannot_be_filled_in_does_not_keep_the_page_back() -> None:
    payload = sent({"details": {"a": "{{ .Nothing }}", "b": "{{ .Status }}"}})["payload"]
    assert isinstance(payload, dict)
    details = payload["custom_details"]
    assert details["a"].startswith("left out: ")
    assert details["b"] == "firing"


def test_an_event_that_stays_too_large_loses_links_too() -> None:
    links = tuple(Link(f"http://x/{n}" + "x" * 1_000, "t" * 1_000) for n in range(500))
    event = sent({"links": links})
    assert "links" not in event


@pytest.mark.parametrize(
    "text",
    ["[" * 40_000, '["\\ud800"]', "1e999", ".inf", "&a [*a, *a]", "x: [", "\x00", "2024-01-01"],
)
def test_hostile_details_arrive(text: str) -> None:
    details = {"x": "{{ .CommonAnnotations.x }}"}
    payload = sent({"details": details}, common_annotations={"x": text})["payload"]
    assert isinstance(payload, dict)
    assert "x" in payload["custom_details"]


@pytest.mark.parametrize(
    ("status", "reason", "retry"),
    [
        ("400 Bad", Failure.REJECTED, False),
        ("403 No", Failure.NOT_AUTHORISED, False),
        ("429 Slow", Failure.RATE_LIMITED, True),
        ("500 Oops", Failure.SERVER_ERROR, True),
    ],
)
def test_a_status_decides_whether_to_try_again(status: str, reason: Failure, retry: bool) -> None:
    failed = failure(status)
    assert (failed.reason, failed.retry) == (reason, retry)


def test_what_pagerduty_says_is_told_without_the_key() -> None:
    said = {"message": "Event object is invalid", "errors": [f"key {KEY}\n is wrong"]}
    failed = failure("400 Bad", json.dumps(said).encode())
    assert failed.detail == "status 400: Event object is invalid: key ***  is wrong"


def test_the_key_comes_from_a_file_and_a_template_that_fails_does_not_show_it(
    tmp_path: Path,
) -> None:
    (tmp_path / "key").write_text(f"{KEY}\n")
    with serving(answer("202 Accepted")) as server:
        channel(server, tmp_path, routing_key="", routing_key_file="key").send(message())
    assert pagerduty(server.requests[0])["routing_key"] == KEY
    failed = failure("202 Accepted", routing_key="canary{{ .Nothing }}")
    assert (failed.reason, failed.retry) == (Failure.MISCONFIGURED, False)


def problems(entry: str) -> list[str]:
    text = f"route: {{receiver: a}}\nreceivers:\n- name: a\n  pagerduty_configs: [{entry}]\n"
    return [str(one) for one in read(text, "r.yml")[1]]


@pytest.mark.parametrize(
    ("entry", "want"),
    [
        ("{}", "missing routing key"),
        ("{routing_key: canary, routing_key_file: b}", "at most one of routing_key"),
        ("{service_key: canary}", "Events API v1 is not served"),
        ("{routing_key: a, details: [b]}", "a mapping is wanted"),
        ("{routing_key: a, details: {b: '{{ nope }}'}}", "details"),
        ("{routing_key: 'canary{{ nope }}'}", "routing_key"),
        ("{routing_key: a, url: 'ftp://canary'}", "unsupported scheme"),
        ("{routing_key: a, severety: b}", "unknown key"),
    ],
)
def test_bad_configuration_is_refused_with_what_is_wrong(entry: str, want: str) -> None:
    found = problems(entry)
    assert any(want in one for one in found)
    assert not any("canary" in one for one in found)


def test_good_configuration_is_read_with_its_defaults_and_shows_no_secret() -> None:
    text = (
        "global: {pagerduty_url: 'http://pd/x'}\nroute: {receiver: a}\nreceivers:\n- name: a\n"
        "  pagerduty_configs: [{routing_key: canary, client: me, details: {a: b}, timeout: 3s}]\n"
    )
    config, found = read(text, "r.yml")
    assert config is not None, found
    [one] = config.receivers["a"].channels
    assert isinstance(one, PagerDutyConfig)
    assert (one.url, one.source, one.timeout) == ("http://pd/x", "me", 3_000)
    assert one.details == {**DETAILS, "a": "b"}
    assert "canary" not in repr(config)
