"""What one unit of a stack of convolutions sees: predicted by arithmetic, measured by a gradient.

`grow` computes both for a stack that a student writes as [(kernel_size, strides, dilation_rate)];
`draw` shows one layer of it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from . import inspection, plotting
from .arithmetic import Field, output_size, receptive_field
from .plotting import BLUE, GREY, ORANGE
from .sizes import whole

SHARPEST = 45  # pixels of an image whose cells can still be told apart


@dataclass(frozen=True)
class Growth:
    """A stack, and what the middle unit of each of its layers sees.

    Attributes
    ----------
    layers : tuple of (kernel_size, strides, dilation_rate)
    sizes : tuple of int
        Of the image, and of each layer's output, on one axis.
    fields : tuple of Field
        Predicted, one a layer.
    positions : tuple of int
        Which unit of each layer is the middle one.
    masks : tuple of arrays of bool (size, size)
        Measured: the pixels that can change that unit.
    """

    layers: tuple
    sizes: tuple
    fields: tuple
    positions: tuple
    masks: tuple

    def seen(self, layer):
        """Return the units that the middle unit of a layer reads, level by level, on one axis.

        Returns
        -------
        list of set of int
            Pixels of the image first, the unit itself last.
        """
        levels = [{self.positions[layer - 1]}]
        for kernel_size, strides, dilation in reversed(self.layers[:layer]):
            reads = {p * strides + dilation * tap for p in levels[0] for tap in range(kernel_size)}
            levels.insert(0, reads)
        return levels

    def box(self, layer):
        """Return the `range` of pixels predicted for the middle unit of a layer."""
        return self.fields[layer - 1].window(self.positions[layer - 1])


def grow(layers, size=None):
    """Predict and measure the receptive field of every layer of a stack.

    Parameters
    ----------
    layers : sequence of (kernel_size, strides, dilation_rate)
        The last two may be left out.
    size : int, optional
        Rows and columns of the image; by default a little more than the last layer sees.

    Returns
    -------
    Growth

    Raises
    ------
    ValueError
        If the stack is empty, does not fit into the image, or has strides and dilation in one
        layer, which Keras refuses.
    """
    import keras

    layers = tuple((*layer, *(1, 1)[len(layer) - 1 :]) for layer in layers)
    if not layers:
        raise ValueError("layers must hold at least one (kernel_size, strides, dilation_rate)")
    fields = receptive_field(layers)
    size = fields[-1].size + 2 * fields[-1].jump if size is None else whole("size", size)
    sizes, stack = [size], [keras.Input((size, size, 1))]
    for number, (kernel_size, strides, dilation) in enumerate(layers, 1):
        sizes.append(output_size(sizes[-1], kernel_size, strides, "valid", dilation))
        options = {"strides": strides, "dilation_rate": dilation, "name": f"layer{number}"}
        stack.append(keras.layers.Conv2D(1, kernel_size, **options))
    model = keras.Sequential(stack)
    positions = tuple(each // 2 for each in sizes[1:])
    masks = tuple(
        inspection.input_gradient_mask(model, f"layer{number}", (position, position))
        for number, position in enumerate(positions, 1)
    )
    return Growth(layers, tuple(sizes), tuple(fields), positions, masks)


@plotting.styled
def draw(growth, layer):
    """Draw what the middle unit of one layer sees.

    Parameters
    ----------
    growth : Growth
    layer : int
        From 1.

    Returns
    -------
    Figure
        Left: the stack from the side, and the way from the unit down to the pixels. Right: the
        image, the measured pixels filled, and the predicted box around them.

    Raises
    ------
    ValueError
        If there is no such layer.
    """
    if not 1 <= layer <= len(growth.layers):
        raise ValueError(f"layer must be 1 to {len(growth.layers)}: got {layer}")
    figure = Figure(figsize=(9.2, 3.9), layout="constrained")
    side, above = figure.subplots(1, 2, width_ratios=[1.7, 1])
    _cone(side, growth, layer)
    mask, box = growth.masks[layer - 1], growth.box(layer)
    _pixels(above, mask, box)
    seen = mask.sum()
    rows, columns = mask.any(axis=1).sum(), mask.any(axis=0).sum()
    whole_box = "" if seen == len(box) ** 2 else f", {seen} of {len(box) ** 2} pixels in it"
    kernel = growth.layers[layer - 1][0]
    plotting.headline(
        figure,
        f"Layer {layer}: the kernel is {kernel}×{kernel}, the receptive field "
        f"{len(box)}×{len(box)}{whole_box}",
    )
    above.set_title(
        f"frame: predicted {len(box)}×{len(box)}\n"
        f"filled: measured {_extent(mask, 1)}×{_extent(mask, 0)}",
        loc="center",
        fontsize=9.5,
    )
    above.set_xlabel(f"{rows} rows and {columns} columns reach the unit", fontsize=9)
    return figure


def in_words(growth, layer):
    """Say what `draw` shows, as alternative text; the same arguments."""
    mask, box = growth.masks[layer - 1], growth.box(layer)
    levels = [len(level) for level in growth.seen(layer)]
    on_the_way = ", ".join(str(count) for count in reversed(levels[1:]))
    return (
        f"A cone of lines from the middle unit of layer {layer} down to the pixels: {on_the_way} "
        f"units and at last {levels[0]} pixels in a row. From above, {int(mask.sum())} measured "
        f"pixels in a predicted frame of {len(box)}×{len(box)}."
    )


def agrees(growth):
    """Whether each measured mask reaches exactly the border of its predicted box."""
    return all(
        list(np.flatnonzero(mask.any(axis=axis))[[0, -1]]) == [box.start, box.stop - 1]
        for mask, box in zip(
            growth.masks, map(growth.box, range(1, len(growth.layers) + 1)), strict=True
        )
        for axis in (0, 1)
    )


def _extent(mask, axis):
    """Distance from the first to the last row (axis 1) or column (axis 0) that was reached."""
    return int(np.ptp(np.flatnonzero(mask.any(axis=axis)))) + 1


def _centres(growth, level):
    """Where the units of a level lie over the pixels."""
    field = growth.fields[level - 1] if level else Field(1, 1, 0)
    return field.start + field.jump * np.arange(growth.sizes[level]) + (field.size - 1) / 2


def _cone(axis, growth, layer):
    levels = growth.seen(layer)
    places = [_centres(growth, level) for level in range(len(growth.sizes))]
    for level, (kernel_size, strides, dilation) in enumerate(growth.layers[:layer], 1):
        for unit in levels[level]:
            for tap in range(kernel_size):
                below = unit * strides + dilation * tap
                axis.plot(
                    [places[level][unit], places[level - 1][below]],
                    [level, level - 1],
                    "-",
                    color=ORANGE,
                    lw=0.8,
                    marker="",
                    zorder=1,
                )
    dots = 8 if growth.sizes[0] < 24 else 5
    for level, centres in enumerate(places):
        chosen = levels[level] if level < len(levels) else set()
        # Filled and larger, or empty and smaller: to be told apart without colour.
        for wanted, look in ((False, {"mfc": "white", "ms": 0.6 * dots}), (True, {"ms": dots})):
            x = [centre for unit, centre in enumerate(centres) if (unit in chosen) == wanted]
            ink = BLUE if wanted else "#8C8C8C"
            axis.plot(x, [level] * len(x), "o", color=ink, linestyle="", zorder=2, **look)
    names = ["pixels"] + [
        f"layer {n}: kernel {k}"
        + (f", strides {s}" if s > 1 else "")
        + (f", dilation {d}" if d > 1 else "")
        for n, (k, s, d) in enumerate(growth.layers, 1)
    ]
    axis.set_yticks(range(len(names)), names)
    axis.set(xlim=(-0.8, growth.sizes[0] - 0.2), ylim=(-0.4, len(names) - 0.6), xticks=[])
    axis.spines[:].set_visible(False)
    axis.tick_params(length=0)
    axis.set_xlabel("one row of the image, from the side: filled dots reach the unit", fontsize=9)


def _pixels(axis, mask, box):
    size = len(mask)
    axis.imshow(np.where(mask, 0.45, 1.0), cmap="Blues_r", vmin=0, vmax=1)
    if size <= SHARPEST:
        lines = np.arange(size + 1) - 0.5
        axis.hlines(lines, -0.5, size - 0.5, color="#CCCCCC", lw=0.4)
        axis.vlines(lines, -0.5, size - 0.5, color="#CCCCCC", lw=0.4)
    axis.add_patch(
        Rectangle(
            (box.start - 0.5, box.start - 0.5),
            len(box),
            len(box),
            fill=False,
            edgecolor=ORANGE,
            lw=2.4,
        )
    )
    centre = (box.start + box.stop - 1) / 2
    axis.plot(centre, centre, "+", color=GREY, markersize=7, markeredgewidth=1.5)
    axis.set(xticks=[], yticks=[])
