"""The race to 99 % on MNIST: recipes as plain data, and one loop that trains all of them.

A recipe is a network, a learning rate over time and a handful of settings. Each one on the ladder
differs from the one before it in one thing, which its `change` names. All of them go through the
same loop, so that what a comparison of costs shows is the recipes and not the loop.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from time import perf_counter, process_time

import numpy as np

from .schedules import one_cycle

MNIST_MEAN, MNIST_SPREAD = 0.1307, 0.3081  # of all training pixels, on the scale from 0 to 1
TARGET = 0.99
SAMPLE = 1_000  # training images that a network may look at while it is built


@dataclass(frozen=True)
class Recipe:
    """How to train one network.

    Attributes
    ----------
    name : str
    change : str
        What differs from the recipe before it, in a sentence.
    build : callable
        Takes a few scaled training images, float32 (n, 28, 28, 1), and returns a new network that
        ends in logits. Most networks do not look at the images.
    rate : float
        Learning rate; with `one_cycle` its highest value.
    one_cycle : bool
        Whether the rate rises and falls (see `schedules.one_cycle`) or stays.
    betas : (float, float)
        Of Adam: how long it remembers gradients, and squared gradients.
    batch_size, epochs : int
    smoothing : float
        Label smoothing.
    mean, spread : float
        A pixel between 0 and 1 becomes (pixel − mean) / spread.
    distort : callable, optional
        Changes a batch of unscaled images at random, before each step.
    """

    name: str
    change: str
    build: Callable
    rate: float = 0.001
    one_cycle: bool = False
    betas: tuple[float, float] = (0.9, 0.999)
    batch_size: int = 128
    epochs: int = 1
    smoothing: float = 0.0
    mean: float = 0.0
    spread: float = 1.0
    distort: Callable | None = None

    def scaled(self, images):
        """Return images of 0 to 255 (float32) as the network gets them."""
        return (images / 255.0 - self.mean) / self.spread

    def rates(self, steps):
        """Return the learning rate of each of `steps` steps, float32 (steps,)."""
        if self.one_cycle:
            return one_cycle(steps, self.rate).astype("float32")
        return np.full(steps, self.rate, "float32")


def slides_logits(sample=None):
    """Build the network of the slides without its softmax, which is part of the loss here."""
    from keras import activations

    from .models import slides_network

    network = slides_network()
    network.layers[-1].activation = activations.linear
    return network


def record_network(sample=None):
    """Build the network of *train_mnist_fast* (tuomaso, 2021): 215,194 parameters."""
    from keras import Input, Sequential, layers

    return Sequential(
        [
            Input((28, 28, 1)),
            layers.Conv2D(24, 5, name="conv1"),
            layers.MaxPooling2D(2, name="pool1"),
            layers.ReLU(name="relu1"),
            layers.Conv2D(32, 3, name="conv2"),
            layers.MaxPooling2D(2, name="pool2"),
            layers.ReLU(name="relu2"),
            layers.Flatten(name="flatten"),
            layers.Dense(256, activation="relu", name="dense1"),
            layers.Dense(10, name="output"),
        ],
        name="record_network",
    )


def strided_network(sample=None, *, filters=64, hidden=64, fixed=False):
    """Build a network whose first convolution has stride 2, in place of the slides' first pooling.

    Parameters
    ----------
    sample : ndarray of float32 (n, 28, 28, 1), optional
        Needed if `fixed`.
    filters : int
        Of the second convolution.
    hidden : int
        Units of the dense layer.
    fixed : bool
        The first filters are the principal components of the sample's patches, and are not
        trained: no gradient has to go back through the second convolution to its inputs.

    Returns
    -------
    keras.Sequential
    """
    from keras import Input, Sequential, layers

    first = layers.Conv2D(16, 6, strides=2, activation="relu", trainable=not fixed, name="conv1")
    network = Sequential(
        [
            Input((28, 28, 1)),
            first,
            layers.Conv2D(filters, 3, name="conv2"),
            layers.MaxPooling2D(2, name="pool2"),
            layers.ReLU(name="relu2"),
            layers.Flatten(name="flatten"),
            layers.Dense(hidden, activation="relu", name="dense1"),
            layers.Dense(10, name="output"),
        ],
        name="strided_network",
    )
    if fixed:
        first.kernel.assign(patch_filters(sample, 6, 8))
    return network


def patch_filters(images, size, components):
    """Return filters that see the directions in which patches of images differ most.

    The first principal components of the patches, each divided by its spread so that all features
    have about the same size, once with either sign: after a ReLU, the two together lose nothing.

    Parameters
    ----------
    images : ndarray of float32 (n, height, width, 1)
    size : int
        Rows and columns of a filter.
    components : int

    Returns
    -------
    ndarray of float32, shape (size, size, 1, 2 · components)
    """
    if images is None:
        raise ValueError("images must be given: the filters are made from their patches")
    windows = np.lib.stride_tricks.sliding_window_view(images[..., 0], (size, size), axis=(1, 2))
    patches = windows[:, ::3, ::3].reshape(-1, size * size)
    variances, directions = np.linalg.eigh(np.cov(patches, rowvar=False))
    last = slice(None, -components - 1, -1)  # eigh sorts from small to large
    # The 0.02 keeps faint components, which are mostly noise, from being blown up.
    filters = 0.5 * directions[:, last] / np.sqrt(variances[last] + 0.02)
    filters = filters.reshape(size, size, 1, components)
    return np.concatenate([filters, -filters], axis=-1).astype("float32")


@dataclass
class Trained:
    """What `train` returns.

    Attributes
    ----------
    network : keras.Model
    seconds : list of float
        CPU-seconds from the start to the end of each epoch, with all that comes before it: building
        the network and tracing its graph. What `after_epoch` took is left out.
    setup : float
        CPU-seconds of building and tracing alone.
    wall : float
        Seconds on the clock on the wall, from the start to the end of the last epoch.
    seen : list
        What `after_epoch` returned, one an epoch.
    """

    network: object
    seconds: list[float] = field(default_factory=list)
    setup: float = math.nan
    wall: float = math.nan
    seen: list = field(default_factory=list)


def train(recipe, images, labels, seed=0, after_epoch=None):
    """Train a recipe's network from new weights, and count the CPU-seconds.

    One epoch is one TensorFlow graph, which costs less than a call from Python for each step.

    Parameters
    ----------
    recipe : Recipe
    images : ndarray of uint8 (n, 28, 28, 1)
    labels : ndarray of int (n,)
    seed : int
        For the weights, the order and distortions.
    after_epoch : callable, optional
        Gets the network after each epoch, with the clock stopped.

    Returns
    -------
    Trained
    """
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(seed)
    cpu, wall = process_time(), perf_counter()
    network = recipe.build(recipe.scaled(images[:SAMPLE].astype("float32")))
    weights = network.trainable_variables
    optimizer = keras.optimizers.Adam(beta_1=recipe.betas[0], beta_2=recipe.betas[1])
    optimizer.build(weights)
    cross_entropy = keras.losses.CategoricalCrossentropy(
        from_logits=True, label_smoothing=recipe.smoothing
    )
    pixels, targets = tf.constant(images), keras.ops.one_hot(labels, 10)
    size = recipe.batch_size
    steps = math.ceil(len(images) / size)

    @tf.function
    def epoch(order, rates):
        for step in tf.range(steps):
            chosen = order[step * size : (step + 1) * size]
            batch = tf.cast(tf.gather(pixels, chosen), tf.float32)
            if recipe.distort is not None:
                batch = recipe.distort(batch)
            with tf.GradientTape() as tape:
                logits = network(recipe.scaled(batch), training=True)
                loss = cross_entropy(tf.gather(targets, chosen), logits)
            optimizer.learning_rate.assign(rates[step])
            optimizer.apply(tape.gradient(loss, weights), weights)

    epoch.get_concrete_function(
        tf.TensorSpec(len(images), tf.int64), tf.TensorSpec(steps, tf.float32)
    )
    found = Trained(network, setup=process_time() - cpu)
    rng = np.random.default_rng(seed)
    for rates in np.split(recipe.rates(steps * recipe.epochs), recipe.epochs):
        epoch(tf.constant(rng.permutation(len(images))), tf.constant(rates))
        found.seconds.append(process_time() - cpu)
        found.wall = perf_counter() - wall
        if after_epoch:
            paused = process_time(), perf_counter()
            found.seen.append(after_epoch(network))
            cpu += process_time() - paused[0]
            wall += perf_counter() - paused[1]
    return found


def predicted(network, recipe, images):
    """Return the class that a network gives each image.

    Parameters
    ----------
    network : keras.Model
    recipe : Recipe
        Says how images are scaled.
    images : ndarray of uint8 (n, 28, 28, 1)

    Returns
    -------
    ndarray of int64, shape (n,)
    """
    scaled = recipe.scaled(images.astype("float32"))
    # predict would trace a graph for each network, which takes longer than it saves here.
    parts = [network(scaled[k : k + 500], training=False) for k in range(0, len(scaled), 500)]
    return np.concatenate([part.numpy().argmax(axis=1) for part in parts])


def first_reach(accuracies, seconds, target=TARGET):
    """Return (epoch from 1, seconds) of the first epoch at or above a target; (None, NaN) if none.

    Parameters
    ----------
    accuracies, seconds : sequences of float
        One of each an epoch; `seconds` from the start.
    target : float
    """
    for epoch, (accuracy, spent) in enumerate(zip(accuracies, seconds, strict=True), 1):
        if accuracy >= target:
            return epoch, spent
    return None, math.nan


def _ladder():
    """Return the recipes from the slides' to the fastest; each is the one before with a change."""
    rungs = [
        Recipe("slides", "The slides' recipe, until it reaches 99 %.", slides_logits, epochs=10)
    ]

    def then(name, change, **what):
        rungs.append(replace(rungs[-1], name=name, change=change, **what))

    then(
        "one epoch",
        "One epoch, in which the rate rises to 0.01 and falls to almost 0.",
        epochs=1,
        rate=0.01,
        one_cycle=True,
    )
    then("short memory", "Adam remembers less: β₁ = 0.7, β₂ = 0.9.", betas=(0.7, 0.9))
    then("smoothed labels", "Label smoothing of 0.1.", smoothing=0.1)
    then(
        "standardized",
        "Pixels are standardized.",
        mean=MNIST_MEAN,
        spread=MNIST_SPREAD,
    )
    then("larger batches", "Batches of 256.", batch_size=256)
    then(
        "strided",
        "16 filters of 6×6 with stride 2 in place of 32 of 3×3 and a pooling.",
        build=strided_network,
    )
    then(
        "half the filters",
        "32 filters in the second convolution instead of 64.",
        build=partial(strided_network, filters=32),
    )
    then(
        "twice the hidden units",
        "128 units in the dense layer instead of 64.",
        build=partial(strided_network, filters=32, hidden=128),
    )
    then(
        "fixed filters",
        "The first filters come from principal components, and are not trained.",
        build=partial(strided_network, filters=32, hidden=128, fixed=True),
    )
    return tuple(rungs)


LADDER = _ladder()
SLIDES, FASTEST = LADDER[0], LADDER[-1]
RECORD = Recipe(
    "record",
    "train_mnist_fast (tuomaso, 2021), in Keras.",
    record_network,
    rate=0.01,
    one_cycle=True,
    betas=(0.7, 0.9),
    batch_size=256,
    mean=MNIST_MEAN,
    spread=MNIST_SPREAD,
)
