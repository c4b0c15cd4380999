from pathlib import Path

import pytest

from notifiers.channels.address import LOOPBACK
from notifiers.channels.channel import DeliveryFailed, Failure
from notifiers.channels.config import ChannelKind
from notifiers.channels.http import Caller
from notifiers.channels.slack import Slack
from notifiers.channels.slack_config import SlackConfig, read
from notifiers.global_config import Global
from notifiers.templating import Templates
from notifiers.yaml_reader import Reading, compose
from schemas.alerts import AlertLevel, AlertState
from tests.unit.notifiers.deliveries import message
from tests.unit.notifiers.servers import answer, hang, serving
from tests.unit.notifiers.slack_server import body_of, respond

NOW = 1_700_000_000.0


def config(text: str, defaults: Global | None = None) -> tuple[SlackConfig, list[str]]:
    """What the reader makes of an entry, and what it finds wrong."""
    reading = Reading("routes.yml")
    section = compose(text, reading)
    assert section is not None
    found = read(section, defaults or Global())
    return found, [str(one) for one in reading.problems]


def slack(text: str, directory: Path = Path()) -> Slack:
    found, problems = config(text)
    assert problems == []
    caller = Caller(found.http, allow=LOOPBACK, now=lambda: NOW, directory=directory)
    return Slack(found, caller, Templates())


def sent(text: str, **fields: object) -> dict[str, object]:
    """What Slack gets of a delivery, and takes."""
    with serving(hang, respond) as server:
        slack(f"api_url: {server.url}\n{text}").send(message(**fields))
    return body_of(server.requests[0])


def test_the_defaults_say_what_alertmanagers_say() -> None:
    body = sent("channel: '#ops'")
    [attachment] = body["attachments"]  # type: ignore[misc]
    assert body["channel"] == "#ops"
    assert attachment["color"] == "danger"
    assert attachment["title"] == "[FIRING:1] CPU "
    assert "CPU" in attachment["fallback"]


def test_the_colour_follows_the_status() -> None:
    ended = AlertLevel(
        labels={"alertname": "CPU"},
        state=AlertState.RESOLVED,
        active_at=1_700_000_000_000,
        starts_at=1_700_000_000_000,
        ends_at=1_700_000_060_000,
    )
    [attachment] = sent("send_resolved: true", alerts=(ended,))["attachments"]  # type: ignore[misc]
    assert attachment["color"] == "good"


def test_fields_actions_and_texts_are_filled_in() -> None:
    body = sent(
        """
message_text: "{{ .Status }}"
text: "{{ range .Alerts }}{{ .Labels.instance }} {{ end }}"
footer: foot
link_names: true
short_fields: true
mrkdwn_in: [text]
image_url: http://image/
thumb_url: http://thumb/
fields:
  - {title: Rule, value: "{{ .CommonLabels.alertname }}"}
  - {title: Long, value: x, short: false}
actions:
  - {type: button, text: Open, url: "{{ .ExternalURL }}", name: gone}
  - {type: button, text: Ack, name: ack, value: v, style: danger, confirm: {text: "Sure?"}}
"""
    )
    [attachment] = body["attachments"]  # type: ignore[misc]
    assert (body["text"], body["link_names"]) == ("firing", True)
    assert attachment["text"] == "a b "
    assert attachment["fields"] == [
        {"title": "Rule", "value": "CPU", "short": True},
        {"title": "Long", "value": "x", "short": False},
    ]
    assert attachment["actions"] == [
        {"type": "button", "text": "Open", "url": "http://tocsin/"},
        {
            "type": "button",
            "text": "Ack",
            "name": "ack",
            "value": "v",
            "style": "danger",
            "confirm": {"text": "Sure?"},
        },
    ]
    assert attachment["mrkdwn_in"] == ["text"]
    assert "thumb_url" not in attachment


def test_what_is_longer_than_slack_takes_is_cut_with_an_ellipsis() -> None:
    long = '"{{ .GroupLabels.alertname }}"'
    keys = ("title", "text", "pretext", "footer", "fallback", "username", "message_text")
    text = "\n".join(f"{key}: {long}" for key in keys)
    fields = "".join(f"\n  - {{title: t{n}, value: {long}}}" for n in range(25))
    body = sent(f"{text}\nfields:{fields}", group_labels={"alertname": "ü" * 50_000})
    [attachment] = body["attachments"]  # type: ignore[misc]
    assert len(attachment["title"]) == 1_024
    assert len(attachment["text"]) == 8_000
    assert attachment["text"].endswith("ü…")
    assert len(attachment["fields"]) == 20


def test_a_colour_that_is_none_does_not_keep_the_page_back() -> None:
    [attachment] = sent("color: octarine")["attachments"]  # type: ignore[misc]
    assert "color" not in attachment


def test_an_app_token_goes_into_the_header(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("xoxb-canary\n")
    with serving(hang, respond) as server:
        text = f"app_url: {server.url}\napp_token_file: token\nchannel: '#ops'"
        slack(text, tmp_path).send(message())
    assert b"\r\nAuthorization: Bearer xoxb-canary\r\n" in server.requests[0]


@pytest.mark.parametrize(
    ("said", "reason", "retry"),
    [
        ('{"ok": false, "error": "ratelimited"}', Failure.RATE_LIMITED, True),
        ('{"ok": false, "error": "internal_error"}', Failure.SERVER_ERROR, True),
        ('{"ok": false, "error": "invalid_auth"}', Failure.NOT_AUTHORISED, False),
        ('{"ok": false, "error": "missing_scope"}', Failure.NOT_AUTHORISED, False),
        ('{"ok": false, "error": "channel_not_found"}', Failure.REJECTED, False),
        ('{"ok": false, "error": "is_archived"}', Failure.REJECTED, False),
        ('{"ok": false, "error": 7}', Failure.REJECTED, False),
        ('{"ok": false, "error": "<canary>"}', Failure.REJECTED, False),
        ("invalid_payload", Failure.REJECTED, False),
        ("[" * 30_000, Failure.REJECTED, False),
        ("", Failure.REJECTED, False),
    ],
)
def test_an_answer_200_may_say_no(said: str, reason: Failure, retry: bool) -> None:
    with serving(answer("200 OK", body=said.encode())) as server:
        channel = slack(f"api_url: {server.url}")
        with pytest.raises(DeliveryFailed) as caught:
            channel.send(message())
    assert (caught.value.reason, caught.value.retry) == (reason, retry)
    assert "canary" not in repr(caught.value)


def test_the_entry_comes_before_global() -> None:
    defaults = Global(texts={"slack_api_url": "http://global/canary"})
    assert config("channel: a", defaults)[0].url == "http://global/canary"
    found, problems = config("app_token: xoxb-canary", defaults)
    assert (found.url, problems) == ("https://slack.com/api/chat.postMessage", [])
    assert found.http.authorization == ("Bearer", "xoxb-canary", "")
    assert "canary" not in repr(found)
    assert found.kind is ChannelKind.SLACK
    assert found.send_resolved is False


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("channel: a", "no Slack API URL nor App token"),
        ("api_url: http://a/\napp_token: b", "at most one of api_url/api_url_file & app_token"),
        ("api_url: http://a/\napi_url_file: b", "at most one of api_url & api_url_file"),
        ("api_url: ftp://a/", "unsupported scheme"),
        ("api_url: http://a/\ntitle: '{{ .X'", "title"),
        ("api_url: http://a/\nupdate_message: true", "can only be used with bot tokens"),
        ("api_url: http://a/\nthread: true", "below a message that is updated"),
        ("api_url: http://a/\nfields: [{title: a}]", "missing value in Slack field"),
        ("api_url: http://a/\nactions: [{type: a, text: b}]", "missing name or url"),
        ("api_url: http://a/\nchanel: a", 'did you mean "channel"?'),
    ],
)
def test_mistakes_are_named(text: str, said: str) -> None:
    _, problems = config(text)
    assert [one for one in problems if said in one], problems
