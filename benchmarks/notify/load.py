"""Alerts as Prometheus would post them, and clients that post them."""

import http.client
import json
import threading
import time
from collections.abc import Iterable, Sequence
from typing import Any

GROUPS = 50
CLIENTS = 4


def alert(number: int, groups: int = GROUPS, **labels: str) -> dict[str, Any]:
    """One of many: six labels, three annotations, about 400 bytes."""
    return {
        "labels": {
            "alertname": f"DiskFillsUp{number % groups}",
            "device": f"nvme{number % 7}n1",
            "instance": f"node-{number:06d}.example:9100",
            "job": "node-exporter",
            "region": "eu-west-1",
            "severity": "critical",
            **labels,
        },
        "annotations": {
            "summary": f"The disk of node-{number:06d} is full within four hours",
            "description": "predict_linear of node_filesystem_avail_bytes is below zero",
            "runbook_url": "https://runbooks.example/disk-fills-up",
        },
        "generatorURL": "http://prometheus.example:9090/graph?g0.expr=disk",
    }


def bodies(numbers: range, batch: int, groups: int = GROUPS, **labels: str) -> list[bytes]:
    """These alerts as bodies of POSTs, so many in each."""
    return [
        json.dumps([alert(n, groups, **labels) for n in numbers[at : at + batch]]).encode()
        for at in range(0, len(numbers), batch)
    ]


class Client:
    """One connection that is kept. Raises RuntimeError for any answer but 200."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def post(self, body: bytes) -> None:
        """Returns once it is accepted."""
        headers = {"Content-Type": "application/json"}
        self._connection.request("POST", "/api/v2/alerts", body, headers)
        answer = self._connection.getresponse()
        said = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"POST answered {answer.status}: {said[:200]!r}")

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def post_all(port: int, posts: Sequence[bytes], clients: int = CLIENTS) -> float:
    """Post them over several connections; wall seconds."""
    waiting, failed = iter(posts), list[BaseException]()
    turn = threading.Lock()
    began = time.monotonic()
    threads = [
        threading.Thread(target=_post, args=(port, waiting, turn, failed)) for _ in range(clients)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]
    return time.monotonic() - began


def _post(
    port: int, waiting: Iterable[bytes], turn: threading.Lock, failed: list[BaseException]
) -> None:
    client = Client(port)
    try:
        while not failed:
            with turn:
                body = next(iter(waiting), None)
            if body is None:
                return
            client.post(body)
    except BaseException as fault:
        failed.append(fault)
    finally:
        client.close()
