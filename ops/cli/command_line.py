"""What can be typed after `tocsin`, and the exit code it ends with.

0 fine · 1 the answer is no · 2 the call or the configuration is wrong · 3 a service is away
"""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Final

from ops.cli import incident_verbs
from ops.cli.terminal import complain, speak_safely
from schemas.errors import DataDirectoryError, Refused, TocsinError

FINE: Final = 0
NO: Final = 1
WRONG: Final = 2
AWAY: Final = 3

_WORKERS: Final = {
    "detector": "a worker on Kafka: samples to alerts",
    "router": "a worker on Kafka: alerts to deliveries",
    "courier": "a worker on Kafka: deliveries to receivers",
    "historian": "a worker on Kafka: everything to ClickHouse",
}
_OURS = frozenset({"schemas", "collectors", "processors", "notifiers", "ops"})


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit code is the answer."""
    speak_safely()
    try:
        arguments = _parser().parse_args(argv)
    except SystemExit as end:
        # argparse says what is wrong and ends with 2, or with 0 after --help.
        return end.code if isinstance(end.code, int) else WRONG
    # A command imports only what it needs: `up` starts without the client, `query` without `up`.
    try:
        run: Callable[[argparse.Namespace], int] = import_module(arguments.module).run
        return run(arguments)
    except (Refused, DataDirectoryError) as fault:
        complain(str(fault))
        return WRONG
    except ModuleNotFoundError as fault:
        if (fault.name or "").partition(".")[0] in _OURS:
            raise
        extra = "worker" if fault.name in {"kafka", "faust"} else "embedded"
        complain(f"{fault.name} is not installed: this command needs pip install '.[{extra}]'")
        return WRONG
    except BrokenPipeError:
        # `tocsin alerts list | head`: nobody reads on, and Python must not complain at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FINE
    except (TocsinError, ConnectionError, TimeoutError) as fault:
        complain(str(fault))
        return AWAY
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tocsin",
        description="Production monitoring and alerting.",
        epilog="exit codes: 0 fine, 1 the answer is no, 2 the call or configuration is wrong, "
        "3 a service could not be reached",
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    up = _command(commands, "up", "ops.cli.up", "everything here, embedded")
    _settings(up)
    up.add_argument("--rules", nargs="+", action="extend", metavar="F", help="rule files")
    up.add_argument("--routes", metavar="F", help="routing file")
    up.add_argument("--matchers", metavar="MODE", help="classic, fallback or utf8")
    up.add_argument("--route-prefix", metavar="PATH", help="serve everything under it")
    up.add_argument("--only", metavar="STAGE,…", help="run these stages alone")
    up.add_argument("--listen", metavar="HOST:PORT", help="port 0 picks a free one")

    agent = _worker(commands, "agent", "watch this host, for Kafka or another `tocsin up`")
    agent.add_argument("--server", metavar="URL", help="of that `tocsin up`, instead of Kafka")
    agent.add_argument("--token-file", metavar="F", help="its agent.token")
    for stage, what in _WORKERS.items():
        _worker(commands, stage, what)
    console = _command(commands, "console", "ops.cli.worker", "the server and its page, on Kafka")
    console.set_defaults(stage="console")
    _settings(console)
    console.add_argument("--listen", metavar="HOST:PORT", help="port 0 picks a free one")
    console.add_argument("--probes", metavar="HOST:PORT", help="for probes besides its own")

    check = _command(commands, "check", "ops.cli.check", "validate every configuration file")
    _settings(check)
    check.add_argument("--live", action="store_true", help="compare Kafka's topics too")
    check.add_argument("--json", action="store_true")

    apply = _command(commands, "apply", "ops.cli.apply", "put rules and routes in force on Kafka")
    _settings(apply)
    apply.add_argument("--wait", type=_seconds, metavar="S", help="until the workers follow")
    apply.add_argument("--json", action="store_true")

    query = _command(commands, "query", "ops.cli.query", "PromQL on history")
    _query(query)

    verbs = _verbs(commands, "alerts", "alerts as they are now")
    explain = _command(verbs, "explain", "ops.cli.alerts_explain", "why you were paged, or not")
    explain.add_argument(
        "alert", nargs="+", metavar="ID", help="fingerprint, incident, or LABEL=V…"
    )
    _client(explain)
    listed = _command(verbs, "list", "ops.cli.alerts", "all alerts; exit code 1 if one is firing")
    _client(listed)
    incidents = _verbs(commands, "incidents", "what was paged, and what became of it")
    incident_verbs.add(verbs, incidents, _command, _client)

    _with_verbs(commands)

    status = _command(commands, "status", "ops.cli.status", "how everything is; 1 if not well")
    _client(status)

    load = _command(commands, "load", "ops.cli.load", "a synthetic fleet, for capacity tests")
    _load(load)

    probe = _command(commands, "probe", "ops.cli.probe", "ask what runs here how it is")
    _settings(probe)
    probe.add_argument("--url", metavar="URL", help="else what --data knows of")

    version = _command(commands, "version", "ops.cli.version", "which Tocsin this is")
    version.add_argument("--json", action="store_true")
    return parser


def _with_verbs(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    _rules(_verbs(commands, "rules", "rule files"))
    _routes(_verbs(commands, "routes", "routing files"))
    _heartbeats(_verbs(commands, "heartbeats", "jobs that are to be heard of"))
    _dead_letters(_verbs(commands, "dead-letters", "what could not be read or sent"))
    _topics(_verbs(commands, "topics", "Kafka's topics"))
    _oncall(_verbs(commands, "oncall", "who is on call"))
    _maintenance(commands)


def _command(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    module: str,
    what: str,
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=what, description=what, allow_abbrev=False)
    parser.set_defaults(module=module)
    return parser


def _verbs(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, what: str
) -> "argparse._SubParsersAction[argparse.ArgumentParser]":
    parser = commands.add_parser(name, help=what, allow_abbrev=False)
    return parser.add_subparsers(metavar="VERB", dest="verb", required=True)


def _seconds(text: str) -> float:
    seconds = float(text.removesuffix("s"))
    if not 0 <= seconds < 1e6:
        raise ValueError(text)
    return seconds


def _worker(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", stage: str, what: str
) -> argparse.ArgumentParser:
    parser = _command(commands, stage, "ops.cli.worker", what)
    parser.set_defaults(stage=stage)
    _settings(parser)
    parser.add_argument("--listen", dest="probes", metavar="HOST:PORT", help="for probes")
    return parser


def _settings(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", metavar="F", help="else ./tocsin.yaml, if it is there")
    parser.add_argument("--data", metavar="DIR", help="data directory; else ./tocsin-data")
    parser.add_argument("--profile", metavar="P", help="local, staging, production or docker")


def _rules(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    check = _command(verbs, "check", "ops.cli.rules_check", "as promtool check rules")
    check.add_argument("files", nargs="*", metavar="FILE", help="else standard input")
    check.add_argument("--lint", default="duplicate-rules", metavar="L", help="or all, none")
    check.add_argument("--lint-fatal", action="store_true", help="exit code 3 for duplicates")
    test = _command(verbs, "test", "ops.cli.rules_test", "as promtool test rules")
    test.add_argument("files", nargs="+", metavar="FILE", help="tests in promtool's format")
    test.add_argument("--run", action="append", metavar="REGEX", help="tests by their names")
    test.add_argument("--diff", action="store_true", help="alerts that differ, line by line")
    test.add_argument("--debug", action="store_true", help="how long each file took")
    test.add_argument("--junit", metavar="F", help="write the verdicts there as JUnit's XML")
    for parser in (check, test):
        parser.add_argument("--ignore-unknown-fields", action="store_true")
        parser.add_argument("--json", action="store_true")
    explain = _command(verbs, "explain", "ops.cli.rules_explain", "each rule's plan and cost")
    explain.add_argument("files", nargs="+", metavar="FILE")
    _client(explain)
    backtest = _command(verbs, "backtest", "ops.cli.rules_backtest", "what would have fired")
    backtest.add_argument("files", nargs="+", metavar="FILE")
    backtest.add_argument("--since", default="1d", metavar="D", help="how far back: 7d, 12h; 1d")
    backtest.add_argument("--json", action="store_true")
    _settings(backtest)


def _routes(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    simulate = _command(verbs, "simulate", "ops.cli.routes_simulate", "what would be told, when")
    simulate.add_argument("alerts", metavar="ALERTS.jsonl", help="timed alerts; - reads them here")
    simulate.add_argument("--until", metavar="T", help="else a day after the last line")
    test = _command(verbs, "test", "ops.cli.routes_test", "as amtool config routes test")
    test.add_argument("labels", nargs="*", metavar="LABEL=VALUE")
    test.add_argument("--at", metavar="T", help="say which routes are muted then; or: now")
    test.add_argument("--verify-receivers", metavar="A,B", help="exit code 1 if others are reached")
    test.add_argument("--tree", action="store_true", help="the routes that are tried")
    test.add_argument("--json", action="store_true")
    for parser in (simulate, test):
        parser.add_argument("--routes", required=True, metavar="FILE", help="the routing file")
    drill = _command(verbs, "drill", "ops.cli.routes_drill", "a marked test to a receiver")
    drill.add_argument("receiver", metavar="RECEIVER")
    drill.add_argument("--timeout", type=_seconds, default=60.0, metavar="S", help="60s")
    drill.add_argument("--by", default="", metavar="NAME", help="who asks for it")
    _client(drill)
    diff = _command(verbs, "diff", "ops.cli.routes_diff", "what changes; exit code 1 if anything")
    diff.add_argument("old", metavar="OLD", help="a routing file")
    diff.add_argument("new", metavar="NEW", help="and what shall replace it")
    diff.add_argument("--alerts", metavar="ALERTS.jsonl", help="else one made for each route")
    diff.add_argument("--json", action="store_true")


def _heartbeats(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    listed = _command(verbs, "list", "ops.cli.heartbeats", "all of them; 1 if one is down")
    _client(listed)


def _dead_letters(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    module = "ops.cli.dead_letters"
    listed = _command(verbs, "list", module, "the newest first")
    listed.add_argument("--since", metavar="D", help="how far back: 7d, 12h; else all")
    listed.add_argument("--limit", type=int, default=100, metavar="N", help="how many; 100")
    show = _command(verbs, "show", module, "why it was put aside, and what it holds")
    show.add_argument("id", metavar="ID", help="as `list` shows it")
    resend = _command(verbs, "resend", module, "send deliveries again; 1 if one did not arrive")
    resend.add_argument("id", nargs="+", metavar="ID")
    resend.add_argument("--by", default="", metavar="NAME", help="who asks for it")
    resend.add_argument("--timeout", type=_seconds, default=60.0, metavar="S", help="60s")
    for parser in (listed, show, resend):
        _client(parser)


def _oncall(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    show = _command(verbs, "show", "ops.cli.oncall", "each schedule's shifts; 1 if nobody is")
    show.add_argument("schedule", nargs="?", metavar="SCHEDULE", help="else all of them")
    show.add_argument("--routes", metavar="F", help="this routing file, and no server")
    show.add_argument("--at", metavar="T", help="from then on, RFC 3339; else from now on")
    show.add_argument("--days", default="7", metavar="N", help="how many days to show; 7")
    show.add_argument("--gaps", action="store_true", help="only where nobody is; 1 if there are")
    _client(show)
    export = _command(verbs, "export", "ops.cli.oncall_export", "a schedule as iCalendar")
    export.add_argument("schedule", metavar="SCHEDULE")
    export.add_argument("--routes", metavar="F", help="this routing file, and no server")
    export.add_argument("--from", dest="start", metavar="T", help="RFC 3339; else now")
    export.add_argument("--to", dest="end", metavar="T", help="else 90 days later")
    _server(export)
    _overrides(verbs)


def _overrides(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    module = "ops.cli.oncall_overrides"
    make = _command(verbs, "override", module, "somebody takes over; prints the override's id")
    make.add_argument("schedule", metavar="SCHEDULE")
    make.add_argument("user", metavar="USER")
    make.add_argument("--from", dest="start", metavar="T", help="RFC 3339; else now")
    make.add_argument("--to", dest="end", metavar="T", required=True, help="RFC 3339")
    listed = _command(verbs, "overrides", module, "who takes over, and who has")
    listed.add_argument("schedule", nargs="?", metavar="SCHEDULE", help="else of all of them")
    remove = _command(verbs, "remove", module, "end an override now")
    remove.add_argument("id", metavar="ID", help="as `tocsin oncall overrides` says it")
    for parser in (make, remove):
        parser.add_argument("--by", default="", metavar="NAME", help="who says so")
    for parser in (make, listed, remove):
        _client(parser)


def _query(query: argparse.ArgumentParser) -> None:
    query.add_argument("expr", metavar="EXPR")
    query.add_argument("--at", metavar="T", help="seconds since 1970 or RFC 3339; else now")
    query.add_argument("--from", dest="start", metavar="T", help="a stretch of time: from here")
    query.add_argument("--to", dest="end", metavar="T", help="to here, included")
    query.add_argument("--step", metavar="S", help="at every such step: seconds, or 30s, 5m")
    _client(query)


def _maintenance(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    _silences(_verbs(commands, "silences", "hide alerts for a while"))
    _windows(_verbs(commands, "windows", "maintenance windows: once, recurring, for deploys"))


def _silences(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    add = _command(verbs, "add", "ops.cli.silences", "make one; prints its id")
    _wish(add)
    listed = _command(verbs, "list", "ops.cli.silences", "those that are active or pending")
    listed.add_argument("--all", action="store_true", help="those that are over, too")
    expire = _command(verbs, "expire", "ops.cli.silences", "end them now")
    expire.add_argument("ids", nargs="+", metavar="ID")
    for parser in (add, listed, expire):
        _client(parser)


def _windows(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    add = _command(verbs, "add", "ops.cli.windows", "make one; prints its id and next spans")
    _wish(add)
    add.add_argument("--every", metavar="WHEN", help='"tuesday 02:00 for 2h in Europe/Berlin"')
    add.add_argument("--service", metavar="S", help="instead of the matcher service=S")
    timeout = "for deploys: holds from start to finish, at most so long"
    add.add_argument("--timeout", metavar="D", help=timeout)
    listed = _command(verbs, "list", "ops.cli.windows", "those that are not over")
    listed.add_argument("--all", action="store_true", help="those that are over, too")
    end = _command(verbs, "end", "ops.cli.windows", "end them for good")
    end.add_argument("ids", nargs="+", metavar="ID")
    start = _command(verbs, "start", "ops.cli.windows", "a deploy begins")
    start.add_argument("--timeout", metavar="D", help="less than the window's own")
    finish = _command(verbs, "finish", "ops.cli.windows", "a deploy is through")
    for parser in (start, finish):
        parser.add_argument("id", metavar="ID")
    for parser in (add, listed, end, start, finish):
        _client(parser)


def _wish(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("words", nargs="*", metavar="MATCHER", help="as amtool's: a=b c=~d.*")
    parser.add_argument("--for", dest="length", metavar="D", help="how long: 2h, 30m")
    parser.add_argument("--from", dest="start", metavar="T", help="RFC 3339; else now")
    parser.add_argument("--until", metavar="T", help="RFC 3339; instead of --for")
    parser.add_argument("--comment", default="", metavar="TEXT")
    parser.add_argument("--author", metavar="WHO", help="else who is logged in here")
    parser.add_argument("--remind", metavar="D", help="so long before the end")
    parser.add_argument("--remind-to", metavar="RECEIVER", help="else the author's, or the root's")
    parser.add_argument("--preview", action="store_true", help="what it would hide; makes nothing")
    parser.add_argument("--force", action="store_true", help="even if it hides very much")


def _topics(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    create = _command(verbs, "create", "ops.cli.topics", "make the topics that are missing")
    create.add_argument("--alter", action="store_true", help="and change those that differ")
    listed = _command(verbs, "list", "ops.cli.topics", "the topics that are there")
    check = _command(verbs, "check", "ops.cli.topics", "compare them; exit code 1 if they differ")
    acls = _command(verbs, "acls", "ops.cli.topics", "print what a worker has to be allowed")
    acls.add_argument("worker", metavar="WORKER", help="a command, for example agent")
    acls.add_argument("--principal", required=True, metavar="P", help="for example User:agent")
    for parser in (create, listed, check, acls):
        _settings(parser)
    for parser in (listed, check):
        parser.add_argument("--json", action="store_true")


def _load(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--hosts", type=int, required=True, metavar="N", help="how many")
    parser.add_argument("--series", type=int, required=True, metavar="N", help="of each host")
    parser.add_argument("--interval", default="10s", metavar="D", help="how often each speaks; 10s")
    parser.add_argument("--batch", type=int, default=500, metavar="N", help="samples; 500")
    parser.add_argument("--for", dest="length", default="1m", metavar="D", help="how long; 1m")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of the values; 0")
    parser.add_argument(
        "--breach", action="append", metavar="K@T[+D]", help="K hosts in trouble after T, for D"
    )
    _settings(parser)
    parser.add_argument("--server", metavar="URL", help="over HTTP, instead of Kafka")
    parser.add_argument("--token-file", metavar="F", help="its agent.token")
    parser.add_argument("--json", action="store_true")


def _client(parser: argparse.ArgumentParser) -> None:
    _server(parser)
    parser.add_argument("--json", action="store_true")


def _server(parser: argparse.ArgumentParser) -> None:
    _settings(parser)
    parser.add_argument("--url", metavar="URL", help="of the server; else that of --data")
    parser.add_argument("--token-file", metavar="F", help="with --url")
