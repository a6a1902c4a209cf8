"""Drawings of notebook 04: penalties, weights, dropout masks, and gaps with their intervals.

Pure functions like those of ``plotting``: numbers in, a ``Figure`` out.
"""

import numpy as np
from matplotlib.patches import Circle, Polygon

from . import plotting
from .plotting import BLUE, GREY, ORANGE, styled
from .regularization import penalty, proximal


@styled
def penalty_view(hessian, target, path, weights, *, kind, strength, used, title):
    """Draw what a penalty does: to the minimum of a loss, to one weight, and to many.

    Parameters
    ----------
    hessian, target : array (2, 2), array (2,)
        The loss is ½(w − target)ᵀ·hessian·(w − target).
    path : array (n, 2)
        The minimum of loss + penalty for λ from 0 to `strength`; its last row is the present one.
    weights : array (m,)
        Of a regression, fitted with this penalty.
    kind : {"L1", "L2"}
    strength : float
        λ.
    used : array of bool, (m,)
        Which of `weights` the data were made with.
    title : str

    Returns
    -------
    Figure
        Left: contours of the loss, and the set of weights whose penalty is no larger than that of
        the minimum. Middle: the proximal step of one weight. Right: a histogram of `weights`.
    """
    figure, axes = plotting.subplots(1, 3, size=(10.2, 3.9), width_ratios=[1.15, 1, 1.15])
    _contours(axes[0], np.asarray(hessian), np.asarray(target), np.asarray(path), kind)
    _shrinkage(axes[1], kind, strength)
    _two_kinds(axes[2], np.asarray(weights), np.asarray(used))
    plotting.headline(figure, title)
    return figure


def _panel(axis, title):
    axis.set_title(title, fontsize=9, fontweight="normal")


def _contours(axis, hessian, target, path, kind):
    x, y = np.meshgrid(np.linspace(-1.4, 2.6, 120), np.linspace(-1.4, 2.2, 120))
    away = np.stack([x - target[0], y - target[1]], axis=-1)
    loss = 0.5 * np.einsum("...i,ij,...j", away, hessian, away)
    axis.contour(x, y, loss, levels=[0.05, 0.2, 0.5, 1, 1.8, 3, 5], colors="#8A8A8A", linewidths=1)
    size = penalty(path[-1], kind, 1.0)
    look = {"facecolor": "#BBD9EE", "edgecolor": BLUE, "hatch": "//", "alpha": 0.6}
    if kind == "L1":
        corners = size * np.array([[1, 0], [0, 1], [-1, 0], [0, -1]])
        axis.add_patch(Polygon(corners, **look))
    else:
        axis.add_patch(Circle((0, 0), np.sqrt(size), **look))
    axis.plot(*path.T, color=ORANGE, marker="", linestyle="-", linewidth=2.2)
    axis.plot(*target, "x", color="#222222", markersize=8, markeredgewidth=2)
    axis.plot(*path[-1], "o", color=ORANGE, markersize=9, markeredgecolor="#222222")
    axis.annotate("loss alone", target, (6, 5), textcoords="offset points", fontsize=9)
    axis.axhline(0, color=GREY, linewidth=0.8, linestyle="-", marker="")
    axis.axvline(0, color=GREY, linewidth=0.8, linestyle="-", marker="")
    axis.set(xlabel="$w_1$", ylabel="$w_2$", aspect="equal", xlim=(-1.4, 2.6), ylim=(-1.4, 2.2))
    shape = "diamond" if kind == "L1" else "ball"
    _panel(axis, f"Left: where the minimum goes\ndot: with the penalty; {shape}: the same penalty")


def _shrinkage(axis, kind, strength):
    before = np.linspace(-2, 2, 401)
    axis.plot(before, before, color=GREY, marker="", linestyle="--", label="unchanged")
    axis.plot(
        before, proximal(before, kind, strength), color=ORANGE, marker="", linestyle="-", label=kind
    )
    axis.set(xlabel="weight before", ylabel="after a proximal step", xlim=(-2, 2), ylim=(-2, 2))
    axis.legend(loc="upper left")
    rule = "$\\pm\\max(|w|-\\lambda,\\ 0)$" if kind == "L1" else "$w\\,/\\,(1+2\\lambda)$"
    _panel(axis, f"Middle: one weight in a proximal step\n{rule}")
    axis.grid()


def _two_kinds(axis, weights, used):
    edges = np.linspace(-3.1, 3.1, 63)
    looks = {"features that matter": (used, ORANGE, ""), "the others": (~used, "#BBD9EE", "//")}
    for label, (chosen, color, hatch) in looks.items():
        axis.hist(
            weights[chosen].clip(-3.05, 3.05), edges, color=color, hatch=hatch, label=label,
            edgecolor="#444444", linewidth=0.4,
        )  # fmt: skip
    axis.set(xlabel="weight", ylabel="weights of a regression", ylim=(0, 62), xlim=(-3.1, 3.1))
    axis.legend(loc="upper left", fontsize=8.5)
    zeros = int((weights == 0).sum())
    _panel(axis, f"Right: weights of a regression\n{zeros} of {len(weights)} are exactly 0")


@styled
def weight_histograms(groups, *, title, xlabel="weight", limit=None, bins=81):
    """Draw one histogram of weights a row, on the same axes, with norm and zeros written beside.

    Parameters
    ----------
    groups : mapping from name to array
        Weights of any shape.
    title, xlabel : str
    limit : float, optional
        Half of the axis; what lies outside is counted in the last bars. By default the largest.
    bins : int

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        If a group is empty.
    """
    groups = {name: np.ravel(weights) for name, weights in groups.items()}
    empty = [name for name, weights in groups.items() if not weights.size]
    if empty or not groups:
        raise ValueError(f"each group must hold weights: got none for {empty or groups}")
    limit = limit or max(np.abs(weights).max() for weights in groups.values())
    figure, axes = plotting.subplots(
        len(groups), 1, size=(7.6, 0.9 + 0.85 * len(groups)), sharex=True, squeeze=False
    )
    edges = np.linspace(-limit, limit, bins + 1)
    for axis, (name, weights) in zip(axes[:, 0], groups.items(), strict=True):
        axis.hist(weights.clip(-limit, limit), edges, color=BLUE)
        axis.set_ylabel("weights", fontsize=8.5)
        axis.text(
            0.01, 0.95, name, transform=axis.transAxes, va="top", fontsize=9.5, fontweight="bold"
        )
        axis.text(
            1.0, 0.95, f"norm {np.linalg.norm(weights):.1f}\nexactly 0: {np.sum(weights == 0)}\n"
            f"below 0.001: {np.mean(np.abs(weights) < 1e-3):.0%}",
            transform=axis.transAxes, va="top", ha="right", fontsize=8.5,
        )  # fmt: skip
    axes[-1, 0].set_xlabel(xlabel)
    plotting.headline(figure, title)
    return figure


@styled
def sizes_and_zeros(groups, *, title, floor=1e-5):
    """Draw histograms of |w| on a log axis, with a bar of its own for weights that are exactly 0.

    Parameters
    ----------
    groups : mapping from name to array
        Weights of any shape.
    title : str
    floor : float
        Left end of the log axis: what is smaller, but not 0, counts in its first bar.

    Returns
    -------
    Figure
    """
    groups = {name: np.abs(np.ravel(weights)) for name, weights in groups.items()}
    top = max(10 * floor, *(2 * sizes.max() for sizes in groups.values()))
    edges = np.geomspace(floor, top, 36)
    figure, axes = plotting.subplots(
        len(groups), 1, size=(7.6, 1.2 + 1.15 * len(groups)), sharex=True, squeeze=False
    )
    for axis, (name, sizes) in zip(axes[:, 0], groups.items(), strict=True):
        zeros = int(np.sum(sizes == 0))
        axis.hist(
            sizes[sizes > 0].clip(floor), edges, color=BLUE, edgecolor="#444444", linewidth=0.4
        )
        axis.bar(floor / 5, zeros, width=floor / 5, color=ORANGE, hatch="//", edgecolor="#444444")
        axis.text(floor / 5, zeros, f"{zeros}", ha="center", va="bottom", fontsize=9.5)
        axis.set(xscale="log", ylabel="weights", ylim=(0, 1.3 * max(map(len, groups.values()))))
        axis.set_title(name, fontsize=9.5, fontweight="normal")
    ticks = 10.0 ** np.arange(np.ceil(np.log10(floor)), np.log10(top))
    axes[-1, 0].set_xticks([floor / 5, *ticks], ["exactly 0", *(f"{tick:g}" for tick in ticks)])
    axes[-1, 0].set_xlabel("|w| (log scale)")
    plotting.headline(figure, title)
    return figure


@styled
def masks(panels, *, title):
    """Draw dropout masks: one row an example, one column a unit, a cross where it is dropped.

    Parameters
    ----------
    panels : mapping from name to array (examples, units)
        What dropout made of ones: 0, or the factor of the units that stay.
    title : str

    Returns
    -------
    Figure
    """
    panels = {name: np.asarray(values) for name, values in panels.items()}
    units = sum(values.shape[1] for values in panels.values())
    rows = max(len(values) for values in panels.values())
    figure, axes = plotting.subplots(
        1, len(panels), size=(1.2 + 0.2 * units, 1.35 + 0.2 * rows), squeeze=False
    )
    for axis, (name, values) in zip(axes[0], panels.items(), strict=True):
        axis.imshow(values > 0, cmap="Blues", vmin=-0.6, vmax=2.2, aspect="equal")
        dropped = np.argwhere(values == 0)
        axis.plot(dropped[:, 1], dropped[:, 0], "x", color="#444444", markersize=4.5)
        axis.set(xlabel="unit (× dropped)", ylabel="example", xticks=[], yticks=[])
        axis.set_title(name, fontsize=9.5, fontweight="normal")
    plotting.headline(figure, title)
    return figure


@styled
def decay(panels, *, title):
    """Draw how the mean weight of groups falls, one panel an optimizer.

    Parameters
    ----------
    panels : mapping from name to (mapping from name to array (steps + 1,))
        Such as what ``regularization.decay_traces`` returns, by optimizer.
    title : str

    Returns
    -------
    Figure
    """
    figure, axes = plotting.subplots(1, len(panels), size=(8.4, 3.2), sharey=True, squeeze=False)
    for axis, (name, traces) in zip(axes[0], panels.items(), strict=True):
        for place, (label, values) in enumerate(traces.items()):
            # Markers stand apart, so that lines that lie upon each other can both be seen.
            every = max(1, len(values) // 8)
            axis.plot(
                values, label=label, markevery=(place * every // max(1, len(traces)), every),
                linewidth=1.8 + 1.2 * (place == 0),
            )  # fmt: skip
        axis.set_title(name, fontsize=10, fontweight="normal")
        axis.set(xlabel="step", ylim=(-0.05, 1.1))
        axis.grid(axis="y")
    axes[0, 0].set_ylabel("mean weight")
    axes[0, -1].legend()
    plotting.headline(figure, title)
    return figure


@styled
def gaps(runs, *, title):
    """Draw the training and validation cross-entropy of each run as two ends of a line.

    Parameters
    ----------
    runs : mapping from variant to (array (n,), array (n,))
        Pure cross-entropies: of the training images, and of the validation images, by seed.
    title : str

    Returns
    -------
    Figure
        The length of a line is the gap of that run; the mean gap is written beside each variant.
    """
    figure, axis = plotting.subplots(size=(7.8, 1.2 + 0.72 * len(runs)))
    for row, (training, validation) in enumerate(runs.values()):
        training, validation = np.asarray(training, float), np.asarray(validation, float)
        heights = row + np.linspace(-0.26, 0.26, len(training)) * (len(training) > 1)
        axis.hlines(heights, training, validation, color=GREY, linewidth=1.2)
        first = row == 0
        axis.plot(
            training, heights, "o", color=BLUE, label="training" if first else None, markersize=6
        )
        axis.plot(
            validation, heights, "s", color=ORANGE, markersize=6,
            label="validation" if first else None,
        )  # fmt: skip
    ends = [np.max(values) for pair in runs.values() for values in pair]
    right = 1.04 * max(ends)
    for row, (training, validation) in enumerate(runs.values()):
        mean = np.mean(np.subtract(validation, training))
        axis.text(right, row, f"mean gap {mean:.2f}", va="center", fontsize=9)
    axis.axvline(np.log(2), color=GREY, linestyle="--", linewidth=1, marker="")
    axis.text(np.log(2), -0.62, " ln 2: a coin", fontsize=8.5, va="center")
    axis.set(yticks=range(len(runs)), yticklabels=list(runs), xlim=(-0.03, 1.28 * right))
    axis.set_ylim(len(runs) - 0.5, -0.85)
    axis.set_xlabel("pure cross-entropy after training (nats); one line a seed")
    figure.legend(loc="outside lower right", ncols=2)
    plotting.headline(figure, title)
    return figure
