import pytest

from notifiers.config import read
from notifiers.problem import Problem

GOOD = """\
global: {resolve_timeout: 1m}
route:
  receiver: a
  group_by: [alertname]
  routes:
  - matchers: ['severity="critical"', '{team=~"a|b", x!=y}']
    receiver: b
    group_by: ['...']
    group_wait: 0s
    routes:
    - match: {deep: "1"}
      match_re: {also: "x.*"}
      group_by: []
      repeat_interval: 1d
receivers:
- name: a
  webhook_configs:
  - {url: 'http://user:secret@a/x', max_alerts: 3, timeout: 5s, send_resolved: false}
  - url_file: url.txt
    http_config:
      authorization: {type: Bearer, credentials_file: token}
      http_headers: {X-Scope: {values: [one]}}
- name: b
  file_configs: [{path: b.jsonl}]
"""


def problems(text: str) -> list[str]:
    config, found = read(text, "r.yml")
    assert (config is None) == bool(found)
    return [str(one) for one in found]


def routes(*lines: str, receivers: str = "[{name: a}]") -> str:
    return "\n".join(["route:", "  receiver: a", *lines, f"receivers: {receivers}"])


def test_a_file_of_alertmanagers_is_read_with_its_defaults_and_inheritance() -> None:
    config, found = read(GOOD, "r.yml")
    assert not found
    assert config is not None
    assert config.resolve_timeout == 60_000
    root, second, deep = config.route.walk()
    assert (root.group_wait, root.group_interval, root.repeat_interval) == (
        30_000,
        300_000,
        14_400_000,
    )
    assert second.key == '{}/{severity="critical",team=~"a|b",x!="y"}'
    assert (second.group_by_all, second.group_wait, second.receiver) == (True, 0, "b")
    assert deep.key == second.key + '/{also=~"^(?:x.*)$",deep="1"}'
    assert (deep.group_by, deep.group_by_all) == (frozenset(), False)
    assert (deep.repeat_interval, deep.group_wait) == (86_400_000, 0)
    first, by_file = config.receivers["a"].channels
    assert (first.send_resolved, first.max_alerts) == (False, 3)
    assert by_file.send_resolved
    assert "secret" not in repr(config)


def test_all_problems_are_reported_at_once_with_line_key_and_hint() -> None:
    text = routes(
        "  group_wiat: 5s",
        "  group_interval: 0s",
        "  routes:",
        "  - {receiver: pager, matchers: ['x=~\"(\"']}",
        receivers="[{name: a}, {name: page}]",
    )
    assert problems(text) == [
        'r.yml:3: route.group_wiat: unknown key: did you mean "group_wait"?',
        "r.yml:4: route.group_interval: group_interval cannot be zero",
        'r.yml:6: route.routes[0].receiver: undefined receiver "pager" used in route: '
        'did you mean "page"?',
        "r.yml:6: route.routes[0].matchers: not a regular expression: missing ): (",
    ]


@pytest.mark.parametrize(
    ("text", "want"),
    [
        (routes() + "\ntracing: {}", "r.yml:4: tracing: this key of Alertmanager's"),
        (
            routes(receivers="[{name: a, sns_configs: [{topic_arn: c}]}]"),
            "r.yml:3: receivers[0].sns_configs: this key of Alertmanager's is not supported yet",
        ),
    ],
)
def test_what_is_not_supported_yet_is_refused_by_name_and_line(text: str, want: str) -> None:
    assert any(line.startswith(want) for line in problems(text)), problems(text)


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("", "the file is empty"),
        ("receivers: []", "no route provided in config"),
        ("route: {}\nreceivers: []", "root route must specify a default receiver"),
        ("route: 3", "a mapping is wanted here"),
        ("- 1", "a mapping is wanted here"),
        (routes("  matchers: [a=b]"), "root route must not have any matchers"),
        (routes("  match: {a: b}"), "root route must not have any matchers"),
        (routes("  continue: true"), "cannot have continue in root route"),
        (routes("  continue: perhaps"), "true or false is wanted"),
        (routes("  group_wait: 5 minutes"), 'not a duration: "5 minutes"'),
        (routes("  group_by: ['...', a]"), "cannot have wildcard group_by"),
        (routes("  group_by: [a, a]"), 'duplicated label "a" in group_by'),
        (routes("  group_by: ['']"), 'invalid label name "" in group_by list'),
        (routes("  group_by: a"), "a list is wanted here"),
        (routes("  receiver: b"), "duplicate key: it stands already in line 2"),
        (routes(receivers="[{name: a}, {name: a}]"), 'receiver name "a" is not unique'),
        (routes(receivers="[{}]"), "missing name in receiver"),
        (routes(receivers="[{name: a, webhook_configs: [{}]}]"), "one of url or url_file"),
        (
            routes(receivers="[{name: a, webhook_configs: [{url: 'ftp://x'}]}]"),
            'unsupported scheme "ftp" for URL',
        ),
        (
            routes(receivers="[{name: a, webhook_configs: [{url: 'http://a b/'}]}]"),
            "white space",
        ),
        (routes(receivers="[{name: a, file_configs: [{}]}]"), "missing path of the file"),
        ("route: [", "not YAML"),
        ("a: &x [*x]\nroute: {receiver: a}", "aliases repeat"),
        ('route: {receiver: "\\ud83d"}', "half of a surrogate pair"),
        ("[" * 5_000, "not YAML"),
        ("route: !!python/object:os.system {}", "root route must specify"),
        ("a: \x00", "not YAML"),
    ],
)
def test_what_is_wrong_is_said_plainly(text: str, want: str) -> None:
    assert any(want in line for line in problems(text)), problems(text)


def test_aliases_may_repeat_a_part_but_not_blow_up() -> None:
    config, found = read(
        "x: &r {name: a}\nroute: {receiver: a}\nreceivers: [*r]\n".replace("x: &r", "route: &r"),
        "r",
    )
    assert config is None
    assert found
    bomb = "a0: &a0 [1,1,1,1,1,1,1,1,1]\n" + "".join(
        f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 9)
    )
    assert "aliases repeat" in problems(bomb)[0]


def test_a_shared_part_is_merged_and_its_own_keys_win() -> None:
    text = (
        "route: {receiver: a, routes: [&one {matchers: [x=y], group_wait: 1s},"
        " {<<: *one, group_wait: 2s}]}\nreceivers: [{name: a}]"
    )
    config, found = read(text, "r")
    assert not found
    assert config is not None
    assert [route.group_wait for route in config.route.routes] == [1_000, 2_000]
    assert [route.id for route in config.route.routes] == ['{}/{x="y"}', '{}/{x="y"}#1']


def test_a_url_is_never_repeated_in_a_problem() -> None:
    text = routes(receivers="[{name: a, webhook_configs: [{url: 'ws://secret-token@x/'}]}]")
    assert not any("secret" in line for line in problems(text))


def test_a_problem_reads_as_file_line_key_and_message() -> None:
    assert str(Problem("f", 3, "", "empty")) == "f:3: empty"


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "../../etc/cron.d/x", "a/../../b", ".", "a/", "a//b", "'a\\0b'"]
)
def test_a_file_is_written_inside_the_deliveries_folder_only(path: str) -> None:
    text = f"route: {{receiver: a}}\nreceivers:\n- name: a\n  file_configs:\n  - path: {path}\n"
    _, [problem] = read(text.replace("'", '"'), "routes.yml")
    assert str(problem).startswith("routes.yml:5: receivers[0].file_configs[0].path: ")
    assert "is not a path inside the deliveries folder: write for example" in str(problem)
