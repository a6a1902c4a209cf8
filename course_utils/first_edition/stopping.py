"""Early stopping as a pure function over a curve, equal to Keras' callback.

Epochs are counted from 1 everywhere, as Keras prints them and people say them. (Inside of Keras'
callback, `stopped_epoch` and `best_epoch` count from 0.) Importing this module imports no Keras.
Prechelt's criteria, from `course_utils.prechelt`, can be reached from here as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from course_utils.first_edition import prechelt
from course_utils.first_edition.choices import one_of
from course_utils.first_edition.prechelt import (
    PrecheltResult,
    curve_of,
    generalization_loss,
    gl,
    pq,
    training_progress,
    up,
    whole,
)

__all__ = [
    "EpochState",
    "PrecheltResult",
    "Stopping",
    "direction",
    "early_stopping",
    "generalization_loss",
    "gl",
    "pq",
    "training_progress",
    "up",
]

MODES = ("auto", "min", "max")
# Metrics that Keras itself knows to be better when they are higher, and those of the course.
_HIGHER_IS_BETTER = ("accuracy", "acc", "binary_accuracy", "categorical_accuracy", "precision")
_HIGHER_IS_BETTER += ("sparse_categorical_accuracy", "recall", "f1", "f1_score", "auc")


@dataclass(frozen=True)
class EpochState:
    """What the callback knows after one epoch.

    Attributes
    ----------
    epoch : int
        From 1.
    value : float or None
        The monitored value; None where it was not measured.
    best : float or None
        The best value so far; None as long as nothing was watched.
    best_epoch : int or None
        Its epoch.
    wait : int
        Epochs since the last improvement (with a baseline: since the last one that beat it too).
    watched : bool
        False before `start_from_epoch`, and where nothing was measured.
    improved, stopped : bool
        Whether this epoch is the new best, and whether training ends after it.
    """

    epoch: int
    value: float | None
    best: float | None
    best_epoch: int | None
    wait: int
    watched: bool
    improved: bool
    stopped: bool


@dataclass(frozen=True)
class Stopping:
    """How a training run ends under early stopping.

    Attributes
    ----------
    stopped_epoch : int or None
        The epoch (from 1) after which training was stopped; None if the curve ended first.
    best_epoch : int or None
        The epoch (from 1) with the best value that was watched.
    best : float or None
        That value.
    weights_epoch : int
        The epoch whose weights the model has in the end: the best one if they are restored,
        otherwise the last one that was trained.
    states : tuple of EpochState
        One an epoch, up to the stop; ``pandas.DataFrame(result.states)`` makes a table of them.
    """

    stopped_epoch: int | None
    best_epoch: int | None
    best: float | None
    weights_epoch: int
    states: tuple[EpochState, ...]

    @property
    def stopped(self) -> bool:
        """Whether training was stopped before the curve ended, or at its last epoch."""
        return self.stopped_epoch is not None

    @property
    def epochs(self) -> int:
        """Number of epochs that were trained."""
        return len(self.states)


def direction(monitor: str, mode: str = "auto") -> str:
    """Return "min" or "max": which way a monitored quantity gets better.

    Parameters
    ----------
    monitor : str
        Its name, such as ``val_loss`` or ``accuracy``.
    mode : {"auto", "min", "max"}
        `"auto"` goes by the name, and refuses one that it does not know, as Keras does.

    Raises
    ------
    ValueError
        For an unknown mode, or a name from which the direction cannot be told.
    """
    if one_of("mode", mode, MODES) != "auto":
        return mode
    name = monitor.removeprefix("val_")
    if name == "loss":
        return "min"
    if name in _HIGHER_IS_BETTER:
        return "max"
    raise ValueError(f"mode='auto' cannot tell whether more {monitor!r} is better: pass min or max")


def early_stopping(
    curve: Sequence[float | None],
    *,
    monitor: str = "val_loss",
    min_delta: float = 0.0,
    patience: int = 0,
    mode: str = "auto",
    baseline: float | None = None,
    restore_best_weights: bool = False,
    start_from_epoch: int = 0,
) -> Stopping:
    """Replay `keras.callbacks.EarlyStopping` over a curve; settings and defaults are Keras'.

    Parameters
    ----------
    curve : sequence of float
        The monitored value after each epoch; None for an epoch without validation. NaN is never
        better than anything, and if it comes first nothing is ever better than it.
    monitor : str
        Name of the quantity, which gives the direction if `mode` is `"auto"`.
    min_delta : float
        An improvement must be larger than this, in the unit of the curve.
    patience : int
        Training stops at the `patience`-th epoch in a row without improvement. 0 and 1 do the same:
        both stop at the first such epoch. (The first epoch that is watched is always the best yet.)
    mode : {"auto", "min", "max"}
        Direction in which the quantity gets better.
    baseline : float, optional
        Only an improvement that is also better than this sets the waiting back to 0.
    restore_best_weights : bool
        Whether the model gets the weights of the best epoch in the end, stopped or not.
    start_from_epoch : int
        Number of first epochs that are not watched.

    Returns
    -------
    Stopping
        Stopped epoch, best epoch, and the state after each epoch.

    Raises
    ------
    ValueError
        For an empty curve, a negative patience, min_delta or start_from_epoch, or an unknown mode.

    Notes
    -----
    Keras compares in 32 bits, where 0.2 and 0.20000001 are the same number: a min_delta of 1e-8
    cannot make a difference to such a loss. This function does the same.
    """
    curve = curve_of(curve, "curve")
    patience = whole(patience, "patience")
    start_from_epoch = whole(start_from_epoch, "start_from_epoch")
    if not min_delta >= 0:
        raise ValueError(f"min_delta must be at least 0: got {min_delta}")
    sign = 1 if direction(monitor, mode) == "max" else -1

    def better(value: float, reference: float | None) -> bool:
        if reference is None:
            return True
        with np.errstate(over="ignore"):
            left, right = np.float32(value - sign * min_delta), np.float32(reference)
        return bool(left > right if sign > 0 else left < right)

    states: list[EpochState] = []
    best = best_epoch = None
    wait = 0
    for epoch, value in enumerate(curve, start=1):
        watched = value is not None and epoch > start_from_epoch
        improved = stopped = False
        if watched:
            wait += 1
            improved = better(value, best)
            if improved:
                best, best_epoch = value, epoch
                if baseline is None or better(value, baseline):
                    wait = 0
            else:
                stopped = wait >= patience
        states.append(EpochState(epoch, value, best, best_epoch, wait, watched, improved, stopped))
        if stopped:
            break
    restored = restore_best_weights and best_epoch is not None
    return Stopping(
        stopped_epoch=epoch if stopped else None,
        best_epoch=best_epoch,
        best=best,
        weights_epoch=best_epoch if restored else epoch,
        states=tuple(states),
    )


def __getattr__(name: str) -> object:
    if name == "PrecheltStopping":
        return prechelt.PrecheltStopping
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
