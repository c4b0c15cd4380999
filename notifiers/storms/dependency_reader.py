"""`dependencies:` of a routing file, checked for cycles and completed transitively.

dependencies:
  - parent: ['service="database"', 'severity="critical"']
    child: ['service="api"']
    equal: [cluster]
    grace: 2m
    lookback: 10m
"""

from notifiers.matchers import Matcher, Mode, in_order, is_label_name, parse_matchers, written
from notifiers.storms.settings import Dependency
from notifiers.yaml_reader import Section

KEY = "dependencies"
MOST = 300
MOST_IN_ALL = 5_000
LONGEST_GRACE = 1_800_000
"""A parent that is over is remembered for an hour, and its grace must end before."""
LONGEST_LOOKBACK = 604_800_000
_HINT = """such as parent: ['service="database"']"""


def read_dependencies(root: Section, mode: Mode) -> tuple[Dependency, ...]:
    """All of them, with those that follow: a parent of a parent explains, too."""
    found = [_dependency(one, mode) for one in root.sections(KEY)]
    if root.reading.problems or not found:
        return tuple(found)
    if len(found) > MOST:
        root.problem(KEY, f"more than {MOST} dependencies")
        return ()
    if (cycle := _cycle(found)) is not None:
        names = " → ".join(_named(one.parents) for one in (*cycle, cycle[0]))
        node = root.nodes(KEY)[found.index(cycle[-1])]
        hint = "nothing in a cycle would ever page: take one of these dependencies out"
        root.problem(KEY, f"a cycle of dependencies: {names}", hint, at=node)
        return ()
    every = completed(found)
    if len(every) > MOST_IN_ALL:
        root.problem(KEY, f"more than {MOST_IN_ALL} dependencies, with those that follow")
    return tuple(every)


def completed(declared: list[Dependency]) -> list[Dependency]:
    """With those that follow: of A explains B and B explains C, A explains C.

    Only where `equal` carries over: under labels that both name, or where one names none.
    """
    every = list(declared)
    known = {(one.parents, one.children, one.equal) for one in every}
    by_parent: dict[frozenset[Matcher], list[Dependency]] = {}
    for one in declared:
        by_parent.setdefault(frozenset(one.parents), []).append(one)
    for first in every:
        if len(every) > MOST_IN_ALL:
            break
        for second in by_parent.get(frozenset(first.children), ()):
            equal = first.equal & second.equal
            if not equal and first.equal and second.equal:
                continue
            if (first.parents, second.children, equal) in known:
                continue
            known.add((first.parents, second.children, equal))
            # The list grows while it is walked: so chains of any length are followed.
            every.append(
                Dependency(
                    first.parents,
                    second.children,
                    equal,
                    max(first.grace, second.grace),
                    max(first.lookback, second.lookback),
                    first.line,
                )
            )
    return every


def _dependency(found: Section, mode: Mode) -> Dependency:
    parents, children = _matchers(found, "parent", mode), _matchers(found, "child", mode)
    if parents and frozenset(parents) == frozenset(children):
        found.problem("child", "parent and child are the same: an alert cannot explain itself")
    equal = set[str]()
    for name, node in found.texts("equal"):
        if not is_label_name(name, mode):
            found.problem("equal", f'invalid label name "{name}" in equal list', at=node)
        equal.add(name)
    grace, lookback = found.duration("grace"), found.duration("lookback")
    if grace is not None and grace > LONGEST_GRACE:
        found.problem("grace", "a grace of at most 30m is wanted")
    if lookback is not None and lookback > LONGEST_LOOKBACK:
        found.problem("lookback", "a lookback of at most 1w is wanted")
    found.close()
    plain = Dependency(parents, children)
    return Dependency(
        parents,
        children,
        frozenset(equal),
        plain.grace if grace is None else grace,
        plain.lookback if lookback is None else lookback,
        found.node.start_mark.line + 1,
    )


def _matchers(found: Section, key: str, mode: Mode) -> tuple[Matcher, ...]:
    matchers: list[Matcher] = []
    texts = found.texts(key)
    for text, node in texts:
        try:
            matchers += parse_matchers(text, mode)
        except ValueError as fault:
            found.problem(key, str(fault), at=node)
    if not texts:
        found.problem(key, f"missing matchers of the {key}", _HINT)
    return in_order(matchers)


def _cycle(declared: list[Dependency]) -> list[Dependency] | None:
    """Dependencies of which each leads to the next, and the last to the first.

    One leads to another if every parent of the other is a child of it, by what its matchers say.
    """
    nodes = [(frozenset(one.parents), frozenset(one.children)) for one in declared]
    after = [
        [other for other in range(len(nodes)) if other != one and nodes[one][1] <= nodes[other][0]]
        for one in range(len(nodes))
    ]
    done: set[int] = set()
    for start in range(len(nodes)):
        path: list[int] = []
        stack = [(start, iter(after[start]))] if start not in done else []
        path += [start] if stack else []
        while stack:
            one, rest = stack[-1]
            following = next(rest, None)
            if following is None:
                done.add(one)
                stack.pop()
                path.pop()
            elif following in path:
                return [declared[number] for number in path[path.index(following) :]]
            elif following not in done:
                stack.append((following, iter(after[following])))
                path.append(following)
    return None


def _named(matchers: tuple[Matcher, ...]) -> str:
    return written(matchers)
