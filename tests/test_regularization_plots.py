import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.patches import Circle, Polygon

from course_utils import regularization_plots as plots
from course_utils.plotting import to_png

HESSIAN, TARGET = np.array([[2.0, 0.6], [0.6, 0.9]]), np.array([1.6, 0.55])
PATH = np.array([[1.6, 0.55], [1.2, 0.2], [1.0, 0.0]])


def view(kind, weights, path=PATH, strength=0.5):
    used = np.arange(len(weights)) < 2
    return plots.penalty_view(
        HESSIAN, TARGET, path, weights, kind=kind, strength=strength, used=used, title="A finding"
    )


def title_of(figure):
    return figure._suptitle.get_text()


def test_the_ball_and_the_diamond_go_through_the_minimum():
    for kind, shape in (("L1", Polygon), ("L2", Circle)):
        path = np.array([[1.6, 0.55], [0.9, 0.4]])
        axis = view(kind, np.zeros(5), path).axes[0]
        (patch,) = (p for p in axis.patches if isinstance(p, shape))
        edge = patch.get_transform() - axis.transData
        outline = edge.transform_path(patch.get_path()).to_polygons()[0]
        if kind == "L1":
            assert np.abs(outline).sum(axis=1) == pytest.approx(1.3)
        else:
            assert np.hypot(*outline.T) == pytest.approx(np.hypot(0.9, 0.4), rel=0.03)


def test_the_path_ends_at_the_dot():
    lines = view("L1", np.zeros(5)).axes[0].lines
    assert any(np.array_equal(line.get_xydata(), PATH) for line in lines)
    assert any(np.array_equal(line.get_xydata(), PATH[-1:]) for line in lines)


@pytest.mark.parametrize(("kind", "at_one"), [("L1", 0.5), ("L2", 0.5), ("L1", 0.0)])
def test_the_middle_panel_is_the_proximal_step(kind, at_one):
    strength = 1.0 if at_one == 0 else 0.5
    (line,) = (
        line
        for line in view(kind, np.zeros(5), strength=strength).axes[1].lines
        if line.get_label() == kind
    )
    assert np.interp(1.0, *line.get_data()) == pytest.approx(at_one)
    assert np.interp(-1.0, *line.get_data()) == pytest.approx(-at_one)


def test_exact_zeros_are_counted_and_no_weight_is_lost():
    axis = view("L1", np.array([2.0, 9.0, 0.0, 1e-9, 0.0])).axes[2]
    assert axis.get_title(loc="left").endswith("\n2 of 5 are exactly 0")
    assert sum(bar.get_height() for bar in axis.patches) == 5


def test_histograms_share_an_axis_and_count_everything():
    groups = {"wide": np.linspace(-2, 2, 40), "narrow": np.zeros((5, 4))}
    figure = plots.weight_histograms(groups, title="A finding", limit=1.0)
    first, second = figure.axes
    assert first.get_xlim() == second.get_xlim()
    assert [sum(bar.get_height() for bar in axis.patches) for axis in figure.axes] == [40, 20]
    texts = [text.get_text() for text in second.texts]
    assert texts[0] == "narrow"
    assert "exactly 0: 20" in texts[1]
    assert "below 0.001: 100%" in texts[1]


@pytest.mark.parametrize("groups", [{}, {"a": []}])
def test_histograms_of_nothing_are_refused(groups):
    with pytest.raises(ValueError, match="each group must hold weights"):
        plots.weight_histograms(groups, title="A finding")


def test_exact_zeros_have_a_bar_of_their_own():
    figure = plots.sizes_and_zeros(
        {"a": [0.0, 0.0, 1e-9, -0.3], "b": [0.1, 0.2]}, title="A finding"
    )
    for axis, zeros, others in zip(figure.axes, (2, 0), (2, 2), strict=True):
        *bars, zero = axis.patches
        assert zero.get_height() == zeros
        assert zero.get_hatch()
        assert sum(bar.get_height() for bar in bars) == others
        assert axis.texts[0].get_text() == str(zeros)
    assert to_png(figure).startswith(b"\x89PNG")


def test_masks_mark_each_dropped_unit_by_more_than_colour():
    kept = np.array([[0, 2, 2], [2, 0, 0]])
    figure = plots.masks({"one": kept, "two": 2 - kept}, title="A finding")
    for axis, dropped in zip(figure.axes, (3, 3), strict=True):
        (crosses,) = axis.lines
        assert crosses.get_marker() == "x"
        assert len(crosses.get_xdata()) == dropped
    column, row = figure.axes[0].lines[0].get_xydata()[0]
    assert kept[int(row), int(column)] == 0


def test_decay_draws_each_group_once_a_panel():
    traces = {"quiet": np.linspace(1, 0, 50), "noisy": np.ones(50)}
    figure = plots.decay({"a": traces, "b": traces}, title="A finding")
    for axis in figure.axes:
        assert [line.get_label() for line in axis.lines] == ["quiet", "noisy"]
        assert len({line.get_marker() for line in axis.lines}) == 2
        np.testing.assert_array_equal(axis.lines[0].get_ydata(), traces["quiet"])


def test_gaps_write_the_mean_and_reach_from_training_to_validation():
    runs = {"plain": ([0.1, 0.2], [1.1, 1.4]), "dropout": ([0.5, 0.5], [0.6, 0.7])}
    axis = plots.gaps(runs, title="A finding").axes[0]
    texts = [text.get_text() for text in axis.texts]
    assert "mean gap 1.10" in texts
    assert "mean gap 0.15" in texts
    segments = np.concatenate([lines.get_segments() for lines in axis.collections])
    assert sorted(segments[:, :, 0].tolist()) == [[0.1, 1.1], [0.2, 1.4], [0.5, 0.6], [0.5, 0.7]]
    training, validation = axis.lines[:2]
    assert training.get_marker() != validation.get_marker()
    assert to_rgb(training.get_color()) != to_rgb(validation.get_color())
    assert [label.get_text() for label in axis.get_yticklabels()] == ["plain", "dropout"]


def test_one_run_is_drawn_on_its_row():
    axis = plots.gaps({"plain": ([0.1], [0.3])}, title="A finding").axes[0]
    np.testing.assert_array_equal(axis.lines[0].get_ydata(), [0])


def test_every_figure_has_its_title_and_can_be_drawn():
    for figure in (
        view("L2", np.zeros(5)),
        plots.weight_histograms({"a": [0.1, 0.2]}, title="A finding"),
        plots.masks({"one": np.eye(3)}, title="A finding"),
        plots.decay({"a": {"quiet": np.ones(5)}}, title="A finding"),
        plots.gaps({"plain": ([0.1], [0.3])}, title="A finding"),
    ):
        assert title_of(figure) == "A finding"
        assert to_png(figure).startswith(b"\x89PNG")
