"""Several requests to one API, all within the seconds of one message."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from time import monotonic

from notifiers.channels.channel import DeliveryFailed, Failure, Message
from notifiers.channels.http import Caller
from notifiers.channels.http_wire import Answer
from notifiers.channels.tree import Tree


@dataclass(frozen=True)
class Calls:
    """Requests below `base`; `understood` may say that an answer means another status."""

    caller: Caller
    base: str
    message: Message
    headers: Mapping[str, str]
    understood: Callable[[Answer], Answer] = lambda answer: answer
    began: float = field(default_factory=monotonic)

    def ask(self, method: str, path: str, content: Tree = None) -> Tree:
        """What the answer says, as JSON, None where it says nothing. Raises DeliveryFailed."""
        left = self.began + self.message.timeout - monotonic()
        if left <= 0:
            detail = f"not done within {self.message.timeout:g} s"
            raise DeliveryFailed(Failure.TIMED_OUT, retry=True, detail=detail)
        body = b"" if content is None else json.dumps(content).encode()
        headers = {"Content-Type": "application/json", **self.headers}
        url = f"{self.base.rstrip('/')}/{path}"
        within = replace(self.message, timeout=left)
        answer = self.understood(self.caller.call(method, url, body, headers, within))
        self.caller.judge(answer)
        try:
            found: Tree = json.loads(answer.body) if answer.body.strip() else None
        except (ValueError, RecursionError):
            raise not_understood() from None
        return found


def part(tree: Tree, *names: str) -> Tree:
    """What lies below these names; None where there is nothing."""
    for name in names:
        if not isinstance(tree, dict):
            return None
        tree = tree.get(name)
    return tree


def members(tree: Tree) -> list[Tree]:
    """The members of a list. Raises DeliveryFailed where there is none."""
    if not isinstance(tree, list):
        raise not_understood()
    return tree


def not_understood() -> DeliveryFailed:
    """For an answer that is not the API's: something between us and it may have spoken."""
    detail = "the answer is not what the API says"
    return DeliveryFailed(Failure.SERVER_ERROR, retry=True, detail=detail)
