"""MobileNetV3Small with its ImageNet weights, from this machine only.

It is one of the smallest networks of ``keras.applications`` (4 MB without its top), takes pixels of
0 to 255 since scaling is built in, and is fast enough for two cores. Nothing here touches the
network: `course data fetch pretrained` does, once, on request.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from . import downloads, formats
from .formats import DataError

NAME = "pretrained"
COMMAND = "course data fetch pretrained"
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
    """Look for the weights, in the course's downloads and then in Keras' own cache.

    A file counts only if it has the MD5 that ``keras.applications`` states. One that was verified
    and has not changed since is not hashed again.

    Returns
    -------
    Weights
    """
    variant = downloads.variants(NAME)[0]
    (file,) = variant.spec["files"]
    problems = []
    for path in (variant.path / file, keras_cache() / file):
        if not os.path.lexists(path):
            continue
        try:
            if path.parent == variant.path:
                downloads.read(variant)
            else:
                _check(path, variant, file)
            return Weights(str(path), "")
        except DataError as error:
            problems.append(str(error))
    missing = (
        f"{variant.title} are not on this machine: `{COMMAND}` gets them (4 MB), "
        "or `course data import PATH` from a disk."
    )
    return Weights(None, problems[0] if problems else missing)


def _check(path, variant, file):
    spec = variant.spec["files"][file]
    if path.is_file() and path.stat().st_size > spec["limit"]:
        found = f"it has {path.stat().st_size:,} bytes"
    else:
        found = f"it has MD5 {formats.digest(path, 'md5')}" if path.is_file() else "it is no file"
    if found != f"it has MD5 {spec['md5']}":
        raise DataError(
            f"{path} is refused: {found}; expected {variant.title} with MD5 {spec['md5']}; "
            f"`{COMMAND}` gets it anew"
        )


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
