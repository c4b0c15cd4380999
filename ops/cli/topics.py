"""`tocsin topics`: create the topics on Kafka, list them, compare them, print who needs what."""

import argparse
import json
from dataclasses import asdict

from ops.cli.options import settings_of
from ops.cli.terminal import complain, table
from ops.transport.kafka_acls import GRANTS, commands, grants
from ops.transport.kafka_clients import Clients
from ops.transport.kafka_topic_table import Found
from ops.transport.kafka_topics import alter, compared, create, listed, problems
from schemas.errors import Refused


def run(arguments: argparse.Namespace) -> int:
    """One verb; `create` and `check` answer 1 when a topic differs from the table."""
    clients = Clients(settings_of(arguments).settings.kafka, "tocsin-topics")
    verbs = {"create": _create, "list": _list, "check": _check, "acls": _acls}
    return verbs[arguments.verb](arguments, clients)


def _create(arguments: argparse.Namespace, clients: Clients) -> int:
    answer = create(clients)
    for name in answer.created:
        print(f"{name}: created")
    if arguments.alter:
        for done in alter(clients):
            print(done)
    print(f"{len(answer.created)} created, {len(answer.there)} were there")
    return _complained(problems(clients))


def _list(arguments: argparse.Namespace, clients: Clients) -> int:
    topics = listed(clients)
    if arguments.json:
        print(json.dumps({"topics": [asdict(each) for each in topics]}))
    elif topics:
        rows = [(t.name, str(t.partitions), str(t.replication), _kept(t)) for t in topics]
        print(table(("TOPIC", "PARTITIONS", "REPLICAS", "KEPT"), rows))
    else:
        print("no topics")
    return 0


def _check(arguments: argparse.Namespace, clients: Clients) -> int:
    if arguments.json:
        different = compared(clients)
        print(json.dumps({"problems": [asdict(each) for each in different]}))
        return 1 if different else 0
    found = problems(clients)
    if not found:
        print("no problems")
    return _complained(found)


def _acls(arguments: argparse.Namespace, clients: Clients) -> int:
    if arguments.worker not in GRANTS:
        raise Refused(f"{arguments.worker} is none of: {', '.join(GRANTS)}")
    for line in commands(grants(arguments.worker, clients.named), arguments.principal):
        print(line)
    return 0


def _complained(found: list[str]) -> int:
    for text in found:
        complain(text)
    return 1 if found else 0


def _kept(topic: Found) -> str:
    if topic.configs.get("cleanup.policy") == "compact":
        return "newest of each key"
    length = topic.configs.get("retention.ms", "")
    if not length.lstrip("-").isdigit():
        return "hidden"
    return f"{int(length) / 3_600_000:g} h" if int(length) >= 0 else "for ever"
