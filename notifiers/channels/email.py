"""E-mail over SMTP (RFC 5321), by aiosmtplib."""

import asyncio
import ssl
from collections import OrderedDict
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from threading import Lock
from time import monotonic

import aiosmtplib

from notifiers.channels import smtp_session
from notifiers.channels.address import Network
from notifiers.channels.channel import DeliveryFailed, Failure, Message, Sent
from notifiers.channels.chart import Charts
from notifiers.channels.email_config import EmailConfig
from notifiers.channels.email_message import Mail, compose
from notifiers.channels.resolution import Resolve, allowed_addresses, resolve
from notifiers.channels.smtp_session import Refused, Secrets
from notifiers.channels.texts import Texts
from notifiers.channels.tls_config import context
from notifiers.templating import Templates

REMEMBERED = 1_000


class Email:
    """Sends each delivery as one mail; the server's texts are not repeated, they may echo secrets.

    A new connection a message: alerts are rare, and servers close idle ones. Whom the server has
    taken a delivery for is remembered for a while, so that a further try goes to the others alone.
    """

    def __init__(
        self,
        config: EmailConfig,
        *,
        templates: Templates,
        allow: Iterable[Network],
        directory: Path = Path(),
        resolver: Resolve = resolve,
        charts: Charts | None = None,
    ) -> None:
        self._charts = charts
        self._config, self._templates, self._directory = config, templates, directory
        self._allow, self._resolver = tuple(allow), resolver
        self._taken: OrderedDict[str, frozenset[str]] = OrderedDict()
        self._lock = Lock()

    def send(self, message: Message) -> Sent | None:
        """Send to all recipients; what became of the others if the server did not take all."""
        ends = monotonic() + message.timeout
        mail = compose(self._config, Texts(self._templates, message.delivery), self._charts)
        secrets, tls = self._secrets(), self._tls()
        taken = self._taken.get(message.delivery.id, frozenset())
        left = [one for one in mail.recipients if one not in taken]
        if not left:
            return None
        host, port = self._config.host, self._config.port
        addresses = allowed_addresses(host, port, message.timeout, self._allow, self._resolver)
        seconds = max(ends - monotonic(), 0.1)
        try:
            refused = asyncio.run(self._deliver(addresses, mail, left, secrets, tls, seconds))
        except (TimeoutError, aiosmtplib.SMTPTimeoutError):
            detail = f"not taken within {message.timeout:g} s"
            raise DeliveryFailed(Failure.TIMED_OUT, retry=True, detail=detail) from None
        except aiosmtplib.SMTPResponseException as fault:
            raise smtp_session.judged(fault.code, fault.message) from None
        except (aiosmtplib.SMTPException, OSError) as fault:
            raise _unreachable(fault) from None
        return self._said(message.delivery.id, mail, taken, refused)

    def close(self) -> None:
        """There is nothing to let go of: a connection lasts as long as a message."""

    async def _deliver(
        self,
        addresses: list[str],
        mail: Mail,
        recipients: list[str],
        secrets: Secrets,
        tls: ssl.SSLContext,
        seconds: float,
    ) -> list[Refused]:
        client: aiosmtplib.SMTP | None = None
        try:
            async with asyncio.timeout(seconds):
                client = await self._connect(addresses, tls, seconds)
                await smtp_session.open_session(client, self._config, secrets)
                refused = await smtp_session.transfer(client, mail, recipients)
            with suppress(aiosmtplib.SMTPException, OSError):
                # The mail is taken; a server that is slow to say goodbye changes nothing. Not
                # `quit`, which hides the connection before it is closed.
                await client.execute_command(b"QUIT", timeout=1.0)
            return refused
        finally:
            if client is not None:
                await _let_go(client)

    async def _connect(
        self, addresses: list[str], tls: ssl.SSLContext, seconds: float
    ) -> aiosmtplib.SMTP:
        fault: Exception | None = None
        for address in addresses:
            # To the checked address itself; the context knows which name its server must have.
            client = aiosmtplib.SMTP(
                hostname=address,
                port=self._config.port,
                local_hostname=self._config.hello,
                timeout=seconds,
                use_tls=self._config.implicit_tls,
                start_tls=False,
                tls_context=tls,
            )
            try:
                await client.connect()
                return client
            except aiosmtplib.SMTPConnectError as found:
                await _let_go(client)
                fault = found
                if isinstance(found, aiosmtplib.SMTPConnectResponseError):
                    raise
            except BaseException:
                await _let_go(client)
                raise
        assert fault is not None
        raise fault

    def _said(
        self, name: str, mail: Mail, taken: frozenset[str], refused: list[Refused]
    ) -> Sent | None:
        """What people should know; raises DeliveryFailed if a further try may reach more."""
        if not refused:
            return None
        if len(refused) == len(mail.recipients):
            raise min(refused, key=lambda one: one.code).failure
        with self._lock:
            names = {one.recipient for one in refused}
            self._taken[name] = taken | (frozenset(mail.recipients) - names)
            while len(self._taken) > REMEMBERED:
                self._taken.popitem(last=False)
        count = len(mail.recipients)
        detail = f"taken for {count - len(refused)} of {count} recipients; refused: "
        detail += ", ".join(str(one) for one in refused[:10])
        if any(one.is_transient for one in refused):
            raise DeliveryFailed(Failure.SERVER_ERROR, retry=True, detail=detail)
        return Sent(detail)

    def _secrets(self) -> Secrets:
        login = self._config.login
        if not login.username:
            return Secrets()
        return Secrets(
            self._read(login.password, login.password_file),
            self._read(login.secret, login.secret_file),
        )

    def _read(self, text: str, file: str) -> str:
        if not file:
            return text
        try:
            return (self._directory / file).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            detail = "a file with a secret cannot be read"
            raise DeliveryFailed(Failure.MISCONFIGURED, retry=True, detail=detail) from None

    def _tls(self) -> ssl.SSLContext:
        try:
            return context(self._config.tls, self._config.host, self._directory)
        except (OSError, ValueError):
            detail = "tls_config: a certificate or key cannot be read"
            raise DeliveryFailed(Failure.MISCONFIGURED, retry=True, detail=detail) from None


async def _let_go(client: aiosmtplib.SMTP) -> None:
    """Close the socket at once, before its loop ends: a server may never answer a farewell."""
    transport = client.transport
    client.close()
    if isinstance(transport, asyncio.WriteTransport):
        transport.abort()
    for _ in range(3):
        await asyncio.sleep(0)


def _unreachable(fault: BaseException) -> DeliveryFailed:
    detail = type(fault).__name__
    at: BaseException | None = fault
    while at is not None:
        if isinstance(at, ssl.SSLCertVerificationError):
            detail = f"the server's certificate is not trusted: {at.verify_message}"
            break
        at = at.__cause__ or at.__context__
    return DeliveryFailed(Failure.UNREACHABLE, retry=True, detail=detail[:300])
