"""How a worker comes to its log."""

from collections.abc import Callable

from ops.settings import Settings
from ops.transport.log import Log


def opener(settings: Settings, stage: str) -> Callable[[], Log]:
    """Connects once the topics are as they have to be.

    The function raises `LogAway` while Kafka does not answer, `Refused` where waiting would not
    help. This one raises `ModuleNotFoundError` where Kafka's client is not installed.
    """
    from ops.transport.kafka_acls import topics_of
    from ops.transport.kafka_clients import Clients
    from ops.transport.kafka_log import KafkaLog
    from ops.transport.kafka_topics import check_at_start

    name = f"tocsin-{stage}"

    def open_log() -> Log:
        check_at_start(Clients(settings.kafka, name), topics_of(stage))
        return KafkaLog(settings.kafka, name)

    return open_log
