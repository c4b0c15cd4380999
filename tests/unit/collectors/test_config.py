"""What an agent can be told."""

from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from collectors.config import AgentConfig
from collectors.durations import duration
from collectors.sources.http_check import HttpCheck
from collectors.sources.registry import sources_of


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("10s", 10), ("1m", 60), ("1h30m", 5_400), ("500ms", 0.5), ("1d", 86_400), ("2w", 1_209_600)],
)
def test_durations_are_read_as_people_write_them(text: str, seconds: float) -> None:
    assert duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "10", "s", "1s1h", "-1s", "1 s", "1.5s", "9" * 30 + "w"])
def test_what_is_no_duration_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match=r"10s|longer than time"):
        duration(text)


def test_an_agent_needs_no_configuration() -> None:
    config = AgentConfig()
    assert config.instance
    assert config.interval == timedelta(seconds=10)
    assert [source.name for source in sources_of(config)] == ["host"]


def test_the_host_can_be_left_out_and_checks_be_named() -> None:
    config = AgentConfig.model_validate(
        {
            "host": {"enabled": False},
            "checks": [{"name": "web", "url": "https://example.org/", "interval": "1m"}],
        }
    )
    (source,) = sources_of(config)
    assert (source.name, source.job, source.instance) == (
        "http:web",
        "web",
        "https://example.org/",
    )
    assert source.interval == timedelta(minutes=1)


CHECK = {"name": "web", "url": "http://example.org/"}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"hsot": {}}, "hsot"),
        ({"interval": "0s"}, "at least"),
        ({"labels": {"instance": "x"}}, "agent's own"),
        ({"labels": {"a-b": "x"}}, "pattern"),
        ({"checks": [CHECK, CHECK]}, "given twice"),
        ({"checks": [{**CHECK, "url": "file:///etc/passwd"}]}, "http://"),
        ({"checks": [{**CHECK, "url": "http://"}]}, "names a host"),
        ({"checks": [{**CHECK, "url": "http://a:b@c/"}]}, "credentials"),
        ({"checks": [{**CHECK, "url": "http://a/\r\nX: y"}]}, "control characters"),
        ({"checks": [{**CHECK, "url": "http://a:99999/"}]}, "not a URL"),
        ({"checks": [{**CHECK, "timeout": "1m"}]}, "longer than interval"),
        ({"checks": [{**CHECK, "body_matches": "("}]}, "regular expression"),
        ({"checks": [{**CHECK, "headers": {"a b": "c"}}]}, "pattern"),
    ],
)
def test_a_mistake_is_refused_and_named(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        AgentConfig.model_validate(wrong)


def test_the_values_of_headers_are_secret() -> None:
    check = HttpCheck.model_validate({**CHECK, "headers": {"Authorization": "Bearer s3cret"}})
    assert "s3cret" not in repr(check) + check.model_dump_json()
