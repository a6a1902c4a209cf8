"""View of notebook 04: what L1 and L2 do to weights, one by one and all together."""

from functools import lru_cache

import numpy as np

from ..plotting import BLUE, GREY, ORANGE, headline, styled, subplots
from ..widgets import explore

KINDS = ("no penalty", "L2", "L1, gradient steps", "L1, soft threshold")


def step(weights, kind, threshold):
    """Apply the penalty's part of one training step.

    Parameters
    ----------
    weights : array
    kind : one of `KINDS`
    threshold : float
        λ times the learning rate. The soft threshold is the proximal operator of λ|w|, from Parikh
        and Boyd, *Proximal algorithms* (2014), section 6.5.2.
    """
    weights = np.asarray(weights, float)
    if kind == "L2":
        return weights - 2 * threshold * weights
    if kind == "L1, gradient steps":
        return weights - threshold * np.sign(weights)
    if kind == "L1, soft threshold":
        return np.sign(weights) * np.maximum(np.abs(weights) - threshold, 0)
    return weights


@lru_cache(maxsize=64)
def fitted(kind, strength):
    """Fit 50 weights, of which 45 should be 0, to 100 noisy examples; return them."""
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(100, 50))
    true = np.where(np.arange(50) < 5, [1.0, -1, 1, -1, 1] * 10, 0)
    targets = inputs @ true + rng.normal(size=100)
    weights, rate = np.zeros(50), 0.05
    for _ in range(2000):
        slope = 2 * inputs.T @ (inputs @ weights - targets) / len(targets)
        weights = step(weights - rate * slope, kind, rate * strength)
    return weights


@styled
def draw_penalty(kind, strength):
    """Draw what a penalty does to one weight in a step, and to 50 weights in a whole training.

    `kind` is one of `KINDS`, `strength` is λ.
    """
    before = np.linspace(-1, 1, 401)
    figure, (left, right) = subplots(1, 2, size=(8, 2.9))
    left.plot(before, before, color=GREY, linestyle=":", marker="", label="no penalty")
    left.plot(
        before, step(before, kind, strength / 2), color=ORANGE, marker="", label="one step, rate ½"
    )
    left.set(xlabel="weight before", ylabel="weight after")
    left.legend()
    weights = fitted(kind, strength)
    zeros = int((weights == 0).sum())
    near = int((np.abs(weights) < 0.05).sum())
    right.hist(weights, bins=np.linspace(-1.525, 1.525, 62), color=BLUE)
    right.set(xlabel="weight after training", ylabel="number of weights")
    headline(figure, f"{kind}, λ = {strength:g}: {zeros} of 50 weights are exactly 0")
    alt = (
        f"{kind}, λ = {strength:g}. Left: a weight after one step, against the weight before. "
        f"Right: a histogram of 50 trained weights; {near} are nearer to 0 than 0.05, {zeros} of "
        "them exactly 0."
    )
    return figure, alt


def penalties():
    """Choose a penalty and its λ; see one step, and the weights that training ends with."""
    stills = [(kind, 0.4) for kind in KINDS[:0:-1]] + [("no penalty", 0.0)]
    return explore(
        draw_penalty,
        stills=[{"kind": kind, "strength": strength} for kind, strength in stills],
        label="What a penalty does to weights",
        kind=list(KINDS),
        strength=[0.0, 0.1, 0.2, 0.4, 0.8],
    )
