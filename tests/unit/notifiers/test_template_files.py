from pathlib import Path

import pytest

from notifiers.config import read
from notifiers.template_files import read_templates, undefined
from tests.unit.notifiers.deliveries import delivery

ROUTES = """route: {receiver: a}
receivers:
- name: a
  webhook_configs:
  - {url: 'http://example.com/', payload: {t: '{{ template "ours" . }}'}}
"""


def test_files_define_templates_and_the_last_one_wins(tmp_path: Path) -> None:
    (tmp_path / "1.tmpl").write_text('{{ define "ours" }}first{{ end }}')
    (tmp_path / "2.tmpl").write_text('{{ define "ours" }}{{ .Receiver }}!{{ end }}')
    templates = read_templates(["*.tmpl"], tmp_path)
    assert templates.text('{{ template "ours" . }}', delivery()) == "ops!"


def test_a_file_that_is_wrong_is_named_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "bad.tmpl").write_text('ok\n{{ define "x" }}{{ .A')
    with pytest.raises(ValueError, match=r"bad\.tmpl: template 2:"):
        read_templates(["bad.tmpl"], tmp_path)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "bad.tmpl").write_bytes(b"\xff\xfe")
    with pytest.raises(ValueError, match=r"bad\.tmpl: cannot be read: not UTF-8"):
        read_templates(["bad.tmpl"], tmp_path)


def test_a_pattern_without_files_is_no_error_as_in_alertmanager(tmp_path: Path) -> None:
    assert read_templates(["none/*.tmpl"], tmp_path).text("x", delivery()) == "x"


def test_what_nobody_defines_is_found_before_it_is_wanted(tmp_path: Path) -> None:
    config, _ = read(ROUTES, "r.yml")
    assert config is not None
    [message] = undefined(config, read_templates([], tmp_path))
    assert 'receiver "a": webhook_configs[0].payload.t' in message
    assert 'template "ours" not defined' in message
    (tmp_path / "a.tmpl").write_text('{{ define "ours" }}{{ end }}')
    assert list(undefined(config, read_templates(["a.tmpl"], tmp_path))) == []
