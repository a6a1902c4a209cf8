"""Padding and windows: their defaults, and each axis told from the other."""

import numpy as np
import pytest

from course_utils import sliding

IMAGES = np.arange(2 * 5 * 7 * 3, dtype=float).reshape(2, 5, 7, 3)


def test_padding_of_each_axis():
    shape = IMAGES.shape
    assert sliding.explicit_padding(shape, 3) == ((0, 0), (0, 0))
    assert sliding.explicit_padding(shape, (2, 4), padding="same") == ((0, 1), (1, 2))
    assert sliding.explicit_padding(shape, 3, padding=2) == ((2, 2), (2, 2))
    assert sliding.explicit_padding(shape, 3, padding=((0, 1), (2, 3))) == ((0, 1), (2, 3))
    # With strides 2, "same" pads 7 pixels to meet 4 windows, and 5 pixels to meet 3.
    assert sliding.explicit_padding(shape, 4, (1, 2), "same") == ((1, 2), (1, 2))
    assert sliding.explicit_padding(shape, 3, 1, "same", (1, 2)) == ((1, 1), (2, 2))


@pytest.mark.parametrize("padding", [(1, 2), [1, 2], ((1, 2),), ((1, 2), (3, 4, 5)), (1, (2, 3))])
def test_padding_that_is_none(padding):
    with pytest.raises((ValueError, TypeError)):
        sliding.explicit_padding(IMAGES.shape, 3, padding=padding)


def test_output_sizes():
    shape = IMAGES.shape
    assert sliding.output_sizes(shape, 3) == (3, 5)
    assert sliding.output_sizes(shape, (5, 7)) == (1, 1)
    assert sliding.output_sizes(shape, 3, (1, 2)) == (3, 3)
    assert sliding.output_sizes(shape, 3, 1, "same") == (5, 7)
    assert sliding.output_sizes(shape, 2, 1, "valid", (4, 6)) == (1, 1)
    assert sliding.output_sizes(shape, 7, padding=((1, 1), (0, 0))) == (1, 1)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (((6, 7),), "kernel_size must be .*: got 6×7 for images of 5×7"),
        (((5, 8),), "got 5×8 for images of 5×7"),
        ((2, 1, "valid", (5, 1)), r"got 2×2 with dilation_rate \(5, 1\) for"),
        ((2, 1, "valid", (1, 7)), r"got 2×2 with dilation_rate \(1, 7\) for"),
    ],
)
def test_a_kernel_that_does_not_fit(arguments, said):
    with pytest.raises(ValueError, match=said):
        sliding.output_sizes(IMAGES.shape, *arguments)


def test_padded_images():
    padded = sliding.pad_images(IMAGES, ((1, 2), (3, 4)), value=-1)
    assert padded.shape == (2, 8, 14, 3)
    np.testing.assert_array_equal(padded[:, 1:6, 3:10], IMAGES)
    assert (padded == -1).sum() == padded.size - IMAGES.size
    assert sliding.pad_images(IMAGES, 1).sum() == IMAGES.sum()  # with zeros, if not told
    assert sliding.pad_images(IMAGES, 0) is IMAGES
    for padding in (((1, 0), (0, 0)), ((0, 1), (0, 0)), ((0, 0), (1, 0)), ((0, 0), (0, 1))):
        assert sliding.pad_images(IMAGES, padding).shape != IMAGES.shape


def test_windows_are_the_pixels_under_the_kernel():
    strides, gaps, (rows, columns) = (2, 1), (1, 2), (2, 3)
    view = sliding.windows(IMAGES, (rows, columns), strides, gaps)
    assert view.shape == (2, 2, 3, 2, 3, 3)
    for i, j, row, column in np.ndindex(view.shape[1:5]):
        pixel = IMAGES[:, i * strides[0] + row * gaps[0], j * strides[1] + column * gaps[1]]
        np.testing.assert_array_equal(view[:, i, j, row, column], pixel)
    assert np.shares_memory(view, IMAGES)
    assert not view.flags.writeable
    # If not told, one pixel on at a time, and no gaps.
    assert sliding.windows(IMAGES, 2).shape == (2, 4, 6, 2, 2, 3)
    np.testing.assert_array_equal(sliding.windows(IMAGES, 2)[:, 1, 1, 1, 1], IMAGES[:, 2, 2])


def test_padded_windows():
    view = sliding.padded_windows(IMAGES, 3, padding="same")
    assert view.shape == (2, 5, 7, 3, 3, 3)
    np.testing.assert_array_equal(view[:, :, :, 1, 1], IMAGES)
    assert sliding.padded_windows(IMAGES, 3).shape == (2, 3, 5, 3, 3, 3)
    with pytest.raises(ValueError, match="with padding 1"):
        sliding.padded_windows(IMAGES, 8, padding=1)


def test_gradients_add_up_where_windows_overlap():
    inside, view = sliding.gradient_windows(IMAGES.shape, float, 3, padding=((1, 0), (0, 2)))
    assert inside.shape == IMAGES.shape
    assert view.shape == (2, 4, 7, 3, 3, 3)
    sliding.add_windows(view, np.ones(view.shape))
    # How many windows meet each row and each column: counted by hand.
    rows, columns = [2, 3, 3, 2, 1], [1, 2, 3, 3, 3, 3, 3]
    np.testing.assert_array_equal(inside[1, :, :, 2], np.outer(rows, columns))
    plain, view = sliding.gradient_windows(IMAGES.shape, float, 2)
    assert view.shape == (2, 4, 6, 2, 2, 3)
    sliding.add_windows(view, np.ones(view.shape))
    assert (plain[:, 1, 1] == 4).all()


def test_images_that_are_none():
    for wrong in (IMAGES[0], IMAGES[..., 0], IMAGES[None]):
        with pytest.raises(ValueError, match="must have the shape"):
            sliding.check_images(wrong)
    whole = IMAGES.astype(int)
    with pytest.raises(ValueError, match="must be floating-point: got int"):
        sliding.check_images(whole)
    assert sliding.check_images(whole, integers=True).dtype == whole.dtype
    with pytest.raises(ValueError, match="must be floating-point: got bool"):
        sliding.check_images(IMAGES > 3, integers=True)


def test_kernels_that_do_not_go_with_the_images():
    images = np.zeros((1, 5, 5, 4))
    for shape, groups, said in (
        ((3, 3, 4), 1, "rows, columns, channels, filters"),
        ((3, 3, 4, 2), 3, "divide channels and filters: got 3 groups for 4 channels"),
        ((3, 3, 2, 3), 2, "divide channels and filters: got 2 groups for 4 channels and 3"),
        ((3, 3, 3, 2), 1, "4 on its third axis, .* in 1 group:"),
        ((3, 3, 4, 2), 2, "2 on its third axis, .* in 2 groups:"),
    ):
        with pytest.raises(ValueError, match=said):
            sliding.check_convolution(images, np.zeros(shape), groups)
    with pytest.raises(ValueError, match="float64: got float32"):
        sliding.check_convolution(images, np.zeros((3, 3, 4, 2), np.float32), 1)
    kernel = np.zeros((3, 3, 2, 4))
    found = sliding.check_convolution(images, kernel, 2)
    assert found[0] is images
    assert found[1] is kernel


def test_bias_upstream_and_pooling():
    output = np.zeros((1, 5, 5, 4), np.float32)
    assert sliding.check_bias([1, 2, 3, 4], output).dtype == np.float32
    with pytest.raises(ValueError, match=r"each of 4 filters: got the shape \(3,\)"):
        sliding.check_bias([1, 2, 3], output)
    assert sliding.check_upstream(output.tolist(), output.shape, "float32").dtype == np.float32
    with pytest.raises(ValueError, match="shape of the output"):
        sliding.check_upstream(output[0], output.shape, float)
    images, edges = sliding.check_pooling(IMAGES, 3, 1, "same")
    assert images is IMAGES
    assert edges == ((1, 1), (1, 1))
    with pytest.raises(ValueError, match="padding must be smaller than pool_size"):
        sliding.check_pooling(IMAGES, (2, 3), 1, ((0, 2), (0, 0)))
    assert sliding.check_pooling(IMAGES, (2, 3), 1, ((0, 1), (2, 0)))[1] == ((0, 1), (2, 0))
    with pytest.raises(ValueError, match="pool_size must be at most"):
        sliding.check_pooling(IMAGES, 8, 1, "valid")
    with pytest.raises(ValueError, match="floating-point"):
        sliding.check_pooling(IMAGES.astype(int), 2, 1, "valid")
    assert sliding.check_pooling(IMAGES.astype(int), 2, 1, "valid", integers=True)
