import numpy as np
import pytest
from matplotlib.patches import ConnectionPatch
from scipy.signal import correlate2d

from course_utils import convolution_steps as stepping

IMAGE = np.arange(25.0).reshape(5, 5)
EDGE = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]])


def texts(figure):
    found = [text.get_text() for axis in figure.axes for text in axis.texts]
    return found + [axis.get_title(loc="center") for axis in figure.axes]


@pytest.mark.parametrize("padding", ["valid", "same"])
def test_output_is_what_scipy_correlates(padding):
    laid = stepping.steps(IMAGE, EDGE, padding=padding)
    assert np.array_equal(laid.output, correlate2d(IMAGE, EDGE, mode=padding))


@pytest.mark.parametrize(
    "how",
    [
        {},
        {"strides": 2},
        {"padding": "same", "dilation_rate": 2},
        {"padding": ((0, 1), (2, 0)), "strides": 2},
    ],
)
def test_each_step_multiplies_its_window(how):
    laid = stepping.steps(IMAGE, EDGE, **how)
    for step in range(1, laid.output.size + 1):
        assert (laid.window(step) * laid.kernel).sum() == laid.output[laid.place(step)]


def test_a_step_reads_with_stride_and_dilation():
    laid = stepping.steps(np.ones((9, 9)), EDGE, strides=2, dilation_rate=3)
    assert laid.output.shape == (2, 2)
    assert laid.reads(1) == ([0, 3, 6], [0, 3, 6])
    assert laid.reads(4) == ([2, 5, 8], [2, 5, 8])


def test_same_padding_is_tensorflows():
    laid = stepping.steps(np.ones((4, 4)), np.ones((3, 3)), strides=2, padding="same")
    assert laid.edges == ((0, 1), (0, 1))
    assert laid.output.tolist() == [[9, 6], [6, 4]]


@pytest.mark.parametrize("step", [0, 10])
def test_there_is_no_such_step(step):
    laid = stepping.steps(IMAGE, EDGE)
    with pytest.raises(ValueError, match=rf"step must be 1 to 9.*got {step}"):
        stepping.draw(laid, step)


def test_bad_input_gets_a_sentence():
    with pytest.raises(ValueError, match="image must have two axes"):
        stepping.steps(np.ones((5, 5, 1)), EDGE)
    with pytest.raises(ValueError, match="kernel_size must be at most the padded input"):
        stepping.steps(np.ones((2, 2)), EDGE)


def test_links_are_over_the_cells_that_they_cross_and_under_the_numbers():
    figure = stepping.draw(stepping.steps(np.eye(5), np.ones((3, 3))), 1)
    linked = {}
    for axis in figure.axes:
        links = [part for part in axis.patches if isinstance(part, ConnectionPatch)]
        linked |= {axis.get_title(loc="center").split(",")[0]: len(links)} if links else {}
        for link in links:
            cells = [
                part.zorder
                for part in axis.patches
                if part.get_facecolor()[3] and part not in links
            ]
            assert cells
            assert max(cells) < link.zorder < min(text.zorder for text in axis.texts)
    assert linked == {"image": 2, "output": 1}


def test_drawing_shows_the_numbers_up_to_the_step():
    laid = stepping.steps(IMAGE, EDGE)
    figure = stepping.draw(laid, 2)
    output = figure.axes[-1]
    assert [text.get_text() for text in output.texts] == ["8", "8"]
    assert "= 8" in texts(figure)
    assert "output, 3×3" in texts(figure)
    assert "Step 2 of 9: the products add up to 8" in figure.get_suptitle()


def test_words_say_what_the_step_does():
    words = stepping.in_words(stepping.steps(IMAGE, EDGE, padding="same"), 1)
    assert "hold 0 0 0 / 0 0 1 / 0 5 6" in words
    assert "they make 8, which stands in row 0, column 0 of the 5×5 output" in words


@pytest.mark.parametrize(
    ("value", "text"), [(3.0, "3"), (-1, "−1"), (1 / 9, "0.11"), (-0.001, "0"), (2.5, "2.50")]
)
def test_numbers_are_short(value, text):
    assert stepping.number(value) == text


def test_padding_panels_show_sizes_and_borders():
    ones, mirrored = np.ones((5, 5)), np.pad(np.ones((5, 5)), 1, mode="reflect")
    ways = {"none": 0, "one side": ((0, 1), (0, 1)), "mirrored": mirrored}
    figure = stepping.padding_panels(ones, np.ones((3, 3)), ways, title="A finding")
    titles = texts(figure)
    for title in ("one side\npadded 6×6", "output 4×4", "mirrored\npadded 7×7", "output 5×5"):
        assert title in titles
    hatched = [sum(bool(p.get_hatch()) for p in axis.patches) for axis in figure.axes[:3]]
    assert hatched == [0, 11, 24]


@pytest.mark.parametrize(
    ("setting", "title", "unread"),
    [
        ((7, 3), "⌊(7 + 0 − 1·(3 − 1) − 1)/1⌋ + 1 = 5", 0),
        ((8, 3, 2), "= 3; 1 of 8 pixels (×) unread", 1),
        ((8, 3, 2, "same"), "⌈8/2⌉ = 4", 0),
        ((7, 3, 1, "valid", 3), "− 3·(3 − 1) − 1)/1⌋ + 1 = 1; 4 of 7 pixels (×) unread", 4),
    ],
)
def test_axis_view_counts(setting, title, unread):
    figure = stepping.axis_windows(*setting)
    assert title in figure.get_suptitle().replace("\n", " ")
    assert texts(figure).count("×") == unread


def test_axis_in_words_names_the_pixels():
    words = stepping.axis_in_words(8, 3, 2, "same")
    assert "with 0 zeros before and 1 after" in words
    assert words.endswith("output 3 reads 6, 7, 8.")
