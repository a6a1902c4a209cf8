"""Views of notebook 05: early stopping as a machine over a curve, and what patience buys."""

import numpy as np
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from ..plotting import BLUE, GREEN, GREY, ORANGE, headline, styled, subplots
from ..stopping import early_stopping, read_curve
from ..widgets import explore

TYPED = "typed"
EXAMPLE = "0.9 0.7 0.75 0.6 0.62 0.58 0.61 0.64 0.7 0.5"
_CELLS = {"best": ("#BFE3D3", ""), "wait": ("#F6D9B8", "///"), "stop": ("#E9A58A", "")}


def _said(result, state, last):
    """Say what early stopping does after an epoch."""
    if state.stopped:
        return f"Epoch {state.epoch}: stop, and back to epoch {result.best_epoch}, the best"
    ends = "; the curve ends first" if last else ", train on"
    if state.improved:
        return f"Epoch {state.epoch}: a new best{ends}"
    return f"Epoch {state.epoch}: no improvement, wait is {state.wait}{ends}"


@styled
def draw_player(curves, curve, typed, patience, min_delta, epoch):
    """Draw early stopping after one epoch: what it has seen, what it knows, what it does.

    Parameters
    ----------
    curves : mapping from name to sequence of float
        A name with *accuracy* in it is a curve of which more is better.
    curve : str
        A name of `curves`, or "typed".
    typed : str
        The numbers of the typed curve; a ValueError, which the view shows, if they are none.
    patience, min_delta
        As for ``stopping.early_stopping``; the best weights are restored.
    epoch : int
        From 1; after the end the last picture stays.
    """
    values = read_curve(typed, "your curve") if curve == TYPED else read_curve(curves[curve], curve)
    monitor = "val_accuracy" if "accuracy" in curve else "val_loss"
    result = early_stopping(
        values, monitor=monitor, patience=patience, min_delta=min_delta, restore_best_weights=True
    )
    states = result.states[:epoch]
    now, heights = states[-1], np.array(values, float)  # None becomes NaN: a gap
    figure, (axis, strip) = subplots(2, 1, size=(8, 3.9), sharex=True, height_ratios=(6, 1))
    epochs = np.arange(1, len(heights) + 1)
    axis.plot(epochs, heights, color="#8C8C8C", marker=".", linestyle=":", linewidth=1.2)
    axis.plot(epochs[: now.epoch], heights[: now.epoch], color=BLUE, marker="o", linestyle="-")
    if now.best is not None:
        needed = now.best + (min_delta if monitor == "val_accuracy" else -min_delta)
        axis.axhline(needed, color=GREEN, linestyle="--", linewidth=1.2, marker="")
        axis.plot(now.best_epoch, now.best, "*", color=GREEN, markersize=17, zorder=5)
    axis.plot(now.epoch, now.value, "o", color=ORANGE, markersize=14, markerfacecolor="none")
    best = "none yet" if now.best is None else f"{now.best:.4f}, epoch {now.best_epoch}"
    told = f"○ this epoch\n   {now.value:.4f}\n★ best so far\n   {best}\n- - to be beaten\n"
    told += "\n" if now.best is None else f"   {needed:.8g}\n\n"
    told += f"wait: {now.wait} of {max(patience, 1)}"
    axis.text(1.02, 0.98, told, transform=axis.transAxes, va="top")
    axis.set_ylabel(curve)
    axis.grid(axis="y")
    for state in states:
        kind = "stop" if state.stopped else "best" if state.improved else "wait"
        colour, hatch = _CELLS[kind]
        look = {"facecolor": colour, "edgecolor": "white", "hatch": hatch}
        strip.add_patch(Rectangle((state.epoch - 0.5, -0.45), 1, 0.9, **look))
        word = {"stop": "×", "best": "★", "wait": state.wait}[kind]
        strip.text(state.epoch, 0, word, ha="center", va="center", fontsize=9)
    strip.set(xlabel="epoch", ylim=(-0.5, 0.5), yticks=[0], yticklabels=["wait"])
    strip.set_xlim(0.4, len(heights) + 0.6)
    strip.xaxis.set_major_locator(MaxNLocator(integer=True))
    strip.spines[["left", "bottom"]].set_visible(False)
    strip.tick_params(length=0)
    said = _said(result, now, now.epoch == len(heights))
    headline(figure, said)
    alt = f"{curve} over {len(heights)} epochs, patience {patience}. {said}. Best so far: {best}."
    return figure, alt


def player(curves):
    """Step through early stopping over named curves, or over one that is typed."""
    slides, accuracy, run = curves
    frames = [(slides, 1, epoch) for epoch in (1, 2, 7, 8, 9)]
    frames += [(slides, 2, 9), (slides, 2, 10), (accuracy, 2, 6), (accuracy, 2, 10)]
    end = len(early_stopping(curves[run], patience=5).states)
    frames += [(run, 5, epoch) for epoch in np.unique(np.linspace(1, end, 7).astype(int)).tolist()]
    frames += [(TYPED, 2, 5), (TYPED, 3, 9), (TYPED, 4, 10)]
    how = {"typed": EXAMPLE, "min_delta": 0}
    return explore(
        lambda **values: draw_player(curves, **values),
        stills=[how | {"curve": c, "patience": p, "epoch": e} for c, p, e in frames],
        label="Early stopping, epoch by epoch",
        curve=[*curves, TYPED],
        typed="typed: one number an epoch",
        patience=(0, 10),
        min_delta=[0, 1e-8, 0.0001, 0.001, 0.01],
        epoch=(1, max(map(len, curves.values()))),
    )


@styled
def cost(rules, reference):
    """Draw what rules of stopping gain over a reference, against the epochs that they train.

    Parameters
    ----------
    rules : mapping from kind of training to mapping from rule to (epochs, Interval, Interval)
        Mean epochs; how much lower the loss is, and how much higher the accuracy, in points.
    reference : (str, mapping from kind to float)
        Name of the rule that all are compared with, and its mean epochs.
    """
    figure, axes = subplots(1, 2, size=(8.6, 3.4))
    name, spent = reference
    parts = []
    for (kind, gains), ink, mark in zip(rules.items(), (BLUE, ORANGE), "os", strict=False):
        for k, axis in enumerate(axes):
            axis.plot(spent[kind], 0, mark, color=ink, markerfacecolor="white", markersize=8)
            for rule, (epochs, *gain) in gains.items():
                low, high = gain[k].low, gain[k].high
                axis.plot([epochs, epochs], [low, high], color=ink, marker="_", linestyle="-")
                label = kind if rule == next(iter(gains)) else None
                axis.plot(epochs, gain[k].estimate, mark, color=ink, markersize=6, label=label)
                at = (epochs, high if gain[k].estimate > 0 else low)
                up = 4 if gain[k].estimate > 0 else -12
                axis.annotate(rule, at, (0, up), textcoords="offset points", ha="center", size=9)
        parts += [
            f"{kind}, {rule}: {epochs:.1f} epochs, loss lower by {loss}, accuracy {right:+.2f}"
            for rule, (epochs, loss, right) in gains.items()
        ]
    for axis, label in zip(axes, ("test loss, lower by", "accuracy, points more"), strict=True):
        axis.axhline(0, color=GREY, linestyle="--", linewidth=1.2, marker="")
        axis.set(xlabel="epochs trained, mean", ylabel=label)
        axis.margins(x=0.1, y=0.14)
        axis.grid(axis="y")
    axes[0].legend(loc="upper left")
    headline(figure, f"Compared with {name} (the open marks)")
    return figure, f"Gain over {name}, accuracy in points, against epochs. {'; '.join(parts)}."
