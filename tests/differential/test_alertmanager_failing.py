"""The same alerts to receivers that fail and come back: Alertmanager's messages, and ours.

Both run as processes, in real time, each with a receiver of its own that fails by the same script.
What is compared: what was taken in the end (groups, alerts, reasons, order), what was tried on the
way, and, where nothing is tried again within an attempt, how many requests that took.
"""

import json
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import groupby, pairwise
from pathlib import Path
from random import Random, SystemRandom

import httpx
import pytest
from hypothesis import settings

from tests.differential import failing_scripts
from tests.differential.alertmanager import alertmanager, serving
from tests.differential.failing_scripts import (
    EPISODE,
    INTERVAL,
    REFUSALS,
    RETRIED,
    TIMEOUT,
    Change,
    Script,
)
from tests.support.failing_webhook import FailingWebhook, Fault, Outage, Request
from tests.support.tocsin_process import Tocsin
from tests.support.waiting import eventually

pytestmark = pytest.mark.skipif(
    alertmanager() is None,
    reason="no oracle: name its binary in ALERTMANAGER (`make peers`)",
)
LATEST = 1.0
"""Seconds that a post may be late."""
REPEAT = "repeat interval elapsed"
APART = 2.0
"""Seconds between what they take and what we do; ticks of a group are one second apart."""


class TooSlow(Exception):
    """This machine did not keep the script's time."""


@dataclass(frozen=True)
class Said:
    """What a request says, without its instant: the alerts by `n`, with their state."""

    status: str
    reason: str
    alerts: tuple[tuple[str, str], ...]


Groups = dict[tuple[str, str], list[Request]]
"""Requests in order, by receiver and group key."""


def seed() -> int:
    """The same every time where CI says so."""
    return 0 if settings().derandomize else SystemRandom().randrange(2**32)


def test_what_a_failing_receiver_takes_in_the_end_is_alertmanagers(tmp_path: Path) -> None:
    compared(seed(), scripts=30, episodes=2, folder=tmp_path)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_after_an_outage_that_both_gave_up_on_everybody_knows_the_same(tmp_path: Path) -> None:
    """Alertmanager gives up after ten seconds, our breaker opens before that.

    On the way each may say other things; in the end neither may have taken for told what was not.
    """
    changes = (Change(0.0, fires=(0, 1)), Change(4.0, (2,), (0,)), Change(8.0, (3,), ()))
    scripts = [
        Script(
            name=f"{fault.name.lower()}-{resolved}",
            has_neighbour=True,
            send_resolved=resolved,
            repeat=3_600.0,
            group_by=(),
            changes=changes,
            outages=(Outage(0.0, 14.0, fault),),
        )
        for fault in Fault
        for resolved in (True, False)
    ]
    theirs, mine = played(scripts, tmp_path, rest=45.0)
    assert theirs.keys() == mine.keys()
    for key in theirs:
        assert firing(mine[key]) == firing(theirs[key]) == {"1", "2", "3"}, _told(mine[key])
        if key[0].endswith("True-well"):
            # It heard that this one fires, so it hears of its end.
            for each in (theirs[key], mine[key]):
                assert ("0", "resolved") in {pair for one in each for pair in said(one).alerts}


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_what_failing_receivers_take_over_many_outages_is_alertmanagers(tmp_path: Path) -> None:
    compared(seed(), scripts=60, episodes=6, folder=tmp_path)


def compared(number: int, scripts: int, episodes: int, folder: Path) -> None:
    """Play random scripts; a difference has to come twice: this is real time."""
    random = Random(number)
    chosen = [failing_scripts.script(random, f"s{place}", episodes) for place in range(scripts)]
    different = differences(chosen, folder / "first")
    if different:
        again = differences(chosen, folder / "again")
        different = {key: said for key, said in again.items() if key in different}
    assert different == {}, f"seed {number}, {len(different)} groups differ:\n" + "\n".join(
        list(different.values())[:10]
    )


def differences(scripts: Sequence[Script], folder: Path) -> dict[tuple[str, str], str]:
    """The groups in which the two said something else, in words."""
    for attempt in range(2):
        home = folder / str(attempt)
        home.mkdir(parents=True)
        try:
            theirs, mine = played(scripts, home)
        except TooSlow:
            continue
        break
    else:
        pytest.fail("this machine did not keep the script's time in two runs")
    by_name = {name: one for one in scripts for name in (one.name, one.neighbour)}
    failed = [one for each in theirs.values() for one in each if one.fault is not None]
    assert len(failed) > len(scripts) / 2, "receivers did fail"
    found = {}
    for key in sorted(theirs.keys() | mine.keys()):
        script, (one, other) = by_name[key[0]], (theirs.get(key, []), mine.get(key, []))
        if problem := _difference(script, one, other):
            found[key] = (
                f"{key} {problem}\n  {script}\n  theirs {_told(one)}\n  mine   {_told(other)}"
            )
    return found


def _difference(script: Script, theirs: Sequence[Request], mine: Sequence[Request]) -> str:
    """In what they differ; empty if in nothing that is to be alike."""
    if script.neighbour in {one.receiver for one in (*theirs, *mine)}:
        return "" if news(theirs) == news(mine) else "was told other news"
    if taken(theirs) != taken(mine):
        return "took other messages"
    if script.faults <= REFUSALS | RETRIED and tried(theirs) != tried(mine):
        return "were sent other messages"
    if script.faults <= REFUSALS:
        return _refused(script, theirs, mine)
    return "got one message under several keys" if _keys(mine) else ""


def _keys(requests: Sequence[Request]) -> bool:
    """Whether one message came under several idempotency keys before it was taken."""
    return any(
        before.fault is not None and said(before) == said(after) and before.key != after.key
        for before, after in pairwise(requests)
    )


def _refused(script: Script, theirs: Sequence[Request], mine: Sequence[Request]) -> str:
    """Each refusal is followed by nothing until the next tick, which decides anew."""
    if len({one.key for one in mine}) < len(mine):
        return "were tried again after a refusal"
    if abs(len(theirs) - len(mine)) > 1 + len(script.outages):
        # A tick that comes late may fall behind an outage, or behind the end.
        return "made other requests"
    instants = zip(_instants(theirs), _instants(mine), strict=True)
    return "took them later" if any(abs(a - b) > APART for a, b in instants) else ""


def _instants(requests: Sequence[Request]) -> list[float]:
    """When each message was first taken."""
    mine = [one for one in requests if one.fault is None]
    return [next(run).at for _, run in groupby(mine, said)]


def taken(requests: Sequence[Request]) -> list[Said]:
    """What the receiver answered 200, in order; what it was told again and again counts once."""
    return [one for one, _ in groupby(said(each) for each in requests if each.fault is None)]


def news(requests: Sequence[Request]) -> list[tuple[str, str, tuple[tuple[str, str], ...]]]:
    """What a channel that is well hears, without the ends that it has heard of.

    An alert stays in its group until every channel was told its end, on both sides. We tell this
    channel at each tick what is new; Alertmanager only once it is done with the other channel, by
    success or by giving up: so the same end stands in more messages, or in fewer.
    """
    known: dict[str, str] = {}
    found = []
    for one in tried(requests):
        over = {name for name, state in one.alerts if known.get(name) == state == "resolved"}
        known |= dict(one.alerts)
        alerts = tuple(pair for pair in one.alerts if pair[0] not in over)
        found.append((one.status, one.reason, alerts))
    return [one for one, _ in groupby(found)]


def firing(requests: Sequence[Request]) -> set[str]:
    """The alerts that, as far as it was told, still fire."""
    last = [said(one) for one in requests if one.fault is None][-1]
    return {name for name, state in last.alerts if state == "firing"}


def tried(requests: Sequence[Request]) -> list[Said]:
    """What was sent, in order, repetitions left out: what was said again at once counts once.

    Whether a repetition falls into an outage hangs on when the message before was taken.
    """
    return [one for one, _ in groupby(map(said, requests)) if one.reason != REPEAT]


def said(request: Request) -> Said:
    """What it says."""
    body = request.body
    alerts = tuple(sorted((one["labels"]["n"], one["status"]) for one in body["alerts"]))
    return Said(body["status"], body["notification_reason"], alerts)


def configuration(scripts: Sequence[Script], webhook: FailingWebhook) -> str:
    """The routing file that leads to this receiver; JSON is YAML."""
    return json.dumps(
        {
            "global": {"resolve_timeout": "1h"},
            "route": {
                "receiver": "warm",
                "group_wait": "0s",
                "routes": [_route(one) for one in scripts],
            },
            "receivers": [
                {"name": "warm", "webhook_configs": [{"url": webhook.url("warm")}]},
                *(
                    {
                        "name": one.name,
                        "webhook_configs": [
                            {
                                "url": webhook.url(name),
                                "send_resolved": one.send_resolved,
                                "timeout": f"{round(TIMEOUT * 1_000)}ms",
                            }
                            for name in (one.name, one.neighbour)[: 1 + one.has_neighbour]
                        ],
                    }
                    for one in scripts
                ),
            ],
        }
    )


def _route(script: Script) -> dict[str, object]:
    return {
        "receiver": script.name,
        "matchers": [f'script="{script.name}"'],
        "group_by": list(script.group_by),
        "group_wait": "500ms",
        "group_interval": f"{round(INTERVAL * 1_000)}ms",
        "repeat_interval": f"{round(script.repeat * 1_000)}ms",
    }


def played(scripts: Sequence[Script], folder: Path, rest: float = EPISODE) -> tuple[Groups, Groups]:
    """What Alertmanager sent, and what we did, until `rest` after the last episode's begin."""
    outages = {one.name: one.outages for one in scripts}
    with FailingWebhook(outages) as theirs, FailingWebhook(outages) as mine:
        with (
            serving(configuration(scripts, theirs), folder) as server,
            Tocsin(
                folder / "tocsin",
                routes=configuration(scripts, mine),
                only=("router", "courier", "console"),
            ) as tocsin,
        ):
            tocsin.start().ready()
            _warm_up((server.url, tocsin.url), (theirs, mine))
            begun = time.monotonic() + 0.3
            for one in (theirs, mine):
                one.begin(begun)
            _play(scripts, (server.url, tocsin.url), begun)
            last = max(one.changes[-1].at for one in scripts)
            time.sleep(max(0.0, begun + last // EPISODE * EPISODE + rest - time.monotonic()))
        return _by_group(theirs), _by_group(mine)


def _warm_up(urls: Sequence[str], webhooks: Sequence[FailingWebhook]) -> None:
    """What a process does for the first time takes long: let a message arrive before the start."""
    for url in urls:
        alerts = [{"labels": {"alertname": "A", "n": "0"}}]
        httpx.post(f"{url}/api/v2/alerts", json=alerts, trust_env=False).raise_for_status()
    eventually(lambda: all(one.requests for one in webhooks), 30)


def _play(scripts: Sequence[Script], urls: Sequence[str], begun: float) -> None:
    """Announce everything at its time, to both at once."""
    together: dict[float, list[tuple[str, Change]]] = defaultdict(list)
    for script in scripts:
        for change in script.changes:
            together[change.at].append((script.name, change))
    with httpx.Client(trust_env=False, timeout=30) as client, ThreadPoolExecutor(2) as pool:
        for at, changes in sorted(together.items()):
            time.sleep(max(0.0, begun + at + 0.01 - time.monotonic()))
            alerts = [one for name, change in changes for one in _alerts(name, change)]
            list(pool.map(partial(_post, client, alerts), urls))
            if time.monotonic() - begun - at > LATEST:
                raise TooSlow


def _post(client: httpx.Client, alerts: Sequence[Mapping[str, object]], url: str) -> None:
    client.post(f"{url}/api/v2/alerts", json=alerts).raise_for_status()


def _alerts(script: str, change: Change) -> list[Mapping[str, object]]:
    now = datetime.now(UTC).isoformat(timespec="milliseconds")

    def labels(n: int) -> dict[str, str]:
        return {"alertname": "A", "script": script, "n": str(n), "parity": str(n % 2)}

    return [{"labels": labels(n)} for n in change.fires] + [
        {"labels": labels(n), "endsAt": now} for n in change.ends
    ]


def _by_group(webhook: FailingWebhook) -> Groups:
    found: Groups = defaultdict(list)
    for request in webhook.requests[1:]:
        found[request.receiver, request.body["groupKey"]].append(request)
    return dict(found)


def _told(requests: Sequence[Request]) -> list[str]:
    return [
        f"{one.at:.2f} {'taken' if one.fault is None else one.fault}: "
        f"{said(one).reason}: {' '.join(f'{n}={state}' for n, state in said(one).alerts)}"
        for one in requests
    ]
