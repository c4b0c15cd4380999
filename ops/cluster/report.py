"""The report that `tocsin status` prints and the API answers, from facts: pure."""

from collections.abc import Sequence
from typing import Any, Final

from ops.cluster.facts import Facts, Lag
from ops.cluster.workers import State, Worker, stages, workers
from ops.services import StageStatus

HISTORIAN: Final = "historian"
HISTORIANS: Final = "tocsin.historian"
"""Their group."""
PLANNED: Final = ("detector", "router")


def report(facts: Facts) -> dict[str, Any]:
    """Everything as one object of JSON; `problems` is empty when all is well."""
    found = workers(facts.heard, facts.at)
    plans = [_plan(stage, facts.plans.get(stage, 0), found) for stage in PLANNED]
    return {
        "problems": [*_problems(stages_of(facts)), *_behind(plans), *facts.topics],
        "brokers": [
            {"id": each.id, "address": each.address, "controller": each.controller}
            for each in facts.brokers
        ],
        "workers": [_worker(each) for each in found],
        "lags": [_lag(each) for each in facts.lags],
        "dead_letters": {
            "total": facts.letters.total,
            "newest": [
                {"topic": topic, "reason": reason, "count": count}
                for (topic, reason), count in sorted(facts.letters.newest.items())
            ],
        },
        "plans": plans,
        "topics": list(facts.topics),
    }


def stages_of(facts: Facts) -> list[StageStatus]:
    """How every stage is; history, if it was ever written."""
    written = any(lag.group == HISTORIANS for lag in facts.lags)
    return stages(workers(facts.heard, facts.at), [HISTORIAN] if written else [])


def _problems(found: Sequence[StageStatus]) -> list[str]:
    return [f"{each.name}: {each.message}" for each in found if not each.healthy or not each.ready]


def _behind(plans: Sequence[dict[str, Any]]) -> list[str]:
    return [
        f"{plan['stage']}: plan {plan['published']} is published, partition {each['partition']} "
        f"follows {each['plan'] or 'none'}"
        for plan in plans
        for each in plan["partitions"]
        if plan["published"] and each["plan"] < plan["published"]
    ]


def _plan(stage: str, published: int, found: Sequence[Worker]) -> dict[str, Any]:
    """What each partition follows, as its owner says; of two, who spoke last."""
    mine = [each for each in found if each.stage == stage and each.state is not State.ENDED]
    follows: dict[int, dict[str, Any]] = {}
    for worker in sorted(mine, key=lambda each: -each.age):
        for number in worker.partitions:
            plan = worker.figures.get(f"plan:{number}", worker.figures.get("plan", 0.0))
            follows[number] = {"partition": number, "plan": int(plan), "worker": worker.name}
    return {
        "stage": stage,
        "published": published,
        "partitions": [follows[number] for number in sorted(follows)],
    }


def _worker(worker: Worker) -> dict[str, Any]:
    return {
        "worker": worker.name,
        "stage": worker.stage,
        "state": str(worker.state),
        "ready": worker.ready,
        "age_ms": worker.age,
        "message": worker.message,
        "partitions": list(worker.partitions),
        "figures": worker.figures,
    }


def _lag(lag: Lag) -> dict[str, Any]:
    return {
        "group": lag.group,
        "topic": lag.topic,
        "partition": lag.partition,
        "end": lag.end,
        "committed": lag.committed,
        "lag": lag.records,
    }
