"""Measures of a classifier, right and streamed.

Nothing here imports Keras until `binary_metrics` or `F1` is used. The intervals of
`course_utils.intervals` can be reached from here as well.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from course_utils.first_edition.intervals import (
    Interval,
    bootstrap,
    finite,
    paired,
    share,
    standard_error,
)

__all__ = [
    "Interval",
    "binary_metrics",
    "bootstrap",
    "calibration_error",
    "confusion",
    "cross_entropy",
    "paired",
    "reliability",
    "share",
    "softmax",
    "standard_error",
    "temperature",
    "threshold_curve",
]

# Keras clips probabilities here before it takes a logarithm; the same value gives the same loss.
_EPSILON = 1e-7


def _classes(values: object, name: str, classes: int) -> np.ndarray:
    """Return class indices of shape (n,), or say what is wrong with them."""
    values = finite(values, name)
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim != 1:
        raise ValueError(
            f"{name} must hold one class an image, shape (n,): got {values.shape};"
            " take argmax(axis=-1) of probabilities or one-hot rows"
        )
    if (values != np.floor(values)).any():
        raise ValueError(f"{name} must be whole numbers, class indices: got {values.flat[0]}, …")
    outside = np.unique(values[(values < 0) | (values >= classes)]).astype(int)
    if len(outside):
        raise ValueError(
            f"{name} must lie between 0 and {classes - 1} for {classes} classes:"
            f" got {', '.join(map(str, outside[:5]))}"
        )
    return values.astype(np.int64)


def _same_length(a: np.ndarray, b: np.ndarray, names: str) -> None:
    if len(a) != len(b):
        raise ValueError(f"{names} must have the same length: got {len(a)} and {len(b)}")
    if not len(a):
        raise ValueError(f"{names} must hold at least one image: got none")


def _probabilities(values: object) -> np.ndarray:
    """Return probabilities of shape (n, c); one column p becomes (1 − p, p)."""
    values = finite(values, "probabilities").astype(float)
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim not in (1, 2):
        raise ValueError(f"probabilities must have shape (n,) or (n, classes): got {values.shape}")
    # The margin is what 16-bit floats lose in a sum.
    if values.size and (values.min() < 0 or values.max() > 1 + 1e-3):
        raise ValueError(
            f"probabilities must lie between 0 and 1: got {values.min():.4g} to {values.max():.4g};"
            " are these logits?"
        )
    if values.ndim == 1:
        return np.stack([1 - values, values], axis=1)
    sums = values.sum(axis=1)
    off = np.abs(sums - 1) > 1e-3
    if off.any():
        raise ValueError(
            f"each row of probabilities must sum to 1: {off.sum()} of {len(off)} do not, the first"
            f" sums to {sums[off][0]:.4g}; are these sigmoids or logits?"
        )
    return values


def confusion(labels: object, predicted: object, classes: int | Sequence[str]) -> np.ndarray:
    """Count how often each class was taken for each other.

    Parameters
    ----------
    labels, predicted : arrays of shape (n,) or (n, 1)
        True and predicted class indices.
    classes : int or sequence of str
        Number of classes, or their names.

    Returns
    -------
    array of int64, shape (classes, classes)
        Row: the true class; column: the predicted one.

    Raises
    ------
    ValueError
        For a class outside of 0 … classes − 1 (which scikit-learn would leave out without a word),
        or lengths that differ.
    """
    from sklearn.metrics import confusion_matrix

    count = classes if isinstance(classes, int | np.integer) else len(classes)
    labels = _classes(labels, "labels", count)
    predicted = _classes(predicted, "predicted", count)
    _same_length(labels, predicted, "labels and predicted")
    return confusion_matrix(labels, predicted, labels=np.arange(count)).astype(np.int64)


def reliability(probabilities: object, labels: object, bins: int = 10):
    """Compare how sure a classifier is with how often it is right.

    Parameters
    ----------
    probabilities : array of shape (n, classes), (n,) or (n, 1)
        Predicted probabilities; a single column is the probability of class 1.
    labels : array of shape (n,) or (n, 1)
        True class indices.
    bins : int
        Number of bins of equal width between 0 and 1.

    Returns
    -------
    pandas.DataFrame
        One row a bin (low, high]: `low`, `high`, `n` images, mean `confidence` (the probability of
        the predicted class), `accuracy`, and `gap` = accuracy − confidence; NaN in empty bins.

    Raises
    ------
    ValueError
        For probabilities that are NaN, outside of [0, 1] or do not sum to 1; labels outside of the
        classes; or no bins.
    """
    import pandas as pd

    if bins < 1:
        raise ValueError(f"bins must be at least 1: got {bins}")
    probabilities = _probabilities(probabilities)
    labels = _classes(labels, "labels", probabilities.shape[1])
    _same_length(probabilities, labels, "probabilities and labels")
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    edges = np.linspace(0, 1, bins + 1)
    which = np.clip(np.searchsorted(edges, confidence, side="left") - 1, 0, bins - 1)
    table = pd.DataFrame({"bin": which, "confidence": confidence, "accuracy": right})
    means = table.groupby("bin").mean().reindex(range(bins)).reset_index(drop=True)
    means.insert(0, "low", edges[:-1])
    means.insert(1, "high", edges[1:])
    means.insert(2, "n", np.bincount(which, minlength=bins))
    means["gap"] = means["accuracy"] - means["confidence"]
    return means


def calibration_error(probabilities: object, labels: object, bins: int = 10) -> float:
    """Return the expected calibration error: Σ (n_bin / n) · |accuracy − confidence|.

    Source: Guo, Pleiss, Sun and Weinberger, *On Calibration of Modern Neural Networks*, ICML 2017,
    section 2. Parameters and errors are those of `reliability`.
    """
    table = reliability(probabilities, labels, bins)
    return float((table["n"] * table["gap"].abs().fillna(0)).sum() / table["n"].sum())


def softmax(logits: object) -> np.ndarray:
    """Turn logits of shape (n, classes) into probabilities of the same shape."""
    return temperature(logits, 1.0)


def temperature(logits: object, t: float) -> np.ndarray:
    """Return softmax(logits / t): above 1 less sure, below 1 surer, the order unchanged.

    Source: Guo et al., 2017, section 4.2.

    Parameters
    ----------
    logits : array of shape (n, classes) or (classes,)
        What the last layer gives before its softmax; for softmax outputs p, log p does as well.
    t : float
        Temperature, above 0.
    """
    from scipy import special

    logits = finite(logits, "logits").astype(float)
    if not t > 0 or math.isinf(t):
        raise ValueError(f"t must be a finite number above 0: got {t}")
    if logits.ndim == 0 or logits.shape[-1] < 2:
        raise ValueError(
            f"logits need at least 2 classes on their last axis: got shape {logits.shape};"
            " one logit an image belongs into a sigmoid"
        )
    return special.softmax(logits / t, axis=-1)


def cross_entropy(probabilities: object, labels: object, per_image: bool = False):
    """Return the pure cross-entropy in nats, without any penalty that a Keras loss may contain.

    Probabilities are held within [1e-7, 1 − 1e-7] before the logarithm, as Keras does, so that one
    sure mistake does not make the mean infinite.

    Parameters
    ----------
    probabilities, labels
        As in `reliability`.
    per_image : bool
        Return one value an image instead of their mean.

    Returns
    -------
    float, or array of shape (n,)
    """
    probabilities = _probabilities(probabilities)
    labels = _classes(labels, "labels", probabilities.shape[1])
    _same_length(probabilities, labels, "probabilities and labels")
    true = probabilities[np.arange(len(labels)), labels]
    values = -np.log(np.clip(true, _EPSILON, 1 - _EPSILON))
    return values if per_image else float(values.mean())


def threshold_curve(scores: object, labels: object):
    """Return what each threshold on the score of class 1 would give.

    Parameters
    ----------
    scores : array of shape (n,) or (n, 1)
        Higher means class 1; probabilities or logits.
    labels : array of shape (n,) or (n, 1)
        0 or 1, both present.

    Returns
    -------
    pandas.DataFrame
        One row a distinct score, ascending: `threshold` (an image counts as class 1 if its score is
        at least this), `precision`, `recall`, `f1`, `positives` (images called class 1). Recall
        never rises along it.
    """
    import pandas as pd
    from sklearn.metrics import precision_recall_curve

    scores = finite(scores, "scores").astype(float)
    scores = scores[:, 0] if scores.ndim == 2 and scores.shape[1] == 1 else scores
    if scores.ndim != 1:
        raise ValueError(f"scores must hold one score an image, shape (n,): got {scores.shape}")
    labels = _classes(labels, "labels", 2)
    _same_length(scores, labels, "scores and labels")
    if len(np.unique(labels)) < 2:
        raise ValueError(f"labels must hold both classes: all {len(labels)} are {labels[0]}")
    precision, recall, thresholds = precision_recall_curve(labels, scores)
    precision, recall = precision[:-1], recall[:-1]
    with np.errstate(invalid="ignore"):
        f1 = np.nan_to_num(2 * precision * recall / (precision + recall))
    positives = len(scores) - np.searchsorted(np.sort(scores), thresholds, side="left")
    columns = {"precision": precision, "recall": recall, "f1": f1, "positives": positives}
    return pd.DataFrame({"threshold": thresholds, **columns})


def binary_metrics(threshold: float = 0.5) -> list:
    """Return Keras metrics for a network with one sigmoid: accuracy, precision, recall, f1.

    They add up counts over the batches of an epoch and divide once, at the end: the result is that
    of all images together, whatever the batch size. (Averaging the F1 of each batch is not.) An
    image counts as class 1 if its score is *above* the threshold. Where nothing was called
    positive, or nothing is, the ratio is 0. For `model.compile(..., metrics=binary_metrics())`;
    labels may have shape (n,) or (n, 1).

    Parameters
    ----------
    threshold : float
        Between 0 and 1.

    Returns
    -------
    list of keras.metrics.Metric
    """
    if not 0 <= threshold <= 1:
        raise ValueError(f"threshold must lie between 0 and 1: got {threshold}")
    from keras.metrics import BinaryAccuracy, Precision, Recall

    return [
        BinaryAccuracy(name="accuracy", threshold=threshold),
        Precision(name="precision", thresholds=threshold),
        Recall(name="recall", thresholds=threshold),
        __getattr__("F1")(threshold=threshold),
    ]


def _f1_class() -> type:
    """Make the F1 metric; Keras is imported here, so that the rest of the module does without."""
    import keras
    from keras import ops

    @keras.saving.register_keras_serializable(package="course_utils.first_edition", name="F1")
    class F1(keras.metrics.Metric):
        """F1 of class 1, 2·TP / (2·TP + FP + FN), from counts added up over all batches.

        `keras.metrics.F1Score` wants labels of shape (n, 1), and without a threshold takes the
        largest output of each row, which for one sigmoid calls every image positive.

        A saved model that contains it loads once this class is known: use `metrics.F1` first, or
        pass ``custom_objects={"F1": metrics.F1}``.
        """

        # For mode="auto" of Keras' callbacks: more is better.
        _direction = "up"

        def __init__(self, threshold=0.5, name="f1", dtype=None):
            super().__init__(name=name, dtype=dtype)
            self.threshold = threshold
            for count in ("true_positives", "false_positives", "false_negatives"):
                setattr(self, count, self.add_variable((), initializer="zeros", name=count))

        def update_state(self, y_true, y_pred, sample_weight=None):
            true = ops.cast(ops.cast(ops.reshape(y_true, (-1,)), "bool"), self.dtype)
            called = ops.reshape(ops.convert_to_tensor(y_pred), (-1,)) > self.threshold
            called = ops.cast(called, self.dtype)
            if sample_weight is None:
                weight = ops.ones_like(true)
            else:
                weight = ops.cast(ops.reshape(sample_weight, (-1,)), self.dtype)
            self.true_positives.assign_add(ops.sum(weight * true * called))
            self.false_positives.assign_add(ops.sum(weight * (1 - true) * called))
            self.false_negatives.assign_add(ops.sum(weight * true * (1 - called)))

        def result(self):
            doubled = 2 * self.true_positives
            return ops.divide_no_nan(doubled, doubled + self.false_positives + self.false_negatives)

        def get_config(self):
            return {**super().get_config(), "threshold": self.threshold}

    F1.__qualname__ = "F1"
    return F1


def __getattr__(name: str) -> object:
    if name != "F1":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if name not in globals():
        globals()[name] = _f1_class()
    return globals()[name]
