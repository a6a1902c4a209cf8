import numpy as np
import pytest

from course_utils.choosing_plots import (
    best_of,
    cost_plane,
    holdout_and_folds,
    leakage_meter,
    loss_curves,
)


def test_the_best_of_one_is_not_flattered_and_the_best_of_many_is():
    chosen, fresh = best_of(1, 1000, 0.9)
    assert chosen.shape == fresh.shape == (2000,)
    assert abs(chosen.mean() - fresh.mean()) < 0.001
    gaps = [np.subtract(*map(np.mean, best_of(k, 1000, 0.9))) for k in (2, 10, 50)]
    assert 0.003 < gaps[0] < gaps[1] - 0.003 < gaps[2] - 0.006
    # The largest of two normal values lies 1/√π standard deviations above the mean.
    assert gaps[0] == pytest.approx(np.sqrt(0.9 * 0.1 / 1000 / np.pi), rel=0.15)


def test_fresh_images_keep_the_true_accuracy_and_seeds_repeat():
    assert best_of(50, 500, 0.8)[1].mean() == pytest.approx(0.8, abs=0.003)
    np.testing.assert_array_equal(best_of(5, 100, 0.8), best_of(5, 100, 0.8))
    assert (best_of(5, 100, 0.8, seed=1)[0] != best_of(5, 100, 0.8)[0]).any()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 10, 0.5), "choices must be"),
        ((1, 0, 0.5), "images must be"),
        ((1, 10, 1.0), "accuracy must lie"),
    ],
)
def test_luck_needs_sensible_numbers(arguments, message):
    with pytest.raises(ValueError, match=message):
        best_of(*arguments)


def test_the_meter_counts_every_repetition_and_marks_both_means():
    chosen, fresh = best_of(10, 200, 0.9, repeats=300)
    (axis,) = leakage_meter(chosen, fresh, title="Luck").axes
    assert sum(bar.get_height() for bar in axis.patches) == 600
    marks = [line.get_xdata()[0] for line in axis.lines]
    np.testing.assert_allclose(marks, [fresh.mean(), chosen.mean()])


def test_the_meter_takes_scores_that_are_all_the_same():
    leakage_meter(np.full(5, 0.5), np.full(5, 0.5), title="No luck")


def test_the_plane_has_a_labelled_point_for_each_patience():
    points = {"1": ([3, 5], [0.4, 0.6]), "5": ([9, 11], [0.3, 0.3])}
    (axis,) = cost_plane({"kept": points, "last": points}, title="Cost", ylabel="loss").axes
    assert [text.get_text() for text in axis.texts] == ["1", "5"] * 2
    line = axis.containers[0].lines[0]
    np.testing.assert_allclose(line.get_xydata(), [[4, 0.5], [10, 0.3]])


def test_each_run_stars_its_lowest_loss():
    runs = {"a": ([3, 2, 1], [3, 1, 2]), "b": ([3, 2, 1], [3, float("nan"), 2])}
    figure = loss_curves(runs, title="Two runs")
    titles = [axis.get_title(loc="left") or axis.get_title() for axis in figure.axes]
    assert titles == ["a: lowest at epoch 2", "b: lowest at epoch 3"]
    stars = [line.get_xdata()[0] for axis in figure.axes for line in axis.lines[2:]]
    assert stars == [2, 3]


def test_every_part_validates_once_in_the_folds():
    single, folds = holdout_and_folds(4, title="Folds").axes
    assert [text.get_text() for text in single.texts] == ["trains"] * 3 + ["validates"]
    held = [text.get_position() for text in folds.texts if text.get_text() == "validates"]
    assert sorted(x for x, _ in held) == [0.5, 1.5, 2.5, 3.5]
    assert sorted(y for _, y in held) == [0, 1, 2, 3]
    with pytest.raises(ValueError, match="folds must be"):
        holdout_and_folds(1, title="One fold")
