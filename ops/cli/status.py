"""`tocsin status`: how everything is, asked of Kafka itself or of a running server."""

import argparse
import json
from collections.abc import Sequence
from typing import Any, Final

from ops.cli.client import client_of
from ops.cli.options import settings_of
from ops.cli.terminal import age, table
from ops.cluster.workers import State
from ops.health import Health, overall, stage_json
from ops.logs import one_line
from ops.settings import Settings

MOST_FINE: Final = 20
"""Workers of a stage that are listed though they are fine; a fleet has thousands of agents."""


def run(arguments: argparse.Namespace) -> int:
    """Exit code 1 if something is not as it should be."""
    settings = settings_of(arguments).settings
    if settings.kafka.bootstrap and not (arguments.url or arguments.data):
        told = _of_kafka(settings)
    else:
        told = client_of(arguments).get("/api/tocsin/v1/status")
    print(json.dumps(told) if arguments.json else text_of(told))
    cluster = told.get("cluster") or {}
    return 0 if told["status"] == Health.HEALTHY and not cluster.get("problems") else 1


def _of_kafka(settings: Settings) -> dict[str, Any]:
    from ops.cluster.kafka_ask import KafkaAsk
    from ops.cluster.report import report, stages_of
    from ops.cluster.seen_clock import SeenClock
    from ops.transport.kafka_clients import Clients

    clock = SeenClock()
    ask = KafkaAsk(Clients(settings.kafka, "tocsin-status"), clock, clock.look)
    try:
        facts = ask.facts()
    finally:
        ask.close()
    found = stages_of(facts)
    return {
        "status": overall(found),
        "stages": [stage_json(stage) for stage in found],
        "cluster": report(facts),
    }


def text_of(told: dict[str, Any]) -> str:
    """The answer for people; what is wrong comes first."""
    cluster = told.get("cluster")
    if cluster is None:
        return f"{told['status']}\n\n{_text_of_stages(told['stages'])}"
    parts = [f"{told['status']}\n{_text_of_problems(cluster['problems'])}"]
    parts.append(_text_of_workers(cluster["workers"]))
    rows = [
        (r["group"], r["topic"], str(r["partition"]), "–" if r["lag"] is None else str(r["lag"]))
        for r in cluster["lags"]
    ]
    parts += [table(("GROUP", "TOPIC", "PARTITION", "LAG"), rows)] if rows else []
    rows = [
        (r["stage"], str(r["published"] or "–"), str(each["partition"]), str(each["plan"] or "–"))
        for r in cluster["plans"]
        for each in r["partitions"]
    ]
    parts += [table(("PLAN OF", "PUBLISHED", "PARTITION", "IN FORCE"), rows)] if rows else []
    letters = cluster["dead_letters"]
    if letters["total"]:
        rows3 = [(r["topic"], r["reason"], str(r["count"])) for r in letters["newest"]]
        kept = f"about {letters['total']} dead letters are kept"
        parts.append(table(("DEAD LETTERS OF", "REASON", "OF THE NEWEST"), rows3) + f"\n{kept}")
    brokers = [
        (str(b["id"]), b["address"], "yes" if b["controller"] else "") for b in cluster["brokers"]
    ]
    parts.append(table(("BROKER", "ADDRESS", "CONTROLLER"), brokers))
    return "\n\n".join(parts)


def _text_of_stages(stages: Sequence[dict[str, Any]]) -> str:
    rows = [
        (
            each["name"],
            "healthy" if each["healthy"] else "unhealthy",
            "ready" if each["ready"] else "not ready",
            _whole(each.get("figures", {}).get("lag")),
            each.get("message", ""),
        )
        for each in stages
    ]
    return table(("STAGE", "HEALTH", "READY", "LAG", "MESSAGE"), rows)


def _text_of_problems(problems: Sequence[str]) -> str:
    if not problems:
        return "no problems"
    return "\n".join([f"{len(problems)} problems:", *(f"  {one_line(each)}" for each in problems)])


def _text_of_workers(found: Sequence[dict[str, Any]]) -> str:
    counts: dict[str, int] = {}
    left: dict[str, int] = {}
    rows = []
    for each in found:
        stage = each["stage"]
        counts[stage] = counts.get(stage, 0) + 1
        if each["state"] == State.FINE and counts[stage] > MOST_FINE:
            left[stage] = left.get(stage, 0) + 1
            continue
        owned = ",".join(map(str, each["partitions"]))
        rows.append(
            (
                stage,
                each["worker"],
                each["state"],
                age(each["age_ms"]),
                owned,
                _whole(each["figures"].get("lag")),
                each["message"],
            )
        )
    if not rows:
        return "no worker was heard of within the last minute"
    head = ("STAGE", "WORKER", "STATE", "HEARD", "PARTITIONS", "LAG", "MESSAGE")
    more = [f"{count} more of {stage} are fine" for stage, count in left.items()]
    return "\n".join([table(head, rows), *more])


def _whole(number: float | None) -> str:
    return "" if number is None else f"{number:.0f}"
