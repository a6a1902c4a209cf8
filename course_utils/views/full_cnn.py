"""Views of notebook 03: the loop of layers, one number of a feature map, evidence in mistakes."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from .. import inspection
from ..plotting import ORANGE, PURPLE, headline, ink_on, styled, subplots
from ..widgets import explore

SHEETS = 5  # at most drawn of a stack of maps: one, and one more for each 16 maps
MISTAKES = 10  # to look into
MAPS = {"facecolor": "#D9E8F4", "edgecolor": "#33506B", "linewidth": 0.9}
ROWS = {"facecolor": "#F6D9C3", "edgecolor": "#7A3A10", "linewidth": 0.9}


@styled
def whole_cnn(model, class_names):
    """Draw a network: convolutions and poolings, a loop, then rows of numbers.

    `model` is a keras.Sequential, `class_names` (str) are what its last layer tells apart. Large
    and small maps are drawn less different than they are.
    """
    shapes = [("image", tuple(model.input_shape[1:]))]
    shapes += [
        (layer.name, tuple(layer.output.shape[1:]))
        for layer in model.layers
        if type(layer).__name__ != "Dropout"  # which changes no shape
    ]
    figure, axis = subplots(size=(1.0 * len(shapes) + 0.9, 2.5))
    for x, (name, shape) in enumerate(shapes):
        if len(shape) == 3:
            side = 0.66 * (shape[0] / shapes[0][1][0]) ** 0.5
            for sheet in range(min(1 + shape[2] // 16, SHEETS)):
                corner = x - side / 2 + 0.04 * sheet, -side / 2 + 0.04 * sheet
                axis.add_patch(Rectangle(corner, side, side, **MAPS))
        else:
            height = 0.22 + 0.2 * np.log10(shape[0])
            axis.add_patch(Rectangle((x - 0.07, -height / 2), 0.14, height, **ROWS))
        size = "×".join(f"{n:,}" for n in shape)
        axis.text(x, -0.74, f"{name}\n{size}", ha="center", va="top", fontsize=8.5)
        if x:
            arrow = {"arrowstyle": "->", "color": "#555555"}
            axis.annotate("", (x - 0.36, -0.62), (x - 0.64, -0.62), arrowprops=arrow)
    last = sum(len(shape) == 3 for _, shape in shapes) - 0.5
    bracket = [0.55, 0.55, last, last], [0.62, 0.7, 0.7, 0.62]
    axis.plot(*bracket, "-", color=ORANGE, marker="")
    said = "convolution + ReLU, max pooling: can be repeated many times"
    axis.text((0.55 + last) / 2, 0.76, said, ha="center", fontsize=10, color=ORANGE)
    few = "\n".join(class_names[:2]) + ("\n…" if len(class_names) > 2 else "")
    axis.text(len(shapes) - 0.75, 0, few, va="center", fontsize=10)
    axis.set(xlim=(-0.6, len(shapes) - 0.2), ylim=(-1.12, 0.95), aspect="equal")
    axis.axis("off")
    listed = ", ".join(f"{name} {'×'.join(map(str, shape))}" for name, shape in shapes)
    return figure, f"Boxes from left to right: {listed}. A bracket spans all that makes maps."


@styled
def draw_pixel(model, images, *, image, layer, filter, row, column):
    """Draw how one number of a feature map comes about, computed from the layer's weights.

    `layer` names a convolution with ReLU, without padding, of stride 1; `images` (n, rows, columns,
    channels) are scaled as in training. Of several channels the one is drawn that matters most.
    """
    maps = inspection.feature_maps(model, images[image : image + 1], layer)[0]
    places = {"row": row, "column": column, "filter": filter}
    for (name, place), size in zip(places.items(), maps.shape, strict=True):
        if place >= size:
            raise ValueError(f"{layer} makes maps of {size} {name}s: the last {name} is {size - 1}")
    names = [each.name for each in model.layers]
    before = names.index(layer)
    source, origin = images[image], "the image"
    if before:
        origin = names[before - 1]
        source = inspection.feature_maps(model, images[image : image + 1], origin)[0]
    weights, biases = model.get_layer(layer).get_weights()
    kernel, bias = weights[..., filter], biases[filter]
    h, w, channels = kernel.shape
    window = source[row : row + h, column : column + w]
    products = window * kernel
    parts = products.sum(axis=(0, 1)) if channels > 1 else products.ravel()
    total = parts.sum() + bias
    value = max(0.0, total)
    best = int(np.abs(products.sum(axis=(0, 1))).argmax())

    figure = Figure(figsize=(10, 3.9))
    above = ["source", "window", "kernel", "products", "map"]
    below = ["source", "bars", "bars", "bars", "map"]
    axes = figure.subplot_mosaic([above, below], width_ratios=[1.7, 1, 1, 1, 1.7])
    bars = axes["bars"]
    which = f", channel {best}" if channels > 1 else ""
    _framed(axes["source"], source[..., best], (row, column), (h, w), origin + which)
    ink = np.abs(products[..., best]).max() or 1, np.abs(kernel).max()
    _numbers(axes["window"], window[..., best], (0, source.max()), "gray", "window" + which)
    _numbers(axes["kernel"], kernel[..., best], (-ink[1], ink[1]), "PuOr_r", "× kernel")
    _numbers(axes["products"], products[..., best], (-ink[0], ink[0]), "PuOr_r", "= products")
    colours = [ORANGE if part >= 0 else PURPLE for part in [*parts, bias]]
    bars.bar(range(len(parts) + 1), [*parts, bias], color=colours)
    bars.axhline(0, color="#555555", linewidth=0.8, linestyle="-", marker="")
    every = "one bar a channel" if channels > 1 else "one bar a product"
    bars.set_xticks([len(parts) / 2 - 0.5, len(parts)], [every, "bias"])
    bars.tick_params("x", length=0)
    _framed(axes["map"], maps[..., filter], (row, column), (1, 1), f"{layer}, map {filter}")
    title = f"{total - bias:.3f} {bias:+.3f} (bias) = {total:.3f}, and ReLU makes it {value:.3f}"
    headline(figure, title.replace("-", "−"))
    alt = (
        f"A window of {origin} times a kernel gives {products.size} products; with the bias "
        f"they add up to {total:.3f}, and ReLU makes it {value:.3f}: the framed pixel, in row "
        f"{row}, column {column} of map {filter} of {layer}."
    )
    return figure, alt


def one_pixel(model, images, layers):
    """Recompute any number of a feature map; `model` and `images` are as for `draw_pixel`.

    It opens where a layer answers most, by the filter that does and the one that answers least; of
    places that all layers' maps have, so that another layer can be chosen.
    """
    maps = [inspection.feature_maps(model, images[:1], layer)[0] for layer in layers]
    sizes = [each.shape for each in maps]
    rows, columns, filters = np.max(sizes, axis=0).tolist()
    shared = tuple(slice(n) for n in np.min(sizes, axis=0)[:2])
    stills = []
    for layer, part in zip(layers, (each[shared] for each in maps), strict=True):
        row, column, most = np.argwhere(part == part.max())[0].tolist()
        where = {"image": 0, "layer": layer, "row": row, "column": column}
        stills += [where | {"filter": k} for k in (most, int(part[row, column].argmin()))]
    return explore(
        lambda **where: draw_pixel(model, images, **where),
        stills=stills,
        label="One number of a feature map",
        image=(0, len(images) - 1),
        layer=list(layers),
        filter=(0, filters - 1),
        row=(0, rows - 1),
        column=(0, columns - 1),
    )


@styled
def draw_evidence(model, image, *, layer, label, target, class_names):
    """Draw an image, Grad-CAM's evidence for a class, and what covering a place does to it.

    `image` is an array (rows, columns, 1), `layer` the convolution whose maps Grad-CAM weighs,
    `label` the true class, and `target` the class whose evidence is asked for.
    """
    probabilities = model.predict(image[None], verbose=0)[0]
    heat = inspection.grad_cam(model, image, layer, target)
    # Beyond the outermost units of the layer there is no heat, only its continuation.
    left, right, bottom, top = inspection.layer_geometry(model, layer).extent
    y, x = np.indices(heat.shape)
    measured = (left < x) & (x < right) & (top < y) & (y < bottom)
    heat = heat * measured
    side = round(len(image) / 4)
    drop = inspection.occlusion(model, image, side, max(1, side // 3), target, fill=0.0)
    figure, axes = subplots(1, 3, size=(8.6, 3.1))
    limit = max(np.abs(drop).max(), 0.02)
    for axis in axes:
        axis.imshow(image, cmap="gray")
        axis.axis("off")
    pictures = [
        axes[1].imshow(heat, cmap="inferno", alpha=0.6 * measured, vmin=0, vmax=1),
        axes[2].imshow(drop, cmap="PuOr_r", vmin=-limit, vmax=limit),
    ]
    axes[2].contour(image[..., 0], [image.max() / 2], colors="black", linewidths=1)
    for axis, picture in zip(axes[1:], pictures, strict=True):
        figure.colorbar(picture, ax=axis, shrink=0.8)
    said = int(probabilities.argmax())
    name = class_names[target]
    names = f"a {class_names[label]}, said {class_names[said]}", f"Grad-CAM for {name}"
    for axis, text in zip(axes, (*names, f"P({name}) lost by covering"), strict=True):
        axis.set_title(text, loc="center", fontsize=10)
    headline(figure, f"P({name}) = {probabilities[target]:.0%}: which pixels speak for {name}?")
    places = [
        f"at row {k // len(image)}, column {k % len(image)}" if m.max() > 0 else "nowhere"
        for m, k in ((heat, int(heat.argmax())), (drop, int(drop.argmax())))
    ]
    alt = (
        f"A {class_names[label]}, taken for {class_names[said]}. For {name}, Grad-CAM is hottest "
        f"{places[0]}; covering a square costs most {places[1]}."
    )
    return figure, alt


def evidence(model, images, labels, class_names, layer):
    """Ask for the evidence in the worst mistakes, for the wrong answer and for the right one.

    The worst are the wrong answers that were given most surely. `images` are of shape (n, rows,
    columns, 1), `labels` (n,); the rest is as for `draw_evidence`.
    """
    probabilities = model.predict(images, verbose=0)
    said = probabilities.argmax(axis=1)
    wrong = np.flatnonzero(said != labels)
    if not len(wrong):
        raise ValueError("the model makes no mistake on these images: give it others")
    worst = wrong[np.argsort(-probabilities[wrong].max(axis=1))][:MISTAKES]
    questions = {"what it said": said, "what it is": labels}

    def draw(mistake, about):
        k = worst[mistake - 1]
        target = int(questions[about][k])
        asked = {"label": int(labels[k]), "target": target, "class_names": class_names}
        return draw_evidence(model, images[k], layer=layer, **asked)

    shown = range(1, min(3, len(worst)) + 1)
    return explore(
        draw,
        stills=[{"mistake": n, "about": about} for n in shown for about in questions],
        label="Evidence in the worst mistakes",
        mistake=(1, len(worst)),
        about=list(questions),
    )


def _framed(axis, picture, corner, size, title):
    axis.imshow(picture, cmap="gray")
    place = (corner[1] - 0.5, corner[0] - 0.5), size[1], size[0]
    axis.add_patch(Rectangle(*place, fill=False, edgecolor="white", linewidth=4, clip_on=False))
    axis.add_patch(Rectangle(*place, fill=False, edgecolor=ORANGE, linewidth=2, clip_on=False))
    axis.set_title(title, loc="center", fontsize=10)
    axis.axis("off")


def _numbers(axis, values, limits, cmap, title):
    picture = axis.imshow(values, cmap=cmap, vmin=limits[0], vmax=limits[1])
    for (r, c), value in np.ndenumerate(values):
        text = f"{round(float(value), 2) + 0:.2f}"  # adding 0 makes a rounded −0 a plain 0
        ink = ink_on(picture.to_rgba(value))
        axis.text(c, r, text, ha="center", va="center", color=ink, fontsize=8.5)
    axis.set_title(title, loc="center", fontsize=10)
    axis.axis("off")
