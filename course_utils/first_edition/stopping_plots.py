"""Figures of early stopping: the player, a timeline of rules, Prechelt's criteria.

Pure functions, as in `plotting`: curves and results of `stopping` in, a ``Figure`` out. Epochs are
counted from 1.
"""

from __future__ import annotations

import math
import re

import numpy as np
from matplotlib.patches import Rectangle
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator

from course_utils.first_edition import plotting
from course_utils.first_edition.plotting import BLUE, GREEN, GREY, ORANGE, PURPLE, styled
from course_utils.first_edition.prechelt import PrecheltResult, curve_of, whole
from course_utils.first_edition.stopping import EpochState, Stopping

# What may happen on a timeline: marker, colour and size; where two meet, the later one is on top.
EVENTS = {
    "weights kept": ("*", GREEN, 15),
    "learning rate falls": ("v", PURPLE, 11),
    "stops": ("X", ORANGE, 6.5),
}
_CELLS = {"best": ("#BFE3D3", ""), "wait": ("#F6D9B8", "//"), "stop": ("#E9A58A", "")}
_UNSEEN = "#8C8C8C"
LOG_FROM = 4  # highest over lowest value


def typed_curve(text):
    """Read a curve that somebody has typed: numbers, separated by spaces, commas or semicolons.

    Parameters
    ----------
    text : str
        Such as ``".9 .7 .75 .6"``.

    Returns
    -------
    list of float

    Raises
    ------
    ValueError
        If there is no number, or something that is none.
    """
    words = [word for word in re.split(r"[\s,;]+", text) if word]
    if not words:
        raise ValueError("your curve must hold at least one number: type some, such as .9 .7 .8")
    values = []
    for word in words:
        try:
            values.append(float(word))
        except ValueError:
            raise ValueError(
                f"your curve must hold numbers with spaces between: got {word!r}"
            ) from None
    return values


@styled
def player(curve, result, epoch, *, ylabel, higher=False, min_delta=0.0, patience=0):
    """Draw early stopping after one epoch: what it has seen, what it knows, what it does.

    Parameters
    ----------
    curve : sequence of float
        The whole curve; what comes after `epoch` is drawn in grey.
    result : Stopping
        Of the same curve. After its stop, the last state stays.
    epoch : int
        From 1 to the length of the curve.
    ylabel : str
        What the curve is.
    higher : bool
        Whether more is better.
    min_delta, patience
        As they were given to `stopping.early_stopping`.

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        If the epoch lies outside of the curve.
    """
    curve = _finite_curve(curve)
    epoch = whole(epoch, "epoch", 1)
    if epoch > len(curve):
        raise ValueError(
            f"epoch must be at most {len(curve)}, the length of this curve: got {epoch}"
        )
    now = min(epoch, result.epochs)
    states = result.states[:now]
    figure, (axis, strip) = plotting.subplots(
        2, 1, size=(8.2, 4.3), sharex=True, height_ratios=(5, 1)
    )
    epochs = np.arange(1, len(curve) + 1)
    axis.plot(epochs, curve, color=_UNSEEN, marker=".", linestyle=":", linewidth=1.2)
    axis.plot(epochs[:now], curve[:now], color=BLUE, marker="o", linestyle="-")
    state = states[-1]
    if state.best is not None:
        needed = state.best + (min_delta if higher else -min_delta)
        axis.axhline(needed, color=GREEN, linestyle="--", linewidth=1.2, marker="")
        axis.plot(state.best_epoch, state.best, "*", color=GREEN, markersize=17, zorder=5)
    axis.plot(now, curve[now - 1], "o", color=ORANGE, markersize=14, markerfacecolor="none")
    axis.text(1.02, 0.98, _state_text(state, result, patience), transform=axis.transAxes, va="top")
    for each in states:
        _cell(strip, each, "stop" if len(curve) <= 15 else "×")
    _value_axis(axis, curve, ylabel)
    strip.set(xlabel="epoch", ylim=(-0.5, 0.5), yticks=[0], yticklabels=["wait"])
    strip.set_xlim(0.4, len(curve) + 0.6)
    strip.xaxis.set_major_locator(MaxNLocator(integer=True))
    strip.spines[["left", "bottom"]].set_visible(False)
    strip.tick_params(length=0)
    plotting.headline(figure, player_text(result, epoch))
    return figure


def player_text(result, epoch):
    """Say in one sentence what early stopping does after an epoch.

    Parameters
    ----------
    result : Stopping
    epoch : int

    Returns
    -------
    str
    """
    state = result.states[min(epoch, result.epochs) - 1]
    if state.stopped:
        when = f"stopped after epoch {state.epoch}" if epoch > state.epoch else "stop"
        kept = (
            "with the best epoch's weights"
            if result.weights_epoch == result.best_epoch
            else f"with the weights of epoch {result.weights_epoch}"
        )
        return f"Epoch {epoch}: {when}, {kept}; the best was {result.best_epoch}"
    if not state.watched:
        return f"Epoch {epoch}: not watched yet, train on"
    if state.improved:
        return f"Epoch {epoch}: a new best, train on"
    return f"Epoch {epoch}: no improvement, wait is {state.wait}, train on"


def _state_text(state: EpochState, result: Stopping, patience: int) -> str:
    def number(value):
        return "none" if value is None else f"{value:.4f}"

    done = "yes" if state.stopped else "no"
    best = "none" if state.best_epoch is None else state.best_epoch
    return (
        f"this epoch {number(state.value)}\nbest so far {number(state.best)}\nits epoch {best}\n\n"
        f"wait {state.wait} of {max(patience, 1)}\nstop? {done}\n\n"
        "★ best so far\n○ this epoch\n- - must be\n    beaten"
    )


def _value_axis(axis, curve: np.ndarray, ylabel: str) -> None:
    """Label the axis; a curve that falls far gets a log scale, or its turn could not be seen."""
    values = curve[np.isfinite(curve)]
    if len(values) and values.min() > 0 and values.max() > LOG_FROM * values.min():
        axis.set_yscale("log")
        axis.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.yaxis.set_major_formatter("{x:g}")
        axis.yaxis.set_minor_locator(NullLocator())
        ylabel += "\n(log scale)"
    axis.set_ylabel(ylabel)
    axis.grid(axis="y")


def _cell(axis, state: EpochState, stop: str) -> None:
    kind = "stop" if state.stopped else "best" if state.improved else "wait"
    color, hatch = _CELLS[kind] if state.watched else ("white", "")
    axis.add_patch(
        Rectangle(
            (state.epoch - 0.5, -0.45), 1, 0.9, facecolor=color, edgecolor="white", hatch=hatch
        )
    )
    words = {"stop": stop, "best": "★"}.get(kind, str(state.wait)) if state.watched else "–"
    axis.text(state.epoch, 0, words, ha="center", va="center", fontsize=8.5)


def _finite_curve(curve) -> np.ndarray:
    values = [math.nan if value is None else value for value in curve_of(curve, "curve")]
    return np.array(values, dtype=float)


@styled
def timeline(curve, rows, *, title, ylabel="validation loss"):
    """Draw a curve, and below it when each rule does what.

    Parameters
    ----------
    curve : sequence of float
    rows : mapping from name to mapping
        For each rule, event → epoch or list of epochs (None for never). Events are `EVENTS`:
        "stops", "weights kept", "learning rate falls".
    title, ylabel : str

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        For an unknown event.
    """
    unknown = {event for events in rows.values() for event in events} - set(EVENTS)
    if unknown:
        raise ValueError(f"events must be among {', '.join(EVENTS)}: got {sorted(unknown)[0]!r}")
    curve = _finite_curve(curve)
    figure, (axis, below) = plotting.subplots(
        2,
        1,
        size=(8.2, 3.2 + 0.32 * len(rows)),
        sharex=True,
        height_ratios=(4.2, 0.6 + len(rows) * 0.72),
    )
    axis.plot(range(1, len(curve) + 1), curve, color=BLUE, marker="o", markersize=3.5)
    _value_axis(axis, curve, ylabel)
    shown = set()
    for row, events in enumerate(rows.values()):
        end = events.get("stops") or len(curve)
        below.plot([1, end], [row, row], color=GREY, linestyle="-", marker="", linewidth=1.5)
        for event, place, height in _heights(events):
            marker, color, size = EVENTS[event]
            below.plot(
                place,
                row + height,
                marker,
                color=color,
                markersize=size,
                zorder=4 + list(EVENTS).index(event),
                linestyle="none",
                label=None if event in shown else event,
            )
            shown.add(event)
    below.set_yticks(range(len(rows)), list(rows))
    below.set(ylim=(len(rows) - 0.5, -0.5), xlabel="epoch; a line lasts as long as the training")
    below.xaxis.set_major_locator(MaxNLocator(integer=True))
    figure.legend(*below.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    plotting.headline(figure, title)
    return figure


def _heights(events):
    """Yield (event, epoch, height over its row): events of one epoch stand over one another."""
    at = {
        event: [] if places is None else np.atleast_1d(places).tolist()
        for event, places in events.items()
    }
    for event, places in at.items():
        for place in places:
            together = [other for other in EVENTS if place in at.get(other, ())]
            yield event, place, 0.44 * (together.index(event) - (len(together) - 1) / 2)


@styled
def criteria(validation, results, thresholds, *, title):
    """Draw a validation curve, and below it what each of Prechelt's criteria makes of it.

    Parameters
    ----------
    validation : sequence of float
    results : mapping from name to PrecheltResult
        Such as ``{"GL": gl(...), "PQ": pq(...), "UP": up(...)}``.
    thresholds : mapping from name to float
        The value at or above which each one stops.
    title : str

    Returns
    -------
    Figure
    """
    validation = _finite_curve(validation)
    figure, axes = plotting.subplots(
        1 + len(results),
        1,
        size=(8.0, 2.3 + 1.15 * len(results)),
        sharex=True,
        height_ratios=[2] + [1] * len(results),
    )
    epochs = np.arange(1, len(validation) + 1)
    axes[0].plot(epochs, validation, color=BLUE, marker="o", markersize=3.5)
    axes[0].set_ylabel("validation loss")
    for axis, (name, result) in zip(axes[1:], results.items(), strict=True):
        _criterion(axis, result, thresholds[name])
        axis.set_ylabel(name)
    axes[-1].set_xlabel("epoch")
    axes[-1].xaxis.set_major_locator(MaxNLocator(integer=True))
    plotting.headline(figure, title)
    return figure


def _criterion(axis, result: PrecheltResult, threshold: float) -> None:
    seen = np.flatnonzero(np.isfinite(result.values))
    axis.bar(seen + 1, result.values[seen], width=0.6, color="#9CC3DF", edgecolor=BLUE)
    axis.axhline(threshold, color=GREY, linestyle="--", linewidth=1.2, marker="")
    stop = result.stopped_epoch
    if stop:
        look = {"color": ORANGE, "markersize": 10, "markeredgecolor": "white"}
        axis.plot(stop, result.values[stop - 1], "X", **look)
    words = (
        f"stops after {stop}, keeps {result.best_epoch}" if stop else "does not stop on this curve"
    )
    axis.text(0.005, 0.93, words, transform=axis.transAxes, va="top", fontsize=9)
    axis.margins(y=0.35)
