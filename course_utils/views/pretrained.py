"""Views of notebook 07: neighbours in feature space, evidence on photos, weights and pictures."""

import os
from hashlib import md5
from pathlib import Path

import numpy as np

from .. import importing
from ..plotting import GREEN, ORANGE, headline, styled, subplots
from ..widgets import explore

NAMES_MD5 = "c2c37ea517e94d9795004a39431a14cb"  # of Keras' list of ImageNet's class names


def weights(top=False):
    """Return the path of MobileNet's weights, or None after one sentence that says why.

    `top` is for those with the layer of the 1,000 classes. Keras takes None for random weights, and
    needs no network then.
    """
    path = importing.pretrained(top)
    why = "they are not here, and `course data fetch pretrained` gets them"
    if path:
        try:
            if importing.weights_name(path).split(".")[0] == importing.WEIGHTS[top]:
                return str(path)
            why = f"{path} is {'without' if top else 'with'} the layer of the 1,000 classes"
        except Exception as error:  # h5py's readers raise many kinds
            why = f"{path} is not right ({' '.join(str(error).split())})"
    print(f"Random weights in place of ImageNet's: {why}. Shapes are right, answers are not.")
    return None


def class_names_here():
    """Return whether Keras can name ImageNet's classes without the network; say so if not."""
    home = Path(os.environ.get("KERAS_HOME") or "~/.keras").expanduser()
    path = home / "models" / "imagenet_class_index.json"
    if path.is_file() and md5(path.read_bytes()).hexdigest() == NAMES_MD5:
        return True
    print("The list of the 1,000 names is not in Keras' cache: classes are shown by their numbers.")
    return False


def picture(path, side):
    """Return a picture of any kind as an array (side, side, 3) of uint8.

    It is turned as its EXIF says, its first frame and its middle square are taken, what is
    transparent becomes white, 16 bits become 8. Without a path, or after one sentence on what is
    wrong with it, the picture is the flower that comes with scikit-learn.
    """
    from PIL import Image, ImageOps
    from sklearn.datasets import load_sample_image

    found = Image.fromarray(load_sample_image("flower.jpg"))
    if path:
        try:
            with Image.open(Path(path).expanduser()) as file:
                found = ImageOps.exif_transpose(file)
                if found.mode.startswith(("I", "F")):
                    values = np.asarray(found, float)
                    most = 65535 if values.max() > 255 else 255
                    found = Image.fromarray((values.clip(0, most) * (255 / most)).astype(np.uint8))
                found = found.convert("RGBA")
            found = Image.alpha_composite(Image.new("RGBA", found.size, "white"), found)
        except Exception as error:  # each format has errors of its own
            print(f"{path} cannot be used ({' '.join(str(error).split())}): here is a flower.")
    return np.asarray(ImageOps.fit(found.convert("RGB"), (side, side)))


def nearest(queries, gallery, k):
    """Return the k rows of `gallery` in the direction nearest to each query, nearest first."""
    queries, gallery = (
        rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
        for rows in (queries, gallery)
    )
    return np.argsort(-queries @ gallery.T, axis=1, kind="stable")[:, :k]


@styled
def draw_neighbours(query, label, found):
    """Draw an image and, a row a way, those nearest to it, marked by whether they show the same.

    `found` maps the name of a way to (images, labels).
    """
    columns = 1 + max(len(labels) for _, labels in found.values())
    size = 1.05 * columns, 0.4 + 1.4 * len(found)
    figure, axes = subplots(len(found), columns, size=size, squeeze=False)
    listed = []
    for row, (way, (images, labels)) in zip(axes, found.items(), strict=True):
        for axis, image in zip(row, [query, *images], strict=True):
            axis.imshow(image, cmap="gray")
            axis.set(xticks=[], yticks=[])
            axis.spines[:].set_visible(True)
        row[0].set_ylabel(way)
        for axis, other in zip(row[1:], labels, strict=True):
            mark, colour = ("✓", GREEN) if other == label else ("✗", ORANGE)
            axis.set_title(f"{mark} {other}", loc="center", fontsize=10)
            axis.spines[:].set(color=colour, linewidth=2)
        listed.append(f"{way}: {', '.join(map(str, labels))}")
    headline(figure, f"The nearest to this {label}")
    return figure, f"The digit {label}, and the nearest to it. By {'; by '.join(listed)}."


def neighbours(queries, query_labels, gallery, gallery_labels, near):
    """Look at the nearest of any query; `near` maps ways to what `nearest` returns.

    The player shows the first query of each class, a 7 to begin with.
    """

    def draw(image):
        found = {way: (gallery[k[image]], gallery_labels[k[image]]) for way, k in near.items()}
        return draw_neighbours(queries[image], query_labels[image], found)

    firsts = {label: k for k, label in reversed([*enumerate(query_labels.tolist())])}
    return explore(
        draw,
        stills=[{"image": firsts[k]} for k in sorted(firsts, key=lambda label: label != 7)],
        label="Nearest neighbours among digits that the base has never seen",
        image=(0, len(queries) - 1),
    )


@styled
def heat(photos, heats, titles):
    """Draw photos, and beside each the evidence that Grad-CAM found in it.

    Parameters
    ----------
    photos, heats : sequences of arrays (rows, columns, 3), uint8, and (rows, columns), 0 to 1
    titles : sequence of str
        What was answered.
    """
    figure, axes = subplots(1, 2 * len(photos), size=(4.4 * len(photos), 2.5), squeeze=False)
    places = []
    for k, (photo, warm, title) in enumerate(zip(photos, heats, titles, strict=True)):
        plain, hot = axes[0, 2 * k : 2 * k + 2]
        plain.imshow(photo)
        hot.imshow(np.dot(photo, [0.299, 0.587, 0.114]), cmap="gray")
        hot.imshow(warm, cmap="inferno", alpha=0.55, vmin=0, vmax=1)
        plain.set_title(title, loc="center", fontsize=10)
        hot.set_title("evidence for it", loc="center", fontsize=10)
        row, column = np.unravel_index(np.argmax(warm), warm.shape)
        places.append(f"at row {row}, column {column}" if np.max(warm) > 0 else "nowhere")
    for axis in axes.flat:
        axis.axis("off")
    listed = "; ".join(f"{t}: hottest {p}" for t, p in zip(titles, places, strict=True))
    return figure, f"Photos, each beside its heat map of evidence for the answer. {listed}."
