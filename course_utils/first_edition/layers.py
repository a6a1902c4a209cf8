"""Keras layers that the notebooks need and Keras lacks: pooling over depth, and blur pooling.

Both have a gradient, no weights, and are registered, so that a saved model loads again.
"""

from __future__ import annotations

from math import comb

import keras
import numpy as np
from keras import ops

from course_utils.first_edition.choices import one_of
from course_utils.first_edition.sizes import conv_multiply_adds, output_size, whole


@keras.saving.register_keras_serializable(package="course_utils.first_edition")
class DepthPooling(keras.layers.Layer):
    """Largest of each group of neighbouring channels, pixel by pixel.

    Channels 0 to `pool_size` - 1 become channel 0, the next `pool_size` channel 1, and so on:
    filters that have learned the same thing turned or scaled become one map that does not care.
    `tf.nn.max_pool` with ksize (1, 1, 1, 3) gives the same numbers, but has no gradient on a CPU.

    Parameters
    ----------
    pool_size : int
        Channels in a group; must divide the channels of the input.

    Raises
    ------
    ValueError
        When the layer meets an input whose channels the groups do not divide.

    Notes
    -----
    Goodfellow et al., "Maxout networks" (2013), use such groups as an activation.
    """

    def __init__(self, pool_size=3, **kwargs):
        super().__init__(**kwargs)
        self.pool_size = whole("pool_size", pool_size)

    def build(self, input_shape):
        """Check that the groups divide the channels."""
        self.compute_output_shape(input_shape)
        super().build(input_shape)

    def call(self, inputs):
        """Cut the last axis into groups, and take the largest of each."""
        *others, channels = ops.shape(inputs)
        groups = ops.reshape(inputs, (*others, channels // self.pool_size, self.pool_size))
        return ops.max(groups, axis=-1)

    def compute_output_shape(self, input_shape):
        """Return the input's shape with `pool_size` times fewer channels."""
        *others, channels = input_shape
        if channels % self.pool_size:
            right = [str(size) for size in range(2, channels + 1) if channels % size == 0]
            raise ValueError(
                f"pool_size must divide the channels: got {self.pool_size} for {channels} channels"
                f", which {', '.join(right)} would divide"
            )
        return (*others, channels // self.pool_size)

    def receptive_field_step(self):
        """Return (kernel_size, strides, dilation_rate) on the image: it sees one pixel."""
        return 1, 1, 1

    def get_config(self):
        """Return what `__init__` was given."""
        return {**super().get_config(), "pool_size": self.pool_size}


@keras.saving.register_keras_serializable(package="course_utils.first_edition")
class BlurPooling(keras.layers.Layer):
    """Blur, then keep every `strides`-th pixel: downsampling with less aliasing.

    After a max pooling with strides 1 it makes MaxBlurPool; after a convolution with strides 1, a
    strided convolution that moves more smoothly with its input.

    Parameters
    ----------
    kernel_size : int
        Odd. 3 blurs with [1, 2, 1] / 4 down and across, 5 with [1, 4, 6, 4, 1] / 16.
    strides : int
    padding : {"reflect", "same"}
        "reflect" mirrors the image at its border: the blurred pixels kept are 0, 2, 4, … for
        strides 2, and the border is no darker than the rest. "same" puts TensorFlow's zeros.
        With both the output has ⌈size / strides⌉ pixels.

    Raises
    ------
    ValueError
        When an argument is none of these, or the image is too small to be mirrored.

    Notes
    -----
    Zhang, "Making convolutional networks shift-invariant again" (2019).
    """

    def __init__(self, kernel_size=3, strides=2, padding="reflect", **kwargs):
        super().__init__(**kwargs)
        self.kernel_size = whole("kernel_size", kernel_size)
        self.strides = whole("strides", strides)
        self.padding = one_of("padding", padding, ("reflect", "same"))
        if kernel_size % 2 == 0:
            raise ValueError(
                f"kernel_size must be odd, or the image moves by half a pixel: got {kernel_size}"
            )

    @property
    def weights_of_blur(self):
        """The filter, shape (kernel_size, kernel_size): an outer product that sums to 1."""
        row = np.array([comb(self.kernel_size - 1, i) for i in range(self.kernel_size)])
        return np.outer(row, row) / row.sum() ** 2

    def build(self, input_shape):
        """Check that the image is large enough to be mirrored."""
        if len(input_shape) != 4:
            raise ValueError(
                "BlurPooling needs images of the shape (images, height, width, channels): "
                f"got {tuple(input_shape)}"
            )
        half = self.kernel_size // 2
        sizes = [size for size in input_shape[1:3] if size is not None]
        if self.padding == "reflect" and sizes and min(sizes) <= half:
            raise ValueError(
                f'images must have more than {half} pixels down and across for padding "reflect" '
                f"with kernel_size {self.kernel_size}: got {input_shape[1]}×{input_shape[2]}"
            )
        super().build(input_shape)

    def call(self, inputs):
        """Convolve every channel with the same filter."""
        filters = np.repeat(self.weights_of_blur[:, :, np.newaxis], inputs.shape[-1], axis=2)
        kernel = ops.convert_to_tensor(filters[..., np.newaxis], dtype=inputs.dtype)
        if self.padding == "same":
            return ops.depthwise_conv(inputs, kernel, self.strides, "same")
        half = self.kernel_size // 2
        mirrored = ops.pad(inputs, ((0, 0), (half, half), (half, half), (0, 0)), mode="reflect")
        return ops.depthwise_conv(mirrored, kernel, self.strides, "valid")

    def compute_output_shape(self, input_shape):
        """Return the input's shape with ⌈size / strides⌉ pixels down and across."""
        images, *sizes, channels = input_shape
        return (images, *(size and -(-size // self.strides) for size in sizes), channels)

    def receptive_field_step(self):
        """Return (kernel_size, strides, dilation_rate)."""
        return self.kernel_size, self.strides, 1

    def multiply_adds(self, input_shape):
        """Multiply-adds on one image of shape (height, width, channels)."""
        *sizes, channels = input_shape
        outputs = tuple(output_size(size, 1, self.strides, "same") for size in sizes)
        return conv_multiply_adds(outputs, self.kernel_size, channels, channels, groups=channels)

    def get_config(self):
        """Return what `__init__` was given."""
        return {
            **super().get_config(),
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "padding": self.padding,
        }
