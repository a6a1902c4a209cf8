"""Drawings of a recipe that grows: what each change does to the same hard images."""

import numpy as np
from matplotlib.patches import Rectangle

from . import plotting
from .plotting import BLUE, GREY, ORANGE, headline, styled

MENDED, BROKEN, WRONG, RIGHT = "mended", "broken", "still wrong", "still right"


def fates(labels, before, after):
    """Say what a change did to each image.

    Parameters
    ----------
    labels, before, after : sequences of int, all of one length
        True classes, and what two networks said.

    Returns
    -------
    list of str
        "mended", "broken", "still wrong" or "still right".

    Raises
    ------
    ValueError
        For lengths that differ.
    """
    labels, before, after = map(np.asarray, (labels, before, after))
    if not labels.shape == before.shape == after.shape:
        raise ValueError(
            "labels, before and after must have one entry an image: got "
            f"{labels.size}, {before.size} and {after.size}"
        )
    names = {(False, True): MENDED, (True, False): BROKEN}
    names |= {(False, False): WRONG, (True, True): RIGHT}
    return [names[pair] for pair in zip(before == labels, after == labels, strict=True)]


@styled
def panel(images, labels, before, after, *, title, columns=8):
    """Draw the same images with what a network says of each, and what a change did to it.

    Parameters
    ----------
    images : array (n, h, w) or (n, h, w, 1)
    labels, before, after : sequences of int
        True classes, and what the networks before and after a change said.
    title : str
    columns : int

    Returns
    -------
    Figure
        A word and a frame tell what happened: solid where mended, dashed where broken, dotted
        where still wrong.
    """
    images = np.asarray(images).reshape(len(images), *np.shape(images)[1:3])
    rows = -(-len(images) // columns)
    # One axes for all: one each would take three times as long to draw.
    figure, axis = plotting.subplots(size=(1.16 * columns, 0.5 + 1.5 * rows))
    axis.axis("off")
    looks = {MENDED: (BLUE, "-", 4), BROKEN: (ORANGE, "--", 4), WRONG: (GREY, ":", 2)}
    found = fates(labels, before, after)
    for place, (image, true, said, fate) in enumerate(
        zip(images, labels, after, found, strict=True)
    ):
        x, y = 1.2 * (place % columns), 1.5 * (place // columns)
        axis.imshow(image, extent=(x, x + 1, y + 1, y))
        color, dash, width = looks.get(fate, (GREY, "-", 0))
        axis.text(
            x + 0.5,
            y - 0.06,
            f"is {true}, said {said}\n{fate}",
            ha="center",
            va="bottom",
            fontsize=8.5,
            color=color,
            fontweight="bold" if fate in (MENDED, BROKEN) else "normal",
        )
        if width:
            frame = {"edgecolor": color, "linestyle": dash, "linewidth": width}
            axis.add_patch(Rectangle((x, y), 1, 1, fill=False, clip_on=False, **frame))
    axis.set(xlim=(-0.1, 1.2 * columns - 0.1), ylim=(1.5 * rows - 0.4, -0.5))
    headline(figure, title)
    return figure


@styled
def staircase(steps, *, title, ylabel):
    """Draw every run of every step of a recipe, and the steps' means as a line.

    Parameters
    ----------
    steps : mapping from name to sequence of float
        Accuracies, one a seed, in the order in which the changes were made.
    title, ylabel : str

    Returns
    -------
    Figure
    """
    figure, axis = plotting.subplots(size=(8.4, 3.4))
    places = np.arange(len(steps))
    for place, values in zip(places, steps.values(), strict=True):
        spread = place + 0.16 * np.linspace(-1, 1, len(values))
        axis.plot(spread, values, "o", color=GREY, markerfacecolor="white", linestyle="")
    means = [np.mean(values) for values in steps.values()]
    axis.plot(places, means, "-", color=BLUE, marker="s", markersize=8, label="mean")
    axis.plot([], [], "o", color=GREY, markerfacecolor="white", linestyle="", label="one seed")
    for place, mean, values in zip(places, means, steps.values(), strict=True):
        axis.annotate(
            f"{mean:.1%}",
            (place, np.max(values)),
            (0, 8),
            textcoords="offset points",
            ha="center",
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1, "alpha": 0.85},
        )
    axis.set_xticks(places, list(steps))
    axis.set(ylabel=ylabel)
    axis.margins(y=0.18)
    axis.grid(axis="y")
    axis.legend(loc="lower right")
    headline(figure, title)
    return figure
