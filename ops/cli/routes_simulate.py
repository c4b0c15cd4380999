"""`tocsin routes simulate`: what the router would decide about a script of alerts."""

import argparse
import json
import sys
from itertools import chain

from notifiers.alert_script import Timed, instant, read_script
from notifiers.simulator import Simulator, Verdict, last_instant
from ops.cli.query import when
from ops.cli.routes_file import plan_at, text_at
from ops.cli.terminal import complain
from schemas.alerts import AlertLevel
from schemas.errors import Refused


def run(arguments: argparse.Namespace) -> int:
    """Print every decision as a JSON line. Raises Refused if a line of the script is wrong."""
    content = plan_at(arguments.routes)
    script, complaints = _script(arguments.alerts)
    for complaint in complaints:
        complain(complaint)
    if complaints:
        raise Refused(f"{arguments.alerts}: nothing was simulated: mend these lines first")
    if not script:
        return 0
    until = _until(arguments.until, script)
    for verdict in Simulator(content, script[0].at).run(script, until):
        print(json.dumps(_plain(verdict), ensure_ascii=False))
    return 0


def _script(file: str) -> tuple[list[Timed], list[str]]:
    name = "standard input" if file == "-" else file
    text = sys.stdin.read() if file == "-" else text_at(file)
    script, problems = read_script(text.split("\n"), name)
    return script, [str(problem) for problem in problems]


def _until(text: str | None, script: list[Timed]) -> int:
    if text is None:
        return last_instant(script)
    try:
        return instant(int(text) if text.isdecimal() else text)
    except ValueError as fault:
        raise Refused(f"routes simulate: --until: {fault}") from fault


def _plain(verdict: Verdict) -> dict[str, object]:
    decision = verdict.decision
    return {
        "time": when(verdict.at / 1_000),
        "group": decision.group_key,
        "receiver": decision.receiver,
        "integration": decision.integration,
        "decision": "skip" if verdict.delivery is None else "send",
        "reason": str(decision.why),
        "alerts": [
            _alert(level, status)
            for level, status in chain(
                ((one, "firing") for one in verdict.firing),
                ((one, "resolved") for one in verdict.resolved),
            )
        ],
    } | ({"held": _held(verdict)} if decision.held else {})


def _held(verdict: Verdict) -> list[dict[str, object]]:
    """What was not told, by its causes; as `tocsin alerts explain` names them."""
    return [
        {"causes": list(causes), "alerts": [level.labels for level in levels]}
        for causes, levels in verdict.held
    ]


def _alert(level: AlertLevel, status: str) -> dict[str, object]:
    told: dict[str, object] = {"status": status, "labels": level.labels}
    if level.starts_at is not None:
        told["startsAt"] = when(level.starts_at / 1_000)
    if level.ends_at is not None and status == "resolved":
        told["endsAt"] = when(level.ends_at / 1_000)
    return told
