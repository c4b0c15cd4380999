"""How a heartbeat that is down is announced: labels, reason, annotations."""

from notifiers.heartbeats.definition import Definition, Pairs, in_words, instant
from notifiers.heartbeats.heartbeat import Cause, Heartbeat

MOST_SAID = 1_000
"""Characters of a job's own words that an alert carries."""
_NAMES = {
    Cause.MISSED: "HeartbeatMissed",
    Cause.OVERRAN: "HeartbeatMissed",
    Cause.FAILED: "HeartbeatFailed",
}


def labels(definition: Definition, cause: Cause) -> Pairs:
    """The labels of its alert; what the definition says goes over ours."""
    found = {"alertname": _NAMES[cause]} | dict(definition.labels) | {"heartbeat": definition.name}
    return tuple(sorted((name, value) for name, value in found.items() if value))


def reason(heartbeat: Heartbeat, cause: Cause, at: int) -> str:
    """Why it is down, in a sentence for people."""
    definition = heartbeat.definition
    wanted = f"expected {definition.schedule} + {in_words(definition.grace)} grace"
    match cause:
        case Cause.FAILED if heartbeat.exit_status is not None:
            return f"the job failed with exit status {heartbeat.exit_status}"
        case Cause.FAILED:
            return "the job says that it failed"
        case Cause.OVERRAN:
            return f"a run was started and did not end within {in_words(definition.max_runtime)}"
        case Cause.MISSED if heartbeat.last_ping is None:
            return f"never heard of since {instant(heartbeat.since)}, {wanted}"
        case Cause.MISSED:
            return f"no ping for {in_words(at - heartbeat.last_ping)}, {wanted}"


def annotations(heartbeat: Heartbeat) -> dict[str, str]:
    """The definition's own over ours; the job's last words in `last_body`."""
    found = {"summary": f"Heartbeat {heartbeat.name}: {heartbeat.reason}"}
    if heartbeat.last_ping is not None:
        found["last_ping"] = instant(heartbeat.last_ping)
    if heartbeat.body:
        body = heartbeat.body
        found["last_body"] = body if len(body) <= MOST_SAID else f"{body[: MOST_SAID - 1]}…"
    return found | dict(heartbeat.definition.annotations)
