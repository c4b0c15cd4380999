"""`heartbeats:` and `ping_key:` of a routing file.

ping_key: 5dW8nTqkV0yXc2RrB1mLzA        # pings of /ping/KEY/NAME
heartbeats:
  - name: nightly-backup
    id: 3f2b6a0e-8a53-4c53-9a39-1d3c7f3d7c11     # and of /ping/ID
    cron: 0 2 * * *              # or period: 24h
    timezone: Europe/Berlin
    grace: 1h
    max_runtime: 2h              # from start to success; else as long as the grace
    labels: {severity: critical}
    annotations: {runbook_url: https://wiki.example/backup}
"""

import re

from notifiers.duration import milliseconds
from notifiers.heartbeats import cron
from notifiers.heartbeats.definition import Definition
from notifiers.matchers import Mode, is_label_name
from notifiers.yaml_reader import Section

SIGNALS = frozenset({"start", "fail", "log"})
DEFAULT_GRACE = 3_600_000
SHORTEST, LONGEST = 1_000, 366 * 86_400_000
MOST = 10_000
_NAME = re.compile(r"[A-Za-z0-9_-]{1,100}", re.ASCII)
_SECRET = re.compile(r"[A-Za-z0-9_-]{20,100}", re.ASCII)
_MAKE_ONE = "it is all that keeps others from pinging: for example what `uuidgen` prints"


def read_heartbeats(root: Section) -> dict[str, Definition]:
    """All heartbeats by name; what is wrong with them is noted there."""
    key = root.parsed("ping_key", _secret) or ""
    found: dict[str, Definition] = {}
    ids: set[str] = {key}
    for one in root.sections("heartbeats"):
        definition = _heartbeat(one, key, ids)
        if definition.name in found:
            one.problem("name", f'heartbeat "{definition.name}" is not unique')
        found.setdefault(definition.name, definition)
    if len(found) > MOST:
        root.problem("heartbeats", f"there are {len(found)} of them, the limit is {MOST}")
    return found


def _heartbeat(found: Section, key: str, ids: set[str]) -> Definition:
    name = found.parsed("name", _name) or ""
    if "name" not in found.items:
        found.problem("name", "missing name of the heartbeat")
    own = found.parsed("id", _secret) or ""
    if own and own in ids:
        found.problem("id", "another heartbeat, or ping_key, has this id already", _MAKE_ONE)
    ids.add(own)
    if "id" not in found.items and not key:
        found.problem("id", "missing id, and there is no ping_key", _MAKE_ONE)
    period, expression, location = _when(found)
    grace = found.parsed("grace", lambda text: _duration(text, shortest=0))
    grace = DEFAULT_GRACE if grace is None else grace
    longest = found.parsed("max_runtime", _duration)
    labels, annotations = _pairs(found, "labels"), _pairs(found, "annotations")
    found.close()
    paths = tuple(path for path in (own, f"{key}/{name}" if key else "") if path)
    return Definition(
        *(name, paths, period, expression, location, grace),
        max(grace, SHORTEST) if longest is None else longest,
        labels,
        annotations,
    )


def _when(found: Section) -> tuple[int, str, str]:
    period = found.parsed("period", _duration)
    expression = found.parsed("cron", cron.check)
    location = found.parsed("timezone", cron.location)
    if "period" in found.items and "cron" in found.items:
        found.problem("cron", "either period or cron says when it is expected, not both")
    elif "period" not in found.items and "cron" not in found.items:
        hint = "for example period: 24h, or cron: 0 2 * * *"
        found.problem("period", "missing period or cron", hint, at=found.node)
    elif "timezone" in found.items and "cron" not in found.items:
        found.problem("timezone", "a time zone has a meaning only with cron")
    return period or SHORTEST, expression or "", location or "UTC"


def _pairs(found: Section, key: str) -> tuple[tuple[str, str], ...]:
    pairs = found.pairs(key)
    for name, _, node in pairs:
        if not is_label_name(name, Mode.UTF8):
            found.problem(key, f'not a name of a label: "{name[:40]}"', at=node)
        elif key == "labels" and name == "heartbeat":
            found.problem(key, "the label heartbeat is the heartbeat's name", at=node)
    return tuple(sorted((name, value) for name, value, _ in pairs))


def _name(text: str) -> str:
    if _NAME.fullmatch(text) is None:
        raise ValueError(f'letters, digits, - and _ are wanted, not "{text[:40]}"')
    if text in SIGNALS or text.isdigit():
        raise ValueError(f'"{text}" has a meaning of its own in a ping URL')
    return text


def _secret(text: str) -> str:
    if _SECRET.fullmatch(text) is None:
        raise ValueError(f"20 to 100 letters, digits, - and _ are wanted: {_MAKE_ONE}")
    return text


def _duration(text: str, shortest: int = SHORTEST) -> int:
    found = milliseconds(text)
    if not shortest <= found <= LONGEST:
        raise ValueError(f"a second at least and a year at most are wanted, not {text[:40]}")
    return found
