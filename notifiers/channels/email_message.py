"""A delivery as a mail: text and HTML, in the thread of its group; no text can add a header."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, getaddresses
from hashlib import sha256

from notifiers.channels.channel import DeliveryFailed, Failure
from notifiers.channels.chart import Charts
from notifiers.channels.cut import cut
from notifiers.channels.email_chart import Picture, pictures, shown
from notifiers.channels.email_config import INCIDENT, SUBJECT, EmailConfig
from notifiers.channels.texts import Texts
from schemas.deliveries import Delivery

LONGEST_HEADER = 900
"""Characters; some servers refuse longer lines, and no one reads so long a subject."""
MOST_RECIPIENTS = 100
"""RFC 5321, 4.5.3.1.8: what every server takes in one message."""
_POLICY = SMTP.clone(cte_type="7bit")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
_BROKEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_ADDRESS = re.compile(r"[!#-'*+\-./0-9=?A-Z^-~]{1,64}@[^\x00-,/:-@\[-`{-\x7f\s]{1,253}")
"""No local part that is quoted or not ASCII: few servers take those (RFC 6531)."""
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
_ADDRESSES = frozenset({"from", "to", "cc", "bcc", "reply-to", "sender"})


@dataclass(frozen=True, slots=True)
class Mail:
    """The envelope's addresses, and the message as it goes over the wire."""

    sender: str
    recipients: tuple[str, ...]
    content: bytes


def compose(config: EmailConfig, texts: Texts, charts: Charts | None = None) -> Mail:
    """The mail of a delivery, the same at every try; with pictures where values are known.

    Raises DeliveryFailed for addresses that are none and templates that cannot be filled in.
    """
    delivery = texts.delivery
    sender = _addresses("from", texts.text(config.sender))
    recipients = _addresses("to", texts.text(config.to))
    if len(sender) != 1:
        raise _misconfigured("from", f"exactly one address is wanted, not {len(sender)}")
    message = EmailMessage(policy=_POLICY)
    message["From"], message["To"] = sender, recipients
    moment = datetime.fromtimestamp(delivery.decided_at / 1_000, UTC)
    message["Date"] = format_datetime(moment)
    _thread(message, config, delivery, sender[0].domain)
    own = {name.lower() for name, _ in config.headers}
    subject = () if "subject" in own else (("Subject", SUBJECT),)
    for name, template in (*subject, *config.headers):
        value = texts.text(template)
        del message[name]
        is_address = name.lower() in _ADDRESSES
        message[name] = _addresses(name, value) if is_address else _line(value)
    found: list[Picture] = []
    if charts is not None and config.chart and config.html:
        found = pictures(delivery, charts, sender[0].domain, texts.location)
    _fill(message, config, texts, found)
    unique = dict.fromkeys(address.addr_spec for address in recipients)
    return Mail(sender[0].addr_spec, tuple(unique), message.as_bytes())


def _fill(
    message: EmailMessage, config: EmailConfig, texts: Texts, found: Sequence[Picture]
) -> None:
    """The parts; the preferred one, HTML, comes last (RFC 2046, 5.1.4), with its pictures."""
    if config.text:
        message.set_content(_clean(texts.text(config.text)))
    if config.html:
        html = shown(_clean(texts.html(config.html)), found)
        if config.text:
            message.add_alternative(html, subtype="html")
        else:
            message.set_content(html, subtype="html")
        part = message.get_body(("html",))
        assert isinstance(part, EmailMessage)
        for picture in found:
            cid, name = f"<{picture.cid}>", "chart.png"
            part.add_related(
                picture.png, "image", "png", cid=cid, disposition="inline", filename=name
            )


def _thread(message: EmailMessage, config: EmailConfig, delivery: Delivery, domain: str) -> None:
    """One id a delivery, so that a repeated one is known; one ancestor a thread, which never was.

    Mail programs show the answers to a mail that they have not got as one thread all the same.
    """
    message["Message-ID"] = f"<{_name(delivery.id)}@{domain}>"
    if not config.threading:
        return
    day = ""
    if config.threading == "daily":
        moment = datetime.fromtimestamp(delivery.decided_at / 1_000, UTC)
        day = f"-{moment:%Y-%m-%d}"
    group = sha256(f"{delivery.receiver}\0{delivery.group_key}".encode()).hexdigest()[:24]
    root = f"<group-{group}{day}@{domain}>"
    if config.threading == INCIDENT and delivery.incident:
        root = f"<incident-{_name(delivery.incident)}@{domain}>"
    message["In-Reply-To"] = root
    message["References"] = root


def _addresses(key: str, text: str) -> tuple[Address, ...]:
    found = []
    for name, spec in getaddresses([_line(text)]):
        if not _ADDRESS.fullmatch(spec):
            raise _misconfigured(key, f'not an address: "{_line(spec or text)[:80]}"')
        local, _, domain = spec.rpartition("@")
        try:
            # Names that are not ASCII travel as IDNA (RFC 5890).
            domain = domain.encode("idna").decode("ascii")
            found.append(Address(_line(name), local, domain))
        except (UnicodeError, ValueError) as fault:
            raise _misconfigured(key, f'not an address: "{spec[:80]}"') from fault
    if not found:
        raise _misconfigured(key, "no address")
    if _QUOTED.sub("", text).count(",") + 1 != len(found):
        # The standard library's parser makes two addresses of one where it understands neither.
        raise _misconfigured(key, f'not only addresses: "{_line(text)[:80]}"')
    if len(found) > MOST_RECIPIENTS:
        raise _misconfigured(key, f"{len(found)} addresses, {MOST_RECIPIENTS} are taken at most")
    return tuple(found)


def _misconfigured(key: str, detail: str) -> DeliveryFailed:
    return DeliveryFailed(Failure.MISCONFIGURED, retry=False, detail=f"{key}: {detail}")


def _line(text: str) -> str:
    """A header's value: one line, of bounded length."""
    return cut(" ".join(_CONTROL.sub(" ", text).split()), LONGEST_HEADER)


def _clean(text: str) -> str:
    """A body without what no mail may hold."""
    return _BROKEN.sub("\ufffd", text)


def _name(text: str) -> str:
    """What may stand left of the @ in a message's id."""
    return re.sub(r"[^A-Za-z0-9_-]", "-", text)
