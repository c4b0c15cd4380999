import pytest

from processors.promql.labels import Labels
from processors.rules.file import BadRules
from tests.support.detecting import T0, Run, facts, rule_of, series

COMPONENTS = {
    "database": {"score": "db_score", "weight": 3},
    "api": {"score": "api_score", "weight": 2, "needs": ["database"]},
    "web": {"score": "web_score", "needs": ["api"]},
}


def run(**scores: float) -> Run:
    samples = {series(f"{name}_score", service="shop"): [(T0, v)] for name, v in scores.items()}
    return Run(rule_of("health", components=COMPONENTS, by=["service"]), samples)


def recorded(found: tuple[tuple[Labels, float], ...], name: str) -> list[float]:
    return [value for labels, value in found if ("__name__", name) in labels]


def test_a_score_is_the_weighted_mean_and_85_is_healthy() -> None:
    found = run(db=100, api=70, web=60).at(0)
    assert recorded(found.samples, "health:score") == [pytest.approx((300 + 140 + 60) / 6)]
    assert recorded(found.samples, "health:status") == [1]
    assert not run(db=100, api=70, web=70).at(0).findings  # 85
    assert run(db=100, api=70, web=69).at(0).findings


def test_a_parents_failure_explains_its_children() -> None:
    (finding,) = run(db=20, api=40, web=30).at(0).findings
    assert finding.labels == (("service", "shop"),)
    assert facts(finding) == {
        "status": "unhealthy",
        "components": "database 20, api 40, web 30",
        "causes": "database",
        "explained": "api by database; web by database",
    }


def test_a_child_that_fails_alone_is_its_own_cause() -> None:
    (finding,) = run(db=100, api=10, web=30).at(0).findings
    assert facts(finding)["causes"] == "api"
    assert facts(finding)["explained"] == "web by api"


def test_with_less_than_half_of_the_weight_known_health_is_unknown_and_not_well() -> None:
    (finding,) = run(api=100).at(0).findings
    assert facts(finding)["status"] == "unknown"
    assert facts(finding)["components"] == "database unknown, api 100, web unknown"


def test_an_entity_that_vanishes_is_unknown_over_a_restart_too() -> None:
    gone = run(db=100, api=100, web=100)
    assert not gone.at(0).findings
    gone.restart()
    (finding,) = gone.at(3600).findings
    assert facts(finding)["status"] == "unknown"
    assert not gone.at(28 * 3600).findings


def test_only_the_unhealthy_are_found_where_that_is_asked() -> None:
    samples = {series("x"): [(T0, 80.0)]}
    one = {"x": {"score": "x"}}
    assert Run(rule_of("health", components=one), samples).at(0).findings
    assert not Run(rule_of("health", components=one, at="unhealthy"), samples).at(0).findings


@pytest.mark.parametrize(
    ("components", "said"),
    [
        ({"a": {"score": "x", "needs": ["b"]}}, r"components.a.needs\[0\]: no component 'b'"),
        (
            {"a": {"score": "x", "needs": ["b"]}, "b": {"score": "x", "needs": ["a"]}},
            "components need each other: a needs b needs a|components need each other: b needs a",
        ),
        ({"a": {"score": "x +"}}, "could not use expression"),
        ({"a": {"score": "x", "weight": 0}}, "greater than 0"),
    ],
)
def test_components_that_make_no_sense_are_refused(
    components: dict[str, object], said: str
) -> None:
    with pytest.raises(BadRules, match=said):
        rule_of("health", components=components)
