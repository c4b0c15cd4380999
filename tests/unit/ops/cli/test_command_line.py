import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from ops import endpoint
from ops.api.app import build
from ops.api.serve import Server, bind
from ops.cli import main
from ops.cli.terminal import age, speak_safely, table
from ops.cli.up import STAGES, stages
from ops.cluster.facts import Facts
from ops.cluster.report import report
from ops.history.errors import HistoryAway
from ops.services import Access, QueryResult, StageStatus
from schemas.alerts import AlertState
from schemas.errors import Refused
from tests.support.fake_services import FakeAlert, FakeServices

TOKEN = "0123456789abcdef"
EXAMPLE = Path(__file__).parents[4] / "examples" / "tocsin.yaml"


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def services(tmp_path: Path) -> Iterator[FakeServices]:
    """A server as `tocsin up` leaves it: a note and a token in the data directory."""
    services = FakeServices()
    server = Server(build(services, Access(TOKEN, guarded=True)), bind("127.0.0.1", 0))
    server.start()
    data = tmp_path / "tocsin-data"
    data.mkdir()
    token_file = data / "agent.token"
    token_file.write_text(TOKEN)
    endpoint.write(data, endpoint.Endpoint(server.address, str(token_file), 1))
    yield services
    server.stop()


def test_version_is_fine(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["version"]) == 0
    assert capsys.readouterr().out.startswith("tocsin ")
    assert main(["version", "--json"]) == 0
    assert "tocsin" in json.loads(capsys.readouterr().out)


@pytest.mark.parametrize(
    "call",
    [[], ["bogus"], ["query"], ["alerts"], ["agent", "x"], ["up", "--lisen", "x"], ["up", "x"]],
)
def test_a_wrong_call_is_2(call: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(call) == 2
    assert "usage: tocsin" in capsys.readouterr().err


def test_check_is_fine_with_the_example(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--config", str(EXAMPLE)]) == 0
    told = capsys.readouterr()
    assert "no problems" in told.out
    assert told.err == ""


def test_check_says_when_there_was_nothing_to_check(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["check"]) == 0
    assert "nothing was there to check: no tocsin.yaml here" in capsys.readouterr().err
    (tmp_path / "am.yml").write_text("route: {receiver: a}\nreceivers: [{name: a}]\n")
    monkeypatch.setenv("TOCSIN__ROUTES", "am.yml")
    assert main(["check"]) == 0
    told = capsys.readouterr()
    assert ("am.yml: fine" in told.out, told.err) == (True, "")
    monkeypatch.delenv("TOCSIN__ROUTES")
    (tmp_path / "tocsin.yaml").write_text("listen: 127.0.0.1:0\n")
    assert main(["check"]) == 0
    assert capsys.readouterr().err == ""


def test_check_lists_the_problems_of_every_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "tocsin.yaml").write_text("lisen: x\nrules: [r.yml]\nroutes: routes.yml\n")
    (tmp_path / "r.yml").write_text(
        "groups:\n- name: g\n  rules:\n  - alert: A\n    expr: sum(\n  - alert: B\n"
    )
    (tmp_path / "routes.yml").write_text("route: {receiver: oncal}\nreceivers:\n- name: oncall\n")
    assert main(["check"]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert lines[-1] == f"{len(lines) - 1} problems, nothing started"
    places = [line.split(": ")[0] for line in lines[:-1]]
    assert {"tocsin.yaml:1", "r.yml:5", "routes.yml:1"} <= set(places)
    assert any('did you mean "oncall"?' in line for line in lines)
    assert main(["check", "--json"]) == 2
    found = json.loads(capsys.readouterr().out)["problems"]
    assert {"source": "tocsin.yaml", "line": 1, "key": "lisen"}.items() <= found[-1].items()


def test_up_with_a_wrong_configuration_is_2_and_starts_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["up", "--listen", "0.0.0.0:0"]) == 2
    assert "reachable by others" in capsys.readouterr().err
    assert main(["up", "--rules", "none.yml"]) == 2
    assert main(["up", "--only", "rooter"]) == 2
    assert 'did you mean "router"?' in capsys.readouterr().err
    assert not (tmp_path / "tocsin-data").exists()


def test_agent_with_a_wrong_token_file_is_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["agent", "--server", "http://127.0.0.1:1", "--token-file", "none"]) == 2
    assert "none cannot be read" in capsys.readouterr().err


def test_stages_are_named_in_a_list() -> None:
    assert stages(None) is None
    assert stages("router, console") == {"router", "console"}
    with pytest.raises(Refused):
        stages(",")
    from ops.embedded.process import ALL

    assert STAGES == ALL


def test_query_prints_a_table_or_json(
    services: FakeServices, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["query", "up", "--at", "1750000000"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "SERIES                VALUE",
        'up{instance="web-1"}  1',
    ]
    assert main(["query", "up", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["resultType"] == "vector"


def test_query_over_a_stretch_of_time_prints_every_point(
    services: FakeServices, capsys: pytest.CaptureFixture[str]
) -> None:
    points = [(1_750_000_000_000, 1.5), (1_750_000_060_000, 2.0)]
    services.ranges = lambda expr, start, end, step: [({"instance": "a"}, points)]
    stretch = ["--from", "1750000000", "--to", "1750000060", "--step", "1m"]
    assert main(["query", "x", *stretch]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split() == ['{instance="a"}', "2025-06-15T15:06:40.000Z", "1.5"]
    assert lines[2].split() == ['{instance="a"}', "2025-06-15T15:07:40.000Z", "2"]
    assert main(["query", "x", *stretch, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["resultType"] == "matrix"


@pytest.mark.parametrize("half", [["--from", "1"], ["--at", "1", "--from", "1", "--to", "2",
                                                    "--step", "1"]])  # fmt: skip
def test_query_wants_an_instant_or_a_whole_stretch(
    services: FakeServices, half: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["query", "x", *half]) == 2
    assert "either --at T, or all of --from" in capsys.readouterr().err


def test_query_says_what_is_wrong(
    services: FakeServices, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(expr: str, at: int | None) -> QueryResult:
        raise Refused("parse error at \x1b[31m")

    def away(expr: str, at: int | None) -> QueryResult:
        raise HistoryAway("the engine restarts")

    services.answer = refuse
    assert main(["query", "sum("]) == 2
    assert capsys.readouterr().err == "parse error at \\x1b[31m\n"
    services.answer = away
    assert main(["query", "up"]) == 3
    assert "the engine restarts" in capsys.readouterr().err


def test_alerts_list_is_1_while_something_fires(
    services: FakeServices, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["alerts", "list"]) == 0
    assert capsys.readouterr().out == "no alerts\n"
    services.known = [FakeAlert({"alertname": "P"}, AlertState.PENDING)]
    assert main(["alerts", "list"]) == 0
    services.known = [
        *services.known,
        FakeAlert({"alertname": "F\x1b]0;x\x07", "service": "shop"}, annotations={"summary": "s"}),
    ]
    capsys.readouterr()
    assert main(["alerts", "list"]) == 1
    head, first, second = capsys.readouterr().out.splitlines()
    columns = ["ID", "STATE", "SEVERITY", "ALERT", "SERVICE", "INSTANCE", "SINCE", "SUMMARY"]
    assert head.split() == columns
    firing = services.known[1].fingerprint
    assert first.split()[:4] == [firing, "firing", "F\\x1b]0;x\\x07", "shop"]
    assert second.split()[1] == "pending"
    assert main(["alerts", "list", "--json"]) == 1
    assert len(json.loads(capsys.readouterr().out)["alerts"]) == 2


def test_status_is_1_while_something_is_not_well(
    services: FakeServices, capsys: pytest.CaptureFixture[str]
) -> None:
    services.stages = [StageStatus("router", True, True, "", {"lag": 7.0})]
    assert main(["status"]) == 0
    said = capsys.readouterr().out
    assert said.splitlines()[0] == "healthy"
    assert said.splitlines()[3].split() == ["router", "healthy", "ready", "7"]
    services.stages = [StageStatus("router", False, False, "crashed")]
    assert main(["status", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["status"] == "unhealthy"
    services.stages = [StageStatus("router", True, True)]
    services.report = report(Facts(1))
    assert main(["status"]) == 1
    assert "detector: no worker runs" in capsys.readouterr().out


def test_a_server_that_is_not_there_is_3(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["alerts", "list"]) == 3
    assert "no `tocsin up` runs on this data directory" in capsys.readouterr().err
    assert main(["alerts", "list", "--url", "http://127.0.0.1:1"]) == 3
    assert "does not answer" in capsys.readouterr().err


def test_without_the_token_a_guarded_server_refuses(
    services: FakeServices, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = endpoint.read(tmp_path / "tocsin-data")
    assert found is not None
    assert main(["alerts", "list", "--url", f"http://{found.address}"]) == 2
    assert "--token-file" in capsys.readouterr().err
    assert main(["alerts", "list", "--url", "ftp://x"]) == 2


def test_a_table_lines_up_and_cuts_what_is_long() -> None:
    assert table(("A", "B"), [("1", "x"), ("\n", "y" * 200)]).splitlines() == [
        "A   B",
        "1   x",
        "\\n  " + "y" * 99 + "…",
    ]


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [(-1, "0s"), (5_000, "5s"), (130_000, "2m10s"), (7_200_000, "2h"), (97_200_000, "1d3h")],
)
def test_ages_are_short(milliseconds: int, text: str) -> None:
    assert age(milliseconds) == text


def test_what_an_agents_installation_lacks_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def lacks(name: str) -> None:
        def run(_: object) -> int:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

        monkeypatch.setattr("ops.cli.version.run", run)

    lacks("numpy")
    assert main(["version"]) == 2
    assert capsys.readouterr().err.startswith("numpy is not installed: ")
    lacks("ops.nothing")
    with pytest.raises(ModuleNotFoundError):
        main(["version"])


@pytest.mark.parametrize(
    "call",
    [
        ["alerts", "explain", "\udcff"],
        ["alerts", "show", "\udcff"],
        ["silences", "expire", "ok", "\udcff"],
        ["oncall", "remove", "\udcff"],
    ],
)
def test_words_that_no_url_can_carry_are_a_wrong_call(
    call: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*call, "--url", "http://127.0.0.1:1"]) == 2
    assert capsys.readouterr().err == "\\udcff: is not UTF-8\n"


def test_what_the_terminal_cannot_show_is_written_out(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr("sys.stdout", screen)
    speak_safely()
    print(table(("NAME",), [("ü…",)]))
    screen.flush()
    assert screen.buffer.getvalue() == b"NAME\n\\xfc\\u2026\n"  # type: ignore[attr-defined]
