"""`email_configs:`"""

import re
from dataclasses import dataclass, field

from notifiers.channels.config import ChannelConfig, ChannelKind, sends_resolved
from notifiers.channels.templated import checked, templated
from notifiers.channels.tls_config import TlsConfig, read_tls
from notifiers.global_config import Global
from notifiers.yaml_reader import Section

SUBJECT = '{{ template "email.default.subject" . }}'
HTML = '{{ template "email.default.html" . }}'
INCIDENT = "incident"
"""How mails are threaded where nothing is said."""
_NAME = re.compile(r"[!-9;-~]{1,76}")
_HOST = re.compile(r"[A-Za-z0-9._:-]{1,253}")
_OURS = frozenset({"content-type", "content-transfer-encoding", "mime-version"})
_REFERENCES = frozenset({"references", "in-reply-to"})


@dataclass(frozen=True, slots=True)
class Login:
    """As whom to log in; secrets as text or in files, and never in a repr."""

    username: str = ""
    identity: str = ""
    password: str = field(default="", repr=False)
    password_file: str = ""
    secret: str = field(default="", repr=False)
    secret_file: str = ""


@dataclass(frozen=True, slots=True)
class EmailConfig(ChannelConfig):
    """A mail to some people. `to`, `sender`, `headers`, `html` and `text` are templates.

    `threading` is `incident`: one thread each; as in Alertmanager `none`: one a group, or `daily`:
    one a group and day; or empty. `chart`: pictures of the alerts' values.
    """

    to: str = ""
    sender: str = ""
    host: str = ""
    port: int = 0
    hello: str = "localhost"
    login: Login = field(default_factory=Login)
    require_tls: bool = True
    implicit_tls: bool = False
    tls: TlsConfig = field(default_factory=TlsConfig)
    headers: tuple[tuple[str, str], ...] = ()
    html: str = HTML
    text: str = ""
    threading: str = INCIDENT
    chart: bool = True


def read(found: Section, defaults: Global) -> EmailConfig:
    """One entry; what is wrong with it is noted there."""
    host, port = _smarthost(found, defaults)
    require = _flag(found, "require_tls", defaults)
    implicit = _flag(found, "force_implicit_tls", defaults)
    config = EmailConfig(
        ChannelKind.EMAIL,
        send_resolved=sends_resolved(found, ChannelKind.EMAIL),
        max_alerts=found.number("max_alerts") or 0,
        to=templated(found, "to"),
        sender=_text(found, "from", defaults),
        host=host,
        port=port,
        hello=_text(found, "hello", defaults) or "localhost",
        login=_login(found, defaults),
        require_tls=require is not False,
        implicit_tls=port == 465 if implicit is None else implicit,
        tls=read_tls(found.section("tls_config")) or read_tls(defaults.tls) or TlsConfig(),
        headers=_headers(found),
        html=templated(found, "html", HTML),
        text=templated(found, "text"),
        threading=_threading(found),
        chart=_chart(found),
    )
    found.close()
    _check(found, config)
    return config


def _check(found: Section, config: EmailConfig) -> None:
    if not config.to:
        found.problem("to", "missing to address in email config")
    if not config.sender:
        found.problem("from", "no global SMTP from set", "write from, or smtp_from in global")
    if not config.host:
        hint = "write smarthost, or smtp_smarthost in global"
        found.problem("smarthost", "no global SMTP smarthost set", hint)
    if not _HOST.fullmatch(config.hello):
        found.problem("hello", "not the name of a host")
    names = {name.lower() for name, _ in config.headers}
    if config.threading and "threading" in found.items and names & _REFERENCES:
        message = "threading.enabled conflicts with custom References or In-Reply-To headers"
        found.problem("threading", message)
    if not (config.html or config.text):
        found.problem("html", "one of html or text is wanted")


def _text(found: Section, key: str, defaults: Global) -> str:
    return found.text(key) or defaults.get(f"smtp_{key}")


def _flag(found: Section, key: str, defaults: Global) -> bool | None:
    said = found.boolean(key)
    if said is not None:
        return said
    text = defaults.get(f"smtp_{key}").lower()
    if text not in ("", "true", "false"):
        found.problem(key, f"smtp_{key} in global is neither true nor false")
    return text == "true" if text else None


def _smarthost(found: Section, defaults: Global) -> tuple[str, int]:
    text = _text(found, "smarthost", defaults)
    if not text:
        return "", 0
    host, _, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    number = int(port) if port.isascii() and port.isdigit() and len(port) <= 5 else 0
    if not _HOST.fullmatch(host) or not 0 < number < 65_536:
        found.problem("smarthost", f'not an address: "{text[:60]}"', "write host:port")
        return "invalid", 25
    return host, number


def _login(found: Section, defaults: Global) -> Login:
    password, password_file = _secret(found, "auth_password", defaults)
    secret, secret_file = _secret(found, "auth_secret", defaults)
    return Login(
        username=_text(found, "auth_username", defaults),
        identity=_text(found, "auth_identity", defaults),
        password=password,
        password_file=password_file,
        secret=secret,
        secret_file=secret_file,
    )


def _secret(found: Section, key: str, defaults: Global) -> tuple[str, str]:
    """Text and file; what the entry says of either comes before both of the global ones."""
    text, file = found.text(key) or "", found.text(f"{key}_file") or ""
    if not text and not file:
        text, file = defaults.get(f"smtp_{key}"), defaults.get(f"smtp_{key}_file")
    if text and file:
        found.problem(key, f"at most one of {key} & {key}_file must be configured")
    return text, file


def _headers(found: Section) -> tuple[tuple[str, str], ...]:
    pairs: dict[str, tuple[str, str]] = {}
    for name, value, _ in found.pairs("headers"):
        if not _NAME.fullmatch(name):
            found.problem("headers", f'not the name of a header: "{name[:60]}"')
        elif name.lower() in _OURS:
            found.problem("headers", f"{name} is set by the message itself")
        elif (fault := _fault(value)) is not None:
            found.problem("headers", f"{name}: {fault}")
        elif name.lower() in pairs:
            found.problem("headers", f'duplicate header "{name}" in email config')
        else:
            pairs[name.lower()] = (name, value)
    return tuple(pairs.values())


def _fault(template: str) -> str | None:
    try:
        checked(template)
    except ValueError as fault:
        return str(fault)
    return None


def _chart(found: Section) -> bool:
    """Where nothing is said: in mails of our own design, and not in those of the user's."""
    said = found.boolean("chart")
    return "html" not in found.items if said is None else said


def _threading(found: Section) -> str:
    inner = found.section("threading")
    if inner is None:
        return INCIDENT
    enabled, by = inner.boolean("enabled"), inner.text("thread_by_date") or "none"
    inner.close()
    if by not in ("none", "daily"):
        inner.problem("thread_by_date", "threading.thread_by_date must be 'none' or 'daily'")
    return "" if enabled is False else by
