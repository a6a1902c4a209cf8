"""Exercises of notebook 00: a split without leakage, a baseline, a count by hand."""

import numpy as np

from .base import Exercise, Wrong, call, numbers, time_limit

NOTEBOOK = "00_start_here"


def split_indices(n, validation, test, seed):
    """Deal the indices 0 … n − 1 to three parts, at random."""
    order = np.random.default_rng(seed).permutation(n)
    return order[validation + test :], order[:validation], order[validation : validation + test]


class _Split(Exercise):
    def verify(self, answer):
        """Look for overlap, loss, order, shuffling, and for what the seed does."""
        drawn = np.random.default_rng().integers([60, 6, 13, 0], [300, 12, 20, 10**6], (5, 4))
        with time_limit(self.seconds):
            for case in drawn.tolist():
                self._look_at(answer, *case)

    def _look_at(self, answer, n, validation, test, seed):
        parts = self._parts(answer, n, validation, test, seed)
        found, sizes = tuple(map(len, parts)), (n - validation - test, validation, test)
        if found != sizes:
            raise Wrong(f"training, validation, test should have {sizes} indices: got {found}.")
        if not np.array_equal(np.sort(np.concatenate(parts)), np.arange(n)):
            raise Wrong(f"each of 0 to {n - 1} must be in one part, and once: else it leaks.")
        if any(np.ptp(part) == len(part) - 1 for part in parts[1:]):
            raise Wrong("not shuffled: of data sorted by class, training would miss classes.")
        again = self._parts(answer, n, validation, test, seed)
        if not all(map(np.array_equal, parts, again)):
            raise Wrong("the same seed must give the same split, so that a run can be repeated.")
        other = self._parts(answer, n, validation, test, seed + 1)
        if set(parts[1]) == set(other[1]):
            raise Wrong("another seed gives the same split: use the `seed` that is passed.")

    def _parts(self, answer, *args):
        parts = call(answer, *args, name=self.answer)
        if isinstance(parts, tuple | list) and len(parts) == 3:
            parts = [numbers(part, name="each part") for part in parts]
            if all(part.ndim == 1 for part in parts):
                return parts
        raise Wrong(f"{self.answer} must return three rows of indices: train, validation, test.")


split = _Split(
    name="split",
    reference=split_indices,
    hints=(
        "Shuffle the numbers 0 to n − 1 once, then cut the shuffled row into three pieces.",
        "`np.random.default_rng(seed).permutation(n)` shuffles, for the same seed in the same way.",
        "Cut off `validation` numbers, then `test` numbers; what is left is for training.",
    ),
    insight="every example is in exactly one part, and the seed makes the split repeatable.",
)


def majority_accuracy(train_labels, validation_labels):
    """Return how often the commonest training label is right on the validation labels."""
    commonest = np.bincount(train_labels).argmax()
    return (validation_labels == commonest).mean()


def _baseline_cases(rng):
    # The commonest class differs between the parts, and no share is that of another rule.
    yield np.array([2, 2, 2, 0, 1]), np.array([0, 0, 0, 2, 1, 1, 3])
    yield np.array([5, 5, 1]), np.array([1, 1, 1, 1])
    yield np.array([0, 0, 0, 1, 2, 3, 4]), np.array([1, 1, 0, 2, 5])  # the median is another
    for _ in range(6):
        common, other = map(int, rng.permutation(8)[:2])
        train = np.r_[rng.integers(0, 8, 40), [common] * 40]
        yield rng.permutation(train), rng.permutation(np.r_[train[:13], [other] * 30])


baseline = Exercise(
    name="baseline",
    reference=majority_accuracy,
    hints=(
        "`np.bincount(labels)` counts how often each class occurs.",
        "`.argmax()` of that is the commonest class.",
        "`(validation_labels == commonest).mean()` is the share that is right.",
    ),
    insight="any network must beat this number before its accuracy means something.",
    cases=_baseline_cases,
    mistakes=(
        ("the class is chosen by the validation labels.", lambda t, v: majority_accuracy(v, v)),
        ("that is measured on the training labels.", lambda t, v: majority_accuracy(t, t)),
        ("return a fraction, not a percentage.", lambda t, v: 100 * majority_accuracy(t, v)),
    ),
)


def conv_parameters(kernel_size, channels, filters):
    """Return the number of weights and biases of a convolution."""
    return (kernel_size * kernel_size * channels + 1) * filters


def _count_cases(rng):
    yield from [(3, 1, 32), (3, 32, 64), (5, 3, 7), (1, 4, 2)]
    yield from map(tuple, rng.integers([2, 2, 2], [8, 20, 40], (6, 3)).tolist())


count = Exercise(
    name="count",
    reference=conv_parameters,
    hints=(
        "A filter has a weight for each row, column and input channel of its window.",
        "And one bias for the whole filter.",
        "Multiply both by the number of filters.",
    ),
    insight="the size of the image does not occur: that is what sharing weights saves.",
    cases=_count_cases,
    mistakes=(
        ("the biases are missing, one for each filter.", lambda k, c, f: k * k * c * f),
        ("a filter looks at all its input channels.", lambda k, c, f: (k * k + 1) * f),
        ("a bias belongs to a filter, not to each channel.", lambda k, c, f: (k * k + 1) * c * f),
    ),
)
