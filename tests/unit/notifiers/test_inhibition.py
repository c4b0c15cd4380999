from hypothesis import given
from hypothesis import strategies as st

from notifiers.inhibit_rules import InhibitRule
from notifiers.inhibition import Inhibitor
from notifiers.matchers import Matcher, Operator
from schemas.labels import fingerprint

Labels = dict[str, str]
alert_labels = st.fixed_dictionaries(
    {}, optional={name: st.sampled_from(["", "1", "2"]) for name in "abc"}
)
matchers = st.builds(
    Matcher, st.sampled_from("abc"), st.sampled_from(Operator), st.sampled_from(["", "1", "1|2"])
)
sides = st.lists(matchers, max_size=2).map(tuple)
rules = st.builds(InhibitRule, sides, sides, st.frozensets(st.sampled_from("abc"), max_size=2))


def inhibits(rule: InhibitRule, source: Labels, target: Labels) -> bool:
    """The rule as the documentation says it, one pair at a time."""

    def both(labels: Labels) -> bool:
        return all(one.matches(labels) for one in rule.sources + rule.targets)

    return (
        all(one.matches(source) for one in rule.sources)
        and all(one.matches(target) for one in rule.targets)
        and all(source.get(name, "") == target.get(name, "") for name in rule.equal)
        and not (both(source) and both(target))
    )


@given(st.lists(rules, max_size=3), st.lists(st.tuples(alert_labels, st.booleans())), alert_labels)
def test_the_index_answers_as_every_pair_does(
    found: list[InhibitRule], history: list[tuple[Labels, bool]], target: Labels
) -> None:
    inhibitor, firing = Inhibitor(found), dict[str, Labels]()
    for labels, fires in history:
        name = fingerprint(labels)
        if fires:
            firing[name] = labels
            inhibitor.fires(name, labels)
        else:
            firing.pop(name, None)
            inhibitor.is_over(name, labels)
    want = None
    for rule in found:
        able = sorted(name for name, one in firing.items() if inhibits(rule, one, target))
        if able:
            want = able[0]
            break
    assert inhibitor.source(target) == want
