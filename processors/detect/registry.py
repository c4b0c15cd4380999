"""The detectors that a rule file may name under `detect:`."""

from collections.abc import Mapping

from processors.detect.kind import Kind

KINDS: Mapping[str, Kind] = {}
