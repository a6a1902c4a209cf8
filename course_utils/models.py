"""The networks of the three sources, exact at `scale=1`.

Each is an uncompiled `keras.Sequential` with readable names (conv1, pool1, …, output). Layers have
the source's arguments; only `input_shape=` became `keras.Input`, as Keras 3 asks for.

Arguments that all functions share:

scale : float
    Filters and hidden units are multiplied by it, and rounded; at least 1 remains.
input_shape : (int, int, int)
    Rows, columns, channels.
classes : int
    Units of the output, with softmax; 1 is one sigmoid unit.
"""

from functools import partial

from . import one_of


def _width(scale):
    if not scale > 0:
        raise ValueError(f"scale must be above 0 (1 is the source's network): got {scale!r}")
    return lambda number: max(1, round(scale * number))


def _input(shape, least):
    from keras import Input

    if len(shape) != 3 or min(shape[:2]) < least:
        raise ValueError(
            f"input_shape must be (rows, columns, channels), at least {least}×{least} for this "
            f"network: got {tuple(shape)}"
        )
    return Input(tuple(shape))


def _output(classes):
    from keras import layers

    return layers.Dense(classes, activation="softmax" if classes > 1 else "sigmoid", name="output")


def slides_network(scale=1, input_shape=(28, 28, 1), classes=10):
    """Build the network of the slides: 166,986 parameters on 28×28 digits."""
    from keras import Sequential, layers

    width = _width(scale)
    return Sequential(
        [
            _input(input_shape, 8),
            layers.Conv2D(width(32), (3, 3), activation="relu", name="conv1"),
            layers.MaxPooling2D((2, 2), name="pool1"),
            layers.Conv2D(width(64), (3, 3), activation="relu", name="conv2"),
            layers.MaxPooling2D((2, 2), padding="same", name="pool2"),
            layers.Flatten(name="flatten"),
            layers.Dense(width(64), activation="relu", name="dense1"),
            _output(classes),
        ],
        name="slides_network",
    )


def notes_network(scale=1, input_shape=(28, 28, 1), classes=10):
    """Build the network of the lecture notes: 1,413,834 parameters on 28×28 clothes."""
    from keras import Sequential, layers

    width = _width(scale)
    conv = partial(layers.Conv2D, kernel_size=3, activation="relu", padding="same")
    return Sequential(
        [
            _input(input_shape, 8),
            conv(width(64), kernel_size=7, name="conv1"),
            layers.MaxPooling2D(2, name="pool1"),
            conv(width(128), name="conv2"),
            conv(width(128), name="conv3"),
            layers.MaxPooling2D(2, name="pool2"),
            conv(width(256), name="conv4"),
            conv(width(256), name="conv5"),
            layers.MaxPooling2D(2, name="pool3"),
            layers.Flatten(name="flatten"),
            layers.Dense(width(128), activation="relu", name="dense1"),
            layers.Dropout(0.5, name="dropout1"),
            layers.Dense(width(64), activation="relu", name="dense2"),
            layers.Dropout(0.5, name="dropout2"),
            _output(classes),
        ],
        name="notes_network",
    )


def blog_network(scale=1, input_shape=(150, 150, 3), classes=1, variant="plain"):
    """Build a network of the blog post: 8,489,729 parameters on 150×150 photos of two classes.

    `variant` is "plain" (the post's model1), "l2" (model2: `l2(0.0001)` on dense2) or "dropout"
    (model3: one half after both hidden dense layers). The post gives its first convolution no
    activation, so it is linear.
    """
    from keras import Sequential, layers, regularizers

    one_of("variant", variant, ("plain", "l2", "dropout"))
    width = _width(scale)
    penalty = regularizers.L2(0.0001) if variant == "l2" else None
    dropouts = [layers.Dropout(0.5, name=f"dropout{k}") for k in (1, 2) if variant == "dropout"]
    return Sequential(
        [
            _input(input_shape, 34),
            layers.Conv2D(width(64), 3, name="conv1"),
            layers.MaxPooling2D(2, name="pool1"),
            layers.Conv2D(width(128), 3, activation="relu", name="conv2"),
            layers.Conv2D(width(128), 3, activation="relu", name="conv3"),
            layers.MaxPooling2D(2, name="pool2"),
            layers.Conv2D(width(256), 3, activation="relu", name="conv4"),
            layers.Conv2D(width(256), 3, activation="relu", name="conv5"),
            layers.MaxPooling2D(2, name="pool3"),
            layers.Flatten(name="flatten"),
            layers.Dense(width(128), activation="relu", name="dense1"),
            *dropouts[:1],
            layers.Dense(width(64), activation="relu", kernel_regularizer=penalty, name="dense2"),
            *dropouts[1:],
            _output(classes),
        ],
        name=f"blog_network_{variant}",
    )
