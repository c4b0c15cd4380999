"""Matchers as a configuration file writes them: two old mappings and one list."""

from notifiers.matchers import Matcher, Mode, Operator, is_label_name, parse_matchers
from notifiers.yaml_reader import Section, is_null


def read_matchers(found: Section, mode: Mode, side: str = "") -> tuple[Matcher, ...]:
    """What `match`, `match_re` and `matchers` say together; `side` stands before each key."""
    matchers: list[Matcher] = []
    for key, operator in (
        (f"{side}match", Operator.EQUAL),
        (f"{side}match_re", Operator.MATCHES),
    ):
        for name, value, node in found.pairs(key):
            if not is_label_name(name, Mode.CLASSIC):
                found.problem(key, f'invalid label name "{name}"', at=node)
                continue
            if operator is Operator.MATCHES and is_null(node):
                found.problem(key, f'invalid regexp value for "{name}"', at=node)
                continue
            try:
                matchers.append(_old(name, operator, value))
            except ValueError as fault:
                found.problem(f"{key}.{name}", str(fault), at=node)
    for text, node in found.texts(f"{side}matchers"):
        try:
            matchers += parse_matchers(text, mode)
        except ValueError as fault:
            found.problem(f"{side}matchers", str(fault), at=node)
    return tuple(matchers)


def _old(name: str, operator: Operator, value: str) -> Matcher:
    matcher = Matcher(name, operator, value)
    if operator is Operator.EQUAL:
        return matcher
    # Alertmanager anchors `match_re` in its text, and so the group keys say it.
    return Matcher(name, operator, f"^(?:{value})$")
