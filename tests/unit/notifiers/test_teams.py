import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifiers.channels.address import LOOPBACK
from notifiers.channels.channel import DeliveryFailed, Failure
from notifiers.channels.config import ChannelKind
from notifiers.channels.cut import fitting
from notifiers.channels.http import Caller
from notifiers.channels.teams import LARGEST, Teams, encoded
from notifiers.channels.teams_config import TeamsConfig
from notifiers.config import read
from notifiers.templating import Templates
from schemas.alerts import AlertState
from tests.unit.notifiers.deliveries import delivery, message
from tests.unit.notifiers.servers import Server, answer, hang, serving
from tests.unit.notifiers.vendors import teams


def channel(server: Server, folder: Path = Path(), **fields: Any) -> Teams:
    url = f"http://127.0.0.1:{server.port}/workflows/x?sig=canary"
    given = {"webhook_url": url, **fields}
    config = TeamsConfig(ChannelKind.TEAMS, **given)
    caller = Caller(config.http, allow=LOOPBACK, now=lambda: 0.0, directory=folder)
    return Teams(config, caller, Templates())


def failure(status: str, body: bytes = b"", **fields: Any) -> DeliveryFailed:
    with serving(answer(status, body=body)) as server, pytest.raises(DeliveryFailed) as caught:
        channel(server, **fields).send(message())
    assert "canary" not in str(caught.value)
    return caught.value


def test_a_card_says_what_alertmanagers_says() -> None:
    with serving(answer("202 Accepted")) as server:
        channel(server).send(message())
    card = teams(server.requests[0])
    heading, text = card["body"]
    assert heading["text"].strip() == "[FIRING:1] CPU"
    assert (heading["color"], heading["style"]) == ("Attention", "heading")
    assert "# Alerts Firing:" in text["text"]
    assert "  - instance = a" in text["text"]


def test_a_group_that_is_over_is_green() -> None:
    over = tuple(one.model_copy(update={"state": AlertState.RESOLVED}) for one in delivery().alerts)
    with serving(answer("200 OK", body=b"1")) as server:
        channel(server).send(message(alerts=over))
    assert teams(server.requests[0])["body"][0]["color"] == "Good"


@pytest.mark.parametrize("text", ["x" * 65_000, "ü" * 30_000, '"\n' * 30_000, "😀" * 20_000])
def test_a_huge_text_is_cut_to_what_teams_takes(text: str) -> None:
    with serving(answer("202 Accepted")) as server:
        channel(server, text="{{ .CommonAnnotations.x }}").send(
            message(common_annotations={"x": text})
        )
    cut = teams(server.requests[0])["body"][1]["text"]
    assert cut.endswith("…")
    assert len(server.requests[0].partition(b"\r\n\r\n")[2]) > LARGEST - 20


@pytest.mark.parametrize("title", ["x" * 1_000_000, "😀" * 100_000, '"' * 100_000])
def test_a_huge_title_is_cut_too(title: str) -> None:
    assert len(encoded(title, "y" * 100_000, delivery())) <= LARGEST


@given(st.text(max_size=60), st.integers(0, 80))
def test_what_fits_is_the_longest_beginning(text: str, most: int) -> None:
    def size(part: str) -> int:
        return len(json.dumps(part))

    found = fitting(text, size, most)
    if size(text) <= most:
        assert found == text
    elif found:
        kept = len(found) - 1
        assert found == text[:kept] + "…"
        assert size(found) <= most
        assert kept == len(text) or size(text[: kept + 1] + "…") > most
    else:
        assert size(text[:1] + "…") > most


@pytest.mark.parametrize(
    ("status", "body", "reason", "retry"),
    [
        ("400 Bad", b"", Failure.REJECTED, False),
        ("401 Who", b"", Failure.NOT_AUTHORISED, False),
        ("413 Large", b"", Failure.REJECTED, False),
        ("429 Slow", b"", Failure.RATE_LIMITED, True),
        ("502 Oops", b"", Failure.SERVER_ERROR, True),
        (
            "200 OK",
            b"Webhook message delivery failed with error: endpoint returned HTTP error 429",
            Failure.RATE_LIMITED,
            True,
        ),
        ("200 OK", b"Webhook message delivery failed with error: x", Failure.SERVER_ERROR, True),
    ],
)
def test_an_answer_decides_whether_to_try_again(
    status: str, body: bytes, reason: Failure, retry: bool
) -> None:
    failed = failure(status, body)
    assert (failed.reason, failed.retry) == (reason, retry)


def test_no_answer_in_time_is_tried_again() -> None:
    with serving(hang) as server, pytest.raises(DeliveryFailed) as caught:
        channel(server).send(message(0.3))
    assert (caught.value.reason, caught.value.retry) == (Failure.TIMED_OUT, True)


def test_a_template_that_fails_is_not_tried_again() -> None:
    failed = failure("202 Accepted", title="{{ .Nothing }}")
    assert (failed.reason, failed.retry) == (Failure.MISCONFIGURED, False)


def test_the_url_comes_from_a_file(tmp_path: Path) -> None:
    with serving(answer("202 Accepted")) as server:
        (tmp_path / "url").write_text(f"http://127.0.0.1:{server.port}/workflows/file\n")
        channel(server, tmp_path, webhook_url="", webhook_url_file="url").send(message())
    assert server.requests[0].startswith(b"POST /workflows/file ")


@pytest.mark.parametrize(
    ("entry", "want"),
    [
        ("{}", "one of webhook_url or webhook_url_file"),
        ("{webhook_url: 'http://canary', webhook_url_file: b}", "at most one of webhook_url"),
        ("{webhook_url: canary}", "unsupported scheme"),
        ("{webhook_url: 'http://a', text: '{{ if }}'}", "text"),
        ("{webhook_url: 'http://a', summary: b}", "unknown key"),
    ],
)
def test_bad_configuration_is_refused_with_what_is_wrong(entry: str, want: str) -> None:
    text = f"route: {{receiver: a}}\nreceivers:\n- name: a\n  msteamsv2_configs: [{entry}]\n"
    found = [str(one) for one in read(text, "r.yml")[1]]
    assert any(want in one for one in found)
    assert not any("canary" in one for one in found)
