"""Drawings of the race to 99 %: what each recipe costs, and what it reaches.

Pure functions like those of ``plotting``: numbers in, a ``Figure`` out.
"""

import numpy as np

from . import plotting
from .plotting import BLUE, GREY, ORANGE, headline, styled


@styled
def ladder(runs, *, title, target=0.99, apart=("record",), percent_low=None):
    """Draw recipes from the dearest to the cheapest: CPU-seconds left, accuracy right, a row each.

    Parameters
    ----------
    runs : mapping from name to (sequence of float, sequence of float)
        CPU-seconds and accuracies, one of each a seed, in the order in which the rows stand.
    title : str
    target : float
        The accuracy that counts.
    apart : sequence of str
        Names that are no rung: drawn with another marker, without a line to the one before.
    percent_low : float, optional
        Left end of the accuracy axis, in per cent.

    Returns
    -------
    Figure
        Left, on a log scale, a small dot a seed and a large one for the mean, with the mean
        written in. Right, on the same rows, the accuracies. A hollow marker: the mean is below
        the target.

    Raises
    ------
    ValueError
        If there are no runs, or a recipe has not one accuracy for each of its costs.
    """
    if not runs:
        raise ValueError("runs must hold at least one recipe: got none")
    for name, (seconds, accuracies) in runs.items():
        if not len(seconds) or len(seconds) != len(accuracies):
            raise ValueError(
                "each recipe must have as many accuracies as costs, at least one: "
                f"{name!r} has {len(accuracies)} and {len(seconds)}"
            )
    figure, (cost, score) = plotting.subplots(
        1, 2, size=(9.6, 1.5 + 0.38 * len(runs)), sharey=True, width_ratios=[1.35, 1]
    )
    means = {name: (np.mean(s), 100 * np.mean(a)) for name, (s, a) in runs.items()}
    rungs = [row for row, name in enumerate(runs) if name not in apart]
    path = np.array(list(means.values()))[rungs]
    cost.plot(path[:, 0], rungs, "-", color=GREY, linewidth=1.2, marker="", zorder=1)
    for row, (name, (seconds, accuracies)) in enumerate(runs.items()):
        ink, marker = (ORANGE, "D") if name in apart else (BLUE, "o")
        mean, accuracy = means[name]
        fill = ink if accuracy >= 100 * target else "white"
        for axis, values, middle in (
            (cost, np.asarray(seconds), mean),
            (score, 100 * np.asarray(accuracies), accuracy),
        ):
            axis.plot(
                values, np.full(len(values), row), "|", color=ink, markersize=9, markeredgewidth=0.8
            )
            axis.plot(middle, row, marker, color=ink, markerfacecolor=fill, markersize=8, zorder=3)
        for axis, text, middle in (
            (cost, f"{mean:.3g} s", mean),
            (score, f"{accuracy:.2f} %", accuracy),
        ):
            axis.annotate(
                text,
                (middle, row),
                (0, 7),
                textcoords="offset points",
                ha="center",
                va="bottom",
                fontsize=8.5,
                bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.3, "alpha": 0.8},
                zorder=4,
            )
    cost.set_xscale("log")
    low, high = path[:, 0].min(), path[:, 0].max()
    cost.set_xlim(low / 1.6, high * 1.6)
    ticks = [t * 10.0**k for k in range(-4, 5) for t in (1, 2, 5)]
    ticks = [t for t in ticks if low / 1.6 <= t <= high * 1.6]
    cost.set_xticks(ticks, [f"{t:g}" for t in ticks])
    cost.minorticks_off()
    cost.set(yticks=range(len(runs)), yticklabels=list(runs))
    cost.set_xlabel("CPU-seconds of training (log scale)")
    score.axvline(100 * target, color=GREY, linestyle="--", linewidth=1.2, marker="")
    score.set_xlabel(f"accuracy (%), dashed: {100 * target:.4g} %\nbar: a seed; hollow: mean below")
    score.set_xlim(left=percent_low)
    cost.set_ylim(len(runs) - 0.5, -0.75)
    for axis in (cost, score):
        axis.grid(axis="x")
    headline(figure, title)
    return figure


@styled
def progress(runs, ends, *, title, target=0.99):
    """Draw accuracy against the CPU-seconds spent so far, on a log scale.

    Parameters
    ----------
    runs : mapping from name to sequence of (sequence of float, sequence of float)
        For each seed the CPU-seconds and the accuracy after each epoch: lines, one a seed.
    ends : mapping from name to (sequence of float, sequence of float)
        CPU-seconds and accuracies of recipes of one epoch: dots, one a seed.
    title : str
    target : float

    Returns
    -------
    Figure
    """
    figure, axis = plotting.subplots(size=(7.6, 3.6))
    axis.axhline(100 * target, color=GREY, linestyle="--", linewidth=1.2, marker="")
    for name, seeds in runs.items():
        for k, (seconds, accuracies) in enumerate(seeds):
            axis.plot(
                seconds,
                100 * np.asarray(accuracies),
                "-o",
                color=GREY,
                markersize=4,
                alpha=0.75,
                label=f"{name}: a line a seed, a dot an epoch" if k == 0 else None,
            )
    looks = ((BLUE, "s"), (ORANGE, "D"), (plotting.GREEN, "^"))
    for (name, (seconds, accuracies)), (ink, marker) in zip(ends.items(), looks, strict=False):
        axis.plot(
            seconds, 100 * np.asarray(accuracies), marker, color=ink, linestyle="", label=name
        )
    axis.set_xscale("log")
    axis.set(xlabel="CPU-seconds of training so far (log scale)", ylabel="accuracy (%)")
    axis.grid()
    axis.legend(loc="lower right")
    headline(figure, title)
    return figure
