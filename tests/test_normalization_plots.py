import numpy as np

from course_utils import normalization_plots as plots
from course_utils.plotting import to_png


def test_the_momentum_view_says_how_much_of_the_start_is_left():
    figure = plots.momentum_view(
        np.full(10, 2.0), np.linspace(1, 1.5, 10), [5, 10], [0.2, 0.4], reference=[0.8, 0.9],
        momentum=0.9,
    )  # fmt: skip
    left, right = figure.axes
    assert f"{0.9**10:.0%} of the start" in figure.get_suptitle()
    assert "40%" in figure.get_suptitle()
    assert [list(line.get_ydata()) for line in right.lines] == [[0.8, 0.9], [0.2, 0.4]]
    assert len(left.lines) == 2
    assert to_png(figure)


def test_slices_draw_the_range_and_the_loss():
    losses = np.array([[1.0, 0.5, 2.0], [0.9, 0.8, 0.7]])
    figure = plots.slices({"plain": losses, "other": losses / 2}, [10, 20], title="x")
    assert len(figure.axes) == 2
    np.testing.assert_allclose(figure.axes[0].lines[0].get_ydata(), [1.0, 0.9])
    band = figure.axes[0].collections[0].get_paths()[0].vertices[:, 1]
    assert (band.min(), band.max()) == (0.5, 2.0)
    hatches = {axis.collections[0].get_hatch() for axis in figure.axes}
    assert len(hatches) == 2
    assert to_png(figure)


def test_what_diverges_gets_a_cross():
    found = {"plain": [0.5, np.nan, 99.0], "other": [0.5, 0.4, 0.3]}
    figure = plots.rate_range([0.1, 1, 10], found, chance=2.3, title="x")
    crosses = [
        list(line.get_xdata())
        for line in figure.axes[0].lines
        if line.get_marker() == "x" and len(line.get_xdata())
    ]
    assert crosses == [[1.0, 10.0]]
    assert to_png(figure)


def test_gradients_have_two_panels_and_a_look_for_each_stack():
    found = {name: [1.0, 10.0, 100.0] for name in "abcde"}
    figure = plots.gradients([2, 8, 32], found, found, title="x")
    assert len(figure.axes) == 2
    looks = {(line.get_marker(), line.get_linestyle()) for line in figure.axes[1].lines}
    assert len(looks) == 5
    assert to_png(figure)
