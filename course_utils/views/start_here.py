"""Views of notebook 00: an image on its way through a network, and data dealt to three parts."""

import numpy as np
from matplotlib.patches import Rectangle

from ..plotting import BLUE, headline, styled, subplots
from ..widgets import explore

PARTS = {
    "train": {"facecolor": "#BBD9EE", "hatch": ""},
    "validation": {"facecolor": "#F6C9A3", "hatch": "//"},
    "test": {"facecolor": "#BFBFBF", "hatch": "xx"},
}


@styled
def pipeline(model, image, class_names):
    """Draw an image, three maps of each layer that makes some, and the probabilities at the end.

    A pixel is equally large everywhere.

    Parameters
    ----------
    model : keras.Sequential
        Ends in dense layers and a softmax.
    image : array (rows, columns, 1)
        Scaled as the model was trained.
    class_names : sequence of str
    """
    stages, flat, values = [], [], image[None]
    for layer in model.layers:
        values = np.asarray(layer(values, training=False))
        if values.ndim == 4:
            stages.append((layer.name, values[0]))
        else:
            flat.append(f"{layer.name}: {values.shape[1]:,}")
    figure, axes = subplots(3, len(stages) + 3, size=(1.35 * (len(stages) + 3), 3.9))
    for axis in axes.flat:
        axis.axis("off")
    _picture(axes[1, 0], image[..., 0], len(image))
    axes[1, 0].set_title("image\n" + "×".join(map(str, image.shape)), fontsize=9)
    for column, (name, maps) in enumerate(stages, 1):
        for row in range(3):
            _picture(axes[row, column], maps[..., row], len(image))
        size = "×".join(map(str, maps.shape))
        axes[0, column].set_title(f"{name}\n{size}", fontsize=9)
    axes[1, -2].text(0, 0.5, "\n".join(flat), fontsize=8.5, va="center")
    axes[0, -2].set_title("then rows of\nnumbers", fontsize=9)
    grid = axes[0, 0].get_gridspec()
    for axis in axes[:, -1]:
        axis.remove()
    bars = figure.add_subplot(grid[:, -1])
    bars.barh(range(len(class_names)), values[0], color=BLUE)
    bars.set_yticks(range(len(class_names)), class_names)
    bars.invert_yaxis()
    bars.set(xlim=(0, 1), xlabel="probability")
    headline(figure, "From pixels to probabilities: smaller maps, three of each layer shown")
    best = class_names[int(values.argmax())]
    alt = (
        f"An image and three of its feature maps after {', '.join(name for name, _ in stages)}, "
        f"smaller and smaller; then {', '.join(flat)} numbers; the longest of "
        f"{len(class_names)} bars is {best}."
    )
    return figure, alt


def _picture(axis, picture, side):
    """Show a picture so that its pixels are as large as those of one of `side` pixels a side."""
    axis.imshow(picture, cmap="gray")
    margin = (side - len(picture)) / 2
    axis.set_xlim(-0.5 - margin, len(picture) - 0.5 + margin)
    axis.set_ylim(len(picture) - 0.5 + margin, -0.5 - margin)


@styled
def draw_split(seed, test_percent):
    """Draw 200 examples as squares: which part of a split each is in; 40 are validation."""
    order = np.random.default_rng(seed).permutation(200)
    tests = 2 * test_percent
    part_of = np.full(200, "train", dtype="U10")
    part_of[order[:tests]] = "test"
    part_of[order[tests : tests + 40]] = "validation"
    figure, axis = subplots(size=(7.4, 1.5))
    for k, part in enumerate(part_of):
        corner = k % 50, -(k // 50)
        axis.add_patch(Rectangle(corner, 0.9, 0.9, edgecolor="#444444", lw=0.4, **PARTS[part]))
    for part, look in PARTS.items():
        label = f"{part}: {(part_of == part).sum()}"
        axis.add_patch(Rectangle((0, 0), 0, 0, edgecolor="#444444", label=label, **look))
    axis.set(xlim=(-0.2, 50), ylim=(-3.1, 1.1), aspect="equal")
    axis.axis("off")
    figure.legend(loc="outside lower left", ncols=3)
    alt = f"200 squares: {tests} scattered ones are test, 40 validation, the others training."
    return figure, alt


def split():
    """Deal 200 examples to three parts, with the seed and the size of the test set to choose."""
    return explore(
        draw_split,
        stills=[{"seed": seed, "test_percent": 10} for seed in range(4)],
        label="Dealing 200 examples to three parts",
        seed=(0, 9),
        test_percent=(10, 40),
    )
