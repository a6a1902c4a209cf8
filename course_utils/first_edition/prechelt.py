"""Prechelt's criteria for early stopping: generalization loss, progress quotient, rises in a row.

Source of all formulas: Lutz Prechelt, *Early Stopping – But When?*, in: Neural Networks: Tricks of
the Trade, 1998, section 2. Epochs are counted from 1. Importing this module imports no Keras: the
callback class `PrecheltStopping` is made when it is first asked for.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral

import numpy as np


def curve_of(values: Sequence[float], name: str) -> list[float | None]:
    """Return a curve as a list of floats, or say in one sentence why it is none."""
    values = list(values)
    if not values:
        raise ValueError(f"{name} must hold at least one epoch: got an empty curve")
    for epoch, value in enumerate(values, start=1):
        try:
            values[epoch - 1] = None if value is None else float(value)
        except (TypeError, ValueError):
            raise ValueError(f"{name} must hold numbers: got {value!r} at epoch {epoch}") from None
    return values


def whole(value: object, name: str, least: int = 0) -> int:
    """Return a whole number, or say in one sentence why it is none."""
    if not isinstance(value, Integral) or isinstance(value, bool) or value < least:
        raise ValueError(f"{name} must be a whole number, at least {least}: got {value!r}")
    return int(value)


def _losses(values: Sequence[float], name: str) -> np.ndarray:
    values = np.array([math.nan if v is None else v for v in curve_of(values, name)], dtype=float)
    # A run that has diverged is infinitely bad; a NaN would compare as neither better nor worse.
    values[np.isnan(values)] = math.inf
    if (values < 0).any():
        raise ValueError(f"{name} must be at least 0, since ratios are taken: got {values.min()}")
    return values


def _threshold(value: float, name: str) -> None:
    if not value >= 0:
        raise ValueError(f"{name} must be at least 0: got {value}")


def generalization_loss(validation: Sequence[float]) -> np.ndarray:
    """Return Prechelt's GL(t) = 100 · (E_va(t) / min over t' ≤ t of E_va(t') − 1), in percent.

    Parameters
    ----------
    validation : sequence of float
        Validation error after each epoch, at least 0; NaN counts as infinite.

    Returns
    -------
    array of shape (epochs,)
    """
    errors = _losses(validation, "validation")
    lowest = np.minimum.accumulate(errors)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(errors > lowest, 100 * (errors / lowest - 1), 0.0)


def training_progress(training: Sequence[float], strip: int = 5) -> np.ndarray:
    """Return Prechelt's P_k(t) = 1000 · (mean / minimum of the last k training errors − 1).

    In thousandths: how much larger the mean training error of the last k epochs is than their
    minimum. It is large while the error falls fast, and while it is unstable.

    Parameters
    ----------
    training : sequence of float
        Training error after each epoch, at least 0.
    strip : int
        Length k of a training strip, in epochs.

    Returns
    -------
    array of shape (epochs,)
        NaN for the first k − 1 epochs.
    """
    errors = _losses(training, "training")
    strip = whole(strip, "strip", 1)
    progress = np.full(len(errors), math.nan)
    if len(errors) >= strip:
        windows = np.lib.stride_tricks.sliding_window_view(errors, strip)
        mean, lowest = windows.mean(axis=1), windows.min(axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            progress[strip - 1 :] = np.where(mean > lowest, 1000 * (mean / lowest - 1), 0.0)
    return progress


@dataclass(frozen=True)
class PrecheltResult:
    """How a training run ends under one of Prechelt's criteria.

    Attributes
    ----------
    stopped_epoch : int or None
        The epoch (from 1) after which training was stopped; None if the curve ended first.
    best_epoch : int
        The epoch (from 1) with the lowest validation error up to there, the first among equals:
        Prechelt keeps its weights.
    values : array of shape (epochs trained,)
        What was compared with the threshold after each epoch: GL in percent, GL/P, or the number of
        strips in a row at whose ends the error rose. NaN where nothing was compared.
    """

    stopped_epoch: int | None
    best_epoch: int
    values: np.ndarray


def _result(errors: np.ndarray, values: np.ndarray, reached: np.ndarray) -> PrecheltResult:
    stops = np.flatnonzero(reached)
    end = int(stops[0]) + 1 if len(stops) else len(errors)
    best_epoch = int(errors[:end].argmin()) + 1
    return PrecheltResult(end if len(stops) else None, best_epoch, values[:end])


def gl(validation: Sequence[float], alpha: float) -> PrecheltResult:
    """Stop after the first epoch with GL(t) > alpha (GL_alpha).

    Parameters
    ----------
    validation : sequence of float
        Validation error after each epoch.
    alpha : float
        Threshold in percent, at least 0.
    """
    _threshold(alpha, "alpha")
    values = generalization_loss(validation)
    return _result(_losses(validation, "validation"), values, values > alpha)


def pq(
    validation: Sequence[float], training: Sequence[float], alpha: float, strip: int = 5
) -> PrecheltResult:
    """Stop after the first end of a strip with GL(t) / P_k(t) > alpha (PQ_alpha).

    While training still makes progress, validation may recover: the criterion waits.

    Parameters
    ----------
    validation, training : sequences of float
        Errors after each epoch, of the same length.
    alpha : float
        Threshold, at least 0.
    strip : int
        Length k of a training strip, in epochs.
    """
    _threshold(alpha, "alpha")
    loss, progress = generalization_loss(validation), training_progress(training, strip)
    if len(loss) != len(progress):
        raise ValueError(
            f"validation and training must have the same length: got {len(loss)}, {len(progress)}"
        )
    with np.errstate(divide="ignore", invalid="ignore"):
        # Without progress any loss is too much, and no loss is none.
        values = np.where((loss == 0) | np.isinf(loss), loss, loss / progress)
    values[np.arange(1, len(values) + 1) % strip != 0] = math.nan
    return _result(_losses(validation, "validation"), values, values > alpha)


def up(validation: Sequence[float], successive: int, strip: int = 5) -> PrecheltResult:
    """Stop when the error rose at the ends of s strips in a row (UP_s).

    UP_1 stops after the first end of a strip t with E_va(t) > E_va(t − k); UP_s after t if UP_(s−1)
    stops after t − k and E_va(t) > E_va(t − k). The size of the rise does not matter.

    Parameters
    ----------
    validation : sequence of float
        Validation error after each epoch.
    successive : int
        s, at least 1.
    strip : int
        Length k of a training strip, in epochs.
    """
    successive, strip = whole(successive, "successive", 1), whole(strip, "strip", 1)
    errors = _losses(validation, "validation")
    values = np.full(len(errors), math.nan)
    rises = 0
    for end in range(2 * strip - 1, len(errors), strip):
        rises = rises + 1 if errors[end] > errors[end - strip] else 0
        values[end] = rises
    return _result(errors, values, values >= successive)


class _PrecheltStopping:
    """Everything of `PrecheltStopping` but its base class, so that the module needs no Keras."""

    def __init__(
        self,
        criterion="GL",
        threshold=5,
        strip=5,
        monitor="val_loss",
        training_monitor="loss",
        restore_best_weights=True,
        verbose=0,
    ):
        super().__init__()
        if criterion not in ("GL", "PQ", "UP"):
            raise ValueError(f"criterion must be 'GL', 'PQ' or 'UP': got {criterion!r}")
        if criterion == "UP":
            whole(threshold, "threshold (strips in a row)", 1)
        _threshold(threshold, "threshold")
        self.criterion, self.threshold = criterion, threshold
        self.strip = whole(strip, "strip", 1)
        self.monitor, self.training_monitor = monitor, training_monitor
        self.restore_best_weights, self.verbose = restore_best_weights, verbose
        self.result = None

    def on_train_begin(self, logs=None):
        self._validation, self._training = [], []
        self._weights = self.result = None

    def on_epoch_end(self, epoch, logs=None):
        logs = logs or {}
        needed = [self.monitor] + [self.training_monitor] * (self.criterion == "PQ")
        missing = [name for name in needed if name not in logs]
        if missing:
            raise ValueError(
                f"PrecheltStopping needs {missing[0]!r} after every epoch: got {', '.join(logs)}"
            )
        self._validation.append(logs[self.monitor])
        self._training.append(logs.get(self.training_monitor))
        if self.criterion == "GL":
            self.result = gl(self._validation, self.threshold)
        elif self.criterion == "PQ":
            self.result = pq(self._validation, self._training, self.threshold, self.strip)
        else:
            self.result = up(self._validation, self.threshold, self.strip)
        if self.restore_best_weights and self.result.best_epoch == len(self._validation):
            self._weights = self.model.get_weights()
        if self.result.stopped_epoch:
            self.model.stop_training = True

    def on_train_end(self, logs=None):
        if self.verbose and self.result and self.result.stopped_epoch:
            stop, best = self.result.stopped_epoch, self.result.best_epoch
            print(f"{self.criterion}: stopped after epoch {stop}, best epoch {best}")
        if self._weights is not None:
            self.model.set_weights(self._weights)


_CALLBACK_DOC = """Stop a `fit` by one of Prechelt's criteria.

    He advises GL for the best chance of a good network, and for the best average PQ where there is
    little overfitting and UP otherwise. None of them is sure to end a training: limit its epochs.

    Parameters
    ----------
    criterion : {"GL", "PQ", "UP"}
        See `gl`, `pq` and `up`.
    threshold : float
        alpha for GL (percent) and PQ; the number of strips in a row for UP.
    strip : int
        Length of a training strip in epochs, for PQ and UP.
    monitor, training_monitor : str
        Names of the validation and the training error. Keras' `loss` is a running mean over the
        epoch and contains penalties; both are errors that must fall.
    restore_best_weights : bool
        Whether the model gets the weights of the epoch with the lowest validation error in the end.
    verbose : int
        1 to print when training is stopped.

    Attributes
    ----------
    result : PrecheltResult or None
        After `fit`: stopped epoch, best epoch (from 1) and the criterion's value an epoch.
    """


def __getattr__(name: str) -> object:
    if name != "PrecheltStopping":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import keras

    body = {"__doc__": _CALLBACK_DOC, "__module__": __name__}
    globals()[name] = type(name, (_PrecheltStopping, keras.callbacks.Callback), body)
    return globals()[name]
