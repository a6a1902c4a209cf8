"""Layers that the lectures need and Keras lacks: pooling over depth, and blur pooling.

Both have a gradient and no weights. They are registered, so that a saved model loads again: Keras
notes what `__init__` was given.
"""

from math import comb

import keras
import numpy as np
from keras import ops


@keras.saving.register_keras_serializable(package="course_utils")
class DepthPooling(keras.layers.Layer):
    """Largest of each group of neighbouring channels, pixel by pixel.

    Channels 0 to `pool_size` − 1 become channel 0, the next `pool_size` channel 1, and so on: maps
    of one pattern, turned or scaled, become one map that does not care. `tf.nn.max_pool` with ksize
    (1, 1, 1, 3) gives the same numbers, but has no gradient on a CPU. Such groups are the
    activation of Goodfellow et al., "Maxout networks" (2013).

    Parameters
    ----------
    pool_size : int
        Channels in a group. A ValueError says so if it does not divide the channels of the input.
    """

    def __init__(self, pool_size=3, **kwargs):
        super().__init__(**kwargs)
        if pool_size < 1:
            raise ValueError(f"pool_size must be at least 1: got {pool_size}")
        self.pool_size = pool_size

    def build(self, input_shape):
        """Check that the groups divide the channels."""
        self.compute_output_shape(input_shape)

    def call(self, inputs):
        """Cut the last axis into groups, and take the largest of each."""
        *others, groups = self.compute_output_shape(ops.shape(inputs))
        return ops.max(ops.reshape(inputs, (*others, groups, self.pool_size)), axis=-1)

    def compute_output_shape(self, input_shape):
        """Return the input's shape with `pool_size` times fewer channels."""
        *others, channels = input_shape
        if channels % self.pool_size:
            right = ", ".join(str(n) for n in range(1, channels + 1) if channels % n == 0)
            raise ValueError(
                f"pool_size must divide the {channels} channels ({right} do): got {self.pool_size}"
            )
        return (*others, channels // self.pool_size)


@keras.saving.register_keras_serializable(package="course_utils")
class BlurPooling(keras.layers.Layer):
    """Blur, then keep every `strides`-th pixel: downsampling with less aliasing.

    Behind a max pooling with strides 1 it makes MaxBlurPool; behind a convolution with strides 1, a
    strided convolution that moves more smoothly with its input. Zhang, "Making convolutional
    networks shift-invariant again" (2019).

    Parameters
    ----------
    kernel_size : int
        Odd. 3 blurs with [1, 2, 1] / 4 down and across, 5 with [1, 4, 6, 4, 1] / 16.
    strides : int
        The output has ⌈size / strides⌉ pixels: the image is mirrored at its border, which would
        come out darker with zeros around it.
    """

    padding = "reflect"  # as `arithmetic.ledger` asks every layer with a window

    def __init__(self, kernel_size=3, strides=2, **kwargs):
        super().__init__(**kwargs)
        if kernel_size < 1 or kernel_size % 2 == 0 or strides < 1:
            raise ValueError(
                "kernel_size must be odd, or the image moves by half a pixel, and strides at least "
                f"1: got {kernel_size} and {strides}"
            )
        self.kernel_size, self.strides = kernel_size, strides

    def build(self, input_shape):
        """Check that there are images, and large enough to be mirrored."""
        least = self.kernel_size // 2 + 1
        if len(input_shape) != 4 or any(size and size < least for size in input_shape[1:3]):
            raise ValueError(
                f"images must have the shape (images, height, width, channels), at least "
                f"{least}×{least}: got {tuple(input_shape)}"
            )

    def call(self, inputs):
        """Convolve every channel with the same filter, whose weights sum to 1."""
        half, channels = self.kernel_size // 2, inputs.shape[-1]
        row = np.array([comb(2 * half, k) for k in range(self.kernel_size)]) / 4**half
        blur = np.repeat(np.outer(row, row)[:, :, np.newaxis, np.newaxis], channels, axis=2)
        mirrored = ops.pad(inputs, ((0, 0), (half, half), (half, half), (0, 0)), mode="reflect")
        kernel = ops.convert_to_tensor(blur, inputs.dtype)
        return ops.depthwise_conv(mirrored, kernel, self.strides, "valid")
