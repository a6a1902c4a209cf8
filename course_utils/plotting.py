"""Figures: numbers in, a matplotlib ``Figure`` out; `show` puts one on the page with its alt text.

A figure made here is not pyplot's, so that it shows once. Lines differ by marker and dash as well
as by colour, and all figures are opaque: they can be read on a dark page. `images`, `history`,
`curves`, `dots`, `heatmap`, `confusion` and `forest` each return the figure that they draw.
"""

import base64
import html
import io
import sys
import textwrap
from pathlib import Path

import numpy as np
from matplotlib import rc_context, rc_params_from_file, rcParams
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

STYLE = rc_params_from_file(Path(__file__).with_name("course.mplstyle"), use_default_template=False)
BLUE, ORANGE, GREEN, PURPLE, OCHRE, GREY = (entry["color"] for entry in STYLE["axes.prop_cycle"])
SHORTEST_ALT = 15

# Lines and titles take their looks when they are made: each function here works in the style.
styled = rc_context(STYLE)


def use_style():
    """Give all figures of this process the look of the course."""
    rcParams.update(STYLE)


@styled
def subplots(rows=1, columns=1, *, size=(6.4, 3.2), **options):
    """Return a new (Figure, Axes or array of Axes), `size` inches wide and high.

    `options` go to ``Figure.subplots``: ``sharex``, ``width_ratios``, ``squeeze`` …
    """
    figure = Figure(figsize=size)
    return figure, figure.subplots(rows, columns, **options)


@styled
def headline(figure, title):
    """Write `title` over the whole figure, in as many lines as its width needs."""
    lines = textwrap.wrap(title, int(10 * figure.get_figwidth()))
    figure.suptitle("\n".join(lines), x=0.01, ha="left", weight="bold", size=11.5)


def to_html(figure, alt):
    """Return `figure` as an HTML image that carries its alternative text.

    JupyterLab drops the alt text of a PNG output; an ``<img>`` of one's own keeps it everywhere.

    Raises
    ------
    ValueError
        If `alt` is no text, or too short to say anything.
    """
    if not isinstance(alt, str) or len(alt.strip()) < SHORTEST_ALT:
        raise ValueError(f"alt must say in a sentence what the figure shows: got {alt!r}")
    return (
        f'<img alt="{html.escape(alt.strip(), quote=True)}" style="max-width:100%;height:auto;'
        f'background:white" width="{round(96 * figure.get_figwidth())}" src="{data_url(figure)}">'
    )


@styled
def data_url(figure):
    """Return `figure` as an address that holds the picture itself, a PNG."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}"


def ink_on(shade):
    """Return "black" or "white", whichever is read better on a shade (red, green, blue, …)."""
    brightness = np.dot(shade[:3], (0.299, 0.587, 0.114))  # ITU-R BT.601
    return "black" if brightness > 0.5 else "white"


def show(figure, alt):
    """Show `figure` with its alternative text, and close it.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    alt : str
        What is to be seen, in a sentence, for somebody who cannot see it.
    """
    from IPython.display import display

    display({"text/html": to_html(figure, alt), "text/plain": alt.strip()}, raw=True)
    # The cell's end would show a figure of pyplot's again, without its alt text.
    if pyplot := sys.modules.get("matplotlib.pyplot"):
        pyplot.close(figure)


@styled
def images(images, titles=None, *, columns=10, tile=0.9, title=None):
    """Lay images side by side.

    Parameters
    ----------
    images : array (n, h, w), (n, h, w, 1) or (n, h, w, 3)
        Grey: uint8, or other numbers, from the least of all (black) to the largest (white).
        Colour: uint8, or numbers from 0 to 1.
    titles : sequence of str, optional
        One over each image.
    columns : int
    tile : float
        Width of one image in inches.
    title : str, optional

    Raises
    ------
    ValueError
        For another shape, no image, or another number of titles.
    """
    images = np.asarray(images)
    if images.ndim not in (3, 4) or not len(images) or images.shape[3:] not in ((), (1,), (3,)):
        raise ValueError(
            "images must be an array (n, h, w), (n, h, w, 1) or (n, h, w, 3) with n at least 1: "
            f"got shape {images.shape}"
        )
    if titles is not None and len(titles) != len(images):
        raise ValueError(f"titles must be one an image: got {len(titles)} for {len(images)} images")
    low, high = (0, 255) if images.dtype == np.uint8 else (images.min(), images.max())
    columns = min(columns, len(images))
    rows = -(-len(images) // columns)
    row_height = tile * images.shape[1] / images.shape[2] + (0.24 if titles is not None else 0.04)
    size = columns * tile, rows * row_height + (0.4 if title else 0)
    figure, axes = subplots(rows, columns, size=size, squeeze=False)
    for axis in axes.flat:
        axis.axis("off")
    for k, (axis, image) in enumerate(zip(axes.flat, images, strict=False)):
        axis.imshow(image, cmap="gray", vmin=low, vmax=high)
        if titles is not None:
            axis.set_title(titles[k], fontsize=8.5, weight="normal", loc="center", pad=2)
    if title:
        headline(figure, title)
    return figure


@styled
def history(history):
    """Draw the curves of a training against the epoch: loss on the left, a metric on the right.

    Parameters
    ----------
    history : keras.callbacks.History or mapping
        What `fit` returned, or its ``history``: ``{"loss": […], "val_loss": […], …}``.
    """
    curves = getattr(history, "history", history)
    names = [name for name in curves if not name.startswith("val_") and name != "learning_rate"]
    names = names[:2]
    figure, axes = subplots(1, len(names), size=(7.6, 2.9), squeeze=False)
    for axis, name in zip(axes[0], names, strict=True):
        for key, label in ((name, "training"), (f"val_{name}", "validation")):
            if key in curves:
                axis.plot(range(1, len(curves[key]) + 1), curves[key], label=label)
        axis.set(xlabel="epoch", ylabel=name)
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        axis.grid(axis="y")
    axes[0, 0].legend()
    return figure


@styled
def curves(x, lines, *, xlabel, ylabel):
    """Draw lines over one axis; of several runs their mean, and shaded all that they reached.

    Parameters
    ----------
    x : sequence of n numbers
    lines : mapping from label to array (n,) or (runs, n)
    xlabel, ylabel : str
    """
    figure, axis = subplots()
    for label, values in lines.items():
        values = np.atleast_2d(np.asarray(values, dtype=float))
        (line,) = axis.plot(x, values.mean(axis=0), label=label)
        if len(values) > 1:
            low, high = values.min(axis=0), values.max(axis=0)
            axis.fill_between(x, low, high, color=line.get_color(), alpha=0.15, linewidth=0)
    axis.set(xlabel=xlabel, ylabel=ylabel)
    axis.grid(axis="y")
    axis.legend()
    return figure


@styled
def dots(values, *, xlabel):
    """Mark a number a name, or the mean of several and each of them, on a logarithmic axis.

    For numbers of very different sizes: a bar's length would mean nothing there.
    """
    figure, axis = subplots(size=(6.4, 0.9 + 0.34 * len(values)))
    for row, numbers in enumerate(map(np.atleast_1d, values.values())):
        axis.semilogx(numbers.mean(), row, "o", color=BLUE, markersize=9)
        if len(numbers) > 1:
            axis.plot(numbers, [row] * len(numbers), "o", color="white", markeredgecolor=GREY)
        text, at = f"{numbers.mean():,.3g}", (numbers.max(), row)
        axis.annotate(text, at, (8, 0), textcoords="offset points", va="center")
    axis.set_yticks(range(len(values)), list(values))
    axis.set(xlabel=xlabel, ylim=(len(values) - 0.4, -0.6))
    axis.margins(x=0.15)
    return figure


@styled
def heatmap(values, *, rows, columns, xlabel, ylabel):
    """Draw a table of numbers as shaded cells with the number in each.

    Parameters
    ----------
    values : array (r, c)
    rows, columns : sequences
        Names of the rows and columns.
    xlabel, ylabel : str
    """
    values = np.asarray(values, dtype=float)
    size = 1.9 + 0.54 * values.shape[1], 1.2 + 0.4 * values.shape[0]
    figure, axis = subplots(size=size)
    picture = axis.imshow(values, cmap="Blues", aspect="auto")
    for (r, c), value in np.ndenumerate(values):
        ink = ink_on(picture.to_rgba(value))
        axis.text(c, r, f"{value:.2f}", ha="center", va="center", color=ink, fontsize=8.5)
    axis.set_xticks(range(len(columns)), columns)
    if max(len(str(name)) for name in columns) > 4:
        axis.tick_params("x", rotation=40)
    axis.set_yticks(range(len(rows)), rows)
    axis.set(xlabel=xlabel, ylabel=ylabel)
    axis.spines[:].set_visible(False)
    axis.tick_params(length=0)
    return figure


def confusion(counts, class_names):
    """Draw a confusion matrix (``sklearn.metrics.confusion_matrix``) with its counts.

    Cells are shaded by their share of the row, so that a rare class is seen as well.

    Parameters
    ----------
    counts : array of int (classes, classes)
        Row: the true class; column: the predicted one.
    class_names : sequence of str
    """
    counts = np.asarray(counts)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    names = {"rows": class_names, "columns": class_names}
    figure = heatmap(shares, **names, xlabel="predicted", ylabel="true")
    for text, count in zip(figure.axes[0].texts, counts.flat, strict=True):
        text.set_text(str(count) if count else "")
    return figure


@styled
def forest(effects, *, xlabel):
    """Draw intervals of effects, one row each, against the line of no effect.

    Parameters
    ----------
    effects : mapping from name to metrics.Interval
        Filled marks: the interval leaves out 0.
    xlabel : str
    """
    figure, axis = subplots(size=(6.8, 1.1 + 0.36 * len(effects)))
    axis.axvline(0, color=GREY, linewidth=1.2, linestyle="--", marker="")
    for row, effect in enumerate(effects.values()):
        ink, fill = (BLUE, BLUE) if effect.excludes_zero else (GREY, "white")
        axis.plot([effect.low, effect.high], [row, row], color=ink, marker="|", linestyle="-")
        axis.plot(effect.estimate, row, "o", color=ink, markerfacecolor=fill, markersize=7)
    axis.set_yticks(range(len(effects)), list(effects))
    axis.set(xlabel=xlabel, ylim=(len(effects) - 0.4, -0.6))
    axis.grid(axis="x")
    return figure
