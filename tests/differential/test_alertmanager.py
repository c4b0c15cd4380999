"""The same routes and the same alerts into Alertmanager, in real time, and into the simulator."""

import json
import subprocess
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import Random, SystemRandom

import pytest
from hypothesis import settings

from notifiers.alert_script import read_script
from notifiers.config import read
from notifiers.redact import without_secrets
from notifiers.simulator import Simulator
from ops.cli.command_line import main
from schemas.deliveries import Delivery, Why
from tests.differential import route_scripts
from tests.differential.alertmanager import Alertmanager, alertmanager, amtool, serving
from tests.differential.route_scripts import END, Post, Quiet, Script
from tests.support.waiting import eventually
from tests.support.webhook import Webhook

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        alertmanager() is None or amtool() is None,
        reason="no oracle: name its binaries in ALERTMANAGER and AMTOOL (`make peers`)",
    ),
]
SCRIPTS, TREES, ALERTS_PER_TREE = 60, 40, 50
LATEST = 0.15
"""Seconds that a post may be late; instants are 0.25 apart."""
_REASONS = {Why.GREW: "new alerts added"}
"""Where Alertmanager's words are not ours."""


@dataclass(frozen=True)
class Message:
    """What a receiver was told: alerts by labels, with status and times since the start (s)."""

    at: float
    status: str
    why: str
    alerts: dict[str, tuple[str, float, float | None]]

    def agrees(self, other: "Message") -> bool:
        """The same alerts in the same state and for the same reason, told within a second."""
        return (
            (self.status, self.why) == (other.status, other.why)
            and self.alerts.keys() == other.alerts.keys()
            and abs(self.at - other.at) < 1
            and all(_same(self.alerts[one], other.alerts[one]) for one in self.alerts)
        )


Messages = dict[tuple[str, str], list[Message]]


class TooSlow(Exception):
    """This machine did not keep the script's time."""


def seed() -> int:
    """The same every time where CI says so."""
    derandomized = settings().derandomize
    return 0 if derandomized else SystemRandom().randrange(2**32)


def test_messages_are_alertmanagers(tmp_path: Path) -> None:
    number = seed()
    random = Random(number)
    scripts = [route_scripts.script(random, f"s{place}") for place in range(SCRIPTS)]
    different = differences(scripts, tmp_path / "first")
    if different:
        # Ours is a function of the script; a difference that does not come again is of the time
        # that Alertmanager took to hear something.
        again = differences(scripts, tmp_path / "again")
        different = {key: said for key, said in again.items() if key in different}
    assert different == {}, f"seed {number}, {len(different)} groups differ:\n" + "\n".join(
        list(different.values())[:10]
    )


def differences(scripts: Sequence[Script], folder: Path) -> dict[tuple[str, str], str]:
    """The groups in which the two said something else, in words."""
    for attempt in range(3):
        home = folder / str(attempt)
        home.mkdir(parents=True)
        try:
            theirs, mine, _ = played(scripts, home)
        except TooSlow:
            continue
        break
    else:
        pytest.fail("this machine did not keep the script's time in three runs")
    assert sum(map(len, theirs.values())) > 3 * SCRIPTS
    return {
        key: f"{key}\n  theirs {_told(theirs.get(key, []))}\n  mine   {_told(mine.get(key, []))}"
        for key in sorted(theirs.keys() | mine.keys())
        if not same(theirs.get(key, []), mine.get(key, []))
    }


def test_alerts_reach_alertmanagers_receivers(tmp_path: Path) -> None:
    number = seed()
    random = Random(number)
    names = [f"t{place}" for place in range(TREES)]
    trees = {name: route_scripts.tree(random, name) for name in names}
    receivers = {f"{name}-{each}": True for name in names for each in range(4)}
    config = configuration(list(trees.values()), receivers, "http://127.0.0.1:9/")
    sets = [
        route_scripts.labels(random) | {"script": name, "n": str(each)}
        for name in names
        for each in range(ALERTS_PER_TREE)
    ]
    found, problems = read(config, "routes.yml")
    assert found is not None, problems
    mine = {
        (labels["script"], labels["n"]): sorted(
            route.receiver for route in found.route.match(labels)
        )
        for labels in sets
    }
    with serving(config, tmp_path) as server:
        for start in range(0, len(sets), 500):
            server.post([{"labels": labels} for labels in sets[start : start + 500]])
        theirs = eventually(lambda: routed(server, len(sets)))
    different = {key: (theirs[key], mine[key]) for key in mine if theirs[key] != mine[key]}
    assert different == {}, f"seed {number}"


def test_the_tree_that_is_tried_is_amtools(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    random = Random(seed())
    file = tmp_path / "routes.yml"
    for place in range(12):
        tree = route_scripts.tree(random, "t")
        receivers = {f"t-{each}": True for each in range(4)}
        file.write_text(configuration([tree], receivers, "http://127.0.0.1:9/"))
        labels = route_scripts.labels(random) | {"script": "t", "n": str(place)}
        words = [f"{name}={json.dumps(value)}" for name, value in labels.items()]
        call = [amtool() or "amtool", "config", "routes", "test", f"--config.file={file}"]
        theirs = subprocess.run(
            [*call, "--tree", *words], capture_output=True, text=True, timeout=60, check=True
        )
        assert main(["routes", "test", "--routes", str(file), "--tree", *words]) == 0
        assert capsys.readouterr().out == theirs.stdout


def configuration(
    routes: Sequence[Mapping[str, object]],
    receivers: Mapping[str, bool],
    url: str,
    inhibit_rules: Sequence[Mapping[str, object]] = (),
) -> str:
    """A routing file with these subtrees; JSON is YAML."""
    timeout = f"{round(route_scripts.TIMEOUT * 1000)}ms"
    webhooks = [
        {"name": name, "webhook_configs": [{"url": url, "send_resolved": resolved}]}
        for name, resolved in receivers.items()
    ]
    return json.dumps(
        {
            "global": {"resolve_timeout": timeout},
            "route": {"receiver": "nobody", "routes": routes},
            "receivers": [{"name": "nobody"}, *webhooks],
            "inhibit_rules": inhibit_rules,
            "time_intervals": [
                {"name": "always", "time_intervals": [{"years": ["2000:2999"]}]},
                {"name": "never", "time_intervals": [{"years": ["1999"]}]},
            ],
        }
    )


def routed(server: Alertmanager, count: int) -> dict[tuple[str, str], list[str]]:
    """The receivers of each alert, once all alerts have theirs."""
    found = {
        # Of their order Alertmanager says nothing here; amtool does.
        (one["labels"]["script"], one["labels"]["n"]): sorted(
            each["name"] for each in one["receivers"]
        )
        for one in server.alerts()
    }
    complete = len(found) == count and all(found.values())
    return found if complete else {}


def played(scripts: Sequence[Script], folder: Path) -> tuple[Messages, Messages, str]:
    """What Alertmanager's receivers were told, and ours."""
    receivers = {name: told for each in scripts for name, told in each.receivers.items()}
    together: dict[float, list[Post | Quiet]] = defaultdict(list)
    for at, said in _in_time(scripts):
        together[at].append(said)
    with Webhook() as webhook:
        rules = [rule for each in scripts for rule in each.inhibit_rules]
        config = configuration([each.route for each in scripts], receivers, webhook.url, rules)
        with serving(config, folder) as server:
            start = time.time() + 0.3
            begun = time.monotonic() + (start - time.time())
            sent = _post(server, together, start, begun)
            time.sleep(max(0.0, begun + END + 1.2 - time.monotonic()))
        theirs: Messages = defaultdict(list)
        for page in webhook.pages:
            message = _theirs(page.body, page.at - begun, start)
            theirs[page.body["groupKey"], page.body["receiver"]].append(message)
    return _until_end(theirs), _until_end(simulated(config, sent, start)), config


def _in_time(scripts: Sequence[Script]) -> list[tuple[float, Post | Quiet]]:
    """What is said at which second; a silence that is ended is said twice."""
    said: list[tuple[float, Post | Quiet]] = []
    for each in scripts:
        said += [(post.at, post) for post in each.posts]
        for quiet in each.quiets:
            said.append((quiet.at, quiet))
            if quiet.expires_at is not None and quiet.expires_at < quiet.ends_at:
                said.append((quiet.expires_at, quiet))
    return sorted(said, key=lambda one: one[0])


def _post(
    server: Alertmanager,
    together: Mapping[float, Sequence[Post | Quiet]],
    start: float,
    begun: float,
) -> list[tuple[float, dict[str, object]]]:
    """Announce everything at its time; with the times at which that was, as lines of a script."""
    sent: list[tuple[float, dict[str, object]]] = []
    ids: dict[str, str] = {}
    for at, said in together.items():
        # A resolved alert's end has to lie behind it.
        time.sleep(max(0.0, begun + at + 0.01 - time.monotonic()))
        now = time.monotonic() - begun
        server.post([_alert(post, start) for post in said if isinstance(post, Post)])
        for one in said:
            if isinstance(one, Post):
                sent.append((now, _alert(one, start)))
            elif one.name in ids:
                server.expire(ids[one.name])
                sent.append((now, {"expire": one.name}))
            else:
                silence = _silence(one, start)
                ids[one.name] = server.silence(silence)
                sent.append((now, {"silence": silence | {"id": one.name}}))
        if time.monotonic() - begun - at > LATEST:
            raise TooSlow
    return sent


def _silence(quiet: Quiet, start: float) -> dict[str, object]:
    return {
        "matchers": [
            {
                "name": name,
                "value": value,
                "isRegex": "~" in operator,
                "isEqual": operator.startswith("="),
            }
            for name, operator, value in quiet.matchers
        ],
        "startsAt": _rfc3339(start + quiet.at),
        "endsAt": _rfc3339(start + quiet.ends_at),
        "createdBy": "script",
        "comment": quiet.name,
    }


def _alert(post: Post, start: float) -> dict[str, object]:
    found: dict[str, object] = {"labels": post.labels}
    if post.starts_at is not None:
        found["startsAt"] = _rfc3339(start + post.starts_at)
    if post.ends_at is not None:
        found["endsAt"] = _rfc3339(start + post.ends_at)
    return found


def simulated(
    config: str, sent: Sequence[tuple[float, Mapping[str, object]]], start: float
) -> Messages:
    """The same on the virtual clock."""
    lines = [json.dumps({"at": _rfc3339(start + now), **said}) for now, said in sent]
    script, problems = read_script(lines, "script")
    assert problems == []
    found: Messages = defaultdict(list)
    end = round((start + END + 1) * 1_000)
    for verdict in Simulator(without_secrets(config), script[0].at).run(script, end):
        if (delivery := verdict.delivery) is not None:
            key = (delivery.group_key, delivery.receiver)
            found[key].append(_mine(delivery, verdict.at / 1_000 - start, start))
    return found


def _mine(delivery: Delivery, at: float, start: float) -> Message:
    alerts = {
        json.dumps(level.labels, sort_keys=True): (
            str(level.state),
            (level.starts_at or 0) / 1_000 - start,
            None if level.state == "firing" else (level.ends_at or 0) / 1_000 - start,
        )
        for level in delivery.alerts
    }
    return Message(at, _status(alerts), _REASONS.get(delivery.why, str(delivery.why)), alerts)


def _theirs(body: Mapping[str, object], at: float, start: float) -> Message:
    listed = body["alerts"]
    assert isinstance(listed, list)
    alerts = {
        json.dumps(one["labels"], sort_keys=True): (
            one["status"],
            _seconds(one["startsAt"]) - start,
            None if one["status"] == "firing" else _seconds(one["endsAt"]) - start,
        )
        for one in listed
    }
    return Message(at, str(body["status"]), str(body["notification_reason"]), alerts)


def _status(alerts: Mapping[str, tuple[str, float, float | None]]) -> str:
    return "firing" if any(one[0] == "firing" for one in alerts.values()) else "resolved"


def _same(one: tuple[str, float, float | None], other: tuple[str, float, float | None]) -> bool:
    ends = (one[2], other[2])
    return (
        one[0] == other[0]
        and abs(one[1] - other[1]) < LATEST
        and (None in ends or abs((ends[0] or 0) - (ends[1] or 0)) < LATEST)
    )


def same(theirs: Sequence[Message], mine: Sequence[Message]) -> bool:
    """Whether a group's messages are the same, in order."""
    return len(theirs) == len(mine) and all(
        one.agrees(other) for one, other in zip(theirs, mine, strict=True)
    )


def _until_end(messages: Messages) -> Messages:
    kept = {key: [one for one in some if one.at < END] for key, some in messages.items()}
    return {key: some for key, some in kept.items() if some}


def _told(messages: Sequence[Message]) -> list[str]:
    return [
        f"{one.at:.2f} {one.why}: "
        + ", ".join(
            f"{state} {name} {began:.2f}-{'' if ended is None else f'{ended:.2f}'}"
            for name, (state, began, ended) in sorted(one.alerts.items())
        )
        for one in messages
    ]


def _rfc3339(seconds: float) -> str:
    return datetime.fromtimestamp(round(seconds, 3), UTC).isoformat(timespec="milliseconds")


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
