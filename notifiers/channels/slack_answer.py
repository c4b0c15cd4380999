"""What Slack's answers mean: `ok`, or an error by its name."""

import json
import re
from typing import Any

from notifiers.channels.channel import DeliveryFailed, Failure
from notifiers.channels.http_wire import Answer

_TRANSIENT = {
    "ratelimited": Failure.RATE_LIMITED,
    "rate_limited": Failure.RATE_LIMITED,
    "message_limit_exceeded": Failure.RATE_LIMITED,
    "internal_error": Failure.SERVER_ERROR,
    "fatal_error": Failure.SERVER_ERROR,
    "service_unavailable": Failure.SERVER_ERROR,
    "request_timeout": Failure.SERVER_ERROR,
    "team_added_to_org": Failure.SERVER_ERROR,
    "rollup_error": Failure.SERVER_ERROR,
}
_NOT_AUTHORISED = frozenset(
    [
        *("invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired"),
        *("no_permission", "missing_scope", "not_allowed_token_type", "access_denied"),
        *("ekm_access_denied", "org_login_required", "team_access_not_granted"),
        *("invalid_token", "action_prohibited"),
    ]
)
_ERROR = re.compile(r"[a-z_]{1,60}")


def understood(answer: Answer) -> dict[str, Any]:
    """What Slack says of a message it took (`Any`: it is JSON). Raises DeliveryFailed.

    A 200 may say no: `{"ok": false, "error": …}`; a webhook says `ok`, or what was wrong.
    """
    text = answer.body.decode("utf-8", "replace").strip()
    if text == "ok":
        return {}
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = {"ok": False, "error": text}
    if isinstance(found, dict) and found.get("ok") is True:
        return found
    error = found.get("error") if isinstance(found, dict) else None
    raise _failure(error if isinstance(error, str) and _ERROR.fullmatch(error) else "no answer")


def _failure(error: str) -> DeliveryFailed:
    """Slack's error, which is a word and no secret."""
    if error in _TRANSIENT:
        return DeliveryFailed(_TRANSIENT[error], retry=True, detail=error)
    reason = Failure.NOT_AUTHORISED if error in _NOT_AUTHORISED else Failure.REJECTED
    return DeliveryFailed(reason, retry=False, detail=error)
