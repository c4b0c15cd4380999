"""One conversation with a mail server: TLS, who we are, and one message."""

import re
from base64 import b64encode
from dataclasses import dataclass, field

from aiosmtplib import SMTP, SMTPRecipientRefused, SMTPResponseException

from notifiers.channels.channel import DeliveryFailed, Failure
from notifiers.channels.email_config import EmailConfig
from notifiers.channels.email_message import Mail

_ENHANCED = re.compile(r"[245]\.\d{1,3}\.\d{1,3}\b")
_NOT_AUTHORISED = frozenset({530, 534, 535, 538})
_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class Secrets:
    """What proves who we are; not in a repr."""

    password: str = field(default="", repr=False)
    secret: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Refused:
    """A recipient whom the server does not take, and the answer to it."""

    recipient: str
    code: int
    text: str = field(repr=False)

    @property
    def is_transient(self) -> bool:
        """Whether the server may take it later."""
        return self.code < 500

    def __str__(self) -> str:
        return f"{self.recipient} ({_status(self.code, self.text)})"

    @property
    def failure(self) -> DeliveryFailed:
        """The failure of a mail that nobody was taken for."""
        return judged(self.code, self.text, f", for {self.recipient}")


async def open_session(client: SMTP, config: EmailConfig, secrets: Secrets) -> None:
    """Say hello, change to TLS where it must be, log in.

    Raises DeliveryFailed, or what aiosmtplib raises.
    """
    await client.ehlo()
    if config.require_tls and not config.implicit_tls:
        if not client.supports_extension("starttls"):
            detail = "the server has no STARTTLS; require_tls: false sends without"
            raise DeliveryFailed(Failure.MISCONFIGURED, retry=False, detail=detail)
        await client.starttls()
        await client.ehlo()
    if config.login.username and client.supports_extension("auth"):
        await _log_in(client, config, secrets)


async def _log_in(client: SMTP, config: EmailConfig, secrets: Secrets) -> None:
    """By the first of the server's mechanisms that there is a secret for."""
    offered = [name.lower() for name in client.server_auth_methods]
    for mechanism in offered:
        if mechanism == "cram-md5" and secrets.secret:
            await client.auth_crammd5(config.login.username, secrets.secret)
            return
        if mechanism in ("plain", "login") and secrets.password:
            _check_secrecy(config)
            if mechanism == "plain":
                await _plain(client, config, secrets.password)
            else:
                await client.auth_login(config.login.username, secrets.password)
            return
    detail = f"no secret for any mechanism of the server's: {' '.join(offered)[:100]}"
    raise DeliveryFailed(Failure.MISCONFIGURED, retry=False, detail=detail)


def _check_secrecy(config: EmailConfig) -> None:
    if config.require_tls or config.implicit_tls or config.host in _LOCAL:
        return
    detail = "a password is not sent over a connection without TLS"
    raise DeliveryFailed(Failure.MISCONFIGURED, retry=False, detail=detail)


async def _plain(client: SMTP, config: EmailConfig, password: str) -> None:
    """AUTH PLAIN with an identity (RFC 4616), which aiosmtplib's own has not."""
    login = config.login
    words = "\0".join((login.identity, login.username, password))
    response = await client.execute_command(b"AUTH", b"PLAIN", b64encode(words.encode()))
    if response.code != 235:
        raise SMTPResponseException(response.code, response.message)


async def transfer(client: SMTP, mail: Mail, recipients: list[str]) -> list[Refused]:
    """Hand the mail over for those whom the server takes, if there are any; the others.

    Raises what aiosmtplib raises.
    """
    options = [f"SIZE={len(mail.content)}"] if client.supports_extension("size") else []
    await client.mail(mail.sender, options=options)
    refused = []
    for recipient in recipients:
        try:
            await client.rcpt(recipient)
        except SMTPRecipientRefused as fault:
            if not client.is_connected:
                raise
            refused.append(Refused(recipient, fault.code, fault.message))
    if len(refused) < len(recipients):
        await client.data(mail.content)
    return refused


def judged(code: int, text: str, whom: str = "") -> DeliveryFailed:
    """What a status means: 4xx asks to come again, 5xx is final (RFC 5321, 4.2.1)."""
    detail = _status(code, text) + whom
    if code in _NOT_AUTHORISED:
        return DeliveryFailed(Failure.NOT_AUTHORISED, retry=False, detail=detail)
    if 400 <= code < 500:
        return DeliveryFailed(Failure.SERVER_ERROR, retry=True, detail=detail)
    if 500 <= code < 600:
        return DeliveryFailed(Failure.REJECTED, retry=False, detail=detail)
    detail = "the server does not speak SMTP"
    return DeliveryFailed(Failure.UNREACHABLE, retry=True, detail=detail)


def _status(code: int, text: str) -> str:
    """The codes of an answer; its words are the server's, and may repeat what it was told."""
    enhanced = _ENHANCED.match(text)
    return f"status {code}" + (f" {enhanced[0]}" if enhanced else "")
