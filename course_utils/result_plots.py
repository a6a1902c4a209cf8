"""Drawings of what a network is, what it learned, and what it gets wrong.

Pure functions like those of ``plotting``: numbers in, a ``Figure`` out.
"""

import numpy as np
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator, PercentFormatter

from . import plotting
from .plotting import BLUE, GREEN, GREY, ORANGE, styled

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
        and a row of 3 fit side by side; the true sizes are written below.
    """
    figure, axes = plotting.subplots(
        len(tables), 1, size=(9.6, 0.8 + 1.55 * len(tables)), squeeze=False
    )
    for axis, (name, table) in zip(axes[:, 0], tables.items(), strict=True):
        kept = table[table["type"].isin(list(LAYER_LOOKS))]
        tallest = max(shape[0] for shape in kept["output_shape"] if len(shape) == 3)
        for place, (kind, shape) in enumerate(zip(kept["type"], kept["output_shape"], strict=True)):
            spatial = len(shape) == 3
            height = np.sqrt(shape[0] / tallest) if spatial else 0.5
            width = 0.075 * np.log2(1 + shape[-1]) + 0.04 if spatial else 0.14
            box = (place - width / 2, -height / 2), width, height
            axis.add_patch(Rectangle(*box, edgecolor="#444444", linewidth=0.8, **LAYER_LOOKS[kind]))
            text = "×".join(map(str, shape))
            axis.text(place, -0.58, text, ha="center", va="top", fontsize=8.5)
        axis.plot([-0.45, len(kept) - 0.6], [0, 0], color="#999999", linewidth=0.8, zorder=0)
        axis.lines[-1].set_marker("")
        axis.set(xlim=(-0.6, 10.6), ylim=(-0.85, 0.6))
        axis.axis("off")
        axis.set_title(name, fontsize=10, fontweight="normal")
    for kind, look in LAYER_LOOKS.items():
        axis.add_patch(
            Rectangle((0, 0), 0, 0, edgecolor="#444444", label=LAYER_NAMES[kind], **look)
        )
    figure.legend(loc="outside lower left", ncols=3)
    return _titled(figure, title)


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
    return _titled(figure, title)


@styled
def log_and_rerun(log, rerun, *, title, names=("the slides' log", "this run")):
    """Draw two training histories over each other: loss left, accuracy right.

    Parameters
    ----------
    log, rerun : mapping from name to sequence of float
        As Keras' ``History.history``, with loss, accuracy, val_loss and val_accuracy.
    title : str
    names : (str, str)
        Of the two histories.

    Returns
    -------
    Figure
    """
    figure, axes = plotting.subplots(1, 2, size=(9.6, 3.4))
    for axis, metric in zip(axes, ("loss", "accuracy"), strict=True):
        for history, name, color in zip((log, rerun), names, (GREY, BLUE), strict=True):
            for prefix, part, marker, dash in (
                ("", "training", "o", "--"),
                ("val_", "validation", "s", "-"),
            ):
                values = history[prefix + metric]
                axis.plot(
                    range(1, len(values) + 1),
                    values,
                    color=color,
                    marker=marker,
                    linestyle=dash,
                    markerfacecolor="white" if color == GREY else color,
                    label=f"{name}: {part}",
                )
        axis.set(xlabel="epoch", ylabel=metric)
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        axis.grid(axis="y")
    axes[0].set_yscale("log")
    axes[0].set_ylabel("loss (log scale)")
    axes[1].yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes[1].legend(loc="lower right")
    return _titled(figure, title)


@styled
def curves(x, lines, *, title, xlabel, ylabel, log=False, marks=None, size=(7.0, 3.3)):
    """Draw one or more lines over the same x.

    Parameters
    ----------
    x : sequence of float
    lines : mapping from label to sequence of float
    title, xlabel, ylabel : str
    log : bool
        Logarithmic y axis.
    marks : mapping from label to float, optional
        Vertical lines, each with its label beside it.

    Returns
    -------
    Figure
    """
    figure, axis = plotting.subplots(size=size)
    for label, values in lines.items():
        axis.plot(x, values, label=label, markevery=max(1, len(x) // 12))
    if log:
        axis.set_yscale("log")
    for label, place in (marks or {}).items():
        axis.axvline(place, color=GREY, linewidth=1.2, linestyle=":", marker="")
        axis.annotate(
            label,
            (place, 1),
            (4, -2),
            xycoords=("data", "axes fraction"),
            textcoords="offset points",
            va="top",
            fontsize=9,
        )
    axis.set(xlabel=xlabel, ylabel=ylabel, title=title)
    axis.grid(axis="y")
    axis.legend()
    return figure


@styled
def confusion(counts, class_names, *, title):
    """Draw a confusion matrix: rows are true classes and sum to 1; the counts are written in.

    Parameters
    ----------
    counts : array (c, c)
        As ``metrics.confusion`` gives it.
    class_names : sequence of str
    title : str

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        If a class has no image: its row has no shares.
    """
    counts = np.asarray(counts)
    totals = counts.sum(axis=1, keepdims=True)
    if not totals.all():
        missing = list(class_names)[int(np.argmin(totals))]
        raise ValueError(f"counts must hold at least one image of each class: none is {missing}")
    shares = counts / totals
    figure, axis = plotting.subplots(size=(1.9 + 0.5 * len(counts), 1.3 + 0.38 * len(counts)))
    picture = axis.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for (row, column), count in np.ndenumerate(counts):
        if count:
            ink = "white" if shares[row, column] > 0.55 else "#222222"
            wrong = row != column and shares[row, column] >= 0.1
            axis.text(
                column,
                row,
                count,
                ha="center",
                va="center",
                color=ink,
                fontsize=9,
                fontweight="bold" if wrong else "normal",
            )
            if wrong:
                frame = (column - 0.46, row - 0.46), 0.92, 0.92
                axis.add_patch(Rectangle(*frame, fill=False, edgecolor=ORANGE, linewidth=1.8))
    axis.set_xticks(
        range(len(counts)), class_names, rotation=40, ha="right", rotation_mode="anchor"
    )
    axis.set_yticks(range(len(counts)), class_names)
    axis.set(xlabel="what the network said", ylabel="what it is", title=title)
    axis.spines[:].set_visible(False)
    axis.tick_params(length=0)
    bar = figure.colorbar(picture, ax=axis, shrink=0.8)
    bar.set_label("share of the row")
    bar.outline.set_visible(False)
    return figure


@styled
def worst_mistakes(images, labels, predicted, confidence, class_names, *, title, columns=6):
    """Draw images that a network got wrong, in the order given, with what it said and how surely.

    Parameters
    ----------
    images : array (n, h, w, channels)
    labels, predicted : sequences of int
    confidence : sequence of float
        Probability of the predicted class.
    class_names : sequence of str
    title : str
    columns : int

    Returns
    -------
    Figure
    """
    images = np.asarray(images)
    columns = min(columns, len(images))
    rows = -(-len(images) // columns)
    figure, axes = plotting.subplots(
        rows, columns, size=(1.6 * columns, 0.4 + 1.95 * rows), squeeze=False
    )
    for axis in axes.flat:
        axis.axis("off")
    for axis, image, true, said, sure in zip(
        axes.flat, images, labels, predicted, confidence, strict=False
    ):
        axis.imshow(image.squeeze(-1) if image.shape[-1] == 1 else image)
        axis.set_title(
            f"is: {class_names[true]}\nsaid: {class_names[said]}, {sure:.0%}",
            loc="center",
            fontsize=9,
            fontweight="normal",
        )
    return _titled(figure, title)


@styled
def reliability(tables, *, title):
    """Draw how often a classifier is right against how sure it says it is.

    Parameters
    ----------
    tables : mapping from label to pandas.DataFrame
        As ``metrics.reliability`` gives them.
    title : str

    Returns
    -------
    Figure
        A dot a bin, its area growing with the number of images; on the diagonal, what is said with
        80 % is right in 80 % of the cases.
    """
    figure, axes = plotting.subplots(
        1, len(tables), size=(4.3 * len(tables) + 0.3, 3.9), sharey=True, squeeze=False
    )
    for axis, (label, table) in zip(axes[0], tables.items(), strict=True):
        axis.plot([0, 1], [0, 1], color=GREY, linestyle="--", linewidth=1.2, marker="")
        full = table[table["n"] > 0]
        for sure, right in zip(full["confidence"], full["accuracy"], strict=True):
            axis.plot([sure, sure], [sure, right], "-", color=ORANGE, linewidth=2, marker="")
        area = 25 + 500 * full["n"] / full["n"].sum()
        axis.scatter(full["confidence"], full["accuracy"], area, color=BLUE, alpha=0.85, zorder=3)
        for sure, right, n in zip(full["confidence"], full["accuracy"], full["n"], strict=True):
            below = right < sure
            axis.annotate(
                f"{n}",
                (sure, right),
                (0, -15 if below else 12),
                textcoords="offset points",
                ha="center",
                va="center",
                fontsize=8.5,
            )
        gap = (table["n"] * table["gap"].abs().fillna(0)).sum() / table["n"].sum()
        axis.set(xlim=(0, 1.04), ylim=(-0.04, 1.08), aspect="equal")
        axis.set(xlabel="how sure it says it is", title=f"{label}: mean gap {gap:.1%}")
    axes[0, 0].set_ylabel("how often it is right")
    return _titled(figure, title)


@styled
def threshold_curve(table, *, title, marks=None):
    """Draw precision, recall and F1 against the threshold.

    Parameters
    ----------
    table : pandas.DataFrame
        As ``metrics.threshold_curve`` gives it.
    title : str
    marks : mapping from label to float, optional
        Thresholds to mark.

    Returns
    -------
    Figure
    """
    return curves(
        table["threshold"].to_numpy(),
        {name: table[name].to_numpy() for name in ("precision", "recall", "f1")},
        title=title,
        xlabel="threshold: called positive from this score on",
        ylabel="share",
        marks=marks,
    )


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
    return _titled(figure, title)


@styled
def filter_sheets(sheets, *, title, columns=16):
    """Draw sheets of small kernels, each sheet with its name; grey is zero, and the same in all.

    Parameters
    ----------
    sheets : mapping from name to array (k, k, n)
        Such as the kernels of a layer before and after training.
    title : str
    columns : int

    Returns
    -------
    Figure
    """
    top = max(np.abs(sheet).max() for sheet in sheets.values())
    rows = [-(-sheet.shape[-1] // columns) for sheet in sheets.values()]
    figure, axes = plotting.subplots(
        len(sheets), 1, size=(9.0, 0.5 + sum(0.62 * r + 0.3 for r in rows)), squeeze=False
    )
    for axis, (name, sheet), r in zip(axes[:, 0], sheets.items(), rows, strict=True):
        k = sheet.shape[0]
        # One array with a white gap around each kernel draws in a tenth of the time of 32 axes.
        picture = np.full((r * (k + 1) - 1, columns * (k + 1) - 1), np.nan)
        for n in range(sheet.shape[-1]):
            row, column = (n // columns) * (k + 1), (n % columns) * (k + 1)
            picture[row : row + k, column : column + k] = sheet[..., n]
        shown = axis.imshow(picture, cmap="gray", vmin=-top, vmax=top)
        axis.set_title(name, fontsize=10, fontweight="normal")
        axis.axis("off")
    bar = figure.colorbar(shown, ax=list(axes[:, 0]), shrink=0.7, pad=0.01)
    bar.set_label("weight")
    bar.outline.set_visible(False)
    return _titled(figure, title)


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
    return _titled(figure, title)


def _titled(figure, title):
    figure.suptitle(title, x=0.01, ha="left", fontweight="bold", fontsize=11.5)
    return figure
