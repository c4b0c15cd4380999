"""Does a broker take us as we are set up? Asked before a client of Kafka's begins to try for ever.

kafka-python and aiokafka repeat whatever fails until their time is up, and then say no more than
that: a wrong password looks like a broker that is away. So the first thing a worker does is one
short conversation of its own: connect, TLS, which versions, who we are. Nothing but the name and
the proof of the password is ever sent, and that only to a broker whose certificate is good.
"""

import socket
import ssl
import struct
import time
from typing import Final

from kafka.net.sasl import get_sasl_mechanism

from ops.config_kafka import KafkaSettings
from ops.config_types import Address
from schemas.errors import LogAway, Refused

WITHIN: Final = 3.0
"""Seconds for each answer."""
_PAUSE: Final = 0.2
_MAX_ANSWER: Final = 1 << 20
_HANDSHAKE, _VERSIONS, _AUTHENTICATE = 17, 18, 36
"""Kafka's numbers for the requests SaslHandshake, ApiVersions, SaslAuthenticate."""
_UNSUPPORTED_MECHANISM, _NOT_EXPECTED = 33, 34
_AUTHORITY: Final = "set kafka.ca_file to the authority that signed it"
_VERIFY: Final = {
    9: "is it the clock of this machine?",
    10: "renew the broker's certificate, or set this machine's clock",
    18: _AUTHORITY,
    19: _AUTHORITY,
    20: _AUTHORITY,
    21: _AUTHORITY,
    62: "write a name into kafka.bootstrap that the certificate has",
    64: "write a name into kafka.bootstrap that the certificate has",
}
"""What to do, by OpenSSL's X509_V_ERR number."""


def knock(
    settings: KafkaSettings, context: ssl.SSLContext | None, name: str, patience: float
) -> list[str]:
    """Come back once a broker takes us, with the servers that have nothing against us so far.

    Raises `Refused` with what every broker has against us. One that is away may yet take us, so
    after `patience` seconds with one the answer is `LogAway`, which says what the others had.
    """
    ends = time.monotonic() + patience
    while True:
        away, refused = [], {}
        for server in settings.bootstrap:
            try:
                _introduce(settings, context, server, name)
                return [each for each in settings.bootstrap if each not in refused]
            except Refused as fault:
                refused[server] = str(fault)
            except (_NoKafka, struct.error, UnicodeError):
                what = "look for the port in the broker's listeners"
                refused[server] = str(_refusal(server, "is no Kafka broker", what))
            except OSError as fault:
                away.append(f"{server}: {fault.strerror or fault}")
        if not away:
            raise Refused("\n".join(refused.values()))
        if time.monotonic() > ends:
            raise LogAway(f"Kafka does not answer: {'; '.join((*away, *refused.values()))}")
        time.sleep(_PAUSE)


def _introduce(
    settings: KafkaSettings, context: ssl.SSLContext | None, server: str, name: str
) -> None:
    where = Address.parse(server)
    with socket.create_connection((where.host, where.port), WITHIN) as raw:
        if context is None:
            _talk(settings, _Line(raw, name), server)
            return
        try:
            with context.wrap_socket(raw, server_hostname=where.host) as secured:
                _talk(settings, _Line(secured, name), server)
        except ssl.SSLCertVerificationError as fault:
            what = _VERIFY.get(fault.verify_code, _AUTHORITY)
            raise _refusal(server, f"certificate is not good: {fault.verify_message}", what) from (
                fault
            )
        except ssl.SSLError as fault:
            if "ALERT" in (fault.reason or ""):
                raise _our_certificate(settings, server, fault) from fault
            _must_not_be_plain(server, where)
            raise
        except ConnectionError:
            _must_not_be_plain(server, where)
            raise


def _talk(settings: KafkaSettings, line: "_Line", server: str) -> None:
    """Raises `Refused`, `OSError`."""
    try:
        line.ask(_VERSIONS, 0, b"")
    except (ConnectionError, _NoKafka):
        if not line.secured:
            _must_not_be_tls(server)
        raise
    mechanism = settings.sasl or "PLAIN"
    answer = line.ask(_HANDSHAKE, 1, _text(mechanism))
    code = int.from_bytes(answer[:2])
    if not settings.sasl:
        if code != _NOT_EXPECTED:
            what = f"set kafka.sasl, kafka.username and kafka.password_file ({_offered(answer)})"
            raise _refusal(server, "asks for a user and a password", what)
        return
    if code == _NOT_EXPECTED:
        what = "leave out kafka.sasl, or use the port of the listener with SASL"
        raise _refusal(server, "does not ask for a user on this port", what)
    if code == _UNSUPPORTED_MECHANISM:
        what = f"set kafka.sasl to one of: {_offered(answer)}"
        raise _refusal(server, f"does not offer {settings.sasl}", what)
    _authenticate(settings, line, server)


def _authenticate(settings: KafkaSettings, line: "_Line", server: str) -> None:
    proof = get_sasl_mechanism(settings.sasl)(
        sasl_mechanism=settings.sasl,
        sasl_plain_username=settings.username or "",
        sasl_plain_password=settings.password.get_secret_value() if settings.password else "",
        # Only to keep it from warning of what the settings say.
        security_protocol="SASL_SSL",
    )
    while not proof.is_done():
        sent = proof.auth_bytes()
        answer = line.ask(_AUTHENTICATE, 0, struct.pack(">i", len(sent)) + sent)
        code, length = struct.unpack(">hh", answer[:4])
        told = answer[4 : 4 + max(0, length)].decode("utf-8", "replace")
        if code:
            what = "check kafka.username and kafka.password_file"
            why = told or f"error {code}"
            raise _refusal(server, f"does not take user {settings.username!r}: {why}", what)
        try:
            proof.receive(answer[8 + max(0, length) :])
        except (ValueError, KeyError) as fault:
            what = "it is not the broker that it says it is"
            raise _refusal(server, "does not know the password itself", what) from fault


class _NoKafka(Exception):
    """What came back is no answer of Kafka's."""


class _Line:
    """Questions and answers of Kafka's protocol, one after another."""

    def __init__(self, channel: socket.socket, name: str) -> None:
        self._channel = channel
        self._name = name
        self.secured = isinstance(channel, ssl.SSLSocket)

    def ask(self, key: int, version: int, body: bytes) -> bytes:
        """The answer without its header. Raises `_NoKafka`, `OSError`."""
        head = struct.pack(">hhi", key, version, key) + _text(self._name)
        self._channel.settimeout(WITHIN)
        self._channel.sendall(struct.pack(">i", len(head) + len(body)) + head + body)
        size, number = struct.unpack(">ii", self._receive(8))
        if not 4 <= size <= _MAX_ANSWER or number != key:
            raise _NoKafka
        return self._receive(size - 4)

    def _receive(self, size: int) -> bytes:
        got = bytearray()
        while len(got) < size:
            # A TLS alert is shorter than any answer.
            if got[:2] == b"\x15\x03":
                raise _NoKafka
            some = self._channel.recv(size - len(got))
            if not some:
                raise ConnectionResetError("the broker ended the connection")
            got += some
        return bytes(got)


def _must_not_be_plain(server: str, where: Address) -> None:
    """Whether a broker that ends a TLS handshake would rather have had none."""
    try:
        with socket.create_connection((where.host, where.port), WITHIN) as raw:
            _Line(raw, "tocsin").ask(_VERSIONS, 0, b"")
    except (OSError, _NoKafka):
        return
    what = "use the port of its TLS listener, or set kafka.security: plaintext"
    raise _refusal(server, "speaks no TLS on this port", what)


def _must_not_be_tls(server: str) -> None:
    where = Address.parse(server)
    anybody = ssl.create_default_context()
    anybody.check_hostname, anybody.verify_mode = False, ssl.CERT_NONE
    try:
        with (
            socket.create_connection((where.host, where.port), WITHIN) as raw,
            anybody.wrap_socket(raw, server_hostname=where.host),
        ):
            pass
    except ssl.SSLError as fault:
        if "ALERT" not in (fault.reason or ""):
            return
    except OSError:
        return
    raise _refusal(server, "speaks TLS", "set kafka.security: tls, and kafka.ca_file")


def _our_certificate(settings: KafkaSettings, server: str, fault: ssl.SSLError) -> Refused:
    alert = (fault.reason or "").partition("ALERT_")[2].replace("_", " ").lower()
    if settings.certificate_file is None:
        what = "set kafka.certificate_file and kafka.key_file"
        return _refusal(server, f"asks for our certificate ({alert})", what)
    what = "have it signed by an authority that the broker trusts, and look at its dates"
    return _refusal(server, f"does not take {settings.certificate_file} ({alert})", what)


def _refusal(server: str, what: str, remedy: str) -> Refused:
    return Refused(f"Kafka at {server}: {what}: {remedy}")


def _text(text: str) -> bytes:
    encoded = text.encode()
    return struct.pack(">h", len(encoded)) + encoded


def _offered(answer: bytes) -> str:
    """The mechanisms in an answer to SaslHandshake."""
    names, rest = [], answer[6:]
    while len(rest) > 2:
        end = 2 + int.from_bytes(rest[:2])
        names.append(rest[2:end].decode("utf-8", "replace"))
        rest = rest[end:]
    return ", ".join(names)
