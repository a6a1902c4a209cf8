"""Deal all images of a data set anew for each seed, so that no test set is used up by comparing."""

from functools import cache

import numpy as np

from course_utils import data


@cache
def everything(name, source, size=None):
    """Return all images and labels of a data set, its test part included."""
    found = data.load(name, source, size=size)
    parts = [found.train, found.validation, found.evaluate(lambda *test: test)]
    images, labels = (np.concatenate(each) for each in zip(*parts, strict=True))
    return images, labels


def dealt(name, source, seed, sizes, size=None):
    """Return (images scaled to 0…1, labels) of the sizes asked for, disjoint, of each class alike.

    Parameters
    ----------
    name, source, size
        As for ``data.load``.
    seed : int
    sizes : sequence of int
        Such as training, validation, test.

    Returns
    -------
    list of (array of float32, array of int)
    """
    images, labels = everything(name, source, size)
    order = data.shuffled(labels, seed)
    cuts = np.cumsum(sizes)
    parts = np.split(order[: cuts[-1]], cuts[:-1])
    return [(images[part].astype("float32") / 255, labels[part]) for part in parts]
