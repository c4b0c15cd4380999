"""What an HTTP reading says, in blackbox_exporter's names."""

from typing import Any

import pytest

from collectors.sources.http_check import HttpCheck, HttpReading, Phase, observe_http
from collectors.sources.naming import Naming
from collectors.sources.source import Observation
from schemas.checks import CheckStatus
from schemas.labels import labels_of

URL = "https://example.org/health"


def observed(reading: HttpReading, **options: Any) -> Observation:
    check = HttpCheck.model_validate({"name": "web", "url": URL, **options})
    return observe_http(check, reading, Naming(URL, "web"))


def value(observation: Observation, metric: str, **labels: str) -> float:
    own = {"__name__": metric, "instance": URL, "job": "web", "check": "web", **labels}
    return dict(observation.samples)[labels_of(own)]


def verdict(observation: Observation) -> tuple[float, str]:
    result = observation.result
    assert result is not None
    success = value(observation, "probe_success")
    assert (result.status is CheckStatus.HEALTHY) == (success == 1.0)
    return success, result.message


GOOD = HttpReading(
    at=7,
    duration=0.25,
    phases={Phase.RESOLVE: 0.01, Phase.TLS: 0.02},
    status=200,
    version="HTTP/1.1",
    content_length=5,
    body=b"hello",
    ip_version=4,
    tls=True,
    cert_expiry=1_800_000_000.0,
)


def test_a_good_answer_in_blackbox_exporter_s_names() -> None:
    found = observed(GOOD)
    assert verdict(found) == (1.0, "HTTP 200")
    assert value(found, "probe_duration_seconds") == 0.25
    assert value(found, "probe_http_status_code") == 200
    assert value(found, "probe_http_version") == 1.1
    assert value(found, "probe_http_ssl") == 1.0
    assert value(found, "probe_http_content_length") == 5
    assert value(found, "probe_ssl_earliest_cert_expiry") == 1_800_000_000
    assert value(found, "probe_failed_due_to_regex") == 0.0
    assert value(found, "probe_dns_lookup_time_seconds") == 0.01
    assert value(found, "probe_ip_protocol") == 4
    assert value(found, "probe_http_duration_seconds", phase="tls") == 0.02
    assert value(found, "probe_http_duration_seconds", phase="transfer") == 0.0


def test_the_result_names_check_and_target() -> None:
    result = observed(GOOD).result
    assert result is not None
    assert (result.check, result.target, result.instance, result.at) == ("web", URL, URL, 7)


@pytest.mark.parametrize(
    ("status", "options", "success"),
    [
        (204, {}, 1.0),
        (301, {}, 0.0),
        (500, {}, 0.0),
        (404, {"valid_status": [404]}, 1.0),
        (200, {"valid_status": [404]}, 0.0),
    ],
)
def test_a_status_is_good_as_configured(
    status: int, options: dict[str, Any], success: float
) -> None:
    found = observed(HttpReading(at=1, duration=0.1, status=status), **options)
    assert verdict(found)[0] == success
    assert success or verdict(found)[1] == f"unexpected status: HTTP {status}"


def test_the_body_must_match() -> None:
    assert verdict(observed(GOOD, body_matches="hel+o"))[0] == 1.0
    failed = observed(GOOD, body_matches="^bye")
    assert verdict(failed) == (0.0, "HTTP 200: body does not match")
    assert value(failed, "probe_failed_due_to_regex") == 1.0


def test_the_body_must_not_match() -> None:
    failed = observed(GOOD, body_must_not_match="ello")
    assert verdict(failed) == (0.0, "HTTP 200: body matches what it must not")
    assert value(failed, "probe_failed_due_to_regex") == 1.0


def test_a_body_that_was_cut_says_so_when_it_does_not_match() -> None:
    cut = HttpReading(at=1, duration=0.1, status=200, body=b"abc", cut=True)
    assert "in the first 3 bytes" in verdict(observed(cut, body_matches="z"))[1]
    assert verdict(observed(cut))[0] == 1.0


def test_an_error_fails_whatever_came_before_it() -> None:
    reading = HttpReading(at=1, duration=5.0, error="timed out after 5 s (transfer)", status=200)
    assert verdict(observed(reading)) == (0.0, "HTTP 200: timed out after 5 s (transfer)")


def test_a_message_is_short_and_printable_whatever_the_server_said() -> None:
    reading = HttpReading(at=1, duration=0.1, error="\x1b[31m\r\n\udcff" + "x" * 10_000)
    message = verdict(observed(reading))[1]
    assert len(message) <= 500
    assert message.isprintable()


def test_without_tls_there_is_no_expiry() -> None:
    with pytest.raises(KeyError):
        value(observed(HttpReading(at=1, duration=0.1)), "probe_ssl_earliest_cert_expiry")
