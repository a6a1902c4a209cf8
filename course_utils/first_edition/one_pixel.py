"""One number of a feature map, taken apart: the window, the kernel, the products, the sum.

`terms` computes everything again from the layer's weights with NumPy; `draw` shows it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import ConnectionPatch, Rectangle

from . import inspection, plotting
from .arithmetic import same_padding
from .legibility import ink_on
from .plotting import BLUE, GREY, ORANGE


@dataclass(frozen=True)
class PixelTerms:
    """How one value of a convolution's feature map came about.

    Attributes
    ----------
    layer : str
    filter, row, column : int
        Which value of the layer's output.
    image : array (h, w, c)
        What went into the network.
    seen : array (h', w', channels)
        What went into the layer, without padding.
    top, left : int
        Corner of the window in `seen`; negative where it begins in the padding.
    window, kernel, products : arrays (k, k, channels)
    bias : float
    total : float
        Sum of all products, plus the bias: the value before the activation.
    activation : str
        Name of the layer's activation function.
    feature_map : array (rows, columns)
        The layer's own output for this filter, after the activation.
    """

    layer: str
    filter: int
    row: int
    column: int
    image: np.ndarray
    seen: np.ndarray
    top: int
    left: int
    window: np.ndarray
    kernel: np.ndarray
    products: np.ndarray
    bias: float
    total: float
    activation: str
    feature_map: np.ndarray

    @property
    def value(self):
        """What the network computed here, after the activation."""
        return float(self.feature_map[self.row, self.column])

    @property
    def by_hand(self):
        """The same value from `total`: with ReLU max(0, total), without activation the total."""
        return max(0.0, self.total) if self.activation == "relu" else self.total

    @property
    def channel(self):
        """The input channel whose products add up to most, up or down."""
        return int(np.abs(self.products.sum(axis=(0, 1))).argmax())


def terms(model, image, layer, filter, row, column):
    """Compute one value of a feature map by hand, from the weights.

    Parameters
    ----------
    model : keras.Model
    image : array (h, w, c)
        Scaled as in training.
    layer : str
        A Conv2D layer with ReLU or no activation, without dilation or groups.
    filter, row, column : int
        Which of its output values.

    Returns
    -------
    PixelTerms

    Raises
    ------
    ValueError
        If the layer is of another kind, or has no such value.
    """
    weights = inspection.filters(model, layer)
    conv = model.get_layer(layer)
    name = conv.activation.__name__
    if name not in ("relu", "linear") or conv.groups != 1 or set(conv.dilation_rate) != {1}:
        raise ValueError(
            f"layer must be a plain convolution with ReLU or no activation: {layer!r} has "
            f"{name}, groups {conv.groups}, dilation {conv.dilation_rate}"
        )
    output = inspection.feature_maps(model, image[None], layer)[0]
    for axis, (number, size) in {
        "row": (row, output.shape[0]),
        "column": (column, output.shape[1]),
        "filter": (filter, output.shape[2]),
    }.items():
        if not 0 <= number < size:
            raise ValueError(f"{axis} must be 0 to {size - 1} in {layer!r}: got {number}")
    seen = _input_of(model, image, layer)
    size, stride = conv.kernel_size, conv.strides
    pads = [(0, 0), (0, 0)]
    if conv.padding == "same":
        pads = [same_padding(seen.shape[a], size[a], stride[a]) for a in (0, 1)]
    top, left = row * stride[0], column * stride[1]
    window = np.pad(seen, [*pads, (0, 0)])[top : top + size[0], left : left + size[1]]
    kernel = weights[..., filter]
    products = window * kernel
    bias = float(conv.bias.numpy()[filter]) if conv.use_bias else 0.0
    return PixelTerms(
        layer=layer,
        filter=filter,
        row=row,
        column=column,
        image=np.asarray(image),
        seen=seen,
        top=top - pads[0][0],
        left=left - pads[1][0],
        window=window,
        kernel=kernel,
        products=products,
        bias=bias,
        total=float(products.sum()) + bias,
        activation=name,
        feature_map=output[..., filter],
    )


def _input_of(model, image, layer):
    """Return what a layer reads: the output of the layer before it, or the image."""
    names = [each.name for each in model.layers]
    before = names.index(layer) - 1
    if before < 0:
        return np.asarray(image, dtype="float32")
    return inspection.feature_maps(model, image[None], names[before])[0]


@plotting.styled
def draw(found, title=None):
    """Draw a value of a feature map with the window, kernel, products and sum behind it.

    Parameters
    ----------
    found : PixelTerms
    title : str, optional
        By default it states the sum.

    Returns
    -------
    Figure
        The input with the window framed; window × kernel = products of one channel (the one that
        matters most); the sum, term by term; the feature map with the value framed.
    """
    channel, channels = found.channel, found.seen.shape[-1]
    one = channels == 1
    figure = Figure(figsize=(10.2, 4.5), layout="constrained")
    grid = figure.add_gridspec(2, 5, width_ratios=[1.75, 1, 1, 1, 1.75], height_ratios=[1, 1.1])
    source = figure.add_subplot(grid[:, 0])
    small = [figure.add_subplot(grid[0, k]) for k in (1, 2, 3)]
    bars = figure.add_subplot(grid[1, 1:4])
    result = figure.add_subplot(grid[:, 4])
    where = "the image" if one else f"what {found.layer} reads,\nchannel {channel}"
    _framed(source, found.seen[..., channel], found.top, found.left, found.kernel.shape, where)
    which = "" if one else f", channel {channel}"
    top = max(np.abs(found.products[..., channel]).max(), 1e-9)
    weight = np.abs(found.kernel).max()
    low, high = found.seen[..., channel].min(), found.seen[..., channel].max()
    # Dark grey at most: black and white ink would not both be readable at the ends.
    _numbers(small[0], found.window[..., channel], (low, high), "gray", "window" + which)
    _numbers(small[1], found.kernel[..., channel], (-weight, weight), "RdBu", "kernel")
    _numbers(small[2], found.products[..., channel], (-top, top), "RdBu", "products")
    for axis, sign in ((small[1], "×"), (small[2], "=")):
        axis.text(-0.17, 0.5, sign, transform=axis.transAxes, fontsize=15, ha="center")
    _sum_bars(bars, found, one)
    _framed(
        result,
        found.feature_map,
        found.row,
        found.column,
        (1, 1),
        f"feature map {found.filter} of {found.layer}",
    )
    for end, start, where in ((small[0], source, 1.0), (result, bars, None)):
        _link(figure, found, start, end, where)
    after = f" → ReLU → {found.value:.3f}" if found.activation == "relu" else ""
    sums = f"{found.total - found.bias:.3f} (products) {found.bias:+.3f} (bias) = {found.total:.3f}"
    plotting.headline(figure, title or sums + after)
    return figure


def _framed(axis, picture, top, left, size, title):
    axis.imshow(picture)
    frame = (left - 0.5, top - 0.5), size[1], size[0]
    axis.add_patch(Rectangle(*frame, fill=False, edgecolor="white", linewidth=4, clip_on=False))
    axis.add_patch(Rectangle(*frame, fill=False, edgecolor=ORANGE, linewidth=2, clip_on=False))
    axis.set_title(title, loc="center", fontsize=10)
    axis.set(xticks=[], yticks=[])
    axis.set_xlabel(f"{picture.shape[0]}×{picture.shape[1]}", fontsize=9)


def _numbers(axis, values, limits, cmap, title):
    picture = axis.imshow(values, cmap=cmap, vmin=limits[0], vmax=limits[1])
    for (r, c), value in np.ndenumerate(values):
        ink = ink_on(picture.to_rgba(value)[:3])
        # Adding 0 makes a rounded −0 a plain 0.
        text = f"{round(float(value), 2) + 0:.2f}"
        axis.text(c, r, text, ha="center", va="center", color=ink, fontsize=8.5)
    axis.set_title(title, loc="center", fontsize=10)
    axis.set(xticks=[], yticks=[])


def _sum_bars(axis, found, one):
    """Draw the sum term by term, each bar from where the last one ended; then the activation."""
    parts = found.products.ravel() if one else found.products.sum(axis=(0, 1))
    steps = np.append(parts, found.bias)
    ends = np.cumsum(steps)
    # The last three stand apart and are as wide as a tenth of the others together.
    wide = 0.85 if one else 0.1 * len(parts)
    last = len(parts) + wide * (0.9 + 1.75 * np.arange(3))
    places = np.append(np.arange(len(parts)), last[0])
    widths = np.append(np.full(len(parts), 0.85), wide)
    for place, width, step, end in zip(places, widths, steps, ends, strict=True):
        look = {"color": BLUE} if step >= 0 else {"color": "#E8A27A", "hatch": "///"}
        axis.bar(place, step, width, bottom=end - step, edgecolor="white", linewidth=0.5, **look)
    if not one:
        place, end, step = found.channel, ends[found.channel], steps[found.channel]
        axis.bar(place, step, 1.1, bottom=end - step, fill=False, edgecolor=ORANGE, linewidth=1.8)
    names = ["bias", "sum"]
    axis.bar(last[1], found.total, wide, color=GREY)
    shown = [(last[1], found.total)]
    if found.activation == "relu":
        names.append("ReLU")
        axis.bar(last[2], found.by_hand, wide, color=ORANGE)
        shown.append((last[2], found.by_hand))
    for place, value in shown:
        axis.annotate(
            f"{value:.2f}",
            (place, value),
            (0, 3 if value >= 0 else -3),
            textcoords="offset points",
            ha="center",
            va="bottom" if value >= 0 else "top",
            fontsize=9,
        )
    axis.axhline(0, color="#555555", linewidth=0.8, linestyle="-", marker="")
    reached = np.append(ends, 0)
    margin = 0.13 * np.ptp(reached)
    axis.set_ylim(reached.min() - margin, reached.max() + margin)
    count = {9: "nine"}.get(len(parts), len(parts))
    label = f"the {count} products, added up" if one else f"{len(parts)} channels, added up"
    axis.set_xticks([(len(parts) - 1) / 2, *last[: len(names)]], [label, *names], fontsize=9.5)
    axis.tick_params(axis="x", length=0)
    axis.set_ylabel("running sum")


def _link(figure, found, start, end, corner):
    """Thin lines from a frame to what it becomes."""
    if corner is not None:
        rows, columns = found.kernel.shape[:2]
        for dy, y in ((-0.5, 1.0), (rows - 0.5, 0.0)):
            figure.add_artist(
                ConnectionPatch(
                    (found.left + columns - 0.5, found.top + dy),
                    (0, y),
                    "data",
                    end.transAxes,
                    axesA=start,
                    axesB=end,
                    color=ORANGE,
                    linewidth=0.9,
                )
            )
        return
    figure.add_artist(
        ConnectionPatch(
            (1.0, 0.5),
            (found.column, found.row),
            start.transAxes,
            "data",
            axesA=start,
            axesB=end,
            color=ORANGE,
            linewidth=0.9,
            arrowstyle="-|>",
        )
    )
