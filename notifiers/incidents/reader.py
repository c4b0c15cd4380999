"""`acknowledge_timeout:` of a routing file: how long an acknowledgement lasts, as `30m`."""

from notifiers.yaml_reader import Section

KEY = "acknowledge_timeout"


def read_acknowledge_timeout(root: Section) -> int | None:
    """In ms; what is wrong with it is noted there."""
    found = root.duration(KEY)
    if found == 0:
        root.problem(KEY, "more than 0 is wanted", "leave it out if none is to end by itself")
        return None
    return found
