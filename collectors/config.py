"""What an agent can be told."""

import socket
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from collectors.durations import Interval
from collectors.sources.http_check import HttpCheck
from collectors.spool import DEFAULT_SIZE
from schemas.labels import Labels, labels_of

_OURS = frozenset({"__name__", "instance", "job", "check"})
_LABEL_NAME = r"^[a-zA-Z_][a-zA-Z0-9_]*$"


class HostConfig(BaseModel):
    """Whether and how often this host is read; without an interval, the agent's."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    enabled: bool = True
    interval: Interval | None = None


class SpoolConfig(BaseModel):
    """Where batches wait while the log is away; without a directory, in memory."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    directory: Path | None = None
    max_bytes: int = Field(default=DEFAULT_SIZE, ge=1_000_000)


class AgentConfig(BaseModel):
    """The `agent` part of the configuration."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    instance: str = Field(default_factory=socket.gethostname, min_length=1, max_length=255)
    interval: Interval = timedelta(seconds=10)
    host: HostConfig = HostConfig()
    checks: tuple[HttpCheck, ...] = ()
    spool: SpoolConfig = SpoolConfig()
    labels: dict[
        Annotated[str, Field(pattern=_LABEL_NAME, max_length=128)],
        Annotated[str, Field(max_length=1_024)],
    ] = Field(default={}, max_length=32)

    @model_validator(mode="after")
    def _names_are_free(self) -> Self:
        if taken := sorted(_OURS & set(self.labels)):
            raise ValueError(f"labels: {', '.join(taken)} is the agent's own; choose another name")
        names = [check.name for check in self.checks]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"checks: the name {twice[0]!r} is given twice")
        return self

    @property
    def extra(self) -> Labels:
        """The labels that every sample gets unless it has them."""
        return labels_of(self.labels)
