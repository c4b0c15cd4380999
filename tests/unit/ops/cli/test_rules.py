"""`tocsin rules check` and `tocsin rules test`."""

import io
import json
from pathlib import Path

import pytest

from ops.cli.command_line import main

RULES = """groups:
- name: g
  rules:
  - {record: r, expr: m * 2, labels: {a: b}}
  - {alert: High, expr: m > 2}
"""
TESTS = """rule_files: [rules.y*ml]
tests:
- name: fine
  input_series: [{series: m, values: 1 2 3}]
  promql_expr_test: [{expr: 'r', eval_time: 2m, exp_samples: [{labels: 'r{a="b"}', value: 6}]}]
- name: wrong
  input_series: [{series: m, values: 1 2 3}]
  alert_rule_test: [{eval_time: 2m, alertname: High}]
"""
FAILURE = """  FAILED:
    name: wrong,
    alertname: High, time: 2m,\x20
        exp:[],\x20
        got:[
            0:
              Labels:{alertname="High"}
              Annotations:{}
            ]
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rules.yml").write_text(RULES)
    (tmp_path / "tests.yml").write_text(TESTS)
    return tmp_path


def test_a_sound_file_is_counted(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rules", "check", "rules.yml"]) == 0
    assert capsys.readouterr() == ("Checking rules.yml\n  SUCCESS: 2 rules found\n\n", "")


def test_problems_are_told_as_promtool_does(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "bad.yml").write_text(RULES.replace("m > 2}", "'sum(', for: 5x}") + "foo: 1\n")
    assert main(["rules", "check", "bad.yml", "rules.yml", "gone.yml"]) == 1
    out, err = capsys.readouterr()
    assert out == (
        "Checking bad.yml\nChecking rules.yml\n  SUCCESS: 2 rules found\n\nChecking gone.yml\n"
    )
    assert err == (
        "  FAILED:\n"
        'bad.yml: 5:38: group "g", rule 2, "High": not a valid duration string: \'5x\'\n'
        'bad.yml: 5:25: group "g", rule 2, "High": could not use expression: '
        "unclosed left parenthesis: 'sum('\n"
        "bad.yml: 6:6: foo: unknown key 'foo': a rule file has 'groups' only\n"
        "  FAILED:\ngone.yml: cannot be read: No such file or directory\n"
    )


def test_duplicates_fail_only_when_they_are_to(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "twice.yml").write_text(RULES + "  - {record: r, expr: m, labels: {a: b}}\n")
    assert main(["rules", "check", "twice.yml"]) == 0
    assert "lint error 1 duplicate rule(s) found." in capsys.readouterr().err
    assert main(["rules", "check", "--lint-fatal", "twice.yml"]) == 3
    assert main(["rules", "check", "--lint-fatal", "--lint", "none", "twice.yml"]) == 0
    capsys.readouterr()
    assert main(["rules", "check", "--json", "twice.yml"]) == 0
    assert json.loads(capsys.readouterr().out)["files"][0]["duplicates"] == [
        {"name": "r", "labels": {"a": "b"}}
    ]


def test_standard_input_is_checked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(RULES))
    assert main(["rules", "check"]) == 0
    assert "Checking standard input\n  SUCCESS: 2 rules found" in capsys.readouterr().out


def test_unknown_keys_may_be_passed_over(folder: Path) -> None:
    text = RULES.replace("- name: g", "- name: g\n  team: x")
    (folder / "more.yml").write_text(text)
    assert main(["rules", "check", "more.yml"]) == 1
    assert main(["rules", "check", "--ignore-unknown-fields", "more.yml"]) == 0


def test_a_failed_test_is_told_in_promtools_lines(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rules", "test", "tests.yml"]) == 1
    assert capsys.readouterr() == ("\n\n", FAILURE)
    assert main(["rules", "test", "--run", "^fi", "tests.yml"]) == 0
    assert capsys.readouterr() == ("  SUCCESS\n\n", "")


def test_a_difference_is_shown_line_by_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rules", "test", "--diff", "--debug", "tests.yml"]) == 1
    err = capsys.readouterr().err
    assert "DEBUG: tests.yml:" in err
    assert "\n            - []\n            + [\n            + 0:\n" in err


def test_verdicts_are_written_as_junit_and_json(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["rules", "test", "--junit", "out.xml", "--json", "tests.yml"]) == 1
    (file,) = json.loads(capsys.readouterr().out)["files"]
    assert [(test["name"], len(test["failures"])) for test in file["tests"]] == [
        ("fine", 0),
        ("wrong", 1),
    ]
    text = (folder / "out.xml").read_text()
    assert 'name="tests.yml" tests="2" failures="1" errors="0"' in text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("tests: [{foo: 1}]", "  line 1: field foo not found in a test"),
        ("rule_files: [gone.yml]\ntests: []", "  WARNING: no file match pattern gone.yml"),
        ("rule_files: [bad.yml]\ntests: [{}]", "bad.yml:1: groups[0].rules[0]: one of 'record' or"),
    ],
)
def test_bad_files_are_told(
    folder: Path, capsys: pytest.CaptureFixture[str], text: str, said: str
) -> None:
    (folder / "bad.yml").write_text("groups: [{name: a, rules: [{expr: up}]}]")
    (folder / "bad_tests.yml").write_text(text)
    code = main(["rules", "test", "bad_tests.yml"])
    assert code == (0 if "WARNING" in said else 1)
    assert said in capsys.readouterr().err


def test_a_wrong_call_is_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rules", "test", "gone.yml"]) == 2
    assert main(["rules", "test", "--run", "(", "tests.yml"]) == 2
    assert main(["rules", "test", "--junit", "no/such/folder/x.xml", "tests.yml"]) == 2
    assert "gone.yml: no such file" in capsys.readouterr().err


def test_a_detectors_missing_option_is_named(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "rules.yml").write_text(
        "groups: [{name: a, rules: [{alert: A, detect: {spike: {bad: x}}}]}]"
    )
    assert main(["rules", "check", "rules.yml"]) == 1
    assert '"A": spike.total: Field required' in capsys.readouterr().err


def test_a_folder_is_no_test_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rules", "test", "."]) == 2
    assert ".: is no file\n" in capsys.readouterr().err
