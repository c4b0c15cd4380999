"""Deliveries: alerts in columns, and what version 1 wrote."""

import json

import ormsgpack
import pytest
from hypothesis import given

from schemas.alerts import AlertLevel, AlertState
from schemas.deliveries import Delivery, told
from schemas.errors import Reason, Undecodable
from schemas.examples import EXAMPLES
from schemas.export import RELEASED, ROOT
from schemas.labels import fingerprint
from schemas.pairs import packed
from schemas.topics import CODEC
from tests.unit.schemas.strategies import alerts, law

ENCODED = CODEC.encode(EXAMPLES["delivery"])


def written(version: int, body: object) -> bytes:
    return ormsgpack.packb(ormsgpack.unpackb(ENCODED) | {"version": version, "body": body})


def bare(level: AlertLevel) -> AlertLevel:
    """What of a level is told."""
    fires = level.state is not AlertState.RESOLVED
    began = level.active_at if level.starts_at is None else level.starts_at
    return AlertLevel(
        labels={name: level.labels[name] for name in sorted(level.labels) if level.labels[name]},
        annotations=level.annotations,
        state=AlertState.FIRING if fires else AlertState.RESOLVED,
        active_at=began,
        starts_at=began,
        ends_at=level.ends_at,
        generator_url=level.generator_url,
    )


@law
@given(alerts)
def test_alerts_in_columns_are_the_alerts(levels: tuple[AlertLevel, ...]) -> None:
    columns = told(levels)
    assert columns.rows() == tuple(map(bare, levels))
    assert list(columns.fingerprints) == [fingerprint(level.labels) for level in levels]


def test_what_version_1_wrote_is_read() -> None:
    example = json.loads((ROOT / RELEASED / "delivery.v1.json").read_text("utf-8"))["examples"][0]
    found = CODEC.decode(ormsgpack.packb(example)).event
    assert isinstance(found, Delivery)
    levels = tuple(map(AlertLevel.model_validate, example["body"]["alerts"]))
    assert levels
    assert found.alerts == tuple(map(bare, levels))
    said = found.model_dump(mode="json")
    assert {name: said[name] for name in example["body"].keys() - {"alerts"}} == {
        name: value for name, value in example["body"].items() if name != "alerts"
    }


@pytest.mark.parametrize(
    "change",
    [
        {"firing": [True, True]},
        {"fingerprints": []},
        {"labels": [b"alertname\xffA"]},
        {"labels": [b"\xffA\xff"]},
        {"annotations": [b"summary\xff\xe9\xff"]},
        {"annotations": [packed({str(number): "" for number in range(257)})]},
        {"starts_at": [None]},
    ],
)
def test_columns_that_are_none_are_refused(change: dict[str, object]) -> None:
    body = ormsgpack.unpackb(ENCODED)["body"]
    with pytest.raises(Undecodable) as caught:
        CODEC.decode(written(2, body | {"told": body["told"] | change}))
    assert caught.value.reason is Reason.INVALID_EVENT


@pytest.mark.parametrize("alerts", [None, [{}], [[]], "x", 5, {}])
def test_rows_that_are_none_are_refused(alerts: object) -> None:
    body = {**ormsgpack.unpackb(ENCODED)["body"], "alerts": alerts}
    with pytest.raises(Undecodable) as caught:
        CODEC.decode(written(1, body))
    assert caught.value.reason is Reason.INVALID_EVENT


def test_a_delivery_without_rows_is_refused() -> None:
    with pytest.raises(Undecodable, match="not a delivery version 1"):
        CODEC.decode(written(1, {}))
