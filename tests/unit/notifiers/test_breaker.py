from notifiers.breaker import FAILURES, OPEN_FOR, SPAN, Breaker


def failed(*instants: int) -> Breaker:
    breaker = Breaker()
    for at in instants:
        breaker.failed(at)
    return breaker


def test_groups_that_fail_in_one_moment_do_not_open_it() -> None:
    """A receiver that is started anew is back in a second, and its pages are not to wait for 30."""
    assert failed(*[1_000] * 40).closed_at(1_000) is None
    assert failed(*range(1_000, 1_000 + SPAN)).closed_at(1_000 + SPAN) is None


def test_it_opens_after_five_failures_in_a_row_over_three_seconds() -> None:
    assert failed(0, 500, 1_500, SPAN).closed_at(SPAN) is None
    breaker = failed(0, 500, 1_500, 2_000, SPAN)
    assert breaker.closed_at(SPAN) == breaker.closed_at(SPAN + OPEN_FOR - 1) == SPAN + OPEN_FOR


def test_one_try_decides_while_the_others_wait() -> None:
    breaker = failed(*[0] * FAILURES, SPAN)
    later = SPAN + OPEN_FOR
    assert breaker.closed_at(later) is None
    assert breaker.closed_at(later) == later + OPEN_FOR
    breaker.failed(later + 10)
    assert breaker.closed_at(later + 20) == later + 10 + OPEN_FOR
    breaker.succeeded()
    assert breaker.closed_at(later + 30) is None


def test_a_success_ends_the_row() -> None:
    breaker = failed(0, 1_000, 2_000, 3_000)
    breaker.succeeded()
    for at in range(4_000, 4_000 + FAILURES):
        breaker.failed(at)
    assert breaker.closed_at(5_000) is None
