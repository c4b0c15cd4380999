"""Where Kafka is, and how its clients prove who they are."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr

from collectors.durations import Duration
from ops.config_types import Address, wrong


def parse_servers(value: object) -> object:
    """HOST:PORT, several with commas between, or a list of them."""
    if isinstance(value, str):
        value = [part for part in re.split(r"[,\s]+", value) if part]
    if not isinstance(value, list | tuple):
        raise wrong("is no list of addresses", 'write "kafka-1:9092, kafka-2:9092"')
    return tuple(str(Address.parse(each)) for each in value)


Servers = Annotated[tuple[str, ...], BeforeValidator(parse_servers)]


class KafkaSettings(BaseModel):
    """How every worker reaches Kafka. `password` is read from `password_file` by `ops.settings`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    bootstrap: Servers = Field((), examples=["kafka-1:9092, kafka-2:9092"])
    prefix: Annotated[str, Field(max_length=100, pattern=r"^[a-zA-Z0-9._-]*$")] = ""
    security: Literal["plaintext", "tls"] = "plaintext"
    ca_file: Path | None = None
    certificate_file: Path | None = None
    key_file: Path | None = None
    sasl: Literal["PLAIN", "SCRAM-SHA-512"] | None = None
    username: str | None = None
    password: SecretStr | None = None
    password_file: Path | None = None
    partitions: int = Field(8, ge=1, le=1_024)
    replication: int = Field(1, ge=1, le=32)
    min_in_sync: int = Field(1, ge=1, le=32)
    session_timeout: Duration = Field(
        timedelta(seconds=10), ge=timedelta(seconds=1), examples=["10s"]
    )
