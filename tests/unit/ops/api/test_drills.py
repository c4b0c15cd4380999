"""Fire drills and dead letters over HTTP."""

import pytest

from ops import dead_letters
from schemas.dead_letter import DeadLetter
from schemas.envelope import Envelope, Producer
from schemas.errors import LogAway, Reason
from schemas.event import Event
from schemas.plans import WakeUp
from schemas.stage import Gap, Partition, Record
from schemas.topics import CODEC
from tests.support.fake_services import FakeRecords
from tests.unit.notifiers.scenario import is_lost, receipt, refuses, seconds
from tests.unit.ops.api.asking import BEARER, GUARDED, ask
from tests.unit.ops.api.living import Living, living

ROUTES = """
route: {receiver: r, group_wait: 0s}
receivers: [{name: r, webhook_configs: [{url: 'http://x/'}]}, {name: empty}]
"""
DRILLS = "/api/tocsin/v1/drills"
LETTERS = "/api/tocsin/v1/dead-letters"


def sealed(event: Event) -> bytes:
    return CODEC.encode(Envelope("e", Producer("p"), seconds(0), event))


def letter(number: int, reason: Reason, original: bytes, detail: str = "") -> Record:
    where = {"topic": "tocsin.deliveries", "partition": 0, "offset": 7, "stage": "courier"}
    event = DeadLetter.model_validate(
        {**where, "reason": reason, "detail": detail, "at": seconds(1), "original": original}
    )
    return Record(dead_letters.WHERE, number, seconds(number), "k", sealed(event))


def with_letters() -> Living:
    services = living(ROUTES, refuses)
    services.day.fires(1, "A")
    dead = sealed(services.day.deliveries[0][1])
    services.records = FakeRecords(
        [
            letter(3, Reason.NOT_MSGPACK, b"\xc1\x00<b>", "bad \x1b[2J bytes"),
            letter(5, Reason.DELIVERY_FAILED, dead, "r/webhook[0]: rejected: 404"),
            letter(8, Reason.STAGE_FAILED, sealed(WakeUp(stage="router", due=1))),
            Record(dead_letters.WHERE, 9, seconds(9), "k", b"\xc1 no letter at all"),
        ]
    )
    services.day.deliveries.clear()
    return services


def test_a_drill_is_made_and_told() -> None:
    services = living(ROUTES)
    made = ask("POST", DRILLS, services, json={"receiver": "r", "by": "ada"})
    assert made.status_code == 201
    drill = made.json()
    assert drill["done"]
    assert [one["fate"] for one in drill["channels"]] == ["delivered"]
    assert ask("GET", f"{DRILLS}/{drill['id']}", services).json() == drill
    assert ask("GET", DRILLS, services).json() == {"drills": [drill]}
    assert "ada" in services.day.deliveries[0][1].notice


def test_a_drill_that_waits_is_not_done() -> None:
    services = living(ROUTES, is_lost)
    drill = ask("POST", DRILLS, services, json={"receiver": "r", "timeout": 30}).json()
    assert (drill["done"], drill["channels"][0]["fate"]) == (False, None)
    assert drill["expires_at"] - drill["at"] == 30_000


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({"receiver": "rr"}, 404, 'no receiver "rr"'),
        ({"receiver": "empty"}, 404, "has no channels"),
        ({"receiver": ""}, 422, ""),
        ({"receiver": "r", "timeout": 0}, 422, ""),
        ({"receiver": "r", "also": 1}, 422, ""),
        ([], 422, ""),
    ],
)
def test_a_drill_that_cannot_be_says_why(body: object, status: int, words: str) -> None:
    answer = ask("POST", DRILLS, living(ROUTES), json=body)
    assert answer.status_code == status
    assert words in answer.text.replace('\\"', '"')


def test_what_the_router_does_not_take_in_is_503() -> None:
    services = living(ROUTES)
    services.takes = False
    assert ask("POST", DRILLS, services, json={"receiver": "r"}).status_code == 503
    assert ask("GET", f"{DRILLS}/nope", services).status_code == 404


def test_letters_are_listed_newest_first_with_what_can_be_sent_again() -> None:
    body = ask("GET", LETTERS, with_letters()).json()
    assert [(one["number"], one["reason"]) for one in body["letters"]] == [
        (8, "stage failed"),
        (5, "delivery failed"),
        (3, "not MessagePack"),
    ]
    assert [bool(one["hindrance"]) for one in body["letters"]] == [True, False, True]
    assert (body["letters"][1]["receiver"], body["letters"][1]["why"]) == (
        "r",
        "first notification",
    )
    assert not body["more"]
    few = ask("GET", f"{LETTERS}?limit=1", with_letters()).json()
    assert (len(few["letters"]), few["more"]) == (1, True)
    late = ask("GET", f"{LETTERS}?since={seconds(5)}", with_letters()).json()
    assert [one["number"] for one in late["letters"]] == [8, 5]
    assert ask("GET", f"{LETTERS}?limit=0", with_letters()).status_code == 400


def test_a_letter_shows_what_it_holds_or_its_bytes() -> None:
    services = with_letters()
    shown = ask("GET", f"{LETTERS}/5", services).json()
    assert shown["original"]["kind"] == "delivery"
    assert shown["original"]["event"]["receiver"] == "r"
    assert [one["labels"] for one in shown["original"]["event"]["alerts"]] == [{"alertname": "A"}]
    by_name = ask("GET", f"{LETTERS}/tocsin.dead-letters/0/3", services).json()
    assert by_name["original"] == {"kind": None, "hex": "c1003c623e", "cut": False}
    for name, status in (("4", 404), ("99", 404), ("9", 404), ("x", 400), ("-1", 400)):
        assert ask("GET", f"{LETTERS}/{name}", services).status_code == status


def test_a_delivery_is_sent_again_and_followed() -> None:
    services = with_letters()
    services.day.courier = receipt  # it delivers now
    answer = ask("POST", f"{LETTERS}/5/resend", services, json={"by": "ada"})
    assert answer.status_code == 201
    assert (answer.json()["fate"], answer.json()["attempt"]) == ("delivered", 2)
    assert len(services.day.deliveries) == 1
    shown = ask("GET", f"{LETTERS}/5", services).json()["resent"]
    assert (shown["fate"], shown["by"], shown["letter"]) == (
        "delivered",
        "ada",
        "tocsin.dead-letters/0/5",
    )


def test_what_cannot_be_sent_again_says_why() -> None:
    services = with_letters()
    for name, words in (("3", "no message to a receiver"), ("8", "no message to a receiver")):
        answer = ask("POST", f"{LETTERS}/{name}/resend", services)
        assert answer.status_code == 409
        assert words in answer.text
    services.day.courier = is_lost
    assert ask("POST", f"{LETTERS}/5/resend", services).status_code == 201
    again = ask("POST", f"{LETTERS}/5/resend", services)
    assert (again.status_code, "under way" in again.text) == (409, True)
    services.takes = False
    assert ask("POST", f"{LETTERS}/5/resend", services).status_code == 503


def test_a_log_that_is_away_is_503() -> None:
    class Away(FakeRecords):
        def begin(self, partition: Partition) -> int:
            raise LogAway("no broker")

    services = with_letters()
    services.records = Away()
    for method, path in (("GET", ""), ("GET", "/5"), ("POST", "/5/resend")):
        assert ask(method, f"{LETTERS}{path}", services).status_code == 503


def test_a_window_at_a_time_and_holes_between_the_offsets() -> None:
    class Narrow(FakeRecords):
        def read(
            self, partition: Partition, offset: int, limit: int = 500
        ) -> tuple[list[Record], Gap | None]:
            return super().read(partition, offset, min(limit, 7))

    numbers = [n for n in range(500) if n % 3]
    records = Narrow([letter(n, Reason.NOT_MSGPACK, b"\xc1") for n in numbers])
    found, more = dead_letters.newest(records, 0, 1_000)
    assert ([one.number for one in found], more) == (numbers[::-1], False)
    found, more = dead_letters.newest(records, seconds(490), 4)
    assert ([one.number for one in found], more) == ([499, 497, 496, 494], True)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/tocsin/v1/heartbeats"),
        ("GET", DRILLS),
        ("POST", DRILLS),
        ("GET", f"{DRILLS}/x"),
        ("GET", LETTERS),
        ("GET", f"{LETTERS}/5"),
        ("POST", f"{LETTERS}/5/resend"),
    ],
)
def test_a_guarded_server_wants_the_token(method: str, path: str) -> None:
    services = with_letters()
    body = {"json": {"receiver": "r"}} if method == "POST" and path == DRILLS else {}
    assert ask(method, path, services, GUARDED, **body).status_code == 401
    assert ask(method, path, services, GUARDED, headers=BEARER, **body).status_code != 401
    cross = {"origin": "http://evil.example"}
    if method == "POST":
        assert ask(method, path, services, headers=cross, **body).status_code == 403
