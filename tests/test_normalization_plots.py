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
    names = ["plain", "batch normalization"]
    figure = plots.slices({names[0]: losses, names[1]: losses / 2}, [10, 20], title="x")
    assert len(figure.axes) == 2
    np.testing.assert_allclose(figure.axes[0].lines[0].get_ydata(), [1.0, 0.9])
    band = figure.axes[0].collections[0].get_paths()[0].vertices[:, 1]
    assert (band.min(), band.max()) == (0.5, 2.0)
    hatches = {axis.collections[0].get_hatch() for axis in figure.axes}
    assert len(hatches) == 2
    assert to_png(figure)


def test_what_diverges_gets_a_cross():
    found = {
        "plain": [[0.5, np.nan, 99.0], [0.7, 0.6, np.inf], [0.6, 0.7, 98.0]],
        "batch normalization": [[0.5, 0.4, 0.3]] * 3,
    }
    figure = plots.rate_range([0.1, 1, 10], found, chance=2.3, title="x")
    (axis,) = figure.axes
    crosses = [line for line in axis.lines if line.get_marker() == "x" and len(line.get_xdata())]
    # One for each run that diverged: one of three at a rate of 1, all of them at 10.
    assert [np.round(line.get_xdata()).tolist() for line in crosses] == [[1, 10, 10, 10]]
    assert len({tuple(point) for point in crosses[0].get_xydata()}) == 4
    plain, other = (
        line.get_ydata()
        for line in axis.lines
        if line.get_linestyle() in "---" and len(line.get_xdata()) == 3
    )
    np.testing.assert_allclose(plain, [0.6, 0.7, np.nan])
    np.testing.assert_allclose(other, [0.5, 0.4, 0.3])
    assert to_png(figure)


def test_a_network_looks_the_same_in_all_figures():
    found = {"plain": [[0.5, 0.4]], "batch normalization": [[0.5, 0.4]]}
    rates = plots.rate_range([0.1, 1], found, chance=2.3, title="x").axes[0]
    panels = plots.slices({k: np.ones((2, 2)) for k in found}, [1, 2], title="x").axes
    legend = {line.get_label(): line for line in rates.lines}
    for name, axis in zip(found, panels, strict=True):
        ink = legend[name].get_color(), legend[name].get_marker()
        assert ink == (axis.lines[0].get_color(), axis.lines[0].get_marker())
    assert plots.LOOKS["ReLU"] == plots.LOOKS["plain"]
    assert plots.LOOKS["ReLU, batch norm."] == plots.LOOKS["batch normalization"]


def test_gradients_have_two_panels_and_a_look_for_each_stack():
    found = {name: [1.0, 10.0, 100.0] for name in list(plots.LOOKS)[:4]}
    figure = plots.gradients([2, 8, 32], found, found, title="x")
    assert len(figure.axes) == 2
    looks = {(line.get_marker(), line.get_linestyle()) for line in figure.axes[1].lines}
    assert len(looks) == 4
    assert to_png(figure)
