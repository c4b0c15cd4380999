from notifiers.config import read

TREE = """
route:
  receiver: root
  routes:
  - matchers: [a=1]
    receiver: one
    routes:
    - {matchers: [b=1], receiver: deep}
  - {matchers: [a=1], receiver: never}
  - {matchers: [c=1], receiver: goes-on, continue: true}
  - {matchers: ['c=~".+"'], receiver: after}
receivers: [{name: root}, {name: one}, {name: deep}, {name: never}, {name: goes-on}, {name: after}]
"""


def reached(**labels: str) -> list[str]:
    config, found = read(TREE, "t")
    assert not found
    assert config is not None
    return [route.receiver for route in config.route.match(labels)]


def test_the_first_matching_child_ends_the_search() -> None:
    assert reached(a="1") == ["one"]


def test_a_match_goes_as_deep_as_it_can() -> None:
    assert reached(a="1", b="1") == ["deep"]


def test_no_matching_child_leaves_the_alert_with_its_node() -> None:
    assert reached(x="1") == ["root"]


def test_continue_reaches_further_siblings() -> None:
    assert reached(c="1") == ["goes-on", "after"]
    assert reached(c="2") == ["after"]
