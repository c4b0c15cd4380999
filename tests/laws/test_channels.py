"""The laws of a channel, for every channel of tests/support/channel_cases.py."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import monotonic

import pytest

from notifiers.channels.channel import DeliveryFailed, Failure
from notifiers.level import kept
from notifiers.message import content
from schemas.alerts import AlertLevel, AlertState
from schemas.labels import fingerprint
from tests.support.channel_cases import CASES, HTTP_CASES
from tests.support.http_case import CANARY, Case, HttpCase, Opened
from tests.unit.notifiers.deliveries import delivery, message
from tests.unit.notifiers.servers import (
    Behave,
    answer,
    drip,
    flood,
    hang,
    hang_up,
    serving,
)

HOSTILE = [
    "line\nbreak",
    "\r\nX-Injected: 1\r\n\r\n",
    "\u2028\u2029\x85\x00\x1b[31m",
    '"},{"',
    "<script>alert(1)</script>",
    "{{ template }}",
    "ü" * 10_000,
]
# The mail server warns of what it is told to do here.
pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH")
EXACT = [case for case in CASES if case.exact]


@pytest.fixture(params=CASES, ids=lambda case: case.name)
def case(request: pytest.FixtureRequest) -> Case:
    found: Case = request.param
    return found


@pytest.fixture(params=HTTP_CASES, ids=lambda case: case.name)
def http(request: pytest.FixtureRequest) -> HttpCase:
    found: HttpCase = request.param
    return found


@pytest.fixture(params=EXACT, ids=lambda case: case.name)
def exact(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Opened]:
    with request.param.opened(tmp_path) as opened:
        yield opened


def failure(http: HttpCase, behave: Behave, folder: Path, timeout: float = 5.0) -> DeliveryFailed:
    """How it fails with a server that behaves so."""
    with serving(behave) as server:
        channel = http.at(f"http://127.0.0.1:{server.port}", folder)
        with pytest.raises(DeliveryFailed) as caught:
            channel.send(message(timeout))
        channel.close()
    return caught.value


def silent(text: str) -> bool:
    """Whether it holds no secret."""
    return CANARY not in text


def test_a_message_arrives(case: Case, tmp_path: Path) -> None:
    with case.opened(tmp_path) as opened:
        opened.channel.send(message())
        assert opened.came_out()


def test_a_message_arrives_whole_with_its_id(exact: Opened) -> None:
    exact.channel.send(message())
    [out] = exact.came_out()
    assert out["id"] == delivery().id
    assert out["groupKey"] == delivery().group_key
    assert [one["status"] for one in out["alerts"]] == ["firing", "resolved"]


def test_every_try_carries_the_same_id(exact: Opened) -> None:
    exact.channel.send(message())
    exact.channel.send(message(attempt=2))
    assert [out["id"] for out in exact.came_out()] == [delivery().id] * 2


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_stays_text(exact: Opened, text: str) -> None:
    exact.channel.send(message(group_labels={"x": text}, group_key=text))
    exact.channel.send(message())
    first, second = exact.came_out()
    assert first["groupLabels"] == {"x": text}
    assert first["groupKey"] == text
    assert second["groupLabels"] == {"alertname": "CPU"}


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_does_not_change_what_a_vendor_takes(
    case: Case, text: str, tmp_path: Path
) -> None:
    """`came_out` fails on what breaks the vendor's schema; a header would end the request."""
    labels = {"alertname": text, "severity": text}
    alert = AlertLevel(
        labels=labels,
        annotations={"summary": text, "description": text},
        state=AlertState.FIRING,
        active_at=1_700_000_000_000,
        starts_at=1_700_000_000_000,
        generator_url=f"http://gen/{text}",
    )
    with case.opened(tmp_path) as opened:
        opened.channel.send(
            message(
                alerts=(alert,),
                group_labels=labels,
                common_labels=labels,
                common_annotations=alert.annotations,
                group_key=text,
            )
        )
        assert opened.came_out()


def test_a_huge_message_arrives_within_the_vendors_limits(case: Case, tmp_path: Path) -> None:
    """As large as the router makes one."""
    levels = [
        AlertLevel(
            labels={"alertname": "CPU", "instance": f"host-{n}", "x": "y" * 1_000},
            annotations={"summary": "ü" * 500, "description": "<&>" * 300},
            state=AlertState.FIRING,
            active_at=1_700_000_000_000,
            starts_at=1_700_000_000_000,
        )
        for n in range(200)
    ]
    named = [(fingerprint(level.labels), kept(level)) for level in levels]
    made = content(named, 0)
    assert made.truncated
    with case.opened(tmp_path) as opened:
        opened.channel.send(message(20.0, told=made.told, truncated=made.truncated))
        assert opened.came_out()


def test_a_closed_way_is_tried_again_later_and_no_secret_is_told(
    case: Case, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(0)
    channel = case.closed(tmp_path)
    with pytest.raises(DeliveryFailed) as caught:
        channel.send(message())
    channel.close()
    assert caught.value.retry
    assert silent(f"{caught.value} {caught.value.detail} {caplog.text} {channel!r}")


def test_success_logs_no_secret(
    case: Case, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(0)
    with case.opened(tmp_path) as opened:
        opened.channel.send(message())
    assert silent(caplog.text)


def test_many_threads_may_send_at_once(case: Case, tmp_path: Path) -> None:
    with case.opened(tmp_path) as opened, ThreadPoolExecutor(8) as pool:
        sent = list(pool.map(lambda n: opened.channel.send(message(id=f"id-{n}")), range(40)))
        assert len(opened.came_out()) >= len(sent) == 40


def test_threads_do_not_mix_messages_up(exact: Opened) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: exact.channel.send(message(id=f"id-{n}")), range(40)))
    assert sorted(out["id"] for out in exact.came_out()) == sorted(f"id-{n}" for n in range(40))


def test_a_status_decides_whether_to_try_again(
    http: HttpCase, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(0)
    body = f'{{"error": "token {CANARY} is bad"}}'.encode()
    for status, (reason, retry) in http.statuses.items():
        failed = failure(http, answer(f"{status} Said", body=body), tmp_path)
        assert (status, failed.reason, failed.retry) == (status, reason, retry)
        assert silent(f"{failed} {failed.detail} {caplog.text}")


def test_a_server_says_when_to_come_again(http: HttpCase, tmp_path: Path) -> None:
    for status in (429, 503):
        if http.statuses.get(status, (None, True))[1]:
            failed = failure(http, answer(f"{status} Slow", "Retry-After: 7\r\n"), tmp_path)
            assert failed.retry_after == 7.0


@pytest.mark.parametrize("behave", [hang, drip])
def test_the_deadline_is_total(http: HttpCase, behave: Behave, tmp_path: Path) -> None:
    began = monotonic()
    failed = failure(http, behave, tmp_path, timeout=0.4)
    assert (failed.reason, failed.retry) == (Failure.TIMED_OUT, True)
    assert monotonic() - began < 5


def test_a_closed_connection_is_tried_again(http: HttpCase, tmp_path: Path) -> None:
    failed = failure(http, hang_up, tmp_path)
    assert (failed.reason, failed.retry) == (Failure.UNREACHABLE, True)


def test_a_huge_answer_is_not_read_to_its_end(http: HttpCase, tmp_path: Path) -> None:
    if http.flooded is not None:
        assert failure(http, flood, tmp_path).reason is http.flooded
        return
    with serving(flood) as server:
        channel = http.at(f"http://127.0.0.1:{server.port}", tmp_path)
        channel.send(message())
        channel.close()
        assert server.requests
