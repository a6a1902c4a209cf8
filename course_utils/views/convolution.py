"""Views of notebook 01: a convolution step by step, what is read, what a kernel does, what is seen.

Images and kernels have two axes here, so that all their numbers fit on a page.
"""

import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.patches import Rectangle

from .. import numpy_ops
from ..arithmetic import Field, receptive_field
from ..plotting import BLUE, ORANGE, headline, styled, subplots
from ..widgets import explore

# Light enough for dark numbers on every shade; the negative end is not the orange of the window.
SHADES = LinearSegmentedColormap.from_list("shades", ["#D2AFE0", "#FFFFFF", "#8FC1E3"])
ZERO = {"facecolor": "#EFEFEF", "edgecolor": "#8A8A8A", "hatch": "///", "linewidth": 0.5}


def number(value):
    """Write a number as short as it can be: whole, or with two decimals."""
    text = f"{value:.0f}" if abs(value - round(value)) < 1e-9 else f"{value:.2f}"
    return ("0" if float(text) == 0 else text).replace("-", "−")


def size(values):
    """Write the shape of an array: ``5×5``."""
    return "×".join(map(str, values.shape))


def cells(axis, values, *, hatched=((0, 0), (0, 0)), shown=None):
    """Draw an array as shaded cells with a number in each.

    Parameters
    ----------
    axis : Axes
    values : array (r, c)
    hatched : ((top, bottom), (left, right))
        Rows and columns at the border that are hatched, such as padding.
    shown : array of bool (r, c), optional
        Cells that have a number yet; the others stay empty.
    """
    rows, columns = values.shape
    limit = np.abs(values).max() or 1
    (top, bottom), (left, right) = hatched
    for (r, c), value in np.ndenumerate(values):
        inside = top <= r < rows - bottom and left <= c < columns - right
        filled = shown is None or shown[r, c]
        shade = SHADES(0.5 + value / limit / 2) if filled else "white"
        look = {"facecolor": shade, "edgecolor": "#777777", "linewidth": 0.6} if inside else ZERO
        axis.add_artist(Rectangle((c - 0.5, r - 0.5), 1, 1, **look))
        if filled:
            box = None if inside else {"facecolor": "#EFEFEF", "edgecolor": "none", "pad": 0.8}
            text = number(value)
            font = 10 - max(0, len(text) - 3) - (max(values.shape) > 6)
            axis.text(c, r, text, ha="center", va="center", fontsize=font, bbox=box)
    axis.set(xlim=(-0.6, columns - 0.4), ylim=(rows - 0.4, -0.6), aspect="equal")
    axis.axis("off")


def frame(axis, row, column, rows=1, columns=1):
    """Frame cells of an array that `cells` drew."""
    corner = column - 0.5, row - 0.5
    axis.add_artist(Rectangle(corner, columns, rows, fill=False, edgecolor=ORANGE, linewidth=2.6))


def at_step(output, step):
    """Return the row and the column of an output's number `step`, from 1, and all up to there."""
    if step > output.size:
        raise ValueError(f"the output is {size(output)}: it has {output.size} steps")
    row, column = divmod(step - 1, output.shape[1])
    return row, column, np.arange(output.size).reshape(output.shape) < step


@styled
def draw_step(image, kernel, *, stride, padding, dilation, step):
    """Draw one step of a convolution: the window, the kernel, the products, the sum, the output.

    Parameters
    ----------
    image, kernel : arrays of two axes
    stride, dilation : int
    padding : {"valid", "same"}
    step : int
        From 1, the output's first number.
    """
    zeros = numpy_ops.explicit_padding(image.shape, kernel.shape, stride, padding, dilation)
    padded = np.pad(image, zeros)
    windows = numpy_ops.windows(padded[None, :, :, None], kernel.shape, stride, dilation)[0, ..., 0]
    output = (windows * kernel).sum(axis=(2, 3))
    row, column, done = at_step(output, step)
    window, total = windows[row, column], output[row, column]
    products = window * kernel

    figure, axes = subplots(1, 5, size=(9.8, 2.9), width_ratios=[2.1, 1.1, 1.1, 1.1, 1.8])
    cells(axes[0], padded, hatched=zeros)
    for axis, values in zip(axes[1:4], (window, kernel, products), strict=True):
        cells(axis, values)
    cells(axes[4], output, shown=done)
    # With dilation the window has gaps: each pixel that is read gets a frame of its own.
    for r, c in np.ndindex(kernel.shape):
        frame(axes[0], row * stride + dilation * r, column * stride + dilation * c)
    frame(axes[1], 0, 0, *kernel.shape)
    frame(axes[4], row, column)
    image_name = f"image{' with zeros' if padded.size > image.size else ''}, {size(padded)}"
    names = (image_name, "window", "kernel", "products", f"output, {size(output)}")
    for axis, name, sign in zip(axes, names, ("", "", "×", "=", ""), strict=True):
        axis.set_title(name, loc="center", fontsize=10)
        axis.text(-0.12, 0.5, sign, transform=axis.transAxes, fontsize=15, ha="center", va="center")
    terms = " + ".join(number(p) if p >= 0 else f"({number(p)})" for p in products.flat)
    headline(figure, f"{terms} = {number(total)}")
    alt = (
        f"Step {step} of {output.size}. The window holds {_rows(window)}; times the kernel "
        f"{_rows(kernel)}, added up, it gives {number(total)}, which stands in row {row}, column "
        f"{column} of the {size(output)} output."
    )
    return figure, alt


def stepping(image, kernels):
    """Step through a convolution, with kernel, stride, padding and dilation to choose.

    Parameters
    ----------
    image : array of two axes
    kernels : mapping from name to array of two axes
    """
    first, last = list(kernels)[0], list(kernels)[-1]
    plain = {"kernel": first, "stride": 1, "padding": "valid", "dilation": 1}
    stills = [{**plain, "step": step} for step in range(1, 10)]
    stills += [{**plain, "padding": "same", "step": step} for step in (1, 2, 25)]
    stills += [{**plain, "stride": 2, "step": step} for step in (1, 2, 4)]
    stills += [{**plain, "kernel": last, "dilation": 2, "step": 1}]
    return explore(
        lambda kernel, **how: draw_step(image, kernels[kernel], **how),
        stills=stills,
        label="A convolution, step by step",
        kernel=list(kernels),
        stride=(1, 3),
        padding=["valid", "same"],
        dilation=(1, 2),
        step=(1, 25),
    )


@styled
def draw_reads(pixels, kernel, stride, padding, dilation):
    """Draw one axis of a convolution: which pixels each output reads, and which nobody reads.

    Zeros are hatched; pixels that nobody reads are crossed out.
    """
    how = kernel, stride, padding, dilation
    before, after = numpy_ops.axis_padding(pixels, *how)
    outputs, width = numpy_ops.output_size(pixels, *how), numpy_ops.span(kernel, dilation)
    taps = [[n * stride - before + dilation * t for t in range(kernel)] for n in range(outputs)]
    read = {tap for row in taps for tap in row}
    figure, axis = subplots(size=(7.4, 3.2))
    for pixel in range(-before, pixels + after):
        inside = 0 <= pixel < pixels
        look = {"facecolor": "#D9E8F4", "edgecolor": "#444444"} if inside else ZERO
        axis.add_patch(Rectangle((pixel - 0.46, -0.4), 0.92, 0.8, **look))
        if inside:
            lost = pixel not in read
            text = "×" if lost else pixel
            axis.text(pixel, 0, text, ha="center", va="center", fontsize=13 if lost else 9)
    for n, row in enumerate(taps, 1):
        axis.plot([row[0], row[-1]], [n, n], "-", color=BLUE, linewidth=1.2, marker="")
        axis.plot(row, [n] * kernel, "s", color=BLUE, markersize=8)
        axis.text(pixels + after + 0.3, n, f"output {n - 1}", va="center", fontsize=9)
    axis.text(pixels + after + 0.3, 0, "pixels", va="center", fontsize=9)
    axis.set(xlim=(-before - 0.8, pixels + after + 2.6), ylim=(max(outputs, 5) + 0.7, -0.8))
    axis.axis("off")
    unread = pixels - len(read & set(range(pixels)))
    lost = f"; {unread} of {pixels} pixels (×) are read by nobody" if unread else ""
    sum_ = f"⌊({pixels} + {before + after} − {width}) / {stride}⌋ + 1"
    headline(figure, f"{sum_} = {outputs} outputs{lost}")
    listed = "; ".join(f"output {n} reads {', '.join(map(str, row))}" for n, row in enumerate(taps))
    zeros = f"with {before} zeros before and {after} after"
    return figure, f"A row of {pixels} pixels {zeros}. Below it, {listed}."


def reads():
    """Show which pixels each output of one axis reads, for any size, stride and padding."""
    names = "pixels", "kernel", "stride", "padding", "dilation"
    chosen = [(8, 3, 2, "valid", 1), (7, 3, 2, "valid", 1), (7, 3, 1, "valid", 1)]
    chosen += [(7, 3, 1, "same", 1), (7, 3, 1, "valid", 2)]
    return explore(
        draw_reads,
        stills=[dict(zip(names, values, strict=True)) for values in chosen],
        label="Which pixels each output reads",
        pixels=(3, 14),
        kernel=(1, 5),
        stride=(1, 4),
        padding=["valid", "same"],
        dilation=(1, 3),
    )


@styled
def draw_filter(image, kernel, name):
    """Draw a kernel, how strongly it answers to each frequency, and what it makes of an image.

    Its gain is the size of its Fourier transform.
    """
    from scipy.signal import correlate2d

    gain = np.abs(np.fft.fftshift(np.fft.fft2(kernel, (65, 65))))
    figure, axes = subplots(1, 3, size=(8.6, 2.9), width_ratios=[1, 1.25, 1.7])
    figure.set_layout_engine("compressed")
    unit = np.abs(kernel[kernel != 0]).min()
    cells(axes[0], kernel / unit)  # whole numbers, whose sum a reader can check
    divided = f" × {1 / unit:.0f}" if unit < 1 else ""
    axes[0].set_title(f"weights{divided}", loc="center", fontsize=10)
    picture = axes[1].imshow(gain, cmap="viridis", vmin=0, extent=(-0.5, 0.5, 0.5, -0.5))
    figure.colorbar(picture, ax=axes[1], shrink=0.8)
    axes[1].set(xlabel="across (cycles per pixel)", ylabel="down", title="gain")
    axes[1].set(xticks=[-0.5, 0, 0.5], yticks=[-0.5, 0, 0.5])
    black = -1 if abs(kernel.sum()) < 1e-9 else 0  # where the weights add up to 0, grey is 0
    axes[2].imshow(correlate2d(image, kernel, mode="valid"), cmap="gray", vmin=black, vmax=1)
    axes[2].axis("off")
    constant, finest = gain[32, 32], gain[0, 0]
    headline(figure, f"{name}: the weights add up to {number(kernel.sum())}")
    alt = (
        f"The kernel {name}; its gain, {constant:.2f} for a constant image in the middle and "
        f"{finest:.2f} for the finest checkerboard in the corners; and the photograph that it made."
    )
    return figure, alt


def filters(image, kernels):
    """Choose a kernel; see its weights, its frequencies, and the image that it makes."""
    return explore(
        lambda kernel: draw_filter(image, kernels[kernel], kernel),
        stills=[{"kernel": name} for name in kernels],
        label="What a kernel does to a photograph",
        kernel=list(kernels),
    )


@styled
def draw_field(stack, layer):
    """Draw what the middle unit of one layer sees: one row from the side, and the pixels measured.

    Parameters
    ----------
    stack : sequence of (kernel_size, stride, dilation)
    layer : int
        From 1.
    """
    if not 1 <= layer <= len(stack):
        raise ValueError(f"this stack has {len(stack)} layers")
    # Down from one unit: each layer adds the units that its kernel reads.
    seen = [{0}]
    for k, s, d in reversed(stack[:layer]):
        seen.append({unit * s + d * tap for unit in seen[-1] for tap in range(k)})
    fields = [Field(), *receptive_field(stack[:layer])]
    field, rate, _ = fields[-1]
    mask = measured(stack[:layer], field + 2 * rate, unit=1)  # with some pixels on each side

    figure, (side, above) = subplots(1, 2, size=(8.6, 3.2), width_ratios=[1.8, 1])

    def centre(level, unit):
        return unit * fields[level].jump + (fields[level].size - 1) / 2

    for level, units in enumerate(reversed(seen)):
        across = [centre(level, unit) for unit in units]
        side.plot(across, [level] * len(units), "o", color=BLUE, markersize=7)
    for level, (k, s, d) in enumerate(stack[:layer], 1):
        for unit in seen[layer - level]:
            for tap in range(k):
                across = centre(level, unit), centre(level - 1, unit * s + d * tap)
                side.plot(across, [level, level - 1], "-", color=ORANGE, lw=0.8, marker="")
    side.set_yticks(range(layer + 1), ["pixels", *(_layer_name(*each) for each in stack[:layer])])
    side.set(xticks=[], xlabel="one row of the image, from the side")
    side.spines[:].set_visible(False)
    above.imshow(mask, cmap="Blues", vmin=0, vmax=1.6)
    frame(above, rate, rate, field, field)
    above.set(xticks=[], yticks=[], xlabel="filled: pixels with a gradient")
    headline(figure, f"Layer {layer} sees {field}×{field} pixels")
    units = ", ".join(str(len(level)) for level in seen)
    alt = (
        f"A cone of lines from one unit of layer {layer} down to the pixels: {units} units in a "
        f"row. Beside it {int(mask.sum())} pixels that have a gradient, in a frame of "
        f"{field}×{field}."
    )
    return figure, alt


def measured(stack, pixels, unit):
    """Return which of pixels×pixels the gradient of one unit reaches; all weights are 1."""
    import tensorflow as tf

    image = tf.Variable(tf.ones((1, pixels, pixels, 1)))
    with tf.GradientTape() as tape:
        maps = image
        for k, s, d in stack:
            maps = tf.nn.conv2d(maps, tf.ones((k, k, 1, 1)), s, "VALID", dilations=d)
        value = maps[0, unit, unit, 0]
    return tape.gradient(value, image).numpy()[0, :, :, 0] != 0


def fields(stacks):
    """Choose a stack of convolutions and a layer; see what one unit of it sees.

    Parameters
    ----------
    stacks : mapping from name to sequence of (kernel_size, stride, dilation)
    """
    return explore(
        lambda stack, layer: draw_field(stacks[stack], layer),
        stills=[
            {"stack": name, "layer": layer}
            for name, stack in stacks.items()
            for layer in range(len(stack), 0, -1)
        ],
        label="What a unit sees",
        stack=list(stacks),
        layer=(1, max(map(len, stacks.values()))),
    )


def _rows(values):
    return " / ".join(" ".join(map(number, row)) for row in values)


def _layer_name(kernel, stride, dilation):
    name = f"{kernel}×{kernel}"
    name += f", stride {stride}" if stride > 1 else ""
    return name + (f", dilation {dilation}" if dilation > 1 else "")
