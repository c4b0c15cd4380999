"""The example of a rota works as it stands."""

from pathlib import Path

from notifiers.config import read
from notifiers.escalation.policy import Kind, Target
from notifiers.redact import without_secrets
from tests.unit.notifiers.escalation.day import escalated
from tests.unit.notifiers.scenario import Scenario

FILE = Path(__file__).parents[4] / "examples" / "on-call.yml"


def test_the_example_loads_and_names_what_it_uses() -> None:
    config, problems = read(FILE.read_text("utf-8"), FILE.name)
    assert problems == []
    assert config is not None
    assert [*config.policies] == ["standard", "emergency", "payments"]
    standard = config.policies["standard"]
    assert standard.steps[0].targets == (Target(Kind.SCHEDULE, "primary"),)


def test_the_router_follows_the_example_without_its_secrets() -> None:
    scenario = Scenario(without_secrets(FILE.read_text("utf-8")))
    scenario.fires(0, "a", service="payments").until(3_600)
    first, second, third, *_ = [who for _, who in escalated(scenario)]
    assert {first, second} == {"ada", "bob"}
    assert third == "team"
