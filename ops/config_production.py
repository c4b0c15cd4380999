"""What a configuration lacks for production: each lack with its key, its place and what to do.

Nothing here stops a start; `tocsin check --profile production` lists it before people rely on it.
"""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path as FilePath
from typing import Final

from pydantic import SecretStr

from notifiers.matchers import Mode
from ops.config_problems import Origin, Path, Problem, key_text
from ops.secret_strength import weakness
from ops.settings import Loaded, Settings

SHORT_HISTORY: Final = timedelta(days=7)
"""Less cannot compare a week with the one before, nor back-test a rule over one."""
COPIES: Final = 3
"""The fewest with which a broker may go for maintenance while another one fails."""

Lack = tuple[Path, str, str]
"""The key, what is the matter with it, what to do."""


def lacks(loaded: Loaded) -> Iterator[Problem]:
    """Everything at once; nothing for a configuration that is fit for production."""
    settings = loaded.settings
    for check in (_kafka, _secrets, _reach, _history, _told, _files):
        for path, message, hint in check(settings):
            yield Problem(_origin(loaded, path), key_text(path), message, hint)
    # What is a word of warning elsewhere has to be mended here: secrets that others can read.
    yield from loaded.warnings


def _origin(loaded: Loaded, path: Path) -> Origin:
    while path and path not in loaded.origins:
        path = path[:-1]
    return loaded.origins.get(path, Origin("defaults"))


def _kafka(settings: Settings) -> Iterator[Lack]:
    kafka = settings.kafka
    if not kafka.bootstrap:
        hint = "name the brokers, or know that losing this machine ends the paging"
        yield ("kafka", "bootstrap"), "is not set: everything runs on one machine", hint
        return
    if kafka.replication < COPIES:
        message = f"of {kafka.replication} loses records, or stops, with one broker"
        yield ("kafka", "replication"), message, f"keep {COPIES} copies on {COPIES} brokers"
    elif kafka.min_in_sync >= kafka.replication:
        message = f"of {kafka.min_in_sync} stops all writing as soon as one broker is away"
        yield ("kafka", "min_in_sync"), message, f"set {kafka.replication - 1}"
    if kafka.min_in_sync < 2:
        message = "of 1 lets a record count that a single broker has"
        yield ("kafka", "min_in_sync"), message, "set 2"
    if kafka.security != "tls":
        hint = "set tls, and kafka.ca_file if the authority is your own"
        yield ("kafka", "security"), "sends metrics, alerts and commands in clear", hint
        if kafka.sasl:
            yield ("kafka", "sasl"), "shows the password to the network", "set kafka.security: tls"
    if not kafka.sasl and not kafka.certificate_file:
        message = "is not set, nor a certificate: anybody who reaches a broker may append"
        yield ("kafka", "sasl"), message, "set SCRAM-SHA-512, or kafka.certificate_file"


def _secrets(settings: Settings) -> Iterator[Lack]:
    kafka, history = settings.kafka, settings.history
    held: tuple[tuple[Path, SecretStr | None, FilePath | None], ...] = (
        (("token",), settings.token, settings.token_file),
        (("kafka", "password"), kafka.password, kafka.password_file),
        (("history", "password"), history.password, history.password_file),
    )
    for path, secret, file in held:
        twin = (*path[:-1], f"{path[-1]}_file")
        if secret is None:
            continue
        if file is None:
            hint = f"write it into a file of its own, and set {key_text(twin)}"
            yield path, "stands where configuration is read, copied and logged", hint
        if why := weakness(secret.get_secret_value()):
            hint = "use for example the output of: openssl rand -hex 32"
            yield (twin if file else path), why, hint


def _reach(settings: Settings) -> Iterator[Lack]:
    if settings.token is None and settings.token_file is None:
        message = "is not set: whoever reaches the server, also through a proxy, sees everything"
        yield ("token_file",), message, "openssl rand -hex 32 > token; chmod 600 token"
    if settings.external_url is None:
        message = f"is not set: links in notifications lead to {settings.url}"
        yield ("external_url",), message, "write where people reach the console"
    elif settings.external_url.startswith("http://"):
        message = "is not https: tokens and sessions travel in clear"
        yield ("external_url",), message, "put a proxy with TLS before the server"


def _history(settings: Settings) -> Iterator[Lack]:
    history = settings.history
    if not history.enabled:
        yield ("history", "enabled"), "is false: nothing is remembered", "set true"
        return
    if history.retention < SHORT_HISTORY:
        message = f"is shorter than {SHORT_HISTORY.days} days"
        yield ("history", "retention"), message, "keep 30d, or as long as you look back"
    if history.url is None:
        if settings.kafka.bootstrap:
            message = "is not set: a historian on Kafka needs a ClickHouse server"
            yield ("history", "url"), message, "write for example https://clickhouse:8443"
        return
    if history.password is None and history.password_file is None:
        message = "is not set: whoever reaches ClickHouse may read and change history"
        yield ("history", "password_file"), message, "give the user a password, and set it"
    if history.url.startswith("http://"):
        message = "is not https: the password and all rows travel in clear"
        yield ("history", "url"), message, "write https://, and let ClickHouse serve TLS"


def _told(settings: Settings) -> Iterator[Lack]:
    if not settings.rules:
        yield ("rules",), "is not set: nothing is ever decided", "write for example [rules/*.yml]"
    if settings.routes is None:
        yield ("routes",), "is not set: nobody is told", "write for example routes.yml"
    elif name := _root_tells_nobody(settings.routes, settings.matchers):
        message = f'{settings.routes}: what no route names goes to "{name}", who tells nobody'
        yield ("routes",), message, "give that receiver an integration, for example a webhook"
    if settings.logging.format != "json":
        yield ("logging", "format"), "is text, which no log collector reads safely", "set json"


def _root_tells_nobody(file: FilePath, mode: Mode) -> str:
    """The name of the root's receiver if it has no integration; `check` tells of broken files."""
    from notifiers.config import read
    from notifiers.oncall.calendar_file import with_calendars

    try:
        text = with_calendars(file.read_text("utf-8"), file.parent)
        config, _ = read(text, str(file), mode=mode)
    except (OSError, UnicodeDecodeError):
        return ""
    if config is None:
        return ""
    root = config.receivers[config.route.receiver]
    return "" if root.channels else root.name


def _files(settings: Settings) -> Iterator[Lack]:
    kafka = settings.kafka
    if kafka.certificate_file is None:
        return
    key = "key_file" if kafka.key_file else "certificate_file"
    file = kafka.key_file or kafka.certificate_file
    try:
        mode = file.stat().st_mode
    except OSError as fault:
        why = (fault.strerror or "").lower()
        yield ("kafka", key), f"{file} cannot be read: {why}", "check the path"
        return
    if mode & 0o004:
        yield ("kafka", key), f"{file} holds a private key that everybody can read", "chmod 600"
