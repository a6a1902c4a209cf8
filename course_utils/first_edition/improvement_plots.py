"""Drawings of notebook 06's measurements: gains beside costs, rates, batch sizes, fronts.

Pure functions like those of ``plotting``: numbers in, a ``Figure`` out.
"""

import numpy as np
from matplotlib.patches import Rectangle
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from . import plotting
from .improvement_tables import median_time
from .plotting import BLUE, GREEN, GREY, ORANGE, PURPLE, headline, styled

_LOOKS = {
    "better": (BLUE, "o", BLUE),
    "worse": (ORANGE, "v", ORANGE),
    "not clear": (GREY, "o", "w"),
}
_MEANING = {
    "better": "better: the whole interval is above 0",
    "worse": "worse: the whole interval is below 0",
    "not clear": "not clear: the interval holds 0",
}
_SCALINGS = {
    "constant": (GREY, "o", ":", "the same rate for all"),
    "square root": (BLUE, "s", "-", "rate ∝ √size"),
    "linear": (ORANGE, "^", "--", "rate ∝ size"),
}


@styled
def gains_and_costs(effects, *, title, live=(), names=("stored", "this run")):
    """Draw what each change gains, and in the same row what it costs.

    Parameters
    ----------
    effects : sequence of improvement_tables.Effect
        Drawn in groups, in the order given.
    title : str
    live : sequence of Effect, optional
        Of another experiment with some of the same changes: drawn as diamonds below the others. A
        tuned one finds its row whatever it was tuned to.
    names : (str, str)
        Of the two experiments.

    Returns
    -------
    Figure
        Left: paired intervals of the gain in points, on an axis that is linear within ±1 and
        logarithmic outside; a row with another number of seeds than most says so. Right:
        CPU-seconds of training and multiply-adds, as multiples.

    Raises
    ------
    ValueError
        If there is no effect, or a live change has no row.
    """
    if not effects:
        raise ValueError("effects must hold at least one change: got none")
    places, headings, bottom = _rows(effects)
    figure, (left, right) = plotting.subplots(
        1, 2, size=(9.6, 1.75 + 0.25 * bottom), sharey=True, width_ratios=[1.7, 1]
    )
    for effect in effects:
        row = places[_row_name(effect.variant)]
        _gain(left, effect, row)
        left.axhline(row, color="#E8E8E8", linewidth=0.6, marker="", linestyle="-", zorder=0)
        right.plot([1, effect.cpu], [row, row], color=GREY, linewidth=1, marker="", linestyle="-")
        right.plot(effect.cpu, row, "o", color=GREY, markersize=6)
        right.plot(
            effect.multiply_adds, row, "|", color="#222222", markersize=11, markeredgewidth=2
        )
    for effect in live:
        name = _row_name(effect.variant)
        if name not in places:
            raise ValueError(f"live must hold changes that have a row: got {effect.variant!r}")
        row = places[name] + 0.34
        ends = [effect.gain.low, effect.gain.high]
        left.plot(ends, [row, row], color=GREEN, marker="|", linestyle="--", linewidth=1.1)
        left.plot(effect.gain.estimate, row, "D", color=GREEN, markerfacecolor="w", markersize=6)
        right.plot(effect.cpu, row, "D", color=GREEN, markerfacecolor="w", markersize=6)
    for group, row in headings.items():
        left.text(
            -0.02, row, group, transform=left.get_yaxis_transform(), ha="right", va="center",
            fontweight="bold", fontsize=9.5,
        )  # fmt: skip
    left.set(
        yticks=[places[_row_name(effect.variant)] for effect in effects],
        yticklabels=_with_seeds(effects),
        ylim=(bottom + 0.1, -0.7),
    )
    _gain_axis(left, [*effects, *live])
    _cost_axis(right, [*effects, *live])
    _legend(figure, left, right, names if live else None)
    headline(figure, title)
    return figure


def _with_seeds(effects):
    """Return the names of effects, with the number of seeds where not all have the same."""
    counts = [effect.gain.n for effect in effects]
    usual = max(counts, key=counts.count)
    return [
        effect.variant + ("" if effect.gain.n == usual else f" (n = {effect.gain.n})")
        for effect in effects
    ]


def _row_name(variant):
    """Name a row without what was tuned to."""
    name, _, value = variant.rpartition(" to ")
    return name if name.endswith(", tuned") and value else variant


def _rows(effects):
    """Return variant → row, group → row of its heading, and the first free row."""
    places, headings, row = {}, {}, 0
    for effect in effects:
        if effect.group not in headings:
            headings[effect.group] = row
            row += 1
        places[_row_name(effect.variant)] = row
        row += 1
    return places, headings, row


def _gain(axis, effect, row):
    ink, marker, fill = _LOOKS[effect.verdict]
    axis.plot(
        [effect.gain.low, effect.gain.high], [row, row], color=ink, marker="|", linestyle="-",
        linewidth=1.8,
    )  # fmt: skip
    axis.plot(effect.gain.estimate, row, marker, color=ink, markerfacecolor=fill, markersize=6.5)


def _gain_axis(axis, effects):
    axis.axvline(0, color="#222222", linewidth=1.2, linestyle="--", marker="", zorder=1)
    axis.set_xscale("symlog", linthresh=1, linscale=1.2)
    low = min(effect.gain.low for effect in effects)
    high = max(effect.gain.high for effect in effects)
    ticks = [-100, -30, -10, -3, -1, -0.5, 0, 0.5, 1, 3, 10, 30, 100]
    kept = [tick for tick in ticks if 1.3 * low <= tick <= 1.3 * high or abs(tick) <= 0.5]
    axis.xaxis.set_major_locator(FixedLocator(kept))
    axis.xaxis.set_minor_locator(NullLocator())
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:+g}" if value else "0"))
    axis.set_xlabel(
        "gain: points of validation accuracy (linear to ± 1, then log)\n"
        "(95 % interval, paired over seeds)"
    )
    axis.grid(axis="x")


def _cost_axis(axis, effects):
    axis.axvline(1, color="#222222", linewidth=1.2, linestyle="--", marker="", zorder=1)
    axis.set_xscale("log")
    costs = [cost for effect in effects for cost in (effect.cpu, effect.multiply_adds)]
    low, high = min([0.7, *costs]) / 1.2, max([1.5, *costs]) * 1.2
    ticks = [tick for tick in (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50) if low <= tick <= high]
    axis.set_xlim(low, high)
    axis.xaxis.set_major_locator(FixedLocator(ticks))
    axis.xaxis.set_minor_locator(NullLocator())
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"× {value:g}"))
    axis.set_xlabel("cost: multiple of the slides' recipe")
    axis.tick_params("y", length=0)
    axis.grid(axis="x")


def _legend(figure, left, right, names):
    for verdict, (ink, marker, fill) in _LOOKS.items():
        left.plot(
            [], [], marker, linestyle="-", color=ink, markerfacecolor=fill, label=_MEANING[verdict]
        )
    right.plot([], [], "o", linestyle="", color=GREY, label="CPU-seconds of training")
    right.plot(
        [], [], "|", linestyle="", color="#222222", markersize=11, markeredgewidth=2,
        label="multiply-adds for an image",
    )  # fmt: skip
    if names:
        left.plot(
            [], [], "D", linestyle="--", color=GREEN, markerfacecolor="w",
            label=f"diamond: {names[1]}; the others: {names[0]}",
        )  # fmt: skip
    figure.legend(loc="outside lower left", ncols=2, fontsize=8.5)


@styled
def rates(table, labels, *, factors, defaults, title):
    """Draw accuracy by optimizer and learning rate, with the rate in each cell.

    Parameters
    ----------
    table : array (optimizers, factors)
        Mean accuracies, from 0 to 1; NaN where training diverged.
    labels : sequence of str
        Names of the optimizers.
    factors : sequence of float
        Learning rate / default of that optimizer.
    defaults : sequence of float
        Learning rate that Keras takes if none is given, by optimizer.
    title : str

    Returns
    -------
    Figure
        The best of each row has a thick frame, the default a dashed one. The shade goes with the
        logarithm of the share of mistakes, so that good cells differ too.
    """
    table = np.asarray(table, float)
    figure = plotting.matrix(
        -np.log10(np.maximum(1 - np.nan_to_num(table), 1e-3)),
        rows=labels,
        columns=[f"× {factor:g}" for factor in factors],
        xlabel="learning rate, as a multiple of Keras' default for this optimizer",
        ylabel="",
        title=title,
        size=(1.9 + 0.95 * table.shape[1], 1.9 + 0.62 * table.shape[0]),
    )
    axis = figure.axes[0]
    for text, (row, column) in zip(axis.texts, np.ndindex(table.shape), strict=True):
        value = table[row, column]
        score = f"{100 * value:.1f}" if np.isfinite(value) else "no number"
        text.set_text(f"{score}\nat {defaults[row] * factors[column]:.2g}")
    axis.tick_params("x", rotation=0)
    for label in axis.get_xticklabels():
        label.set(ha="center")
    start = list(factors).index(1)
    for row, values in enumerate(table):
        axis.add_patch(_frame(start, row, 0.44, "#222222", "--", 1.4))
        if np.isfinite(values).any():
            axis.add_patch(_frame(int(np.nanargmax(values)), row, 0.48, ORANGE, "-", 3))
    axis.set_xlabel(
        "learning rate, as a multiple of Keras' default for this optimizer\n"
        "cells: accuracy on held-out images in %, and the rate\n"
        "thick frame: best of the row; dashed: the default"
    )
    return figure


def _frame(column, row, half, ink, dash, width):
    corner = column - half, row - half
    return Rectangle(
        corner, 2 * half, 2 * half, fill=False, edgecolor=ink, linestyle=dash, linewidth=width
    )


@styled
def time_to_target(times, *, limit, title, target):
    """Draw CPU-seconds to a target accuracy against the batch size.

    Parameters
    ----------
    times : mapping
        As ``improvement_tables.times_to_target`` gives it.
    limit : float
        CPU-seconds at which runs were stopped.
    title : str
    target : float
        Accuracy, from 0 to 1.

    Returns
    -------
    Figure
        A small mark a run and a line through the medians; runs that were stopped before the target
        stand as crosses above the limit, and no line goes to them.
    """
    figure, axis = plotting.subplots(size=(7.8, 4.2))
    sizes = sorted({size for runs in times.values() for size in runs})
    for place, (scaling, runs) in enumerate(times.items()):
        ink, marker, dash, label = _SCALINGS[scaling]
        shift = 1.06 ** (place - 1)
        medians = [median_time(found) for found in runs.values()]
        reached = [median if np.isfinite(median) else np.nan for median in medians]
        places = [size * shift for size in runs]
        axis.plot(places, reached, marker=marker, color=ink, linestyle=dash, label=label)
        for x, found in zip(places, runs.values(), strict=True):
            done = [seconds for seconds, good in found if good]
            axis.plot([x] * len(done), done, marker, color=ink, markersize=3.5, linestyle="")
            for k in range(len(found) - len(done)):
                axis.plot(
                    x, limit * 1.18 * 1.13**k, "x", color=ink, markersize=7, markeredgewidth=2
                )
    axis.axhline(limit, color="#222222", linewidth=1, linestyle="-", marker="")
    axis.annotate(
        f"stopped at {limit:g} CPU-seconds, without {100 * target:g} %",
        (1, limit), (-4, -3), xycoords=("axes fraction", "data"), textcoords="offset points",
        ha="right", va="top", fontsize=9,
    )  # fmt: skip
    axis.plot([], [], "x", color="#222222", linestyle="", label="a run that was stopped")
    axis.set_xscale("log", base=2)
    axis.set_yscale("log")
    axis.set_xticks(sizes, [f"{size}" for size in sizes])
    axis.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.yaxis.set_minor_formatter(
        FuncFormatter(lambda value, _: f"{value:g}" if f"{value:.0e}"[0] in "25" else "")
    )
    axis.set(
        xlabel="batch size", ylabel=f"CPU-seconds of training until {100 * target:g} % (log scale)"
    )
    axis.grid(axis="y")
    axis.legend(fontsize=9)
    headline(figure, title)
    return figure


@styled
def front(table, *, title):
    """Draw accuracy against multiply-adds, and the front that nothing else beats.

    Parameters
    ----------
    table : pandas.DataFrame
        As ``improvement_tables.sizes_table`` gives it.
    title : str

    Returns
    -------
    Figure
        Marker and colour tell the depth, the number beside it the width. A full marker is on the
        front in at least 95 % of the draws of seeds, a hollow one in at most 5 %; what lies between
        is half full, with its share.
    """
    figure, axis = plotting.subplots(size=(7.8, 4.4))
    best = table[table["front"]].sort_values("multiply_adds")
    axis.step(
        best["multiply_adds"], 100 * best["accuracy"], where="post", color="#222222",
        linestyle="--", linewidth=1.2, marker="", label="the front",
    )  # fmt: skip
    looks = zip((GREY, BLUE, ORANGE, GREEN, PURPLE), "osD^v", strict=True)
    for (depth, group), (ink, marker) in zip(table.groupby("depth"), looks, strict=False):
        axis.errorbar(
            group["multiply_adds"], 100 * group["accuracy"], 100 * group["se"], fmt="none",
            ecolor=ink, elinewidth=1,
        )  # fmt: skip
        sure = group["on_front"]
        for part, fill in (
            (group[sure >= 0.95], "full"),
            (group[(sure > 0.05) & (sure < 0.95)], "bottom"),
            (group[sure <= 0.05], "none"),
        ):
            axis.plot(
                part["multiply_adds"], 100 * part["accuracy"], marker, color=ink, linestyle="",
                fillstyle=fill, markerfacecoloralt="w", markersize=9,
            )  # fmt: skip
        axis.plot(
            [], [], marker, color=ink, linestyle="", markersize=8,
            label=f"{depth} convolution{'s' * (depth > 1)}",
        )  # fmt: skip
    for row in table.itertuples():
        share = f" ({row.on_front:.0%})" if 0.05 < row.on_front < 0.95 else ""
        axis.annotate(
            f"{row.width:g}{share}", (row.multiply_adds, 100 * row.accuracy), (7, -4),
            textcoords="offset points", fontsize=8.5, va="top",
        )  # fmt: skip
    axis.set_xscale("log")
    axis.margins(x=0.09)  # room for the numbers
    axis.set(
        xlabel="multiply-adds for one image (log scale)\n"
        "number: width, times the slides'; bar: standard error over seeds\n"
        "full: on the front in ≥ 95 % of draws of seeds; hollow: in ≤ 5 %; half: as it says",
        ylabel="validation accuracy (%; log of the mistakes)",
    )
    # Otherwise the few bad networks would press all the good ones together.
    axis.set_yscale(
        "function",
        functions=(lambda y: -np.log10(np.maximum(100 - y, 1e-6)), lambda z: 100 - 10**-z),
    )
    low, high = axis.get_ylim()
    ticks = (0, 20, 40, 60, 70, 80, 90, 93, 95, 97, 98, 99, 99.5)
    axis.yaxis.set_major_locator(FixedLocator([tick for tick in ticks if low <= tick <= high]))
    axis.yaxis.set_minor_locator(NullLocator())
    axis.grid()
    axis.legend(fontsize=9, loc="lower right")
    headline(figure, title)
    return figure


@styled
def fits(sizes, runs, *, title, xlabel):
    """Draw training and held-out cross-entropy against the size of a network.

    Parameters
    ----------
    sizes : sequence of float, length n
    runs : mapping from "training" and "validation" to array (seeds, n)
        Pure cross-entropies.
    title, xlabel : str

    Returns
    -------
    Figure
        A small mark a run, a line through the means; the gap lies between the two lines.
    """
    figure, axis = plotting.subplots(size=(7.0, 3.6))
    looks = {"training": (BLUE, "o", "--"), "validation": (ORANGE, "s", "-")}
    means = {name: np.mean(values, axis=0) for name, values in runs.items()}
    for name, values in runs.items():
        ink, marker, dash = looks[name]
        for run in np.asarray(values):
            axis.plot(sizes, run, marker, color=ink, markersize=3.5, linestyle="")
        axis.plot(sizes, means[name], marker=marker, color=ink, linestyle=dash, label=name)
    axis.fill_between(
        sizes, means["training"], means["validation"], facecolor="white", hatch="//",
        edgecolor="#DDDDDD", label="the gap", zorder=0,
    )  # fmt: skip
    axis.set_xscale("log", base=2)
    axis.set_xticks(sizes, [f"{size:g}" for size in sizes])
    axis.set_ylim(bottom=0)
    axis.set(xlabel=xlabel, ylabel="cross-entropy after training (nats)")
    axis.legend(fontsize=9)
    headline(figure, title)
    return figure
