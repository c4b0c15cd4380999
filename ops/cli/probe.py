"""`tocsin probe`: ask what runs here how it is; what a container's health check calls.

It imports nothing but the standard library when `--url` is given: it runs every few seconds.
"""

import argparse
import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from ops import endpoint
from ops.cli.terminal import complain
from schemas.errors import Refused, TocsinError

TIMEOUT: Final = 4.0
"""Seconds; a health check's own time-out is longer, so that ours says why."""


class Silent(TocsinError):
    """Nobody answered."""


def run(arguments: argparse.Namespace) -> int:
    """0 when all that was asked is well, 1 when something is not; 3 when one does not answer."""
    urls = [arguments.url] if arguments.url else list(_urls(arguments))
    answers = [_ask(url) for url in urls]
    for url, (code, said) in zip(urls, answers, strict=True):
        line = f"{url}: {said}"
        print(line) if code == 200 else complain(line)
    return 0 if all(code == 200 for code, _ in answers) else 1


def _urls(arguments: argparse.Namespace) -> Iterator[str]:
    """The probes of whatever left its address in the data directory."""
    from ops.cli.options import settings_of

    directory = settings_of(arguments).settings.data
    notes = [endpoint.FILE, *(file.name for file in sorted(directory.glob("worker-*.endpoint")))]
    found = [note for note in (endpoint.read(directory, file) for file in notes) if note]
    if not found:
        raise Silent(f"{Path(directory).absolute()}: nothing runs on this data directory")
    for note in found:
        yield f"http://{note.address}/health"


def _ask(url: str) -> tuple[int, str]:
    """The status of an answer, and the word in it. Raises `Silent` or `Refused`."""
    if not url.startswith(("http://", "https://")):
        raise Refused(f"--url: {url}: write for example http://127.0.0.1:8080/health")
    # No proxy: what the environment names is for the internet, not for a server beside us.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=TIMEOUT) as answer:
            return answer.status, _word(answer.read(65_536))
    except urllib.error.HTTPError as fault:
        return fault.code, _word(fault.read(65_536))
    except (OSError, http.client.HTTPException) as fault:
        why = getattr(fault, "reason", None) or fault
        raise Silent(f"{url} does not answer: {why}") from fault


def _word(body: bytes) -> str:
    try:
        told: Any = json.loads(body)
        return str(told["status"])
    except (ValueError, TypeError, KeyError):
        return body.decode("utf-8", "replace").strip()[:200]
