"""Batch normalization under the loupe: its statistics step by step, and the loss around it."""

from __future__ import annotations

import numpy as np

from .models import slides_network
from .renewal import reseed
from .schedules import train

STARTS = {"mean": 0.0, "variance": 1.0}  # of Keras' moving averages, before the first step


def normalised_network(scale=1.0, *, momentum=0.99, normalise=True, dense=False, **options):
    """Build the slides' network with batch normalization between each convolution and its ReLU.

    Parameters
    ----------
    scale, **options
        As for `models.slides_network`.
    momentum : float
        Of the moving averages; the default is Keras'.
    normalise : bool
        Without it, the slides' network as it is.
    dense : bool
        Normalize the hidden dense layer too.

    Returns
    -------
    keras.Sequential
        Uncompiled. A layer in front of a normalization has no bias: the mean takes it away.
    """
    import keras
    from keras import layers

    plain = slides_network(scale, **options)
    if not normalise:
        return plain
    kinds = (layers.Conv2D, layers.Dense) if dense else layers.Conv2D
    parts = [keras.Input(plain.input_shape[1:])]
    for layer in plain.layers:
        if not isinstance(layer, kinds) or layer is plain.layers[-1]:
            parts.append(layer)
            continue
        config = layer.get_config() | {"use_bias": False, "activation": None}
        parts += [
            type(layer).from_config(config),
            layers.BatchNormalization(momentum=momentum, name=f"norm_{layer.name}"),
            layers.Activation(layer.activation, name=f"activation_{layer.name}"),
        ]
    return keras.Sequential(parts, name="normalised_network")


def norms(network):
    """Return the batch normalizations of a network, in order."""
    from keras import layers

    return [each for each in network.layers if isinstance(each, layers.BatchNormalization)]


def compiled(scale, **options):
    """Return `normalised_network`, compiled with SGD (momentum 0.9) and integer labels."""
    import keras

    network = normalised_network(scale, **options)
    optimizer = keras.optimizers.SGD(momentum=0.9)
    network.compile(optimizer, "sparse_categorical_crossentropy")
    return network


def train_anew(network, images, labels, rate, *, epochs, batch_size, seed, watch=None):
    """Train a compiled network from new weights, in an order that the seed fixes.

    Parameters
    ----------
    network : keras.Model
        As `compiled` returns it.
    images, labels : arrays
    rate : float
    epochs, batch_size, seed : int
    watch : Path, optional
        Looks at the network after each step.

    Returns
    -------
    float
        Mean loss of the last epoch, in training mode.
    """
    reseed(network, seed)
    rng = np.random.default_rng(seed)
    order = np.concatenate([rng.permutation(len(images)) for _ in range(epochs)])
    steps = -(-len(order) // batch_size)
    at_once, losses = 1 if watch else steps, []
    for first in range(0, steps, at_once):
        rows = order[first * batch_size : (first + at_once) * batch_size]
        losses.extend(train(network, images[rows], labels[rows], [rate] * at_once, batch_size))
        if watch:
            watch.note()
    return float(np.mean(losses[-max(1, len(images) // batch_size) :]))


class Path:
    """The weights of a network at every so many steps of its training.

    Parameters
    ----------
    network : keras.Model
    every : int

    Attributes
    ----------
    steps : list of int
        When weights were kept, counted from 1.
    weights : list of lists of array
    """

    def __init__(self, network, every):
        self.network, self.every, self._step = network, every, 0
        self.steps, self.weights = [], []

    def note(self):
        """Take note of the network after one more step."""
        self._step += 1
        if self._step % self.every == 0:
            self.steps.append(self._step)
            self.weights.append(self.network.get_weights())


class Recorder(Path):
    """What batch normalization saw at each step of a training, and the weights of some steps.

    A normalization with momentum 0 keeps nothing of the past: after a step, its moving averages
    *are* the mean and variance of that step's batch.

    Parameters
    ----------
    network : keras.Model
        All of whose normalizations have momentum 0.
    every : int
        Keep the weights of every so many steps.

    Attributes
    ----------
    statistics : list of dict
        For each normalization "mean" and "variance", lists of arrays (channels,), one a step.

    Raises
    ------
    ValueError
        If a normalization has another momentum.
    """

    def __init__(self, network, every):
        super().__init__(network, every)
        self._norms = norms(network)
        wrong = [norm.momentum for norm in self._norms if norm.momentum != 0]
        if wrong or not self._norms:
            raise ValueError(
                f"network must have normalizations, all with momentum 0: got {wrong or 'none'}"
            )
        self.statistics = [{"mean": [], "variance": []} for _ in self._norms]

    def note(self):
        """Take note of the network and of its last batch, after one more step."""
        super().note()
        for norm, seen in zip(self._norms, self.statistics, strict=True):
            seen["mean"].append(norm.moving_mean.numpy())
            seen["variance"].append(norm.moving_variance.numpy())


def moving_average(values, momentum, start):
    """Return Keras' moving average after each step: momentum · before + (1 − momentum) · value.

    Parameters
    ----------
    values : array (steps, …)
        Of each batch.
    momentum : float
        Between 0 (only the last batch) and 1 (only the start).
    start : float
        Where the average begins: 0 for a mean, 1 for a variance.

    Returns
    -------
    ndarray of the same shape

    Raises
    ------
    ValueError
        For a momentum outside of [0, 1].
    """
    if not 0 <= momentum <= 1:
        raise ValueError(f"momentum must be between 0 and 1: got {momentum!r}")
    values = np.asarray(values, dtype=float)
    averages, now = np.empty_like(values), start
    for step, value in enumerate(values):
        now = momentum * now + (1 - momentum) * value
        averages[step] = now
    return averages


def set_averages(network, statistics, momentum, step):
    """Give a network the moving averages that it would have after `step` steps with `momentum`.

    Parameters
    ----------
    network : keras.Model
    statistics : list of dict
        As a `Recorder` has them.
    momentum : float
    step : int
        Counted from 1.
    """
    for norm, seen in zip(norms(network), statistics, strict=True):
        for kind, variable in (("mean", norm.moving_mean), ("variance", norm.moving_variance)):
            series = moving_average(seen[kind][:step], momentum, STARTS[kind])
            variable.assign(series[-1])


def accuracy_by_momentum(network, recorder, momenta, images, labels):
    """Return the accuracy in inference mode after each kept step, for each momentum.

    The momentum has no part in training, so that one training serves for all.

    Parameters
    ----------
    network : keras.Model
        Its weights are changed.
    recorder : Recorder
        After training.
    momenta : sequence of float
    images, labels : arrays

    Returns
    -------
    dict from float to list of float
    """
    found = {momentum: [] for momentum in momenta}
    for step, weights in zip(recorder.steps, recorder.weights, strict=True):
        network.set_weights(weights)
        for momentum in momenta:
            set_averages(network, recorder.statistics, momentum, step)
            scores = network(images, training=False).numpy()
            found[momentum].append(float(np.mean(scores.argmax(axis=1) == labels)))
    return found


def batch_accuracy(network, weights, images, labels):
    """Return the accuracy with statistics of the images at hand: training mode, without training.

    Parameters
    ----------
    network : keras.Model
        Its weights are set; its moving averages change.
    weights : list of array
    images, labels : arrays
    """
    network.set_weights(weights)
    scores = network(images, training=True).numpy()
    return float(np.mean(scores.argmax(axis=1) == labels))


def loss_slices(network, weights, batches, step_sizes):
    """Return the loss along the direction of the gradient, from several points of a training.

    At each point, the gradient of one batch is taken, and the loss of the same batch is measured
    after a step of each size against it, as in Santurkar et al., "How does batch normalization
    help optimization?" (2018), figure 4a.

    Parameters
    ----------
    network : keras.Model
        Its weights are changed.
    weights : sequence of lists of array
        Weights at each point, as `get_weights` gives them.
    batches : sequence of (images, labels)
        One a point.
    step_sizes : sequence of float
        Times the gradient.

    Returns
    -------
    ndarray (points, step sizes)
        Cross-entropy, in training mode.
    """
    import keras
    import tensorflow as tf

    losses_of = keras.losses.SparseCategoricalCrossentropy()
    variables = network.trainable_variables

    def loss(images, labels):
        return losses_of(labels, network(images, training=True))

    found = []
    for point, (images, labels) in zip(weights, batches, strict=True):
        network.set_weights(point)
        with tf.GradientTape() as tape:
            value = loss(images, labels)
        slopes = tape.gradient(value, variables)
        start = [variable.numpy() for variable in variables]
        row = []
        for size in step_sizes:
            for variable, before, slope in zip(variables, start, slopes, strict=True):
                variable.assign(before - size * slope)
            row.append(float(loss(images, labels)))
        found.append(row)
    return np.array(found)
