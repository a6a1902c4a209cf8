"""The drawings that explain: what they draw is counted, and bad input is refused."""

import numpy as np
import pytest

from course_utils import diagrams


def texts(figure):
    return [text.get_text() for axis in figure.axes for text in axis.texts]


def test_split_squares_draws_one_square_an_example_and_counts_the_parts():
    parts = ["train"] * 7 + ["validation"] * 2 + ["test"]
    figure = diagrams.split_squares(parts, title="Ten images", columns=5)
    squares = [patch for patch in figure.axes[0].patches if patch.get_width() > 0]
    assert len(squares) == 10
    assert len({square.get_xy() for square in squares}) == 10
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == ["train: 7", "validation: 2", "test: 1"]


def test_parts_differ_by_hatch_and_not_by_colour_alone():
    hatches = {look["hatch"] for look in diagrams.PART_LOOKS.values()}
    assert len(hatches) == len(diagrams.PART_LOOKS)


def test_split_squares_refuses_an_unknown_part():
    with pytest.raises(ValueError, match="train, validation, test: got 'holdout'"):
        diagrams.split_squares(["train", "holdout"], title="No")


def test_pipeline_draws_maps_to_scale_and_every_probability():
    maps = {"conv1": np.random.rand(26, 26, 32), "pool1": np.random.rand(13, 13, 32)}
    probabilities = np.array([0.1, 0.2, 0.7])
    figure = diagrams.pipeline(
        np.random.rand(28, 28, 1), maps, probabilities, ["a", "b", "c"], title="Through"
    )
    titles = [axis.get_title() for axis in figure.axes]
    assert "→ conv1\n26×26, 3 of 32" in titles
    assert "→ pool1\n13×13, 3 of 32" in titles
    shown = [axis for axis in figure.axes if axis.images]
    assert len(shown) == 1 + 3 * len(maps)
    # Equal limits: a map of half the side covers half of its tile.
    spans = {round(abs(np.subtract(*axis.get_xlim()))) for axis in shown}
    assert spans == {28}
    bars = figure.axes[-1]
    assert [bar.get_width() for bar in bars.patches] == pytest.approx(probabilities)


def test_weights_needed_writes_each_number_and_the_factor_between():
    figure = diagrams.weights_needed({"dense": 1000, "shared": 10}, title="Fewer")
    assert {"1,000", "10", "÷ 100.0"} <= set(texts(figure))
    assert figure.axes[0].get_xscale() == "log"
