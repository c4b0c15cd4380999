"""Users, policies and choices as the file gives them, and what is wrong with them."""

import pytest

from notifiers.config import Config, read
from notifiers.escalation.policy import Choice
from notifiers.route_changes import changes
from tests.unit.notifiers.escalation.day import FILE


def config(text: str) -> Config:
    found, problems = read(text, "f")
    assert problems == []
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("old", "new", "want"),
    [
        ("contacts: [bob]", "contacts: [bop]", 'undefined receiver "bop" in contacts: did you'),
        ("contacts: [bob]", "contacts: []", "a user without contacts cannot be reached"),
        ("during: [never]}]}\n", "during: [neve]}]}\n", 'undefined time interval "neve": did you'),
        ("{name: bob, contacts", "{name: ada, contacts", 'user "ada" is not unique: it stands'),
        ("{users: [ada], rotation", "{users: [adda], rotation", 'undefined user "adda" on call'),
        ("{user: bob}, {receiver", "{user: bop}, {receiver", 'undefined user "bop" in escalation'),
        ("[{schedule: primary}]", "[{schedule: primry}]", 'undefined schedule "primry" in esc'),
        ("[{schedule: primary}]", "[{schedule: primary, user: ada}]", "one of user, schedule and"),
        ("[{schedule: primary}], wait: 5m", "[], wait: 5m", "a step that notifies nobody"),
        ("[{schedule: primary}], wait: 5m", "[{user: ada}]", "missing wait of the step"),
        ("wait: 5m", "wait: 0s", "a wait cannot be zero"),
        ("repeat: 1", "repeat: 101", "at most 100 repeats"),
        ("acknowledge_timeout: 1h", "acknowledge_timeout: 0s", "it cannot be zero"),
        ("name: urgent", "name: calm", 'escalation policy "calm" is not unique'),
        ("name: urgent", "name: none", '"none" means that there is no policy'),
        ("default: calm}", "default: clam}", 'undefined escalation policy "clam" used in route'),
        ("default: calm}", "default: standard}", "name a schedule with `on_call:` that standard"),
        ("route:", "on_call: [primary, secondary]\nroute:", 'undefined schedule "secondary"'),
    ],
)
def test_what_is_wrong_is_said_where_it_stands(old: str, new: str, want: str) -> None:
    text = FILE.replace(old, new, 1)
    assert text != FILE
    found, problems = read(text, "f")
    assert found is None
    [problem] = [one for one in problems if want in str(one)]
    given = text.splitlines()[problem.line - 1]
    assert any(part in given for part in new.split("\n")), given


def test_a_route_has_its_parents_choice_unless_it_says_otherwise() -> None:
    routes = """
  routes:
    - matchers: [service = "a"]
    - matchers: [service = "b"]
      escalation_policy: calm
      routes: [{matchers: [service = "b"]}]
    - matchers: [service = "c"]
      escalation_policy: none
receivers:"""
    found = config(FILE.replace("\nreceivers:", routes, 1)).route
    above = Choice("calm", (("critical", "urgent"),))
    a, b, c = found.routes
    assert (found.escalation, a.escalation) == (above, above)
    assert b.escalation == b.routes[0].escalation == Choice("calm")
    assert c.escalation == Choice("")


def test_the_first_severity_in_the_order_written_decides() -> None:
    choice = Choice("", (("critical", "one"), ("high", "two")))
    assert choice.policy({"high", "critical"}) == "one"
    assert choice.policy({"high", "low"}) == "two"
    assert choice.policy({"low"}) == ""
    assert str(choice) == "critical: one, high: two, default: none"


def test_a_policy_of_a_shipped_name_takes_its_place() -> None:
    shipped = config(f"on_call: primary\n{FILE}").policies
    assert (shipped["standard"].repeat, len(shipped["standard"].steps)) == (2, 2)
    own = config(f"on_call: primary\n{FILE.replace('calm', 'standard')}").policies
    assert own["standard"].repeat == 1
    assert "standard" not in config(FILE).policies


def test_without_people_in_the_file_a_schedule_may_name_anybody() -> None:
    schedule = "{name: s, layers: [{users: [x], rotation: daily, start: 2026-01-01T00:00}]}"
    assert config(f"route: {{receiver: a}}\nreceivers: [{{name: a}}]\nschedules: [{schedule}]\n")


def test_a_difference_in_who_is_called_is_a_difference() -> None:
    new = FILE.replace("default: calm", "default: none").replace("wait: 10m", "wait: 11m")
    new = new.replace("{name: bob, contacts: [bob]}", "{name: bob, contacts: [chat]}")
    found = [(one.kind, one.name, one.key) for one in changes(config(FILE), config(new))]
    assert found == [
        ("route", "{}", "escalation_policy"),
        ("user", "bob", "contacts"),
        ("escalation policy", "calm", "steps"),
    ]
