"""The race to 99 % on MNIST: what each change of the slides' recipe saves in CPU-seconds.

    python benchmarks/race_to_99.py [--seeds 5] [--best]

Needs the real MNIST. A recipe at a constant rate trains on 55,000 images until the 5,000 others
are 99 % right, or for 10 epochs; a recipe with a cycle knows its epochs beforehand and trains on
all 60,000. Then its network is scored on the 10,000 test images, once. Counted are the CPU-seconds
of all threads from the start of building the network to the end of training, with its graph's
tracing and without scoring, recipe after recipe in one process. The first rung is the slides'
recipe as published; the second has its learning rate tuned, by the CPU-seconds that it takes on
two other seeds. Every further rung changes one thing. With --best: the most accurate network that
two cores can train in 20 minutes, three seeds. Goes on where it was interrupted, but costs compare
well only within one run.
"""

import argparse
import math
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from time import process_time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf
from keras import layers
from machine import describe
from ratios import row

from course_utils import data, experiments
from course_utils.training import OneCycle

RESULTS = Path(__file__).parents[1] / "data" / "results"
TARGET, CAP = 0.99, 2_400  # right; CPU-seconds of two cores in 20 minutes
RATES, TUNING_SEEDS = (0.0005, 0.001, 0.002, 0.004), (100, 101)
MEAN, SPREAD = 0.1307, 0.3081  # of MNIST's training pixels, from 0 to 1


def network(sample, first=32, size=3, stride=1, second=64, hidden=64, relu_last=False, fixed=False):
    """Build the slides' network, or a change of it; it ends in logits.

    With `relu_last` the second pooling comes before its ReLU: the same function, in fewer
    operations. With `fixed` the first filters are principal components of a sample's patches, and
    are not trained.
    """
    relu = layers.Activation("relu")
    conv1 = layers.Conv2D(first, size, strides=stride, activation="relu", trainable=not fixed)
    pool2 = layers.MaxPooling2D(2, padding="same")
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            conv1,
            *([layers.MaxPooling2D(2)] if stride == 1 else []),
            layers.Conv2D(second, 3),
            *([pool2, relu] if relu_last else [relu, pool2]),
            layers.Flatten(),
            layers.Dense(hidden, activation="relu"),
            layers.Dense(10),
        ]
    )
    if fixed:
        conv1.set_weights([patch_filters(sample, size, first // 2), np.zeros(first)])
    return model


def patch_filters(images, size, components):
    """Return the first principal components of patches, each over its spread, with either sign."""
    windows = np.lib.stride_tricks.sliding_window_view(images[..., 0], (size, size), axis=(1, 2))
    patches = windows[:, ::3, ::3].reshape(-1, size * size)
    variances, directions = np.linalg.eigh(np.cov(patches, rowvar=False))
    last = slice(None, -components - 1, -1)  # eigh sorts from small to large
    # The 0.02 keeps faint components, which are mostly noise, from being blown up.
    filters = 0.5 * directions[:, last] / np.sqrt(variances[last] + 0.02)
    filters = filters.reshape(size, size, 1, components)
    return np.concatenate([filters, -filters], axis=-1)


def record_network(sample):
    """Build the network of *train_mnist_fast* (tuomaso, 2021): 215,194 parameters."""
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(24, 5),
            layers.MaxPooling2D(2),
            layers.ReLU(),
            layers.Conv2D(32, 3),
            layers.MaxPooling2D(2),
            layers.ReLU(),
            layers.Flatten(),
            layers.Dense(256, activation="relu"),
            layers.Dense(10),
        ]
    )


def best_network(sample):
    """Build four convolutions with batch normalization: 142,506 parameters."""
    model = keras.Sequential([keras.Input((28, 28, 1))])
    for filters, size, padding, pooled in (
        (32, 5, "valid", True),
        (64, 3, "same", False),
        (64, 3, "valid", True),
        (128, 3, "valid", False),
    ):
        model.add(layers.Conv2D(filters, size, padding=padding, use_bias=False))
        if pooled:  # before it is normalized: a quarter of the work
            model.add(layers.MaxPooling2D(2))
        model.add(layers.BatchNormalization(momentum=0.9))
        model.add(layers.ReLU())
    model.add(layers.Flatten())
    model.add(layers.Dropout(0.2))
    model.add(layers.Dense(10))
    return model


def distorted(images, turn=12, scale=0.12, shear=0.15, shift=2.5):
    """Turn, scale, shear and shift each image (n, 28, 28, 1) at random, around its middle."""
    angle, slant, wide, high, right, down = (
        tf.random.uniform([tf.shape(images)[0]], -limit, limit)
        for limit in (math.radians(turn), shear, scale, scale, shift, shift)
    )
    # Where the pixel (x, y) of the result comes from: (a·x + b·y + c, d·x + e·y + f).
    a, b = tf.cos(angle) * (1 + wide), slant - tf.sin(angle) * (1 + high)
    d, e = tf.sin(angle) * (1 + wide), tf.cos(angle) * (1 + high)
    c, f = (13.5 * (1 - p - q) + move for p, q, move in ((a, b, right), (d, e, down)))
    transform = tf.stack([a, b, c, d, e, f, tf.zeros_like(a), tf.zeros_like(a)], axis=1)
    return keras.ops.image.affine_transform(images, transform, data_format="channels_last")


@dataclass(frozen=True)
class Recipe:
    """How to train one network; with a cycle `rate` is its peak, otherwise it stays."""

    build: Callable = network
    rate: float = 0.001
    cycle: bool = False
    epochs: int = 10
    betas: tuple = (0.9, 0.999)
    batch_size: int = 128
    smoothing: float = 0.0
    standardized: bool = False
    distort: bool = False

    def scaled(self, images):
        """Return images of 0 to 255 as the network gets them."""
        pixels = tf.cast(images, tf.float32) / 255
        return (pixels - MEAN) / SPREAD if self.standardized else pixels


def ladder(tuned_rate):
    """Return the recipes by name, slides' first, fastest last: each is the one before, changed."""
    rungs = {"slides": Recipe()}

    def then(name, **what):
        rungs[name] = replace(list(rungs.values())[-1], **what)

    def then_network(name, **what):
        then(name, build=partial(list(rungs.values())[-1].build, **what))

    then("tuned rate", rate=tuned_rate)
    then("one cycle in one epoch", cycle=True, epochs=1, rate=0.01)
    then("Adam forgets sooner", betas=(0.7, 0.9))
    then("smoothed labels", smoothing=0.1)
    then("standardized pixels", standardized=True)
    then("batches of 256", batch_size=256)
    then_network("16 first filters of 6×6", first=16, size=6)
    then_network("a stride for the first pooling", stride=2)
    then_network("pooling before ReLU", relu_last=True)
    then_network("32 second filters", second=32)
    then_network("128 hidden units", hidden=128)
    then_network("first filters fixed", fixed=True)
    record = Recipe(record_network, 0.01, True, 1, (0.7, 0.9), 256, standardized=True)
    return rungs | {"record": record}


BEST = Recipe(best_network, 0.01, True, 16, (0.9, 0.99), 256, 0.1, True, True)


@cache
def mnist():
    """Return (images, labels) of 55,000, 5,000 and 10,000 images; the last ones only score."""
    digits = data.load("digits", "real")
    parts = digits.train, digits.validation, digits.evaluate(lambda *test: test)
    return [tuple(part) for part in parts]


def right(recipe, model, images, labels):
    """Return the share of images that a network gets right."""
    parts = [model(recipe.scaled(part), training=False) for part in np.array_split(images, 20)]
    return float((np.concatenate(parts).argmax(axis=1) == labels).mean())


def race(seed, recipe, scored=True):
    """Train a recipe, and return what it cost, and what its network is worth."""
    train, validation, test = mnist()
    if recipe.cycle:
        train = tuple(map(np.concatenate, zip(train, validation, strict=True)))
    keras.utils.set_random_seed(seed)
    begin = process_time()
    model = recipe.build(recipe.scaled(train[0][:1_000]).numpy())
    size, steps = recipe.batch_size, math.ceil(len(train[0]) / recipe.batch_size)
    rate = OneCycle(recipe.rate, steps * recipe.epochs) if recipe.cycle else recipe.rate
    optimizer = keras.optimizers.Adam(rate, *recipe.betas)
    optimizer.build(model.trainable_variables)
    loss = keras.losses.CategoricalCrossentropy(True, label_smoothing=recipe.smoothing)
    pixels, targets = tf.constant(train[0]), keras.ops.one_hot(train[1], 10)

    @tf.function
    def epoch(order):
        for step in tf.range(steps):
            rows = order[step * size : (step + 1) * size]
            batch = tf.cast(tf.gather(pixels, rows), tf.float32)
            batch = recipe.scaled(distorted(batch) if recipe.distort else batch)
            with tf.GradientTape() as tape:
                value = loss(tf.gather(targets, rows), model(batch, training=True))
            gradients = tape.gradient(value, model.trainable_variables)
            optimizer.apply(gradients, model.trainable_variables)

    rng, spent, epochs, reached = np.random.default_rng(seed), 0.0, 0, 0
    while epochs < recipe.epochs and not reached:
        epoch(tf.constant(rng.permutation(len(train[0]))))
        epochs, spent = epochs + 1, spent + process_time() - begin
        if not recipe.cycle:
            reached = int(right(recipe, model, *validation) >= TARGET)
        begin = process_time()
    found = {"cpu_seconds": spent, "epochs": epochs, "reached": reached or int(recipe.cycle)}
    found["parameters"] = model.count_params()
    return found | ({"accuracy": right(recipe, model, *test)} if scored else {})


def compared(name, variants, seeds, **settings):
    """Race and store; the machine is written beside the result."""
    return experiments.compare(
        variants,
        seeds,
        path=RESULTS / f"{name}.jsonl",
        settings={"data": "MNIST", "target": TARGET, **settings},
        note=describe("tensorflow", "keras"),
    )


def ratios():
    """Return the rows of `make bench`."""
    table = experiments.load(RESULTS / "race_to_99.jsonl")
    costs = table.pivot(index="seed", columns="variant", values="cpu_seconds")
    last = "first filters fixed"
    fastest = table[table.variant == last].accuracy.mean() / TARGET
    best = experiments.load(RESULTS / "best_network.jsonl")
    return [
        *(
            row(f"CPU-seconds to 99 %, {name} / fastest", costs[name] / costs[last], f"≥ {least}")
            for name, least in (("slides", 15), ("tuned rate", 8), ("record", 2))
        ),
        row("accuracy on the test set, fastest / 99.0 %", fastest, "≥ 1 (mean)"),
        row("CPU-seconds, best network / 20 minutes of two cores", best.cpu_seconds / CAP, "≤ 1"),
        row("accuracy, best network / 99.6 %", best.accuracy.mean() / 0.996, "≥ 1 (mean)"),
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--best", action="store_true", help="train the most accurate network")
    options = parser.parse_args()
    if options.best:
        table = compared("best_network", {"best": partial(race, recipe=BEST)}, range(3))
        print(table[["seed", "cpu_seconds", "accuracy"]].to_string())
        return
    slides = {rate: partial(race, recipe=Recipe(rate=rate), scored=False) for rate in RATES}
    if (data.folder() / "digits.npz").exists():  # without it, what is stored is enough
        race(0, replace(Recipe(cycle=True), epochs=1), scored=False)  # TensorFlow's own first steps
    tuning = compared(
        "race_tuning", {f"{rate:g}": run for rate, run in slides.items()}, TUNING_SEEDS
    )
    costs = tuning.groupby("variant").cpu_seconds.mean()
    rate = float(costs.idxmin())
    print(
        costs.to_string(),
        f"\ntuned rate: {rate}, {'at the edge' * (rate in (RATES[0], RATES[-1]))}",
    )
    variants = {name: partial(race, recipe=recipe) for name, recipe in ladder(rate).items()}
    table = compared("race_to_99", variants, range(options.seeds), tuned_rate=rate)
    means = table.groupby("variant", sort=False)[["cpu_seconds", "epochs", "accuracy"]].mean()
    print(means.to_string())


if __name__ == "__main__":
    main()
