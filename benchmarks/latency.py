"""From a sample's publication to the webhook's receipt, through the whole embedded pipeline."""

import http.server
import json
import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.figures import Result, quantile
from benchmarks.running import tocsin_up
from schemas.envelope import Envelope, Producer
from schemas.metrics import metric_batch
from schemas.stage import Message, Publish
from schemas.topics import CODEC, METRICS

RULES = """
groups:
  - name: g
    rules:
      - {alert: Hot, expr: temperature > 90}
"""
ROUTES = """
route: {{receiver: hook, group_by: [instance], group_wait: 0s, group_interval: 1m}}
receivers:
  - name: hook
    webhook_configs: [{{url: "http://127.0.0.1:{port}/", send_resolved: false}}]
"""


class Receiver(http.server.ThreadingHTTPServer):
    """Notes when each instance's page came."""

    daemon_threads = True

    def __init__(self) -> None:
        self.came: dict[str, float] = {}
        self.more = threading.Condition()
        super().__init__(("127.0.0.1", 0), _Page)


class _Page(http.server.BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:  # the name that http.server calls
        now = time.perf_counter()
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.server.more:
            for alert in body["alerts"]:
                self.server.came.setdefault(alert["labels"]["instance"], now)
            self.server.more.notify_all()
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def receiver() -> Iterator[Receiver]:
    """Listens until the end of the block."""
    made = Receiver()
    threading.Thread(target=made.serve_forever, daemon=True).start()
    try:
        yield made
    finally:
        made.shutdown()
        made.server_close()


def breaches(publish: Publish, pages: Receiver, count: int) -> list[float]:
    """Breaches at random phases, one instance and one group each: ms until each was told."""
    sent: dict[str, float] = {}
    chance = random.Random(1)
    for number in range(count):
        instance = f"i{number}"
        at = time.time_ns() // 1_000_000
        batch = metric_batch(
            instance, [(("__name__", "temperature"), ("instance", instance))], [99.0], [at]
        )
        sealed = Envelope(instance, Producer(instance, 1, 1), at, batch)
        sent[instance] = time.perf_counter()
        publish.publish([Message(METRICS, instance, CODEC.encode(sealed))])
        time.sleep(chance.uniform(0.02, 0.2))
    with pages.more:
        if not pages.more.wait_for(lambda: sent.keys() <= pages.came.keys(), 30):
            raise RuntimeError(f"{len(pages.came)} pages of {count} came")
    return [(pages.came[name] - sent[name]) * 1000 for name in sent]


def add_latencies(result: Result, took: list[float]) -> None:
    """The rows that embedded and Kafka have in common."""
    figures = (quantile(took, 0.5), quantile(took, 0.99), max(took))
    result.add("p50 / p99 / max, ms", " / ".join(f"{value:,.0f}" for value in figures))
    result.add("of which waiting for the next tenth of a second, on average", "50 ms")
    result.add("breaches", f"{len(took)}")


def run(count: int = 200) -> Result:
    """Over HTTP, through `tocsin up`."""
    with TemporaryDirectory(dir=".") as name, receiver() as pages:
        routes = ROUTES.format(port=pages.server_address[1])
        only = ("--only", "detector,router,courier,console")
        with tocsin_up(Path(name), RULES, routes, *only) as up:
            took = breaches(up.publish, pages, count)
            served = up.served_after
    result = Result("Publication to webhook: a rule within one instance, group_wait 0")
    add_latencies(result, took)
    result.add("start to served API, --only detector,router,courier,console", f"{served:.2f} s")
    return result
