"""Pictures of what kernels do: to photographs, to frequencies, as matrices, and while they learn.

Pure functions like those of ``plotting``: data in, a ``Figure`` out. A kernel has two axes here.
"""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from . import numpy_ops, plotting
from .convolution_steps import cells, number
from .plotting import BLUE, GREEN, GREY, OCHRE, ORANGE, PURPLE

KERNELS = {
    "identity": np.array([[0, 0, 0], [0, 1, 0], [0, 0, 0]]),
    "blur": np.array([[1, 2, 1], [2, 4, 2], [1, 2, 1]]) / 16,
    "sharpen": np.array([[0, -1, 0], [-1, 5, -1], [0, -1, 0]]),
    "vertical edges": np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]),
    "all edges": np.array([[0, -1, 0], [-1, 4, -1], [0, -1, 0]]),
    "emboss": np.array([[-2, -1, 0], [-1, 1, 1], [0, 1, 2]]),
}
FREQUENCIES = 64  # of the spectrum, on each axis
COLORS = (BLUE, ORANGE, GREEN, PURPLE, OCHRE)


def photographs(height=96):
    """Load scikit-learn's two sample photographs, smaller.

    Parameters
    ----------
    height : int
        Rows; the columns are 3/2 of that.

    Returns
    -------
    dict from str to array (height, columns, 3), float64 in [0, 1]
        "temple" (china.jpg) and "flower" (flower.jpg).
    """
    from PIL import Image
    from sklearn.datasets import load_sample_images

    if height < 8:
        raise ValueError(f"height must be at least 8 pixels: got {height}")
    photos = {}
    for name, photo in zip(("temple", "flower"), load_sample_images().images, strict=True):
        picture = Image.fromarray(photo).resize((height * 3 // 2, height), Image.Resampling.BOX)
        photos[name] = np.asarray(picture) / 255.0
    return photos


def grey(photo):
    """Brightness of a colour photograph: (rows, columns, 3) → (rows, columns)."""
    return np.asarray(photo) @ np.array(plotting.LUMA)


def apply(image, kernel, padding="same"):
    """Convolve one image with one kernel, both of two axes."""
    batch = np.asarray(image, float)[None, :, :, None]
    return numpy_ops.conv2d(batch, np.asarray(kernel, float)[:, :, None, None], padding=padding)[
        0, :, :, 0
    ]


def spectrum(kernel, frequencies=FREQUENCIES):
    """Gain of a kernel at every frequency: by which factor it scales a wave.

    Parameters
    ----------
    kernel : array of two axes
    frequencies : int, even
        How many on each axis.

    Returns
    -------
    array (frequencies, frequencies)
        At least 0. From −½ to just under ½ cycles a pixel on both axes: frequency 0, a constant
        image, is at [frequencies // 2, frequencies // 2].
    """
    kernel = np.asarray(kernel, float)
    return np.fft.fftshift(np.abs(np.fft.fft2(kernel, (frequencies, frequencies))))


@plotting.styled
def filter_sheet(kernels, photos, *, title):
    """Draw each kernel, its spectrum, and what it does to photographs: one row a kernel.

    Parameters
    ----------
    kernels : mapping from name to array of two axes
    photos : mapping from name to array (rows, columns)
        In [0, 1].
    title : str

    Returns
    -------
    Figure
        All spectra share one colour bar, on which white is a gain of 1. Where the weights of a
        kernel add up to 0, mid-grey is 0; elsewhere black is 0 and white 1.
    """
    columns = 2 + len(photos)
    figure = Figure(
        figsize=(3.8 + 2.4 * len(photos), 1.2 + 1.6 * len(kernels)), layout="constrained"
    )
    widths = [0.9, 1.05, *[1.5] * len(photos)]
    axes = figure.subplots(len(kernels), columns, squeeze=False, width_ratios=widths)
    for place, (row, (name, kernel)) in enumerate(zip(axes, kernels.items(), strict=True), 1):
        cells(row[0], kernel)
        row[0].set_title(f"{name},\nsum {number(np.sum(kernel))}", loc="center", fontsize=9.5)
        gain = _spectrum(row[1], kernel, last=place == len(axes))
        signed = abs(np.sum(kernel)) < 1e-9
        for axis, (subject, photo) in zip(row[2:], photos.items(), strict=True):
            filtered = apply(photo, kernel, "same")
            top = np.percentile(np.abs(filtered), 99)
            limits = (-top, top) if signed else (0, 1)
            axis.imshow(filtered, vmin=limits[0], vmax=limits[1])
            axis.set_title(f"{subject}{', grey = 0' if signed else ''}", loc="center", fontsize=9)
            axis.set(xticks=[], yticks=[])
            axis.spines[:].set_visible(False)
    shrink = 1.0 if len(axes) == 1 else 0.5
    bar = figure.colorbar(gain, ax=axes, location="right", shrink=shrink, extend="both", pad=0.02)
    bar.set_ticks(range(-3, 4), labels=["⅛", "¼", "½", "1", "2", "4", "8"])
    bar.set_label("gain (white: unchanged)", fontsize=9)
    plotting.headline(figure, title)
    return figure


def _spectrum(axis, kernel, last):
    gain = spectrum(kernel)
    middle = len(gain) // 2
    octaves = np.log2(np.maximum(gain, 2.0**-9))  # each step doubles the wave or halves it
    drawn = axis.imshow(octaves, extent=(-0.5, 0.5, 0.5, -0.5), vmin=-3, vmax=3, cmap="PuOr_r")
    axis.set_title(
        f"gain {number(gain[middle, middle])} for constant,\n"
        f"{number(gain[0, 0])} for finest pattern",
        loc="center",
        fontsize=8,
        fontweight="normal",
    )
    axis.set_xticks([-0.5, 0, 0.5], ["−½", "0", "½"] if last else [""] * 3, fontsize=8)
    axis.set_yticks([-0.5, 0, 0.5], ["−½", "0", "½"], fontsize=8)
    if last:
        axis.set_xlabel("waves in a pixel, across", fontsize=8)
    axis.set_ylabel("down", fontsize=8)
    return drawn


@plotting.styled
def moved(images, maps, shift, *, title):
    """Draw an image and its feature map, before and after the image has moved.

    Parameters
    ----------
    images, maps : pairs of arrays of two axes
        Before and after; dark is 0 in the images, mid-grey is 0 in the maps.
    shift : (int, int)
        Rows down and columns to the right.
    title : str

    Returns
    -------
    Figure
        In the pictures after the move, the old place is outlined and an arrow leads to the new.
    """
    figure = Figure(figsize=(9.4, 2.9), layout="constrained")
    axes = figure.subplots(1, 4)
    down, right = shift
    for pair, names, at in (
        (images, ("the digit", "the digit, moved"), 0),
        (maps, ("its map", "the moved digit's map"), 2),
    ):
        top = max(np.abs(each).max() for each in pair)
        for axis, picture, name in zip(axes[at : at + 2], pair, names, strict=True):
            axis.imshow(picture, vmin=-top if at else 0, vmax=top)
            axis.set_title(name, loc="center", fontsize=10)
            axis.set(xticks=[], yticks=[])
        rows, columns = np.nonzero(pair[0])
        corner = columns.min() - 0.5, rows.min() - 0.5
        size = np.ptp(columns) + 1, np.ptp(rows) + 1
        for axis, x, y, line in (
            (axes[at], *corner, "-"),
            (axes[at + 1], *corner, "--"),
            (axes[at + 1], corner[0] + right, corner[1] + down, "-"),
        ):
            look = {"fill": False, "edgecolor": ORANGE, "lw": 1.6, "linestyle": line}
            axis.add_patch(Rectangle((x, y), *size, **look))
        arrow = {"arrowstyle": "-|>", "color": ORANGE, "lw": 1.8, "shrinkA": 0, "shrinkB": 0}
        end = corner[0] + right, corner[1] + down
        axes[at + 1].annotate("", end, corner, arrowprops=arrow)
        axes[at + 1].set_xlabel(f"{down} down, {right} right", fontsize=9.5)
    plotting.headline(figure, title)
    return figure


@plotting.styled
def two_maps(photo, kernels, *, title):
    """Draw one photograph, several filters side by side with it, and each filter's feature map.

    Parameters
    ----------
    photo : array (rows, columns)
    kernels : mapping from name to array of two axes
    title : str

    Returns
    -------
    Figure
    """
    figure = Figure(figsize=(9.0, 0.4 + 1.95 * len(kernels)), layout="constrained")
    grid = figure.add_gridspec(len(kernels), 3, width_ratios=[1.5, 0.75, 1.5], wspace=0.1)
    source = figure.add_subplot(grid[:, 0])
    source.imshow(photo, vmin=0, vmax=1)
    source.set_title("the image", loc="center", fontsize=10)
    for row, (name, kernel) in enumerate(kernels.items()):
        weights, found = figure.add_subplot(grid[row, 1]), figure.add_subplot(grid[row, 2])
        weights.imshow(kernel)
        weights.set_title(name, loc="center", fontsize=10)
        found.imshow(apply(photo, kernel))
        found.set_title(f"→ feature map {row + 1}", loc="center", fontsize=10)
        for axis in (weights, found):
            axis.set(xticks=[], yticks=[])
            axis.spines[:].set_visible(True)
    source.set(xticks=[], yticks=[])
    plotting.headline(figure, title)
    return figure


@plotting.styled
def matrix_product(image, kernel, *, title):
    """Draw a convolution as a matrix product: each window of a small image becomes a row.

    Parameters
    ----------
    image, kernel : arrays of two axes
        With at most 26 windows, which are named by letters.
    title : str

    Returns
    -------
    Figure
    """
    image, kernel = np.asarray(image, float), np.asarray(kernel, float)
    rows = numpy_ops.im2col(image[None, :, :, None], kernel.shape)
    output = apply(image, kernel, "valid")
    if len(rows) > 26:
        raise ValueError(f"image must have at most 26 windows: got {len(rows)}")
    letters = [chr(ord("A") + k) for k in range(len(rows))]
    figure = Figure(figsize=(9.4, 3.3), layout="constrained")
    widths = [image.shape[1], rows.shape[1] + 0.8, 1.2, 1.2, output.shape[1]]
    parts = figure.subplots(1, 5, width_ratios=widths)
    limit = np.abs(image).max()
    cells(parts[0], image, limit=limit)
    for k, letter in enumerate(letters):
        y, x = divmod(k, output.shape[1])
        # Frames of overlapping windows are shifted a little, so that all four sides can be seen.
        inset = 0.07 * (1 + k % 4)
        look = {"edgecolor": COLORS[k % 5], "linestyle": ("-", "--", "-.", ":")[k % 4], "lw": 2}
        corner = (x - 0.5 + inset, y - 0.5 + inset)
        size = kernel.shape[1] - 2 * inset, kernel.shape[0] - 2 * inset
        parts[0].add_patch(Rectangle(corner, *size, fill=False, **look))
        parts[1].add_patch(
            Rectangle((-0.46, k - 0.44), rows.shape[1] - 0.08, 0.88, fill=False, **look)
        )
        parts[1].text(-0.75, k, letter, ha="right", va="center", fontsize=10, fontweight="bold")
        parts[4].text(
            x - 0.42, y - 0.42, letter, ha="left", va="top", fontsize=8.5, fontweight="bold"
        )
    cells(parts[1], rows, limit=limit)
    cells(parts[2], kernel.reshape(-1, 1))
    cells(parts[3], output.reshape(-1, 1))
    cells(parts[4], output)
    parts[1].set_xlim(-1.4, rows.shape[1] - 0.4)
    names = ("image", "every window, a row", "kernel", "product", "output")
    for axis, name, sign in zip(parts, names, ("", "→", "×", "=", "→"), strict=True):
        axis.set_title(name, loc="center", fontsize=10)
        axis.text(-0.06, 0.5, sign, transform=axis.transAxes, fontsize=16, ha="right", va="center")
    plotting.headline(figure, title)
    return figure


@plotting.styled
def timings(seconds, *, title):
    """Draw times on one log scale, each with how many times faster than the first it is.

    Parameters
    ----------
    seconds : mapping from name to float
        The slowest first.
    title : str

    Returns
    -------
    Figure
    """
    if not seconds or min(seconds.values()) <= 0:
        raise ValueError(f"seconds must hold times above 0: got {dict(seconds)}")
    figure, axis = plotting.subplots(size=(7.6, 1.1 + 0.42 * len(seconds)))
    times = [1000 * each for each in seconds.values()]
    for row, time in enumerate(times):
        # Dots: a bar would have no honest length on a log scale.
        axis.plot(time, row, "os^D"[row % 4], color=COLORS[row % 5], markersize=9)
        faster = f", {times[0] / time:,.0f} times as fast" if row else ""
        text = f"{time:.3g} ms{faster}" if time < 100 else f"{time:,.0f} ms{faster}"
        axis.annotate(text, (time, row), (10, 0), textcoords="offset points", va="center")
    axis.set(xscale="log", xlabel="milliseconds (log scale)")
    axis.set_yticks(range(len(times)), list(seconds))
    axis.set(xlim=(min(times) / 3, max(times) * 40), ylim=(-0.6, len(times) - 0.4))
    axis.invert_yaxis()
    plotting.headline(figure, title)
    return figure


@plotting.styled
def learning(weights, losses, target, *, title):
    """Draw how a kernel was learned: the loss on a log scale, and each weight on its way.

    Parameters
    ----------
    weights : array (steps, weights)
    losses : array (steps,)
    target : array (weights,)
        Where the weights should end; dashed.
    title : str

    Returns
    -------
    Figure
    """
    weights, target = np.asarray(weights), np.ravel(target)
    figure, (left, right) = plotting.subplots(1, 2, size=(9.0, 3.1))
    left.plot(np.arange(len(losses)), losses, "-", color=BLUE, marker="")
    left.set(yscale="log", xlabel="step of gradient descent", ylabel="mean squared error")
    for k, goal in enumerate(target):
        right.axhline(goal, color=GREY, lw=0.9, linestyle="--", marker="")
        right.plot(weights[:, k], "-", color=COLORS[k % 5], marker="")
    for goal in np.unique(target):
        right.annotate(
            number(goal), (1.01, goal), xycoords=("axes fraction", "data"), va="center", fontsize=9
        )
    right.set(xlabel="step of gradient descent", ylabel="weight (dashed: sought)")
    for axis in (left, right):
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    plotting.headline(figure, title)
    return figure


@plotting.styled
def value_grids(arrays, *, signs=None, title, limit=None, columns=None):
    """Draw small arrays side by side, a number in each cell.

    Parameters
    ----------
    arrays : mapping from name to array of two axes
    signs : sequence of str, optional
        What stands before each array: "", "⋆", "=".
    title : str
    limit : float, optional
        What gets the full shade; by default each array has its own.
    columns : int, optional
        How many in a row; by default all.

    Returns
    -------
    Figure
    """
    columns = columns or len(arrays)
    rows = -(-len(arrays) // columns)
    shapes = [np.shape(each) for each in arrays.values()]
    widths = [max(s[1] for s in shapes[k::columns]) for k in range(columns)]
    size = (
        min(9.6, max(6.0, 1.2 + 0.52 * sum(widths))),
        0.8 + rows * (0.5 + 0.42 * max(s[0] for s in shapes)),
    )
    figure = Figure(figsize=size, layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False, width_ratios=widths)
    for axis in axes.flat:
        axis.axis("off")
    signs = signs or [""] * len(arrays)
    for axis, (name, values), sign in zip(axes.flat, arrays.items(), signs, strict=False):
        cells(axis, values, limit=limit)
        axis.set_title(name, loc="center", fontsize=10)
        axis.text(-0.04, 0.5, sign, transform=axis.transAxes, fontsize=15, ha="right", va="center")
    plotting.headline(figure, title)
    return figure
