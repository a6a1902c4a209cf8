"""Layers drawn as sheets in space: local connections, channels that are summed, stacked maps."""

from __future__ import annotations

import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Polygon
from matplotlib.patheffects import withStroke
from matplotlib.transforms import Affine2D

from . import plotting
from .plotting import BLUE, ORANGE

# A sheet lies on the ground: columns go right, rows go right and down the page, towards the viewer.
LYING = np.array([[1.0, 0.0], [-0.55, -0.42]])
# A sheet stands: columns go right and a little up, rows go down the page.
STANDING = np.array([[0.62, 0.2], [0.0, -1.0]])
HALO = [withStroke(linewidth=2.5, foreground="white")]  # a line is seen on pictures of any shade
_GUIDE = 1.6  # above a sheet's face; below 2, where what has to be seen begins (see `legibility`)
TINTS = ("#FFB3A8", "#AEEBAE", "#B4C8FF")  # white, seen in one channel: red, green, blue


class Sheet:
    """One map, `rows` × `columns` cells, placed in the drawing.

    Parameters
    ----------
    axis : Axes
    origin : (float, float)
        Where its first corner is drawn.
    shape : (int, int)
    basis : array (2, 2)
        Where one column (first row of it) and one row (second) lead.
    cell : float
        Length of a cell's side.
    """

    def __init__(self, axis, origin, shape, basis, cell=1.0):
        self.axis, self.origin, self.shape = axis, np.asarray(origin, float), shape
        self.basis = cell * np.asarray(basis)

    def point(self, row, column):
        """Return where a place of the map is drawn; whole numbers are corners of cells."""
        return self.origin + np.array([column, row]) @ self.basis

    def area(self, row, column, rows, columns, **look):
        """Draw a rectangle of cells."""
        corners = [(0, 0), (0, columns), (rows, columns), (rows, 0)]
        points = [self.point(row + r, column + c) for r, c in corners]
        self.axis.add_patch(Polygon(points, closed=True, **look))

    def grid(self, face="white", edge="#707070"):
        """Draw the map with its cells."""
        rows, columns = self.shape
        self.area(0, 0, rows, columns, facecolor=face, edgecolor=edge, lw=1, alpha=0.92)
        for row in range(1, rows):
            ends = np.array([self.point(row, 0), self.point(row, columns)])
            self.axis.plot(*ends.T, "-", color=edge, lw=0.4, marker="", zorder=_GUIDE)
        for column in range(1, columns):
            ends = np.array([self.point(0, column), self.point(rows, column)])
            self.axis.plot(*ends.T, "-", color=edge, lw=0.4, marker="", zorder=_GUIDE)

    def picture(self, values, **options):
        """Draw an image on the sheet."""
        rows, columns = np.shape(values)[:2]
        scale = self.shape[1] / columns, self.shape[0] / rows
        (a, b), (c, d) = self.basis
        onto = Affine2D().scale(*scale) + Affine2D(
            np.array([[a, c, self.origin[0]], [b, d, self.origin[1]], [0, 0, 1]])
        )
        image = self.axis.imshow(
            values, extent=(0, columns, rows, 0), interpolation="bilinear", **options
        )
        image.set_transform(onto + self.axis.transData)
        self.area(0, 0, *self.shape, fill=False, edgecolor="#555555", lw=0.8)

    def middle(self, row, column):
        """Return the middle of a cell."""
        return self.point(row + 0.5, column + 0.5)

    def connect(self, row, column, rows, columns, to, color, line="-"):
        """Draw thin lines from the corners of an area of this sheet to a point."""
        for r, c in ((0, 0), (0, columns), (rows, columns), (rows, 0)):
            ends = np.array([self.point(row + r, column + c), to])
            self.axis.plot(*ends.T, line, color=color, lw=0.9, marker="", path_effects=HALO)


def _space(size):
    figure = Figure(figsize=size, layout="constrained")
    axis = figure.subplots()
    return figure, axis


def _finish(figure, axis, title, limits):
    axis.set(xlim=limits[:2], ylim=limits[2:], aspect="equal")
    axis.axis("off")
    plotting.headline(figure, title)
    return figure


@plotting.styled
def local_connections(*, title):
    """Draw three layers above each other: each unit looks at a small window of the layer below.

    Parameters
    ----------
    title : str

    Returns
    -------
    Figure
    """
    figure, axis = _space((7.0, 5.4))
    shapes = [(9, 11), (7, 9), (5, 7)]
    sheets = [Sheet(axis, (0.55 * k, 6.2 * k), shape, LYING) for k, shape in enumerate(shapes)]
    names = ["the image", "convolution 1", "convolution 2"]
    for sheet, name in zip(sheets, names, strict=True):
        sheet.grid()
        place = sheet.point(sheet.shape[0] / 2, sheet.shape[1])
        axis.text(place[0] + 0.7, place[1], name, va="center", fontsize=11)
    image, first, second = sheets
    for (row, column), color, line in (((0, 1), BLUE, "-"), ((3, 5), ORANGE, "--")):
        look = {"facecolor": color, "edgecolor": color, "alpha": 0.35, "lw": 1.5, "linestyle": line}
        second.area(row, column, 1, 1, **{**look, "alpha": 0.9, "linestyle": "-"})
        first.area(row, column, 3, 3, **look)
        first.connect(row, column, 3, 3, second.middle(row, column), color, line)
        # The window of the window's middle unit, and all that the upper unit sees in the end.
        image.area(row, column, 5, 5, **{**look, "alpha": 0.15})
        image.area(row + 1, column + 1, 3, 3, **look)
        image.connect(row + 1, column + 1, 3, 3, first.middle(row + 1, column + 1), color, line)
    return _finish(figure, axis, title, (-5.4, 14.5, -4.2, 13.0))


def _name_at_corner(axis, sheet, name):
    """Write a name beside the upper right corner, which no sheet in front covers."""
    place = sheet.point(0, sheet.shape[1])
    axis.text(place[0] + 0.15, place[1] + 0.05, name, va="top", fontsize=9)


@plotting.styled
def stacked_maps(channels, maps, *, title, window=(0.35, 0.42), names=None, map_names=None):
    """Draw an image's channels, a window through all of them, and the stack of feature maps.

    Parameters
    ----------
    channels : array (rows, columns, channels)
        In [0, 1].
    maps : array (rows, columns, filters)
        What the filters made of it.
    title : str
    window : (float, float)
        Where the window is, as a share of the rows and columns.
    names, map_names : sequences of str, optional
        Of the channels and of the maps.

    Returns
    -------
    Figure
        Lines join the window in every channel to one unit of the map in front.
    """
    figure, axis = _space((9.6, 4.4))
    rows, columns = channels.shape[:2]
    height, width = 6.0, 6.0 * columns / rows
    size = 0.9
    left, top = window[1] * width, window[0] * height
    inputs = []
    for k in range(channels.shape[-1]):
        sheet = Sheet(axis, (1.35 * k, -0.9 * k), (height, width), STANDING)
        tint = ("black", TINTS[k] if channels.shape[-1] == 3 else "white")
        shades = LinearSegmentedColormap.from_list("tint", tint)
        sheet.picture(channels[..., k], cmap=shades, vmin=0, vmax=1)
        sheet.area(top, left, size, size, fill=False, edgecolor=ORANGE, lw=2.2)
        inputs.append(sheet)
        if names:
            _name_at_corner(axis, sheet, names[k])
    start = 0.62 * width + 1.35 * channels.shape[-1] + 3.4
    for k in range(maps.shape[-1]):
        sheet = Sheet(axis, (start + 1.35 * k, 0.4 - 0.9 * k), (height, width), STANDING)
        top_value = np.percentile(np.abs(maps[..., k]), 99) or 1.0
        sheet.picture(maps[..., k], cmap="gray", vmin=-top_value, vmax=top_value)
        _name_at_corner(axis, sheet, map_names[k] if map_names else f"map {k + 1}")
    # Each of the window's channels leads to the unit: that is the sum over the channels.
    unit = sheet.middle(top, left)
    axis.plot(*unit, "s", color=ORANGE, markersize=8, markeredgecolor="white")
    for from_ in inputs:
        ends = np.array([from_.point(top + size / 2, left + size), unit])
        axis.plot(*ends.T, "-", color=ORANGE, lw=1.4, marker="", path_effects=HALO)
    right = start + 1.35 * maps.shape[-1] + 0.62 * width + 2.6
    middle = (0.62 * width + 1.35 * channels.shape[-1] + start) / 2
    axis.text(
        middle - 0.4,
        -0.9 * channels.shape[-1] - 5.2,
        "one filter: a window of weights in\nevery channel; all products summed",
        ha="center",
        va="top",
        fontsize=9.5,
    )
    bottom = -0.9 * max(channels.shape[-1], maps.shape[-1]) - height - 0.9
    return _finish(figure, axis, title, (-0.3, right, bottom, 0.2 * width + 0.8))
