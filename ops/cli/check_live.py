"""What `tocsin check --live` asks of Kafka: the topics as they are, and what our producers do."""

from collections.abc import Iterator

from ops.config_problems import Origin, Problem
from ops.settings import Settings
from ops.transport.kafka_clients import Clients
from ops.transport.kafka_topics import compared
from schemas.errors import Refused


def differences(settings: Settings) -> Iterator[Problem]:
    """How the cluster differs from the settings; a refusal of Kafka's is one of the problems.

    Raises `LogAway` when no broker answers.
    """
    clients = Clients(settings.kafka, "tocsin-check")
    here = Origin(f"Kafka at {', '.join(settings.kafka.bootstrap)}")
    try:
        for each in compared(clients):
            message = f"{each.setting} is {each.found}, not {each.wanted}"
            yield Problem(here, each.topic, message, each.remedy)
    except Refused as fault:
        yield Problem(here if settings.kafka.bootstrap else Origin("--live"), "", str(fault))
        return
    yield from _producers(clients, here)


def _producers(clients: Clients, here: Origin) -> Iterator[Problem]:
    # Ours ask for both, always. Looked at all the same: a producer without them loses records
    # silently, and no setting of a topic shows it.
    producer = clients.producer()
    try:
        config = producer.config
        if config["acks"] not in (-1, "all") or not config["enable_idempotence"]:
            message = f"producers have acks={config['acks']}, not all, or are not idempotent"
            yield Problem(here, "", message, "this is a fault of Tocsin: please report it")
    finally:
        producer.close(timeout=5)
