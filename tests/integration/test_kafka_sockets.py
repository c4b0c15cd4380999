"""Connections that fail leave nothing behind."""

import gc

import pytest

from ops.config_kafka import KafkaSettings
from ops.deploy.kafka.broker import free_port
from ops.transport.kafka_clients import Clients
from schemas.errors import LogAway


def test_a_try_to_connect_that_fails_closes_its_sockets() -> None:
    """One that stays open is an unraisable warning, and so an error here."""
    settings = KafkaSettings.model_validate({"bootstrap": f"127.0.0.1:{free_port()}"})
    with pytest.raises(LogAway):
        Clients(settings, "test").producer(bootstrap_timeout_ms=500)
    gc.collect()
