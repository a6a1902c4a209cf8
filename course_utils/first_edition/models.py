"""The networks of the course: those of the three sources, exact at `scale=1`, and a dense baseline.

All functions give an uncompiled `keras.Sequential` whose layers have readable names (conv1, pool1,
dense1, output). Every layer that the sources give is there with its arguments; only `input_shape=`
on the first layer became `keras.Input`, which Keras 3 asks for.
"""

from __future__ import annotations

from course_utils.first_edition.arithmetic import dense_parameters
from course_utils.first_edition.choices import one_of


def _thinner(scale):
    """Return the function that scales a number of filters or units; it never goes below one."""
    if not scale > 0:
        raise ValueError(f"scale must be above 0 (1 is the source's network): got {scale!r}")
    return lambda number: max(1, round(scale * number))


def _large_enough(input_shape, least):
    """Check (rows, columns, channels) against the least side that the network's poolings leave."""
    if len(input_shape) != 3 or min(input_shape[:2]) < least:
        raise ValueError(
            f"input_shape must be (rows, columns, channels), at least {least}×{least} for this "
            f"network: got {tuple(input_shape)}"
        )
    return tuple(input_shape)


def _classifier(classes):
    """Arguments of an output layer: softmax over classes, or one sigmoid unit."""
    if classes < 1:
        raise ValueError(f"classes must be at least 1 (1 is one sigmoid unit): got {classes}")
    return {"units": classes, "activation": "sigmoid" if classes == 1 else "softmax"}


def slides_network(
    scale=1.0,
    classes=10,
    input_shape=(28, 28, 1),
    *,
    activation="relu",
    pooling="max",
    pool2_padding="same",
):
    """Build the network of the slides: 166,986 parameters on 28×28 digits.

    Parameters
    ----------
    scale : float
        Filters and hidden units are multiplied by it (rounded, at least 1).
    classes : int
        Units of the output; 1 is a single sigmoid unit.
    input_shape : (int, int, int)
        Rows, columns, channels.
    activation : str
        Of all hidden layers.
    pooling : {"max", "average", "strided"}
        "strided" puts a 3×3 convolution with strides 2 and as many filters in each pooling's place
        (Springenberg et al., "Striving for simplicity", 2015): 213,162 parameters.
    pool2_padding : {"same", "valid"}
        Padding of the second pooling; the slides have "same" (6×6), "valid" leaves 5×5.

    Returns
    -------
    keras.Sequential
    """
    from keras import Input, Sequential, layers

    width = _thinner(scale)
    one_of("pooling", pooling, ("max", "average", "strided"))
    one_of("pool2_padding", pool2_padding, ("same", "valid"))
    least = 8 if pool2_padding == "same" else 12 if pooling == "strided" else 10

    def pool(name, filters, padding):
        if pooling == "max":
            return layers.MaxPooling2D((2, 2), padding=padding, name=name)
        if pooling == "average":
            return layers.AveragePooling2D((2, 2), padding=padding, name=name)
        # A 3×3 window needs the zeros of "same" to leave the sizes as a 2×2 pooling does.
        padding = "same" if name == "pool1" else padding
        return layers.Conv2D(
            filters, 3, strides=2, padding=padding, activation=activation, name=name
        )

    return Sequential(
        [
            Input(_large_enough(input_shape, least)),
            layers.Conv2D(width(32), (3, 3), activation=activation, name="conv1"),
            pool("pool1", width(32), "valid"),
            layers.Conv2D(width(64), (3, 3), activation=activation, name="conv2"),
            pool("pool2", width(64), pool2_padding),
            layers.Flatten(name="flatten"),
            layers.Dense(width(64), activation=activation, name="dense1"),
            layers.Dense(**_classifier(classes), name="output"),
        ],
        name="slides_network",
    )


def notes_network(scale=1.0, classes=10, input_shape=(28, 28, 1), *, activation="relu"):
    """Build the network of the lecture notes: 1,413,834 parameters on 28×28 clothes.

    The arguments are those of `slides_network`.

    Returns
    -------
    keras.Sequential
    """
    from functools import partial

    from keras import Input, Sequential, layers

    width = _thinner(scale)
    conv = partial(layers.Conv2D, kernel_size=3, activation=activation, padding="same")
    return Sequential(
        [
            Input(_large_enough(input_shape, 8)),
            conv(width(64), kernel_size=7, name="conv1"),
            layers.MaxPooling2D(2, name="pool1"),
            conv(width(128), name="conv2"),
            conv(width(128), name="conv3"),
            layers.MaxPooling2D(2, name="pool2"),
            conv(width(256), name="conv4"),
            conv(width(256), name="conv5"),
            layers.MaxPooling2D(2, name="pool3"),
            layers.Flatten(name="flatten"),
            layers.Dense(width(128), activation=activation, name="dense1"),
            layers.Dropout(0.5, name="dropout1"),
            layers.Dense(width(64), activation=activation, name="dense2"),
            layers.Dropout(0.5, name="dropout2"),
            layers.Dense(**_classifier(classes), name="output"),
        ],
        name="notes_network",
    )


def blog_network(variant="plain", scale=1.0, input_shape=(150, 150, 3), *, first_activation=None):
    """Build a network of the blog post, for two classes: 8,489,729 parameters at 150×150×3.

    Parameters
    ----------
    variant : {"plain", "l2", "dropout"}
        The post's model1; model2, with `l2(0.0001)` on the dense layer of 64; model3, with
        dropout of one half after both hidden dense layers.
    scale, input_shape
        As for `slides_network`.
    first_activation : str, optional
        Of the first convolution. The post gives none, so it is linear.

    Returns
    -------
    keras.Sequential
        One sigmoid unit: the probability of class 1.
    """
    from keras import Input, Sequential, layers, regularizers

    one_of("variant", variant, ("plain", "l2", "dropout"))
    width = _thinner(scale)
    penalty = regularizers.L2(0.0001) if variant == "l2" else None

    def dropout(name):
        return [layers.Dropout(0.5, name=name)] if variant == "dropout" else []

    return Sequential(
        [
            Input(_large_enough(input_shape, 34)),
            layers.Conv2D(width(64), 3, activation=first_activation, name="conv1"),
            layers.MaxPooling2D(2, name="pool1"),
            layers.Conv2D(width(128), 3, activation="relu", name="conv2"),
            layers.Conv2D(width(128), 3, activation="relu", name="conv3"),
            layers.MaxPooling2D(2, name="pool2"),
            layers.Conv2D(width(256), 3, activation="relu", name="conv4"),
            layers.Conv2D(width(256), 3, activation="relu", name="conv5"),
            layers.MaxPooling2D(2, name="pool3"),
            layers.Flatten(name="flatten"),
            layers.Dense(width(128), activation="relu", name="dense1"),
            *dropout("dropout1"),
            layers.Dense(width(64), activation="relu", kernel_regularizer=penalty, name="dense2"),
            *dropout("dropout2"),
            layers.Dense(1, activation="sigmoid", name="output"),
        ],
        name=f"blog_network_{variant}",
    )


def dense_baseline(input_shape, classes, parameters=166_986):
    """Build a network of one hidden dense layer (ReLU) with as many parameters as another network.

    Parameters
    ----------
    input_shape : tuple of int
        Of one image.
    classes : int
        Units of the output; 1 is a single sigmoid unit.
    parameters : int
        To be matched within 1 %; the default is the slides' network.

    Returns
    -------
    keras.Sequential

    Raises
    ------
    ValueError
        When no number of hidden units comes within 1 %, as for large images and few parameters.
    """
    from math import prod

    from keras import Input, Sequential, layers

    output, inputs = _classifier(classes), prod(input_shape)
    units = max(1, round((parameters - classes) / (inputs + 1 + classes)))
    made = dense_parameters(inputs, units) + dense_parameters(units, classes)
    if abs(made - parameters) > 0.01 * parameters:
        raise ValueError(
            f"parameters must be within 1 % of what a hidden layer can have: got {parameters:,}; "
            f"on {inputs:,} inputs the nearest is {made:,}, with {units} hidden "
            f"unit{'s' if units > 1 else ''}"
        )
    return Sequential(
        [
            Input(tuple(input_shape)),
            layers.Flatten(name="flatten"),
            layers.Dense(units, activation="relu", name="dense1"),
            layers.Dense(**output, name="output"),
        ],
        name="dense_baseline",
    )
