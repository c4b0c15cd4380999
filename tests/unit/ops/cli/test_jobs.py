"""`tocsin heartbeats`, `routes drill` and `dead-letters` beside a server over a real router."""

import json
from collections.abc import Callable, Iterator

import pytest

from ops.api.app import build
from ops.api.serve import Server, bind
from ops.cli import dead_letters, main
from ops.services import Access
from schemas.errors import Reason
from tests.support.fake_services import FakeRecords
from tests.unit.notifiers.scenario import is_lost, postpones, receipt, refuses
from tests.unit.ops.api.living import Living, living
from tests.unit.ops.api.test_drills import letter, sealed

ROUTES = """
route: {receiver: r, group_wait: 0s}
receivers:
- {name: r, webhook_configs: [{url: 'http://x/'}]}
- {name: two, webhook_configs: [{url: 'http://x/'}], file_configs: [{path: f}]}
heartbeats: [{name: backup, id: 0123456789abcdefghij, period: 1m, grace: 10s}]
"""
Run = Callable[..., int]


@pytest.fixture
def services() -> Living:
    services = living(ROUTES, refuses)
    services.day.fires(1, "A")
    dead = sealed(services.day.deliveries[0][1])
    services.records = FakeRecords(
        [
            letter(3, Reason.NOT_MSGPACK, b"\xc1\x00<b>", "bad \x1b[2J bytes"),
            letter(5, Reason.DELIVERY_FAILED, dead, "r/webhook[0]: rejected: 404"),
        ]
    )
    services.day.courier = receipt
    return services


@pytest.fixture
def run(services: Living) -> Iterator[Run]:
    server = Server(build(services, Access(None)), bind("127.0.0.1", 0))
    server.start()
    yield lambda *call: main([*call, "--url", f"http://{server.address}"])
    server.stop()


def test_heartbeats_are_listed_and_one_that_is_down_is_1(
    services: Living, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("heartbeats", "list") == 0
    assert capsys.readouterr().out.split()[7:12] == ["new", "backup", "every", "1m", "never"]
    services.day.until(80)
    assert run("heartbeats", "list") == 1
    assert "expected every 1m + 10s grace" in capsys.readouterr().out
    assert run("heartbeats", "list", "--json") == 1
    assert json.loads(capsys.readouterr().out)["heartbeats"][0]["state"] == "down"


def test_no_heartbeats_is_said() -> None:
    from ops.cli.heartbeats import text_of

    assert text_of([], 0) == "no heartbeats"


def test_a_drill_that_arrived_everywhere_is_0(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("routes", "drill", "two") == 0
    _, first, second = capsys.readouterr().out.splitlines()
    assert first.split()[:2] == ["webhook[0]", "delivered"]
    assert second.split()[:2] == ["file[1]", "delivered"]


def test_a_drill_that_did_not_arrive_is_1_and_one_without_an_answer_3(
    services: Living, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    for courier in (refuses, postpones):
        services.day.courier = courier
        assert run("routes", "drill", "r") == 1
    services.day.courier = is_lost
    assert run("routes", "drill", "two", "--timeout", "1s") == 3
    said = capsys.readouterr()
    assert "no answer" in said.out
    assert said.err == "nothing was heard of 2 channels within 1 s\n"


def test_a_drill_of_nobody_names_who_there_is(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("routes", "drill", "tow") == 2
    assert 'no receiver "tow"' in (said := capsys.readouterr().err)
    assert "two" in said
    assert run("routes", "drill", "two", "--timeout", "0s") == 2
    assert "--timeout" in capsys.readouterr().err


def test_letters_for_people_do_nothing_to_the_terminal(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("dead-letters", "list") == 0
    _, newest, oldest = capsys.readouterr().out.splitlines()
    assert newest.split()[0] == "5"
    assert "bad \\x1b[2J bytes" in oldest
    assert run("dead-letters", "show", "3") == 0
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "000000  c1 00 3c 62 3e" in out
    assert "..<b>" in out
    assert "send again: no: it is no message to a receiver" in out
    assert run("dead-letters", "show", "tocsin.dead-letters/0/5") == 0
    assert '"receiver": "r"' in capsys.readouterr().out


def test_what_is_not_there_or_no_number_is_2(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("dead-letters", "show", "4") == 2
    assert "no dead letter 4" in capsys.readouterr().err
    assert run("dead-letters", "show", "../alerts") == 2
    assert run("dead-letters", "list", "--since", "soon") == 2
    assert "--since" in capsys.readouterr().err


def test_more_than_are_shown_is_said(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("dead-letters", "list", "--limit", "1", "--since", "50y") == 0
    assert "--limit shows more" in capsys.readouterr().err
    assert dead_letters.text_of([], 0) == "no dead letters"


def test_a_delivery_is_sent_again_and_what_cannot_be_is_1(
    services: Living, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("dead-letters", "resend", "5", "--by", "ada") == 0
    assert capsys.readouterr().out == "tocsin.dead-letters/0/5: delivered, attempt 2\n"
    assert run("dead-letters", "resend", "3", "5") == 1
    said = capsys.readouterr()
    assert said.out == "tocsin.dead-letters/0/5: delivered, attempt 3\n"
    assert "letter 3 cannot be sent again" in said.err
    services.day.courier = is_lost
    assert run("dead-letters", "resend", "5", "--timeout", "0s", "--json") == 1
    assert json.loads(capsys.readouterr().out)["resent"][0]["fate"] is None
    assert run("dead-letters", "list") == 0
    assert "under way" in capsys.readouterr().out
