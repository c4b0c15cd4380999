"""`tocsin check`: every configuration file, every problem, nothing started."""

import argparse
import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from ops.cli.options import settings_of
from ops.cli.terminal import complain
from ops.config_problems import Origin, Problem, Problems
from ops.settings import Loaded, Settings, missing_files
from schemas.errors import Refused


def run(arguments: argparse.Namespace) -> int:
    """Exit code 2 with the list of problems, if there are any."""
    found: list[Problem] = []
    try:
        settings = settings_of(arguments).settings
    except Problems as fault:
        found += fault.problems
        rest = fault.rest
        settings = rest if isinstance(rest, Settings) else Settings()
    found += check_rules(settings)
    found += check_routes(settings)
    problems = Problems(found)
    if arguments.json:
        print(json.dumps({"problems": [_json(problem) for problem in problems.problems]}))
    elif found:
        complain(str(problems))
    else:
        files = [*settings.rule_files(), *([settings.routes] if settings.routes else [])]
        print("\n".join([*(f"{file}: fine" for file in files), "no problems"]))
    return 2 if found else 0


def file_problems(loaded: Loaded) -> list[str]:
    """What is wrong with rule and routing files as they stand, also that they are gone."""
    settings = loaded.settings
    found = (
        *missing_files(settings, loaded.origins),
        *check_rules(settings),
        *check_routes(settings),
    )
    return [str(problem) for problem in found]


def check_rules(settings: Settings) -> Iterator[Problem]:
    """What is wrong with the rule files."""
    files = settings.rule_files()
    if not files:
        return
    from processors.rules.file import BadRules, load

    for file in files:
        try:
            load(_text(file), str(file))
        except BadRules as fault:
            for bad in fault.problems:
                origin = Origin(bad.file, bad.line)
                yield Problem(origin, bad.key, bad.message, bad.hint)
        except Refused as fault:
            yield Problem(Origin(str(file)), "", str(fault))


def check_routes(settings: Settings) -> Iterator[Problem]:
    """What is wrong with the routing file."""
    file = settings.routes
    if file is None or not file.is_file():
        return
    from notifiers.config import read

    try:
        _, problems = read(_text(file), str(file))
    except Refused as fault:
        yield Problem(Origin(str(file)), "", str(fault))
        return
    for bad in problems:
        yield Problem(Origin(bad.file, bad.line), bad.key, bad.message, bad.hint)


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as fault:
        why = fault.strerror if isinstance(fault, OSError) else "is not UTF-8"
        raise Refused(f"cannot be read: {why}") from fault


def _json(problem: Problem) -> dict[str, object]:
    origin = asdict(problem.origin)
    return {"source": origin["source"], "line": origin["line"]} | {
        "key": problem.key,
        "message": problem.message,
        "hint": problem.hint,
    }
