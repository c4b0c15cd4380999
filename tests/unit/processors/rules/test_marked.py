import time

import pytest

from processors.rules.marked import Path, Unreadable, read

BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 12)
)


@pytest.mark.parametrize(
    ("text", "content"),
    [
        ("\ufeffgroups: []", {"groups": []}),
        ("a: &x {b: 1}\nc: *x", {"a": {"b": "1"}, "c": {"b": "1"}}),
        ("a: &x {b: 1, c: 2}\nd: {<<: *x, c: 3}",
         {"a": {"b": "1", "c": "2"}, "d": {"b": "1", "c": "3"}}),
        ("a: {<<: [{b: 1}, {b: 2, c: 3}]}", {"a": {"b": "1", "c": "3"}}),
        ("a: ~\nb: null\nc:\nd: 'null'", {"a": "", "b": "", "c": "", "d": "null"}),
        ("a: 010\nb: 1e3\nc: yes", {"a": "010", "b": "1e3", "c": "yes"}),
        ("", {}),
        ("a: |\n  x\n  y\nb: >\n  x\n  y\n", {"a": "x\ny\n", "b": "x y\n"}),
    ],
)  # fmt: skip
def test_yaml_becomes_plain_data(text: str, content: object) -> None:
    assert read(text).content == content


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        (BOMB, 6, "aliases repeat more than 100000 values"),
        ("[" * 100_000, 1, "nested more than 64 deep"),
        ("- " * 100_000, 1, "nested more than 64 deep"),
        ("a:\n  b: " + "x" * 1_000_001, 2, "a text of 1000001 characters"),
        ("x" * 32_000_001, 1, "the file has 32000001 characters"),
        ("a: &a [*a]", 1, "alias *a stands for nothing that is complete"),
        ("a:\n\tb: 1", 2, "a tab; YAML is indented by spaces"),
        ("a: 1\n<<: 5", 2, "<< must be given mappings"),
        ("a: \ud800", 1, "is no character"),
        ("a: 1\nb: 2\na: 3", 3, "key 'a' is given twice"),
        ("a: 'b", 1, "found unexpected end of stream"),
    ],
)
def test_what_is_hostile_or_wrong_ends_at_once_with_its_line(
    text: str, line: int, reason: str
) -> None:
    began = time.process_time()
    with pytest.raises(Unreadable) as fault:
        read(text)
    assert time.process_time() - began < 2
    assert (fault.value.line, reason in str(fault.value)) == (line, True), fault.value


def test_lines_and_columns_are_those_of_keys_and_values() -> None:
    found = read("a:\n- b: 1\n  c:   2\n- {d: 3}\n")
    paths: list[Path] = [("a",), ("a", 0, "c"), ("a", 1, "d"), ("a", 9)]
    assert [found.line(path) for path in paths] == [1, 3, 4, 1]
    assert found.column(("a", 0, "c")) == 8
