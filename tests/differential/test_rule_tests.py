from copy import deepcopy
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.differential.rule_tests import Draw, ours, plain, settled, theirs, written
from tests.differential.test_promtool import needs_promtool

TEST = (["test", "rules"], ["rules", "test"])


def both(folder: Path, rules: object, tests: object) -> int:
    file = written(folder, rules, tests)
    wanted = theirs(TEST[0], file)
    assert plain(ours(TEST[1], file), folder) == plain(wanted, folder)
    return wanted.code


@pytest.mark.slow
@needs_promtool
@settings(max_examples=150, suppress_health_check=list(HealthCheck))
@given(st.randoms(use_true_random=False))
def test_random_rule_tests_get_promtools_verdicts_in_its_lines(
    tmp_path_factory: pytest.TempPathFactory, random: Random
) -> None:
    folder = tmp_path_factory.mktemp("tests")
    rules, tests = Draw(random).files()
    if both(folder, rules, tests):
        told = theirs(TEST[0], written(folder, rules, tests)).err
        both(folder, rules, settled(deepcopy(tests), told))


@pytest.mark.slow
@needs_promtool
def test_tests_that_expect_what_promtool_got_pass(tmp_path: Path) -> None:
    codes = []
    for seed in range(40):
        rules, tests = Draw(Random(seed)).files()
        told = theirs(TEST[0], written(tmp_path, rules, tests)).err
        codes.append(both(tmp_path, rules, settled(tests, told)))
    assert codes.count(0) > 10
