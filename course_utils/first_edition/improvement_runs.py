"""Runs of recipes: their data, one training, the time to a target, and whole sweeps.

A sweep is a mapping from names to functions of a seed, for `experiments.compare`; every function
can be pickled, and so be sent to other processes or to a Dask cluster.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from time import process_time

import numpy as np

from .choices import one_of
from .improvements import Recipe
from .renewal import renew

HELD_OUT = ("validation", "tuning")
_AT_ONCE = 500  # images a step when measuring: the fastest here


@dataclass(frozen=True)
class Draw:
    """The digits of a run: every seed draws its own training images, alike for all variants.

    Some training images are set aside for choosing settings, so that the validation images, on
    which the chosen are compared, had no part in the choice. No run trains on them.

    Parameters
    ----------
    images : int
        How many to train on.
    held_out : {"validation", "tuning"}
        What to measure on: the validation images, or those set aside.
    tuning : int
        How many are set aside.
    check : int, optional
        How many of the held-out images to measure on; by default all.
    name, source : str, str or None
        For `data.load`, called where the run runs: so the draw is small to send.
    """

    images: int
    held_out: str = "validation"
    tuning: int = 2_000
    check: int | None = None
    name: str = "digits"
    source: str | None = None

    def __post_init__(self):
        """Refuse another held-out set than the two."""
        one_of("held_out", self.held_out, HELD_OUT)

    def __call__(self, seed):
        """Return ((images, labels), (held-out images, labels)): uint8, and class numbers."""
        data = _load(self.name, self.source)
        images, labels = data.train
        order = np.random.default_rng(0).permutation(len(labels))
        aside, rest = order[: self.tuning], order[self.tuning :]
        if self.images > len(rest):
            raise ValueError(
                f"images must be at most {len(rest):,}, since {self.tuning:,} of the "
                f"{len(labels):,} training images are set aside: got {self.images:,}"
            )
        chosen = np.random.default_rng(seed).permutation(rest)[: self.images]
        others = (images[aside], labels[aside]) if self.held_out == "tuning" else data.validation
        others, held_out = others
        return (images[chosen], labels[chosen]), (others[: self.check], held_out[: self.check])


@cache
def _load(name, source):
    from .data import load

    return load(name, source)


@dataclass(frozen=True)
class Run:
    """Train one recipe with one seed, and measure it: a variant for `experiments.compare`.

    Parameters
    ----------
    recipe : Recipe
    draw : Draw or callable
        Seed → ((images, labels), (held-out images, labels)), images uint8.
    epochs : int
    quick : bool
        Use the first compiled network of a recipe again, with new weights, so that TensorFlow
        traces its graph once a process, whatever the learning rate and the batch size.
    """

    recipe: Recipe
    draw: Draw
    epochs: int
    quick: bool = False

    def __call__(self, seed):
        """Return what was measured.

        Returns
        -------
        dict
            `accuracy` and `validation` (pure cross-entropy, nats) on the held-out images,
            `training` (the same on the first 1,000 training images), `gap` (their difference),
            `cpu_seconds` of training (of all threads; the first step, which traces the graph, is
            counted as one more of the mean length), `multiply_adds` for one image, `parameters`,
            and the curve `loss`.
        """
        import keras

        keras.utils.set_random_seed(seed)
        network, (images, labels), others, held_out = _ready(self, seed)
        clock = _clock()
        history = network.fit(
            images,
            self.recipe.targets(labels),
            batch_size=self.recipe.batch_size,
            epochs=self.epochs,
            verbose=0,
            callbacks=[clock],
        )
        found = {"cpu_seconds": clock.seconds, "curves": {"loss": history.history["loss"]}}
        found |= _costs(network)
        found["training"] = _score(network, images[:1_000], labels[:1_000])[1]
        found["accuracy"], found["validation"] = _score(network, others, held_out)
        return found | {"gap": found["validation"] - found["training"]}


@dataclass(frozen=True)
class TimeToTarget:
    """Train until an accuracy is reached or the time is up: a variant for `experiments.compare`.

    Parameters
    ----------
    recipe, draw, quick
        As for `Run`.
    target : float
        Accuracy on the held-out images.
    limit : float
        CPU-seconds of training after which the run ends without having reached it.
    every : int
        The accuracy is measured, with the clock stopped, whenever about as many images have been
        trained on.
    """

    recipe: Recipe
    draw: Draw
    target: float
    limit: float
    every: int = 500
    quick: bool = False

    def __call__(self, seed):
        """Return what was measured.

        Returns
        -------
        dict
            `reached` (1 or 0), `cpu_seconds`, `epochs` and `updates` until then (or of the whole
            run), `accuracy` at the last check, and the curves `accuracy` and `clock`: the
            CPU-seconds at each check.
        """
        import keras

        keras.utils.set_random_seed(seed)
        network, (images, labels), others, held_out = _ready(self, seed)
        clock = _clock(
            lambda: _score(network, others, held_out)[0],
            self.target,
            self.limit,
            max(1, round(self.every / self.recipe.batch_size)),
        )
        # Ends at the limit; a loop of single epochs would cost more than it trains.
        network.fit(
            images,
            self.recipe.targets(labels),
            batch_size=self.recipe.batch_size,
            epochs=10**6,
            verbose=0,
            callbacks=[clock],
        )
        return {
            "reached": float(clock.checks[-1] >= self.target),
            "cpu_seconds": clock.times[-1],
            "epochs": clock.updates / math.ceil(len(labels) / self.recipe.batch_size),
            "updates": clock.updates,
            "accuracy": clock.checks[-1],
            "curves": {"accuracy": clock.checks, "clock": clock.times},
            **_costs(network),
        }


def sweep(recipes, draw, epochs, *, quick=False):
    """Turn recipes into the variants of `experiments.compare`, here or on any executor.

    Parameters
    ----------
    recipes : mapping of str to Recipe
    draw : Draw
    epochs : int
    quick : bool
        As for `Run`.

    Returns
    -------
    dict of str to Run
    """
    if not isinstance(recipes, Mapping):
        raise ValueError(f"recipes must be a mapping from name to Recipe: got {recipes!r}")
    return {name: Run(recipe, draw, epochs, quick) for name, recipe in recipes.items()}


def _ready(run, seed):
    """Return a compiled network, and its data, scaled: the last two are what is held out."""
    recipe = run.recipe
    (images, labels), (others, held_out) = run.draw(seed)
    mean, spread = (images.mean(), images.std()) if recipe.standardized else (0.0, 255.0)
    images, others = (((x - mean) / spread).astype("float32") for x in (images, others))
    shape = images.shape[1:]
    if run.quick:
        new = recipe.build(shape)  # first, since both draw random numbers
        # Rates and batch sizes are no part of a graph: one serves for all of them.
        kept = replace(recipe, learning_rate=0.001, batch_size=128)
        network = renew(_kept(kept, shape), new)
        network.optimizer.learning_rate = recipe.learning_rate
    else:
        network = recipe.compile(recipe.build(shape))
    return network, (images, labels), others, held_out


@cache
def _kept(recipe, shape):
    return recipe.compile(recipe.build(shape))


def _costs(network):
    from .arithmetic import cost

    return cost(network)


def _score(network, images, labels):
    """Return accuracy and pure cross-entropy in inference mode."""
    from .metrics import cross_entropy

    scores = np.concatenate(
        [
            network(images[k : k + _AT_ONCE], training=False).numpy()
            for k in range(0, len(images), _AT_ONCE)
        ]
    )
    # The scores of sigmoids do not add up to 1; a softmax's do already, but for rounding.
    scores = scores.astype(float)
    total = scores.sum(axis=1, keepdims=True)
    shares = np.divide(scores, total, where=total > 0, out=np.full_like(scores, 1 / 10))
    return float((scores.argmax(axis=1) == labels).mean()), cross_entropy(shares, labels)


def _clock(score=None, target=1.0, limit=float("inf"), every=None):
    """Make a callback that counts the CPU-seconds of training, and may stop it.

    The first step traces the graph and is not counted; `seconds` adds one mean step for it. With
    `score`, the accuracy is taken every so many steps, with the clock stopped.
    """
    from keras.callbacks import Callback

    class Clock(Callback):
        def __init__(self):
            super().__init__()
            self.updates, self.spent, self.checks, self.times = 0, 0.0, [], []

        @property
        def seconds(self):
            counted = self.updates - 1
            return self.spent * self.updates / counted if counted else self.first

        def on_train_begin(self, logs=None):
            self.since = process_time()

        def on_train_batch_end(self, batch, logs=None):
            self._stop_clock()
            self.updates += 1
            if score is not None and self.updates % every == 0:
                self.checks.append(score())
                self.times.append(self.seconds)
                if self.checks[-1] >= target or self.seconds > limit:
                    self.model.stop_training = True
            self.since = process_time()

        def on_train_end(self, logs=None):
            self._stop_clock()

        def _stop_clock(self):
            now = process_time()
            if self.updates:
                self.spent += now - self.since
            else:
                self.first = now - self.since

    return Clock()
