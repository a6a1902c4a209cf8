"""Drawings that explain: what a split is, how an image flows through a network.

Pure functions like those of ``plotting``: numbers in, a ``Figure`` out.
"""

import numpy as np
from matplotlib import rc_context
from matplotlib.patches import Rectangle

from . import plotting
from .plotting import BLUE, ORANGE, STYLE

PART_LOOKS = {
    "train": {"facecolor": "#BBD9EE", "hatch": ""},
    "validation": {"facecolor": "#F6C9A3", "hatch": "//"},
    "test": {"facecolor": "#BFBFBF", "hatch": "xx"},
}


def split_squares(parts, *, title, columns=50):
    """Draw each example as a square that shows which part of a split it is in.

    Parameters
    ----------
    parts : sequence of str
        ``"train"``, ``"validation"`` or ``"test"`` for each example, in the order of the data.
    title : str
    columns : int

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        If a part has another name.
    """
    parts = list(parts)
    unknown = sorted(set(parts) - set(PART_LOOKS))
    if unknown:
        raise ValueError(f"parts must be among {', '.join(PART_LOOKS)}: got {unknown[0]!r}")
    rows = -(-len(parts) // columns)
    figure, axis = plotting.subplots(size=(7.4, 0.9 + 0.15 * rows))
    # Hatches are drawn with the width that holds while the figure is saved, so it is set on each.
    for k, part in enumerate(parts):
        corner = (k % columns, -(k // columns))
        axis.add_patch(Rectangle(corner, 0.9, 0.9, edgecolor="#444444", lw=0.4, **PART_LOOKS[part]))
    for part, look in PART_LOOKS.items():
        count = parts.count(part)
        axis.add_patch(
            Rectangle((0, 0), 0, 0, edgecolor="#444444", label=f"{part}: {count}", **look)
        )
    axis.set(xlim=(-0.2, columns), ylim=(-rows + 0.9, 1.1), aspect="equal")
    axis.axis("off")
    figure.legend(loc="outside lower left", ncols=3)
    plotting.headline(figure, title)
    return figure


def pipeline(image, maps, probabilities, class_names, *, title):
    """Draw an image, its feature maps after each stage, and the scores of the classes.

    Parameters
    ----------
    image : array (h, w, c)
    maps : mapping from name to array (h', w', filters)
        What each stage made of the image; three maps of each are drawn.
    probabilities : array (classes,)
    class_names : sequence of str
    title : str

    Returns
    -------
    Figure
    """
    stages = list(maps.items())
    columns = len(stages) + 2
    figure, axes = plotting.subplots(3, columns, size=(1.3 * columns, 4.1))
    for axis in axes.flat:
        axis.axis("off")
    image = np.asarray(image)
    side = image.shape[0]
    _to_scale(axes[1, 0], image[..., 0] if image.shape[-1] == 1 else image, side)
    axes[1, 0].set_title("image\n" + "×".join(map(str, image.shape)), loc="center", fontsize=9)
    for column, (name, stack) in enumerate(stages, start=1):
        for row, k in enumerate(np.linspace(0, stack.shape[-1] - 1, 3).astype(int)):
            _to_scale(axes[row, column], stack[..., k], side)
        height, width, filters = stack.shape
        size = f"{height}×{width}, 3 of {filters}"
        axes[0, column].set_title(f"→ {name}\n{size}", loc="center", fontsize=9)
    grid = axes[0, 0].get_gridspec()
    for row in range(3):
        axes[row, -1].remove()
    bars = figure.add_subplot(grid[:, -1])
    with rc_context(STYLE):
        bars.barh(range(len(class_names)), probabilities, color=BLUE)
        bars.set_yticks(range(len(class_names)), class_names)
        bars.invert_yaxis()
        bars.set(xlim=(0, 1), xlabel="probability")
        bars.set_title("→ classes", loc="center", fontsize=9)
    plotting.headline(figure, title)
    return figure


def _to_scale(axis, picture, side):
    """Show a picture so that a pixel is as large as in a picture of `side` pixels a side."""
    axis.imshow(picture)
    margin = (side - picture.shape[0]) / 2
    axis.set(
        xlim=(-0.5 - margin, picture.shape[1] - 0.5 + margin),
        ylim=(picture.shape[0] - 0.5 + margin, -0.5 - margin),
    )


def weights_needed(counts, *, title):
    """Draw numbers of weights on a log scale, each written out, with the factor between two rows.

    Parameters
    ----------
    counts : mapping from name to int
        From the largest to the smallest.
    title : str

    Returns
    -------
    Figure
    """
    figure, axis = plotting.subplots(size=(7.4, 1.0 + 0.55 * len(counts)))
    numbers = list(counts.values())
    axis.hlines(range(len(numbers)), 1, numbers, color="#BBBBBB", lw=1)
    for row, count in enumerate(numbers):
        axis.plot(count, row, "o", color=BLUE, markersize=9)
        axis.annotate(f"{count:,}", (count, row), (9, 0), textcoords="offset points", va="center")
        if row:
            between = (count * numbers[row - 1]) ** 0.5
            axis.annotate(
                f"÷ {numbers[row - 1] / count:,.1f}",
                (between, row - 0.5),
                ha="center",
                va="center",
                color=ORANGE,
                fontweight="bold",
            )
    axis.set(xscale="log", xlabel="numbers to learn (log scale)")
    axis.set_xlim(1, max(numbers) * 60)
    axis.set_ylim(len(numbers) - 0.5, -0.5)
    axis.set_yticks(range(len(numbers)), list(counts))
    plotting.headline(figure, title)
    return figure
