import pytest

from processors.rules.template import NOWHERE, BadTemplate, Surroundings, compiled

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
    ("text", "line", "reason"),
    [
        ("{{ $labels.x ", 1, "unclosed action"),
        ("x {{ if true }}", 1, "unexpected EOF"),
        ("a\nb {{ $nosuch }}", 2, 'undefined variable "$nosuch"'),
        ("{{ $value | nosuch }}", 1, 'function "nosuch" not defined'),
        ("{{ ($value }}", 1, "unclosed left paren"),
        ("{{ $value ) }}", 1, "unexpected right paren"),
        ("{{ | $value }}", 1, 'unexpected "|" in command'),
        ("{{ }}", 1, "missing value for command"),
        ("{{ # }}", 1, 'unexpected "#" in command'),
        ("{{ end }}", 1, "unexpected {{end}}"),
        ("{{ break }}", 1, "{{break}} outside {{range}}"),
        ("{{ $value | 1 }}", 1, "non executable command in pipeline stage 2"),
        ("{{ js $value }}", 1, 'function "js" is not supported: no text here is JavaScript'),
        ("{{ query $labels.q }}", 1, "what \"query $labels.q\" reads is known only when it runs: "
         "write the query as a text, or as printf of a text"),
        ('{{ query "sum(" }}', 1, None),
        ('{{ printf "%s{a=\'b\'}" $labels.m | query }}', 1, None),
        ('{{ printf "m[%s]" $labels.m | query }}', 1, None),
        ("{{ if 1 }}" * 80, 1, "nested more than 60 deep"),
    ],
)  # fmt: skip
def test_anything_else_is_refused_with_its_line(text: str, line: int, reason: str | None) -> None:
    with pytest.raises(BadTemplate) as refused:
        compiled(text)
    assert refused.value.line == line
    assert reason is None or str(refused.value) == reason


def test_a_function_that_cannot_take_its_value_says_so_in_the_text() -> None:
    found = compiled("{{ $labels.instance | humanize }}", "__alert_A").expand(LABELS, 0.0)
    assert found == (
        "<error expanding template: error executing template __alert_A: template: __alert_A:1:134: "
        'executing "__alert_A" at <humanize>: error calling humanize: '
        'strconv.ParseFloat: parsing "web-1": invalid syntax>'
    )
    assert "wrong type for value; expected string; got float64" in compiled(
        "{{ $value | toUpper }}"
    ).expand(LABELS, 0.0)


def test_external_labels_are_the_surroundings() -> None:
    around = Surroundings(NOWHERE.source, 0, (("dc", "eu"),), "http://tocsin.example/base")
    text = "{{ $externalLabels.dc }} {{ $externalURL }} {{ pathPrefix }} {{ now }}"
    assert compiled(text).expand((), 0.0, around) == "eu http://tocsin.example/base /base 0"
