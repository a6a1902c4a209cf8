"""Drawings of pooling: where values come from, where gradients go, and what is never read.

Pure functions like those of ``plotting``: numbers in, a ``Figure`` out.
"""

from string import ascii_uppercase

import numpy as np
from matplotlib.patches import Circle, Rectangle
from matplotlib.patheffects import withStroke

from . import numpy_ops, plotting
from .plotting import BLUE, GREEN, GREY, OCHRE, ORANGE, PURPLE, styled

WINDOW_COLORS = (BLUE, ORANGE, GREEN, PURPLE, OCHRE, GREY)


def reads(size, pool_size, strides):
    """Count how many windows read each pixel of a square image, without padding.

    Parameters
    ----------
    size, pool_size, strides : int

    Returns
    -------
    ndarray of int, shape (size, size)
        0 where no window comes: that pixel has no say in the result.
    """
    shape = 1, size, size, 1
    rows = np.ones_like(numpy_ops.im2col(np.zeros(shape), pool_size, strides=strides), dtype=int)
    return numpy_ops.col2im(rows, shape, pool_size, strides=strides)[0, :, :, 0]


def pooling_routes(image, pool_size, strides, kind="max"):
    """Find what each window of a pooling hands on, and to which pixels its gradient goes.

    Parameters
    ----------
    image : array (h, w)
    pool_size, strides : int
    kind : {"max", "average"}

    Returns
    -------
    pooled : ndarray (h', w')
    routes : dict from (row, column) of the result to list of (row, column, share)
        Pixels that get a part of the gradient, with the part: all of it for the first of the
        largest pixels, or equal parts for every pixel of the window.

    Raises
    ------
    ValueError
        If `kind` is neither.
    """
    if kind not in ("max", "average"):
        raise ValueError(f'kind must be "max" or "average": got {kind!r}')
    image = np.asarray(image, dtype=float)
    windows = numpy_ops.windows(image[None, :, :, None], pool_size, strides)[0, ..., 0]
    routes = {}
    for row, column in np.ndindex(windows.shape[:2]):
        inside = list(np.ndindex(pool_size, pool_size))
        if kind == "max":
            inside = [inside[int(windows[row, column].argmax())]]
        routes[row, column] = [
            (row * strides + i, column * strides + j, 1 / len(inside)) for i, j in inside
        ]
    reduce = np.max if kind == "max" else np.mean
    return reduce(windows, axis=(2, 3)), routes


@styled
def routing(image, upstream, pool_size, strides, kind="max", *, title):
    """Draw a pooling forward and backward: which pixel each result and each gradient belongs to.

    Parameters
    ----------
    image : array (h, w)
    upstream : array (h', w')
        Gradient that arrives at each result.
    pool_size, strides : int
    kind : {"max", "average"}
    title : str

    Returns
    -------
    Figure
        Each window has a letter and a coloured frame; a pixel bears the letters of the windows
        that it wins, or in the average, all that it is in.
    """
    image, upstream = np.asarray(image, dtype=float), np.asarray(upstream, dtype=float)
    pooled, routes = pooling_routes(image, pool_size, strides, kind)
    if upstream.shape != pooled.shape:
        raise ValueError(
            f"upstream must have the shape of the result, {pooled.shape}: got {upstream.shape}"
        )
    gradient = np.zeros_like(image)
    for place, pixels in routes.items():
        for row, column, share in pixels:
            gradient[row, column] += share * upstream[place]
    figure, axes = plotting.subplots(1, 2, size=(10.6, 3.7))
    each = f"1/{pool_size**2} of the gradient to each pixel"
    names = {
        "max": (
            "forward: the largest of each window",
            "backward: its gradient, to that pixel only",
        ),
        "average": ("forward: the mean of each window", f"backward: {each}"),
    }[kind]
    panels = (image, pooled), (gradient, upstream)
    for axis, name, (pixels, results) in zip(axes, names, panels, strict=True):
        backward = pixels is gradient
        tips = _routing_panel(axis, pixels, results, routes, (pool_size, strides))
        for color, spot, result in tips:
            start, end = (result, spot) if backward else (spot, result)
            arrow = {"arrowstyle": "-|>", "color": color, "linewidth": 1.7, "mutation_scale": 13}
            axis.annotate("", xy=end, xytext=start, arrowprops=arrow, zorder=4)
        axis.set_title(name, fontsize=10.5)
    plotting.headline(figure, title)
    return figure


def _routing_panel(axis, pixels, results, routes, window, room=2.2):
    """Draw the pixels, and right of them the results in one column; return the arrows' ends."""
    height, width = pixels.shape
    pool_size, strides = window
    receivers = {pixel[:2] for shares in routes.values() for pixel in shares}
    halo = [withStroke(linewidth=3, foreground="white")]
    for (row, column), value in np.ndenumerate(pixels):
        shade = "white" if (row, column) in receivers else "#E4E4E4"
        cell = (column - 0.5, row - 0.5), 1, 1
        axis.add_patch(Rectangle(*cell, facecolor=shade, edgecolor="#AAAAAA"))
        number = axis.text(column, row, f"{value:.3g}", ha="center", va="center", zorder=6)
        number.set_path_effects(halo)
    # As many results as there are stand as high as the pixels do, in the order of reading.
    step = min(1.25, height / len(routes))
    top = (height - 1 - step * (len(routes) - 1)) / 2
    tips, marks = [], {}
    for k, (place, shares) in enumerate(routes.items()):
        letter, color = ascii_uppercase[k % 26], WINDOW_COLORS[k % len(WINDOW_COLORS)]
        inset = 0.06 + (0.05 * (k % 4) if strides < pool_size else 0)
        left, upper = place[1] * strides - 0.5 + inset, place[0] * strides - 0.5 + inset
        side = pool_size - 2 * inset
        frame = (left, upper), side, side
        axis.add_patch(Rectangle(*frame, fill=False, edgecolor=color, linewidth=1.8, zorder=3))
        x, y, size = width + room, top + step * k, 0.86 * min(1, step)
        box = (x - 0.6, y - size / 2), 1.2, size
        axis.add_patch(Rectangle(*box, facecolor="white", edgecolor=color, linewidth=2))
        axis.text(x, y, f"{results[place]:.3g}", ha="center", va="center")
        axis.text(x + 0.7, y, letter, color=color, va="center", fontweight="bold")
        if len(shares) == 1:
            (row, column, _) = shares[0]
            ring = 0.3 + 0.06 * len(marks.setdefault((row, column), []))
            axis.add_patch(
                Circle((column, row), ring, fill=False, edgecolor=color, linewidth=1.8, zorder=5)
            )
            marks[row, column].append((letter, color))
            spot = column + ring, row
        else:
            spot = left + side, upper + side / 2
            marks.setdefault((place[0] * strides, place[1] * strides), []).append((letter, color))
            # An outline, since it stands on a frame of its own colour.
            axis.plot(*spot, "o", color=color, markersize=5, zorder=5, path_effects=halo)
        tips.append((color, spot, (x - 0.62, y)))
    for (row, column), letters in marks.items():
        for k, (letter, color) in enumerate(letters):
            look = {"color": color, "fontsize": 8.5, "fontweight": "bold", "zorder": 7}
            mark = axis.text(column - 0.46 + 0.26 * k, row - 0.3, letter, **look)
            mark.set_path_effects([withStroke(linewidth=1.5, foreground="white")])
    axis.set(xlim=(-0.6, width + room + 1.1), ylim=(height - 0.4, -0.6), aspect="equal")
    axis.axis("off")
    return tips


@styled
def dropped_pixels(size, pool_size, strides, *, title):
    """Draw a square image, each pixel with the number of windows that read it; crosses: none.

    Parameters
    ----------
    size, pool_size, strides : int
        Of the image and of the pooling, without padding.
    title : str

    Returns
    -------
    Figure
    """
    counts = reads(size, pool_size, strides)
    figure, (axis, words) = plotting.subplots(1, 2, size=(7.0, 4.0), width_ratios=(3, 2))
    axis.imshow(counts, cmap="Blues", vmin=0, vmax=max(4, counts.max()) * 1.6)
    dropped = {"facecolor": "#F6C9A3", "edgecolor": "#B3470B", "hatch": "xxx", "lw": 0.4}
    first = {"fill": False, "edgecolor": "#222222", "lw": 2.2, "clip_on": False, "zorder": 3}
    for (row, column), count in np.ndenumerate(counts):
        if not count:
            axis.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, **dropped))
        elif size <= 12:
            axis.text(column, row, count, ha="center", va="center", fontsize=9.5)
    edges = np.arange(-0.5, size)
    axis.set_xticks(edges, minor=True)
    axis.set_yticks(edges, minor=True)
    axis.grid(which="minor", color="white", linewidth=1)
    axis.tick_params(which="both", length=0)
    axis.spines[:].set_visible(False)
    axis.add_patch(Rectangle((-0.5, -0.5), pool_size, pool_size, **first))
    axis.set(xlabel="column of the image", ylabel="row of the image")
    results = (size - pool_size) // strides + 1
    none = (counts == 0).sum()
    handles = [
        Rectangle((0, 0), 1, 1, **first, label="first window"),
        Rectangle((0, 0), 1, 1, **dropped, label="never read"),
    ]
    words.axis("off")
    words.legend(handles=handles, loc="center left")
    words.text(
        0.05, 0.72, f"{size}×{size} → {results}×{results}\n{none} of {counts.size} never read"
    )
    if size <= 12:
        words.text(0.05, 0.25, "number: windows\nthat read the pixel")
    plotting.headline(figure, title)
    return figure


@styled
def depth_groups(maps, pooled, *, title):
    """Draw feature maps in their groups, and below each group the map that it became.

    Parameters
    ----------
    maps : array (h, w, channels)
    pooled : array (h, w, channels / pool_size)
        Largest of each group of neighbouring channels, pixel by pixel.
    title : str

    Returns
    -------
    Figure
    """
    maps, pooled = np.asarray(maps), np.asarray(pooled)
    channels, groups = maps.shape[-1], pooled.shape[-1]
    size = channels // groups
    figure, axes = plotting.subplots(2, channels, size=(0.5 + 1.1 * channels, 3.3))
    limits = {"vmin": maps.min(), "vmax": maps.max()}
    small = {"loc": "center", "fontsize": 8.5, "fontweight": "normal"}
    for axis in axes.flat:
        axis.set(xticks=[], yticks=[])
    for k in range(channels):
        group = k // size
        axes[0, k].imshow(maps[..., k], **limits)
        axes[0, k].set_title(f"{ascii_uppercase[group]}: channel {k}", **small)
        axes[0, k].spines[:].set(visible=True, color=WINDOW_COLORS[group], linewidth=2.5)
        if k % size == size // 2:
            below = axes[1, k]
            below.imshow(pooled[..., group], **limits)
            below.spines[:].set(visible=True, color=WINDOW_COLORS[group], linewidth=2.5)
            below.set_title("largest of the group ↓", **small)
            below.set_xlabel(f"{ascii_uppercase[group]}: largest of {size}", fontsize=9)
        else:
            axes[1, k].axis("off")
    plotting.headline(figure, title)
    return figure


@styled
def compared_counts(table, *, title):
    """Draw a table of whole numbers in which a row that is not the same throughout stands out.

    Parameters
    ----------
    table : pandas.DataFrame
        Numbers; the index names the rows.
    title : str

    Returns
    -------
    Figure
    """
    rows, columns = table.shape
    figure, axis = plotting.subplots(size=(2.0 + 1.9 * columns, 0.9 + 0.36 * (rows + 1)))
    for row, (name, values) in enumerate(table.iterrows()):
        differs = values.nunique() > 1
        axis.text(-0.05, row, name, ha="right", va="center")
        for column, value in enumerate(values):
            box = (column + 0.03, row - 0.44), 0.94, 0.88
            look = {"facecolor": "#F6C9A3", "hatch": "//"} if differs else {"facecolor": "#EEF4F9"}
            axis.add_patch(Rectangle(*box, edgecolor="white", **look))
            axis.text(
                column + 0.5,
                row,
                f"{value:,}",
                ha="center",
                va="center",
                fontweight="bold" if differs else "normal",
                bbox={"facecolor": look["facecolor"], "edgecolor": "none", "pad": 1.5},
            )
    for column, name in enumerate(table.columns):
        axis.text(column + 0.5, -1, name, ha="center", va="center", fontweight="bold")
    axis.set(xlim=(-0.9, columns), ylim=(rows - 0.4, -1.5))
    axis.axis("off")
    plotting.headline(figure, title)
    return figure
