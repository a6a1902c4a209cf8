import numpy as np
import pandas as pd
import pytest

from course_utils import improvement_plots as ip
from course_utils.improvement_tables import Effect
from course_utils.intervals import Interval


def effect(variant, group, low, high, cpu=2.0, adds=1.0, n=5):
    gain = Interval((low + high) / 2, low, high, 0.95, n)
    return Effect(variant, group, "…", gain, gain, gain, cpu, (cpu, cpu), adds, 1.0)


@pytest.fixture
def rows():
    return [
        effect("ELU", "activations", 0.1, 0.5),
        effect("SELU", "activations", -0.4, 0.4),
        effect("SGD, tuned to 0.1", "optimizer", -9.0, -7.0, cpu=0.5, adds=3.0),
    ]


def lines(axis, marker):
    return [line for line in axis.lines if line.get_marker() == marker and len(line.get_xdata())]


def test_a_gain_and_its_cost_share_a_row(rows):
    figure = ip.gains_and_costs(rows, title="t")
    left, right = figure.axes
    names = dict(
        zip(left.get_yticks(), (t.get_text() for t in left.get_yticklabels()), strict=True)
    )
    assert list(names.values()) == [row.variant for row in rows]
    (worse,) = lines(left, "v")
    assert (worse.get_xdata()[0], names[worse.get_ydata()[0]]) == (-8.0, "SGD, tuned to 0.1")
    better, unclear = lines(left, "o")
    assert better.get_markerfacecolor() != "w"
    assert unclear.get_markerfacecolor() == "w"
    costs = {names[line.get_ydata()[0]]: line.get_xdata()[0] for line in lines(right, "o")}
    assert costs == {row.variant: row.cpu for row in rows}
    adds = {names[line.get_ydata()[0]]: line.get_xdata()[0] for line in lines(right, "|")}
    assert adds == {row.variant: row.multiply_adds for row in rows}
    low, high = left.get_xlim()
    assert low < -9
    assert high > 0.5


def test_a_row_with_other_seeds_says_how_many(rows):
    few = effect("batch normalization", "batch normalization", 1, 2, n=3)
    left = ip.gains_and_costs([*rows, few], title="t").axes[0]
    names = [label.get_text() for label in left.get_yticklabels()]
    assert names == [*(row.variant for row in rows), "batch normalization (n = 3)"]


def test_groups_have_headings_between_the_rows(rows):
    left = ip.gains_and_costs(rows, title="t").axes[0]
    headings = {text.get_text(): text.get_position()[1] for text in left.texts}
    assert headings == {"activations": 0, "optimizer": 3}
    assert left.get_yticks().tolist() == [1, 2, 4]


def test_live_results_stand_below_the_stored_ones(rows):
    live = [effect("SGD, tuned to 0.3", "optimizer", -3, 2, cpu=1.5)]
    left, right = ip.gains_and_costs(rows, title="t", live=live).axes
    (diamond,) = lines(left, "D")
    assert 4 < diamond.get_ydata()[0] < 4.5
    assert diamond.get_xdata()[0] == -0.5
    assert [line.get_xdata()[0] for line in lines(right, "D")] == [1.5]
    with pytest.raises(ValueError, match="have a row"):
        ip.gains_and_costs(rows, title="t", live=[effect("GELU", "activations", 0, 1)])
    with pytest.raises(ValueError, match="at least one"):
        ip.gains_and_costs([], title="t")


def test_rates_frame_the_best_and_the_default():
    table = [[0.2, 0.9, 0.95], [0.97, 0.5, np.nan]]
    figure = ip.rates(
        table, ["SGD", "Adam"], factors=(0.1, 1, 10), defaults=(0.01, 0.001), title="t"
    )
    axis = figure.axes[0]
    texts = [text.get_text() for text in axis.texts]
    assert texts[:3] == ["20.0\nat 0.001", "90.0\nat 0.01", "95.0\nat 0.1"]
    assert texts[5] == "no number\nat 0.01"
    frames = {}
    for patch in axis.patches:
        x, y = patch.get_x() + patch.get_width() / 2, patch.get_y() + patch.get_height() / 2
        frames.setdefault(patch.get_linestyle(), []).append((round(x), round(y)))
    assert frames == {"--": [(1, 0), (1, 1)], "-": [(2, 0), (0, 1)]}


def test_stopped_runs_are_no_times():
    times = {
        "linear": {8: [(9.0, False), (2.0, True), (4.0, True)], 16: [(9.0, False)] * 2},
        "constant": {8: [(1.0, True)], 16: [(3.0, True)]},
    }
    axis = ip.time_to_target(times, limit=8, title="t", target=0.95).axes[0]
    crosses = lines(axis, "x")
    assert len(crosses) == 3
    assert all(line.get_ydata()[0] > 8 for line in crosses)
    medians = [line.get_ydata() for line in axis.lines if line.get_label() == "rate ∝ size"][0]
    assert medians[0] == 4
    assert np.isnan(medians[1])


def test_the_front_is_as_full_as_it_is_certain():
    table = pd.DataFrame(
        {
            "width": [0.5, 1, 1], "depth": [1, 1, 2], "multiply_adds": [10, 100, 50],
            "accuracy": [0.9, 0.91, 0.95], "se": [0.01] * 3, "front": [True, False, True],
            "on_front": [1.0, 0.02, 0.7],
        }
    )  # fmt: skip
    axis = ip.front(table, title="t").axes[0]
    fills = {"full": [10], "none": [100], "bottom": [50]}
    for fill, costs in fills.items():
        found = [line for line in axis.lines if line.get_fillstyle() == fill]
        drawn = [x for line in found if line.get_linestyle() == "None" for x in line.get_xdata()]
        assert drawn == costs
    assert [text.get_text() for text in axis.texts] == ["0.5", "1", "1 (70%)"]
    step = next(line for line in axis.lines if line.get_label() == "the front")
    assert step.get_xdata().tolist() == [10, 50]


def test_fits_have_a_line_through_the_means():
    runs = {"training": [[1, 2], [3, 4]], "validation": [[5, 6], [7, 8]]}
    axis = ip.fits([16, 64], runs, title="t", xlabel="units").axes[0]
    means = {line.get_label(): list(line.get_ydata()) for line in axis.lines}
    assert means["training"] == [2, 3]
    assert means["validation"] == [6, 7]
