"""A network that is pretrained here, and what notebook 07 does with it.

The same steps as with a downloaded network: a base that turns images into features, a head on top,
frozen or fine-tuned. `benchmarks/transfer.py` runs the same functions.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np

from .choices import one_of
from .renewal import renew
from .schedules import train as train_by

WAYS = ("from scratch", "untrained base", "frozen base", "fine-tuned")
STEPS = 120  # updates, from scratch and in fine-tuning
BATCH = 10
RATE = 0.003  # of a network from scratch
LOW_RATE = 0.0003  # of fine-tuning


def base_network(input_shape=(28, 28, 1), filters=(16, 32, 64)):
    """Build the part that turns images into features.

    As in ``keras.applications.MobileNetV3Small``, scaling is inside: it expects pixels of 0 to 255.
    Each block is convolution, batch normalization, ReLU and max pooling. The features are the last
    maps, flattened: a mean over each map would lose where in a digit something is.

    Parameters
    ----------
    input_shape : (int, int, int)
    filters : sequence of int
        Of each block.

    Returns
    -------
    keras.Sequential
        Named ``base``; its output is (n, features), 576 of them for 28×28 and these filters.
    """
    from keras import Input, Sequential, layers

    parts = [Input(input_shape), layers.Rescaling(1 / 127.5, offset=-1, name="scale")]
    for k, width in enumerate(filters, 1):
        parts += [
            layers.Conv2D(width, 3, padding="same", use_bias=False, name=f"conv{k}"),
            layers.BatchNormalization(momentum=0.9, name=f"norm{k}"),
            layers.ReLU(name=f"block{k}"),
        ]
        parts.append(layers.MaxPooling2D(name=f"pool{k}"))
    return Sequential([*parts, layers.Flatten(name="features")], name="base")


def copied(base):
    """Return a copy of a base with weights of its own, all of them trainable.

    Returns
    -------
    keras.Sequential
    """
    copy = base_network(base.input_shape[1:], _filters(base))
    copy.set_weights(base.get_weights())
    return copy


def with_head(base, classes):
    """Put a new softmax head on a base; the base is shared, not copied.

    Returns
    -------
    keras.Sequential
    """
    from keras import Sequential, layers

    return Sequential([base, layers.Dense(classes, activation="softmax", name="head")])


def pretrain(train, epochs, *, seed, filters=(16, 32, 64), callbacks=None, batch_size=32):
    """Train a base with a head on a source task, with Adam at 0.003.

    Parameters
    ----------
    train : (images, labels)
        uint8 images (n, h, w, channels), labels (n,) from 0.
    epochs : int
    seed : int
    filters : sequence of int
    callbacks : list, optional
    batch_size : int

    Returns
    -------
    keras.Sequential
        ``.layers[0]`` is the base.
    """
    import keras

    keras.utils.set_random_seed(seed)
    images, labels = train
    model = with_head(base_network(images.shape[1:], filters), int(labels.max()) + 1)
    model.compile(keras.optimizers.Adam(RATE), "sparse_categorical_crossentropy")
    model.fit(images, labels, batch_size, epochs, verbose=0, callbacks=callbacks)
    return model


def only(split, classes):
    """Keep the images of some classes, and number these from 0.

    Parameters
    ----------
    split : Split
    classes : sequence of int

    Returns
    -------
    Split
    """
    keep = np.isin(split.labels, classes)
    numbers = np.searchsorted(classes, split.labels[keep])
    names = tuple(split.class_names[k] for k in classes)
    return type(split)(split.images[keep], numbers.astype(np.int64), names)


def moved(split, copies=1, *, seed, by=4):
    """Put every image somewhere else, at random, on black: no pixel keeps its meaning.

    Parameters
    ----------
    split : Split
    copies : int, default 1
        How many of each image, each elsewhere.
    seed : int
    by : int, default 4
        Most pixels up, down, left or right.

    Returns
    -------
    Split
        `copies` times as many images.
    """
    random = np.random.default_rng(seed)
    images, labels = np.tile(split.images, (copies, 1, 1, 1)), np.tile(split.labels, copies)
    height, width = images.shape[1:3]
    wide = np.pad(images, ((0, 0), (by, by), (by, by), (0, 0)))
    for image, (top, left), all_of_it in zip(
        images, random.integers(0, 2 * by + 1, (len(images), 2)), wide, strict=True
    ):
        image[:] = all_of_it[top : top + height, left : left + width]
    return type(split)(images, labels, split.class_names)


class Tasks(NamedTuple):
    """Two tasks from one data set: a `Split` to train on and one to validate on for each."""

    source: object
    source_validation: object
    target: object
    target_validation: object


def digit_tasks(digits, *, images=3200, judge=1000, seed=0):
    """Make two tasks of the digits, all moved about: 0 to 4 to pretrain on, 5 to 9 to learn.

    Parameters
    ----------
    digits : Dataset
    images : int
        Of the source, about; with fewer digits than that, each is there several times, elsewhere.
    judge : int
        Most images of each validation part.
    seed : int
        Of the source's places; the validation images stand at the same places for every seed.

    Returns
    -------
    Tasks
        `target` is not moved: `moved` moves the few that are taken.
    """
    parts = [only(part, range(low, low + 5)) for low in (0, 5) for part in
             (digits.train, digits.validation)]  # fmt: skip
    source, source_validation, target, target_validation = parts
    few = source.take(min(images, len(source)), seed=seed)
    held = [part.take(min(judge, len(part))) for part in (source_validation, target_validation)]
    return Tasks(
        moved(few, max(1, images // len(few)), seed=seed),
        moved(held[0], seed=1),
        target,
        moved(held[1], seed=2),
    )


def outputs(model, images, batch_size=400):
    """Return a model's outputs in inference mode, without tracing a graph for `predict`.

    Returns
    -------
    ndarray of float32, shape (n, …)
    """
    return np.concatenate(
        [
            model(images[k : k + batch_size], training=False).numpy()
            for k in range(0, len(images), batch_size)
        ]
    )


def accuracy(model, images, labels):
    """Share of images of which the highest output is the label."""
    return float((outputs(model, images).argmax(axis=1) == labels).mean())


def transfer_run(seed, *, way, base, train, validation, steps=STEPS, rate=LOW_RATE):
    """Learn a new task from few images, in one of four ways: a run of `experiments.compare`.

    Parameters
    ----------
    seed : int
        Draws first weights, where any are random, and the order.
    way : str
        One of `WAYS`: the whole network from scratch; a head (`solved_head`) on the features of a
        base with random weights; the same on those of the pretrained base; that head and that base
        trained further, all weights at a low learning rate.
    base : keras.Sequential
        The pretrained base. It is left as it is.
    train, validation : (images, labels)
        uint8 images (n, h, w, channels) and labels (n,) from 0.
    steps : int
        Updates, of batches of `BATCH`.
    rate : float
        Of fine-tuning.

    Returns
    -------
    dict
        `accuracy` on `validation`; of the trained ways also `training_accuracy`; of fine-tuning
        also `drift`, the relative change of the base's kernels.
    """
    import keras

    one_of("way", way, WAYS)
    images, labels = train
    if way == "frozen base":
        return {"accuracy": _solved(base, train, validation)}
    shape, filters = base.input_shape[1:], _filters(base)
    if way == "untrained base":
        keras.utils.set_random_seed(seed)
        return {"accuracy": _solved(base_network(shape, filters), train, validation)}
    if way == "fine-tuned":
        model, moved_by = tuned(seed, base, train, rate=rate, steps=steps)
        found = {"drift": moved_by}
    else:
        model = _untrained(seed, base, int(labels.max()) + 1)
        _fit(model, RATE, images, labels, steps)
        found = {}
    return found | {
        "accuracy": accuracy(model, *validation),
        "training_accuracy": accuracy(model, images, labels),
    }


def tuned(seed, base, train, *, rate=LOW_RATE, steps=STEPS):
    """Fine-tune a copy of a base, from the head that is best while the base is frozen.

    A head with random weights would send gradients into the base that have nothing to do with the
    task, and a head that is trained for some steps only would make fine-tuning look better or worse
    than it is, against a frozen base with a head that is solved.

    Parameters
    ----------
    seed : int
    base : keras.Sequential
        It is left as it is.
    train : (images, labels)
    rate : float
        Of all weights.
    steps : int

    Returns
    -------
    (keras.Sequential, float)
        The model, which the next call with a base of this shape uses again, and the relative change
        of its base's kernels.
    """
    images, labels = train
    model = _untrained(seed, base, int(labels.max()) + 1)
    inner = model.layers[0]
    inner.set_weights(base.get_weights())
    start = kernels(inner)
    model.layers[1].set_weights(solved_head(outputs(inner, images), labels))
    _fit(model, rate, images, labels, steps)
    return model, drift(start, kernels(inner))


def few_run(seed, *, way, base, tasks, each, place=True, copies=1, **options):
    """Take `each` images of each class of the target, and call `transfer_run`.

    The seed draws the images as well, and their places if they are moved (`place`): one of each, or
    as many `copies` as there are to be epochs, each elsewhere. `base` may be a function of the
    seed.
    """
    train = tasks.target.take(len(tasks.target.class_names) * each, seed=seed)
    if place:
        train = moved(train, copies, seed=seed)
    if not hasattr(base, "layers"):
        base = base(seed)
    return transfer_run(
        seed, way=way, base=base, train=train, validation=tasks.target_validation, **options
    )


def by_way(results, sizes, prefix=""):
    """Collect accuracies of `compare` over ways and numbers of images.

    Parameters
    ----------
    results : experiments.Results
        Its variants are named ``"{prefix}{way}, {size}"``.
    sizes : sequence of int
    prefix : str

    Returns
    -------
    dict of str to ndarray (seeds, sizes)
        By way; only seeds with which all variants finished.
    """
    table = results.table.pivot(index="seed", columns="variant", values="accuracy")
    names = {way: [f"{prefix}{way}, {size}" for size in sizes] for way in WAYS}
    whole = table[[name for each in names.values() for name in each]].dropna()
    return {way: whole[each].to_numpy() for way, each in names.items()}


def _filters(base):
    return tuple(layer.filters for layer in base.layers if _has_kernel(layer))


def _solved(base, train, validation):
    (images, labels), (others, truth) = train, validation
    kernel, bias = solved_head(outputs(base, images), labels)
    scores = outputs(base, others) @ kernel + bias
    return float((scores.argmax(axis=1) == truth).mean())


def _untrained(seed, base, classes):
    """Return the kept network with new random weights."""
    import keras

    shape, filters = base.input_shape[1:], _filters(base)
    model = _compiled(shape, filters, classes)
    keras.utils.set_random_seed(seed)  # here: the first call has used random numbers to build
    return renew(model, with_head(base_network(shape, filters), classes))


@cache
def _compiled(input_shape, filters, classes):
    """Return a network, compiled once: tracing takes longer than training."""
    import keras

    model = with_head(base_network(input_shape, filters), classes)
    model.compile(keras.optimizers.Adam(RATE), "sparse_categorical_crossentropy")
    return model


def _fit(model, rate, images, labels, steps):
    """Train a model that `_untrained` has made new, at a rate of its own."""
    rounds = -(-steps * BATCH // len(images))
    order = np.concatenate([np.random.permutation(len(images)) for _ in range(rounds)])
    order = order[: steps * BATCH]
    train_by(model, images[order], labels[order], np.full(steps, rate), BATCH)


def kernels(model):
    """Return copies of all convolution kernels of a model, one flat array (n,)."""
    return np.concatenate([np.ravel(layer.kernel) for layer in model.layers if _has_kernel(layer)])


def _has_kernel(layer):
    return hasattr(layer, "kernel") and hasattr(layer, "filters")


def drift(before, after):
    """Relative change of weights: the length of the difference over the length before."""
    return float(np.linalg.norm(after - before) / np.linalg.norm(before))


# ---- looking at features -------------------------------------------------------------------------


def solved_head(features, labels):
    """Return the weights of the softmax head that fits features best, by logistic regression.

    Its cross-entropy has one minimum, since the L2 penalty of scikit-learn's default is on: no seed
    and no number of steps decides where it ends. The penalty is on features that are centred and
    scaled by one number, or a base with small features would be punished for them.

    Parameters
    ----------
    features : array (n, d)
    labels : array (n,) of int
        Every class from 0 on at least once.

    Returns
    -------
    (ndarray of float32 (d, classes), ndarray of float32 (classes,))
        Kernel and bias, as a Dense layer takes them.
    """
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits

    features = np.asarray(features, dtype=float)
    mean, spread = features.mean(axis=0), features.std() or 1.0
    with threadpool_limits(1):  # products this small spend their time waiting for the other threads
        found = LogisticRegression(max_iter=1000).fit((features - mean) / spread, labels)
    kernel, bias = found.coef_.T / spread, found.intercept_
    if kernel.shape[1] == 1:  # of two classes it gives one score, that of the second over the first
        kernel, bias = np.hstack([-kernel, kernel]) / 2, np.hstack([-bias, bias]) / 2
    return kernel.astype("float32"), (bias - mean @ kernel).astype("float32")


def probe(train, validation, strength=0.01):
    """Score features by a linear classifier: one-hot targets, squared error, an L2 penalty.

    The features are centred and scaled by one number each side, and their inner products divided by
    their count, so that one strength serves any number of them.

    Parameters
    ----------
    train, validation : (features, labels)
        Arrays (n, …) and labels (n,) from 0.
    strength : float, default 0.01

    Returns
    -------
    float
        Accuracy on `validation`.
    """
    (rows, labels), (others, truth) = train, validation
    rows, others = (np.reshape(each, (len(each), -1)).astype(float) for each in (rows, others))
    mean, spread = rows.mean(axis=0), rows.std() or 1.0
    rows, others = (rows - mean) / spread, (others - mean) / spread
    targets = np.eye(int(labels.max()) + 1)[labels]
    middle = targets.mean(axis=0)
    products = rows @ rows.T / rows.shape[1] + strength * np.eye(len(rows))
    scores = others @ rows.T / rows.shape[1] @ np.linalg.solve(products, targets - middle) + middle
    return float((scores.argmax(axis=1) == truth).mean())


def depths(base):
    """Return a model that gives the input, each block's output and the features of a base.

    Returns
    -------
    (list of str, keras.Model)
        Names of the outputs, and a model with that many.
    """
    import keras

    names = [layer.name for layer in base.layers if layer.name.startswith("pool")]
    places = ["scale", *names[:-1], "features"]
    shown = ["pixels", *(f"block {k}" for k in range(1, len(names) + 1))]
    return shown, keras.Model(base.inputs[0], [base.get_layer(name).output for name in places])


def neighbours(queries, gallery, k):
    """Find the k nearest of a gallery to each query, by the angle between features.

    Parameters
    ----------
    queries : array (n, …)
    gallery : array (m, …)
    k : int
        At most m.

    Returns
    -------
    ndarray of int, shape (n, k)
        Positions in the gallery, the nearest first.

    Raises
    ------
    ValueError
        If k is not between 1 and m.
    """
    if not 1 <= k <= len(gallery):
        raise ValueError(f"k must be between 1 and {len(gallery)}, the gallery's size: got {k!r}")
    directions = []
    for each in (queries, gallery):
        rows = np.reshape(each, (len(each), -1)).astype(float)
        directions.append(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12))
    alike = directions[0] @ directions[1].T
    return np.argsort(-alike, axis=1, kind="stable")[:, :k]


def same_class_rate(queries, query_labels, gallery, gallery_labels, k=5):
    """Share of the k nearest neighbours that have the query's label: one number a query.

    Returns
    -------
    ndarray of float, shape (n,)
    """
    found = np.asarray(gallery_labels)[neighbours(queries, gallery, k)]
    return (found == np.asarray(query_labels)[:, None]).mean(axis=1)
