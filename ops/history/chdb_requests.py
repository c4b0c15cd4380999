"""What a request asks: who, which statement, with which parameters and settings; no I/O."""

import contextlib
import hmac
from base64 import b64decode
from collections.abc import Mapping
from email import message_from_bytes
from email.message import Message

from ops.history import chdb_faults as faults
from ops.history.chdb_engine import Statement

ANALYST = "analyst"

# Parameters of the HTTP interface itself, no settings of the engine.
_TRANSPORT = frozenset(
    {
        "query",
        "database",
        "default_format",
        "user",
        "password",
        "session_id",
        "session_timeout",
        "session_check",
        "close_session",
        "query_id",
        "quota_key",
        "stacktrace",
        "role",
        "compress",
        "decompress",
        "buffer_size",
        "wait_end_of_query",
        "enable_http_compression",
        "http_zlib_compression_level",
        "send_progress_in_http_headers",
        "http_headers_progress_interval_ms",
        "client_protocol_version",
        "cancel_http_readonly_queries_on_client_close",
        "add_http_cors_header",
        "readonly",
    }
)


class Tokens:
    """Who may come in: the owner, and readers where they have a token of their own."""

    def __init__(self, owner: str, analyst: str | None) -> None:
        self._owner = owner.encode()
        self._analyst = (analyst or "").encode()

    def reader(self, user: str, token: str) -> bool | None:
        """True for a reader, False for the owner, None for a stranger; in constant time."""
        given = token.encode("utf-8", "surrogateescape")
        owner = hmac.compare_digest(given, self._owner) and user != ANALYST
        analyst = hmac.compare_digest(given, self._analyst) and bool(self._analyst)
        if analyst and user in {ANALYST, ""}:
            return True
        return False if owner else None


def credentials(headers: Message, asked: Mapping[str, str]) -> tuple[str, str]:
    """The user and token of a request, in any of the ways that ClickHouse takes them."""
    if key := headers["X-ClickHouse-Key"]:
        return headers["X-ClickHouse-User"] or "", key
    kind, _, secret = (headers["Authorization"] or "").partition(" ")
    if kind.lower() == "bearer":
        return "", secret.strip()
    if kind.lower() == "basic":
        with contextlib.suppress(ValueError):
            user, _, password = b64decode(secret).decode().partition(":")
            return user, password
    return asked.get("user", ""), asked.get("password", "")


def form_fields(content_type: str, body: bytes) -> dict[str, str]:
    """The fields of a multipart form: clickhouse-connect sends long parameters so."""
    fields = {}
    for part in message_from_bytes(f"Content-Type: {content_type}\r\n\r\n".encode() + body).walk():
        name = part.get_param("name", header="Content-Disposition")
        content = part.get_payload(decode=True)
        if isinstance(name, str) and isinstance(content, bytes):
            if name != "query" and not name.startswith("param_"):
                raise faults.named(
                    faults.NOT_IMPLEMENTED, "NOT_IMPLEMENTED", "External tables are not served"
                )
            fields[name] = content.decode("utf-8", "surrogateescape")
    return fields


def statement_of(
    asked: Mapping[str, str], headers: Message, body: bytes, readonly: int, reader: bool
) -> Statement:
    """The statement that a request's parameters and body make together."""
    if asked.get("decompress") == "1" or asked.get("compress") == "1":
        raise faults.named(
            faults.NOT_IMPLEMENTED, "NOT_IMPLEMENTED", "Use Content-Encoding, not (de)compress"
        )
    sql = asked.get("query", "").encode("utf-8", "surrogateescape")
    if not (sql or body).strip():
        raise faults.named(faults.SYNTAX_ERROR, "SYNTAX_ERROR", "Syntax error: Empty query")
    params = {name: text for name, text in asked.items() if name.startswith("param_")}
    return Statement(
        sql=sql or body,
        data=body if sql and body else None,
        form=asked.get("default_format") or headers["X-ClickHouse-Format"] or "TabSeparated",
        database=asked.get("database") or headers["X-ClickHouse-Database"] or "",
        settings={
            name: text
            for name, text in asked.items()
            if name not in _TRANSPORT and name not in params
        },
        params={name.removeprefix("param_"): text for name, text in params.items()},
        readonly=1 if reader else _readonly(asked.get("readonly", ""), readonly),
        limited=reader,
    )


def _readonly(asked: str, least: int) -> int:
    """The stricter of what the caller and the method say: 1 forbids more than 2, 2 more than 0."""
    wanted = {"": 0, "0": 0, "2": 2}.get(asked, 1)
    return wanted or least
