"""What a shift or a turn of the image does to a layer or a network: measured, and drawn."""

import numpy as np
from matplotlib.patches import Rectangle
from matplotlib.ticker import PercentFormatter

from . import plotting
from .legibility import ink_on
from .plotting import GREY, styled


def shifted(images, pixels):
    """Move images to the right; what enters at the left is 0, what leaves is lost.

    Parameters
    ----------
    images : array (n, h, w, channels)
    pixels : int
        At least 0, and less than the width.
    """
    images = np.asarray(images)
    if not 0 <= pixels < images.shape[2]:
        raise ValueError(
            f"pixels must be 0 to {images.shape[2] - 1} for images {images.shape[2]} wide: "
            f"got {pixels}"
        )
    moved = np.zeros_like(images)
    moved[:, :, pixels:] = images[:, :, : images.shape[2] - pixels]
    return moved


def turned(images, degrees):
    """Turn images about their centre, counter-clockwise; corners that come into view are 0.

    Parameters
    ----------
    images : array of float (n, h, w, channels)
    degrees : float
    """
    from scipy import ndimage

    return ndimage.rotate(images, degrees, axes=(1, 2), reshape=False, order=1)


def shift_error(layer, images, pixels):
    """Measure how far a layer is from moving its results along with its images.

    Parameters
    ----------
    layer : callable
        Takes an array (n, h, w, channels); gives maps, or one vector an image.
    images : array (n, h, w, channels)
        With an empty border, so that nothing leaves.
    pixels : int
        Shift to the right.

    Returns
    -------
    float
        Size of the difference between the results of the moved images and those of the images,
        moved by as many of their own pixels or half pixels (waves of the Fourier transform) as fits
        best, relative to the size of the results. 0: they move along, or vectors: do not change.
    """
    images = np.asarray(images)
    still, moved = np.asarray(layer(images)), np.asarray(layer(shifted(images, pixels)))
    candidates = [still]
    if still.ndim == 4:
        whole = [np.roll(still, steps, axis=2) for steps in range(pixels + 1)]
        half = [_half_a_pixel_on(one) for one in whole]
        candidates = whole + half
    return float(min(np.linalg.norm(moved - each) for each in candidates) / np.linalg.norm(still))


def _half_a_pixel_on(maps):
    """Move maps to the right by half a pixel, round in a circle: exact but for the last wave."""
    width = maps.shape[2]
    turns = np.exp(-1j * np.pi * np.fft.rfftfreq(width))[:, None]
    return np.fft.irfft(np.fft.rfft(maps, axis=2) * turns, n=width, axis=2)


def quarter_turn_error(layer, images):
    """Measure how far a layer is from turning its results along with its images by a quarter.

    Parameters
    ----------
    layer : callable
        Takes an array (n, h, w, channels); gives maps, or one vector an image.
    images : array (n, h, w, channels)
        Its sides must be multiples of the layer's strides, or a turn shifts the windows too.

    Returns
    -------
    float
        Size of the difference relative to the size of the results; 0: they turn along, or
        vectors: do not change.
    """
    images = np.asarray(images)
    still, after = np.asarray(layer(images)), np.asarray(layer(np.rot90(images, axes=(1, 2))))
    expected = np.rot90(still, axes=(1, 2)) if still.ndim == 4 else still
    return float(np.linalg.norm(after - expected) / np.linalg.norm(still))


def right_when(model, images, labels, change, amounts):
    """Say which images a network gets right after each amount of a change.

    Parameters
    ----------
    model : keras.Model
        Gives one score a class.
    images : array (n, h, w, channels)
    labels : array of int (n,)
    change : callable
        ``shifted`` or ``turned``.
    amounts : sequence of number

    Returns
    -------
    dict from amount to ndarray of bool, shape (n,)
    """
    batch = np.concatenate([change(images, amount) for amount in amounts])
    predicted = model.predict(batch, verbose=0, batch_size=256).argmax(axis=-1)
    rows = predicted.reshape(len(amounts), -1)
    return {amount: row == labels for amount, row in zip(amounts, rows, strict=True)}


@styled
def cell_rows(columns, *, title):
    """Draw short signals as rows of cells with their numbers, one column a case.

    Parameters
    ----------
    columns : mapping from name to mapping from row label to sequence of float in 0–1
        Shorter rows are drawn with wider cells, so that what comes from the same place of the
        first row stands below it.
    title : str

    Returns
    -------
    Figure
    """
    most = max(len(rows) for rows in columns.values())
    figure, axes = plotting.subplots(
        1, len(columns), size=(9.4, 1.0 + 0.62 * most), squeeze=False, sharey=True
    )
    for axis, (name, rows) in zip(axes[0], columns.items(), strict=True):
        width = max(len(values) for values in rows.values())
        for place, values in enumerate(rows.values()):
            cell = width / len(values)
            for k, value in enumerate(values):
                box = (k * cell + 0.04, place - 0.36), cell - 0.08, 0.72
                shade = str(1 - 0.75 * float(value))
                axis.add_patch(Rectangle(*box, facecolor=shade, edgecolor="#555555"))
                axis.text(
                    (k + 0.5) * cell,
                    place,
                    f"{value:g}",
                    ha="center",
                    va="center",
                    color=ink_on((float(shade),) * 3),
                )
        axis.set(xlim=(-0.1, width + 0.1), ylim=(most - 0.5, -0.5), xticks=[])
        axis.set_yticks(range(len(rows)), list(rows))
        axis.tick_params(length=0)
        axis.spines[:].set_visible(False)
        axis.set_title(name, fontsize=10, fontweight="normal")
    plotting.headline(figure, title)
    return figure


@styled
def shrunken(rows, *, title):
    """Draw one row of pictures for each way of shrinking: before, after, moved, and the change.

    Parameters
    ----------
    rows : mapping from name to (picture, picture of the moved image)
        Arrays (h, w) of equal shapes, in 0–1. Their difference is drawn beside them, in standard
        deviations of the first, so that a picture of little contrast has no advantage.
    title : str

    Returns
    -------
    Figure
    """
    height, width = next(iter(rows.values()))[0].shape
    tile = 2.5 * height / width
    figure, axes = plotting.subplots(
        len(rows), 3, size=(9.8, 0.7 + len(rows) * (tile + 0.5)), squeeze=False
    )
    for line, (name, (still, moved)) in zip(axes, rows.items(), strict=True):
        change = np.abs(np.subtract(moved, still)) / np.std(still)
        for axis, picture in zip(line, (still, moved, change), strict=True):
            flip = picture is change
            shown = axis.imshow(
                picture, cmap="magma" if flip else "gray", vmin=0, vmax=2 if flip else 1
            )
            axis.set(xticks=[], yticks=[])
        line[0].set_ylabel(name)
        line[0].set_title("of the image", fontsize=9.5, fontweight="normal")
        line[1].set_title("of the image one pixel over", fontsize=9.5, fontweight="normal")
        line[2].set_title(f"change: mean {change.mean():.2f}", fontsize=9.5, fontweight="normal")
    bar = figure.colorbar(shown, ax=list(axes[:, -1]), shrink=0.7)
    bar.set_label("change (standard deviations)")
    plotting.headline(figure, title)
    return figure


@styled
def response_curves(panels, *, title, ylabel, percent=True, chance=None):
    """Draw lines over one or two x axes side by side, with one legend.

    Parameters
    ----------
    panels : mapping from xlabel to (x, mapping from label to sequence of float)
        The same labels in each panel.
    title, ylabel : str
    percent : bool
        Write the y axis in per cent.
    chance : float, optional
        Height of a line that says what guessing gives.

    Returns
    -------
    Figure
    """
    figure, axes = plotting.subplots(
        1, len(panels), size=(2.4 + 3.9 * len(panels), 3.9), sharey=True, squeeze=False
    )
    for axis, (xlabel, (x, lines)) in zip(axes[0], panels.items(), strict=True):
        if chance is not None:
            axis.axhline(chance, color=GREY, linewidth=1.1, linestyle=":", marker="")
            axis.annotate(
                "guessing", (x[0], chance), (0, -11), textcoords="offset points", fontsize=9
            )
        # Markers shrink from line to line, so that one shows under another at the same height.
        handles = [
            axis.plot(x, values, label=label, markersize=10 - 5 * k / len(lines))[0]
            for k, (label, values) in enumerate(lines.items())
        ]
        axis.set(xlabel=xlabel, xticks=x)
        axis.grid(axis="y")
    axes[0, 0].set_ylabel(ylabel)
    if percent:
        axes[0, 0].yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    top = axes[0, 0].get_ylim()[1]
    axes[0, 0].set_ylim(-0.03 * top, top)
    # As many entries side by side as fit.
    longest = max(map(len, lines)) + 8
    fits = max(1, int(figure.get_figwidth() * plotting.CHARACTERS_PER_INCH // longest))
    figure.legend(handles=handles, loc="outside lower center", ncols=min(fits, len(handles)))
    plotting.headline(figure, title)
    return figure
