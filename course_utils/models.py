"""The networks of the slides and of the blog post, exact at `scale=1`; 03 types that of the notes.

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


def blog_network(scale=1, input_shape=(150, 150, 3), classes=1):
    """Build model1 of the blog post: 8,489,729 parameters on 150×150 photos of two classes.

    The post gives its first convolution no activation, so it is linear.
    """
    from keras import Sequential, layers

    width = _width(scale)
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
            layers.Dense(width(64), activation="relu", name="dense2"),
            _output(classes),
        ],
        name="blog_network",
    )
