"""A process whose router is real, on virtual time: what is published is decided on at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ops.plans import routes_content
from schemas.stage import Message, Partition, Position
from schemas.topics import CODEC
from tests.support.fake_services import FakeLog, FakeServices
from tests.unit.notifiers.scenario import Courier, Scenario, delivers, seconds


class RouterLog(FakeLog):
    """Hands every event to the router's day."""

    def __init__(self, day: Scenario) -> None:
        super().__init__()
        self.day = day

    def publish(self, messages: Sequence[Message], timeout: float = 30.0) -> list[Position]:
        super().publish(messages, timeout)
        for message in messages:
            self.day.at(self.day.now, CODEC.decode(message.value).event)
        return [Position(Partition(one.topic, 0), self.day.offset, 0) for one in messages]


@dataclass
class Living(FakeServices):
    """Its clock is the day's."""

    day: Scenario = field(default_factory=Scenario)

    def now(self) -> int:
        return seconds(self.day.now)

    def remembered(self, prefix: str) -> Mapping[str, bytes]:
        return self.day.router.remembered(prefix)


def living(routes: str, courier: Courier = delivers) -> Living:
    """With this routing file in force, as a plan carries it."""
    day = Scenario(routes_content(routes).decode(), courier=courier)
    return Living(day=day, publish=RouterLog(day))
