"""The detectors that a rule file may name under `detect:`."""

from collections.abc import Mapping

from processors.detect import (
    absent,
    anomaly,
    flapping,
    forecast,
    health,
    m_of_n,
    slo,
    spike,
)
from processors.detect.kind import Kind

KINDS: Mapping[str, Kind] = {
    "absent": absent.KIND,
    "anomaly": anomaly.KIND,
    "flapping": flapping.KIND,
    "forecast": forecast.KIND,
    "health": health.KIND,
    "m_of_n": m_of_n.KIND,
    "slo": slo.KIND,
    "spike": spike.KIND,
}
