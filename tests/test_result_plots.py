import numpy as np
import pytest
from figures import drawn, texts

from course_utils import metrics, result_plots
from course_utils.slides_log import SLIDES_LOG

RNG = np.random.default_rng(0)


def test_log_and_rerun_draws_four_lines_that_differ_without_colour():
    rerun = {key: values[:3] for key, values in SLIDES_LOG.items()}
    figure = drawn(result_plots.log_and_rerun(SLIDES_LOG, rerun, title="t"))
    loss, accuracy = figure.axes
    assert [len(line.get_xdata()) for line in accuracy.lines] == [10, 10, 3, 3]
    np.testing.assert_array_equal(loss.lines[1].get_ydata(), SLIDES_LOG["val_loss"])
    looks = {
        (line.get_marker(), line.get_linestyle(), line.get_markerfacecolor())
        for line in accuracy.lines
    }
    assert len(looks) == 4


def test_curves_can_be_logarithmic_and_marked():
    figure = drawn(
        result_plots.curves(
            [0, 1, 2],
            {"a": [1, 10, np.nan], "b": [3, 2, 1]},
            title="t",
            xlabel="x",
            ylabel="y",
            log=True,
            marks={"here": 1.5},
        )
    )
    axis = figure.axes[0]
    assert axis.get_yscale() == "log"
    assert texts(axis) == ["here"]
    assert list(axis.lines[2].get_xdata()) == [1.5, 1.5]
    assert axis.lines[0].get_linestyle() != axis.lines[1].get_linestyle()


def test_groups_of_runs_have_one_name_each_and_a_cross_where_numbers_end():
    runs = {"raw": [[1, 1e9, np.nan], [1, 5, 0.7]], "scaled": [[1, 0.9, 0.8]]}
    axis = drawn(result_plots.groups_of_runs(runs, title="t", xlabel="x", ylabel="y")).axes[0]
    names = [text.get_text() for text in axis.get_legend().get_texts()]
    assert names == ["raw", "scaled", "from here on: no number"]
    crosses = [line for line in axis.lines if line.get_marker() == "x" and len(line.get_xdata())]
    assert [(line.get_xdata()[0], line.get_ydata()[0]) for line in crosses] == [(2, 1e9)]
    assert axis.get_yscale() == "log"


def test_groups_of_runs_that_end_well_have_no_cross():
    axis = drawn(
        result_plots.groups_of_runs({"a": [[1, 2]]}, title="t", xlabel="x", ylabel="y")
    ).axes[0]
    assert [text.get_text() for text in axis.get_legend().get_texts()] == ["a"]


def test_confusion_shades_rows_that_sum_to_one_and_frames_common_mistakes():
    counts = np.array([[6, 4, 0], [0, 20, 1], [0, 0, 5]])
    axis = drawn(result_plots.confusion(counts, "abc", title="t")).axes[0]
    np.testing.assert_allclose(axis.images[0].get_array().sum(axis=1), 1)
    assert sorted(texts(axis)) == sorted(["6", "4", "20", "1", "5"])
    (frame,) = axis.patches
    assert (round(frame.get_x()), round(frame.get_y())) == (1, 0)


def test_confusion_refuses_a_class_without_images():
    with pytest.raises(ValueError, match="at least one image of each class: none is b"):
        result_plots.confusion([[1, 0], [0, 0]], "ab", title="t")


@pytest.mark.parametrize("channels", [1, 3])
def test_worst_mistakes_say_what_it_is_and_what_the_network_said(channels):
    images = RNG.integers(0, 256, (3, 8, 8, channels), dtype=np.uint8)
    figure = drawn(
        result_plots.worst_mistakes(
            images, [0, 1, 1], [1, 0, 0], [0.987, 0.7, 0.6], ("cat", "dog"), title="t", columns=2
        )
    )
    titles = [axis.get_title() for axis in figure.axes]
    assert titles == ["is: cat\nsaid: dog, 99%", "is: dog\nsaid: cat, 70%"] + [
        "is: dog\nsaid: cat, 60%",
        "",
    ]


def test_reliability_draws_a_dot_for_each_bin_that_holds_images():
    labels = np.array([0, 1, 1, 0, 1])
    table = metrics.reliability([0.1, 0.9, 0.85, 0.75, 0.25], labels, bins=10)
    axis = drawn(result_plots.reliability({"plain": table}, title="t")).axes[0]
    full = table[table["n"] > 0]
    np.testing.assert_allclose(axis.collections[0].get_offsets(), full[["confidence", "accuracy"]])
    assert texts(axis) == [str(n) for n in full["n"]]
    error = metrics.calibration_error([0.1, 0.9, 0.85, 0.75, 0.25], labels)
    assert axis.get_title(loc="left") == f"plain: mean gap {100 * error:.1f} points"


def test_threshold_curve_draws_three_lines():
    table = metrics.threshold_curve([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1])
    axis = drawn(result_plots.threshold_curve(table, title="t", marks={"best": 0.35})).axes[0]
    assert [line.get_label() for line in axis.lines[:3]] == ["precision", "recall", "f1"]
    np.testing.assert_array_equal(axis.lines[1].get_ydata(), table["recall"])
