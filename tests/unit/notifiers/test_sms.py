from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifiers.channels.address import LOOPBACK
from notifiers.channels.channel import DeliveryFailed, Failure
from notifiers.channels.config import ChannelKind
from notifiers.channels.http import Caller
from notifiers.channels.sms import Sms
from notifiers.channels.sms_config import SmsConfig
from notifiers.channels.sms_text import is_gsm, segments, short_message
from notifiers.config import read
from notifiers.templating import Templates
from tests.unit.notifiers.deliveries import message
from tests.unit.notifiers.servers import Server, answer, response, serving
from tests.unit.notifiers.vendors import twilio

FIRST, SECOND, THIRD = "+15550000001", "+15550000002", "+15550000003"


def channel(server: Server, folder: Path = Path(), **fields: Any) -> Sms:
    given = {
        "api_url": f"http://127.0.0.1:{server.port}",
        "account_sid": "AC1",
        "auth_token": "canary",
        "sender": "+15559999999",
        "to": (FIRST,),
        **fields,
    }
    config = SmsConfig(ChannelKind.SMS, **given)
    caller = Caller(config.http, allow=LOOPBACK, now=lambda: 0.0, directory=folder)
    return Sms(config, caller, Templates())


def failure(status: str, body: bytes = b"", **fields: Any) -> DeliveryFailed:
    with serving(answer(status, body=body)) as server, pytest.raises(DeliveryFailed) as caught:
        channel(server, **fields).send(message())
    assert "canary" not in str(caught.value)
    assert FIRST not in str(caught.value)
    return caught.value


def test_a_message_says_what_fires() -> None:
    with serving(answer("201 Created", body=b'{"sid":"SM1"}')) as server:
        channel(server).send(message(common_annotations={"summary": "too hot"}))
    found = twilio(server.requests[0])
    assert found == {"To": FIRST, "From": "+15559999999", "Body": "[FIRING:1] CPU  too hot"}


def test_a_messaging_service_is_named_as_one() -> None:
    service = "MG" + "0" * 32
    with serving(answer("201 Created")) as server:
        channel(server, sender=service).send(message())
    assert twilio(server.requests[0])["MessagingServiceSid"] == service


@pytest.mark.parametrize("text", ["x" * 65_000, "{}" * 5_000, "😀" * 9_000, "&To=+1", "", "\x00"])
def test_any_text_becomes_one_message_within_the_limit(text: str) -> None:
    with serving(answer("201 Created")) as server:
        channel(server, text="{{ .CommonAnnotations.x }}").send(
            message(common_annotations={"x": text})
        )
    assert twilio(server.requests[0])["To"] == FIRST


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("a" * 152 + "€" + "a" * 152, 3),
        ("я" * 70, 1),
        ("я" * 71, 2),
        ("я" * 134, 2),
        ("я" * 135, 3),
        ("😀" * 35, 1),
        ("😀" * 66, 2),
        ("😀" * 67, 3),
    ],
)
def test_segments_are_counted_as_networks_count_them(text: str, want: int) -> None:
    assert segments(text) == want


def test_one_typographic_character_does_not_double_the_price() -> None:
    found = short_message("it’s “hot” – …" + "a" * 140, 1)
    assert is_gsm(found)
    assert found.startswith('it\'s "hot" - ...')


@given(st.text(st.sampled_from("aé€{😀я’\n "), max_size=400), st.integers(1, 3))
def test_a_text_is_cut_to_its_segments_and_no_shorter(text: str, most: int) -> None:
    found = short_message(text, most)
    assert segments(found) <= most
    if segments(text.strip()) > most:
        assert found.endswith(("...", "…")) or is_gsm(found)


@pytest.mark.parametrize(
    ("status", "body", "reason", "retry", "detail"),
    [
        ("400 Bad", b'{"code":21211,"message":"+15550000001"}', Failure.REJECTED, False, "21211"),
        ("401 Who", b'{"code":20003}', Failure.NOT_AUTHORISED, False, "20003"),
        ("429 Slow", b'{"code":20429}', Failure.RATE_LIMITED, True, "20429"),
        ("500 Oops", b"[]", Failure.SERVER_ERROR, True, "status 500"),
        ("503 Away", b'{"code":"canary"}', Failure.SERVER_ERROR, True, "status 503"),
    ],
)
def test_an_answer_decides_whether_to_try_again(
    status: str, body: bytes, reason: Failure, retry: bool, detail: str
) -> None:
    failed = failure(status, body)
    assert (failed.reason, failed.retry) == (reason, retry)
    assert detail in failed.detail


def test_a_further_try_writes_only_to_those_who_were_not_reached() -> None:
    broken = {SECOND}

    def respond(request: bytes) -> bytes:
        if twilio(request)["To"] in broken:
            return response("503 Away", b"{}", "Retry-After: 4\r\n")
        return response("201 Created", b"{}")

    with serving(answer("200 OK"), respond) as server:
        sms = channel(server, to=(FIRST, SECOND, THIRD))
        with pytest.raises(DeliveryFailed) as caught:
            sms.send(message())
        broken.clear()
        sms.send(message(attempt=2))
        sms.send(message(attempt=3))
        sms.send(message(id="another"))
    numbers = [twilio(one)["To"] for one in server.requests]
    assert numbers == [FIRST, SECOND, THIRD, SECOND, FIRST, SECOND, THIRD]
    failed = caught.value
    assert (failed.retry, failed.retry_after) == (True, 4.0)
    assert failed.detail == "1 of 3 recipients not reached: status 503"


def test_a_wrong_number_does_not_hide_one_that_is_worth_a_further_try() -> None:
    statuses = {FIRST: "400 Bad", SECOND: "500 Oops", THIRD: "201 Created"}

    def respond(request: bytes) -> bytes:
        return response(statuses[twilio(request)["To"]], b"{}")

    with serving(answer("200 OK"), respond) as server:
        sms = channel(server, to=(FIRST, SECOND, THIRD))
        with pytest.raises(DeliveryFailed) as caught:
            sms.send(message())
    assert (caught.value.reason, caught.value.retry) == (Failure.SERVER_ERROR, True)
    assert len(server.requests) == 3


def test_a_wrong_number_does_not_have_the_others_told_again() -> None:
    statuses = {FIRST: "400 Bad", SECOND: "201 Created", THIRD: "201 Created"}

    def respond(request: bytes) -> bytes:
        return response(statuses[twilio(request)["To"]], b'{"code": 21211}')

    with serving(answer("200 OK"), respond) as server:
        said = channel(server, to=(FIRST, SECOND, THIRD)).send(message())
    assert said is not None
    assert said.note == ("taken for 2 of 3 numbers; refused: number 1 (status 400, code 21211)")


def test_the_token_comes_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("from-file\n")
    with serving(answer("201 Created")) as server:
        channel(server, tmp_path, auth_token="", auth_token_file="token").send(message())
    assert b"Authorization: Basic QUMxOmZyb20tZmlsZQ==\r\n" in server.requests[0]


@pytest.mark.parametrize(
    ("entry", "want"),
    [
        ("{}", "the account's SID"),
        ("{account_sid: '../x'}", "the account's SID"),
        ("{account_sid: AC1, to: ['5550']}", "not a phone number"),
        ("{account_sid: AC1, to: ['+15550000001', '+15550000001']}", "twice"),
        ("{account_sid: AC1, auth_token: canary, auth_token_file: b}", "one of auth_token"),
        ("{account_sid: AC1, from: ''}", "the sender is missing"),
        ("{account_sid: AC1, max_segments: 11}", "between 1 and 10"),
        ("{account_sid: AC1, http_config: {bearer_token: canary}}", "account_sid and auth_token"),
        ("{account_sid: AC1, text: '{{'}", "text"),
    ],
)
def test_bad_configuration_is_refused_with_what_is_wrong(entry: str, want: str) -> None:
    text = f"route: {{receiver: a}}\nreceivers:\n- name: a\n  sms_configs: [{entry}]\n"
    found = [str(one) for one in read(text, "r.yml")[1]]
    assert any(want in one for one in found)
    assert not any("canary" in one for one in found)
