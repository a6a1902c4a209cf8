"""Exercises of notebook 06: a real gain, an anomaly, a folded normalization, a budget."""

from contextlib import redirect_stdout
from functools import cache
from io import StringIO

import numpy as np

from .base import Exercise, Wrong, call, time_limit

NOTEBOOK = "06_improving_models"


def judge(before, after):
    """Compare the interval of the paired differences with zero."""
    from course_utils import metrics

    gain = metrics.paired(after, before)
    if gain.low > 0:
        return "better"
    return "worse" if gain.high < 0 else "not clear"


def _judged_by(half_width):
    """Return a wrong answer: the interval has this half width instead."""

    def wrong(before, after):
        gain = np.mean(after - before)
        if abs(gain) <= half_width(before, after):
            return "not clear"
        return "better" if gain > 0 else "worse"

    return wrong


def _judge_cases(rng):
    from scipy import stats

    # The mean difference in half widths of its interval, the seeds, what the seeds do to both.
    fixed = [(1.6, 6, 0.03), (0.94, 5, 0.002), (1.06, 5, 0.002), (1.6, 20, 0.03)]
    fixed += [(0.88, 20, 0.002), (0.74, 5, 0.002)]  # tell 90 % and 1.96 apart
    fixed += [(-1.5, 8, 0.002), (-0.6, 6, 0.002), (-0.94, 7, 0.03), (0.3, 9, 0.01)]
    drawn = zip(
        rng.choice([-1.3, -0.7, 0.7, 1.3], 4), rng.integers(5, 12, 4), [0.01] * 4, strict=True
    )
    for share, n, spread in [*fixed, *drawn]:
        noise = rng.normal(size=n)
        noise = 0.004 * (noise - noise.mean()) / noise.std(ddof=1)
        before = 0.93 + spread * rng.permutation(np.linspace(-1, 1, n))
        # The luckiest seed is the best one as well: it misleads whoever looks at it alone.
        before[np.argmax(noise)] = before.max() + 0.003
        half_width = stats.t.ppf(0.975, n - 1) * 0.004 / np.sqrt(n)
        yield before, before + share * half_width + noise


real = Exercise(
    name="real",
    reference=judge,
    hints=(
        "Entry k of both arrays comes from one seed. Which differences does that allow?",
        "`cu.metrics.paired(after, before)` has the ends of the interval: `.low` and `.high`.",
        "An interval above zero: better. Below zero: worse. Anything else: not clear.",
    ),
    insight="*not clear* is an answer: these seeds do not settle it. That is not: no effect.",
    cases=_judge_cases,
    mistakes=(
        ("you look at the mean alone: how sure is it?", _judged_by(lambda b, a: 0)),
        (
            "you treat the two arrays as if they were not paired.",
            _judged_by(lambda b, a: 2 * np.sqrt((b.var(ddof=1) + a.var(ddof=1)) / len(b))),
        ),
        (
            "with so few seeds the interval is wider than 1.96 standard errors: it is Student's.",
            _judged_by(lambda b, a: 1.96 * (a - b).std(ddof=1) / np.sqrt(len(b))),
        ),
    ),
)


def averages_after(mean, variance, momentum, steps):
    """Mix the start, 0 and 1, with the batch's statistics."""
    left = momentum**steps
    return (1 - left) * mean, left + (1 - left) * variance


def _averages_cases(rng):
    fixed = [(0.0, 1), (0.5, 1), (0.99, 60), (0.9, 3), (0.8, 2), (0.97, 5)]
    for momentum, steps in [*fixed, (float(rng.uniform(0.6, 0.95)), int(rng.integers(2, 9)))]:
        yield float(rng.uniform(0.5, 3)), float(rng.uniform(2, 9)), momentum, steps


def _mixed(left, start=1):
    def wrong(mean, variance, momentum, steps):
        share = left(momentum, steps)
        return (1 - share) * mean, share * start + (1 - share) * variance

    return wrong


anomaly = Exercise(
    name="anomaly",
    reference=averages_after,
    hints=(
        "Keras starts the moving mean at 0 and the moving variance at 1.",
        "One step: new = momentum · old + (1 − momentum) · batch. And after n steps?",
        "The start's share is momentum**steps; the batch's statistic has the rest.",
    ),
    insight=f"at Keras' momentum of 0.99 the start still has {0.99**60:.0%} after 60 steps, at 0.9 "
    f"{0.9**60:.1%}. The weights are right; prediction divides by the wrong spread.",
    cases=_averages_cases,
    mistakes=(
        ("Keras' moving variance starts at 1, not at 0.", _mixed(lambda m, n: m**n, start=0)),
        (
            "each step takes a share of what is left, not always the same amount.",
            _mixed(lambda m, n: max(0, 1 - n * (1 - m))),
        ),
        (
            "the other way round: momentum is the share of the old value that stays.",
            _mixed(lambda m, n: (1 - m) ** n),
        ),
    ),
)


def fold(kernel, bias, gamma, beta, mean, variance, epsilon):
    """Scale each filter, and send the bias through the normalization."""
    scale = gamma / np.sqrt(variance + epsilon)
    return kernel * scale, (bias - mean) * scale + beta


def _fold_cases(rng):
    # As many channels as filters, so that the wrong axis goes through, and is seen.
    for rows, columns, n in [(3, 3, 4), (1, 2, 3), (5, 4, 5)]:
        bias, beta, mean = rng.normal(size=(3, n)) + rng.choice([-1, 1], (3, n))
        gamma = rng.uniform(0.5, 2, n) * rng.choice([-1, 1], n)
        variance, epsilon = rng.uniform(0.5, 2, n), float(rng.uniform(0.05, 0.1))
        yield rng.normal(size=(rows, columns, n, n)), bias, gamma, beta, mean, variance, epsilon


fold = Exercise(
    name="fold",
    reference=fold,
    hints=(
        "At prediction the normalization of a channel is a line: y = scale · x + shift.",
        "`scale = gamma / np.sqrt(variance + epsilon)`; the kernel's last axis is the filter.",
        "The bias goes through the line as well: `(bias - mean) * scale + beta`.",
    ),
    insight="behind a convolution it costs nothing at prediction: tools for deployment fold it.",
    cases=_fold_cases,
    mistakes=(
        (
            "you forget epsilon: it stands under the root, beside the variance.",
            lambda k, b, g, t, m, v, e: fold.reference(k, b, g, t, m, v, 0),
        ),
        (
            "you divide by the variance; its square root is the spread.",
            lambda k, b, g, t, m, v, e: fold.reference(k, b, g, t, m, (v + e) ** 2, 0),
        ),
        (
            "the kernel is scaled along the wrong axis: its last one is the filter.",
            lambda k, b, g, t, m, v, e: (
                k * (g / np.sqrt(v + e))[:, None],
                fold.reference(k, b, g, t, m, v, e)[1],
            ),
        ),
        (
            "the bias must be scaled too: it goes through the normalization.",
            lambda k, b, g, t, m, v, e: (
                k * g / np.sqrt(v + e),
                b + fold.reference(k, 0, g, t, m, v, e)[1],
            ),
        ),
    ),
)


CAP = 300_000  # multiply-adds an image
SEEDS = range(1, 7)


def build():
    """Make the image smaller first, and spend what that saves on filters."""
    import keras
    from keras import layers

    model = keras.Sequential([keras.Input((28, 28, 1)), layers.AveragePooling2D(2)])
    for filters in (20, 24):
        model.add(layers.Conv2D(filters, 3, padding="same", use_bias=False))
        model.add(layers.BatchNormalization(momentum=0.9))
        model.add(layers.ReLU())
        model.add(layers.MaxPooling2D(2))
    model.add(layers.Flatten())
    model.add(layers.Dense(10, activation="softmax"))
    return model


def _hidden_scores(model):
    """Train by Adam and 1cycle, with each seed anew; return the accuracies on hidden digits."""
    import keras

    from ..data import load
    from ..training import OneCycle, fit, restart

    with redirect_stdout(StringIO()):
        images, labels = load("digits", "bundled").train.take(2800, seed=2026)
    images, right = images.astype("float32") / 255, []
    model.compile(keras.optimizers.Adam(OneCycle(0.01, 100)), "sparse_categorical_crossentropy")
    for seed in SEEDS:
        restart(model, seed)
        fit(model, images[:800], labels[:800], epochs=4, seed=seed)
        said = np.argmax(model(images[800:], training=False), axis=1)
        right.append((said == labels[800:]).mean())
    return np.array(right)


@cache
def _baseline():
    from ..models import slides_network

    return _hidden_scores(slides_network(0.3))


class _Budget(Exercise):
    def verify(self, answer):
        """Count the multiply-adds, train with each seed, and compare on hidden digits, in pairs."""
        import keras

        from ..arithmetic import ledger
        from ..metrics import paired

        with time_limit(self.seconds):
            model = call(answer, name=self.answer)
            if not isinstance(model, keras.Model) or not model.built:
                raise Wrong("build must return a Keras model, with an Input at its beginning.")
            ends = model.input_shape, model.output_shape
            if ends != ((None, 28, 28, 1), (None, 10)):
                raise Wrong(f"from (None, 28, 28, 1) to (None, 10) is asked for: got {ends}.")
            spent = int(ledger(model).multiply_adds.sum())
            if spent > CAP:
                raise Wrong(f"{spent:,} multiply-adds are over {CAP:,}: see `cu.ledger(build())`.")
            outputs = np.asarray(model(np.random.default_rng(0).random((4, 28, 28, 1))))
            if outputs.min() < 0 or not np.allclose(outputs.sum(axis=1), 1, atol=1e-3):
                raise Wrong("the outputs must be probabilities: end in a softmax.")
            scores, baseline = _hidden_scores(model), _baseline()
        gain = paired(100 * scores, 100 * baseline)
        said = (
            f"{scores.mean():.1%} of the hidden digits, mean of {len(scores)} seeds, with "
            f"{spent:,} of {CAP:,} multiply-adds; the thin network of the slides has "
            f"{baseline.mean():.1%}. In pairs the gain is {gain:.1f} points"
        )
        if not gain.low > 0:
            raise Wrong(f"{said}. All of the interval must lie above zero.")
        return f"{said}. If you hand in many and keep the best, you have chosen on these digits."


budget = _Budget(
    name="budget",
    reference=build,
    hints=(
        "`cu.ledger(build())` says where the multiply-adds go: 26×26 positions are dear.",
        "Make the image smaller first: `AveragePooling2D(2)`, or a first convolution with strides "
        "2. What you save pays for more filters.",
        "Batch normalization costs next to nothing. The run is short: mind its momentum.",
    ),
    insight="better, under the budget.",
    seconds=120,
)
