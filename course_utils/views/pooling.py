"""Views of notebook 02: the way forward and back through a window, and unread numbers."""

import numpy as np

from .. import numpy_ops
from ..plotting import headline, styled, subplots
from ..widgets import explore
from .convolution import at_step, cells, frame, number, size

POOLS = {
    "max": (numpy_ops.max_pool, numpy_ops.max_pool_backward),
    "average": (numpy_ops.average_pool, numpy_ops.average_pool_backward),
}


@styled
def draw_routing(image, kind, window, stride, step):
    """Draw one window of a pooling: its output, and where its gradient of 1 goes.

    Parameters
    ----------
    image : array of two axes
    kind : {"max", "average"}
    window, stride : int
    step : int
        From 1, the output's first number. Gradients of the steps before are added up.
    """
    pool, pool_backward = POOLS[kind]
    batch = np.asarray(image, float)[None, :, :, None]
    output = pool(batch, window, strides=stride)[0, :, :, 0]
    row, column, done = at_step(output, step)
    upstream = done[None, :, :, None].astype(float)
    gradient = pool_backward(upstream, batch, window, strides=stride)[0, :, :, 0]
    top, left = row * stride, column * stride
    figure, axes = subplots(1, 3, size=(8.8, 3.2), width_ratios=[1, 0.8, 1])
    cells(axes[0], image)
    cells(axes[1], output, shown=done)
    cells(axes[2], gradient)
    for axis in (axes[0], axes[2]):
        frame(axis, top, left, window, window)
    frame(axes[1], row, column)
    names = ("the map", f"its {kind} pooling", "gradient handed back so far")
    for axis, name in zip(axes, names, strict=True):
        axis.set_title(name, loc="center", fontsize=10)
    share = "all of its gradient goes back to the largest"
    if kind == "average":
        share = f"each of {window**2} numbers gets 1/{window**2} of its gradient"
    headline(figure, f"Window {step}: {number(output[row, column])}; {share}")
    alt = (
        f"Window {step} of {output.size} of a {size(image)} map, from row {top}, column {left}, "
        f"gives {number(output[row, column])}; {share}. So far "
        f"{int((gradient > 0).sum())} of {image.size} numbers have got a gradient."
    )
    return figure, alt


def routing(image):
    """Step through a pooling, forward and back, with kind, window and stride to choose."""
    steps = [("max", 2, 1, step) for step in (6, 7, 11, 12, 16)]
    steps += [("max", 2, 2, step) for step in range(1, 5)] + [("average", 2, 2, 4)]
    names = "kind", "window", "stride", "step"
    return explore(
        lambda **how: draw_routing(image, **how),
        stills=[dict(zip(names, values, strict=True)) for values in steps],
        label="Pooling, forward and back",
        kind=["max", "average"],
        window=(2, 3),
        stride=(1, 2),
        step=(1, 16),
    )


@styled
def unread(n, window):
    """Draw which numbers of an n×n map no window reads, when windows do not overlap."""
    whole = n // window * window
    figure, axis = subplots(size=(2.9, 3.1))
    lost = 0, n - whole
    cells(axis, np.zeros((n, n)), hatched=(lost, lost), shown=np.zeros((n, n), bool))
    for r, c in np.ndindex(n // window, n // window):
        frame(axis, r * window, c * window, window, window)
    count = n * n - whole * whole
    headline(figure, f"{count} of {n * n} are in no window")
    alt = (
        f"A map of {n}×{n} with {(whole // window) ** 2} windows of {window}×{window} framed; the "
        f"last row and column, {count} numbers, are hatched: no window reads them."
    )
    return figure, alt
