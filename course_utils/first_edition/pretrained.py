"""MobileNetV3Small with its ImageNet weights, from this machine only.

It is one of the smallest networks of ``keras.applications`` (4 MB without its top), takes pixels of
0 to 255 since scaling is built in, and is fast enough for two cores. Nothing here touches the
network.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from . import formats
from .formats import DataError

FILE = "weights_mobilenet_v3_small_224_1.0_float_no_top_v2.h5"
MD5 = "d3e8ec802a04aa4fc771ee12a9a9b836"
SMALLEST = 32  # pixels a side that keras.applications accepts without a top


class Weights(NamedTuple):
    """The weights of MobileNetV3Small on this machine.

    Attributes
    ----------
    path : str or None
        The verified file, for ``keras.applications.MobileNetV3Small(weights=path)``. None if there
        is none: then Keras makes random weights.
    problem : str
        Empty, or one sentence that says what is wrong and what to do.
    """

    path: str | None
    problem: str

    @property
    def ready(self):
        """Whether they are there and whole."""
        return self.path is not None


def keras_cache():
    """Return the folder in which Keras itself keeps downloaded weights."""
    home = os.environ.get("KERAS_HOME") or Path.home() / ".keras"
    return Path(home).expanduser() / "models"


def weights():
    """Look for the weights in Keras' own cache: a file with the MD5 that Keras states.

    Returns
    -------
    Weights
    """
    path = keras_cache() / FILE
    if not path.is_file():
        return Weights(None, f"MobileNetV3Small's weights are not in Keras' cache, {path.parent}.")
    if formats.digest(path, "md5") != MD5:
        return Weights(None, f"{path} is not what Keras offers: delete it, and Keras gets it anew.")
    return Weights(str(path), "")


def network(side=96, path=None):
    """Build MobileNetV3Small without its top: pixels of 0 to 255 in, 576 features out.

    Parameters
    ----------
    side : int, default 96
        Height and width of the images.
    path : str, optional
        A file of weights, such as ``weights().path``. Without one the weights are random.

    Returns
    -------
    keras.Model

    Raises
    ------
    ValueError
        If `side` is too small.
    DataError
        If the file does not hold this network's weights.
    """
    import keras

    if isinstance(side, bool) or not isinstance(side, int) or side < SMALLEST:
        raise ValueError(
            f"side must be a whole number of pixels, at least {SMALLEST}, since the network halves "
            f"it five times: got {side!r}"
        )
    try:
        return keras.applications.MobileNetV3Small(
            input_shape=(side, side, 3), include_top=False, pooling="avg", weights=path
        )
    except (OSError, ValueError, KeyError) as error:
        reason = " ".join(str(error).split())[:160]
        raise DataError(f"{path} does not hold MobileNetV3Small's weights ({reason})") from error


def fine_tune(base, head, train, *, rate=1e-5, epochs=3, batch_size=25):
    """Train a base and its head together, at a low rate, its batch normalization left alone.

    Parameters
    ----------
    base : keras.Model
        Images in, features out. It is changed.
    head : keras.layers.Layer or keras.Model
        Features in, class probabilities out; already trained on the frozen features.
    train : (images, labels)
        uint8 images (n, h, w, channels) and labels (n,) from 0.
    rate : float, default 1e-5
        Adam's.
    epochs, batch_size : int

    Returns
    -------
    keras.Model
        The whole, compiled.
    """
    import keras

    model = keras.Sequential([base, head])
    base.trainable = True
    # A few dozen images would replace the moving statistics of many thousand. The idiom
    # base(inputs, training=False) does not prevent it: fit passes training=True on (keras#20285).
    for layer in base.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.trainable = False
    model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy")
    model.fit(*train, batch_size, epochs, verbose=0)
    return model
