from datetime import timedelta
from pathlib import Path

import pytest

from ops.config_problems import Problems
from ops.config_types import Address
from ops.settings import Loaded, Settings, load, read_secret

TOKEN = "0123456789abcdef0123456789abcdef"


def loaded(
    tmp_path: Path, text: str, environ: dict[str, str] | None = None, **options: object
) -> Loaded:
    file = tmp_path / "tocsin.yaml"
    file.write_text(text)
    return load(file, options, environ or {})


def problems(
    tmp_path: Path, text: str, environ: dict[str, str] | None = None, **options: object
) -> list[str]:
    with pytest.raises(Problems) as caught:
        loaded(tmp_path, text, environ, **options)
    return [str(p).replace(f"{tmp_path}/", "") for p in caught.value.problems]


def test_without_any_source_there_are_defaults(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    settings = load(None, {}, {}).settings
    assert settings.data == Path("tocsin-data")
    assert settings.listen == Address("127.0.0.1", 8080)
    assert settings.evaluation_interval == timedelta(seconds=15)
    assert settings.url == "http://127.0.0.1:8080"


def test_the_file_of_the_working_directory_is_read_unasked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tocsin.yaml").write_text("evaluation_interval: 1m\n")
    assert load(None, {}, {}).settings.evaluation_interval == timedelta(minutes=1)


def test_options_win_over_environment_over_file(tmp_path: Path) -> None:
    text = "data: a\nevaluation_interval: 1s\nagent: {interval: 1s, labels: {a: b}}\n"
    environ = {
        "TOCSIN__DATA": "b",
        "TOCSIN__EVALUATION_INTERVAL": "2s",
        "TOCSIN__AGENT__INTERVAL": "2s",
        "TOCSIN__EXTERNAL_LABELS__ZONE": "010",
        "PATH": "/bin",
    }
    settings = loaded(tmp_path, text, environ, data="c").settings
    assert settings.data == Path("c")
    assert settings.evaluation_interval == timedelta(seconds=2)
    assert settings.agent.interval == timedelta(seconds=2)
    assert settings.agent.labels == {"a": "b"}
    assert settings.external_labels == {"zone": "010"}


@pytest.mark.parametrize("servers", ["a:1, b:2", "a:1,b:2", '["a:1", "b:2"]'])
def test_addresses_in_the_environment_are_text_or_json(tmp_path: Path, servers: str) -> None:
    environ = {"TOCSIN__LISTEN": "127.0.0.1:9000", "TOCSIN__KAFKA__BOOTSTRAP": servers}
    settings = loaded(tmp_path, "", environ).settings
    assert settings.listen == Address("127.0.0.1", 9000)
    assert settings.kafka.bootstrap == ("a:1", "b:2")


def test_paths_of_the_file_are_relative_to_it_and_others_are_not(tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "b.yml").write_text("")
    (tmp_path / "rules" / "a.yml").write_text("")
    text = "rules: [rules/*.yml]\nagent: {spool: {directory: spool}}\n"
    settings = loaded(tmp_path, text, data="data").settings
    assert [file.name for file in settings.rule_files()] == ["a.yml", "b.yml"]
    assert settings.agent.spool.directory == tmp_path / "spool"
    assert settings.data == Path("data")


@pytest.mark.parametrize(
    ("written", "read"), [("no", "no"), ("010", "010"), ("12:30", "12:30"), ("1.0", "1.0")]
)
def test_text_stays_as_it_was_written(tmp_path: Path, written: str, read: str) -> None:
    settings = loaded(tmp_path, f"external_labels:\n  zone: {written}\n").settings
    assert settings.external_labels == {"zone": read}


def test_a_switch_reads_no_as_false(tmp_path: Path) -> None:
    assert loaded(tmp_path, "history: {enabled: no}").settings.history.enabled is False


@pytest.mark.parametrize("text", ["", "# nothing\n", "log:\nrules:\nlisten: ~\n"])
def test_a_key_without_a_value_is_not_set(tmp_path: Path, text: str) -> None:
    assert loaded(tmp_path, text).settings == loaded(tmp_path, "").settings


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: 1\nlisen: x\n", 'tocsin.yaml:2: lisen: unknown key: did you mean "listen"?'),
        (
            "history:\n  enabled: true\n  retentoin: 4d\n",
            'tocsin.yaml:3: history.retentoin: unknown key: did you mean "retention"?',
        ),
        (
            "agent:\n  checks:\n    - name: a\n      url: http://x\n    - name: b\n      ulr: x\n",
            'tocsin.yaml:6: agent.checks[1].ulr: unknown key: did you mean "url"?',
        ),
        ("agent:\n  checks:\n    - name: b\n", "tocsin.yaml:3: agent.checks[0].url: is missing"),
        ("listen: 8080\n", "tocsin.yaml:1: listen: is not an address"),
        ("listen: 127.0.0.1:70000\n", "tocsin.yaml:1: listen: has a port above 65535"),
        ("listen: ::1:80\n", "tocsin.yaml:1: listen: is not an address"),
        ("listen: 0.0.0.0:80\n", "tocsin.yaml:1: listen: 0.0.0.0:80 is reachable by others"),
        ("\nevaluation_interval: 12:30\n", "tocsin.yaml:2: evaluation_interval: write a duration"),
        ("evaluation_interval: 1ms\n", "tocsin.yaml:1: evaluation_interval: "),
        ("external_url: ftp://x\n", "tocsin.yaml:1: external_url: is not a web address"),
        ("external_url: http://u:p@x\n", "tocsin.yaml:1: external_url: must have no user"),
        ("external_labels: {1x: a}\n", "tocsin.yaml:1: external_labels.1x: is not a label name"),
        ("delivery:\n  allow: [10.0.0.0/99]\n", "tocsin.yaml:2: delivery.allow[0]: "),
        ("rules:\n  - none/*.yml\n", "tocsin.yaml:2: rules[0]: none/*.yml matches no file"),
        ("routes: none.yml\n", "tocsin.yaml:1: routes: none.yml is no file"),
        ("token: short\n", "tocsin.yaml:1: token: has fewer than 16 characters"),
        ("token_file: none\n", "tocsin.yaml:1: token_file: none cannot be read"),
        (f"token: {TOKEN}\ntoken_file: x\n", "tocsin.yaml:1: token: is set and token_file too"),
        (
            "log:\n  max_bytes: 100MB\n  reserve_bytes: 90MB\n",
            "tocsin.yaml:3: log.reserve_bytes: leaves too little",
        ),
        ("log: {max_bytes: lots}\n", "tocsin.yaml:1: log.max_bytes: "),
        ("logging: {level: loud}\n", "tocsin.yaml:1: logging.level: "),
        ("listen: a:1\nlisten: b:1\n", "tocsin.yaml:2: listen: is there twice"),
        ("x: !!python/object:os.system 1\n", "tocsin.yaml:1: x: has the tag"),
        ("- a\n", "tocsin.yaml:1: must be keys and values"),
        ("--- {}\n--- {}\n", "tocsin.yaml:2: has two documents"),
        ("\tdata: x\n", "tocsin.yaml:1: is not YAML"),
        ("data: x\nrules: [a\n", "tocsin.yaml:3: is not YAML"),
        ("? [a]\n: b\n", "tocsin.yaml:1: has a key that is not text"),
        ("[" * 100_000, "tocsin.yaml: is not YAML"),
        ("a: &a [*a]\n", "tocsin.yaml:1: is nested too deeply"),
        ("x: " + "9" * 1_100_000, "tocsin.yaml: is larger than 1 MiB"),
    ],
)
def test_a_problem_has_file_line_and_key(tmp_path: Path, text: str, problem: str) -> None:
    assert any(found.startswith(problem) for found in problems(tmp_path, text))


def test_an_alias_bomb_is_refused_quickly(tmp_path: Path) -> None:
    lines = ["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    for level in range(1, 30):
        lines.append(f"a{level}: &a{level} [" + ", ".join([f"*a{level - 1}"] * 10) + "]")
    (found,) = problems(tmp_path, "\n".join(lines))
    assert "has more than 50000 values" in found


def test_all_problems_come_at_once(tmp_path: Path) -> None:
    text = "lisen: x\nrules: [none.yml]\nhistory: {enabled: maybe}\ntoken: short\n"
    found = problems(tmp_path, text, {"TOCSIN__FOO": "1"}, listen="nowhere")
    assert sorted(line.split(": ")[0:2] for line in found) == [
        ["--listen", "listen"],
        ["TOCSIN__FOO", "foo"],
        ["tocsin.yaml:1", "lisen"],
        ["tocsin.yaml:2", "rules[0]"],
        ["tocsin.yaml:3", "history.enabled"],
        ["tocsin.yaml:4", "token"],
    ]


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("TOCSIN__AGNET__INTERVAL", "5s", 'agnet: unknown key: did you mean "agent"?'),
        ("TOCSIN__AGENT__INTREVAL", "5s", 'agent.intreval: unknown key: did you mean "interval"?'),
        ("TOCSIN__AGENT__INTERVAL", "5", "agent.interval: "),
        ("TOCSIN__RULES", "a.yml", "rules: cannot be read: write it as JSON"),
        ("TOCSIN__RULES", '["none.yml"]', "rules[0]: none.yml matches no file"),
    ],
)
def test_a_problem_of_the_environment_names_the_variable(
    tmp_path: Path, name: str, value: str, problem: str
) -> None:
    (found,) = problems(tmp_path, "", {name: value})
    assert found.startswith(f"{name}: {problem}")


def test_no_problem_and_no_repr_shows_a_secret(tmp_path: Path) -> None:
    text = "\n".join(
        [
            "token: [tops3cret-tops3cret]",
            "agent:",
            "  checks:",
            "    - {name: a, url: 'http://u:tops3cret@x'}",
            "    - {name: b, url: 'http://x', headers: {Authorization: [tops3cret]}}",
        ]
    )
    found = problems(tmp_path, text)
    assert len(found) >= 3
    assert "tops3cret" not in "\n".join(found)
    assert TOKEN not in repr(loaded(tmp_path, f"token: {TOKEN}"))


def test_a_token_comes_from_a_file_of_its_own(tmp_path: Path) -> None:
    secret = tmp_path / "token"
    secret.write_text(f"{TOKEN}\n")
    secret.chmod(0o600)
    found = loaded(tmp_path, "token_file: token\nlisten: 0.0.0.0:0\n")
    assert found.settings.token is not None
    assert found.settings.token.get_secret_value() == TOKEN
    assert found.warnings == ()
    secret.chmod(0o644)
    (warning,) = loaded(tmp_path, "token_file: token\n").warnings
    assert "can be read by everybody" in str(warning)


@pytest.mark.parametrize("content", [b"", b" \n", b"two words", b"\xff\xfe", b"bell\x07"])
def test_a_file_that_holds_no_token_is_said(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "token"
    file.write_bytes(content)
    with pytest.raises(ValueError, match="token"):
        read_secret(file)


@pytest.mark.parametrize(
    ("address", "loopback"),
    [
        ("127.0.0.1:0", True),
        ("127.8.8.8:1", True),
        ("localhost:80", True),
        ("[::1]:80", True),
        ("0.0.0.0:80", False),
        ("[::]:80", False),
        ("example.org:80", False),
    ],
)
def test_loopback_is_known(address: str, loopback: bool) -> None:
    parsed = Address.parse(address)
    assert parsed.loopback is loopback
    assert str(parsed) == address


def test_settings_read_no_environment_by_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOCSIN__DATA", "elsewhere")
    assert Settings().data == Path("tocsin-data")


def test_the_example_is_right() -> None:
    example = Path(__file__).parents[3] / "examples" / "tocsin.yaml"
    settings = load(example, {}, {}).settings
    assert [file.name for file in settings.rule_files()] == ["default.yml"]
    assert settings.agent.checks[0].name == "tocsin"
