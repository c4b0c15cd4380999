"""`sms_configs:` (ours): text messages by Twilio, or a service that speaks like it."""

import re
from dataclasses import dataclass, field

from notifiers.channels.config import ChannelConfig, ChannelKind, sends_resolved
from notifiers.channels.templated import templated
from notifiers.global_config import Global
from notifiers.http_config import HttpConfig, http_url, read_http
from notifiers.yaml_reader import Section

API_URL = "https://api.twilio.com"
MOST_SEGMENTS = 10
"""Twilio takes 1,600 characters: ten segments of 153 are the most that always fit."""
_NUMBER = re.compile(r"\+[1-9][0-9]{1,14}")
_ACCOUNT = re.compile(r"[A-Za-z0-9_-]{1,64}")
_SENDER = re.compile(r"\+?[0-9]{3,15}|MG[0-9a-fA-F]{32}|[A-Za-z0-9 &_+-]{1,11}")


@dataclass(frozen=True, slots=True, repr=False)
class SmsConfig(ChannelConfig):
    """A sender and whom it writes to; its repr shows neither secret nor number.

    `sender` is a number, a word of up to 11 characters, or a messaging service (`MG…`).
    `timeout` in ms, for each request.
    """

    account_sid: str = ""
    auth_token: str = ""
    auth_token_file: str = ""
    sender: str = ""
    to: tuple[str, ...] = ()
    text: str = '{{ template "__subject" . }}{{ with .CommonAnnotations.summary }} {{ . }}{{ end }}'
    max_segments: int = 2
    api_url: str = API_URL
    timeout: int = 0
    http: HttpConfig = field(default_factory=HttpConfig)

    def __repr__(self) -> str:
        return f"SmsConfig(send_resolved={self.send_resolved}, to={len(self.to)}, auth_token=***)"


def read(found: Section, defaults: Global) -> SmsConfig:
    """One entry; what is wrong with it is noted there."""
    plain = SmsConfig(ChannelKind.SMS)
    segments = found.number("max_segments")
    config = SmsConfig(
        ChannelKind.SMS,
        send_resolved=sends_resolved(found, ChannelKind.SMS),
        max_alerts=found.number("max_alerts") or 0,
        account_sid=found.text("account_sid") or "",
        auth_token=found.text("auth_token") or "",
        auth_token_file=found.text("auth_token_file") or "",
        sender=found.text("from") or "",
        to=_recipients(found),
        text=templated(found, "text", plain.text),
        max_segments=plain.max_segments if segments is None else segments,
        api_url=found.parsed("api_url", http_url) or API_URL,
        timeout=found.duration("timeout") or 0,
        http=read_http(found.section("http_config")) or defaults.http or HttpConfig(),
    )
    found.close()
    _check(found, config)
    return config


def _recipients(found: Section) -> tuple[str, ...]:
    numbers: list[str] = []
    hint = "write them as +, country and number without spaces, for example +4930123456"
    for number, node in found.texts("to"):
        if not _NUMBER.fullmatch(number):
            found.problem("to", "not a phone number", hint, at=node)
        elif number in numbers:
            found.problem("to", "this number stands there twice", at=node)
        numbers.append(number)
    if not numbers:
        found.problem("to", "missing the numbers to write to", hint)
    return tuple(numbers)


def _check(found: Section, config: SmsConfig) -> None:
    if not _ACCOUNT.fullmatch(config.account_sid):
        found.problem("account_sid", "the account's SID is missing or not one")
    if not _SENDER.fullmatch(config.sender):
        hint = "a phone number, a word of up to 11 characters, or a messaging service (MG…)"
        found.problem("from", "the sender is missing or not one", hint)
    if bool(config.auth_token) == bool(config.auth_token_file):
        found.problem("auth_token", "one of auth_token or auth_token_file is wanted")
    if not 1 <= config.max_segments <= MOST_SEGMENTS:
        found.problem("max_segments", f"between 1 and {MOST_SEGMENTS} segments are possible")
    if config.http.authorization is not None:
        message = "authorization is made of account_sid and auth_token"
        found.problem("http_config", message, "leave it out of http_config")
