"""Figures of transfer: what they show, in words of their own."""

import numpy as np
import pytest

from course_utils import transfer_plots
from course_utils.metrics import Interval
from course_utils.plotting import show, to_png

RUNS = {"frozen": np.array([[0.5, 0.7], [0.6, 0.8]]), "scratch": np.array([[0.2, 0.9], [0.3, 0.9]])}


def texts(axis):
    return [text.get_text() for text in axis.texts]


def lines_of(axis, label):
    return next(line for line in axis.lines if line.get_label() == label)


def test_by_depth_names_places_and_counts():
    figure = transfer_plots.by_depth(
        ["pixels", "block 1"], [784, 3136], RUNS, title="Found", ylabel="accuracy", chance=0.2
    )
    (axis,) = figure.axes
    assert [label.get_text() for label in axis.get_xticklabels()] == [
        "pixels\n784",
        "block 1\n3,136",
    ]
    np.testing.assert_allclose(lines_of(axis, "frozen").get_ydata(), [0.55, 0.75])
    looks = {(line.get_linestyle(), line.get_marker()) for line in
             (lines_of(axis, name) for name in RUNS)}  # fmt: skip
    assert len(looks) == 2  # not by colour alone
    assert "guessing: 20%" in texts(axis)
    assert to_png(figure)


def test_means_in_words():
    assert transfer_plots.in_words([2, 40], RUNS) == (
        "frozen: 55 % at 2, 75 % at 40. scratch: 25 % at 2, 90 % at 40."
    )


def test_by_size_shows_every_run():
    figure = transfer_plots.by_size([2, 40], RUNS, title="Found", ylabel="accuracy")
    (axis,) = figure.axes
    assert axis.get_xscale() == "log"
    assert [label.get_text() for label in axis.get_xticklabels()] == ["2", "40"]
    marks = [line for line in axis.lines if line.get_linestyle() == "None"]
    drawn = sorted(tuple(line.get_ydata()) for line in marks)
    assert drawn == sorted(tuple(run) for runs in RUNS.values() for run in runs)
    assert to_png(figure)


def test_neighbours_of_another_class_are_framed_and_crossed():
    rng = np.random.default_rng(0)
    queries = rng.integers(0, 255, (2, 6, 6, 1), dtype=np.uint8)
    images = rng.integers(0, 255, (2, 3, 6, 6, 1), dtype=np.uint8)
    names = np.array([["5", "6", "5"], ["6", "6", "6"]])
    figure = transfer_plots.neighbour_rows(
        queries, ["5", "6"], {"features": (images, names), "pixels": (images, names)}, title="Found"
    )
    titles = [axis.get_title() for axis in figure.axes]
    assert titles.count("× 6") == 2
    assert titles.count("a 5") == 1
    framed = [axis for axis in figure.axes if axis.axison]
    assert [axis.get_title() for axis in framed] == ["× 6", "× 6"]
    assert {"features", "pixels"} <= {text for axis in figure.axes for text in texts(axis)}
    assert to_png(figure)


def test_inputs_and_accuracy():
    image = np.linspace(-1, 1, 36).reshape(6, 6, 1)
    rows = {"right": (255 * image, Interval(0.9, 0.8, 0.95, 0.95, 60))}
    rows["wrong"] = (image, Interval(0.2, 0.1, 0.3, 0.95, 60))
    figure = transfer_plots.inputs_and_accuracy(rows, title="Found", chance=0.2)
    titles = [axis.get_title(loc="left") for axis in figure.axes]
    assert "wrong: values −1 to 1" in titles
    assert any("90.0%" in texts(axis) for axis in figure.axes)
    assert to_png(figure)


def test_drift_and_accuracy():
    rates = [1e-4, 1e-3]
    drift = np.array([[0.01, 0.1], [0.02, 0.1]])
    figure = transfer_plots.drift_and_accuracy(
        rates, drift, {"new": drift, "old": 1 - drift}, title="F", level=("frozen", 0.4)
    )
    left, right = figure.axes
    np.testing.assert_allclose(lines_of(left, "kernels of the base").get_ydata(), [0.015, 0.1])
    assert (left.get_xscale(), left.get_yscale(), right.get_xscale()) == ("log",) * 3
    np.testing.assert_allclose(lines_of(right, "new").get_xdata(), rates)
    np.testing.assert_allclose(lines_of(right, "frozen: 40%").get_ydata(), 0.4)


def test_probabilities(capsys):
    picture = np.zeros((8, 8, 1), np.uint8)
    figure = transfer_plots.probabilities(
        {"file": picture}, {"5": 0.25, "7": 0.75}, title="It says 7"
    )
    bars = figure.axes[-1]
    assert texts(bars) == ["25%", "75%"]
    assert bars.yaxis_inverted()
    show(figure, alt="A picture and two bars, 25 % and 75 %.")
    with pytest.raises(ValueError, match="alt"):
        show(figure, alt="")
