"""The running `tocsin up`, asked over its API."""

import argparse
import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from pydantic_core import PydanticCustomError

from ops import endpoint
from ops.cli.options import settings_of
from ops.config_types import parse_url
from ops.settings import read_secret
from schemas.errors import Refused, TocsinError

TIMEOUT = 30.0
_FILES = frozenset({"config", "data", "token_file", "output"})


class Unreachable(TocsinError):
    """Nobody answered, or not in our language."""


@dataclass(frozen=True, slots=True)
class Client:
    """Where the server is, and the token it wants."""

    url: str
    token: str

    def get(self, path: str, parameters: Mapping[str, str] | None = None) -> Any:
        """The JSON of an answer.

        Raises `Refused` for what the server refused, `Unreachable` when it did not answer or
        could not.
        """
        query = f"?{urlencode(parameters)}" if parameters else ""
        return self._ask(urllib.request.Request(f"{self.url}{path}{query}"))

    def text(self, path: str, parameters: Mapping[str, str] | None = None) -> str:
        """The text of an answer that is no JSON; raises what `get` raises."""
        query = f"?{urlencode(parameters)}" if parameters else ""
        return self._read(urllib.request.Request(f"{self.url}{path}{query}")).decode()

    def send(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """The JSON of the answer to a command, None if it has none; raises what `get` raises."""
        content = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}{path}", content, method=method)
        request.add_header("Content-Type", "application/json")
        return self._ask(request)

    def _ask(self, request: urllib.request.Request) -> Any:
        said = self._read(request)
        try:
            return json.loads(said) if said else None
        except ValueError as fault:
            raise Unreachable(f"{self.url} does not answer as Tocsin does") from fault

    def _read(self, request: urllib.request.Request) -> bytes:
        if self.token:
            request.add_header("Authorization", f"Bearer {self.token}")
        # No proxy: what the environment names is for the internet, not for a server beside us.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _Stay)
        try:
            with opener.open(request, timeout=TIMEOUT) as answer:
                content: bytes = answer.read()
                return content
        except urllib.error.HTTPError as fault:
            raise _fault(fault, self.url) from fault
        except (OSError, http.client.HTTPException) as fault:
            why = getattr(fault, "reason", None) or fault
            raise Unreachable(
                f"{self.url} does not answer: {why}: is `tocsin up` running?"
            ) from fault


class _Stay(urllib.request.HTTPRedirectHandler):
    """Follows no redirect, which would carry the token elsewhere."""

    def redirect_request(self, *_: Any) -> None:
        return None


def client_of(arguments: argparse.Namespace) -> Client:
    """The server that --url names, else the one whose data directory this is.

    Raises `Refused` or `Unreachable`.
    """
    if not arguments.url:
        return beside(settings_of(arguments).settings.data, arguments)
    _check_words(arguments)
    try:
        url = parse_url(arguments.url)
    except PydanticCustomError as fault:
        raise Refused(f"--url: {fault.message()}") from fault
    return Client(url, _token(arguments.token_file))


def beside(directory: Path, arguments: argparse.Namespace) -> Client:
    """The server that runs on this data directory; raises as `client_of`."""
    _check_words(arguments)
    found = endpoint.read(directory)
    if found is None:
        raise Unreachable(
            f"{directory}: no `tocsin up` runs on this data directory: start it, or name another "
            "with --data or --url"
        )
    return Client(f"http://{found.address}", _token(arguments.token_file or found.token_file))


def _check_words(arguments: argparse.Namespace) -> None:
    """Only a file's name may hold bytes that are no UTF-8: no URL and no JSON can carry them."""
    for key, value in vars(arguments).items():
        for word in value if isinstance(value, list) else [value]:
            if key not in _FILES and isinstance(word, str) and not word.isascii():
                try:
                    word.encode()
                except UnicodeEncodeError as fault:
                    shown = word[:60].encode("ascii", "backslashreplace").decode()
                    raise Refused(f"{shown}: is not UTF-8") from fault


def _token(file: str | None) -> str:
    if not file:
        return ""
    try:
        secret, _ = read_secret(Path(file))
    except ValueError as fault:
        raise Refused(f"token file: {fault}") from fault
    return secret.get_secret_value()


def _fault(fault: urllib.error.HTTPError, url: str) -> TocsinError:
    try:
        said = str(json.load(fault)["error"])
    except (ValueError, KeyError, TypeError, OSError):
        said = fault.reason
    if fault.code == 401:
        return Refused(f"{url} wants a token: name its file with --token-file")
    if fault.code in {400, 403, 404, 409, 413, 421, 422}:
        return Refused(said)
    return Unreachable(f"{url}: HTTP {fault.code}: {said}")
