"""A receiver's fields as texts: `Templates(definitions).text("{{ .Status }}", delivery)`."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from functools import lru_cache

from notifiers.templating.data import data
from notifiers.templating.defaults import DEFAULTS
from notifiers.templating.functions import FUNCTIONS, HTML_FUNCTIONS, escaped
from notifiers.templating.times import moment
from notifiers.time_intervals import zone
from schemas.deliveries import Delivery
from schemas.templates.blocks import Block, Call, Words, run
from schemas.templates.errors import BadTemplate, TooMuch, Unexpandable
from schemas.templates.parser import Parsed, parse
from schemas.templates.running import STRING, Function, State, printed
from schemas.templates.values import Value

CUT = "… [cut here: too long]"
"""Stands where a text had no end in sight."""


class TemplateFailed(Exception):
    """A template that has no text for this delivery; the same at every attempt."""


def parsed(template: str) -> Parsed:
    """The template read. Raises ValueError, which begins with line and column."""
    if "{{" not in template:
        return Parsed((Words(template),), {})
    try:
        return _parsed(template)
    except BadTemplate as fault:
        raise ValueError(f"template {fault.line}:{fault.column}: {fault.reason}") from fault


@lru_cache(maxsize=4096)
def _parsed(template: str) -> Parsed:
    return parse(template, FUNCTIONS)


def check(template: str) -> None:
    """Raises ValueError, with line and column, for what Go refuses or we do not support."""
    parsed(template)


@lru_cache(maxsize=1)
def defaults() -> Mapping[str, Block]:
    """What is defined before any file says something."""
    return parsed(DEFAULTS).definitions


class Templates:
    """All named templates; `definitions` take the place of defaults of the same name.

    They speak to somebody in the time zone `location`.
    """

    def __init__(
        self, definitions: Mapping[str, Block] | None = None, location: str = "UTC"
    ) -> None:
        self._definitions = _redefined(defaults(), definitions or {})
        self.location = location
        self._home = zone(location)

    def at(self, location: str) -> "Templates":
        """The same for somebody in another time zone. Raises ValueError."""
        return self if location == self.location else Templates(self._definitions, location)

    def check(self, template: str) -> None:
        """As the function; refuses also the name of a template that is not defined."""
        found = parsed(template)
        known = self._definitions.keys() | found.definitions.keys()
        for block in (found.block, *found.definitions.values()):
            for call in _calls(block):
                if call.name not in known:
                    place = f"{template.count(chr(10), 0, call.at) + 1}"
                    column = call.at - template.rfind("\n", 0, call.at)
                    reason = f'template "{call.name}" not defined'
                    raise ValueError(f"template {place}:{column}: {reason}")

    def routed(self, delivery: Delivery) -> Delivery:
        """The same with the route's labels, which are templates and may name one another, as texts.

        A label that has no text for this delivery is left out, as Alertmanager leaves it out.
        """
        if not delivery.route_labels:
            return delivery
        return delivery.model_copy(update={"route_labels": RouteLabels(self, delivery).texts()})

    def text(self, template: str, delivery: Delivery) -> str:
        """The text for a delivery; raises TemplateFailed."""
        return self.expanded(template, delivery, FUNCTIONS, printed)

    def html(self, template: str, delivery: Delivery) -> str:
        """The same with every value escaped for HTML, but what `safeHtml` marks."""
        return self.expanded(template, delivery, HTML_FUNCTIONS, escaped)

    def expanded(
        self,
        template: str,
        delivery: Delivery,
        functions: Mapping[str, Function],
        shows: Callable[[Value], str],
    ) -> str:
        """The text of a template that may call these functions; raises TemplateFailed."""
        if "{{" not in template:
            return template
        try:
            found = parsed(template)
        except ValueError as fault:
            raise TemplateFailed(str(fault)) from fault
        known = _redefined(self._definitions, found.definitions)
        if delivery.route_labels:
            functions = {**functions, "routeLabels": route_labels(delivery.route_labels)}
        dot = data(delivery, self._home)
        # The instant of the decision, not of the attempt: each attempt says the same.
        now = moment(delivery.decided_at, self._home)
        state = State([("$", dot)], functions, known, now, shows)
        try:
            run(found.block, state, dot)
        except TooMuch:
            # Refusing it would lose the page: the beginning of a text is better than none.
            state.out.append(CUT)
        except Unexpandable as fault:
            where = "" if state.node is None else f" at <{state.node.text}>"
            raise TemplateFailed(f"template:{where}: {fault}") from fault
        return "".join(state.out)


class RouteLabels:
    """The labels of a delivery's route, each expanded once, after those that it names."""

    def __init__(self, templates: Templates, delivery: Delivery) -> None:
        self._templates, self._raw = templates, delivery.route_labels
        self._delivery = delivery.model_copy(update={"route_labels": {}})
        self._texts: dict[str, str] = {}
        self._under_way: list[str] = []
        self._functions = {
            **FUNCTIONS,
            "routeLabels": Function((STRING,), lambda _, given: self._text(str(given[0]))),
        }

    def texts(self) -> dict[str, str]:
        """The labels that have a text."""
        found = {}
        for name in self._raw:
            try:
                found[name] = self._text(name)
            except TemplateFailed:
                self._under_way.clear()
        return found

    def _text(self, name: str) -> str:
        if name not in self._raw or name in self._texts:
            return self._texts.get(name, "")
        if name in self._under_way:
            raise TemplateFailed(f"route label cycle: {' -> '.join([*self._under_way, name])}")
        self._under_way.append(name)
        raw = self._raw[name]
        self._texts[name] = self._templates.expanded(raw, self._delivery, self._functions, printed)
        self._under_way.pop()
        return self._texts[name]


def route_labels(texts: Mapping[str, str]) -> Function:
    """The function that answers a route's labels by name; what is not there is empty."""
    return Function((STRING,), lambda _, given: texts.get(str(given[0]), ""))


def _redefined(old: Mapping[str, Block], new: Mapping[str, Block]) -> Mapping[str, Block]:
    """Both; the new one of a name holds unless it is blank, as in Go."""
    return {**old, **{name: body for name, body in new.items() if name not in old or _says(body)}}


def _says(body: Block) -> bool:
    return any(not isinstance(each, Words) or each.text.strip() for each in body)


def _calls(node: object) -> Iterator[Call]:
    """The calls of templates below a node."""
    if isinstance(node, tuple):
        for each in node:
            yield from _calls(each)
    elif isinstance(node, Call):
        yield node
    elif is_dataclass(node) and not isinstance(node, type):
        for part in fields(node):
            yield from _calls(getattr(node, part.name))
