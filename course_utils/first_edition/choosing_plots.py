"""Figures of choosing: what patience costs, how a choice leaks, which images validate.

Pure functions, as in `plotting`: numbers in, a ``Figure`` out.
"""

from __future__ import annotations

import math

import numpy as np
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke

from course_utils.first_edition import plotting
from course_utils.first_edition.plotting import BLUE, GREEN, GREY, OCHRE, ORANGE, styled
from course_utils.first_edition.prechelt import whole


@styled
def cost_plane(series, *, title, xlabel="epochs trained, mean over runs", ylabel):
    """Draw what each patience costs and what it buys: one point a patience, one line a series.

    Parameters
    ----------
    series : mapping from name to mapping
        For each series, label of a point → (epochs, losses): one value a run of each.
    title, xlabel, ylabel : str

    Returns
    -------
    Figure
        Vertical bars are ± one standard error of the mean.
    """
    figure, axis = plotting.subplots(size=(7.4, 4.0))
    looks = ((BLUE, "o", "-", (6, -12)), (OCHRE, "s", "--", (6, 5)))
    for (name, points), (color, marker, dash, shift) in zip(series.items(), looks, strict=False):
        x = [np.mean(epochs) for epochs, _ in points.values()]
        y = [np.mean(losses) for _, losses in points.values()]
        error = [np.std(losses, ddof=1) / math.sqrt(len(losses)) for _, losses in points.values()]
        axis.errorbar(
            x, y, error, color=color, marker=marker, linestyle=dash, elinewidth=0.9, label=name
        )
        for label, left, top in zip(points, x, y, strict=True):
            axis.annotate(label, (left, top), shift, textcoords="offset points", fontsize=8.5)
    axis.set(xlabel=xlabel, ylabel=ylabel)
    axis.grid()
    axis.legend()
    plotting.headline(figure, title)
    return figure


@styled
def loss_curves(runs, *, title):
    """Draw training and validation loss side by side for several runs, the lowest point starred.

    Its epoch stands in the panel's title: beside the star it would lie on a line.

    Parameters
    ----------
    runs : mapping from name to (sequence of float, sequence of float)
        Training and validation loss.
    title : str

    Returns
    -------
    Figure
    """
    figure, axes = plotting.subplots(
        1, len(runs), size=(4.1 * len(runs), 3.3), sharey=True, squeeze=False
    )
    for axis, (name, (training, validation)) in zip(axes[0], runs.items(), strict=True):
        epochs = np.arange(1, len(validation) + 1)
        axis.plot(epochs, training, color=GREY, marker="", linestyle="--", label="training")
        axis.plot(epochs, validation, color=BLUE, marker="", linestyle="-", label="validation")
        lowest = int(np.nanargmin(validation))
        axis.plot(epochs[lowest], validation[lowest], "*", color=GREEN, markersize=15)
        # Small: it names the run, and two of them stand side by side.
        axis.set_title(f"{name}: lowest at epoch {lowest + 1}", fontsize="small")
        axis.set_xlabel("epoch")
        axis.grid(axis="y")
    axes[0, 0].set_ylabel("cross-entropy")
    axes[0, 0].legend()
    plotting.headline(figure, title)
    return figure


def best_of(choices, images, accuracy, repeats=2_000, seed=0):
    """Let luck choose: the best of some equally good networks, and how it does on fresh images.

    All networks are right with the same probability, each independently of the others. (Epochs of
    one training are alike, so that choosing among them leaks less than this.)

    Parameters
    ----------
    choices : int
        Number of networks.
    images : int
        Number of images that choose, and of fresh ones.
    accuracy : float
        Probability of being right on an image.
    repeats : int
        Number of repetitions.
    seed : int

    Returns
    -------
    (array, array), each of shape (repeats,)
        The winner's accuracy on the images that chose it, and on fresh ones.
    """
    choices, images = whole(choices, "choices", 1), whole(images, "images", 1)
    if not 0 < accuracy < 1:
        raise ValueError(f"accuracy must lie between 0 and 1: got {accuracy}")
    rng = np.random.default_rng(seed)
    chosen = rng.binomial(images, accuracy, (repeats, choices)).max(axis=1) / images
    return chosen, rng.binomial(images, accuracy, repeats) / images


@styled
def leakage_meter(chosen, fresh, *, title):
    """Draw the winner's score on the images that chose it and on fresh ones, and the gap.

    Parameters
    ----------
    chosen, fresh : arrays of shape (repeats,)
        Accuracies, as `best_of` returns them.
    title : str

    Returns
    -------
    Figure
    """
    figure, axis = plotting.subplots(size=(7.4, 3.0))
    values = np.unique(np.concatenate([chosen, fresh]))
    # Accuracies are whole numbers of images: bins that hold unequal numbers of them would mislead.
    step = np.diff(values).min() if len(values) > 1 else 0.01
    width = step * math.ceil((values[-1] - values[0]) / step / 30 + 1e-9)
    bins = np.arange(values[0] - step / 2, values[-1] + width, width)
    for values, color, hatch, name in (
        (fresh, BLUE, "", "on fresh images"),
        (chosen, ORANGE, "//", "on the images that chose it"),
    ):
        axis.hist(values, bins, alpha=0.45, color=color, hatch=hatch, edgecolor=color, label=name)
    top = axis.get_ylim()[1]
    for values, color in ((fresh, BLUE), (chosen, ORANGE)):
        (line,) = axis.plot([values.mean()] * 2, [0, 1.1 * top], color=color, marker="")
        line.set_path_effects([withStroke(linewidth=5, foreground="white")])
    axis.annotate(
        "",
        (chosen.mean(), 1.05 * top),
        (fresh.mean(), 1.05 * top),
        arrowprops={"arrowstyle": "<->", "color": GREY},
    )
    axis.set(xlabel="accuracy of the winner", ylabel="repetitions", ylim=(0, 1.5 * top))
    axis.legend(loc="upper left", ncols=2)
    plotting.headline(figure, title)
    return figure


@styled
def holdout_and_folds(folds=5, *, title):
    """Draw which images validate: one hold-out, and cross-validation in some folds.

    Parameters
    ----------
    folds : int
        At least 2.
    title : str

    Returns
    -------
    Figure
    """
    folds = whole(folds, "folds", 2)
    figure, axes = plotting.subplots(
        2, 1, size=(7.4, 1.5 + 0.3 * folds), height_ratios=(1, folds), sharex=True
    )
    for axis, rows in zip(axes, (1, folds), strict=True):
        for row in range(rows):
            for part in range(folds):
                held = part == folds - 1 - row
                axis.add_patch(
                    Rectangle(
                        (part, row - 0.42),
                        1,
                        0.84,
                        edgecolor="white",
                        hatch="//" if held else "",
                        facecolor="#F6D9B8" if held else "#CFE2EF",
                    )
                )
                words = "validates" if held else "trains"
                axis.text(part + 0.5, row, words, ha="center", va="center", fontsize=9)
        names = ["hold-out"] if rows == 1 else [f"fold {k + 1}" for k in range(rows)]
        axis.set_yticks(range(rows), names)
        axis.set(xlim=(0, folds), ylim=(rows - 0.45, -0.55), xticks=[])
        axis.spines[:].set_visible(False)
        axis.tick_params(length=0)
    axes[-1].set_xlabel("the images, in parts; each row trains one network")
    plotting.headline(figure, title)
    return figure
