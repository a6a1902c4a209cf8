"""Drawings of batch normalization: its moving averages, and the loss around a training."""

import numpy as np
from matplotlib.patheffects import withStroke
from matplotlib.ticker import PercentFormatter

from . import plotting
from .plotting import BLUE, GREEN, GREY, ORANGE, PURPLE, headline, styled

LIMITS = 1e-6, 1e4  # of gradients; what vanishes further leaves the picture
# One look a network in all figures: with batch normalization it is green.
LOOKS = {
    "sigmoid": (GREY, "P", ":"),
    "sigmoid, residual": (PURPLE, "X", "-."),
    "ReLU, glorot": ("#7A5C00", "^", (0, (1, 1))),
    "ReLU": (ORANGE, "s", "--"),
    "plain": (ORANGE, "s", "--"),
    "ReLU, batch norm.": (GREEN, "o", "-"),
    "batch normalization": (GREEN, "o", "-"),
    "ReLU, batch norm., residual": (BLUE, "D", "-"),
}


@styled
def momentum_view(values, averages, kept, accuracy, *, reference, momentum, limits=None):
    """Draw a moving average on its way to what it estimates, and what that does to the accuracy.

    Parameters
    ----------
    values, averages : arrays (steps,)
        A batch statistic of one channel at each step, and its moving average.
    kept : sequence of int
        Steps, counted from 1, at which the network was tried.
    accuracy, reference : sequences of float
        Validation accuracy at these steps, with the moving averages, and with the statistics of
        the validation images themselves.
    momentum : float
    limits : (float, float), optional
        Of the left panel's values, so that several views share one scale.

    Returns
    -------
    Figure
    """
    figure, (left, right) = plotting.subplots(1, 2, size=(9.6, 3.5))
    steps = np.arange(1, len(values) + 1)
    left.plot(steps, values, ".", color=GREY, markersize=4, linestyle="", label="each batch")
    left.plot(steps, averages, "-", color=GREEN, marker="", linewidth=2.4, label="moving average")
    left.set(xlabel="training step", ylabel="variance of one channel", ylim=limits)
    left.legend()
    right.plot(
        kept, reference, "--", color=GREY, marker="s", label="statistics of the images at hand"
    )
    right.plot(kept, accuracy, "-", color=GREEN, marker="o", label="moving averages")
    right.set(xlabel="training step", ylabel="validation accuracy", ylim=(0, 1.03))
    right.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    right.grid(axis="y")
    right.legend(loc="lower right")
    left_over = momentum ** len(values)
    headline(
        figure,
        f"Momentum {momentum:g}: after {len(values)} steps {left_over:.0%} of the start is left, "
        f"and the validation accuracy is {accuracy[-1]:.0%}",
    )
    return figure


@styled
def slices(panels, steps, *, title):
    """Draw the range of losses along the gradient, at several points of two trainings.

    Parameters
    ----------
    panels : mapping from a name of `LOOKS` to array (points, step sizes)
        As `batch_norm.loss_slices` gives it; the first step size is 0, the loss itself.
    steps : sequence of int
        When in the training the points were.
    title : str

    Returns
    -------
    Figure
    """
    figure, axes = plotting.subplots(1, len(panels), size=(9.0, 3.3), sharey=True, squeeze=False)
    for axis, (label, losses), hatch in zip(axes[0], panels.items(), ("//", ".."), strict=False):
        color, marker, _ = LOOKS[label]
        losses = np.asarray(losses)
        axis.fill_between(
            steps,
            losses.min(axis=1),
            losses.max(axis=1),
            facecolor="white",
            edgecolor=color,
            hatch=hatch,
            linewidth=1.2,
            label="losses along the gradient",
        )
        # White around it, where it runs along or across the hatches of its own colour.
        around = [withStroke(linewidth=4.5, foreground="white")]
        axis.plot(
            steps, losses[:, 0], color=color, marker=marker, label="loss at this step",
            path_effects=around,
        )  # fmt: skip
        axis.set(xlabel="training step", yscale="log")
        axis.set_title(label, fontsize=10)
        axis.grid(axis="y")
    axes[0, 0].set_ylabel("loss of the batch (nats, log scale)")
    axes[0, -1].legend()
    headline(figure, title)
    return figure


@styled
def rate_range(rates, losses, *, chance, title):
    """Draw where training ends against the learning rate.

    Parameters
    ----------
    rates : sequence of float
    losses : mapping from a name of `LOOKS` to array (seeds, rates)
        Training loss at the end; what is no number, or off the scale, is drawn as a cross at the
        top, one a seed.
    chance : float
        The loss of a guess.
    title : str

    Returns
    -------
    Figure
        A small mark a seed, and a line through the medians, as far as they are on the scale.
    """
    figure, axis = plotting.subplots(size=(7.0, 3.3))
    top, rates = 1.5 * chance, np.asarray(rates)
    axis.axhline(chance, color=GREY, linewidth=1.2, linestyle=":", marker="")
    axis.annotate("guessing", (rates[0], chance), (0, 4), textcoords="offset points", fontsize=9)
    for place, (label, found) in enumerate(losses.items()):
        color, marker, dash = LOOKS[label]
        found = np.asarray(found, dtype=float)
        on = found <= top
        middle = np.median(np.where(on, found, np.inf), axis=0)
        middle[np.isinf(middle)] = np.nan
        at = np.broadcast_to(rates * 1.05 ** (2 * place - 1), found.shape)
        axis.plot(at[0], middle, color=color, marker="", linestyle=dash)
        axis.plot(at[on], found[on], marker, color=color, markersize=4.5, linestyle="")
        heights = top * (1.04 + 0.05 * np.cumsum(~on, axis=0))
        axis.plot(at[~on], heights[~on], "x", color=color, markersize=8, linestyle="")
        axis.plot([], [], color=color, marker=marker, markersize=5, linestyle=dash, label=label)
    diverged = not all((np.asarray(found) <= top).all() for found in losses.values())
    if diverged:
        beyond = "a run off the scale,\nor no number"
        axis.plot([], [], "x", color="black", markersize=8, linestyle="", label=beyond)
    axis.set(
        xscale="log",
        xlabel="learning rate of SGD with momentum 0.9 (log scale)\n"
        "a mark a seed, the line through their medians",
        ylabel="training loss (nats)",
    )
    axis.set_ylim(0, (1.28 if diverged else 1.04) * top)
    axis.grid(axis="y")
    axis.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    headline(figure, title)
    return figure


@styled
def gradients(depths, ratios, firsts, *, title):
    """Draw how the gradient at the input end of a stack depends on the depth.

    Parameters
    ----------
    depths : sequence of int
    ratios, firsts : mapping from a name of `LOOKS` to sequence of float
        Norm of the first layer's gradient over that of the last one; and the first one's norm.
    title : str

    Returns
    -------
    Figure
    """
    figure, axes = plotting.subplots(1, 2, size=(9.6, 4.0))
    for axis, found, name in zip(
        axes,
        (ratios, firsts),
        ("first layer / last layer", "norm in the first layer"),
        strict=True,
    ):
        for label, values in found.items():
            color, marker, dash = LOOKS[label]
            axis.plot(depths, values, color=color, marker=marker, linestyle=dash, label=label)
        axis.set(xscale="log", yscale="log", xlabel="layers", ylabel=f"{name} (log scale)")
        axis.set_xticks(depths, [str(depth) for depth in depths])
        axis.minorticks_off()
        axis.set_ylim(*LIMITS)
        axis.grid(axis="y")
    axes[0].axhline(1, color="black", linewidth=1, linestyle="-", marker="")
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3)
    headline(figure, title)
    return figure
