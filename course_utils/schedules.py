"""Learning rates that change at every step: the 1cycle schedule, and a finder for its peak."""

from __future__ import annotations

import math

import numpy as np

from .sizes import whole


def one_cycle(steps, peak, *, rise=0.3, start=1 / 25, end=1 / 250_000):
    """Return the learning rate of every step of a cosine 1cycle.

    The rate climbs along half a cosine from `start` times the peak to the peak, and falls along
    another to `end` times the peak, which the last step has (Smith and Topin, "Super-convergence",
    2018; the cosine form and these defaults are those of PyTorch's `OneCycleLR`, which places the
    peak one step earlier).

    Parameters
    ----------
    steps : int
        Weight updates of the whole training, at least 2.
    peak : float
        The largest rate. A step that does not fall on it exactly stays a little below.
    rise : float
        Where the peak is on the way from the first step, 0, to the last, 1.
    start, end : float
        First and last rate, as shares of `peak`.

    Returns
    -------
    ndarray of float (steps,)

    Raises
    ------
    ValueError
        For fewer than 2 steps, a peak of 0 or less, or a rise that is not between 0 and 1.
    """
    steps = whole("steps", steps, least=2)
    if not peak > 0:
        raise ValueError(f"peak must be above 0: got {peak!r}")
    if not 0 < rise < 1:
        raise ValueError(f"rise must be between 0 and 1: got {rise!r}")
    at = np.linspace(0, 1, steps)
    rising = _between(start, 1.0, at / rise)
    falling = _between(1.0, end, (at - rise) / (1 - rise))
    return peak * np.where(at < rise, rising, falling)


def _between(first, last, share):
    return last + (first - last) * (1 + np.cos(np.pi * share)) / 2


def per_step(model, rates):
    """Return a callback that sets the learning rate before each step.

    Parameters
    ----------
    model : keras.Model
        Compiled.
    rates : sequence of float
        One a step. A training of more steps than rates raises StopIteration.

    Returns
    -------
    keras.callbacks.Callback
    """
    import keras

    remaining = iter(np.asarray(rates, dtype=float))

    def begin(batch, logs=None):
        model.optimizer.learning_rate = float(next(remaining))

    return keras.callbacks.LambdaCallback(on_train_batch_begin=begin)


def find_rate(model, images, labels, *, lowest=1e-5, highest=1.0, steps=80, batch_size=50, seed=0):
    """Train through rising learning rates, and return the loss of each step's batch.

    The rates rise by the same factor from step to step; it ends early where the smoothed loss is
    four times its lowest, or a loss is no number (Smith, "Cyclical learning rates", 2017). The
    model's weights are as before afterwards; the optimizer's moments are not.

    Parameters
    ----------
    model : keras.Model
        Compiled with one loss and no metric.
    images, labels : arrays
        Training data; each step draws a batch anew.
    lowest, highest : float
        First and last rate.
    steps, batch_size, seed : int

    Returns
    -------
    (ndarray, ndarray)
        Rates and losses, as many as steps were taken.

    Raises
    ------
    ValueError
        If not 0 < lowest < highest, or for fewer than 2 steps.
    """
    if not 0 < lowest < highest:
        raise ValueError(f"rates must rise from above 0: got {lowest!r} to {highest!r}")
    rng = np.random.default_rng(seed)
    before, rates, losses = model.get_weights(), [], []
    for rate in np.geomspace(lowest, highest, whole("steps", steps, least=2)):
        batch = rng.choice(len(images), size=min(batch_size, len(images)), replace=False)
        model.optimizer.learning_rate = float(rate)
        model.reset_metrics()  # or Keras returns the mean over all steps so far
        loss = float(model.train_on_batch(images[batch], labels[batch]))
        if not math.isfinite(loss):
            break
        rates.append(float(rate))
        losses.append(loss)
        curve = smoothed(losses)  # a single batch may be hard, or easy
        if curve[-1] > 4 * curve.min():
            break
    model.set_weights(before)
    return np.array(rates), np.array(losses)


def smoothed(values, weight=0.8):
    """Return the exponential moving average of a curve, divided by the weights so far.

    Without this division the first values would be drawn to 0, where the average starts.
    """
    values = np.asarray(values, dtype=float)
    average, found = 0.0, []
    for step, value in enumerate(values, start=1):
        average = weight * average + (1 - weight) * value
        found.append(average / (1 - weight**step))
    return np.array(found)


def suggest_rate(rates, losses):
    """Return a tenth of the rate at which the smoothed loss is lowest: a rule of thumb.

    At the lowest loss itself, the next steps already make it worse.

    Raises
    ------
    ValueError
        Without any step, or if the loss is lowest at the end: then the rates that are too large
        have not been seen.
    """
    if not len(rates):
        raise ValueError("rates must hold at least one step: got none")
    lowest = int(np.argmin(smoothed(losses)))
    if lowest == len(rates) - 1:
        raise ValueError(
            f"the loss is still falling at the last rate, {rates[-1]:.2g}: sweep to higher rates"
        )
    return float(rates[lowest]) / 10
