"""`tocsin check`: every configuration file, every problem, nothing started."""

import argparse
import json
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Final

from ops.cli.options import settings_of
from ops.cli.terminal import complain
from ops.config_problems import Origin, Problem, Problems
from ops.settings import DEFAULT_FILE, Loaded, Settings, missing_files
from schemas.errors import LogAway, Refused

NO_FILE: Final = (
    f"nothing was there to check: no {DEFAULT_FILE} here, so name a file with --config F"
)


def run(arguments: argparse.Namespace) -> int:
    """Exit code 2 with the list of problems, if there are any; 3 if `--live` met nobody."""
    found: list[Problem] = []
    try:
        loaded = settings_of(arguments)
    except Problems as fault:
        found += fault.problems
        loaded = fault.rest if isinstance(fault.rest, Loaded) else Loaded(Settings(), {})
    settings = loaded.settings
    found += check_rules(settings)
    found += check_routes(settings)
    if settings.profile == "production":
        from ops.config_production import lacks

        found += lacks(loaded)
    away = ""
    if arguments.live:
        from ops.cli.check_live import differences

        try:
            found += differences(settings)
        except LogAway as fault:
            away = str(fault)
    from ops.cli.check_gaps import gap_warnings

    warnings = list(gap_warnings(settings, round(time.time() * 1_000)))
    has_file = arguments.config or DEFAULT_FILE.exists()
    if not has_file and not settings.rules and settings.routes is None:
        warnings.append(NO_FILE)
    _tell(settings, Problems(found), away, warnings, as_json=arguments.json)
    if found:
        return 2
    return 3 if away else 0


def _tell(
    settings: Settings, fault: Problems, away: str, warnings: list[str], *, as_json: bool
) -> None:
    if as_json:
        told: dict[str, object] = {"problems": [_json(problem) for problem in fault.problems]}
        told |= {"warnings": warnings} if warnings else {}
        print(json.dumps(told | ({"away": away} if away else {})))
        return
    for warning in warnings:
        complain(f"warning: {warning}")
    if fault.problems:
        complain(str(fault))
    else:
        files = [*settings.rule_files(), *([settings.routes] if settings.routes else [])]
        print("\n".join([*(f"{file}: fine" for file in files), "no problems"]))
    if away:
        complain(f"not checked live: {away}")


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
    from processors.partials.planning import planned
    from processors.rules.file import BadRules, load

    for file in files:
        try:
            load(text_of(file), str(file), planning=planned)
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
    from notifiers.oncall.calendar_file import with_calendars
    from notifiers.template_files import read_templates, undefined

    try:
        text = with_calendars(text_of(file), file.parent)
        config, problems = read(text, str(file), mode=settings.matchers)
    except Refused as fault:
        yield Problem(Origin(str(file)), "", str(fault))
        return
    for bad in problems:
        yield Problem(Origin(bad.file, bad.line), bad.key, bad.message, bad.hint)
    if config is None:
        return
    try:
        templates = read_templates(config.templates, file.absolute().parent)
    except ValueError as fault:
        yield Problem(Origin(str(file)), "templates", str(fault))
        return
    for message in undefined(config, templates):
        yield Problem(Origin(str(file)), "receivers", message)


def text_of(file: Path) -> str:
    """A file's text; raises Refused."""
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
