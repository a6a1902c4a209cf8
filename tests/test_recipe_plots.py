import numpy as np
import pytest

from course_utils import recipe_plots
from course_utils.plotting import to_png


def test_the_four_fates():
    found = recipe_plots.fates([1, 1, 1, 1], before=[1, 1, 2, 2], after=[1, 3, 1, 3])
    assert found == ["still right", "broken", "mended", "still wrong"]
    with pytest.raises(ValueError, match="got 2, 1 and 2"):
        recipe_plots.fates([1, 2], [1], [1, 2])


def test_the_panel_says_what_happened_without_colour():
    images = np.zeros((5, 28, 28, 1), dtype=np.uint8)
    figure = recipe_plots.panel(
        images, [1, 1, 1, 1, 7], [1, 1, 2, 2, 7], [1, 3, 1, 3, 7], title="x", columns=3
    )
    (axis,) = figure.axes
    words = [text.get_text() for text in axis.texts]
    assert [text.split("\n")[-1] for text in words[:4]] == [
        "still right",
        "broken",
        "mended",
        "still wrong",
    ]
    assert words[1].startswith("is 1, said 3")
    dashes = [patch.get_linestyle() for patch in axis.patches]
    places = [tuple(image.get_extent()) for image in axis.images]
    assert len(set(places)) == 5
    assert len(dashes) == len(set(dashes)) == 3
    assert to_png(figure)


def test_the_staircase_shows_every_run_and_the_means():
    steps = {"a": [0.9, 0.92], "b": [0.93, 0.95]}
    figure = recipe_plots.staircase(steps, title="x", ylabel="accuracy")
    (axis,) = figure.axes
    assert [text.get_text() for text in axis.texts] == ["91.0%", "94.0%"]
    dots = [line.get_ydata() for line in axis.lines if line.get_marker() == "o"]
    np.testing.assert_allclose(np.concatenate(dots), [0.9, 0.92, 0.93, 0.95])
    assert [label.get_text() for label in axis.get_xticklabels()] == ["a", "b"]
    assert to_png(figure)
