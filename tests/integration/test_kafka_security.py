"""TLS, SASL and certificates, with both clients, on a broker that has a listener for each."""

import asyncio
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import faust
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from faust.transport.drivers.aiokafka import credentials_to_aiokafka_auth
from kafka import TopicPartition
from kafka.admin import UserScramCredentialUpsertion

from ops.config_kafka import KafkaSettings
from ops.deploy.kafka.broker import Broker, free_port
from ops.runtime.faust_app import FaustGroup
from ops.transport.feed import Feed
from ops.transport.kafka_clients import Clients
from ops.transport.kafka_faust import faust_credentials
from ops.transport.kafka_knock import knock
from schemas.errors import LogAway, Refused
from tests.support.kafka import jars, settings_for
from tests.support.kafka_certificates import Files, write
from tests.support.waiting import eventually

PASSWORD = "open-sesame"
TOPIC = "told"
PROTOCOLS = {
    "TLS": "SSL",
    "MTLS": "SSL",
    "EXPIRED": "SSL",
    "ELSEWHERE": "SSL",
    "PLAIN": "SASL_PLAINTEXT",
    "SCRAM": "SASL_PLAINTEXT",
    "TLSPLAIN": "SASL_SSL",
    "TLSSCRAM": "SASL_SSL",
}


@dataclass(frozen=True)
class Secured:
    broker: Broker
    files: Files

    def settings(self, listener: str, **more: object) -> KafkaSettings:
        """As an operator would set them for this listener."""
        given: dict[str, object] = {"bootstrap": f"127.0.0.1:{self.port(listener)}"}
        protocol = PROTOCOLS.get(listener, "PLAINTEXT")
        if protocol.endswith("SSL"):
            given |= {"security": "tls", "ca_file": self.files.ca}
        if listener == "MTLS":
            given |= {"certificate_file": self.files.client, "key_file": self.files.client_key}
        if protocol.startswith("SASL"):
            sasl = "SCRAM-SHA-512" if listener.endswith("SCRAM") else "PLAIN"
            given |= {"sasl": sasl, "username": "agent", "password": PASSWORD}
        return settings_for(self.broker, **(given | more))

    def port(self, listener: str) -> int:
        return self.broker.listeners[listener][1] if listener in PROTOCOLS else self.broker.port


def properties(files: Files) -> Iterator[tuple[str, str]]:
    stores = {"EXPIRED": files.expired, "ELSEWHERE": files.elsewhere}
    module = "org.apache.kafka.common.security"
    for name, protocol in PROTOCOLS.items():
        mine = f"listener.name.{name.lower()}"
        if protocol.endswith("SSL"):
            yield f"{mine}.ssl.keystore.type", "PEM"
            yield f"{mine}.ssl.keystore.location", str(stores.get(name, files.broker))
        if name == "MTLS":
            yield f"{mine}.ssl.client.auth", "required"
            yield f"{mine}.ssl.truststore.type", "PEM"
            yield f"{mine}.ssl.truststore.location", str(files.ca)
        if protocol.startswith("SASL"):
            mechanism = "SCRAM-SHA-512" if name.endswith("SCRAM") else "PLAIN"
            jaas = f'{module}.plain.PlainLoginModule required user_agent="{PASSWORD}";'
            if name.endswith("SCRAM"):
                jaas = f"{module}.scram.ScramLoginModule required;"
            yield f"{mine}.sasl.enabled.mechanisms", mechanism
            yield f"{mine}.{mechanism.lower()}.sasl.jaas.config", jaas


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    directory = tmp_path_factory.mktemp("secured")
    files = write(directory)
    broker = Broker(
        directory / "broker",
        jars(),
        listeners={name: (protocol, free_port()) for name, protocol in PROTOCOLS.items()},
        properties=dict(properties(files)),
    )
    broker.start()
    admin = Clients(settings_for(broker), "admin").admin()
    told = admin.alter_user_scram_credentials(
        [UserScramCredentialUpsertion("agent", "SCRAM-SHA-512", PASSWORD)]
    )
    assert told == {"agent": None}
    admin.create_topics({TOPIC: {"num_partitions": 1, "replication_factor": 1}})
    admin.wait_for_topics([TOPIC])
    admin.close()
    yield Secured(broker, files)
    broker.kill()


GOOD = ("TLS", "MTLS", "PLAIN", "SCRAM", "TLSPLAIN", "TLSSCRAM")


@pytest.mark.parametrize("listener", GOOD)
def test_workers_clients_write_and_read(secured: Secured, listener: str) -> None:
    clients = Clients(secured.settings(listener), "test")
    producer = clients.producer()
    sent = producer.send(TOPIC, listener.encode(), partition=0).get(10)
    producer.close()
    consumer = clients.consumer()
    where = TopicPartition(TOPIC, 0)
    consumer.assign([where])
    consumer.seek(where, sent.offset)
    [record] = next(iter(consumer.poll(timeout_ms=10_000).values()))
    consumer.close()
    assert record.value == listener.encode()


@pytest.mark.parametrize("listener", GOOD)
def test_fausts_client_writes_and_reads_with_the_same_settings(
    secured: Secured, listener: str
) -> None:
    assert asyncio.run(_by_faust(secured.settings(listener), listener.encode())) == (
        listener.encode()
    )


async def _by_faust(settings: KafkaSettings, value: bytes) -> bytes | None:
    """As Faust's driver for aiokafka does it with `broker_credentials`."""
    credentials = faust_credentials(settings)
    app = faust.App("test", broker_credentials=credentials, autodiscover=False)
    assert app.conf.broker_credentials is credentials
    auth = credentials_to_aiokafka_auth(app.conf.broker_credentials, None)
    common = {"bootstrap_servers": list(settings.bootstrap), **auth}
    async with AIOKafkaProducer(**common) as producer:
        sent = await producer.send_and_wait(TOPIC, value, partition=0)
    async with AIOKafkaConsumer(**common) as consumer:
        where = TopicPartition(TOPIC, 0)
        consumer.assign([where])
        consumer.seek(where, sent.offset)
        record = await asyncio.wait_for(consumer.getone(), 10)
    found: bytes | None = record.value
    return found


class _Partitions:
    """What the detector's drivers are to Faust."""

    def __init__(self) -> None:
        self.taken = Feed()

    def assign(self, numbers: object) -> None:
        pass

    def cast_off(self) -> None:
        self.taken.cast_off()

    def feed(self, _number: int) -> Feed:
        return self.taken


@pytest.mark.parametrize("listener", ["MTLS", "TLSSCRAM"])
def test_the_detectors_faust_app_is_fed(secured: Secured, listener: str) -> None:
    clients = Clients(secured.settings(listener, prefix=""), "test")
    group = FaustGroup(clients, TOPIC, f"detectors-{listener}")
    partitions = _Partitions()
    group.partitions = partitions  # type: ignore[assignment]
    stop = threading.Event()
    worker = threading.Thread(target=group.run, args=(stop,))
    worker.start()
    try:
        eventually(group.joined.is_set, within=30)
        producer = clients.producer()
        sent = producer.send(TOPIC, b"for Faust", b"key", partition=0).get(10)
        producer.close()
        eventually(lambda: partitions.taken.end > sent.offset, within=30)
    finally:
        stop.set()
        worker.join(20)
    assert not worker.is_alive()


CA = r"kafka\.ca_file"
WRONG: list[tuple[str, dict[str, object], str]] = [
    ("PLAIN", {"password": "wrong"}, r"does not take user 'agent': .*: check kafka\.username and"),
    ("SCRAM", {"password": "wrong"}, r"does not take user 'agent': .*kafka\.password_file"),
    ("TLSSCRAM", {"username": "nobody"}, r"does not take user 'nobody': "),
    ("SCRAM", {"sasl": "PLAIN"}, r"does not offer PLAIN: .* one of: SCRAM-SHA-512"),
    ("PLAIN", {"sasl": None}, r"asks for a user and a password: set kafka\.sasl, .*\(PLAIN\)"),
    ("PLAINTEXT", {"sasl": "PLAIN", "username": "a", "password": "b"}, "does not ask for a user"),
    ("TLS", {"ca_file": None}, rf"certificate is not good: unable to get .* issuer.*: set {CA}"),
    ("EXPIRED", {}, r"certificate is not good: .*expired: renew the broker's"),
    ("ELSEWHERE", {}, r"not valid for '127\.0\.0\.1'.*: write a name into kafka\.bootstrap"),
    ("TLS", {"security": "plaintext"}, rf"speaks TLS: set kafka\.security: tls, and {CA}"),
    ("TLSPLAIN", {"security": "plaintext"}, r"speaks TLS: set kafka\.security: tls"),
    ("PLAINTEXT", {"security": "tls"}, r"speaks no TLS on this port"),
    ("MTLS", {"certificate_file": None, "key_file": None}, r"our certificate .*certificate_file"),
]


@pytest.mark.parametrize(("listener", "wrong", "told"), WRONG)
def test_what_waiting_would_not_mend_is_said_at_once(
    secured: Secured, listener: str, wrong: dict[str, object], told: str
) -> None:
    before = end(secured)
    began = time.monotonic()
    for make in ("producer", "consumer", "admin"):
        clients = Clients(secured.settings(listener, **wrong), "test")
        with pytest.raises(Refused, match=told) as caught:
            getattr(clients, make)()
        assert f"127.0.0.1:{secured.port(listener)}" in str(caught.value)
        assert PASSWORD not in str(caught.value)
    # Each of them would try for ten seconds by itself.
    assert time.monotonic() - began < 15
    assert end(secured) == before


def test_an_authority_that_did_not_sign_is_named(secured: Secured) -> None:
    with pytest.raises(Refused, match=r"set kafka\.ca_file to the authority that signed it"):
        Clients(secured.settings("TLS", ca_file=secured.files.other_ca), "test").producer()


def test_a_certificate_that_the_broker_does_not_know_is_named(secured: Secured) -> None:
    own = {"certificate_file": secured.files.stranger, "key_file": None}
    with pytest.raises(Refused, match=r"does not take .*stranger\.pem \(.*\): have it signed"):
        Clients(secured.settings("MTLS", **own), "test").producer()


@pytest.mark.parametrize(
    ("key", "text", "told"),
    [
        ("ca_file", None, r"kafka\.ca_file: .* cannot be read: no such file"),
        ("ca_file", "nothing", r"kafka\.ca_file: .* holds no certificate"),
        ("certificate_file", None, r"kafka\.certificate_file: .* cannot be read"),
        ("certificate_file", "nothing", r"kafka\.certificate_file: .* no pair that can be used"),
        ("key_file", None, r"kafka\.key_file: .* cannot be read"),
        ("key_file", "nothing", r"kafka\.certificate_file: .* no pair that can be used"),
    ],
)
def test_files_that_are_no_certificates_are_named(
    secured: Secured, tmp_path: Path, key: str, text: str | None, told: str
) -> None:
    file = tmp_path / "file.pem"
    if text is not None:
        file.write_text(text)
    settings = secured.settings("MTLS", **{key: file})
    for make in (lambda: Clients(settings, "test").admin(), lambda: faust_credentials(settings)):
        with pytest.raises(Refused, match=told):
            make()


def test_one_broker_of_a_list_that_takes_us_is_enough(secured: Secured) -> None:
    both = [f"127.0.0.1:{secured.port(name)}" for name in ("EXPIRED", "TLS")]
    settings = secured.settings("TLS", bootstrap=both)
    admin = Clients(settings, "test").admin()
    assert TOPIC in admin.list_topics()
    admin.close()


def test_a_port_without_anybody_is_away_and_says_why() -> None:
    settings = KafkaSettings.model_validate({"bootstrap": f"127.0.0.1:{free_port()}"})
    with pytest.raises(LogAway, match="Connection refused"):
        knock(settings, None, "test", 0.3)


@pytest.mark.parametrize("security", ["plaintext", "tls"])
def test_a_server_that_is_no_kafka_is_named(security: str) -> None:
    class Page(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        given = {"bootstrap": f"127.0.0.1:{server.server_port}", "security": security}
        clients = Clients(KafkaSettings.model_validate(given), "test")
        with pytest.raises((Refused, LogAway)) as caught:
            knock(clients.settings, clients.common().get("ssl_context"), "test", 0.3)
        assert str(server.server_port) in str(caught.value)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def end(secured: Secured) -> int:
    """How much was ever written."""
    consumer = Clients(settings_for(secured.broker), "test").consumer()
    where = TopicPartition(TOPIC, 0)
    found = consumer.end_offsets([where])[where]
    consumer.close()
    return int(found)
