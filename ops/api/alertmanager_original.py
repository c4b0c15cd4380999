"""The routing file as `status` shows it: no secret, and nothing that Alertmanager does not know.

amtool parses it, so what is ours alone is left out: keys, and kinds of channel.
"""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Final

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

SECRET: Final = "<secret>"
_MERGE = "tag:yaml.org,2002:merge"
_USER = re.compile(r"(?<=://)[^/@\s]+@")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_TOP = _words("global route inhibit_rules receivers templates mute_time_intervals time_intervals")
_ROUTE = _words(
    "receiver group_by match match_re matchers mute_time_intervals active_time_intervals "
    "continue routes group_wait group_interval repeat_interval labels"
)
_RECEIVER = frozenset({"name", "labels"})
_CHANNELS: Final[Mapping[str, frozenset[str]]] = {
    f"{kind}_configs": _words(keys) | {"send_resolved"}
    for kind, keys in {
        "webhook": "http_config url url_file max_alerts timeout payload",
        "email": "to from hello smarthost auth_username auth_password auth_password_file "
        "auth_secret auth_secret_file auth_identity headers html text require_tls tls_config "
        "force_implicit_tls threading",
        "slack": "http_config api_url api_url_file app_token app_token_file app_url channel "
        "username color title title_link pretext text message_text fields short_fields footer "
        "fallback callback_id icon_emoji icon_url image_url thumb_url link_names mrkdwn_in "
        "actions update_message timeout",
        "pagerduty": "http_config service_key service_key_file routing_key routing_key_file url "
        "client client_url description details images links source severity class component "
        "group timeout",
        "msteamsv2": "http_config webhook_url webhook_url_file title text",
        "telegram": "http_config api_url bot_token bot_token_file chat_id chat_id_file "
        "message_thread_id message disable_notifications parse_mode",
        "jira": "http_config api_url api_type project summary description labels priority "
        "issue_type reopen_transition resolve_transition wont_fix_resolution reopen_duration "
        "fields",
    }.items()
}
"""The keys of Alertmanager's channels that are served here."""
_SECRETS = _words(
    "smtp_auth_password smtp_auth_secret slack_api_url slack_app_token opsgenie_api_key "
    "wechat_api_secret victorops_api_key telegram_bot_token rocketchat_token "
    "rocketchat_token_id mattermost_webhook_url auth_password auth_secret app_token "
    "service_key routing_key webhook_url bot_token password credentials client_secret "
    "bearer_token key secrets"
)
_SECRET_URLS = {"webhook_configs": "url", "slack_configs": "api_url"}


@lru_cache(maxsize=2)
def original_of(text: str) -> str:
    """What to show of a routing file that is in force; of one that is none, nothing."""
    try:
        root = yaml.compose(text, yaml.SafeLoader)
    except yaml.YAMLError:
        return ""
    if not isinstance(root, MappingNode):
        return ""
    _keep(root, _TOP)
    for key, value in _pairs(root):
        match key:
            case "global":
                _hide(value)
            case "route":
                _route(value)
            case "receivers":
                for receiver in _items(value):
                    _receiver(receiver)
            case _:
                pass
    return str(yaml.serialize(root, allow_unicode=True))


def _route(node: Node) -> None:
    _keep(node, _ROUTE)
    for key, value in _pairs(node):
        if key == "routes":
            for child in _items(value):
                _route(child)


def _receiver(node: Node) -> None:
    _keep(node, _RECEIVER | _CHANNELS.keys())
    for key, channels in _pairs(node):
        if key not in _CHANNELS:
            continue
        for channel in _items(channels):
            _keep(channel, _CHANNELS[key])
            _hide(channel, _SECRET_URLS.get(key, ""))


def _hide(node: Node, also: str = "") -> None:
    """Put a word in place of each secret below, and of user and password in URLs."""
    for item in _items(node):
        _hide(item)
    if isinstance(node, ScalarNode):
        node.value = _USER.sub("", node.value)
    for key, value in _pairs(node):
        if key in _SECRETS or key == also:
            _replace(value)
        else:
            _hide(value)


def _replace(node: Node) -> None:
    if isinstance(node, ScalarNode) and node.value:
        node.value, node.tag = SECRET, "tag:yaml.org,2002:str"
    for item in _items(node):
        _replace(item)
    for _, value in _pairs(node):
        _replace(value)


def _keep(node: Node, names: frozenset[str]) -> None:
    """Keep these keys; a merged mapping (`<<`) keeps its own of them."""
    if not isinstance(node, MappingNode):
        return
    kept = []
    for key, value in node.value:
        if key.tag == _MERGE:
            for part in (*_items(value), value):
                _keep(part, names)
        if key.tag == _MERGE or key.value in names:
            kept.append((key, value))
    node.value = kept


def _items(node: Node) -> Iterator[Node]:
    if isinstance(node, SequenceNode):
        yield from node.value


def _pairs(node: Node) -> Iterator[tuple[str, Node]]:
    """The entries, those of merged mappings too."""
    if not isinstance(node, MappingNode):
        return
    for key, value in node.value:
        if key.tag == _MERGE:
            for part in (*_items(value), value):
                yield from _pairs(part)
        else:
            yield str(key.value), value
