"""A real SMTP server on loopback: aiosmtpd, with TLS, logins, and a memory of what it took."""

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

PASSWORD = "secret-canary-password"
"""Holds the canary of tests/support/http_case.py."""
AUTHORITY = trustme.CA()


@dataclass
class MailServer:
    """What came in, and where; `refuse` answers RCPT by recipient, `answer` answers DATA."""

    port: int = 0
    refuse: dict[str, str] = field(default_factory=dict)
    answer: str = "250 OK"
    mails: list[Envelope] = field(default_factory=list)
    logins: list[tuple[str, bytes, bytes]] = field(default_factory=list)
    was_encrypted: list[bool] = field(default_factory=list)

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Refuse who is to be refused."""
        if address in self.refuse:
            return self.refuse[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Keep the mail."""
        if self.answer.startswith("250"):
            self.mails.append(envelope)
            self.was_encrypted.append(session.ssl is not None or server.transport_is_tls)
        return self.answer

    def authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any
    ) -> AuthResult:
        """Take one password."""
        assert isinstance(data, LoginPassword)
        self.logins.append((mechanism, data.login, data.password))
        return AuthResult(success=data.password == PASSWORD.encode(), handled=False)

    def message(self, index: int = 0) -> EmailMessage:
        """A mail that came in, parsed."""
        content = self.mails[index].content
        assert isinstance(content, bytes)
        parsed = message_from_bytes(content, policy=default)
        assert isinstance(parsed, EmailMessage)
        return parsed


class _Server(SMTP):
    transport_is_tls = False


class _Implicit(_Server):
    transport_is_tls = True


class _Controller(Controller):
    def factory(self) -> SMTP:
        kind = _Implicit if self.ssl_context else _Server
        return kind(self.handler, **self.SMTP_kwargs)


def certificate(name: str = "localhost") -> ssl.SSLContext:
    """A server's context by the tests' own authority."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    AUTHORITY.issue_cert(name).configure_cert(made)
    return made


@contextmanager
def mailing(
    *,
    starttls: ssl.SSLContext | None = None,
    implicit: ssl.SSLContext | None = None,
    login: bool = False,
    mechanisms: tuple[str, ...] = (),
) -> Iterator[MailServer]:
    """A server while the block runs."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    server = MailServer(port)
    named: dict[str, Any] = {"tls_context": starttls, "decode_data": False}
    if login:
        named |= {"authenticator": server.authenticate, "auth_required": True}
        named |= {"auth_require_tls": False}
        named |= {"auth_exclude_mechanism": {"LOGIN", "PLAIN"} - set(mechanisms or ("PLAIN",))}
    controller = _Controller(server, hostname="127.0.0.1", port=port, ssl_context=implicit, **named)
    controller.start()
    try:
        yield server
    finally:
        controller.stop()
