"""`telegram_configs:`"""

from dataclasses import dataclass, field

from notifiers.channels.config import ChannelConfig, ChannelKind, sends_resolved
from notifiers.channels.templated import templated
from notifiers.global_config import Global
from notifiers.http_config import HttpConfig, http_url, read_http
from notifiers.yaml_reader import Section

API_URL = "https://api.telegram.org"
PARSE_MODES = ("HTML", "Markdown", "MarkdownV2", "")


@dataclass(frozen=True, slots=True, repr=False)
class TelegramConfig(ChannelConfig):
    """A chat with a bot in it; its repr shows no secret. `message` is a template."""

    api_url: str = API_URL
    bot_token: str = ""
    bot_token_file: str = ""
    chat_id: int = 0
    chat_id_file: str = ""
    message_thread_id: int = 0
    message: str = '{{ template "telegram.default.message" . }}'
    parse_mode: str = "HTML"
    disable_notifications: bool = False
    http: HttpConfig = field(default_factory=HttpConfig)

    def __repr__(self) -> str:
        return f"TelegramConfig(send_resolved={self.send_resolved}, bot_token=***)"


def read(found: Section, defaults: Global) -> TelegramConfig:
    """One entry; what is wrong with it is noted there."""
    plain = TelegramConfig(ChannelKind.TELEGRAM)
    token, token_file = _token(found, defaults)
    config = TelegramConfig(
        ChannelKind.TELEGRAM,
        send_resolved=sends_resolved(found, ChannelKind.TELEGRAM),
        max_alerts=found.number("max_alerts") or 0,
        api_url=found.parsed("api_url", http_url) or _default_url(found, defaults),
        bot_token=token,
        bot_token_file=token_file,
        chat_id=found.parsed("chat_id", chat_number) or 0,
        chat_id_file=found.text("chat_id_file") or "",
        message_thread_id=found.number("message_thread_id") or 0,
        message=templated(found, "message", plain.message),
        parse_mode=_parse_mode(found, plain.parse_mode),
        disable_notifications=found.boolean("disable_notifications") or False,
        http=read_http(found.section("http_config")) or defaults.http or HttpConfig(),
    )
    found.close()
    _check_chat(found, config)
    return config


def chat_number(text: str) -> int:
    """A chat's number, negative for groups. Raises ValueError."""
    digits = text.strip().removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 18):
        raise ValueError("the chat's id is not a whole number")
    return int(text)


def _token(found: Section, defaults: Global) -> tuple[str, str]:
    token, file = found.text("bot_token") or "", found.text("bot_token_file") or ""
    if token and file:
        found.problem("bot_token", "at most one of bot_token & bot_token_file must be configured")
    if token or file:
        return token, file
    token, file = defaults.get("telegram_bot_token"), defaults.get("telegram_bot_token_file")
    if not token and not file:
        found.problem("bot_token", "missing bot_token or bot_token_file on telegram_config")
    return token, file


def _default_url(found: Section, defaults: Global) -> str:
    try:
        return http_url(defaults.get("telegram_api_url") or API_URL)
    except ValueError as fault:
        found.problem("api_url", f"telegram_api_url in global: {fault}")
        return API_URL


def _parse_mode(found: Section, default: str) -> str:
    mode = found.text("parse_mode")
    if mode is None:
        return default
    if mode not in PARSE_MODES:
        message = "unknown parse_mode on telegram_config"
        found.problem("parse_mode", message, 'HTML, Markdown, MarkdownV2 or "" is wanted')
    return mode


def _check_chat(found: Section, config: TelegramConfig) -> None:
    if "chat_id" in found.items and config.chat_id_file:
        found.problem("chat_id", "at most one of chat_id & chat_id_file must be configured")
    elif "chat_id" not in found.items and not config.chat_id_file:
        found.problem("chat_id", "missing chat_id or chat_id_file on telegram_config")
