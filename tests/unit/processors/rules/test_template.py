import pytest

from processors.rules.functions import BadTemplate
from processors.rules.template import compiled

LABELS = (("__name__", "v"), ("instance", "web-1"))


# Every line was printed by promtool 3.15.
@pytest.mark.parametrize(
    ("text", "value", "printed"),
    [
        ("plain", 1.0, "plain"),
        ("{{ $labels.instance }}/{{ .Labels.nosuch }}", 1.0, "web-1/"),
        ("{{ $labels }}", 1.0, "map[__name__:v instance:web-1]"),
        ("{{ $value }} {{ .Value }}", 1234567.0, "1.234567e+06 1.234567e+06"),
        ("{{ $value }}", 123456.0, "123456"),
        ("{{ $value }}", 1e-5, "1e-05"),
        ("{{ $value }}", 0.0001, "0.0001"),
        ("{{ $value }}", float("inf"), "+Inf"),
        ("{{ $value | humanize }}", 1234567.0, "1.235M"),
        ("{{ $value | humanize }}", 0.000123456, "123.5u"),
        ("{{ $value | humanize1024 }}", 1048576.0, "1Mi"),
        ("{{ $value | humanizePercentage }}", 0.9995, "99.95%"),
        ("{{ humanizeDuration $value }}", 90061.5, "1d 1h 1m 1s"),
        ("{{ humanizeDuration $value }}", 3661.0, "1h 1m 1s"),
        ("{{ humanizeDuration $value }}", -60.0, "-1m 0s"),
        ("{{ humanizeDuration $value }}", 0.25, "250ms"),
        ("{{ humanizeDuration $value }}", 0.0, "0s"),
        ('{{ "43200" | humanizeDuration }}', 0.0, "12h 0m 0s"),
        ('{{ printf "%.2f" $value }}', 3.14159265, "3.14"),
        ('{{ $value | printf "%.0f%%" }}', 59.9, "60%"),
        ('{{ printf "%5.1f|%-6.1f|%06.1f|%+.1f" $value $value $value $value }}', 1.0,
         "  1.0|1.0   |0001.0|+1.0"),
        ("a {{- $labels.instance -}} b", 0.0, "aweb-1b"),
        ("{{/* a comment */}}x", 0.0, "x"),
        ("{{ (printf `%g` $value) | toUpper }}", 1e9, "1E+09"),
        ("{{ $labels.instance | title }}", 0.0, "Web-1"),
        ('{{ "\\u00e9\\"" }}', 0.0, 'é"'),
    ],
)  # fmt: skip
def test_a_template_prints_what_prometheus_prints(text: str, value: float, printed: str) -> None:
    assert compiled(text).expand(LABELS, value) == printed


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("{{ $labels.x ", 0),
        ("x {{ if true }}", 5),
        ("{{ $nosuch }}", 3),
        ("{{ $value | nosuch }}", 12),
        ('{{ printf "%d" $value }}', 3),
        ("{{ humanize }}", 3),
        ("{{ ($value }}", 3),
        ("{{ $value ) }}", 10),
        ("{{ $value | }}", 2),
        ("{{ }}", 2),
        ("{{ $value 1 }}", 3),
        ("{{ printf $value }}", 3),
        ("{{ # }}", 2),
    ],
)
def test_anything_else_is_refused_with_its_position(text: str, position: int) -> None:
    with pytest.raises(BadTemplate) as refused:
        compiled(text)
    assert refused.value.position == position


def test_a_function_that_cannot_take_its_value_says_so_in_the_text() -> None:
    assert "error expanding template" in compiled("{{ $labels.instance | humanize }}").expand(
        LABELS, 0.0
    )
    assert "error expanding template" in compiled("{{ $value | toUpper }}").expand(LABELS, 0.0)


def test_external_labels_are_the_callers() -> None:
    assert compiled("{{ $externalLabels.dc }}").expand((), 0.0, (("dc", "eu"),)) == "eu"
