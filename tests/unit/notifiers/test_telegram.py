import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifiers.channels.address import LOOPBACK
from notifiers.channels.channel import DeliveryFailed, Failure
from notifiers.channels.config import ChannelKind
from notifiers.channels.http import Caller
from notifiers.channels.telegram import Telegram
from notifiers.channels.telegram_config import TelegramConfig
from notifiers.channels.telegram_text import cut_html, cut_plain, units
from notifiers.config import read
from notifiers.templating import Templates
from tests.unit.notifiers.deliveries import message
from tests.unit.notifiers.servers import Server, answer, response, serving
from tests.unit.notifiers.vendors import telegram, well_formed

TOKEN = "123:canary"
OK = b'{"ok":true,"result":{"message_id":1}}'


def channel(server: Server, folder: Path = Path(), **fields: Any) -> Telegram:
    url = f"http://127.0.0.1:{server.port}/"
    given = {"api_url": url, "bot_token": TOKEN, "chat_id": -1_001_234_567_890, **fields}
    config = TelegramConfig(ChannelKind.TELEGRAM, **given)
    caller = Caller(config.http, allow=LOOPBACK, now=lambda: 0.0, directory=folder)
    return Telegram(config, caller, Templates())


def failure(status: str, said: object = None, **fields: Any) -> DeliveryFailed:
    body = json.dumps(said).encode()
    with serving(answer(status, body=body)) as server, pytest.raises(DeliveryFailed) as caught:
        channel(server, **fields).send(message())
    assert "canary" not in str(caught.value)
    return caught.value


def test_a_message_says_what_alertmanagers_says() -> None:
    with serving(answer("200 OK", body=OK)) as server:
        channel(server, message_thread_id=7, disable_notifications=True).send(message())
    found = telegram(server.requests[0])
    assert (found["chat_id"], found["message_thread_id"]) == (-1_001_234_567_890, 7)
    assert (found["parse_mode"], found["disable_notification"]) == ("HTML", True)
    assert found["text"].startswith("Alerts Firing:")
    assert " - instance = a" in found["text"]


@pytest.mark.parametrize("text", ["<b>", "a & b < c", "</pre><script>", '"><', "&lt;", "<" * 9_000])
def test_hostile_values_stay_values_in_html(text: str) -> None:
    with serving(answer("200 OK", body=OK)) as server:
        channel(server, message="<b>{{ .CommonAnnotations.x }}</b>").send(
            message(common_annotations={"x": text})
        )
    found = telegram(server.requests[0])
    assert found["text"].startswith("<b>&") or found["text"].startswith("<b>a &amp; b")


@pytest.mark.parametrize("mode", ["HTML", "Markdown", "MarkdownV2", ""])
def test_a_huge_message_is_cut(mode: str) -> None:
    with serving(answer("200 OK", body=OK)) as server:
        channel(server, message="<i>{{ .CommonAnnotations.x }}</i>", parse_mode=mode).send(
            message(common_annotations={"x": "😀&" * 30_000})
        )
    found = telegram(server.requests[0])
    assert found.get("parse_mode", "") == mode
    assert 4_080 <= units(found["text"]) <= 4_096


SAFE = st.lists(
    st.one_of(
        st.sampled_from(["&lt;", "&amp;", "&#39;", "<br", "😀", "\n", "a", "word "]).filter(
            lambda one: one != "<br"
        ),
        st.builds(
            "<{0}>{1}</{0}>".format,
            st.sampled_from(["b", "i", "code"]),
            st.sampled_from(["x", "&lt;&gt;", "😀😀", "<u>y</u>"]),
        ),
        st.sampled_from(['<a href="http://x/?a&amp;b">link</a>']),
    ),
    max_size=30,
).map("".join)


@given(SAFE, st.integers(40, 120))
def test_html_that_is_cut_is_still_html(text: str, most: int) -> None:
    well_formed(text)
    found = cut_html(text, most)
    well_formed(found)
    assert units(found) <= most
    assert (found == text) == (units(text) <= most)


@given(st.text(), st.integers(2, 50))
def test_plain_text_is_cut_between_characters(text: str, most: int) -> None:
    found = cut_plain(text, most)
    assert units(found) <= most
    assert found == text or text.startswith(found[:-1])


def test_markup_that_telegram_refuses_is_sent_again_as_plain_text() -> None:
    refused = b'{"ok":false,"description":"Bad Request: can\'t parse entities: x"}'

    def respond(request: bytes) -> bytes:
        is_marked = b"parse_mode" in request
        return response("400 Bad", refused) if is_marked else response("200 OK", OK)

    with serving(answer("200 OK"), respond) as server:
        channel(server, message="*{{ .Status }}", parse_mode="MarkdownV2").send(message())
    first, second = (telegram(one) for one in server.requests)
    assert (first["parse_mode"], "parse_mode" in second) == ("MarkdownV2", False)
    assert second["text"] == "*firing"


@pytest.mark.parametrize(
    ("status", "said", "reason", "retry", "wait"),
    [
        ("400 Bad", {"description": "chat not found"}, Failure.REJECTED, False, None),
        ("401 Who", {"description": "Unauthorized"}, Failure.NOT_AUTHORISED, False, None),
        ("403 No", {"description": "bot was kicked"}, Failure.NOT_AUTHORISED, False, None),
        ("404 Where", None, Failure.REJECTED, False, None),
        ("429 Slow", {"parameters": {"retry_after": 35}}, Failure.RATE_LIMITED, True, 35.0),
        ("429 Slow", {"parameters": {"retry_after": "x"}}, Failure.RATE_LIMITED, True, None),
        ("429 Slow", {"parameters": {"retry_after": 1e9}}, Failure.RATE_LIMITED, True, 86_400.0),
        ("429 Slow", {"parameters": 3}, Failure.RATE_LIMITED, True, None),
        ("500 Oops", [], Failure.SERVER_ERROR, True, None),
        ("200 OK", {"ok": False, "description": "odd"}, Failure.REJECTED, False, None),
    ],
)
def test_an_answer_decides_whether_and_when_to_try_again(
    status: str, said: object, reason: Failure, retry: bool, wait: float | None
) -> None:
    failed = failure(status, said)
    assert (failed.reason, failed.retry, failed.retry_after) == (reason, retry, wait)


def test_what_telegram_says_is_told_without_the_token() -> None:
    failed = failure("400 Bad", {"ok": False, "description": f"no {TOKEN}\r\n\ud800 here"})
    assert failed.detail == "status 400: no ***    here"


def test_token_and_chat_come_from_files(tmp_path: Path) -> None:
    fields: dict[str, Any] = {
        "bot_token": "",
        "bot_token_file": "t",
        "chat_id": 0,
        "chat_id_file": "c",
    }
    (tmp_path / "t").write_text(f"{TOKEN}\n")
    (tmp_path / "c").write_text("-5\n")
    with serving(answer("200 OK", body=OK)) as server:
        channel(server, tmp_path, **fields).send(message())
        (tmp_path / "c").write_text("canary")
        with pytest.raises(DeliveryFailed, match="does not hold one") as caught:
            channel(server, tmp_path, **fields).send(message())
    assert telegram(server.requests[0])["chat_id"] == -5
    assert "canary" not in str(caught.value)


def test_a_token_cannot_lead_elsewhere() -> None:
    failed = failure("200 OK", bot_token="1/../canary?x")
    assert (failed.reason, failed.retry) == (Failure.MISCONFIGURED, False)


@pytest.mark.parametrize(
    ("entry", "want"),
    [
        ("{chat_id: 1}", "missing bot_token or bot_token_file"),
        ("{bot_token: canary}", "missing chat_id or chat_id_file"),
        ("{bot_token: canary, bot_token_file: b, chat_id: 1}", "at most one of bot_token"),
        ("{bot_token: canary, chat_id: 1, chat_id_file: b}", "at most one of chat_id"),
        ("{bot_token: canary, chat_id: x}", "not a whole number"),
        ("{bot_token: canary, chat_id: 1, parse_mode: Html}", "unknown parse_mode"),
        ("{bot_token: canary, chat_id: 1, message: '{{'}", "message"),
    ],
)
def test_bad_configuration_is_refused_with_what_is_wrong(entry: str, want: str) -> None:
    text = f"route: {{receiver: a}}\nreceivers:\n- name: a\n  telegram_configs: [{entry}]\n"
    found = [str(one) for one in read(text, "r.yml")[1]]
    assert any(want in one for one in found)
    assert not any("canary" in one for one in found)


def test_global_names_the_token_once() -> None:
    """As in Alertmanager, even where no receiver takes it from there."""
    text = (
        "global: {telegram_bot_token: canary, telegram_bot_token_file: b}\n"
        "route: {receiver: a}\nreceivers:\n- name: a\n"
    )
    [found] = [str(one) for one in read(text, "r.yml")[1]]
    assert "at most one of telegram_bot_token & telegram_bot_token_file" in found
    assert "canary" not in found


def test_the_token_may_stand_in_global() -> None:
    text = (
        "global: {telegram_bot_token: canary, telegram_api_url: 'http://t'}\n"
        "route: {receiver: a}\nreceivers:\n- name: a\n  telegram_configs: [{chat_id: -7}]\n"
    )
    config, found = read(text, "r.yml")
    assert config is not None, found
    [one] = config.receivers["a"].channels
    assert isinstance(one, TelegramConfig)
    assert (one.bot_token, one.api_url, one.chat_id) == ("canary", "http://t", -7)
    assert "canary" not in repr(config)
