"""Label sets: one shape, Alertmanager's fingerprint, and ids that are functions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.labels import derived_id, fingerprint, labels_of, series_id, without_name
from tests.unit.schemas.strategies import label_maps, label_sets, law

# From `model.LabelSet.Fingerprint` of github.com/prometheus/common v0.73.1.
ALERTMANAGER: tuple[tuple[str, dict[str, str]], ...] = (
    ("cbf29ce484222325", {}),
    ("e567e2503f97e190", {"alertname": "CPUHigh"}),
    ("8594749a2738d31d", {"alertname": "CPUHigh", "instance": "web-1:9100"}),
    (
        "708af265def716e4",
        {"alertname": "CPUHigh", "instance": "web-1:9100", "job": "node", "severity": "critical"},
    ),
    (
        "8d8191085a57a411",
        {
            "alertname": "CPUHigh",
            "instance": "web-1:9100",
            "job": "node",
            "service": "shop",
            "severity": "critical",
        },
    ),
    ("9104f28b65db69b6", {"__name__": "up", "instance": "a", "job": "b"}),
    ("d2b371819297f98a", {"a": "b"}),
    ("20ba9b3025a8b421", {"ab": "c"}),
    ("a0a3542c19b900ab", {"a": "bc"}),
    ("5aaaf919b777e422", {"A": "1", "_": "3", "a": "2"}),
    ("287abfe16f29e6df", {"a1": "z", "a10": "x", "a2": "y"}),
    ("a30c2af5252869b0", {"namn": "smörgås"}),
    ("0ecb68a56d9b9cae", {"città": "Forlì"}),
    ("c4579607238cf06a", {"emoji": "🔔🔕"}),
    ("9cb688e454bd47dd", {"日本": "東京"}),
    ("35bd17bf9ec0daf5", {"～": "b", "🔔": "a"}),
    ("4595576b83f2476a", {"nl": "a\nb", "nul": "a\x00b", "path": "/var/lib\\x", "quote": '"q"'}),
    ("bb9c5954baba34cb", {"space": " ", "tab": "\t"}),
    ("57b45cdbbc5a5321", {"long": "x" * 5_000}),
    ("27aa5324a0174232", {"e": "\u00e9"}),
    ("4a6d67e57606a428", {"e": "e\u0301"}),
    (
        "abf88755fae9c251",
        {
            "dc": "eu-west-1",
            "device": "nvme0n1p1",
            "fstype": "ext4",
            "host": "db-01",
            "le": "+Inf",
            "mount": "/data",
        },
    ),
)


@pytest.mark.parametrize(("expected", "labels"), ALERTMANAGER)
def test_the_fingerprint_is_alertmanager_s(expected: str, labels: dict[str, str]) -> None:
    assert fingerprint(labels) == expected
    assert fingerprint(reversed(labels.items())) == expected


@pytest.mark.parametrize(
    ("raw", "labels", "expected"),
    [
        ("c1932f1981870e95", {"x": ""}, {}),
        ("3f354890e96b3c5f", {"alertname": "CPUHigh", "empty": ""}, {"alertname": "CPUHigh"}),
    ],
)
def test_an_empty_label_is_left_out_as_alertmanager_s_api_does_before_it_hashes(
    raw: str, labels: dict[str, str], expected: dict[str, str]
) -> None:
    """`LabelSet.Fingerprint` itself (`raw`) would count it; the API removes empty labels first."""
    assert fingerprint(labels) == fingerprint(expected) != raw


@given(label_maps)
@law
def test_a_label_set_has_one_shape(labels: dict[str, str]) -> None:
    canonical = labels_of(labels)
    assert canonical == labels_of(reversed(labels.items())) == labels_of(canonical)
    assert dict(canonical) == {name: value for name, value in labels.items() if value}
    assert [name for name, _ in canonical] == sorted(
        name for name, value in labels.items() if value
    )


def test_a_label_set_without_its_name_keeps_the_rest() -> None:
    labels = labels_of({"__name__": "up", "job": "node"})
    assert without_name(labels) == (("job", "node"),)
    assert without_name(()) == ()


@given(label_sets(), label_sets())
@law
def test_a_series_id_is_a_function_of_the_labels(one: object, other: object) -> None:
    assert (series_id(one) == series_id(other)) == (one == other)  # type: ignore[arg-type]


def test_a_series_id_stays_what_history_has() -> None:
    assert series_id(()) == 13020603013274838756
    assert series_id((("__name__", "up"), ("job", "node"))) == 8882514267715037829


def test_a_derived_id_stays_what_it_was() -> None:
    assert derived_id("alerts", 7, 1_767_225_600_000) == "234a5f7911dfe8804d74a032"


@given(st.lists(st.text(st.characters(exclude_characters="\0"), min_size=1), min_size=2))
@law
def test_a_derived_id_depends_on_where_its_parts_end(parts: list[str]) -> None:
    assert derived_id(*parts) != derived_id("".join(parts))
    assert derived_id(*parts) == derived_id(*parts)


def test_a_derived_id_takes_names_that_are_no_valid_unicode() -> None:
    assert derived_id("\udcff") != derived_id("\udcfe")
