"""What is measured of each contestant, each over a process that was just started."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from benchmarks.figures import quantile
from benchmarks.notify.contestants import Contestant, Running
from benchmarks.notify.load import Client, bodies, post_all
from benchmarks.notify.sink import Sink

Figures = dict[str, float]
SLOW = """
route: {{receiver: hook, group_by: [alertname], group_wait: 10m, group_interval: 10m}}
receivers: [{{name: hook, webhook_configs: [{{url: "http://127.0.0.1:{port}/"}}]}}]
"""
AT_ONCE = """
route:
  receiver: hook
  group_by: {group_by}
  group_wait: 0s
  group_interval: {interval}
  repeat_interval: 4h
  routes: [{{matchers: ['part="background"'], group_by: [alertname]}}]
receivers:
  - name: hook
    webhook_configs: [{{url: "http://127.0.0.1:{port}/", send_resolved: false}}]
"""
MANY, FEW = 20_000, 3_000
PROBES, CALLS, STORM = 150, 3_000, 10_000


def ingest(who: Contestant, sink: Sink) -> Figures:
    """New alerts, then the very same again, in batches; memory of the first of them."""
    figures: Figures = {}
    with who.serving(SLOW.format(port=sink.port)) as server:
        idle, first = server.rss(), 0
        for batch, count in ((1_000, MANY), (100, MANY), (1, FEW)):
            posts = bodies(range(first, first + count), batch)
            first += count
            for what in ("new", "again"):
                before = server.cpu()
                post_all(server.port, posts)
                spent = server.settled(60) - before
                figures[f"{what}, batches of {batch:,}"] = count / spent
                if first == MANY and what == "new":
                    figures["MiB per 10,000 active"] = (server.rss() - idle) / MANY * 10_000
        figures["MiB idle"] = idle
    return figures


def latency(who: Contestant, sink: Sink) -> Figures:
    """POST to webhook, each alert its own group: idle, then with active alerts posted again."""
    figures: Figures = {}
    with who.serving(AT_ONCE.format(port=sink.port, group_by="['...']", interval="5m")) as server:
        sink.take()
        took = _probes(server, sink, MANY)
        figures["idle p50"], figures["idle p99"] = quantile(took, 0.5), quantile(took, 0.99)
        posts = bodies(range(MANY), 500, part="background")
        post_all(server.port, posts)
        server.settled(60)
        sink.take()
        with _repeated(server.port, posts):
            took = _probes(server, sink, 2 * MANY)
        figures["busy p50"], figures["busy p99"] = quantile(took, 0.5), quantile(took, 0.99)
    return figures


def calls(who: Contestant, sink: Sink) -> Figures:
    """A webhook call for each alert."""
    with who.serving(AT_ONCE.format(port=sink.port, group_by="['...']", interval="5m")) as server:
        posts = bodies(range(CALLS), 100)
        spent, lasted, _ = _storm(server, sink, posts, lambda: sink.wait(CALLS, 60))
    return {"calls per CPU-second": CALLS / spent, "calls per second": CALLS / lasted}


def storm(who: Contestant, sink: Sink) -> Figures:
    """10,000 alerts in 50 groups, told at once and again every second while they change."""
    with who.serving(AT_ONCE.format(port=sink.port, group_by="[alertname]", interval="1s")) as up:
        posts = bodies(range(STORM), 100)
        spent, lasted, count = _storm(up, sink, posts, lambda: _all_told(sink))
    return {"storm calls": count, "storm CPU": spent, "storm seconds": lasted}


def _storm(
    server: Running, sink: Sink, posts: list[bytes], told: Callable[[], object]
) -> tuple[float, float, int]:
    """CPU seconds, seconds from the first POST to the last call, calls."""
    sink.take()
    before, began = server.cpu(), time.monotonic()
    post_all(server.port, posts)
    told()
    # Groups with an interval of a second go on flushing: nobody's process becomes quiet.
    spent = server.cpu() - before
    came = sink.take()
    alerts = frozenset[str]().union(*(call.instances for call in came))
    wanted = sum(post.count(b'"labels"') for post in posts)
    if len(alerts) != wanted:
        raise RuntimeError(f"{server.name} told of {len(alerts)} alerts of {wanted}")
    return spent, max(call.at for call in came) - began, len(came)


def _all_told(sink: Sink) -> None:
    """Nothing was told for longer than the interval between two messages of a group."""
    known, since = sink.count(), time.monotonic()
    while time.monotonic() - since < 2.5:
        time.sleep(0.1)
        if (now := sink.count()) != known:
            known, since = now, time.monotonic()


def _probes(server: Running, sink: Sink, first: int) -> list[float]:
    """Milliseconds from before the POST until the webhook's body was received."""
    client, sent = Client(server.port), dict[str, float]()
    for number in range(first, first + PROBES):
        (body,) = bodies(range(number, number + 1), 1)
        sent[f"node-{number:06d}.example:9100"] = time.monotonic()
        client.post(body)
        time.sleep(0.03)
    client.close()
    came: dict[str, float] = {}
    ends = time.monotonic() + 30
    while sent.keys() - came.keys():
        if time.monotonic() > ends:
            raise RuntimeError(f"{server.name}: {len(came)} pages of {len(sent)} came")
        time.sleep(0.1)
        for call in sink.take():
            for instance in call.instances & sent.keys():
                came.setdefault(instance, call.at)
    return [(came[name] - sent[name]) * 1000 for name in sent]


@contextmanager
def _repeated(port: int, posts: list[bytes]) -> Iterator[None]:
    """What is active is posted again and again meanwhile: at most 5,000 alerts a second."""
    over = threading.Event()

    def post() -> None:
        client = Client(port)
        while not over.is_set():
            for body in posts:
                client.post(body)
                if over.wait(0.1):
                    break
        client.close()

    thread = threading.Thread(target=post)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
