import numpy as np
import pytest

from course_utils import convolution_fields as fields


@pytest.mark.parametrize(
    ("stack", "sizes"),
    [
        ([(3,), (3,), (3,)], [3, 5, 7]),
        ([(3, 1, 1), (3, 1, 2), (3, 1, 4)], [3, 7, 15]),
        ([(3, 2), (2, 2), (3,)], [3, 5, 13]),
        ([(5, 1, 2)], [9]),
    ],
)
def test_prediction_and_measurement_agree(stack, sizes):
    growth = fields.grow(stack)
    assert [field.size for field in growth.fields] == sizes
    assert fields.agrees(growth)
    for layer in range(1, len(stack) + 1):
        # The cone, computed on its own, ends at the pixels that the gradient reaches.
        (rows,) = np.nonzero(growth.masks[layer - 1].any(axis=1))
        assert set(rows) == growth.seen(layer)[0]


def test_agreement_is_not_taken_for_granted():
    growth = fields.grow([(3,), (3,)])
    growth.masks[1][:] = np.roll(growth.masks[1], 1, axis=0)
    assert not fields.agrees(growth)


def test_equal_dilations_leave_holes():
    growth = fields.grow([(3, 1, 3), (3, 1, 3)])
    assert len(growth.box(2)) == 13
    assert growth.masks[1].sum() == 25


def test_drawing_states_both_sizes():
    growth = fields.grow([(3,), (3,)])
    figure = fields.draw(growth, 2)
    assert "the kernel is 3×3, the receptive field 5×5" in figure.get_suptitle()
    assert figure.axes[1].get_title() == "frame: predicted 5×5\nfilled: measured 5×5"
    assert "25 measured pixels in a predicted frame of 5×5" in fields.in_words(growth, 2)
    with pytest.raises(ValueError, match="layer must be 1 to 2: got 3"):
        fields.draw(growth, 3)


def test_bad_stacks_get_a_sentence():
    with pytest.raises(ValueError, match="layers must hold at least one"):
        fields.grow([])
    with pytest.raises(ValueError, match="kernel_size must be at most the padded input"):
        fields.grow([(3,), (5,)], size=6)
    with pytest.raises(ValueError, match="strides"):
        fields.grow([(3, 2, 2)])
