"""`slack_configs:`"""

from dataclasses import dataclass, field, replace

from notifiers.channels.config import ChannelConfig, ChannelKind, sends_resolved
from notifiers.channels.templated import templated
from notifiers.global_config import Global
from notifiers.http_config import HttpConfig, http_url, read_http
from notifiers.yaml_reader import Section

METHOD = "chat.postMessage"
APP_URL = f"https://slack.com/api/{METHOD}"
_DEFAULTED = {
    "color": "color",
    "username": "username",
    "title": "title",
    "title_link": "titlelink",
    "icon_emoji": "iconemoji",
    "icon_url": "iconurl",
    "pretext": "pretext",
    "text": "text",
    "fallback": "fallback",
    "callback_id": "callbackid",
    "footer": "footer",
}
"""Keys whose default is a template of this name."""
_PLAIN = ("channel", "message_text", "image_url", "thumb_url")
_ACTION = ("type", "text", "url", "style", "name", "value")


@dataclass(frozen=True, slots=True)
class SlackField:
    """A title with a value, both templates."""

    title: str
    value: str
    short: bool


@dataclass(frozen=True, slots=True)
class SlackAction:
    """A button: templates by Slack's key; `confirm` asks first."""

    texts: dict[str, str]
    confirm: dict[str, str]


@dataclass(frozen=True, slots=True, repr=False)
class SlackConfig(ChannelConfig):
    """A message with one attachment; `texts` are templates by key. Its repr shows no secret.

    `update`: one message an incident, written anew; with `thread` its changes are said below it.
    """

    url: str = ""
    url_file: str = ""
    texts: dict[str, str] = field(default_factory=dict)
    fields: tuple[SlackField, ...] = ()
    actions: tuple[SlackAction, ...] = ()
    link_names: bool = False
    markdown_in: tuple[str, ...] = ()
    update: bool = False
    thread: bool = False
    buttons: bool = False
    timeout: int = 0
    http: HttpConfig = field(default_factory=HttpConfig)

    def __repr__(self) -> str:
        return f"SlackConfig(send_resolved={self.send_resolved}, url=***)"


def read(found: Section, defaults: Global) -> SlackConfig:
    """One entry; what is wrong with it is noted there."""
    texts = {
        key: templated(found, key, f'{{{{ template "slack.default.{name}" . }}}}')
        for key, name in _DEFAULTED.items()
    } | {key: templated(found, key) for key in _PLAIN}
    short = found.boolean("short_fields") or False
    url, url_file, http = _way(found, defaults)
    config = SlackConfig(
        ChannelKind.SLACK,
        send_resolved=sends_resolved(found, ChannelKind.SLACK),
        max_alerts=found.number("max_alerts") or 0,
        url=url,
        url_file=url_file,
        texts=texts,
        fields=tuple(_field(one, short) for one in found.sections("fields")),
        actions=tuple(_action(one) for one in found.sections("actions")),
        link_names=found.boolean("link_names") or False,
        markdown_in=tuple(text for text, _ in found.texts("mrkdwn_in")),
        update=found.boolean("update_message") or False,
        thread=found.boolean("thread") or False,
        buttons=found.boolean("buttons") or False,
        timeout=found.duration("timeout") or 0,
        http=http,
    )
    if config.update and not url.endswith(f"/{METHOD}"):
        message = f"update_message can only be used with bot tokens: the URL must be {APP_URL}"
        found.problem("update_message", message, "write app_token, or leave it out")
    if config.thread and not config.update:
        message = "a thread is below a message that is updated"
        found.problem("thread", message, "write update_message: true, too")
    found.close()
    return config


def _way(found: Section, defaults: Global) -> tuple[str, str, HttpConfig]:
    """URL, its file, and how to call: a webhook's URL, or an app's token with Slack's method."""
    http = read_http(found.section("http_config"))
    url, url_file = found.parsed("api_url", http_url) or "", found.text("api_url_file") or ""
    token, token_file = found.text("app_token") or "", found.text("app_token_file") or ""
    app_url = found.parsed("app_url", http_url) or defaults.get("slack_app_url") or APP_URL
    if (url or url_file) and (token or token_file):
        message = (
            "at most one of api_url/api_url_file & app_token/app_token_file must be configured"
        )
        found.problem("api_url", message)
    own = http is not None and http.authorization is not None
    if not (token or token_file or url or url_file or own):
        token = defaults.get("slack_app_token")
        token_file = defaults.get("slack_app_token_file")
    if not (url or url_file or token or token_file):
        url, url_file = defaults.get("slack_api_url"), defaults.get("slack_api_url_file")
    for key, one, other in (("api_url", url, url_file), ("app_token", token, token_file)):
        if one and other:
            found.problem(key, f"at most one of {key} & {key}_file must be configured")
    http = http or defaults.http or HttpConfig()
    if token or token_file:
        if own:
            message = "http authorization can't be set when using Slack App tokens"
            found.problem("app_token", message)
        bearer = ("Bearer", token, token_file)
        return _checked(found, app_url), "", replace(http, authorization=bearer)
    if "api_url" not in found.items and not (url or url_file):
        message = "no Slack API URL nor App token set either inline or in a file"
        found.problem("api_url", message, "write api_url, or slack_api_url in global")
    return _checked(found, url), url_file, http


def _checked(found: Section, url: str) -> str:
    try:
        return http_url(url) if url else ""
    except ValueError as fault:
        found.problem("api_url", f"in global: {fault}")
        return ""


def _field(found: Section, short: bool) -> SlackField:
    title, value = templated(found, "title"), templated(found, "value")
    said = found.boolean("short")
    found.close()
    for key, text in (("title", title), ("value", value)):
        if not text:
            found.problem(key, f"missing {key} in Slack field configuration")
    return SlackField(title, value, short if said is None else said)


def _action(found: Section) -> SlackAction:
    texts = {key: templated(found, key) for key in _ACTION}
    confirm: dict[str, str] = {}
    inner = found.section("confirm")
    if inner is not None:
        keys = ("text", "title", "ok_text", "dismiss_text")
        confirm = {key: text for key in keys if (text := templated(inner, key))}
        inner.close()
        if "text" not in confirm:
            inner.problem("text", "missing text in Slack confirmation configuration")
    found.close()
    for key in ("type", "text"):
        if not texts[key]:
            found.problem(key, f"missing {key} in Slack action configuration")
    if not (texts["url"] or texts["name"]):
        found.problem("name", "missing name or url in Slack action configuration")
    if texts["url"]:
        # A button that opens a page sends nothing back.
        texts, confirm = texts | {"name": "", "value": ""}, {}
    return SlackAction(texts, confirm)
