"""A network that is pretrained here, and what notebook 07 does with it.

The same steps as with a downloaded network: a base that turns images into features, a head on top,
frozen or fine-tuned. `benchmarks/transfer.py` runs the same functions.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from .choices import one_of

WAYS = ("scratch", "frozen, untrained", "frozen", "fine-tuned")
STEPS = 120  # updates of every way: half for the head alone and half for all, when fine-tuned
BATCH = 10
LOW_RATE = 3e-4  # of fine-tuning; a new head and a network from scratch learn at 0.003
RATE = 3e-3


def base_network(input_shape=(28, 28, 1), filters=(16, 32, 64)):
    """Build the part that turns images into features.

    As in ``keras.applications.MobileNetV3Small``, scaling is inside: it expects pixels of 0 to 255.
    Each block is convolution, batch normalization, ReLU, and (but for the last) max pooling.

    Parameters
    ----------
    input_shape : (int, int, int)
    filters : sequence of int
        Of each block.

    Returns
    -------
    keras.Sequential
        Named ``base``; its output is (n, filters[-1]).
    """
    from keras import Input, Sequential, layers

    parts = [Input(input_shape), layers.Rescaling(1 / 127.5, offset=-1, name="scale")]
    for k, width in enumerate(filters, 1):
        parts += [
            layers.Conv2D(width, 3, padding="same", use_bias=False, name=f"conv{k}"),
            layers.BatchNormalization(momentum=0.9, name=f"norm{k}"),
            layers.ReLU(name=f"block{k}"),
        ]
        if k < len(filters):
            parts.append(layers.MaxPooling2D(name=f"pool{k}"))
    return Sequential([*parts, layers.GlobalAveragePooling2D(name="features")], name="base")


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


def transfer_run(seed, *, way, base, train, validation, steps=STEPS):
    """Learn a new task from few images, in one of four ways: a run of `experiments.compare`.

    Parameters
    ----------
    seed : int
        Draws the first weights of the head (from scratch: of all), and the order.
    way : str
        One of `WAYS`: everything from scratch; a new head on a base with random weights; a new head
        on the pretrained base; the same, and then all weights at a low learning rate.
    base : keras.Sequential
        The pretrained base. It is left as it is.
    train, validation : (images, labels)
        uint8 images (n, h, w, channels) and labels (n,) from 0.
    steps : int
        Updates, of batches of `BATCH`; the same for each way.

    Returns
    -------
    dict
        `accuracy` and `cross_entropy` on `validation`, `training_accuracy`, `drift` (relative
        change of the base's kernels; 0 from scratch).
    """
    import keras

    from .metrics import cross_entropy

    one_of("way", way, WAYS)
    keras.utils.set_random_seed(seed)
    images, labels = train
    classes = int(max(labels.max(), validation[1].max())) + 1
    filters = tuple(layer.filters for layer in base.layers if hasattr(layer, "filters"))
    model, head = _compiled(base.input_shape[1:], filters, classes)
    inner = model.layers[0]
    fresh = with_head(base_network(base.input_shape[1:], filters), classes)
    model.set_weights(fresh.get_weights())
    if way in ("frozen", "fine-tuned"):
        inner.set_weights(base.get_weights())
    start = kernels(inner)
    if way == "scratch":
        _fit(model, RATE, images, labels, steps)
    else:
        first = steps // 2 if way == "fine-tuned" else steps
        _fit(head, RATE, outputs(inner, images), labels, first)
        if way == "fine-tuned":
            _fit(model, LOW_RATE, images, labels, steps - first)
    scores = outputs(model, validation[0])
    return {
        "accuracy": float((scores.argmax(axis=1) == validation[1]).mean()),
        "cross_entropy": cross_entropy(scores, validation[1]),
        "training_accuracy": accuracy(model, images, labels),
        "drift": drift(start, kernels(inner)),
    }


@cache
def _compiled(input_shape, filters, classes):
    """Return a network, and its head alone, compiled once: tracing takes longer than training."""
    import keras

    model = with_head(base_network(input_shape, filters), classes)
    head = keras.Sequential([keras.Input((filters[-1],)), model.layers[1]])
    for each in (model, head):
        each.compile(keras.optimizers.Adam(RATE), "sparse_categorical_crossentropy")
    return model, head


def _fit(model, rate, images, labels, steps):
    """Train a kept model as if it had been compiled anew."""
    optimizer = model.optimizer
    for state in optimizer.variables:
        state.assign(np.zeros(state.shape, state.dtype))
    optimizer.learning_rate = rate
    # All updates are one long epoch of whole batches: another size would be traced anew.
    rounds = -(-steps * BATCH // len(images))
    order = np.concatenate([np.random.permutation(len(images)) for _ in range(rounds)])
    order = order[: steps * BATCH]
    model.fit(images[order], labels[order], BATCH, shuffle=False, verbose=0)


def kernels(model):
    """Return copies of all convolution kernels of a model, one flat array (n,)."""
    return np.concatenate([np.ravel(layer.kernel) for layer in model.layers if _has_kernel(layer)])


def _has_kernel(layer):
    return hasattr(layer, "kernel") and hasattr(layer, "filters")


def drift(before, after):
    """Relative change of weights: the length of the difference over the length before."""
    return float(np.linalg.norm(after - before) / np.linalg.norm(before))
