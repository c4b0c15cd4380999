"""The settings of every worker, and the only reader of YAML, environment and secret files.

Later sources win: defaults, the profile's values of ours, configuration file, its section for the
profile, environment (`TOCSIN__AGENT__INTERVAL=5s`), options of the command line. Paths in the file
are relative to the file, others to where the command runs.
"""

import glob
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, ByteSize, ConfigDict, Field, SecretStr, ValidationError
from pydantic import IPvAnyNetwork as Network
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from collectors.config import AgentConfig
from collectors.durations import Duration
from notifiers.matcher_mode import Mode
from ops.config_kafka import KafkaSettings
from ops.config_layers import Layers
from ops.config_problems import Origin, Problem, Problems, from_validation, key_text
from ops.config_profiles import NO_PROFILE, ProfileName
from ops.config_sources import ENV_PREFIX, layered
from ops.config_types import Address, LabelName, Listen, RoutePrefix, Url
from ops.config_yaml import Document, read_yaml
from schemas.event import Text

DEFAULT_FILE = Path("tocsin.yaml")
MIN_TOKEN = 16
_TOKEN_KEYS = {"token", "token_file"}


class Part(BaseModel):
    """A section of the settings."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class LogSettings(Part):
    """How large the log may grow; inputs are refused while less than the reserve is left."""

    max_bytes: ByteSize = Field(ByteSize(4 * 2**30), ge=16 * 2**20, examples=["4GiB"])
    reserve_bytes: ByteSize = Field(ByteSize(256 * 2**20), ge=2**20, examples=["256MiB"])
    segment_bytes: ByteSize = Field(ByteSize(64 * 2**20), ge=2**20, examples=["64MiB"])


class HistorySettings(Part):
    """Whether history is kept, how long, and where: in a child of ours unless `url` is set.

    `password` is read from `password_file` by `load`.
    """

    enabled: bool = True
    retention: Duration = Field(timedelta(days=30), ge=timedelta(hours=1), examples=["30d"])
    url: Url | None = None
    user: str = "default"
    password: SecretStr | None = None
    password_file: Path | None = None
    database: str = "default"


class WorkerSettings(Part):
    """Where a worker on Kafka answers probes, and what it calls itself."""

    listen: Listen = Address("127.0.0.1", 0)
    name: Annotated[str, Field(max_length=200)] = ""


class DeliverySettings(Part):
    """Networks that deliveries may reach although they are not global."""

    allow: tuple[Network, ...] = Field((), examples=["10.0.0.0/8"])


class DetectorSettings(Part):
    """Series that rules select and one detector holds; beyond them, new series are refused."""

    series: Annotated[int, Field(ge=1)] = 2_000_000
    series_per_metric: Annotated[int, Field(ge=1)] = 1_000_000
    series_per_instance: Annotated[int, Field(ge=1)] = 200_000
    partial_bytes: ByteSize = Field(ByteSize(512 * 2**20), ge=2**20, examples=["512MiB"])


class LoggingSettings(Part):
    """What the process writes to standard error."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["text", "json"] = "text"


class Settings(BaseSettings):
    """Everything that can be set. Built by `load`; secrets are read, paths are resolved."""

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", env_prefix=ENV_PREFIX, env_nested_delimiter="__"
    )

    profile: ProfileName = NO_PROFILE
    data: Path = Path("tocsin-data")
    listen: Listen = Address("127.0.0.1", 8080)
    external_url: Url | None = None
    route_prefix: RoutePrefix = ""
    rules: tuple[Path, ...] = ()
    routes: Path | None = None
    matchers: Mode = Mode.FALLBACK
    evaluation_interval: Duration = Field(
        timedelta(seconds=15), ge=timedelta(milliseconds=100), examples=["15s"]
    )
    lookback_delta: Duration = Field(timedelta(minutes=5), ge=timedelta(seconds=1), examples=["5m"])
    external_labels: Annotated[dict[LabelName, Text], Field(max_length=64)] = {}
    token: SecretStr | None = None
    token_file: Path | None = None
    agent: AgentConfig = Field(default_factory=AgentConfig)
    detector: DetectorSettings = DetectorSettings()
    log: LogSettings = LogSettings()
    kafka: KafkaSettings = Field(default_factory=KafkaSettings)
    history: HistorySettings = HistorySettings()
    worker: WorkerSettings = WorkerSettings()
    delivery: DeliverySettings = DeliverySettings()
    logging: LoggingSettings = LoggingSettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Built from arguments alone: `load` merges the sources, and knows where each value is."""
        return (init_settings,)

    def rule_files(self) -> tuple[Path, ...]:
        """The files that the globs of `rules` match now, each once, in the order written."""
        found = {file: None for pattern in self.rules for file in _matches(pattern)}
        return tuple(found)

    @property
    def url(self) -> str:
        """Where people reach the console."""
        return self.external_url or f"http://{self.listen}"


P = TypeVar("P", KafkaSettings, HistorySettings)


@dataclass(frozen=True, slots=True)
class Loaded:
    """Settings, where each value was written, and what deserves a word but stops nothing."""

    settings: Settings
    origins: Mapping[tuple[str | int, ...], Origin]
    warnings: tuple[Problem, ...] = ()


def load(
    file: Path | None = None,
    options: Mapping[str, object] | None = None,
    environ: Mapping[str, str] | None = None,
) -> Loaded:
    """Read every source.

    `options` are settings by key, from the command line. Without `file`, `tocsin.yaml` is read
    where it exists. Raises `Problems` with everything that is wrong.
    """
    if file is None and DEFAULT_FILE.exists():
        file = DEFAULT_FILE
    document = read_yaml(file) if file is not None else Document({}, {}, [])
    environ = os.environ if environ is None else environ
    layers = layered(Settings, document, file.parent if file else Path(), environ, options or {})
    wrong: set[str] = set()
    try:
        settings = Settings(**layers.content)
    except ValidationError as fault:
        layers.problems += from_validation(fault, Settings, layers.origins)
        # Go on with what is left, so that the other checks have their say in the same list.
        wrong = {str(error["loc"][0]) for error in fault.errors()}
        settings = Settings(**{k: v for k, v in layers.content.items() if k not in wrong})
    return _check(settings, layers, wrong)


def _check(settings: Settings, layers: Layers, wrong: set[str]) -> Loaded:
    """What no field can say alone, and what only the file system knows.

    `wrong` are the keys that were found wrong already and left out.
    """
    problems, warnings = list(layers.problems), []

    def report(path: tuple[str | int, ...], message: str, hint: str) -> Problem:
        return Problem(layers.origin(path), key_text(path), message, hint)

    token = settings.token
    if settings.token_file is not None:
        if token is not None:
            problems.append(report(("token",), "is set and token_file too", "keep one of them"))
        try:
            token, warning = read_secret(settings.token_file)
        except ValueError as fault:
            problems.append(report(("token_file",), str(fault), "write the token into that file"))
        else:
            warnings += [report(("token_file",), warning, "chmod 600")] if warning else []
    if token is not None and len(token.get_secret_value()) < MIN_TOKEN:
        key = "token" if settings.token_file is None else "token_file"
        hint = "use for example the output of: openssl rand -hex 32"
        problems.append(report((key,), f"has fewer than {MIN_TOKEN} characters", hint))
    kafka, found = _with_password(settings.kafka)
    if kafka.sasl and not (kafka.username and kafka.password):
        hint = "set kafka.username and kafka.password_file"
        found.append(("sasl", "needs a user and a password", hint, True))
    for path, message, hint, fatal in found:
        (problems if fatal else warnings).append(report(("kafka", path), message, hint))
    history, found = _with_password(settings.history)
    for path, message, hint, fatal in found:
        (problems if fatal else warnings).append(report(("history", path), message, hint))
    unguarded = token is None and settings.token_file is None and not wrong & _TOKEN_KEYS
    if unguarded and not settings.listen.loopback:
        hint = "set token_file, or listen on 127.0.0.1"
        message = f"{settings.listen} is reachable by others, and there is no token"
        problems.append(report(("listen",), message, hint))
    problems += missing_files(settings, layers.origins)
    if settings.log.reserve_bytes * 2 > settings.log.max_bytes:
        hint = "keep reserve_bytes below half of max_bytes"
        problems.append(report(("log", "reserve_bytes"), "leaves too little for inputs", hint))
    read = {"token": token, "kafka": kafka, "history": history}
    loaded = Loaded(settings.model_copy(update=read), layers.origins, tuple(warnings))
    if problems:
        raise Problems(problems, loaded)
    return loaded


def _with_password(section: P) -> tuple[P, list[tuple[str, str, str, bool]]]:
    """The section with the password in it; and key, message, hint, whether it is fatal."""
    if section.password_file is None:
        return section, []
    try:
        secret, warning = read_secret(section.password_file)
    except ValueError as fault:
        return section, [("password_file", str(fault), "write the password into that file", True)]
    found = [("password_file", warning, "chmod 600", False)] if warning else []
    return section.model_copy(update={"password": secret}), found


def missing_files(
    settings: Settings, origins: Mapping[tuple[str | int, ...], Origin]
) -> Iterator[Problem]:
    """The patterns of `rules` that match nothing now, and the routing file if it is not there.

    Also for a reload: files that are being replaced are no reason to resolve every alert.
    """
    for index, pattern in enumerate(settings.rules):
        if not _matches(pattern):
            path = ("rules", index) if ("rules", index) in origins else ("rules",)
            origin = origins.get(path, Origin("defaults"))
            yield Problem(origin, key_text(path), f"{pattern} matches no file", "check the path")
    if settings.routes is not None and not settings.routes.is_file():
        origin = origins.get(("routes",), Origin("defaults"))
        yield Problem(origin, "routes", f"{settings.routes} is no file", "check the path")


def read_secret(file: Path) -> tuple[SecretStr, str]:
    """The secret in a file, and a warning if others may read it.

    Raises `ValueError`, which says why, when there is none.
    """
    try:
        with file.open("rb") as stream:
            mode = os.fstat(stream.fileno()).st_mode
            text = stream.read(65_536).decode().strip()
    except OSError as fault:
        raise ValueError(f"{file} cannot be read: {(fault.strerror or '').lower()}") from fault
    except UnicodeDecodeError as fault:
        raise ValueError(f"{file} is not text") from fault
    if not text:
        raise ValueError(f"{file} is empty")
    if any(character.isspace() or not character.isprintable() for character in text):
        raise ValueError(f"{file} holds more than one word")
    return SecretStr(text), f"{file} can be read by everybody" if mode & 0o004 else ""


def _matches(pattern: Path) -> list[Path]:
    if pattern.is_file():
        return [pattern]
    return sorted(Path(found) for found in glob.glob(str(pattern)) if Path(found).is_file())
