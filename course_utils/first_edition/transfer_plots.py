"""Figures of transfer: features by depth, neighbours, gain by the number of images, drift.

Pure functions, as in `plotting`.
"""

from __future__ import annotations

import numpy as np
from matplotlib.ticker import NullLocator, PercentFormatter

from . import plotting
from .plotting import BLUE, GREEN, GREY, ORANGE, headline, styled

LOOKS = [(BLUE, "o", "-"), (ORANGE, "s", "--"), (GREEN, "^", "-."), (GREY, "D", ":")]


@styled
def by_depth(places, dims, lines, *, title, ylabel, chance=None):
    """Draw accuracy against the depth that features are taken from, each seed as a small mark.

    Parameters
    ----------
    places : sequence of str
    dims : sequence of int
        Features at each place.
    lines : mapping from label to array (seeds, places)
    title, ylabel : str
    chance : float, optional
        Drawn as a grey line.

    Returns
    -------
    Figure
    """
    x = np.arange(len(places))
    figure, axis = _accuracies(x, lines, title=title, ylabel=ylabel, chance=chance)
    axis.set_xticks(x, [f"{place}\n{n:,}" for place, n in zip(places, dims, strict=True)])
    axis.set_xlabel("where the features are taken, and how many there are")
    return figure


@styled
def by_size(sizes, lines, *, title, ylabel, chance=None):
    """Draw accuracy against the number of training images, each seed as a small mark.

    Parameters
    ----------
    sizes : sequence of int
    lines : mapping from label to array (seeds, sizes)
    title, ylabel : str
    chance : float, optional
        Drawn as a grey line.

    Returns
    -------
    Figure
    """
    x = np.asarray(sizes, float)
    figure, axis = _accuracies(x, lines, title=title, ylabel=ylabel, chance=chance, factor=1.035)
    axis.set_xscale("log")
    axis.set_xticks(sizes, [str(size) for size in sizes])
    axis.xaxis.set_minor_locator(NullLocator())
    axis.set_xlabel("training images of each class (log scale)")
    return figure


def in_words(places, lines):
    """Say the means of a figure's lines, for its alt text.

    Parameters
    ----------
    places : sequence
        What is on the x axis.
    lines : mapping from label to array (seeds, places)
        Shares.

    Returns
    -------
    str
        Such as ``frozen: 51 % at 2, 81 % at 10.``
    """
    return " ".join(
        f"{label}: "
        + ", ".join(
            f"{100 * mean:.0f} % at {place}" for place, mean in zip(places, means, strict=True)
        )
        + "."
        for label, means in ((label, np.mean(runs, axis=0)) for label, runs in lines.items())
    )


def _accuracies(x, lines, *, title, ylabel, chance, factor=None):
    figure, axis = plotting.subplots(size=(7.0, 3.6))
    _groups(axis, x, lines, factor)
    _chance(axis, chance)
    _percent(axis)
    axis.set_ylabel(ylabel)
    axis.legend()
    headline(figure, title)
    return figure, axis


def _groups(axis, x, lines, factor=None, joined=True):
    """Draw the mean of each group as a line, or as marks only, and its runs as small marks."""
    middle = (len(lines) - 1) / 2
    for k, (label, runs) in enumerate(lines.items()):
        color, marker, dash = LOOKS[k % len(LOOKS)]
        runs = np.asarray(runs, float)
        place = x * factor ** (k - middle) if factor else x + 0.06 * (k - middle)
        dash = dash if joined else ""
        axis.plot(place, runs.mean(axis=0), color=color, marker=marker, linestyle=dash, label=label)
        for run in runs:
            axis.plot(place, run, marker, color=color, markersize=3.5, markerfacecolor="white")


def _chance(axis, chance):
    if chance is not None:
        axis.axhline(chance, color=GREY, linewidth=1.2, linestyle=":", marker="")
        axis.annotate(
            f"guessing: {chance:.0%}",
            (1, chance),
            (-2, 3),
            xycoords=("axes fraction", "data"),
            textcoords="offset points",
            ha="right",
            fontsize=9,
        )


def _percent(axis):
    axis.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axis.grid(axis="y")


@styled
def neighbour_rows(queries, query_names, rows, *, title):
    """Draw queries and, to the right of each, its nearest neighbours by each kind of features.

    Parameters
    ----------
    queries : array (n, h, w, channels)
    query_names : sequence of str
        What each query shows.
    rows : mapping from label to (array (n, k, h, w, channels), array (n, k) of str)
        Neighbours of each query, and what they show.
    title : str

    Returns
    -------
    Figure
        A framed picture with a cross is of another class than its query.
    """
    k = next(iter(rows.values()))[0].shape[1]
    widths = [1.15, *([1] * k + [0.35]) * len(rows)]
    figure, axes = plotting.subplots(
        len(queries),
        len(widths),
        size=(0.62 * sum(widths), 0.75 + 0.82 * len(queries)),
        width_ratios=widths,
        squeeze=False,
    )
    for axis in axes.flat:
        axis.axis("off")
    for n, query in enumerate(queries):
        _tile(axes[n, 0], query, f"a {query_names[n]}", bold=True)
        for block, (images, names) in enumerate(rows.values()):
            for j in range(k):
                axis = axes[n, 1 + block * (k + 1) + j]
                wrong = names[n, j] != query_names[n]
                _tile(axis, images[n, j], f"× {names[n, j]}" if wrong else names[n, j])
                if wrong:
                    axis.axis("on")
                    axis.set(xticks=[], yticks=[])
                    axis.spines[:].set(visible=True, color=ORANGE, linewidth=2.5)
    for block, label in enumerate(rows):
        note = axes[-1, 1 + block * (k + 1)].annotate(
            label, (0, -0.12), xycoords="axes fraction", va="top", fontsize=9, fontweight="bold"
        )
        note.set_in_layout(False)  # it is wider than the picture above it
    figure.get_layout_engine().set(rect=(0, 0.045, 1, 0.955))  # so leave it some room
    headline(figure, title)
    return figure


def _tile(axis, image, text, bold=False):
    image = np.asarray(image)
    axis.imshow(image[..., 0] if image.shape[-1] == 1 else image, cmap="gray", vmin=0, vmax=255)
    weight = "bold" if bold else "normal"
    axis.set_title(text, fontsize=8.5, fontweight=weight, loc="center", pad=4)


@styled
def inputs_and_accuracy(rows, *, title, chance):
    """Draw what a network is given, the range of its values, and how often it is right.

    Parameters
    ----------
    rows : mapping from name to (array (h, w, channels), Interval)
        One input as it is given, and the accuracy with its interval.
    title : str
    chance : float

    Returns
    -------
    Figure
    """
    figure, axes = plotting.subplots(
        len(rows), 2, size=(7.2, 0.9 + 0.62 * len(rows)), width_ratios=[1, 7]
    )
    for (picture, axis), (name, (image, accuracy)) in zip(axes, rows.items(), strict=True):
        picture.imshow(np.asarray(image)[..., 0], cmap="gray", vmin=0, vmax=255)
        picture.axis("off")
        axis.barh(0, accuracy.estimate, height=0.5, color=BLUE, hatch=None)
        axis.plot([accuracy.low, accuracy.high], [0, 0], color="black", marker="|", linestyle="-")
        axis.axvline(chance, color=GREY, linewidth=1.2, linestyle=":", marker="")
        axis.set(xlim=(0, 1.13), ylim=(-0.6, 0.6), yticks=[])
        ends = f"{image.min():.3g} to {image.max():.3g}".replace("-", "−")
        axis.set_title(f"{name}: values {ends}", fontsize=9, pad=2)
        axis.annotate(
            f"{accuracy.estimate:.1%}", (max(accuracy.high, 0.02), 0), (5, 0), va="center",
            textcoords="offset points", fontsize=9,
        )  # fmt: skip
        axis.xaxis.set_major_formatter(PercentFormatter(1))
        axis.tick_params(labelbottom=axis is axes[-1, 1])
    axes[-1, 1].set_xlabel("accuracy, with its 95% interval; dotted: guessing")
    headline(figure, title)
    return figure


@styled
def drift_and_accuracy(rates, drift, lines, *, title, level=None):
    """Draw how far weights move against the learning rate (left), and what that does (right).

    Parameters
    ----------
    rates : sequence of float
    drift : array (seeds, rates)
        Relative change of the kernels.
    lines : mapping from label to array (seeds, rates)
        Accuracies.
    title : str
    level : (str, float), optional
        Name and accuracy of what has no rate: a dashed line on the right.

    Returns
    -------
    Figure
    """
    figure, axes = plotting.subplots(1, 2, size=(9.2, 3.5))
    # Few rates and few seeds: a line between them would be drawn from nothing.
    _groups(axes[0], np.asarray(rates), {"kernels of the base": drift}, factor=1.0, joined=False)
    _groups(axes[1], np.asarray(rates), lines, factor=1.0, joined=False)
    axes[0].set(yscale="log", ylabel="relative change (log scale)")
    axes[0].grid(axis="y")
    axes[1].set(ylabel="validation accuracy")
    _percent(axes[1])
    if level is not None:
        name, value = level
        axes[1].axhline(value, color=GREY, linestyle="--", marker="", label=f"{name}: {value:.0%}")
    for axis in axes:
        axis.set(xscale="log", xlabel="learning rate of fine-tuning (log scale)")
    axes[1].legend()
    headline(figure, title)
    return figure


@styled
def probabilities(images, rows, *, title):
    """Draw pictures with the classes that a network gives them, as bars.

    Parameters
    ----------
    images : mapping from caption to array (h, w, channels)
        From the file as it is to what the network gets.
    rows : mapping from class name to float
        Probabilities.
    title : str

    Returns
    -------
    Figure
    """
    figure, axes = plotting.subplots(
        1,
        len(images) + 1,
        size=(2.1 * len(images) + 3.4, 2.7),
        width_ratios=[1] * len(images) + [2],
    )
    for axis, (caption, image) in zip(axes, images.items(), strict=False):
        _tile(axis, image, caption)
        axis.axis("off")
    names, values = list(rows), list(rows.values())
    axes[-1].barh(names, values, color=BLUE, height=0.6)
    for k, value in enumerate(values):
        axes[-1].annotate(
            f"{value:.0%}", (value, k), (4, 0), textcoords="offset points", va="center", fontsize=9
        )
    axes[-1].set(xlim=(0, 1.15), xlabel="probability")
    axes[-1].xaxis.set_major_formatter(PercentFormatter(1))
    axes[-1].invert_yaxis()
    headline(figure, title)
    return figure
