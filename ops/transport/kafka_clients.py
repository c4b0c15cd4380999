"""kafka-python's clients as every worker sets them up, and their errors in our words."""

import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka import errors as kafka_errors
from kafka.net.compat import KafkaNetClient

from ops.config_kafka import KafkaSettings
from ops.transport import kafka_batches, kafka_sockets
from ops.transport.kafka_knock import WITHIN, knock
from schemas.errors import LogAway, Refused, TooLarge

PATIENCE = 10.0
"""Seconds until a broker that does not answer counts as away."""
HEARTBEAT = 0.5
CLOSES_WITHIN = 3.0
"""Seconds that ending a client may take."""
MAX_RECORD = 1_048_000
"""Bytes of one record that producers accept; brokers take 1,048,588 of a whole batch."""
_OURS_TO_MEND = (
    kafka_errors.SaslAuthenticationFailedError,
    kafka_errors.AuthorizationError,
    kafka_errors.UnsupportedSaslMechanismError,
    kafka_errors.KafkaConfigurationError,
    kafka_errors.IncompatibleBrokerVersion,
)


class Clients:
    """Makes producers, consumers and admins for one cluster.

    Raises `LogAway` while no broker answers, `Refused` where waiting would not help: a wrong
    password, a certificate that is not good, a permission that is missing.
    """

    def __init__(self, settings: KafkaSettings, name: str) -> None:
        self.settings = settings
        self.name = name
        kafka_batches.install()
        kafka_sockets.install()

    def producer(self, **more: Any) -> KafkaProducer:
        """Idempotent, acknowledged by all replicas in sync, compressed with zstd."""
        config: dict[str, Any] = {
            "acks": "all",
            "metrics_enabled": False,
            "compression_type": "zstd",
            "max_request_size": MAX_RECORD,
            "allow_auto_create_topics": False,
            "max_block_ms": int(PATIENCE * 1000),
            "request_timeout_ms": int(PATIENCE * 1000),
            "delivery_timeout_ms": int(PATIENCE * 3000),
        }
        made: KafkaProducer = self._made(KafkaProducer, config | more)
        return made

    def consumer(self, **more: Any) -> KafkaConsumer:
        """Committed records only; offsets are committed by us, and a lost one is not jumped."""
        config: dict[str, Any] = {
            "isolation_level": "read_committed",
            "metrics_enabled": False,
            "auto_offset_reset": "none",
            "enable_auto_commit": False,
            "allow_auto_create_topics": False,
            "request_timeout_ms": int(PATIENCE * 1000),
            "session_timeout_ms": int(self.settings.session_timeout.total_seconds() * 1000),
            "heartbeat_interval_ms": int(heartbeat(self.settings) * 1000),
            "fetch_max_bytes": 16 << 20,
            "max_partition_fetch_bytes": 4 << 20,
        }
        made: KafkaConsumer = self._made(KafkaConsumer, config | more)
        return made

    def admin(self) -> KafkaAdminClient:
        """For topics and their settings."""
        given = {"request_timeout_ms": int(PATIENCE * 1000)}
        made: KafkaAdminClient = self._made(KafkaAdminClient, given)
        return made

    def named(self, name: str) -> str:
        """A topic's, group's or transactional id's name on this cluster."""
        return f"{self.settings.prefix}{name}"

    def plain(self, topic: str) -> str:
        """The name of a topic as the rest of Tocsin knows it."""
        return topic.removeprefix(self.settings.prefix)

    def _made(self, kind: Any, config: dict[str, Any]) -> Any:
        opened: list[KafkaNetClient] = []

        def opening(**given: Any) -> KafkaNetClient:
            opened.append(KafkaNetClient(**given))
            return opened[-1]

        common = self.common()
        began = time.monotonic()
        hurry = config.get("bootstrap_timeout_ms", 1000 * PATIENCE) / 1000
        if hurry >= PATIENCE:
            # Who has less time only learns that it is away; the next who has more says why.
            common["bootstrap_servers"] = knock(
                self.settings, common.get("ssl_context"), self.name, PATIENCE - WITHIN
            )
            left = max(1.0, began + hurry - time.monotonic())
            config = config | {"bootstrap_timeout_ms": int(left * 1000)}
        try:
            with said(self.settings):
                return kind(**(common | config), kafka_client=opening)
        except BaseException:
            # kafka-python leaves a thread and three files behind where no broker answered, and
            # we try again for as long as it takes.
            for net in opened:
                net.close()
            raise

    def common(self) -> dict[str, Any]:
        """Where the brokers are, and who we are."""
        settings = self.settings
        if not settings.bootstrap:
            raise Refused('kafka.bootstrap: is missing: write for example "127.0.0.1:9092"')
        config: dict[str, Any] = {
            "bootstrap_servers": list(settings.bootstrap),
            "client_id": self.name,
            "bootstrap_timeout_ms": int(PATIENCE * 1000),
            "reconnect_backoff_max_ms": 1_000,
            "security_protocol": protocol(settings),
        }
        if settings.security == "tls":
            config["ssl_context"] = tls_context(settings)
        if settings.sasl:
            config["sasl_mechanism"] = settings.sasl
            config["sasl_plain_username"] = settings.username
            config["sasl_plain_password"] = password(settings)
        return config


def group_of(worker: str) -> str:
    """A worker's consumer group on a cluster that others may use as well."""
    return f"tocsin.{worker}"


def heartbeat(settings: KafkaSettings) -> float:
    """Seconds between a member's signs of life. In their answers it learns that its group deals the
    partitions out anew, and until the last member has heard of it the others wait."""
    return min(settings.session_timeout.total_seconds() / 4, HEARTBEAT)


def let_go(producer: KafkaProducer) -> None:
    """End it at once, whatever it still has to send.

    Its own `close` raises when a batch is not acknowledged in time, and then goes on sending.
    """
    producer._sender.force_close()
    with suppress(kafka_errors.KafkaError, OSError):
        producer.close(timeout=CLOSES_WITHIN)


def protocol(settings: KafkaSettings) -> str:
    """Kafka's own name for what is set."""
    if settings.security == "tls":
        return "SASL_SSL" if settings.sasl else "SSL"
    return "SASL_PLAINTEXT" if settings.sasl else "PLAINTEXT"


def password(settings: KafkaSettings) -> str:
    """The SASL password; empty if none is set."""
    return settings.password.get_secret_value() if settings.password else ""


def tls_context(settings: KafkaSettings) -> ssl.SSLContext:
    """Trusts `ca_file`, else the system's authorities; shows a certificate if one is set.

    Raises `Refused`, which names the setting and the file.
    """
    for key in ("ca_file", "certificate_file", "key_file"):
        if file := getattr(settings, key):
            try:
                file.open("rb").close()
            except OSError as fault:
                why = (fault.strerror or "").lower()
                raise Refused(f"kafka.{key}: {file} cannot be read: {why}") from fault
    own, key_file = settings.certificate_file, settings.key_file or settings.certificate_file
    try:
        context = ssl.create_default_context(cafile=settings.ca_file)
    except ssl.SSLError as fault:
        raise Refused(f"kafka.ca_file: {settings.ca_file} holds no certificate in PEM") from fault
    if own:
        try:
            # Without a password here OpenSSL would ask the terminal for one.
            context.load_cert_chain(own, key_file, password="")
        except ssl.SSLError as fault:
            raise Refused(
                f"kafka.certificate_file: {own} and the key in {key_file} are no pair that can be "
                f"used: {fault.reason or 'the key must have no pass phrase'}"
            ) from fault
    return context


@contextmanager
def said(settings: KafkaSettings) -> Iterator[None]:
    """Vendor's errors as ours."""
    try:
        yield
    except kafka_errors.MessageSizeTooLargeError as fault:
        raise TooLarge(f"the broker's limit is below ours: {fault}: set message.max.bytes") from (
            fault
        )
    except _OURS_TO_MEND as fault:
        raise Refused(f"Kafka at {', '.join(settings.bootstrap)} refuses us: {fault}") from fault
    except (kafka_errors.KafkaError, OSError) as fault:
        if "AuthorizationFailed" in str(fault):
            # kafka-python puts some refusals into an error of no kind.
            raise Refused(f"Kafka at {', '.join(settings.bootstrap)} refuses us: {fault}") from (
                fault
            )
        raise LogAway(f"Kafka at {', '.join(settings.bootstrap)}: {fault}") from fault
