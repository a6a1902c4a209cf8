import html
import re

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from course_utils import plotting
from course_utils.metrics import Interval


def contrast(colour):
    """Return the contrast of a colour against white (WCAG 2.2, success criterion 1.4.3)."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    return 1.05 / (np.dot(linear, (0.2126, 0.7152, 0.0722)) + 0.05)


def test_colours_can_be_read_on_white_and_lines_differ_without_them():
    cycle = list(plotting.STYLE["axes.prop_cycle"])
    assert min(contrast(entry["color"]) for entry in cycle) > 4.5
    looks = [(entry["marker"], entry["linestyle"]) for entry in cycle]
    assert len(set(looks)) == len(looks)
    assert plotting.STYLE["savefig.facecolor"] == "white"


def test_show_keeps_the_alt_text_and_closes_the_figure(monkeypatch):
    import IPython.display
    import matplotlib.pyplot as plt

    shown = []
    monkeypatch.setattr(IPython.display, "display", lambda data, **_: shown.append(data))
    figure, axis = plt.subplots()
    axis.plot([1, 2])
    plotting.show(figure, ' A line that rises from 1 to 2, "steadily" ')
    assert not plt.fignum_exists(figure.number)
    alt = re.search(r'alt="([^"]*)"', shown[0]["text/html"])[1]
    assert html.unescape(alt) == 'A line that rises from 1 to 2, "steadily"'
    assert "background:white" in shown[0]["text/html"]


@pytest.mark.parametrize("alt", ["", "a line", None])
def test_show_refuses_a_figure_without_alt_text(alt):
    with pytest.raises(ValueError, match="alt must say in a sentence"):
        plotting.show(plotting.subplots()[0], alt)


def test_images_share_one_scale():
    grey = np.stack([np.zeros((4, 6)), np.full((4, 6), 2.0)])
    pictures = [axis.images[0] for axis in plotting.images(grey).axes]
    assert {picture.get_clim() for picture in pictures} == {(0.0, 2.0)}
    (picture,) = plotting.images(np.zeros((1, 4, 4, 1), np.uint8)).axes[0].images
    assert picture.get_clim() == (0, 255)


@pytest.mark.parametrize("shape", [(0, 4, 4), (4, 4), (2, 4, 4, 2)])
def test_images_of_another_shape_and_too_few_titles_are_refused(shape):
    with pytest.raises(ValueError, match="images must be an array"):
        plotting.images(np.zeros(shape))
    with pytest.raises(ValueError, match="got 1 for 2 images"):
        plotting.images(np.zeros((2, 4, 4)), ["one"])


def test_history_counts_epochs_from_one_and_leaves_out_the_rate():
    figure = plotting.history(
        {"loss": [3, 2], "accuracy": [0.1, 0.2], "val_loss": [4, 3], "learning_rate": [1, 1]}
    )
    loss, accuracy = figure.axes
    assert [line.get_label() for line in loss.lines] == ["training", "validation"]
    assert list(loss.lines[0].get_xdata()) == [1, 2]
    assert accuracy.get_ylabel() == "accuracy"
    assert len(accuracy.lines) == 1


def test_curves_of_several_runs_have_their_mean_and_all_they_reached():
    lines = {"runs": [[0, 2], [2, 6]], "one": [1, 1]}
    (axis,) = plotting.curves([0, 1], lines, xlabel="x", ylabel="y").axes
    assert list(axis.lines[0].get_ydata()) == [1, 4]
    (band,) = axis.collections
    assert band.get_datalim(axis.transData).bounds[1::2] == (0, 6)


def test_dots_are_named_and_numbered():
    (axis,) = plotting.dots({"a": [1, 3], "b": 500}, xlabel="x").axes
    assert [line.get_xdata().tolist() for line in axis.lines] == [[2], [1, 3], [500]]
    assert [text.get_text() for text in axis.texts] == ["2", "500"]
    assert axis.get_xscale() == "log"


def test_heatmap_numbers_stand_out_from_their_cells():
    figure = plotting.heatmap([[0, 1]], rows=["r"], columns=["a", "b"], xlabel="x", ylabel="y")
    assert [text.get_color() for text in figure.axes[0].texts] == ["black", "white"]


def test_confusion_shows_counts_and_shades_shares_of_each_row():
    figure = plotting.confusion([[90, 10], [0, 2]], ["cat", "dog"])
    (axis,) = figure.axes
    assert [text.get_text() for text in axis.texts] == ["90", "10", "", "2"]
    assert axis.images[0].get_array().tolist() == [[0.9, 0.1], [0, 1]]


def test_forest_fills_only_what_leaves_out_zero():
    effects = {low: Interval(low + 1, low, low + 2, 0.95, 5) for low in (1, -1, -3)}
    (axis,) = plotting.forest(effects, xlabel="points").axes
    marks = [(line.get_marker(), line.get_markerfacecolor()) for line in axis.lines[2::2]]
    assert marks == [("o", plotting.BLUE), ("o", "white"), ("o", plotting.BLUE)]
