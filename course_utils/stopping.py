"""Early stopping as functions over a curve: Keras' callback, and Prechelt's three criteria.

Epochs are counted from 1. A curve is a sequence of numbers, one an epoch, or text that was typed.
"""

import math
from typing import NamedTuple

import numpy as np

from . import one_of
from .numpy_ops import whole

_HIGHER_IS_BETTER = {"accuracy", "acc", "binary_accuracy", "categorical_accuracy", "auc", "f1"}
_HIGHER_IS_BETTER |= {"sparse_categorical_accuracy", "precision", "recall", "f1_score"}


class EpochState(NamedTuple):
    """What the callback knows after one epoch (counted from 1)."""

    epoch: int
    value: float | None  # None where it was not measured
    best: float | None  # the best value so far; None as long as nothing was watched
    best_epoch: int | None
    wait: int  # epochs since the last improvement (with a baseline: that beat it too)
    improved: bool
    stopped: bool  # whether training ends after this epoch


class Stopping(NamedTuple):
    """How a training ends under early stopping; ``pandas.DataFrame(states)`` shows it by epoch."""

    stopped_epoch: int | None  # None if the curve ended first
    best_epoch: int | None
    best: float | None
    weights_epoch: int  # the epoch whose weights the model has in the end
    states: tuple  # an EpochState for each epoch that was trained


class Prechelt(NamedTuple):
    """How a training ends under one of Prechelt's criteria."""

    stopped_epoch: int | None  # None if the curve ended first
    best_epoch: int  # lowest validation error up to the end: Prechelt keeps its weights
    values: np.ndarray  # what was compared with the threshold; NaN where nothing was


def read_curve(curve, name="curve"):
    """Return a curve as floats, or None; a ValueError names the epoch that holds no number.

    NaN and infinity are numbers, since trainings diverge, but nobody means to type them.
    """
    typed = isinstance(curve, str)
    values = curve.replace(",", " ").replace(";", " ").split() if typed else list(curve)
    if not values:
        raise ValueError(f"{name} must hold at least one epoch, such as 0.9 0.5 0.6: it is empty")
    numbers = []
    for epoch, value in enumerate(values, start=1):
        try:
            numbers.append(None if value is None else float(value))
            if typed and not math.isfinite(numbers[-1]):
                raise ValueError
        except (TypeError, ValueError):
            raise ValueError(f"{name} must hold numbers: got {value!r} at epoch {epoch}") from None
    return numbers


def direction(monitor, mode="auto"):
    """Return "min" or "max": which way `monitor` gets better. "auto" goes by its name, as Keras."""
    if one_of("mode", mode, ("auto", "min", "max")) != "auto":
        return mode
    name = monitor.removeprefix("val_")
    if name != "loss" and name not in _HIGHER_IS_BETTER:
        raise ValueError(f'mode must be "min" or "max" for {monitor!r}, whose name tells neither')
    return "max" if name in _HIGHER_IS_BETTER else "min"


def early_stopping(
    curve,
    *,
    monitor="val_loss",
    min_delta=0.0,
    patience=0,
    mode="auto",
    baseline=None,
    restore_best_weights=False,
    start_from_epoch=0,
):
    """Replay `keras.callbacks.EarlyStopping` over a curve; return a `Stopping`.

    Settings and defaults are Keras'. So are the details: patience 0 does the same as 1, since the
    first watched epoch is the best yet; only what also beats the `baseline` sets the waiting to 0;
    weights are restored whether training was stopped or not; NaN is never better, and after a first
    NaN nothing is; numbers are compared in 32 bits, so that 1e-8 means nothing to a loss of 0.2.
    """
    curve, sign = read_curve(curve), {"max": 1, "min": -1}[direction(monitor, mode)]
    patience = whole("patience", patience, least=0)
    start_from_epoch = whole("start_from_epoch", start_from_epoch, least=0)

    def better(value, reference):
        with np.errstate(over="ignore"):
            value, reference = np.float32(value - sign * abs(min_delta)), np.float32(reference)
        return bool(value > reference if sign > 0 else value < reference)

    states, best, best_epoch, wait = [], None, None, 0
    for epoch, value in enumerate(curve, start=1):
        watched = value is not None and epoch > start_from_epoch
        improved = watched and (best is None or better(value, best))
        wait += watched
        if improved:
            best, best_epoch = value, epoch
            wait = 0 if baseline is None or better(value, baseline) else wait
        stopped = watched and not improved and wait >= patience
        states.append(EpochState(epoch, value, best, best_epoch, wait, improved, stopped))
        if stopped:
            break
    weights_epoch = best_epoch if restore_best_weights and best_epoch else epoch
    return Stopping(epoch if stopped else None, best_epoch, best, weights_epoch, tuple(states))


def gl(validation, alpha):
    """Stop after the first epoch whose generalization loss, GL(t), is above `alpha`, in percent.

    GL(t) = 100 · (E(t) / min over t' ≤ t of E(t') − 1). Source of all three: Lutz Prechelt,
    "Early Stopping – But When?", in: Neural Networks: Tricks of the Trade, 1998, section 2.
    """
    errors = _errors(validation, "validation")
    return _first_above(errors, _generalization_loss(errors), alpha)


def pq(validation, training, alpha, strip=5):
    """Stop after the first strip of epochs at whose end GL(t) / P(t) is above `alpha`.

    P(t) = 1000 · (mean / minimum of the strip's training errors − 1) is large while they fall fast:
    then validation may recover, and the criterion waits.
    """
    errors, training = _errors(validation, "validation"), _errors(training, "training")
    if len(errors) != len(training):
        raise ValueError(f"curves must be of one length: got {len(errors)} and {len(training)}")
    strip, values = whole("strip", strip), np.full(len(errors), math.nan)
    losses = _generalization_loss(errors)
    for end in range(strip, len(errors) + 1, strip):
        last, loss = training[end - strip : end], losses[end - 1]
        with np.errstate(divide="ignore"):  # without progress any loss is too much
            progress = 1000 * _excess(last.mean(), last.min())
            values[end - 1] = loss if loss in (0, math.inf) else loss / progress
    return _first_above(errors, values, alpha)


def up(validation, successive, strip=5):
    """Stop when the error rose at the ends of `successive` strips in a row, however little."""
    errors, strip = _errors(validation, "validation"), whole("strip", strip)
    rises, values = 0, np.full(len(errors), math.nan)
    for end in range(2 * strip - 1, len(errors), strip):
        rises = rises + 1 if errors[end] > errors[end - strip] else 0
        values[end] = rises
    return _first_above(errors, values, whole("successive", successive) - 1)


def _generalization_loss(errors):
    return 100 * _excess(errors, np.minimum.accumulate(errors))


def _errors(curve, name):
    errors = np.array(read_curve(curve, name), float)  # None becomes NaN
    if (errors < 0).any():
        raise ValueError(f"{name} must be at least 0, since ratios are taken: got {errors.min()}")
    return np.where(np.isnan(errors), math.inf, errors)  # what has diverged is infinitely bad


def _excess(values, lowest):
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(values > lowest, np.divide(values, lowest) - 1, 0.0)


def _first_above(errors, values, threshold):
    if not threshold >= 0:
        raise ValueError(f"alpha must be at least 0: got {threshold}")
    stops = np.flatnonzero(values > threshold) + 1
    end = int(stops[0]) if len(stops) else len(values)
    best_epoch = int(errors[:end].argmin()) + 1
    return Prechelt(end if len(stops) else None, best_epoch, values[:end])
