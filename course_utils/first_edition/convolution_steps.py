"""A convolution of one small image, step by step: every number that is read, multiplied and added.

`steps` computes; the other functions draw what it computed. They take one image and one kernel of
two axes each (no batch, no channels), so that all the numbers fit on a page.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import ConnectionPatch, Rectangle
from matplotlib.patheffects import withStroke

from . import numpy_ops, plotting
from .arithmetic import effective_kernel_size, output_size, same_padding
from .plotting import BLUE, GREY, ORANGE
from .sizes import is_same, padding_pair, pair

# Light enough for dark figures on every shade; the negative end is not the orange of the window.
SHADES = LinearSegmentedColormap.from_list("shades", ["#D2AFE0", "#FFFFFF", "#8FC1E3"])
PADDING = {"facecolor": "#EFEFEF", "edgecolor": "#8A8A8A", "hatch": "///", "linewidth": 0.5}


@dataclass(frozen=True)
class Steps:
    """A convolution of one image of one channel, laid out.

    Attributes
    ----------
    image, kernel : arrays of two axes
    padded : array
        The image with its zeros around.
    edges : ((top, bottom), (left, right))
        How many zeros.
    strides, dilation_rate : (int, int)
    output : array
        Each number of it is one step.
    """

    image: np.ndarray
    kernel: np.ndarray
    padded: np.ndarray
    edges: tuple
    strides: tuple
    dilation_rate: tuple
    output: np.ndarray

    def place(self, step):
        """Return the row and column of the output that a step, counted from 1, computes."""
        if not 1 <= step <= self.output.size:
            raise ValueError(
                f"step must be 1 to {self.output.size}, because the output is "
                f"{self.output.shape[0]}×{self.output.shape[1]}: got {step}"
            )
        return divmod(step - 1, self.output.shape[1])

    def reads(self, step):
        """Return the rows and the columns of the padded image that a step reads."""
        return tuple(
            [at * stride + gap * i for i in range(size)]
            for at, stride, gap, size in zip(
                self.place(step), self.strides, self.dilation_rate, self.kernel.shape, strict=True
            )
        )

    def window(self, step):
        """Return the numbers that a step multiplies with the kernel."""
        return self.padded[np.ix_(*self.reads(step))]


def steps(image, kernel, *, strides=1, padding="valid", dilation_rate=1):
    """Lay out a convolution; the arguments are those of `numpy_ops.conv2d`.

    Parameters
    ----------
    image, kernel : arrays of two axes

    Returns
    -------
    Steps

    Raises
    ------
    ValueError
        If the image or the kernel has other axes, or the kernel does not fit.
    """
    image, kernel = np.asarray(image, float), np.asarray(kernel, float)
    for name, value in {"image": image, "kernel": kernel}.items():
        if value.ndim != 2:
            raise ValueError(f"{name} must have two axes, rows and columns: got {value.shape}")
    how = {"strides": strides, "padding": padding, "dilation_rate": dilation_rate}
    batch, weights = image[None, :, :, None], kernel[:, :, None, None]
    output = numpy_ops.conv2d(batch, weights, **how)[0, :, :, 0]
    edges = numpy_ops.explicit_padding(batch.shape, kernel.shape, **how)
    return Steps(
        image=image,
        kernel=kernel,
        padded=np.pad(image, edges),
        edges=edges,
        strides=pair("strides", strides),
        dilation_rate=pair("dilation_rate", dilation_rate),
        output=output,
    )


@plotting.styled
def draw(laid_out, step):
    """Draw one step: the window on the image, the kernel, the products, the sum, the output so far.

    Parameters
    ----------
    laid_out : Steps
    step : int
        From 1 (the output's first number) to the size of the output.

    Returns
    -------
    Figure
    """
    row, column = laid_out.place(step)
    window = laid_out.window(step)
    products = window * laid_out.kernel
    figure = Figure(figsize=(9.6, 3.7), layout="constrained")
    grid = figure.add_gridspec(2, 5, width_ratios=[2.1, 1, 1, 1, 1.7], height_ratios=[1.15, 1])
    source = figure.add_subplot(grid[:, 0])
    small = [figure.add_subplot(grid[0, k]) for k in (1, 2, 3)]
    words = figure.add_subplot(grid[1, 1:4])
    result = figure.add_subplot(grid[:, 4])

    cells(source, laid_out.padded, edges=laid_out.edges)
    _mark_window(source, laid_out, step)
    zeros = " with its zeros" if laid_out.padded.size > laid_out.image.size else ""
    source.set_title(f"image{zeros}, {_size(laid_out.padded)}", loc="center", fontsize=10)
    cells(small[0], window, limit=np.abs(laid_out.padded).max())
    cells(small[1], laid_out.kernel)
    cells(small[2], products, limit=np.abs(laid_out.padded).max() * np.abs(laid_out.kernel).max())
    for axis, name, sign in zip(
        small, ("window", "kernel", "products"), ("", "×", "="), strict=True
    ):
        axis.set_title(name, loc="center", fontsize=10)
        axis.text(-0.16, 0.5, sign, transform=axis.transAxes, fontsize=15, ha="center", va="center")
    _sum_in_words(words, window, laid_out.kernel, laid_out.output[row, column])
    done = np.arange(laid_out.output.size).reshape(laid_out.output.shape) < step
    cells(result, laid_out.output, shown=done)
    result.add_patch(_frame(row, column))
    result.set_title(f"output, {_size(laid_out.output)}", loc="center", fontsize=10)

    rows, columns = laid_out.reads(step)
    for y, corner in ((rows[0] - 0.5, 1.0), (rows[-1] + 0.5, 0.0)):
        _link(source, (columns[-1] + 0.5, y), source.transData, (0, corner), small[0].transAxes)
    # From below, where the output has no numbers yet.
    end = (column, row + 0.5), result.transData
    curve = {"arrowstyle": "-|>", "connectionstyle": "arc3,rad=0.25", "linewidth": 1.2}
    _link(result, (0.99, 0.46), words.transAxes, *end, **curve)
    plotting.headline(
        figure,
        f"Step {step} of {laid_out.output.size}: the products add up to "
        f"{number(laid_out.output[row, column])}, the output's row {row}, column {column}",
    )
    return figure


def in_words(laid_out, step):
    """Say what `draw` shows, as alternative text.

    Parameters
    ----------
    laid_out : Steps
    step : int

    Returns
    -------
    str
    """
    row, column = laid_out.place(step)
    rows, columns = laid_out.reads(step)
    window, kernel = (_rows(each) for each in (laid_out.window(step), laid_out.kernel))
    return (
        f"Step {step} of {laid_out.output.size}. Rows {_list(rows)}, columns {_list(columns)} of "
        f"the {_size(laid_out.padded)} image hold {window}; times the kernel {kernel}, added up, "
        f"they make {number(laid_out.output[row, column])}, which stands in row {row}, column "
        f"{column} of the {_size(laid_out.output)} output."
    )


def _rows(values):
    return " / ".join(" ".join(map(number, row)) for row in values)


def _list(numbers):
    return ", ".join(map(str, numbers))


@plotting.styled
def padding_panels(image, kernel, paddings, *, strides=1, title):
    """Draw the same image with several paddings: the padded image above, the output below.

    Parameters
    ----------
    image, kernel : arrays of two axes
    paddings : mapping from name to padding
        As of `numpy_ops.conv2d`, or an array: the image, padded by other means.
    strides : int
    title : str

    Returns
    -------
    Figure
        The first window is framed with a solid line, the last one with a dashed line.
    """
    figure = Figure(figsize=(0.6 + 2.6 * len(paddings), 4.9), layout="constrained")
    axes = figure.subplots(2, len(paddings), squeeze=False, height_ratios=[1.25, 1])
    laid = {name: _padded_by(image, kernel, how, strides) for name, how in paddings.items()}
    largest = [max(getattr(each, part).shape[0] for each in laid.values()) for part in _PARTS]
    for (above, below), (name, each) in zip(axes.T, laid.items(), strict=True):
        cells(above, each.padded, edges=each.edges)
        for step, line in ((1, "-"), (each.output.size, "--")):
            rows, columns = each.reads(step)
            above.add_patch(_frame(rows[0], columns[0], len(rows), len(columns), line))
        cells(below, each.output)
        above.set_title(f"{name}\npadded {_size(each.padded)}", loc="center", fontsize=10)
        below.set_title(f"output {_size(each.output)}", loc="center", fontsize=10)
        # The same scale in all panels, so that a larger image looks larger.
        for axis, size, part in zip((above, below), largest, _PARTS, strict=True):
            margin = (size - getattr(each, part).shape[0]) / 2 + 0.6
            axis.set_xlim(-margin, getattr(each, part).shape[1] - 1 + margin)
            axis.set_ylim(getattr(each, part).shape[0] - 1 + margin, -margin)
    plotting.headline(figure, title)
    return figure


_PARTS = ("padded", "output")


def _padded_by(image, kernel, padding, strides):
    if not isinstance(padding, np.ndarray):
        return steps(image, kernel, strides=strides, padding=padding)
    laid_out = steps(padding, kernel, strides=strides)
    around = [(n - m) // 2 for n, m in zip(padding.shape, np.shape(image), strict=True)]
    return replace(laid_out, edges=tuple((n, n) for n in around))


@plotting.styled
def axis_windows(size, kernel_size, strides=1, padding="valid", dilation_rate=1):
    """Draw one axis of a convolution: which pixels each output reads, and which nobody reads.

    Parameters
    ----------
    size, kernel_size, strides, dilation_rate : int
    padding : {"valid", "same"}, int, or (int, int)

    Returns
    -------
    Figure
        The pixels above, zeros of the padding hatched; below, one row for each output. The title
        carries the formula with these numbers.
    """
    outputs = output_size(size, kernel_size, strides, padding, dilation_rate)
    if is_same(padding):
        before, after = same_padding(size, kernel_size, strides, dilation_rate)
        formula = f"⌈{size}/{strides}⌉ = {outputs}"
    else:
        before, after = padding_pair(padding)
        formula = (
            f"⌊({size} + {before + after} − {dilation_rate}·({kernel_size} − 1) − 1)/{strides}⌋ "
            f"+ 1 = {outputs}"
        )
    figure = Figure(figsize=(7.4, 3.2), layout="constrained")
    axis = figure.subplots()
    read = {
        output * strides + dilation_rate * tap - before
        for output in range(outputs)
        for tap in range(kernel_size)
    }
    for pixel in range(-before, size + after):
        inside = 0 <= pixel < size
        look = {"facecolor": "#D9E8F4", "edgecolor": "#444444"} if inside else PADDING
        axis.add_patch(Rectangle((pixel - 0.46, -0.4), 0.92, 0.8, **look))
        if inside and pixel not in read:
            axis.text(pixel, 0, "×", ha="center", va="center", fontsize=13, color="#9C2A00")
        elif inside:
            axis.text(pixel, 0, pixel, ha="center", va="center", fontsize=9)
    span = effective_kernel_size(kernel_size, dilation_rate)
    for output in range(outputs):
        first = output * strides - before
        axis.plot([first, first + span - 1], [output + 1] * 2, "-", color=BLUE, lw=1.2, marker="")
        taps = [first + dilation_rate * tap for tap in range(kernel_size)]
        axis.plot(taps, [output + 1] * kernel_size, "s", color=BLUE, markersize=8, linestyle="")
        axis.text(size + after + 0.3, output + 1, f"output {output}", va="center", fontsize=9)
    unread = size - len(read & set(range(size)))
    axis.text(size + after + 0.3, 0, "the image", va="center", fontsize=9)
    axis.set(
        xlim=(-before - 0.8, size + after + 2.6), ylim=(max(outputs, 5) + 0.7, -0.8), aspect="auto"
    )
    axis.axis("off")
    lost = f"; {unread} of {size} pixels (×) unread" if unread else ""
    plotting.headline(figure, f"Output size {formula}{lost}")
    return figure


def axis_in_words(size, kernel_size, strides=1, padding="valid", dilation_rate=1):
    """Say what `axis_windows` shows, as alternative text; the same arguments."""
    outputs = output_size(size, kernel_size, strides, padding, dilation_rate)
    before, after = (
        same_padding(size, kernel_size, strides, dilation_rate)
        if is_same(padding)
        else padding_pair(padding)
    )
    reads = [
        _list(output * strides - before + dilation_rate * tap for tap in range(kernel_size))
        for output in range(outputs)
    ]
    listed = "; ".join(f"output {n} reads {pixels}" for n, pixels in enumerate(reads))
    return (
        f"A row of the pixels 0 to {size - 1} with {before} zeros before and {after} after. "
        f"Below, {listed}."
    )


def cells(axis, values, *, edges=None, limit=None, shown=None):
    """Draw an array as shaded cells with a number in each.

    Parameters
    ----------
    axis : Axes
    values : array of two axes
    edges : ((top, bottom), (left, right)), optional
        How many rows and columns at the border are padding, and hatched.
    limit : float, optional
        What gets the full shade; by default the largest absolute value.
    shown : array of bool, optional
        Cells that have a number yet; the others stay empty.
    """
    values = np.asarray(values, float)
    rows, columns = values.shape
    limit = limit or np.abs(values).max() or 1.0
    shown = np.ones(values.shape, bool) if shown is None else shown
    (top, bottom), (left, right) = edges or ((0, 0), (0, 0))
    size = 10 if max(rows, columns) <= 6 else 8.5
    for (r, c), value in np.ndenumerate(values):
        inside = top <= r < rows - bottom and left <= c < columns - right
        look = {"facecolor": SHADES(0.5 + value / limit / 2), "edgecolor": "#777777", "lw": 0.6}
        if not shown[r, c]:
            look["facecolor"] = "white"
        corner = (c - 0.5, r - 0.5)
        # As add_patch, which would measure each for limits that are set below.
        axis.add_artist(Rectangle(corner, 1, 1, **(look if inside else PADDING)))
        if shown[r, c]:
            box = None if inside else {"facecolor": "#EFEFEF", "edgecolor": "none", "pad": 0.8}
            text = number(value)
            small = size - max(0, len(text) - 2)
            drawn = axis.text(c, r, text, ha="center", va="center", fontsize=small, bbox=box)
            if inside:  # a link of `draw` may pass behind it
                drawn.set_path_effects([withStroke(linewidth=2.5, foreground=look["facecolor"])])
    axis.set(xlim=(-0.6, columns - 0.4), ylim=(rows - 0.4, -0.6), aspect="equal")
    axis.axis("off")


def number(value):
    """Write a number as short as it can be: whole, or with two decimals; minus as a real minus."""
    text = f"{value:.0f}" if abs(value - round(value)) < 1e-9 else f"{value:.2f}"
    return ("0" if float(text) == 0 else text).replace("-", "−")


def _size(values):
    return "×".join(map(str, values.shape))


def _frame(row, column, rows=1, columns=1, line="-"):
    corner = (column - 0.5, row - 0.5)
    return Rectangle(corner, columns, rows, fill=False, edgecolor=ORANGE, lw=2.6, linestyle=line)


def _mark_window(axis, laid_out, step):
    rows, columns = laid_out.reads(step)
    for row in rows:
        for column in columns:
            axis.add_patch(_frame(row, column))
    if max(laid_out.dilation_rate) > 1:
        spans = rows[-1] - rows[0] + 1, columns[-1] - columns[0] + 1
        axis.add_patch(
            Rectangle(
                (columns[0] - 0.5, rows[0] - 0.5),
                spans[1],
                spans[0],
                fill=False,
                edgecolor=GREY,
                linestyle="--",
            )
        )


def _sum_in_words(axis, window, kernel, total):
    """Write the sum, one line for each row of the kernel."""
    lines = []
    for values, weights in zip(window, kernel, strict=True):
        terms = [f"{number(v)}·{_signed(w)}" for v, w in zip(values, weights, strict=True)]
        lines.append(("+ " if lines else "  ") + " + ".join(terms))
    fixed = {"va": "center", "family": "DejaVu Sans Mono"}
    axis.text(0.4, 0.66, "\n".join(lines), ha="center", fontsize=11, linespacing=1.4, **fixed)
    axis.text(0.98, 0.52, f"= {number(total)}", ha="right", fontsize=13, weight="bold", **fixed)
    axis.set(xlim=(0, 1), ylim=(0, 1))
    axis.axis("off")


def _signed(weight):
    text = number(weight)
    return f"({text})" if text.startswith("−") else text


def _link(axis, at, start, to, end, **look):
    """Draw a line over the cells of an axis and under its numbers; it may end on another axis."""
    look = {"color": ORANGE, "linewidth": 0.9, "arrowstyle": "-", "clip_on": False, **look}
    axis.add_artist(ConnectionPatch(at, to, start, end, zorder=1.5, **look)).set_in_layout(False)
