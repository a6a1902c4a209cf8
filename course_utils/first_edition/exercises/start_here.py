"""Exercises of notebook 00: a split without leakage, a baseline, a count by hand."""

import numpy as np

from .base import Exercise, Mistake, Wrong, as_array, as_number, call

NOTEBOOK = "00_start_here"


class Split(Exercise):
    """Deal examples to three parts, so that no example is in two of them."""

    name = "split"
    answer = "split_indices"
    hints = (
        "Shuffle the numbers 0 to n − 1 once, then cut the shuffled row into three pieces.",
        "`np.random.default_rng(seed).permutation(n)` shuffles, for the same seed in the same way.",
        "Cut off `validation` numbers, then `test` numbers; what is left is for training.",
    )
    solution_code = """
def split_indices(n, validation, test, seed):
    order = np.random.default_rng(seed).permutation(n)
    return order[validation + test :], order[:validation], order[validation : validation + test]
"""
    typical_mistakes = (
        Mistake(
            """
def split_indices(n, validation, test, seed):
    rng = np.random.default_rng(seed)
    train = rng.choice(n, n - validation - test, replace=False)
    return train, rng.choice(n, validation, replace=False), rng.choice(n, test, replace=False)
""",
            "stand in more than one part",
        ),
        Mistake(
            """
def split_indices(n, validation, test, seed):
    order = np.arange(n)
    return order[validation + test :], order[:validation], order[validation : validation + test]
""",
            "were not shuffled",
        ),
        Mistake(
            """
def split_indices(n, validation, test, seed):
    order = np.random.default_rng().permutation(n)
    return order[validation + test :], order[:validation], order[validation : validation + test]
""",
            "same seed",
        ),
        Mistake(
            """
def split_indices(n, validation, test, seed):
    order = np.random.default_rng(seed).permutation(n)
    return order[:validation], order[validation : validation + test], order[validation + test :]
""",
            "in this order: train, validation, test",
        ),
    )

    def verify(self, answer):
        """Try random sizes; look for overlap, loss, order and repeatability."""
        rng = np.random.default_rng()
        for _ in range(5):
            n, seed = int(rng.integers(60, 300)), int(rng.integers(1_000_000))
            validation, test = int(rng.integers(5, 12)), int(rng.integers(13, 20))
            sizes = n - validation - test, validation, test
            parts = self._parts(answer, n, validation, test, seed)
            found = tuple(len(part) for part in parts)
            if sorted(found) == sorted(sizes) and found != sizes:
                raise Wrong("return the three parts in this order: train, validation, test.")
            if found != sizes:
                raise Wrong(f"for n = {n} the parts should hold {sizes} examples: got {found}.")
            everything = np.concatenate(parts)
            twice = len(everything) - len(np.unique(everything))
            if twice:
                raise Wrong(f"{twice} examples stand in more than one part: that is leakage.")
            if not np.array_equal(np.sort(everything), np.arange(n)):
                raise Wrong(f"the parts must hold the numbers 0 to {n - 1}, each once.")
            if np.array_equal(np.sort(parts[1]), np.arange(parts[1].min(), parts[1].max() + 1)):
                raise Wrong(
                    "the numbers were not shuffled: in data sorted by class, whole classes "
                    "would be missing from training."
                )
            again = self._parts(answer, n, validation, test, seed)
            if not all(map(np.array_equal, parts, again)):
                raise Wrong(
                    "the same seed must give the same split, so that a run can be repeated."
                )
        return "every example is in exactly one part, and the seed makes the split repeatable."

    @staticmethod
    def _parts(answer, n, validation, test, seed):
        result = call(answer, n, validation, test, seed, name=Split.answer)
        if not isinstance(result, (tuple, list)) or len(result) != 3:
            raise Wrong("split_indices must return three arrays: train, validation, test.")
        parts = [as_array(part, name="each part") for part in result]
        if any(part.ndim != 1 for part in parts):
            raise Wrong("each part must be a one-dimensional array of indices.")
        return parts


class Baseline(Exercise):
    """Accuracy of always answering with the commonest class of the training set."""

    name = "baseline"
    answer = "majority_accuracy"
    hints = (
        "Which class is the commonest among the training labels? `np.bincount` counts each.",
        "The baseline gives that one class for every validation example: how often is it right?",
        "`(validation_labels == guess).mean()` is the share of right answers.",
    )
    solution_code = """
def majority_accuracy(train_labels, validation_labels):
    guess = np.bincount(train_labels).argmax()
    return (validation_labels == guess).mean()
"""
    typical_mistakes = (
        Mistake(
            """
def majority_accuracy(train_labels, validation_labels):
    guess = np.bincount(validation_labels).argmax()
    return (validation_labels == guess).mean()
""",
            "looked at the validation labels to choose",
        ),
        Mistake(
            """
def majority_accuracy(train_labels, validation_labels):
    guess = np.bincount(train_labels).argmax()
    return (train_labels == guess).mean()
""",
            "measured on the training labels",
        ),
        Mistake(
            """
def majority_accuracy(train_labels, validation_labels):
    return 1 / len(np.unique(train_labels))
""",
            "one divided by the number of classes",
        ),
        Mistake(
            """
def majority_accuracy(train_labels, validation_labels):
    guess = np.bincount(train_labels).argmax()
    return 100 * (validation_labels == guess).mean()
""",
            "a fraction between 0 and 1",
        ),
    )

    def verify(self, answer):
        """Try random labels whose commonest class differs between the two parts."""
        rng = np.random.default_rng()
        for _ in range(5):
            classes = int(rng.integers(3, 9))
            first, second = rng.permutation(classes)[:2]
            # 90 + classes and 91 + classes labels: no share of one part equals one of the other, so
            # that each mistake is known by its number.
            train = _labels(rng, classes, favourite=first, others=60)
            validation = _labels(rng, classes, favourite=second, others=61)
            right = (validation == first).mean()
            value = as_number(
                call(answer, train.copy(), validation.copy(), name=self.answer), name="the accuracy"
            )
            if np.isclose(value, right):
                continue
            if np.isclose(value, (validation == second).mean()):
                raise Wrong(
                    "you looked at the validation labels to choose the class; choose it from the "
                    "training labels."
                )
            if np.isclose(value, (train == first).mean()):
                raise Wrong("that accuracy was measured on the training labels.")
            if np.isclose(value, 1 / classes):
                raise Wrong(
                    "one divided by the number of classes is right only if all are equally common."
                )
            if value > 1:
                raise Wrong("give the accuracy as a fraction between 0 and 1.")
            raise Wrong(f"the accuracy should be {right:.3f} on the data tried: got {value:.3f}.")
        return "any network has to beat this number before its accuracy means anything."


def _labels(rng, classes, favourite, others):
    labels = np.concatenate(
        [rng.integers(0, classes, others), np.full(30, favourite), np.arange(classes)]
    )
    return rng.permutation(labels)


class Count(Exercise):
    """Number of weights and biases of a convolution layer, by hand."""

    name = "count"
    answer = "conv_parameters"
    hints = (
        "One filter has one weight for each pixel of its window, in each input channel.",
        "Each filter has one bias besides.",
        "The height and width of the image do not come into it: the weights are shared.",
    )
    solution_code = """
def conv_parameters(kernel_size, channels, filters):
    return (kernel_size * kernel_size * channels + 1) * filters
"""
    typical_mistakes = (
        Mistake(
            """
def conv_parameters(kernel_size, channels, filters):
    return kernel_size * kernel_size * channels * filters
""",
            "biases are missing",
        ),
        Mistake(
            """
def conv_parameters(kernel_size, channels, filters):
    return (kernel_size * kernel_size + 1) * filters
""",
            "all its input channels",
        ),
        Mistake(
            """
def conv_parameters(kernel_size, channels, filters):
    return kernel_size * kernel_size * channels * filters + 1
""",
            "one bias for each filter",
        ),
        Mistake(
            """
def conv_parameters(kernel_size, channels, filters):
    return (kernel_size * channels + 1) * filters
""",
            "kernel_size rows and kernel_size columns",
        ),
    )

    def verify(self, answer):
        """Compare with Keras' own count on random layers."""
        import keras

        rng = np.random.default_rng()
        for _ in range(4):
            k, c = map(int, rng.permutation(np.arange(2, 9))[:2])  # equal ones hide a mistake
            f = int(rng.integers(2, 65))
            layer = keras.layers.Conv2D(f, k)
            layer.build((None, 32, 32, c))
            right = layer.count_params()
            value = as_number(call(answer, k, c, f, name=self.answer), name="the count")
            if value == right:
                continue
            messages = {
                k * k * c * f: "the biases are missing: each filter has one.",
                (k * k + 1) * f: "a filter looks at all its input channels, not at one.",
                k * k * c * f + 1: "there is one bias for each filter, not one for the layer.",
                (k * c + 1) * f: "a window has kernel_size rows and kernel_size columns.",
            }
            default = (
                f"Keras counts {right:,} for a {k}×{k} kernel, {c} channels and {f} filters: "
                f"got {value:,.0f}."
            )
            raise Wrong(messages.get(value, default))
        return "your count equals Keras', and the size of the image is not in it."


split = Split()
baseline = Baseline()
count = Count()
