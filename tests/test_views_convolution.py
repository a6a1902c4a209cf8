import numpy as np
import pytest
from scipy.signal import correlate2d

from course_utils.views import convolution as views

IMAGE = np.random.default_rng(0).integers(-3, 4, (5, 6))
KERNEL = np.array([[-1, 0, 1], [2, 0, -2], [0, 3, 1]])


def outputs(**how):
    """Collect the numbers of the output that the steps say they have computed."""
    words = views.draw_step(IMAGE, KERNEL, step=1, **how)[1]
    steps = int(words.split("of ")[1].split(".")[0])
    alts = [views.draw_step(IMAGE, KERNEL, step=step, **how)[1] for step in range(1, steps + 1)]
    with pytest.raises(ValueError, match=f"has {steps} steps"):
        views.draw_step(IMAGE, KERNEL, step=steps + 1, **how)
    return [float(alt.split("it gives ")[1].split(",")[0].replace("−", "-")) for alt in alts]


@pytest.mark.parametrize("mode", ["valid", "same"])
def test_the_steps_compute_a_convolution(mode):
    right = correlate2d(IMAGE, KERNEL, mode=mode)
    assert outputs(stride=1, padding=mode, dilation=1) == right.ravel().tolist()


def test_stride_and_dilation():
    spread = np.zeros((5, 5))
    spread[::2, ::2] = KERNEL
    right = correlate2d(IMAGE, spread, mode="valid")
    assert outputs(stride=1, padding="valid", dilation=2) == right.ravel().tolist()
    strided = correlate2d(IMAGE, KERNEL, mode="valid")[::2, ::2]
    assert outputs(stride=2, padding="valid", dilation=1) == strided.ravel().tolist()


def test_the_title_is_the_sum_and_later_outputs_are_not_shown():
    figure, _ = views.draw_step(IMAGE, KERNEL, stride=1, padding="valid", dilation=1, step=2)
    terms, total = figure.get_suptitle().replace("−", "-").split(" = ")
    assert sum(float(term.strip("()")) for term in terms.split(" + ")) == float(total)
    assert len(figure.axes[4].texts) == 1 + 2  # the empty sign, and two numbers


def test_pixels_that_nobody_reads_are_crossed_out():
    figure, alt = views.draw_reads(8, 3, 2, "valid", 1)
    assert [text.get_text() for text in figure.axes[0].texts].count("×") == 1
    assert "1 of 8 pixels" in figure.get_suptitle()
    assert alt.endswith("output 2 reads 4, 5, 6.")
    with pytest.raises(ValueError, match="spans 5 of 4 pixels"):
        views.draw_reads(4, 3, 1, "valid", 2)


def test_the_gain_in_the_picture_is_the_kernels():
    blur = np.outer([1, 2, 1], [1, 2, 1]) / 16
    figure, alt = views.draw_filter(np.ones((9, 9)), blur, "blur")
    assert "1.00 for a constant" in alt
    weights = [text.get_text() for text in figure.axes[0].texts]
    assert weights == ["1", "2", "1", "2", "4", "2", "1", "2", "1"]
    gain = figure.axes[1].images[0].get_array()
    assert gain.max() == gain[32, 32] == pytest.approx(1)


@pytest.mark.parametrize(
    ("stack", "seen"),
    [
        ([(3, 1, 1)] * 3, 7),
        ([(3, 1, 1), (3, 1, 2), (3, 1, 4)], 15),
        ([(3, 1, 1), (2, 2, 1), (3, 1, 1)], 8),
    ],
)
def test_what_a_unit_sees_is_predicted_and_measured(stack, seen):
    figure, alt = views.draw_field(stack, len(stack))
    assert f"sees {seen}×{seen} pixels" in figure.get_suptitle()
    mask = views.measured(stack, seen + 1, unit=0)
    assert mask[:seen, :seen].all()
    assert mask.sum() == seen**2
    with pytest.raises(ValueError, match="layers"):
        views.draw_field(stack, len(stack) + 1)
