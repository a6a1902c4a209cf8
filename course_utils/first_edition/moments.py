"""What a deep stack does to its signal and to its gradient, before training and a little later."""

from __future__ import annotations

import numpy as np


def forward_spread(activation, initializer, *, depth=50, width=256, examples=256, seed=0):
    """Return the standard deviation of the activations after each of many dense layers.

    The input is standard normal, the layers have as many units as inputs, and no bias.

    Parameters
    ----------
    activation : str
        One of Keras' activations.
    initializer : str
        One of Keras' initializers.
    depth, width, examples, seed : int

    Returns
    -------
    (ndarray (depth,), ndarray (depth,))
        Standard deviation and mean over all examples and units.
    """
    import keras

    rng = np.random.default_rng(seed)
    values = rng.normal(size=(examples, width)).astype("float32")
    function = keras.activations.get(activation)
    config = {"class_name": _class_name(initializer), "config": {}}
    spreads, means = [], []
    for _ in range(depth):
        config["config"] = {"seed": int(rng.integers(2**31))}
        kernel = keras.initializers.get(config)((width, width))
        values = function(keras.ops.matmul(values, kernel))
        found = np.asarray(values)
        spreads.append(found.std())
        means.append(found.mean())
    return np.array(spreads), np.array(means)


def _class_name(initializer):
    """Return the class name of an initializer: "he_normal" → "HeNormal"."""
    import keras

    return type(keras.initializers.get(initializer)).__name__


def gradient_norms(
    images,
    depth,
    *,
    residual=False,
    normalise=False,
    activation="relu",
    gain=None,
    filters=8,
    seed=0,
    labels=None,
    steps=0,
    rate=0.03,
):
    """Return the norm of the loss's gradient for the kernel of each of many convolutions.

    A 3×3 convolution brings the images to `filters` maps; then come `depth` more of them, residual
    or not; then the mean of each map, and ten random logits. Weights are normal with variance
    2 / fan-in for ReLU (He et al., 2015), and 1 / fan-in for any other activation.

    Parameters
    ----------
    images : array (n, h, w, channels) of float
    depth : int
        Layers between the first convolution and the mean.
    residual : bool
        Whether a layer adds to its input: x + f(x) instead of f(x).
    normalise : bool
        Whether each convolution is normalized over the batch before its activation.
    activation : str
        A function of `keras.ops`, such as "relu" or "sigmoid".
    gain : float, optional
        Variance of the weights times fan-in, instead of 2 or 1; 1 is glorot's where a layer has as
        many filters as channels.
    filters, seed : int
    labels : array (n,) of int, optional
        From 0 to 9; by default random, since before training they hardly matter.
    steps : int
        How often all weights have moved against their gradient, on these images, before the
        measurement.
    rate : float
        How far: times the gradient.

    Returns
    -------
    ndarray (depth,)
        From the layer nearest to the input to the one nearest to the output.
    """
    import keras
    import tensorflow as tf

    rng = np.random.default_rng(seed)
    function = getattr(keras.ops, activation)
    gain = gain or (2 if activation == "relu" else 1)

    def kernel(channels):
        spread = np.sqrt(gain / (9 * channels))
        return tf.Variable(rng.normal(0, spread, (3, 3, channels, filters)).astype("float32"))

    def layer(values, weights):
        values = tf.nn.conv2d(values, weights, 1, "SAME")
        if normalise:
            mean, variance = tf.nn.moments(values, [0, 1, 2])
            values = (values - mean) / tf.sqrt(variance + 1e-3)
        return function(values)

    drawn = rng.integers(0, 10, len(images))
    labels = drawn if labels is None else np.asarray(labels)
    first, stack = kernel(images.shape[-1]), [kernel(filters) for _ in range(depth)]
    head = tf.Variable((rng.normal(size=(filters, 10)) / np.sqrt(filters)).astype("float32"))
    weights = [first, *stack, head]

    def slopes():
        with tf.GradientTape() as tape:
            values = layer(tf.constant(images, tf.float32), first)
            for each in stack:
                values = layer(values, each) + (values if residual else 0)
            logits = tf.reduce_mean(values, axis=(1, 2)) @ head
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
            loss = tf.reduce_mean(losses)
        return tape.gradient(loss, weights)

    for _ in range(steps):
        for variable, slope in zip(weights, slopes(), strict=True):
            variable.assign_sub(rate * slope)
    return np.array([float(tf.norm(slope)) for slope in slopes()[1:-1]])
