import pytest

from notifiers.duration import milliseconds


@pytest.mark.parametrize(
    ("text", "want"),
    [("0", 0), ("0s", 0), ("30s", 30_000), ("1h30m", 5_400_000), ("1w2d", 777_600_000), ("5ms", 5)],
)
def test_durations_are_prometheuss(text: str, want: int) -> None:
    assert milliseconds(text) == want


@pytest.mark.parametrize(
    "text", ["", "5", "s", "-5s", "5s1m", "1.5h", "300y", "٣s", "9" * 80 + "s"]
)
def test_what_prometheus_refuses_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        milliseconds(text)
