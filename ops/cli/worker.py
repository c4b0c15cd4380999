"""`tocsin courier`, `historian`, `detector`, `router`, `agent`, `console`: one worker, on Kafka."""

import argparse
from importlib import import_module
from pathlib import Path
from typing import Final

from pydantic_core import PydanticCustomError

from ops import logs
from ops.cli.options import settings_of
from ops.config_types import Address
from ops.settings import Settings, read_secret
from schemas.errors import Refused

_EAGER: Final = frozenset({"agent", "console"})
"""These have something to do while Kafka is away: one keeps what it reads, one says so."""


def run(arguments: argparse.Namespace) -> int:
    """Until SIGTERM or SIGINT."""
    stage: str = arguments.stage
    settings = _settings(arguments)
    if stage == "agent" and (arguments.server or not settings.kafka.bootstrap):
        return _agent_over_http(arguments, settings)
    if not settings.kafka.bootstrap:
        raise Refused(
            'kafka.bootstrap: is missing: write for example "127.0.0.1:9092", '
            "or run everything here with tocsin up"
        )
    from ops.workers.connect import opener
    from ops.workers.worker import run as run_worker

    part = import_module(f"ops.workers.{stage}").part
    return run_worker(settings, stage, part, opener(settings, stage), eager=stage in _EAGER)


def _settings(arguments: argparse.Namespace) -> Settings:
    settings = settings_of(arguments).settings
    if arguments.probes:
        try:
            listen = Address.parse(arguments.probes)
        except PydanticCustomError as fault:
            option = "--probes" if arguments.stage == "console" else "--listen"
            raise Refused(f"{option}: {fault.message()}") from fault
        worker = settings.worker.model_copy(update={"listen": listen})
        settings = settings.model_copy(update={"worker": worker})
    logs.configure(settings.logging.level, settings.logging.format)
    return settings


def _agent_over_http(arguments: argparse.Namespace, settings: Settings) -> int:
    if not (arguments.server and arguments.token_file):
        raise Refused(
            "agent: nowhere to send to: name a `tocsin up` with --server and --token-file, "
            "or set kafka.bootstrap"
        )
    token_file = Path(arguments.token_file)
    try:
        read_secret(token_file)  # a wrong file is said now, not at the first batch
    except ValueError as fault:
        raise Refused(f"--token-file: {fault}: copy agent.token from the server") from fault
    from ops.workers.agent import over_http
    from ops.workers.worker import run as run_worker

    return run_worker(settings, "agent", over_http(arguments.server, token_file), None)
