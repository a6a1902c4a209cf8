import numpy as np
import pytest
from figures import drawn

from course_utils import race_plots

RUNS = {
    "slides": ([40.0, 60.0], [0.9901, 0.9903]),
    "one epoch": ([9.0, 10.0], [0.985, 0.987]),
    "fastest": ([2.0, 2.4], [0.9905, 0.9911]),
    "record": ([5.0, 5.2], [0.9904, 0.9906]),
}


def large(axis):
    """Markers of the means: (x, row, marker, filled)."""
    return [
        (line.get_xdata()[0], line.get_ydata()[0], line.get_marker(),
         line.get_markerfacecolor() != "white")
        for line in axis.lines if line.get_markersize() == 8
    ]  # fmt: skip


def test_ladder_draws_means_and_tells_the_record_and_what_missed_apart():
    cost, score = drawn(race_plots.ladder(RUNS, title="t")).axes
    assert cost.get_xscale() == "log"
    assert large(cost) == [
        (50.0, 0, "o", True),
        (9.5, 1, "o", False),
        (2.2, 2, "o", True),
        (5.1, 3, "D", True),
    ]
    np.testing.assert_allclose([x for x, *_ in large(score)], [99.02, 98.6, 99.08, 99.05])
    texts = [text.get_text() for axis in (cost, score) for text in axis.texts]
    assert texts == [
        "50 s", "9.5 s", "2.2 s", "5.1 s", "99.02 %", "98.60 %", "99.08 %", "99.05 %",
    ]  # fmt: skip
    rows = [label.get_text() for label in cost.get_yticklabels()]
    assert rows == list(RUNS)
    # The line that joins the rungs leaves the record out.
    np.testing.assert_array_equal(cost.lines[0].get_ydata(), [0, 1, 2])


def test_ladder_shows_every_seed():
    cost, _ = drawn(race_plots.ladder(RUNS, title="t")).axes
    seeds = [line.get_xdata() for line in cost.lines if line.get_marker() == "|"]
    np.testing.assert_array_equal(seeds, [seconds for seconds, _ in RUNS.values()])


@pytest.mark.parametrize("runs", [{}, {"a": ([], [])}, {"a": ([1.0], [0.9, 0.8])}])
def test_ladder_refuses_runs_that_do_not_fit(runs):
    with pytest.raises(ValueError, match="at least one"):
        race_plots.ladder(runs, title="t")


def test_progress_draws_a_line_a_seed_and_a_dot_an_end():
    runs = {"slides": [([1, 2, 3], [0.9, 0.98, 0.99]), ([1, 2], [0.8, 0.97])]}
    ends = {"fastest": RUNS["fastest"], "record": RUNS["record"]}
    (axis,) = drawn(race_plots.progress(runs, ends, title="t")).axes
    assert [len(line.get_xdata()) for line in axis.lines[1:]] == [3, 2, 2, 2]
    np.testing.assert_allclose(axis.lines[1].get_ydata(), [90, 98, 99])
    markers = [line.get_marker() for line in axis.lines[3:]]
    assert len(set(markers)) == 2
    assert len(axis.get_legend().get_texts()) == 3
