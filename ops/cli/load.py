"""`tocsin load`: a synthetic fleet, to Kafka or to a running server."""

import argparse
import json
import re
import signal
import time
from collections.abc import Callable
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Final

from collectors.durations import duration
from ops import logs
from ops.cli.options import settings_of
from ops.load.fleet import Breach, Fleet
from ops.load.pace import Pace
from ops.load.run import Clocks, Count, Load
from ops.settings import Settings, read_secret
from ops.transport.log_clock import wall
from schemas.errors import Refused
from schemas.stage import Publish

MOST_SERIES: Final = 10_000_000
_BREACH = re.compile(r"(\d{1,6})@([0-9a-z]+)(?:\+([0-9a-z]+))?", re.ASCII)


def run(arguments: argparse.Namespace) -> int:
    """Exit code 1 if something was missed, or is not known to be in the log; 3 if all of it."""
    settings = settings_of(arguments).settings
    logs.configure(settings.logging.level, settings.logging.format)
    hosts = _whole("--hosts", arguments.hosts, 100_000)
    series = _whole("--series", arguments.series, 100_000)
    batch = _whole("--batch", arguments.batch, 5_000)
    if hosts * series > MOST_SERIES:
        raise Refused(f"--hosts, --series: more than {MOST_SERIES:,} series: run several fleets")
    interval = _seconds("--interval", arguments.interval)
    length = _seconds("--for", arguments.length)
    breaches = [breach_of(text) for text in arguments.breach or ()]
    publish, close = _publish(arguments, settings)
    try:
        fleet = Fleet(hosts, series, batch, arguments.seed, breaches, time.time())
        clocks = Clocks(time.monotonic, wall, _until_signal())
        count = Load(fleet, Pace(hosts, interval, length), publish, clocks).run()
    finally:
        close()
    report = report_of(count, fleet)
    print(json.dumps(report) if arguments.json else text_of(report))
    if count.failures and not count.acknowledged:
        return 3
    return 0 if count.fine else 1


def breach_of(text: str) -> Breach:
    """K@T or K@T+D: K hosts from T after the start on, for D. Raises `Refused`."""
    match = _BREACH.fullmatch(text)
    if match is None:
        raise Refused(f"--breach: {text!r}: write K@T or K@T+D, for example 3@30s or 3@30s+1m")
    hosts, at, lasts = match.groups()
    return Breach(
        int(hosts), _seconds("--breach", at), _seconds("--breach", lasts) if lasts else None
    )


def report_of(count: Count, fleet: Fleet) -> dict[str, object]:
    """What is printed as JSON; `batches` and `samples` are those acknowledged."""
    seconds = count.seconds or 1.0
    return {
        "hosts": len(fleet.hosts),
        "series": sum(host.series for host in fleet.hosts),
        "epoch": count.epoch,
        "seconds": round(count.seconds, 3),
        "batches": count.acknowledged,
        "samples": count.samples,
        "batches_per_second": round(count.acknowledged / seconds, 1),
        "samples_per_second": round(count.samples / seconds, 1),
        "unsure": count.unsure,
        "missed": count.missed,
        "failures": count.failures,
        "latest_ms": round(count.latest * 1_000, 1),
        "p50_ms": round(count.p50 * 1_000, 1),
        "p99_ms": round(count.p99 * 1_000, 1),
        "last": count.last,
        "breaches": [
            {
                "at_ms": count.epoch + round(breach.at * 1_000),
                "hosts": [host.name for host in fleet.hosts[: breach.hosts]],
            }
            for breach in fleet.breaches
        ],
    }


def text_of(report: dict[str, object]) -> str:
    """The same for people."""
    return (
        "{batches} batches, {samples} samples acknowledged, of {hosts} hosts with {series} series, "
        "in {seconds} s\n"
        "{batches_per_second} batches/s, {samples_per_second} samples/s\n"
        "publishing took p50 {p50_ms} ms, p99 {p99_ms} ms; a turn was {latest_ms} ms late at most\n"
        "{missed} turns missed, {failures} failed tries, {unsure} batches of unknown fate"
    ).format(**report)


def _publish(
    arguments: argparse.Namespace, settings: Settings
) -> tuple[Publish, Callable[[], None]]:
    if arguments.server:
        from collectors.http_publish import HttpPublish

        if not arguments.token_file:
            raise Refused("--token-file: is missing: the server's agents' door asks for its token")
        file = Path(arguments.token_file)
        try:
            read_secret(file)
        except ValueError as fault:
            raise Refused(f"--token-file: {fault}") from fault
        http = HttpPublish(arguments.server, file.read_text)
        return http, http.close
    if not settings.kafka.bootstrap:
        raise Refused("load: nowhere to send to: set kafka.bootstrap, or name a --server")
    from ops.transport.kafka_log import KafkaLog

    kafka = KafkaLog(settings.kafka, "tocsin-load")
    return kafka, kafka.close


def _until_signal() -> Callable[[float], bool]:
    """Waits so many seconds, at most until a signal asks for the end: then True, from there on."""
    # Not an Event: a handler must not wait for a lock that the interrupted code holds.
    came: SimpleQueue[None] = SimpleQueue()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: came.put(None))

    def wait(seconds: float) -> bool:
        try:
            came.get(timeout=seconds)
        except Empty:
            return False
        came.put(None)
        return True

    return wait


def _whole(option: str, number: int, most: int) -> int:
    if not 0 < number <= most:
        raise Refused(f"{option}: must be from 1 to {most:,}")
    return number


def _seconds(option: str, text: str) -> float:
    try:
        found = duration(text)
    except ValueError as fault:
        raise Refused(f"{option}: {fault}") from fault
    seconds: float = found.total_seconds()  # type: ignore[attr-defined]  # of text it is one
    if seconds < 0.001:
        raise Refused(f"{option}: must be at least 1ms")
    return seconds
