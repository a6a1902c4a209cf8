"""The slides' list of things to try, each item as one change to the slides' recipe.

A `Recipe` says how a network is built and trained; a `Change` replaces fields of it. Nothing here
trains: `improvement_runs` does. Keras is imported where it is used.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import product

import numpy as np

from .choices import did_you_mean, one_of

BASELINE = "the slides' recipe"
RATES = {"sgd": 0.01, "momentum": 0.01, "rmsprop": 0.001, "adam": 0.001}  # Keras' defaults
FACTORS = (0.1, 0.32, 1.0, 3.2, 10.0, 32.0, 100.0)  # times the default: half decades
STRENGTHS = {
    "l1": (1e-5, 1e-4, 1e-3),
    "l2": (1e-5, 1e-4, 1e-3),
    "dropout": (0.1, 0.3, 0.5),
}
BATCH_SIZES = (8, 16, 32, 64, 128, 256, 512)
SCALINGS = ("constant", "square root", "linear")


@dataclass(frozen=True)
class Recipe:
    """A network and how it is trained; the defaults are the slides'. It can be pickled and hashed.

    Attributes
    ----------
    filters : tuple of int
        Of each block, which ends in a pooling.
    convolutions : tuple of int
        How many each block has. The first has `padding`; those after it keep the size.
    units : int
        Of the hidden dense layer.
    padding : {"valid", "same"}
        Of the first convolution of each block.
    strides : int
        Of the very first convolution.
    pool1_strides : int
        Of the first pooling, which is 2×2; 1 leaves the pooling out.
    pooling : {"max", "strided"}
        "strided" puts a 3×3 convolution with strides 2 in each pooling's place.
    activation, initializer : str
        Of all hidden layers.
    output : {"softmax", "sigmoid"}
        With categorical, or with binary cross-entropy.
    l1, l2 : float
        λ on every kernel.
    dropout : float
        Rate, before the output layer.
    batch_norm : float, optional
        Momentum of a batch normalization between each hidden layer and its activation; the layer
        before it then has no bias.
    optimizer : {"sgd", "momentum", "rmsprop", "adam"}
    learning_rate : float
    batch_size : int
    standardized : bool
        Images with mean 0 and standard deviation 1 (one number each) instead of 0 to 1.
    """

    filters: tuple[int, ...] = (32, 64)
    convolutions: tuple[int, ...] = (1, 1)
    units: int = 64
    padding: str = "valid"
    strides: int = 1
    pool1_strides: int = 2
    pooling: str = "max"
    activation: str = "relu"
    initializer: str = "glorot_uniform"
    output: str = "softmax"
    l1: float = 0.0
    l2: float = 0.0
    dropout: float = 0.0
    batch_norm: float | None = None
    optimizer: str = "adam"
    learning_rate: float = 0.001
    batch_size: int = 128
    standardized: bool = False

    def __post_init__(self):
        """Refuse what no network can be built from."""
        if len(self.filters) != len(self.convolutions) or not self.filters:
            raise ValueError(
                "filters and convolutions must have one number a block: got "
                f"{self.filters} and {self.convolutions}"
            )
        one_of("optimizer", self.optimizer, RATES)

    def build(self, input_shape=(28, 28, 1), classes=10):
        """Build the network, not compiled.

        Returns
        -------
        keras.Sequential
        """
        from keras import Input, Sequential, layers

        network = [Input(tuple(input_shape))]
        for block, (filters, count) in enumerate(zip(self.filters, self.convolutions, strict=True)):
            for place in range(count):
                first = block == place == 0
                network += self._hidden(
                    layers.Conv2D,
                    filters,
                    kernel_size=3,
                    strides=self.strides if first else 1,
                    padding=self.padding if place == 0 else "same",
                )
            network += self._pooling(block, filters)
        network += [layers.Flatten(), *self._hidden(layers.Dense, self.units)]
        if self.dropout:
            network.append(layers.Dropout(self.dropout))
        network.append(
            layers.Dense(classes, activation=self.output, kernel_regularizer=self._penalty())
        )
        return Sequential(network)

    def compile(self, network):
        """Compile a network with the optimizer and the loss of this recipe, and return it.

        Labels are class numbers with softmax, and one-hot rows with sigmoid: see `targets`.
        """
        from keras import losses, optimizers

        kind = {"adam": optimizers.Adam, "rmsprop": optimizers.RMSprop}.get(
            self.optimizer, optimizers.SGD
        )
        options = {"momentum": 0.9} if self.optimizer == "momentum" else {}
        network.compile(
            kind(self.learning_rate, **options),
            losses.SparseCategoricalCrossentropy()
            if self.output == "softmax"
            else losses.BinaryCrossentropy(),
        )
        return network

    def targets(self, labels, classes=10):
        """Return labels as the loss wants them."""
        return labels if self.output == "softmax" else np.eye(classes, dtype="float32")[labels]

    def _penalty(self):
        from keras import regularizers

        return regularizers.L1L2(self.l1, self.l2) if self.l1 or self.l2 else None

    def _hidden(self, kind, *size, **options):
        """Return a hidden layer with its activation, and batch normalization between them."""
        from keras import layers

        options |= {"kernel_initializer": self.initializer, "kernel_regularizer": self._penalty()}
        if self.batch_norm is None:
            return [kind(*size, activation=self.activation, **options)]
        return [
            kind(*size, use_bias=False, **options),
            layers.BatchNormalization(momentum=self.batch_norm),
            layers.Activation(self.activation),
        ]

    def _pooling(self, block, filters):
        from keras import layers

        strides = self.pool1_strides if block == 0 else 2
        if strides == 1:
            return []
        if self.pooling == "strided":
            return self._hidden(
                layers.Conv2D, filters, kernel_size=3, strides=strides, padding="same"
            )
        padding = "valid" if block == 0 else "same"
        return [layers.MaxPooling2D(2, strides=strides, padding=padding)]


@dataclass(frozen=True)
class Change:
    """One row of the comparison: what is changed in the slides' recipe, and why.

    Attributes
    ----------
    group : str
        The heading or the subject of the slides.
    bullet : str
        What the slides say, in short.
    changes : mapping
        Field of `Recipe` → its new value.
    tuned : str, optional
        A value that `best_settings` finds and that is put in for the field it names.
    """

    group: str
    bullet: str
    changes: Mapping = field(default_factory=dict)
    tuned: str | None = None


_LARGE = {"units": 1024}
_STANDARDIZED = {"standardized": True}
_SELU = _STANDARDIZED | {"activation": "selu", "initializer": "lecun_normal"}
_LAYERS, _WASTE = "add layers", "strides without discarding information"
_HIDDEN, _SMALL = "ReLU, ELU and SELU work well", "smaller batches: more updates, slower"
_SENSITIVE = "all are sensitive to the initial learning rate"

# Name → Change; `None` as a value stands for what tuning finds.
CHANGES = {
    "a conv layer more": Change("architecture", _LAYERS, {"convolutions": (1, 2)}),
    "twice the filters": Change("architecture", "add units", {"filters": (64, 128)}),
    "twice the dense units": Change("architecture", "add units", {"units": 128}),
    "16 × the dense units": Change("architecture", "larger networks overfit", _LARGE),
    "padding same": Change("architecture", _WASTE, {"padding": "same"}),
    "conv1 with strides 2, no pool1": Change(
        "architecture", _WASTE, {"strides": 2, "pool1_strides": 1}
    ),
    "conv1 with strides 2": Change("architecture", _WASTE, {"strides": 2}),
    "pool1 2×2 with strides 3": Change("architecture", _WASTE, {"pool1_strides": 3}),
    "strided convolutions, no pooling": Change(
        "architecture", "strided convolution for max pooling", {"pooling": "strided"}
    ),
    "sigmoids instead of softmax": Change(
        "activations", "softmax works best", {"output": "sigmoid"}
    ),
    "ELU": Change("activations", _HIDDEN, {"activation": "elu"}),
    "SELU, its initializer and inputs": Change("activations", _HIDDEN, _SELU),
    "ReLU, standardized inputs": Change("activations", "not listed: SELU's control", _STANDARDIZED),
    "L1, tuned": Change("regularization", "L1, L2", {"l1": None}, "l1"),
    "L2, tuned": Change("regularization", "L1, L2", {"l2": None}, "l2"),
    "dropout, tuned": Change("regularization", "dropout", {"dropout": None}, "dropout"),
    "SGD, Keras' default": Change(
        "optimizer", "Adam works best", {"optimizer": "sgd", "learning_rate": RATES["sgd"]}
    ),
    **{
        f"{label}, tuned": Change(
            "optimizer", "Adam works best", {"optimizer": name, "learning_rate": None}, name
        )
        for name, label in {
            "sgd": "SGD",
            "momentum": "momentum",
            "rmsprop": "RMSprop",
            "adam": "Adam",
        }.items()
    },
    "Adam, rate × 10": Change("optimizer", _SENSITIVE, {"learning_rate": 0.01}),
    "Adam, rate ÷ 10": Change("optimizer", _SENSITIVE, {"learning_rate": 0.0001}),
    "batches of 32": Change("batch size", _SMALL, {"batch_size": 32}),
    "batches of 32, rate ÷ 4": Change(
        "batch size", _SMALL, {"batch_size": 32, "learning_rate": 0.00025}
    ),
    "batches of 512": Change("batch size", _SMALL, {"batch_size": 512}),
    "batches of 512, rate × 4": Change(
        "batch size", _SMALL, {"batch_size": 512, "learning_rate": 0.004}
    ),
    "batch normalization": Change(
        "batch normalization", "keeps gradients in one range", {"batch_norm": 0.9}
    ),
}


def recipes(tuned=None):
    """Return the slides' recipe and every change of it.

    Parameters
    ----------
    tuned : mapping, optional
        What `best_settings` returns. Without it, the changes that need tuning are left out.

    Returns
    -------
    dict of str to Recipe
        The slides' recipe first. A tuned change has its value in its name: "SGD, tuned to 0.1".
    """
    found = {BASELINE: Recipe()}
    for name, change in CHANGES.items():
        if change.tuned is None:
            found[name] = replace(Recipe(), **change.changes)
        elif tuned is not None:
            values = {
                key: tuned[change.tuned] if value is None else value
                for key, value in change.changes.items()
            }
            found[f"{name} to {tuned[change.tuned]:g}"] = replace(Recipe(), **values)
    return found


def change_of(variant):
    """Return the `Change` that a variant of `recipes` stands for, also a tuned one."""
    name = variant.rpartition(" to ")[0] if variant not in CHANGES else variant
    if name not in CHANGES:
        hint = did_you_mean(variant, CHANGES, "see improvements.CHANGES")
        raise ValueError(f"variant must be one of the changes: got {variant!r}; {hint}")
    return CHANGES[name]


def tuning_recipes():
    """Return what is tried to tune with: 7 rates an optimizer, 3 strengths a regularizer.

    Returns
    -------
    dict of (str, float) to Recipe
        (optimizer or regularizer, value) → Recipe.
    """
    found = {
        (name, float(f"{default * factor:.2g}")): {"optimizer": name}
        for name, default in RATES.items()
        for factor in FACTORS
    }
    found = {key: {**fields, "learning_rate": key[1]} for key, fields in found.items()}
    for name, strengths in STRENGTHS.items():
        found |= {(name, strength): {name: strength} for strength in strengths}
    return {key: replace(Recipe(), **fields) for key, fields in found.items()}


def setting_name(kind, value):
    """Name one setting as a variant of a file of runs: ``adam 0.001``."""
    return f"{kind} {value:g}"


def batch_recipes(sizes=BATCH_SIZES, scalings=SCALINGS):
    """Return the slides' recipe with other batch sizes and the learning rate scaled to them.

    From batches of 128 at 0.001, the rate stays, goes with the square root of the size, or with
    the size (the linear rule of Goyal et al., 2017, was made for SGD; the square root is the usual
    advice for Adam).

    Returns
    -------
    dict of (str, int) to Recipe
        (scaling, batch size) → Recipe.
    """
    powers = {"constant": 0.0, "square root": 0.5, "linear": 1.0}
    for scaling in scalings:
        one_of("scaling", scaling, powers)
    base = Recipe()
    return {
        (scaling, size): replace(
            base,
            batch_size=size,
            learning_rate=base.learning_rate * (size / base.batch_size) ** powers[scaling],
        )
        for scaling, size in product(scalings, sizes)
    }


def size_recipes(widths=(0.125, 0.25, 0.5, 1.0), depths=(1, 2, 3, 4)):
    """Return networks of several widths and depths, trained as the slides' is.

    Parameters
    ----------
    widths : sequence of float
        Times the filters and the dense units of the slides.
    depths : sequence of int
        Convolutions, from 1 to 4: one block; two blocks (the slides'); a second convolution in the
        second block; in both.

    Returns
    -------
    dict of (float, int) to Recipe
        (width, depth) → Recipe.
    """
    convolutions = {1: (1,), 2: (1, 1), 3: (1, 2), 4: (2, 2)}
    wrong = [depth for depth in depths if depth not in convolutions]
    if wrong:
        raise ValueError(f"depths must be from 1 to 4 convolutions: got {wrong[0]!r}")
    return {
        (width, depth): replace(
            Recipe(),
            filters=tuple(round(width * 32 * 2**k) for k in range(len(convolutions[depth]))),
            convolutions=convolutions[depth],
            units=round(width * 64),
        )
        for width, depth in product(widths, depths)
    }
