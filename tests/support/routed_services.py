"""Services with a real router behind them: what is published is folded at once."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from notifiers.explain.asked import Asked
from notifiers.explain.live import AlertNow
from notifiers.incidents.view import IncidentView
from notifiers.router import Router
from notifiers.view import AlertView, GroupView, SilenceView
from notifiers.windows.view import WindowView
from ops.services import Routing
from schemas.deliveries import Delivery
from schemas.event import Event
from schemas.plans import WakeUp
from schemas.stage import Message, Position
from schemas.topics import CODEC
from tests.support.fake_services import FakeLog, FakeServices
from tests.unit.notifiers.scenario import Scenario, seconds

ROUTES = """
route: {receiver: r, group_wait: 10s, group_interval: 5m, repeat_interval: 1h}
receivers:
- {name: r, webhook_configs: [{url: 'http://x/'}]}
suppression: tocsin
"""


@dataclass
class RoutedLog(FakeLog):
    """A log that the router of a scenario reads as soon as something is written."""

    def __init__(self, day: Scenario) -> None:
        super().__init__()
        self.day = day
        self.lock = threading.RLock()

    def publish(self, messages: Sequence[Message], timeout: float = 30.0) -> list[Position]:
        with self.lock:
            found = super().publish(messages, timeout)
            for message in messages:
                self.day.at(self.day.now, CODEC.decode(message.value).event)
            return found


@dataclass
class RoutedServices(FakeServices):
    """A scenario's router, asked as the server asks its process."""

    publish: RoutedLog = field(init=False)
    day: Scenario = field(default_factory=lambda: Scenario(ROUTES))
    routes: Routing = field(default_factory=lambda: Routing(ROUTES))

    def __post_init__(self) -> None:
        self.publish = RoutedLog(self.day)

    @property
    def router(self) -> Router:
        """The router, which a restart may have replaced."""
        return self.day.router

    def now(self) -> int:
        return seconds(self.day.now)

    def alerts(self) -> Sequence[AlertView]:  # type: ignore[override]  # as the protocol has it
        with self._ticked():
            return self.router.alerts()

    def groups(self) -> Sequence[GroupView]:
        with self._ticked():
            return self.router.groups()

    def silences(self) -> Sequence[SilenceView]:
        with self._ticked():
            return self.router.silences()

    def windows(self) -> Sequence[WindowView]:
        with self._ticked():
            return self.router.windows()

    def incidents(self) -> Sequence[IncidentView]:
        with self._ticked():
            return self.router.incidents()

    def explained(self, what: Asked) -> Sequence[AlertNow]:
        with self._ticked():
            return self.router.explained(what, self.now())

    def told(self) -> list[Delivery]:
        """Every delivery so far."""
        return [delivery for _, delivery in self.day.deliveries]

    def events(self) -> list[Event]:
        """Every command that was published."""
        return [CODEC.decode(message.value).event for message in self.publish.messages]

    @contextmanager
    def _ticked(self) -> Iterator[None]:
        """The router alone, which knows only the time of its newest record."""
        with self.publish.lock:
            self.day.at(self.day.now, WakeUp(stage="router", due=self.now()))
            yield
