"""The `global:` section: what receivers take where they say nothing themselves."""

from dataclasses import dataclass, field

from notifiers.http_config import HttpConfig, read_http
from notifiers.yaml_reader import Section

RESOLVE_TIMEOUT = 300_000

KEYS = (
    *("smtp_from", "smtp_hello", "smtp_smarthost", "smtp_auth_username", "smtp_auth_password"),
    *("smtp_auth_password_file", "smtp_auth_secret", "smtp_auth_secret_file"),
    *("smtp_auth_identity", "smtp_require_tls", "smtp_force_implicit_tls"),
    *("slack_api_url", "slack_api_url_file", "slack_app_token", "slack_app_token_file"),
    *("slack_app_url", "pagerduty_url", "jira_api_url"),
    *("telegram_api_url", "telegram_bot_token", "telegram_bot_token_file"),
)
"""Defaults of channels that are served, taken as text."""
ELSEWHERE = frozenset(
    [
        *("opsgenie_api_url", "opsgenie_api_key", "opsgenie_api_key_file"),
        *("wechat_api_url", "wechat_api_secret", "wechat_api_secret_file", "wechat_api_corp_id"),
        *("victorops_api_url", "victorops_api_key", "victorops_api_key_file", "webex_api_url"),
        *("rocketchat_api_url", "rocketchat_token", "rocketchat_token_file"),
        *("rocketchat_token_id", "rocketchat_token_id_file"),
        *("mattermost_webhook_url", "mattermost_webhook_url_file"),
    ]
)
"""Defaults of Alertmanager's other channels: allowed, for no receiver here can use them."""


@dataclass(frozen=True, slots=True, repr=False)
class Global:
    """Defaults by key, as text; `resolve_timeout` in ms. Its repr shows no value."""

    resolve_timeout: int = RESOLVE_TIMEOUT
    texts: dict[str, str] = field(default_factory=dict)
    http: HttpConfig | None = None
    tls: Section | None = None
    """`smtp_tls_config`, unread: the e-mail reader knows what it may say."""

    def get(self, key: str) -> str:
        """The text under a key; empty if it was left out."""
        return self.texts.get(key, "")

    def __repr__(self) -> str:
        return f"Global(resolve_timeout={self.resolve_timeout}, texts={sorted(self.texts)})"


def read_global(found: Section | None) -> Global:
    """The section, which may be missing."""
    if found is None:
        return Global()
    timeout = found.duration("resolve_timeout")
    texts = {key: text for key in KEYS if (text := found.text(key)) is not None}
    if texts.get("telegram_bot_token") and texts.get("telegram_bot_token_file"):
        keys = "telegram_bot_token & telegram_bot_token_file"
        found.problem("telegram_bot_token", f"at most one of {keys} must be configured")
    http = read_http(found.section("http_config"))
    tls = found.section("smtp_tls_config")
    for key in ELSEWHERE:
        found.value(key)
    found.close()
    return Global(RESOLVE_TIMEOUT if timeout is None else timeout, texts, http, tls)
