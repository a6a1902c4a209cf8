"""Drawings of how a network did: its training log, its mistakes, its confidence.

Pure functions like those of ``plotting``: numbers in, a ``Figure`` out.
"""

import numpy as np
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator, PercentFormatter

from . import plotting
from .legibility import ink_on
from .plotting import BLUE, GREY, ORANGE, headline, styled


@styled
def log_and_rerun(log, rerun, *, title, names=("the slides' log", "this run")):
    """Draw two training histories over each other: loss left, accuracy right.

    Parameters
    ----------
    log, rerun : mapping from name to sequence of float
        As Keras' ``History.history``, with loss, accuracy, val_loss and val_accuracy.
    title : str
    names : (str, str)
        Of the two histories.

    Returns
    -------
    Figure
    """
    figure, axes = plotting.subplots(1, 2, size=(9.6, 3.4))
    for axis, metric in zip(axes, ("loss", "accuracy"), strict=True):
        for history, name, color in zip((log, rerun), names, (GREY, BLUE), strict=True):
            for prefix, part, marker, dash in (
                ("", "training", "o", "--"),
                ("val_", "validation", "s", "-"),
            ):
                values = history[prefix + metric]
                axis.plot(
                    range(1, len(values) + 1),
                    values,
                    color=color,
                    marker=marker,
                    linestyle=dash,
                    markerfacecolor="white" if color == GREY else color,
                    label=f"{name}: {part}",
                )
        axis.set(xlabel="epoch", ylabel=metric)
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        axis.grid(axis="y")
    axes[0].set_yscale("log")
    axes[0].set_ylabel("loss (log scale)")
    axes[1].yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes[1].legend(loc="lower right")
    headline(figure, title)
    return figure


@styled
def curves(x, lines, *, title, xlabel, ylabel, log=False, marks=None, size=(7.0, 3.3)):
    """Draw one or more lines over the same x.

    Parameters
    ----------
    x : sequence of float
    lines : mapping from label to sequence of float
    title, xlabel, ylabel : str
    log : bool
        Logarithmic y axis.
    marks : mapping from label to float, optional
        Vertical lines, each with its label beside it.

    Returns
    -------
    Figure
    """
    figure, axis = plotting.subplots(size=size)
    for label, values in lines.items():
        axis.plot(x, values, label=label, markevery=max(1, len(x) // 12))
    if log:
        axis.set_yscale("log")
    for label, place in (marks or {}).items():
        axis.axvline(place, color=GREY, linewidth=1.2, linestyle=":", marker="")
        axis.annotate(
            label,
            (place, 1),
            (4, -2),
            xycoords=("data", "axes fraction"),
            textcoords="offset points",
            va="top",
            fontsize=9,
        )
    axis.set(xlabel=xlabel, ylabel=ylabel, title=title)
    axis.grid(axis="y")
    axis.legend()
    return figure


@styled
def groups_of_runs(groups, *, title, xlabel, ylabel):
    """Draw several runs of each of a few ways, a look for each way, on a log scale.

    Parameters
    ----------
    groups : mapping from label to sequence of sequences of float
        One sequence a run; it may end in NaN.
    title, xlabel, ylabel : str

    Returns
    -------
    Figure
        A cross stands on the last number of a run that goes on as NaN.
    """
    figure, axis = plotting.subplots(size=(7.0, 3.3))
    looks = [(ORANGE, "s", "--"), (BLUE, "o", "-"), (GREY, "^", ":")]
    for (label, runs), (color, marker, dash) in zip(groups.items(), looks, strict=False):
        for run in runs:
            run = np.asarray(run, dtype=float)
            x = np.arange(1, len(run) + 1)
            axis.plot(x, run, color=color, marker=marker, linestyle=dash, label=label)
            label = None
            finite = np.flatnonzero(np.isfinite(run))
            if len(finite) and finite[-1] < len(run) - 1:
                last = finite[-1]
                axis.plot(x[last], run[last], "x", color="black", markersize=13, zorder=4)
    if any(line.get_marker() == "x" for line in axis.lines):
        axis.plot([], [], "x", color="black", label="from here on: no number")
    axis.set_yscale("log")
    axis.set(xlabel=xlabel, ylabel=ylabel, title=title)
    axis.grid(axis="y")
    axis.legend()
    return figure


@styled
def confusion(counts, class_names, *, title):
    """Draw a confusion matrix: rows are true classes and sum to 1; the counts are written in.

    Parameters
    ----------
    counts : array (c, c)
        As ``metrics.confusion`` gives it.
    class_names : sequence of str
    title : str

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        If a class has no image: its row has no shares.
    """
    counts = np.asarray(counts)
    totals = counts.sum(axis=1, keepdims=True)
    if not totals.all():
        missing = list(class_names)[int(np.argmin(totals))]
        raise ValueError(f"counts must hold at least one image of each class: none is {missing}")
    shares = counts / totals
    figure, axis = plotting.subplots(size=(1.9 + 0.5 * len(counts), 1.3 + 0.38 * len(counts)))
    picture = axis.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for (row, column), count in np.ndenumerate(counts):
        if count:
            ink = ink_on(picture.to_rgba(shares[row, column])[:3])
            wrong = row != column and shares[row, column] >= 0.1
            axis.text(
                column,
                row,
                count,
                ha="center",
                va="center",
                color=ink,
                fontsize=9,
                fontweight="bold" if wrong else "normal",
            )
            if wrong:
                frame = (column - 0.46, row - 0.46), 0.92, 0.92
                axis.add_patch(Rectangle(*frame, fill=False, edgecolor=ORANGE, linewidth=1.8))
    axis.set_xticks(
        range(len(counts)), class_names, rotation=40, ha="right", rotation_mode="anchor"
    )
    axis.set_yticks(range(len(counts)), class_names)
    key = "orange frame: wrong, and a tenth of the row or more"
    axis.set(xlabel=f"what the network said\n({key})", ylabel="what it is", title=title)
    axis.spines[:].set_visible(False)
    axis.tick_params(length=0)
    bar = figure.colorbar(picture, ax=axis, shrink=0.8)
    bar.set_label("share of the row")
    bar.outline.set_visible(False)
    return figure


@styled
def worst_mistakes(images, labels, predicted, confidence, class_names, *, title, columns=6):
    """Draw images that a network got wrong, in the order given, with what it said and how surely.

    Parameters
    ----------
    images : array (n, h, w, channels)
    labels, predicted : sequences of int
    confidence : sequence of float
        Probability of the predicted class.
    class_names : sequence of str
    title : str
    columns : int

    Returns
    -------
    Figure
    """
    images = np.asarray(images)
    columns = min(columns, len(images))
    rows = -(-len(images) // columns)
    figure, axes = plotting.subplots(
        rows, columns, size=(1.6 * columns, 0.4 + 1.95 * rows), squeeze=False
    )
    for axis in axes.flat:
        axis.axis("off")
    for axis, image, true, said, sure in zip(
        axes.flat, images, labels, predicted, confidence, strict=False
    ):
        axis.imshow(image.squeeze(-1) if image.shape[-1] == 1 else image)
        axis.set_title(
            f"is: {class_names[true]}\nsaid: {class_names[said]}, {sure:.0%}",
            loc="center",
            fontsize=9,
            fontweight="normal",
        )
    headline(figure, title)
    return figure


@styled
def reliability(tables, *, title):
    """Draw how often a classifier is right against how sure it says it is.

    Parameters
    ----------
    tables : mapping from label to pandas.DataFrame
        As ``metrics.reliability`` gives them.
    title : str

    Returns
    -------
    Figure
        A dot a bin, its area growing with the number of images; on the diagonal, what is said with
        80 % is right in 80 % of the cases.
    """
    figure, axes = plotting.subplots(
        1, len(tables), size=(4.3 * len(tables) + 0.3, 4.5), sharey=True, squeeze=False
    )
    for axis, (label, table) in zip(axes[0], tables.items(), strict=True):
        axis.plot([0, 1], [0, 1], color=GREY, linestyle="--", linewidth=1.2, marker="")
        full = table[table["n"] > 0]
        for sure, right in zip(full["confidence"], full["accuracy"], strict=True):
            gap = [sure, right]
            # Below the dots (and below 2, see `legibility`): a small gap is hidden by its own dot.
            axis.plot([sure, sure], gap, "-", color=ORANGE, linewidth=2, marker="", zorder=1.8)
        area = 25 + 500 * full["n"] / full["n"].sum()
        axis.scatter(full["confidence"], full["accuracy"], area, color=BLUE, alpha=0.85, zorder=3)
        for sure, right, n in zip(full["confidence"], full["accuracy"], full["n"], strict=True):
            below = right < sure
            axis.annotate(
                f"{n}",
                (sure, right),
                (0, -15 if below else 12),
                textcoords="offset points",
                ha="center",
                va="center",
                fontsize=8.5,
            )
        gap = (table["n"] * table["gap"].abs().fillna(0)).sum() / table["n"].sum()
        axis.set(xlim=(0, 1.04), ylim=(-0.04, 1.08), aspect="equal")
        axis.set_xlabel("how sure it says it is")
        axis.set_title(f"{label}: mean gap {100 * gap:.1f} points", fontsize=10)
    axes[0, 0].set_ylabel("how often it is right")
    axis.plot([], [], "-", color=ORANGE, linewidth=2, marker="", label="bar: the gap")
    axis.plot([], [], "o", linestyle="", color=BLUE, label="dot and number: images in the bin")
    figure.legend(loc="outside lower left", ncols=2)
    headline(figure, title)
    return figure


@styled
def threshold_curve(table, *, title, marks=None):
    """Draw precision, recall and F1 against the threshold.

    Parameters
    ----------
    table : pandas.DataFrame
        As ``metrics.threshold_curve`` gives it.
    title : str
    marks : mapping from label to float, optional
        Thresholds to mark.

    Returns
    -------
    Figure
    """
    figure = curves(
        table["threshold"].to_numpy(),
        {name: table[name].to_numpy() for name in ("precision", "recall", "f1")},
        title=title,
        xlabel="threshold: called positive from this score on",
        ylabel="share",
        marks=marks,
    )
    figure.axes[0].set_ylim(-0.05, 1.15)  # the marks' labels stand above curves that end at 1
    return figure
