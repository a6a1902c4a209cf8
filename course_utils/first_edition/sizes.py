"""Sizes, padding, parameters, multiply-adds and receptive fields of single layers.

Everything here is exact and needs no framework. Functions on one axis take and give whole numbers:
call them once for the height and once for the width. `course_utils.arithmetic` offers all of it.
"""

from __future__ import annotations

import operator
from math import prod
from typing import NamedTuple

from course_utils.first_edition.choices import did_you_mean


def whole(name, value, least=1):
    """Return `value` as an int, or raise a sentence that names the argument."""
    try:
        number = operator.index(value)
    except TypeError:
        raise ValueError(f"{name} must be a whole number: got {value!r}") from None
    if number < least:
        raise ValueError(f"{name} must be at least {least}: got {number}")
    return number


def pair(name, value, least=1):
    """Return `value` as (rows, columns); one number stands for both."""
    values = tuple(value) if isinstance(value, (tuple, list)) else (value, value)
    if len(values) != 2:
        raise ValueError(f"{name} must be one number or a pair: got {value!r}")
    return tuple(whole(name, number, least) for number in values)


def effective_kernel_size(kernel_size, dilation_rate=1):
    """Pixels that a dilated kernel spans on one axis: `dilation_rate * (kernel_size - 1) + 1`."""
    return whole("dilation_rate", dilation_rate) * (whole("kernel_size", kernel_size) - 1) + 1


def same_padding(size, kernel_size, strides=1, dilation_rate=1):
    """Zeros that TensorFlow's "same" padding puts (before, after) an axis of `size` pixels.

    An odd total puts the extra zero after, at the bottom or the right.
    """
    size, strides = whole("size", size), whole("strides", strides)
    span = effective_kernel_size(kernel_size, dilation_rate)
    total = max((-(-size // strides) - 1) * strides + span - size, 0)
    return total // 2, total - total // 2


def padding_pair(padding):
    """Return the zeros (before, after) that a padding other than "same" adds."""
    if isinstance(padding, str):
        if padding.lower() == "valid":
            return 0, 0
        hint = did_you_mean(padding, ["valid", "same"])
        raise ValueError(
            f'padding must be "valid", "same", a number or (before, after): got {padding!r}'
            f"{hint and '; ' + hint}"
        )
    return pair("padding", padding, least=0)


def is_same(padding):
    """Whether a padding is the word "same", in either case."""
    return isinstance(padding, str) and padding.lower() == "same"


def output_size(size, kernel_size, strides=1, padding="valid", dilation_rate=1):
    """Size of one axis after a convolution or a pooling.

    Parameters
    ----------
    size, kernel_size, strides, dilation_rate : int
        In pixels, at least 1.
    padding : {"valid", "same"}, int, or (int, int)
        A number is put on both sides, a pair is (before, after).

    Returns
    -------
    int
        ⌈n/s⌉ for "same", else ⌊(n + before + after - d(k - 1) - 1)/s⌋ + 1.

    Raises
    ------
    ValueError
        When the dilated kernel does not fit into the padded input, or an argument is out of range.

    Notes
    -----
    Dumoulin and Visin, "A guide to convolution arithmetic for deep learning" (2016), relation 15.
    Strides and dilation may both exceed 1 here; Keras' Conv2D refuses that.
    """
    size, strides = whole("size", size), whole("strides", strides)
    span = effective_kernel_size(kernel_size, dilation_rate)
    if is_same(padding):
        return -(-size // strides)
    padded = size + sum(padding_pair(padding))
    if span > padded:
        got = str(kernel_size)
        if span != kernel_size:
            got += f" with dilation_rate {dilation_rate} (which spans {span} pixels)"
        shown = 0 if isinstance(padding, str) else padding
        raise ValueError(
            f"kernel_size must be at most the padded input: got {got} "
            f"for a {size}×{size} image with padding {shown}"
        )
    return (padded - span) // strides + 1


def input_sizes(size, kernel_size, strides=1, padding="valid", dilation_rate=1):
    """Return the `range` of all input sizes from which `output_size` makes `size`; may be empty."""
    size, strides = whole("size", size), whole("strides", strides)
    span = effective_kernel_size(kernel_size, dilation_rate)
    if is_same(padding):
        return range((size - 1) * strides + 1, size * strides + 1)
    least = (size - 1) * strides + span - sum(padding_pair(padding))
    return range(max(least, 1), max(least + strides, 1))


def _kernel_and_groups(kernel_size, channels, filters, groups):
    """Weights that one filter has in one position, and the checked number of filters."""
    channels, filters = whole("channels", channels), whole("filters", filters)
    groups = whole("groups", groups)
    if channels % groups or filters % groups:
        raise ValueError(
            f"groups must divide channels and filters: got {groups} groups "
            f"for {channels} channels and {filters} filters"
        )
    return prod(pair("kernel_size", kernel_size)) * channels // groups, filters


def conv_parameters(kernel_size, channels, filters, groups=1, use_bias=True):
    """Parameters of a 2-D convolution: k·k·channels/groups weights and one bias for each filter.

    `kernel_size` is one number or (rows, columns). The size of the image plays no part.
    """
    weights, filters = _kernel_and_groups(kernel_size, channels, filters, groups)
    return (weights + bool(use_bias)) * filters


def conv_multiply_adds(output_size, kernel_size, channels, filters, groups=1):
    """Multiply-adds of a 2-D convolution on one image; the additions of the bias are not counted.

    `output_size` is the size of the output, one number or (rows, columns).
    """
    weights, filters = _kernel_and_groups(kernel_size, channels, filters, groups)
    return prod(pair("output_size", output_size)) * weights * filters


def dense_parameters(inputs, units, use_bias=True):
    """Parameters of a dense layer: one weight for each input and unit, and one bias a unit."""
    return (whole("inputs", inputs) + bool(use_bias)) * whole("units", units)


def dense_multiply_adds(inputs, units):
    """Multiply-adds of a dense layer on one vector; the additions of the bias are not counted."""
    return whole("inputs", inputs) * whole("units", units)


class Field(NamedTuple):
    """What one unit sees of one axis of the input image, in input pixels.

    Attributes
    ----------
    size : int
        Length of the receptive field (from its first to its last pixel, gaps included).
    jump : int
        Distance between the fields of neighbouring units; 0 once all units see the same.
    start : int
        First pixel of the field of unit 0; negative where it lies in the padding.
    """

    size: int
    jump: int
    start: int

    def window(self, position):
        """Return the `range` of input pixels that the unit at `position` sees (padding too)."""
        first = self.start + position * self.jump
        return range(first, first + self.size)

    def after(self, kernel_size, strides=1, dilation_rate=1, before=0):
        """Return the field behind one more layer that puts `before` zeros in front of the axis."""
        span = effective_kernel_size(kernel_size, dilation_rate)
        return Field(
            self.size + (span - 1) * self.jump,
            self.jump * whole("strides", strides),
            self.start - whole("padding", before, least=0) * self.jump,
        )


def receptive_field(layers, size=None):
    """Receptive field on one axis after each layer of a stack.

    Parameters
    ----------
    layers : iterable of (kernel_size, strides, dilation_rate, padding)
        Later entries may be left out: (3,) is a kernel of 3 with strides 1, no dilation, "valid".
    size : int, optional
        Pixels of the input. Needed only for "same" padding with strides above 1, where the number
        of zeros in front depends on it; when given, each kernel must fit.

    Returns
    -------
    list of Field
        One a layer. Sizes and jumps do not depend on the padding, only `start` does.

    Notes
    -----
    Araujo, Norris and Sim, "Computing receptive fields of convolutional neural networks",
    Distill (2019).
    """
    field, fields = Field(1, 1, 0), []
    for layer in layers:
        kernel, strides, dilation, padding = (*layer, *(1, 1, "valid")[len(layer) - 1 :])
        if is_same(padding):
            if size is None and strides != 1:
                raise ValueError(
                    'size must be given for padding "same" with strides above 1: '
                    "the zeros in front depend on it"
                )
            # With strides 1 the total is span - 1, whatever the size.
            before, _ = same_padding(size or 1, kernel, strides, dilation)
        else:
            before, _ = padding_pair(padding)
        if size is not None:
            size = output_size(size, kernel, strides, padding, dilation)
        field = field.after(kernel, strides, dilation, before)
        fields.append(field)
    return fields
