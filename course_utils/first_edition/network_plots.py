"""Drawings of what a network is and what it looks at: layers, costs, filters, heat maps.

Pure functions like those of ``plotting``: numbers in, a ``Figure`` out.
"""

import numpy as np
from matplotlib.patches import Rectangle
from matplotlib.ticker import PercentFormatter

from . import plotting
from .plotting import BLUE, GREEN, GREY, ORANGE, headline, styled

LAYER_LOOKS = {
    "Conv2D": {"facecolor": "#BBD9EE", "hatch": ""},
    "MaxPooling2D": {"facecolor": "#F6C9A3", "hatch": "//"},
    "Dense": {"facecolor": "#BFBFBF", "hatch": ".."},
}
LAYER_NAMES = {"Conv2D": "convolution", "MaxPooling2D": "max pooling", "Dense": "dense"}


@styled
def architecture(tables, *, title):
    """Draw networks as rows of boxes: as high as the maps, as wide as there are many.

    Parameters
    ----------
    tables : mapping from name to pandas.DataFrame
        A ledger of each network (``arithmetic.ledger``).
    title : str

    Returns
    -------
    Figure
        Convolutions, poolings and dense layers only. The height of a box grows with the square
        root of the rows and the width with the logarithm of the channels, so that a row of 148
        and a row of 3 fit side by side; the true sizes are written below, and where a pooling
        drops the last row and column.
    """
    figure, axes = plotting.subplots(
        len(tables), 1, size=(9.6, 1.0 + 1.7 * len(tables)), squeeze=False
    )
    for axis, (name, table) in zip(axes[:, 0], tables.items(), strict=True):
        kept = table[table["type"].isin(list(LAYER_LOOKS))]
        tallest = max(shape[0] for shape in kept["output_shape"] if len(shape) == 3)
        before = tallest
        for place, (kind, shape) in enumerate(zip(kept["type"], kept["output_shape"], strict=True)):
            spatial = len(shape) == 3
            dropped = kind == "MaxPooling2D" and 2 * shape[0] == before - 1
            before = shape[0]
            height = np.sqrt(shape[0] / tallest) if spatial else 0.5
            width = 0.075 * np.log2(1 + shape[-1]) + 0.04 if spatial else 0.14
            box = (place - width / 2, -height / 2), width, height
            axis.add_patch(Rectangle(*box, edgecolor="#444444", linewidth=0.8, **LAYER_LOOKS[kind]))
            text = "×".join(map(str, shape))
            axis.text(place, -0.58, text, ha="center", va="top", fontsize=9.5)
            if dropped:
                lost = f"row {2 * shape[0] + 1} lost"
                axis.text(place, -0.83, lost, ha="center", va="top", fontsize=9, color="#A03C00")
        axis.plot([-0.45, len(kept) - 0.6], [0, 0], color="#999999", linewidth=0.8, zorder=0)
        axis.lines[-1].set_marker("")
        axis.set(xlim=(-0.6, 10.6), ylim=(-1.08, 0.6))
        axis.axis("off")
        axis.set_title(name, fontsize=10, fontweight="normal")
    for kind, look in LAYER_LOOKS.items():
        axis.add_patch(
            Rectangle((0, 0), 0, 0, edgecolor="#444444", label=LAYER_NAMES[kind], **look)
        )
    scale = "height: square root of the rows; width: logarithm of the channels"
    figure.legend(loc="outside lower left", ncols=3, title=scale, alignment="left")
    headline(figure, title)
    return figure


@styled
def ledger_bars(columns, layers, *, title):
    """Draw what each layer's share is of several totals, side by side.

    Parameters
    ----------
    columns : mapping from name to sequence of float
        Such as ``{"parameters": …, "multiply-adds": …, "seconds": …}``: one value a layer.
    layers : sequence of str
    title : str

    Returns
    -------
    Figure
        One panel a column; bars and percentages are shares of the column's sum.
    """
    layers = list(layers)
    figure, axes = plotting.subplots(
        1,
        len(columns),
        size=(2.3 + 2.4 * len(columns), 1.1 + 0.34 * len(layers)),
        sharey=True,
        squeeze=False,
    )
    looks = [(BLUE, ""), (ORANGE, "//"), (GREEN, "..")]
    for axis, (name, values), (color, hatch) in zip(
        axes[0], columns.items(), looks * len(columns), strict=False
    ):
        shares = np.asarray(values, dtype=float)
        shares = shares / shares.sum()
        axis.barh(range(len(layers)), shares, color=color, hatch=hatch, edgecolor="white")
        for row, share in enumerate(shares):
            axis.text(share + 0.02, row, f"{share:.1%}", va="center", fontsize=8.5)
        axis.set(xlim=(0, 1.22), xlabel=f"share of {name}")
        axis.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        axis.set_xticks([0, 0.5, 1])
    axes[0, 0].set_yticks(range(len(layers)), layers)
    axes[0, 0].invert_yaxis()
    headline(figure, title)
    return figure


@styled
def heatmaps(image, maps, *, title, limits=None):
    """Draw an image, then heat maps laid over it.

    Parameters
    ----------
    image : array (h, w, 1) or (h, w, 3)
        Values in 0–1, or uint8.
    maps : mapping from label to array (h, w)
        Maps that go below zero are drawn in two colours around zero. The hottest place is marked
        with a cross, and half of the hottest value with a line, unless it is faint beside the
        strongest colour.
    title : str
    limits : float, optional
        Maps that go below zero have their strongest colour at least at this value, so that noise
        stays pale; by default at their own largest.

    Returns
    -------
    Figure
    """
    image = np.asarray(image)
    base = image[..., 0] if image.shape[-1] == 1 else image
    figure, axes = plotting.subplots(1, len(maps) + 1, size=(2.5 * (len(maps) + 1), 3.0))
    axes[0].imshow(base)
    axes[0].set_title("image", loc="center", fontsize=9.5, fontweight="normal")
    for axis, (label, heat) in zip(axes[1:], maps.items(), strict=True):
        heat = np.asarray(heat, dtype=float)
        if heat.shape != base.shape[:2]:
            raise ValueError(
                f"maps must have the image's shape {base.shape[:2]}: {label!r} has {heat.shape}"
            )
        signed = heat.min() < 0
        top = max(np.abs(heat).max(), limits or 0 if signed else 0, 1e-9)
        axis.imshow(base)
        axis.imshow(
            heat,
            cmap="RdBu_r" if signed else "inferno",
            vmin=-top if signed else 0,
            vmax=top,
            # Clear where nothing speaks, so that the image shows through.
            alpha=0.15 + 0.65 * np.abs(heat).clip(max=top) / top,
        )
        if heat.max() > 0.25 * top:
            axis.contour(heat, [heat.max() / 2], colors="white", linewidths=1.2)
            row, column = np.unravel_index(heat.argmax(), heat.shape)
            axis.plot(column, row, "x", color="black", markersize=9, markeredgewidth=3.4)
            axis.plot(column, row, "x", color="white", markersize=8, markeredgewidth=1.6)
        axis.set_title(label, loc="center", fontsize=9.5, fontweight="normal")
    for axis in axes:
        axis.axis("off")
    headline(figure, title)
    return figure


@styled
def filter_sheets(sheets, *, title, columns=16, own_scale=()):
    """Draw sheets of small kernels, each sheet with its name; grey is zero, and the same in all.

    Parameters
    ----------
    sheets : mapping from name to array (k, k, n)
        Such as the kernels of a layer before and after training.
    title : str
    columns : int
    own_scale : collection of str
        Names of sheets with a scale, a bar and colours of their own, such as a difference, whose
        small values would be one grey on the scale of the others. White is zero in these.

    Returns
    -------
    Figure
    """
    shared = [name for name in sheets if name not in own_scale]
    top = max(np.abs(sheets[name]).max() for name in shared or sheets)
    bars = {}
    rows = [-(-sheet.shape[-1] // columns) for sheet in sheets.values()]
    figure, axes = plotting.subplots(
        *(len(sheets), 1),
        size=(min(9.0, 2 + columns), 0.5 + sum(min(1.0, 10 / columns) * r + 0.3 for r in rows)),
        squeeze=False,
    )
    for axis, (name, sheet), r in zip(axes[:, 0], sheets.items(), rows, strict=True):
        k = sheet.shape[0]
        # One array with a white gap around each kernel draws in a tenth of the time of 32 axes.
        picture = np.full((r * (k + 1) - 1, columns * (k + 1) - 1), np.nan)
        for n in range(sheet.shape[-1]):
            row, column = (n // columns) * (k + 1), (n % columns) * (k + 1)
            picture[row : row + k, column : column + k] = sheet[..., n]
        limit, colours = (np.abs(sheet).max(), "PuOr_r") if name in own_scale else (top, "gray")
        shown = axis.imshow(picture, cmap=colours, vmin=-limit, vmax=limit)
        axis.set_title(name, fontsize=10, fontweight="normal")
        axis.axis("off")
        label = name if name in own_scale else "weight"
        bars.setdefault(label, (shown, []))[1].append(axis)
    for label, (shown, beside) in bars.items():
        bar = figure.colorbar(shown, ax=beside, shrink=0.7, pad=0.01)
        bar.set_label(label)
        bar.outline.set_visible(False)
    headline(figure, title)
    return figure


@styled
def patch_rows(rows, *, title):
    """Draw rows of small patches, each row with its name; white is the same in all.

    Parameters
    ----------
    rows : mapping from name to array (n, k, k)
        Patches with values in 0–1; the size k may differ from row to row.
    title : str

    Returns
    -------
    Figure
    """
    most = max(len(patches) for patches in rows.values())
    figure, axes = plotting.subplots(
        len(rows), most, size=(1.5 + 0.72 * most, 0.45 + 0.72 * len(rows)), squeeze=False
    )
    for line, (name, patches) in zip(axes, rows.items(), strict=True):
        for axis in line:
            axis.set(xticks=[], yticks=[])
            axis.spines[:].set_visible(False)
        for axis, patch in zip(line, patches, strict=False):
            # The frame keeps white patches apart from each other and from the page.
            axis.spines[:].set(visible=True, color=GREY, linewidth=0.8)
            axis.imshow(patch, cmap="gray", vmin=0, vmax=1)
        line[0].text(
            -0.15, 0.5, name, transform=line[0].transAxes, ha="right", va="center", fontsize=9.5
        )
    headline(figure, title)
    return figure
