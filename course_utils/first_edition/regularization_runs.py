"""The comparison of regularizers on pets: its variants, its data, and one run of it.

Notebook 04 and `benchmarks/regularization_comparison.py` run the same.
"""

from __future__ import annotations

from functools import cache, partial

import numpy as np

from .choices import one_of
from .regularization import penalise
from .renewal import kept

VARIANTS = (
    "plain",
    "the blog's L2",
    "strong L2, one kernel",
    "L2 everywhere",
    "the blog's dropout",
    "augmentation",
)
STRONG = 0.003  # λ of "strong L2, one kernel" and of "L2 everywhere"


def pets_network(variant, scale, input_shape):
    """Build the blog's network, thinner, in one of the variants that notebook 04 compares.

    Parameters
    ----------
    variant : str
        One of `VARIANTS`: plain; the blog's L2 (1e-4 on its second dense layer); the same with
        λ = `STRONG`; L2 with λ = `STRONG` on every kernel; the blog's dropout (one half, twice);
        augmentation (mirror images, and shifts of up to a tenth).
    scale, input_shape
        As for `models.blog_network`.

    Returns
    -------
    keras.Sequential
    """
    import keras

    from .models import blog_network

    one_of("variant", variant, VARIANTS)
    kind = {"the blog's L2": "l2", "the blog's dropout": "dropout"}.get(variant, "plain")
    network = blog_network(kind, scale, input_shape)
    if variant == "strong L2, one kernel":
        network.get_layer("dense2").kernel.regularizer = keras.regularizers.L2(STRONG)
    if variant == "L2 everywhere":
        penalise(network, keras.regularizers.L2(STRONG))
    if variant == "augmentation":
        changes = [
            keras.layers.RandomFlip("horizontal"),
            keras.layers.RandomTranslation(0.1, 0.1, fill_mode="nearest"),
        ]
        network = keras.Sequential([keras.Input(input_shape), *changes, *network.layers])
    return network


def measure_gap(model, data):
    """Return pure cross-entropies, in inference mode, without any penalty.

    Returns
    -------
    dict
        `training` and `validation` (nats), `gap` (validation − training), `accuracy` (validation).
    """
    from .metrics import cross_entropy

    found = {}
    for part, (images, labels) in zip(("training", "validation"), data, strict=True):
        # predict would trace a new graph for each network, which takes longer than a small one.
        scores = np.concatenate(
            [model(images[k : k + 400], training=False).numpy() for k in range(0, len(images), 400)]
        )
        found[part] = cross_entropy(scores, labels)
    found["gap"] = found["validation"] - found["training"]
    return found | {"accuracy": float(((scores > 0.5) == labels.reshape(-1, 1)).mean())}


def standardised(train, *others):
    """Shift and scale images by the mean and standard deviation of the training pixels.

    Parameters
    ----------
    train, *others : Split

    Returns
    -------
    list of (ndarray of float32, ndarray of float32 (n, 1))
        Images, and their labels as a column, as Keras' binary metrics want them.
    """
    mean, spread = train.images.mean(), train.images.std()
    return [
        (((part.images - mean) / spread).astype("float32"), part.labels[:, None].astype("float32"))
        for part in (train, *others)
    ]


def pets_run(seed, *, variant, pets, images, scale, epochs, batch_size=25, quick=False):
    """Train one variant on a few pets with Adam at 0.001: one run of `experiments.compare`.

    Every seed draws its own training images, its own first weights and its own order; the
    validation images are all that there are, and the same for each.

    Parameters
    ----------
    seed : int
    variant : str
        One of `VARIANTS`.
    pets : Dataset
    images : int
        How many to train on.
    scale : float
        Of the network.
    epochs, batch_size : int
    quick : bool
        Measure no validation curve, and train a variant's first compiled network again, with new
        weights, in one graph that is traced once.

    Returns
    -------
    dict
        What `experiments.Training` returns, and what `measure_gap` measures.
    """
    from .experiments import Training

    data = tuple(standardised(pets.train.take(images, seed=seed), pets.validation))
    which = (variant, scale, pets.image_shape)
    return Training(
        _kept(*which) if quick else partial(_compiled, *which),
        (data[0], None) if quick else data,
        epochs=epochs,
        batch_size=batch_size,
        measure=lambda model, _: measure_gap(model, data),
        one_graph=quick,
    )(seed)


def _compiled(variant, scale, input_shape):
    network = pets_network(variant, scale, input_shape)
    network.compile("adam", "binary_crossentropy")
    return network


@cache
def _kept(*which):
    return kept(partial(pets_network, *which), "adam", "binary_crossentropy")
