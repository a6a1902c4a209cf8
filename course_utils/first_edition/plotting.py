"""Figures: data in, a matplotlib ``Figure`` out.

No function here saves or remembers anything, so each can be tested and reused. ``show`` is the one
door through which a figure reaches the page, and it does not let one pass without alt text.
"""

import base64
import html
import io
import os
import sys
import textwrap
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from matplotlib import rc_context, rc_params_from_file
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextPath
from matplotlib.ticker import MaxNLocator, PercentFormatter

from .legibility import contrast_faults, ink_on, words_faults

STYLE = rc_params_from_file(Path(__file__).with_name("course.mplstyle"), use_default_template=False)
BLUE, ORANGE, GREEN, PURPLE, OCHRE, GREY = (entry["color"] for entry in STYLE["axes.prop_cycle"])
CSS_PIXELS_PER_INCH = 96
CHARACTERS_PER_INCH = 10.5  # of a title, on average
SHORTEST_ALT = 15
LUMA = (0.299, 0.587, 0.114)  # how bright red, green and blue look (ITU-R BT.601)

# Titles, legends and line widths take their looks when they are made, not when the figure is: so
# each function here does all of its work in the course's style.
styled = rc_context(STYLE)


@styled
def subplots(rows=1, columns=1, *, size=(7.0, 3.2), **options):
    """Make a figure in the style of the course, without pyplot's global state.

    Parameters
    ----------
    rows, columns : int
        How many axes.
    size : (float, float)
        Width and height of the whole figure, in inches.
    **options
        Passed to ``Figure.subplots`` (``sharex``, ``width_ratios``, ``squeeze`` …).

    Returns
    -------
    (Figure, Axes or ndarray of Axes)
    """
    figure = Figure(figsize=size)
    return figure, figure.subplots(rows, columns, **options)


@styled
def headline(figure, title):
    """Write `title`, the finding, over the whole `figure`, in as many lines as it needs.

    An axes' own title starts where the axes start, and is cut off at the figure's right edge.
    """
    look = FontProperties(weight="bold", size=11.5)
    room = 0.94 * 72 * figure.get_figwidth()  # in points; on a coarse grid letters get wider
    width = int(figure.get_figwidth() * CHARACTERS_PER_INCH)
    lines = textwrap.wrap(title, width)
    # Letters differ in width, so that a line of so many may still be too long.
    while width > 10 and any(
        TextPath((0, 0), line, prop=look).get_extents().x1 > room for line in lines
    ):
        width -= 1
        lines = textwrap.wrap(title, width)
    figure.suptitle("\n".join(lines), x=0.01, ha="left", fontproperties=look)


def to_html(figure, alt):
    """Return `figure` as an HTML image that carries its alternative text.

    JupyterLab drops the alt text of an ``image/png`` output, so the picture is put in a page
    element of its own, which every front end honours.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    alt : str
        What is to be seen, for somebody who cannot see it: at least a sentence.

    Returns
    -------
    str

    Raises
    ------
    ValueError
        If `alt` is missing or too short to say anything.
    """
    return image_tag(legible_png(figure, alt), alt, width=figure.get_figwidth())


@styled
def legible_png(figure, alt):
    """Return `figure` as PNG bytes; where ``COURSE_FIGURES`` is set, only if everybody can read it.

    With ``alt`` the alternative texts are held to the rules of `legibility`, with ``strict``
    colours too. The tests run every notebook so; for a reader nothing is held, and nothing stops.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    alt : str

    Returns
    -------
    bytes

    Raises
    ------
    AssertionError
        If not everybody can.
    """
    held = os.environ.get("COURSE_FIGURES")
    picture = to_png(figure)
    found = words_faults(figure, alt) if held in ("alt", "strict") else []
    if held == "strict":
        with _laid_out(figure):
            found += contrast_faults(figure)
    if found:
        raise AssertionError(f"not everybody can read a figure: {'; '.join(found)}")
    return picture


@contextmanager
def _laid_out(figure):
    """Keep the layout that a figure got when it was drawn: to make it takes longer than to draw."""
    engine = figure.get_layout_engine()
    if engine is None:
        yield
        return
    figure.set_layout_engine("none")
    try:
        yield
    finally:
        figure.set_layout_engine(engine)


@styled
def to_png(figure):
    """Return `figure` as PNG bytes, drawn in the style of the course."""
    with io.BytesIO() as buffer:
        # Not compressed: that is done once, when the colours are known.
        figure.savefig(buffer, format="png", pil_kwargs={"compress_level": 0})
        return _smaller(buffer)


def _smaller(buffer):
    """Return a PNG with 256 colours, a third of the bytes, where nobody can see the difference."""
    from PIL import Image

    picture = Image.open(buffer).convert("RGB")
    few = picture.quantize(256, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    change = np.abs(np.subtract(picture, few.convert("RGB"), dtype=np.int16))
    same = change.mean() <= 0.5 and change.max() <= 24
    with io.BytesIO() as smaller:
        (few if same else picture).save(smaller, format="png", dpi=picture.info["dpi"])
        return smaller.getvalue()


def data_url(png):
    """Return PNG bytes as an address that holds the picture itself."""
    return f"data:image/png;base64,{base64.b64encode(png).decode('ascii')}"


def checked_alt(alt):
    """Return `alt` without spaces around it; ValueError if it is no text that says something."""
    if not isinstance(alt, str) or len(alt.strip()) < SHORTEST_ALT:
        raise ValueError(f"alt must say in a sentence what the figure shows: got {alt!r}")
    return alt.strip()


def image_tag(png, alt, width):
    """Return an ``<img>`` with PNG bytes inside; `width` in inches sets its size on the page."""
    alt = checked_alt(alt)
    return (
        f'<img alt="{html.escape(alt, quote=True)}" '
        f'style="max-width:100%;height:auto;background:white" '
        f'width="{round(width * CSS_PIXELS_PER_INCH)}" src="{data_url(png)}">'
    )


def show(figure, alt):
    """Show `figure` in the notebook with its alternative text, and close it.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    alt : str
        What is to be seen, with this run's numbers where they matter; not the title again.

    Raises
    ------
    ValueError
        If `alt` is missing or too short to say anything.
    """
    from IPython.display import display

    # Consoles and text-only front ends show the plain twin.
    display({"text/html": to_html(figure, alt), "text/plain": checked_alt(alt)}, raw=True)
    # A figure of pyplot's would be shown again at the end of the cell, without its alt text.
    if pyplot := sys.modules.get("matplotlib.pyplot"):
        pyplot.close(figure)


@styled
def image_grid(images, titles=None, *, columns=10, tile=0.85, cmap="gray", limits=None, title=None):
    """Lay images side by side.

    Parameters
    ----------
    images : array (n, h, w), (n, h, w, 1) or (n, h, w, 3)
        uint8 in 0–255, or any other numbers.
    titles : sequence of str, optional
        One line over each image.
    columns : int
    tile : float
        Size of one image in inches.
    limits : (float, float), optional
        Values shown as black and white. By default 0 and 255 for uint8, else the range of all
        images together, so that grey means the same in each.
    title : str, optional

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        If `images` has another shape, or is empty, or `titles` has another length.
    """
    images = np.asarray(images)
    if images.ndim == 4 and images.shape[-1] == 1:
        images = images[..., 0]
    colour = images.ndim == 4 and images.shape[-1] == 3
    if not (colour or images.ndim == 3) or not images.size:
        raise ValueError(
            "images must be an array (n, h, w), (n, h, w, 1) or (n, h, w, 3) with n at least 1: "
            f"got shape {images.shape}"
        )
    if titles is not None and len(titles) != len(images):
        raise ValueError(f"titles must be one an image: got {len(titles)} for {len(images)} images")
    if limits is None:
        limits = (0, 255) if images.dtype == np.uint8 else (images.min(), images.max())
    if colour:
        # matplotlib takes colours in 0–1 and leaves `vmin` and `vmax` to grey pictures.
        images = Normalize(*limits, clip=True)(images.astype(float)).data
    columns = min(columns, len(images))
    rows = -(-len(images) // columns)
    height = rows * (tile + (0.22 if titles is not None else 0.04)) + (0.35 if title else 0)
    figure, axes = subplots(rows, columns, size=(columns * tile, height), squeeze=False)
    for axis in axes.flat:
        axis.axis("off")
    for k, (axis, image) in enumerate(zip(axes.flat, images, strict=False)):
        axis.imshow(image, cmap=cmap, vmin=limits[0], vmax=limits[1])
        if titles is not None:
            axis.set_title(titles[k], fontsize=8.5, fontweight="normal", loc="center", pad=2)
    if title:
        headline(figure, title)
    return figure


@styled
def history(curves, *, title, ylabel="loss", first_epoch=1, axis=None, percent=False):
    """Draw training curves against the epoch.

    Parameters
    ----------
    curves : mapping from label to sequence of float
        One value an epoch, e.g. ``{"training": h["loss"], "validation": h["val_loss"]}``.
    title, ylabel : str
    first_epoch : int
        Number of the first epoch, 1 as Keras prints them.
    axis : Axes, optional
        Draw here, and return its figure.
    percent : bool
        Label the axis in per cent; values stay fractions.

    Returns
    -------
    Figure
    """
    if axis is None:
        _, axis = subplots(size=(6.4, 3.2))
    for label, values in curves.items():
        axis.plot(range(first_epoch, first_epoch + len(values)), values, label=label)
    axis.set(xlabel="epoch", ylabel=ylabel, title=title)
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    if percent:
        axis.yaxis.set_major_formatter(PercentFormatter(1))
    axis.grid(axis="y")
    axis.legend()
    return axis.figure


@styled
def seed_scatter(groups, *, title, xlabel, mark=None, form="{:.3f}"):
    """Draw every run as a dot, and each group's mean as a bar: one row a group.

    Parameters
    ----------
    groups : mapping from name to sequence of float
        One value a seed.
    title, xlabel : str
    mark : int, optional
        Ring the value at this index in every row.
    form : str
        How the mean is written.

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        If a group holds no value.
    """
    empty = [name for name, values in groups.items() if not len(values)]
    if empty or not groups:
        raise ValueError(f"each group must hold at least one value: got none for {empty or groups}")
    figure, axis = subplots(size=(7.0, 1.0 + 0.55 * len(groups)))
    for row, values in enumerate(groups.values()):
        values = np.asarray(values, dtype=float)
        heights = row + _spread(values)
        axis.plot(values, heights, "o", alpha=0.8, color=BLUE)
        axis.plot(values.mean(), row, "|", markersize=24, markeredgewidth=2.5, color=ORANGE)
        axis.annotate(
            f"mean {form.format(values.mean())}",
            (values.mean(), row),
            (0, 15),
            textcoords="offset points",
            ha="center",
            fontsize=9,
        )
        if mark is not None:
            axis.plot(
                values[mark],
                heights[mark],
                "o",
                markersize=13,
                color=ORANGE,
                markerfacecolor="none",
                markeredgewidth=2,
            )
    axis.set(yticks=range(len(groups)), yticklabels=list(groups), xlabel=xlabel)
    headline(figure, title)
    axis.set_ylim(len(groups) - 0.55, -0.75)
    axis.grid(axis="x")
    return figure


def _spread(values):
    """Return vertical offsets that keep equal values of one row apart."""
    offsets = np.zeros(len(values))
    for value in np.unique(values):
        same = np.flatnonzero(values == value)
        offsets[same] = 0.09 * (np.arange(len(same)) - (len(same) - 1) / 2)
    return np.clip(offsets, -0.3, 0.3)


@styled
def forest(effects, *, title, xlabel, zero="no effect"):
    """Draw intervals of effects, one row each, against the line of no effect.

    Parameters
    ----------
    effects : mapping from name to metrics.Interval
    title, xlabel : str
    zero : str
        What the line at 0 means.

    Returns
    -------
    Figure
    """
    figure, axis = subplots(size=(7.0, 1.3 + 0.36 * len(effects)))
    axis.axvline(0, color=GREY, linewidth=1.2, linestyle="--", marker="")
    for row, interval in enumerate(effects.values()):
        ink = BLUE if interval.low > 0 else ORANGE if interval.high < 0 else GREY
        fill = ink if interval.excludes_zero else "white"
        marker = "v" if interval.high < 0 else "o"
        ends = [interval.low, interval.high]
        # The dash would otherwise change from row to row with the cycle of styles.
        axis.plot(ends, [row, row], color=ink, marker="|", linestyle="-")
        axis.plot(interval.estimate, row, marker, color=ink, markerfacecolor=fill)
    axis.set(yticks=range(len(effects)), yticklabels=list(effects))
    headline(figure, title)
    axis.set_xlabel(f"{xlabel}\n0 is {zero}\nfilled: the interval excludes 0; triangle: below it")
    axis.set_ylim(len(effects) - 0.4, -0.6)
    axis.grid(axis="x")
    return figure


@styled
def matrix(values, *, rows, columns, xlabel, ylabel, title, form="{:.2f}", size=None, cmap="Blues"):
    """Draw a table of numbers as shaded cells with the number in each.

    Parameters
    ----------
    values : array (r, c)
    rows, columns : sequences of str
        Names of the rows and columns.
    form : str
        How a number is written.

    Returns
    -------
    Figure
    """
    values = np.asarray(values)
    size = size or (1.9 + 0.52 * values.shape[1], 1.5 + 0.4 * values.shape[0])
    figure, axis = subplots(size=size)
    picture = axis.imshow(values, cmap=cmap, aspect="auto")
    shades = picture.to_rgba(values)[..., :3]
    for (r, c), value in np.ndenumerate(values):
        ink = ink_on(shades[r, c])
        axis.text(c, r, form.format(value), ha="center", va="center", color=ink, fontsize=8.5)
    axis.set_xticks(range(len(columns)), columns)
    if max(map(len, columns)) > 3:
        axis.tick_params("x", rotation=40)
        for label in axis.get_xticklabels():
            label.set(ha="right", rotation_mode="anchor")
    axis.set_yticks(range(len(rows)), rows)
    axis.set(xlabel=xlabel, ylabel=ylabel)
    headline(figure, title)
    axis.spines[:].set_visible(False)
    axis.tick_params(length=0)
    return figure
