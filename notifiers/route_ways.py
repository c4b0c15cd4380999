"""The way through the route tree to each route, for people."""

from notifiers.matchers import written
from notifiers.route_tree import Route

LONGEST, DEEPEST = 1_000, 50
"""Characters of a step, and steps: a way stands in every record."""


def ways(root: Route) -> dict[str, tuple[str, ...]]:
    """The matchers of each node's ancestors and of itself, from the root on, by the node's id."""
    found: dict[str, tuple[str, ...]] = {}
    pending: list[tuple[Route, tuple[str, ...]]] = [(root, ())]
    while pending:
        route, above = pending.pop()
        found[route.id] = way = (*above, written(route.matchers)[:LONGEST])[:DEEPEST]
        pending += [(child, way) for child in route.routes]
    return found
