"""Random route trees, and random lives of alerts on their way through them.

Every script is a subtree of one configuration, so that one server plays all of them at once.
Instants keep clear of one another: posts come at whole seconds, groups are flushed at half
seconds, alerts time out at quarters, and no interval is a multiple of another. In a `late` script,
whose alert is older than `group_wait` and so flushed at once, it is the other way round.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

LENGTH = 9
"""Seconds in which posts come."""
END = 13.2
"""Seconds after which messages are not compared any more; no instant is near it."""
TIMEOUT = 3.75
_VALUES = {"a": ("1", "2", "3"), "b": ("x", "y", "x/y"), "sev": ("page", "warn")}
_PATTERNS = ("1|2", "x.*", "[^1]", ".+", "", "p(age)?", "(?i)WARN")


@dataclass(frozen=True, slots=True)
class Post:
    """One alert, announced `at` so many seconds; `starts_at` and `ends_at` as the API has them."""

    at: float
    labels: dict[str, str]
    starts_at: float | None = None
    ends_at: float | None = None


@dataclass(frozen=True, slots=True)
class Quiet:
    """A silence, set `at` so many seconds; `expires_at` where somebody ends it before its end."""

    at: float
    name: str
    matchers: tuple[tuple[str, str, str], ...]
    ends_at: float
    expires_at: float | None = None


@dataclass(frozen=True, slots=True)
class Script:
    """A subtree, its receivers by name (whether they hear of resolved alerts), and its alerts."""

    route: dict[str, object]
    receivers: dict[str, bool]
    posts: tuple[Post, ...]
    inhibit_rules: tuple[dict[str, object], ...] = ()
    quiets: tuple[Quiet, ...] = ()


def script(random: Random, name: str) -> Script:
    """A random script; `name` is the value of the label that leads to its subtree."""
    receivers = {f"{name}-{number}": random.random() < 0.8 for number in range(3)}
    late = random.random() < 0.15
    top = {"matchers": [f'script="{name}"'], **_timers(random, late=late)}
    route = _route(random, list(receivers), top, 0)
    route["receiver"] = f"{name}-0"
    if random.random() < 0.15:
        route[random.choice(("mute_time_intervals", "active_time_intervals"))] = [
            random.choice(("always", "never"))
        ]
    posts = sorted(_late(random, name) if late else _lives(random, name), key=lambda post: post.at)
    if late:
        return Script(route, receivers, tuple(posts))
    return Script(
        *(route, receivers, tuple(posts)),
        inhibit_rules=tuple(_inhibits(random, name) for _ in range(random.choice((0, 0, 1, 2)))),
        quiets=tuple(_quiet(random, name, number) for number in range(random.choice((0, 0, 1, 2)))),
    )


def tree(random: Random, name: str) -> dict[str, object]:
    """A route tree alone, deep and wide."""
    receivers = [f"{name}-{number}" for number in range(4)]
    route = _route(random, receivers, {"matchers": [f'script="{name}"']}, 0, width=5)
    return route | {"receiver": receivers[0]}


def labels(random: Random) -> dict[str, str]:
    """A random label set; some labels are missing."""
    return {
        name: random.choice(values) for name, values in _VALUES.items() if random.random() < 0.8
    }


def _timers(random: Random, *, late: bool) -> dict[str, object]:
    interval = random.choice((1, 2))
    repeat = interval * random.choice((1, 2)) + interval / 2
    return {
        "group_wait": f"{500 if late else random.choice((500, 1500))}ms",
        "group_interval": f"{interval}s",
        "repeat_interval": f"{round(repeat * 1000)}ms",
    }


def _route(
    random: Random, receivers: list[str], top: dict[str, object], depth: int, width: int = 3
) -> dict[str, object]:
    route = dict(top)
    if depth == 0 or random.random() < 0.4:
        chosen = random.choice(([], ["a"], ["a", "b"], ["alertname", "nosuch"], ["..."]))
        route["group_by"] = chosen
    if depth < 3:
        children = (_child(random, receivers, depth, width) for _ in range(random.randrange(width)))
        # Alertmanager takes two siblings of the same matchers and receiver for one in its log.
        unique = {str(sorted(child["matchers"])): child for child in children}  # type: ignore[call-overload]
        route["routes"] = list(unique.values())
    return route


def _child(random: Random, receivers: list[str], depth: int, width: int) -> dict[str, object]:
    top: dict[str, object] = {
        "matchers": [_matcher(random) for _ in range(random.choice((1, 1, 2)))]
    }
    if random.random() < 0.7:
        top["receiver"] = random.choice(receivers)
    if random.random() < 0.5:
        top["continue"] = True
    return _route(random, receivers, top, depth + 1, width)


def _matcher(random: Random) -> str:
    name, operator, value = _condition(random)
    return f'{name}{operator}"{value}"'


def _condition(random: Random) -> tuple[str, str, str]:
    name = random.choice(tuple(_VALUES))
    operator = random.choice(("=", "!=", "=~", "!~"))
    value = random.choice(_PATTERNS if "~" in operator else (*_VALUES[name], ""))
    return name, operator, value


def _inhibits(random: Random, name: str) -> dict[str, object]:
    mine = f'script="{name}"'
    return {
        "source_matchers": [mine, _matcher(random)],
        "target_matchers": [mine, _matcher(random)],
        "equal": random.choice(([], ["a"], ["b"], ["alertname", "sev"], ["nosuch"])),
    }


def _quiet(random: Random, name: str, number: int) -> Quiet:
    at = float(random.randrange(7))
    label, operator, value = _condition(random)
    return Quiet(
        *(at, f"{name}-{number}", (("script", "=", name), (label, operator, value))),
        ends_at=at + random.randint(1, 5),
        expires_at=at + random.randint(1, 3) if random.random() < 0.3 else None,
    )


def _lives(random: Random, name: str) -> Iterator[Post]:
    sets = {tuple(sorted(labels(random).items())) for _ in range(random.randint(1, 5))}
    for number, pairs in enumerate(sorted(sets)):
        known = dict(pairs) | {"alertname": f"A{number % 2}", "script": name}
        yield from _life(random, known)


def _life(random: Random, known: dict[str, str]) -> Iterator[Post]:
    """Fires, is said again, resolves or ends by itself, and perhaps fires again."""
    at = float(random.randrange(3))
    while at < LENGTH:
        kind = random.choice(("fire", "fire", "until", "resolve"))
        if kind == "until":
            ends_at = at + random.randint(1, 4)
            # Without a start the API takes the end for it.
            yield Post(at, known, at if random.random() < 0.7 else None, ends_at)
            # Not at the instant at which it ends.
            at = ends_at + 1 if random.random() < 0.6 else at + max(1, ends_at - at - 1)
            at += 1 if at == ends_at else 0
        else:
            yield Post(at, known, None, at if kind == "resolve" else None)
            at += random.choice((1, 1, 2, 3, 5))


def _late(random: Random, name: str) -> Iterator[Post]:
    known = labels(random) | {"alertname": "Late", "script": name}
    yield Post(0, known, -10.0)
    at = random.randint(1, 2) + 0.5
    while at < LENGTH:
        if random.random() < 0.3:
            yield Post(at, known, None, at)
            return
        yield Post(at, known)
        at += random.choice((1, 2))
