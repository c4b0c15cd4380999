"""A process whose router is real, with a routing file of the test's own."""

from collections.abc import Mapping
from dataclasses import dataclass

from ops.plans import routes_content
from tests.support.routed_services import RoutedServices
from tests.unit.notifiers.scenario import Courier, Scenario, delivers


@dataclass
class Living(RoutedServices):
    """Tells of every book, too."""

    def remembered(self, prefix: str) -> Mapping[str, bytes]:
        return self.router.remembered(prefix)


def living(routes: str, courier: Courier = delivers) -> Living:
    """With this routing file in force, as a plan carries it."""
    return Living(day=Scenario(routes_content(routes).decode(), courier=courier))
