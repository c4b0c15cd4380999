"""The detectors that a rule file may name under `detect:`."""

from collections.abc import Mapping

from processors.detect import absent, flapping, health, m_of_n, slo
from processors.detect.kind import Kind

KINDS: Mapping[str, Kind] = {
    "absent": absent.KIND,
    "flapping": flapping.KIND,
    "health": health.KIND,
    "m_of_n": m_of_n.KIND,
    "slo": slo.KIND,
}
