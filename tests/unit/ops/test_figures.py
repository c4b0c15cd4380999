import threading
from typing import get_args

import pytest

from ops.figures import CATALOGUE, FigureName, Figures


def test_every_name_of_the_type_is_in_the_catalogue_and_no_other() -> None:
    assert sorted(get_args(FigureName)) == sorted(CATALOGUE)


def test_a_counter_adds_by_labels_and_renders_with_help_and_type() -> None:
    figures = Figures()
    figures.add("tocsin_dead_letters_total", stage="detector", reason="not MessagePack")
    figures.add("tocsin_dead_letters_total", 2, reason="not MessagePack", stage="detector")
    assert figures.render() == (
        "# HELP tocsin_dead_letters_total Records put aside, by stage and reason.\n"
        "# TYPE tocsin_dead_letters_total counter\n"
        'tocsin_dead_letters_total{reason="not MessagePack",stage="detector"} 3\n'
    )


def test_a_name_outside_the_catalogue_raises() -> None:
    with pytest.raises(KeyError, match="catalogue"):
        Figures().add("tocsin_nonsense_total")  # type: ignore[arg-type]  # the point


def test_a_label_value_cannot_break_out_of_its_line() -> None:
    figures = Figures()
    figures.set("tocsin_alerts", 1.5, state='a"\n\\')
    assert 'tocsin_alerts{state="a\\"\\n\\\\"} 1.5' in figures.render()


def test_infinities_and_nan_are_written_as_prometheus_reads_them() -> None:
    figures = Figures()
    for state, value in (("a", float("inf")), ("b", float("-inf")), ("c", float("nan"))):
        figures.set("tocsin_alerts", value, state=state)
    text = figures.render()
    assert 'state="a"} +Inf' in text
    assert 'state="b"} -Inf' in text
    assert 'state="c"} NaN' in text


def test_a_registered_source_is_asked_at_every_reading() -> None:
    figures, bytes_now = Figures(), [1.0]
    figures.register(lambda: [("tocsin_log_bytes", {}, bytes_now[0])])
    assert "tocsin_log_bytes 1\n" in figures.render()
    bytes_now[0] = 7
    assert "tocsin_log_bytes 7\n" in figures.render()


def test_a_source_that_fails_hides_no_other_and_is_counted() -> None:
    figures = Figures()
    figures.register(lambda: [("tocsin_nonsense", {}, 1.0)])
    figures.register(lambda: [("tocsin_log_bytes", {}, 1.0)])
    assert "tocsin_log_bytes 1\n" in figures.render()
    assert figures.value("tocsin_figure_failures_total") == 1


def test_an_unknown_count_of_a_stage_is_counted_and_stops_nothing() -> None:
    figures = Figures()
    figures.add_counts({"tocsin_nonsense": 3, "tocsin_history_rows_total": 5}, stage="detector")
    assert figures.value("tocsin_history_rows_total", stage="detector") == 5
    assert figures.value("tocsin_figure_failures_total") == 1


def test_threads_lose_no_count() -> None:
    figures = Figures()

    def count() -> None:
        for _ in range(1_000):
            figures.add("tocsin_stage_events_total", stage="detector")

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert figures.value("tocsin_stage_events_total", stage="detector") == 4_000
