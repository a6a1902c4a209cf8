import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils import arithmetic, sizes

GRID = list(itertools.product((5, 6, 7, 8, 13), (1, 2, 3, 4, 5), (1, 2, 3), (1, 2, 3)))


def keras_size(size, kernel_size, strides, dilation_rate, padding):
    """Size that Keras gives a column of `size` pixels."""
    image = keras.Input((size, 1, 1))
    if isinstance(padding, tuple):
        image = keras.layers.ZeroPadding2D((padding, (0, 0)))(image)
        padding = "valid"
    layer = keras.layers.Conv2D(
        1, (kernel_size, 1), strides=strides, padding=padding, dilation_rate=(dilation_rate, 1)
    )
    return layer(image).shape[1]


@pytest.mark.parametrize("padding", ["valid", "same", (1, 1), (0, 2), (3, 1)])
def test_output_size_is_keras_size_on_a_grid(padding):
    compared = 0
    for size, kernel, strides, dilation in GRID:
        if strides > 1 and dilation > 1:
            continue
        extra = sum(padding) if isinstance(padding, tuple) else 0
        if padding != "same" and dilation * (kernel - 1) + 1 > size + extra:
            with pytest.raises(ValueError, match="kernel_size must be at most the padded input"):
                sizes.output_size(size, kernel, strides, padding, dilation)
            continue
        expected = keras_size(size, kernel, strides, dilation, padding)
        assert sizes.output_size(size, kernel, strides, padding, dilation) == expected
        compared += 1
    assert compared >= 80


def test_output_size_with_strides_and_dilation_counts_the_windows():
    for size, kernel, strides, dilation in GRID:
        firsts = range(0, size - dilation * (kernel - 1), strides)
        if len(firsts):
            assert sizes.output_size(size, kernel, strides, dilation_rate=dilation) == len(firsts)


def test_one_number_pads_both_sides_and_case_does_not_matter():
    assert sizes.output_size(5, 3, padding=1) == sizes.output_size(5, 3, padding=(1, 1)) == 5
    assert sizes.output_size(5, 3, padding=1) == 5
    assert sizes.output_size(5, 3, 2, "SAME") == 3
    assert sizes.output_size(5, 3, 2, "VALID") == 2


def test_the_notes_puzzle():
    # 5×5 padded to 6×6 gives 4×4, not 5×5; the latter needs 7×7.
    assert sizes.output_size(5, 3, padding=(0, 1)) == sizes.output_size(6, 3) == 4
    assert sizes.output_size(5, 3, padding=1) == sizes.output_size(7, 3) == 5


def test_what_is_left_out_is_the_plain_case():
    assert sizes.same_padding(8, 3) == (1, 1)
    assert sizes.output_size(7, 3) == 5
    assert list(sizes.input_sizes(5, 3)) == [7]
    assert sizes.conv_parameters(3, 2, 4) == (3 * 3 * 2 + 1) * 4
    assert sizes.conv_multiply_adds(5, 3, 2, 4) == 5 * 5 * 3 * 3 * 2 * 4
    assert sizes.dense_parameters(3, 2) == 8
    assert sizes.Field(5, 2, -1).after(3) == sizes.Field(9, 2, -1)


def test_effective_kernel_size():
    assert [sizes.effective_kernel_size(3, d) for d in (1, 2, 4)] == [3, 5, 9]
    assert sizes.effective_kernel_size(1, 7) == 1
    assert sizes.effective_kernel_size(3) == 3


def test_same_padding_is_tensorflows():
    for size, kernel, strides, dilation in GRID:
        if strides > 1 and dilation > 1:
            continue
        before, after = sizes.same_padding(size, kernel, strides, dilation)
        column = np.arange(1.0, size + 1).reshape(1, size, 1, 1)
        weights = (10.0 ** np.arange(kernel)).reshape(kernel, 1, 1, 1)
        options = {"strides": (strides, 1), "dilations": (dilation, 1)}
        same = tf.nn.conv2d(column, weights, padding="SAME", **options)
        edges = [(0, 0), (before, after), (0, 0), (0, 0)]
        explicit = tf.nn.conv2d(np.pad(column, edges), weights, padding="VALID", **options)
        np.testing.assert_array_equal(same, explicit)


def test_same_padding_puts_the_odd_zero_after():
    assert sizes.same_padding(4, 3, 2) == (0, 1)
    assert sizes.same_padding(5, 3, 2) == (1, 1)
    assert sizes.same_padding(5, 2) == (0, 1)
    assert sizes.same_padding(5, 1, 3) == (0, 0)


@settings(max_examples=200, deadline=None)
@given(
    st.integers(1, 12),
    st.integers(1, 5),
    st.integers(1, 4),
    st.integers(1, 3),
    st.sampled_from(["valid", "same", 0, 1, (0, 3), (4, 4)]),
)
def test_input_sizes_are_exactly_those_that_give_the_output(size, kernel, strides, d, padding):
    found = sizes.input_sizes(size, kernel, strides, padding, d)
    for candidate in range(1, 80):
        try:
            fits = sizes.output_size(candidate, kernel, strides, padding, d) == size
        except ValueError:
            fits = False
        assert fits == (candidate in found)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            {"size": 5, "kernel_size": 7, "padding": 0},
            "kernel_size must be at most the padded input: got 7 for a 5×5 image with padding 0",
        ),
        (
            {"size": 5, "kernel_size": 7},
            "kernel_size must be at most the padded input: got 7 for a 5×5 image with padding 0",
        ),
        (
            {"size": 5, "kernel_size": 9, "padding": (1, 2)},
            "kernel_size must be at most the padded input: "
            "got 9 for a 5×5 image with padding (1, 2)",
        ),
        (
            {"size": 5, "kernel_size": 3, "dilation_rate": 4},
            "kernel_size must be at most the padded input: got 3 with dilation_rate 4 "
            "(which spans 9 pixels) for a 5×5 image with padding 0",
        ),
        ({"size": 5, "kernel_size": 3, "strides": 0}, "strides must be at least 1: got 0"),
        ({"size": 5, "kernel_size": 0}, "kernel_size must be at least 1: got 0"),
        ({"size": 0, "kernel_size": 1}, "size must be at least 1: got 0"),
        (
            {"size": 5, "kernel_size": 3, "dilation_rate": 0},
            "dilation_rate must be at least 1: got 0",
        ),
        ({"size": 5, "kernel_size": 3, "padding": -1}, "padding must be at least 0: got -1"),
        ({"size": 5, "kernel_size": 3, "padding": (0, -2)}, "padding must be at least 0: got -2"),
        (
            {"size": 5, "kernel_size": 3, "padding": (1, 2, 3)},
            "padding must be one number or a pair: got (1, 2, 3)",
        ),
        ({"size": 5.5, "kernel_size": 3}, "size must be a whole number: got 5.5"),
        (
            {"size": 5, "kernel_size": 3, "padding": "smae"},
            'padding must be "valid", "same", a number or (before, after): got \'smae\'; '
            "did you mean 'same'?",
        ),
    ],
)
def test_bad_input_gets_one_sentence(arguments, sentence):
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the whole sentence is compared
        sizes.output_size(**arguments)
    assert str(caught.value) == sentence


@pytest.mark.parametrize("use_bias", [True, False])
@pytest.mark.parametrize("groups", [1, 2, 4])
@pytest.mark.parametrize("kernel_size", [1, 3, (3, 5)])
def test_conv_parameters_are_keras_count(kernel_size, groups, use_bias):
    layer = keras.layers.Conv2D(8, kernel_size, groups=groups, use_bias=use_bias)
    layer.build((None, 9, 9, 4))
    assert sizes.conv_parameters(kernel_size, 4, 8, groups, use_bias) == layer.count_params()


def test_multiply_adds_of_a_convolution_and_a_dense_layer():
    # One product for each output pixel, weight and filter.
    assert sizes.conv_multiply_adds((2, 3), (3, 5), 4, 8) == 2 * 3 * 3 * 5 * 4 * 8
    assert sizes.conv_multiply_adds(2, 3, 4, 8, groups=4) == 2 * 2 * 3 * 3 * 1 * 8
    assert sizes.dense_multiply_adds(100, 10) == 1000


def test_dense_parameters():
    assert sizes.dense_parameters(784, 26 * 26 * 32) == 16_981_120  # against 320 of conv1
    assert sizes.dense_parameters(784, 10, use_bias=False) == 7840
    with pytest.raises(ValueError, match="units must be at least 1: got 0"):
        sizes.dense_parameters(784, 0)


def test_groups_must_divide():
    sentence = "groups must divide channels and filters: got 3 groups for 4 channels and 6 filters"
    with pytest.raises(ValueError, match=sentence):
        sizes.conv_parameters(3, 4, 6, groups=3)
    with pytest.raises(ValueError, match="groups must divide"):
        sizes.conv_multiply_adds(5, 3, 6, 4, groups=3)


def test_receptive_field_of_known_stacks():
    assert [f.size for f in sizes.receptive_field([(3, 1, 1)] * 3)] == [3, 5, 7]
    dilated = sizes.receptive_field([(3, 1, 1), (3, 1, 2), (3, 1, 4)])
    assert [f.size for f in dilated] == [3, 7, 15]
    slides = sizes.receptive_field([(3,), (2, 2), (3,), (2, 2, 1, "same")], size=28)
    assert [(f.size, f.jump) for f in slides] == [(3, 1), (4, 2), (8, 2), (10, 4)]
    assert sizes.receptive_field([]) == []


def test_padding_moves_the_start_only():
    valid, same = (sizes.receptive_field([(3, 2, 1, p), (5, 1, 1, p)], 11) for p in ("valid", 2))
    assert [f[:2] for f in valid] == [f[:2] for f in same] == [(3, 2), (11, 2)]
    assert [f.start for f in valid] == [0, 0]
    assert [f.start for f in same] == [-2, -6]
    assert same[1].window(2) == range(-2, 9)


def test_same_padding_of_a_stack_depends_on_the_size_only_with_strides():
    assert sizes.receptive_field([(5, 1, 1, "same"), (4, 1, 2, "same")])[-1] == (11, 1, -5)
    with pytest.raises(ValueError, match='size must be given for padding "same" with strides'):
        sizes.receptive_field([(3, 2, 1, "same")])
    assert sizes.receptive_field([(3, 2, 1, "same")], size=4)[0].start == 0
    assert sizes.receptive_field([(3, 2, 1, "same")], size=5)[0].start == -1


def test_a_stack_must_fit_when_the_size_is_given():
    with pytest.raises(ValueError, match="got 5 for a 3×3 image"):
        sizes.receptive_field([(3, 2), (5,)], size=7)


def test_arithmetic_offers_all_of_it():
    for name in arithmetic.__all__:
        assert callable(getattr(arithmetic, name))
