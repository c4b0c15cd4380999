"""`flap_detection:` of a route, or of the file for all routes.

flap_detection: {changes: 5, within: 10m, stable: 10m}    # or: off
"""

import yaml

from notifiers.storms.settings import OFF, FlapDetection
from notifiers.yaml_reader import Section

KEY = "flap_detection"
FEWEST, MOST = 3, 100
SHORTEST, LONGEST = 1_000, 86_400_000
_HINT = "such as {changes: 5, within: 10m, stable: 10m}, or off"


def read_flap_detection(parent: Section) -> FlapDetection | None:
    """The section under `flap_detection`; None where it is left out."""
    node = parent.value(KEY)
    if node is None:
        return None
    if isinstance(node, yaml.ScalarNode):
        if node.value != "off":
            parent.problem(KEY, "a mapping is wanted here", _HINT)
        return OFF
    found = parent.section(KEY)
    if found is None:
        return None
    changes = found.number("changes")
    if changes is not None and not FEWEST <= changes <= MOST:
        # Fire, resolve: two changes are every alert's life.
        found.problem("changes", f"from {FEWEST} to {MOST} changes are wanted", _HINT)
    spans = {key: found.duration(key) for key in ("within", "stable")}
    for key, span in spans.items():
        if span is not None and not SHORTEST <= span <= LONGEST:
            found.problem(key, "a time from 1s to 1d is wanted", _HINT)
    found.close()
    plain = FlapDetection()
    return FlapDetection(
        plain.changes if changes is None else changes,
        plain.within if spans["within"] is None else spans["within"],
        plain.stable if spans["stable"] is None else spans["stable"],
    )
