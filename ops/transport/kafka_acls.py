"""What each worker has to be allowed on a cluster with an authorizer, and nothing besides."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from shlex import quote
from typing import Final

from schemas.topics import (
    ALERTS,
    DEAD_LETTERS,
    DELIVERIES,
    GATHERED,
    HEALTH,
    HISTORY,
    METRICS,
    TOPICS,
    checkpoints,
)

ALL: Final = (*TOPICS, *map(checkpoints, ("detector", "spanning", "router", "plans")))
_OPTIONS: Final = {"topic": "--topic", "group": "--group", "transactional id": "--transactional-id"}


@dataclass(frozen=True, slots=True)
class Grant:
    """Operations on one resource; `prefixed` means every one whose name begins so.

    Kafka takes Describe as given with Read and with Write.
    """

    kind: str
    name: str
    operations: tuple[str, ...]
    prefixed: bool = False


def _worker(
    reads: Sequence[str] = (),
    writes: Sequence[str] = (),
    group: str = "",
    transactions: str = "",
) -> tuple[Grant, ...]:
    """Every worker looks at its topics' settings when it starts."""
    found = []
    for topic in dict.fromkeys((*reads, *writes)):
        can = [*(["Read"] if topic in reads else []), *(["Write"] if topic in writes else [])]
        found.append(Grant("topic", topic, (*can, "DescribeConfigs")))
    if group:
        found.append(Grant("group", group, ("Read",)))
    if transactions:
        found.append(Grant("transactional id", transactions, ("Write",), prefixed=True))
    return tuple(found)


def _stage(name: str, reads: str, writes: Sequence[str], group: str) -> tuple[Grant, ...]:
    """A stage appends its wake-ups to its own input."""
    return _worker(
        (reads, checkpoints(name)),
        (reads, checkpoints(name), *writes, HISTORY, HEALTH, DEAD_LETTERS),
        group,
        f"tocsin.{name}.",
    )


def _stages(*stages: tuple[Grant, ...]) -> tuple[Grant, ...]:
    """Several stages in one worker."""
    found: dict[tuple[str, str], Grant] = {}
    for grant in (grant for stage in stages for grant in stage):
        known = found.get((grant.kind, grant.name), grant)
        can = dict.fromkeys((*known.operations, *grant.operations))
        operations = tuple(sorted(can, key=("Read", "Write", "DescribeConfigs").index))
        found[grant.kind, grant.name] = replace(grant, operations=operations)
    return tuple(found.values())


def _looks(reads: Sequence[str], writes: Sequence[str] = ()) -> tuple[Grant, ...]:
    """What tells how everything is: every topic's offsets and settings, every group's."""
    own = _worker(reads, writes)
    seen = {grant.name for grant in own}
    return (
        *own,
        *(Grant("topic", n, ("Describe", "DescribeConfigs")) for n in ALL if n not in seen),
        *(
            Grant("group", name, ("Describe",))
            for name in map(
                "tocsin.{}".format, ("detector", "spanning", "router", "courier", "historian")
            )
        ),
    )


GRANTS: Final[dict[str, tuple[Grant, ...]]] = {
    "agent": _worker(writes=(METRICS, HEALTH)),
    "detector": _stages(
        _stage("detector", METRICS, (GATHERED, ALERTS), "tocsin.detector"),
        _stage("spanning", GATHERED, (METRICS, ALERTS), "tocsin.spanning"),
    ),
    "router": _stage("router", ALERTS, (DELIVERIES,), "tocsin.router"),
    "courier": _worker((DELIVERIES,), (ALERTS, HEALTH, DEAD_LETTERS), "tocsin.courier"),
    "historian": _worker(
        (METRICS, ALERTS, DELIVERIES, HISTORY), (HEALTH, DEAD_LETTERS), "tocsin.historian"
    ),
    "console": _looks(
        (ALERTS, HEALTH, DEAD_LETTERS, checkpoints("router"), checkpoints("plans")),
        (METRICS, ALERTS, HEALTH),
    ),
    "status": _looks((HEALTH, DEAD_LETTERS, checkpoints("plans"))),
    "apply": _worker(
        (checkpoints("plans"), HEALTH),
        (checkpoints("plans"), METRICS, GATHERED, ALERTS),
        transactions="tocsin.plans.",
    ),
    "load": _worker(writes=(METRICS,)),
    "topics": (
        Grant(
            "topic",
            "tocsin.",
            ("Create", "Describe", "Alter", "DescribeConfigs", "AlterConfigs"),
            prefixed=True,
        ),
        Grant("group", "tocsin.detector", ("Describe",)),
    ),
}
"""By command. `topics` is `tocsin topics create --alter`; its other verbs need less."""


def grants(worker: str, named: Callable[[str], str]) -> list[Grant]:
    """With the names they have on the cluster: `named` is `Clients.named`."""
    return [replace(grant, name=named(grant.name)) for grant in GRANTS[worker]]


def topics_of(worker: str) -> list[str]:
    """The topics that a worker reads or writes, by plain names: what it checks at its start."""
    uses = {"Read", "Write"}
    return [g.name for g in GRANTS[worker] if g.name in ALL and uses.intersection(g.operations)]


def commands(wanted: Sequence[Grant], principal: str) -> Iterator[str]:
    """Each grant as a line for a shell; Kafka's bin directory has the tool."""
    for grant in wanted:
        yield " ".join(
            (
                "kafka-acls.sh --bootstrap-server $BOOTSTRAP --command-config $ADMIN --add",
                f"--allow-principal {quote(principal)}",
                *(f"--operation {operation}" for operation in grant.operations),
                f"{_OPTIONS[grant.kind]} {quote(grant.name)}",
                *(("--resource-pattern-type prefixed",) if grant.prefixed else ()),
            )
        )
