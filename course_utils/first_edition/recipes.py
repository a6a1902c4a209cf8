"""A training recipe that grows by one change at a time, and one run of it.

Notebook 06 and `benchmarks/improving_recipe.py` run the same.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from time import process_time

import numpy as np

from . import schedules
from .batch_norm import normalised_network
from .regularization import cutout
from .renewal import reseed


@dataclass(frozen=True)
class Recipe:
    """How the slides' network is trained.

    Attributes
    ----------
    rate : float
        Learning rate of Adam; with `one_cycle` the schedule's peak.
    weight_decay : float
        Above 0: AdamW instead of Adam, on kernels only.
    normalise : bool
        Batch normalization behind each convolution, with `momentum`.
    momentum : float
    one_cycle : bool
        The 1cycle schedule instead of a constant rate.
    label_smoothing : float
    cutout : int
        Side of the square that is covered in each image, anew in each epoch; 0 for none.
    """

    rate: float = 0.001
    weight_decay: float = 0.0
    normalise: bool = False
    momentum: float = 0.9
    one_cycle: bool = False
    label_smoothing: float = 0.0
    cutout: int = 0


CLASSES = 10
CHANGES = {
    "the slides": {},
    "+ AdamW": {"weight_decay": 0.05},
    "+ batch normalization": {"normalise": True},
    "+ 1cycle": {"one_cycle": True},
    "+ label smoothing": {"label_smoothing": 0.1},
    "+ cutout": {"cutout": 8},
}
SETTINGS = {"images": 3_000, "epochs": 8, "batch_size": 50, "scale": 1.0}  # of the stored runs
RATES = (0.001, 0.003, 0.01)  # that each step of the stored runs may choose from


def cumulative(rates, changes=CHANGES):
    """Return the recipes after each change, each with all changes before it.

    Parameters
    ----------
    rates : mapping from name to float
        Learning rate of each step.
    changes : mapping from name to dict
        Which fields of a `Recipe` it sets.

    Returns
    -------
    dict from name to Recipe
    """
    recipe, found = Recipe(), {}
    for name, change in changes.items():
        recipe = replace(recipe, **change)
        found[name] = replace(recipe, rate=rates[name])
    return found


def batches(recipe, images, labels, *, epochs, seed):
    """Return all epochs' images and targets in the order in which they are trained on.

    The order is that of `seed`, whatever the recipe: runs with one seed are pairs.

    Parameters
    ----------
    recipe : Recipe
    images : array (n, h, w, channels) of float
    labels : array (n,) of int
    epochs, seed : int

    Returns
    -------
    (ndarray (epochs × n, …), ndarray (epochs × n, classes))
    """
    rng = np.random.default_rng(seed)
    order = np.concatenate([rng.permutation(len(images)) for _ in range(epochs)])
    smoothing = recipe.label_smoothing
    targets = (1 - smoothing) * np.eye(CLASSES) + smoothing / CLASSES
    shown = images[order]
    if recipe.cutout:
        shown = cutout(shown, recipe.cutout, np.random.default_rng([seed, 1]))
    return shown, targets[labels[order]].astype("float32")


def train(recipe, seed, *, train, epochs, batch_size, scale):
    """Train the slides' network by a recipe.

    Parameters
    ----------
    recipe : Recipe
    seed : int
        Of the first weights and the order.
    train : Split
    epochs, batch_size : int
    scale : float
        Of the network.

    Returns
    -------
    keras.Model
        The next call with the same kind of recipe trains this same object anew.
    """
    images = (train.images / 255).astype("float32")
    shown, targets = batches(recipe, images, train.labels, epochs=epochs, seed=seed)
    network = fresh(recipe, seed, scale)
    steps = -(-len(shown) // batch_size)
    constant = np.full(steps, recipe.rate)
    rates = schedules.one_cycle(steps, recipe.rate) if recipe.one_cycle else constant
    schedules.train(network, shown, targets, rates, batch_size)
    return network


def fresh(recipe, seed, scale):
    """Return the network of a recipe with new weights, compiled; its targets are one-hot.

    The next call with the same kind of recipe makes this same object new again.
    """
    network = _compiled(recipe.normalise, recipe.momentum, recipe.weight_decay, scale)
    reseed(network, seed)
    network.optimizer.learning_rate = recipe.rate
    return network


def restored(recipe, weights, scale):
    """Return the network of a recipe with the weights of an earlier training."""
    network = fresh(recipe, 0, scale)
    network.set_weights(weights)
    return network


def probabilities(network, images):
    """Return a network's class probabilities for images in 0–255, in inference mode."""
    images = (images / 255).astype("float32")
    parts = [images[k : k + 500] for k in range(0, len(images), 500)]
    return np.concatenate([network(part, training=False).numpy() for part in parts])


def measured(recipe, seed, *, digits, images, epochs, batch_size, scale):
    """Train once on images drawn by the seed: one run of `experiments.compare`.

    Returns
    -------
    dict
        `accuracy` and `cross_entropy` on one half of the validation images, `choosing`, the
        accuracy on the other half, by which a learning rate may be chosen, and `cpu_seconds` of
        training.
    """
    from .metrics import cross_entropy

    some = digits.train.take(images, seed=seed)
    start = process_time()
    network = train(recipe, seed, train=some, epochs=epochs, batch_size=batch_size, scale=scale)
    found = {"cpu_seconds": process_time() - start}
    scores, labels = probabilities(network, digits.validation.images), digits.validation.labels
    right = scores.argmax(axis=1) == labels
    choose, judge = halves(len(labels))
    found |= {"choosing": float(right[choose].mean()), "accuracy": float(right[judge].mean())}
    return found | {"cross_entropy": cross_entropy(scores[judge], labels[judge])}


def halves(n):
    """Return the places of two halves of n images, split at random and always alike.

    Not every second image: what comes in turns in a file, such as writers, must not tell the halves
    apart.
    """
    return np.array_split(np.random.default_rng(0).permutation(n), 2)


def named(name, rate, tuning=False):
    """Return the name under which a step's runs are stored."""
    return f"{'tuning: ' if tuning else ''}{name}, rate {rate}"


def chosen_rates(results):
    """Return the learning rate that each step of stored runs has chosen: the best in tuning.

    Parameters
    ----------
    results : runs.Results
        With the tuning runs of every step and rate.

    Returns
    -------
    dict from name to float
    """
    means = results.table.groupby("variant").choosing.mean()
    return {
        name: max(RATES, key=lambda rate: means[named(name, rate, tuning=True)]) for name in CHANGES
    }


@cache
def _compiled(normalise, momentum, weight_decay, scale):
    from keras import optimizers

    network = normalised_network(scale, momentum=momentum, normalise=normalise)
    optimizer = optimizers.Adam()
    if weight_decay:
        optimizer = optimizers.AdamW(weight_decay=weight_decay)
        optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    network.compile(optimizer, "categorical_crossentropy")
    return network
