"""Exercises of notebook 06: a real gain, an anomaly, a folded normalization, a budget."""

from functools import cache

import numpy as np

from .base import Exercise, Mistake, Wrong, as_array, call

NOTEBOOK = "06_improving_models"


class Real(Exercise):
    """Say from paired accuracies whether a change made a network better."""

    name = "real"
    answer = "judge"
    setup = "import numpy as np\nfrom course_utils.first_edition import metrics"
    hints = (
        "Entry k of both arrays comes from one seed. Which differences does that allow?",
        "`metrics.paired(after, before)` gives the mean difference with its 95 % interval: `.low` "
        "and `.high`.",
        "An interval above zero: better. Below zero: worse. Anything else: not clear.",
    )
    solution_code = """
def judge(before, after):
    gain = metrics.paired(after, before)
    if gain.low > 0:
        return "better"
    return "worse" if gain.high < 0 else "not clear"
"""
    typical_mistakes = (
        Mistake(
            """
def judge(before, after):
    return "better" if np.max(after) > np.max(before) else "worse"
""",
            "the best seed",
        ),
        Mistake(
            """
def judge(before, after):
    gain = np.mean(after) - np.mean(before)
    return "better" if gain > 0 else "worse"
""",
            "the mean alone",
        ),
        Mistake(
            """
def judge(before, after):
    gain = np.mean(after) - np.mean(before)
    noise = np.std(before, ddof=1) ** 2 / len(before) + np.std(after, ddof=1) ** 2 / len(after)
    if abs(gain) < 2 * np.sqrt(noise):
        return "not clear"
    return "better" if gain > 0 else "worse"
""",
            "as if they were not paired",
        ),
        Mistake(
            """
def judge(before, after):
    gain = np.asarray(after) - np.asarray(before)
    if abs(gain.mean()) < gain.std(ddof=1):
        return "not clear"
    return "better" if gain.mean() > 0 else "worse"
""",
            "the standard deviation of single differences",
        ),
        Mistake(
            """
def judge(before, after):
    gain = metrics.paired(after, before)
    return "better" if gain.excludes_zero else "not clear"
""",
            "below zero as well",
        ),
    )

    def verify(self, answer):
        """Draw differences of known mean and spread, and with them which intervals hold zero."""
        rng = np.random.default_rng()
        # Means of the differences in units of their interval's half width, and how many seeds.
        for share, n, seeds_differ, right, otherwise in (
            (1.6, 6, True, "better", "you treat the two arrays as if they were not paired"),
            (0.6, 5, False, "not clear", "you look at the mean alone, or at the best seed"),
            (1.4, 20, False, "better", "you compare with the standard deviation of single "
             "differences; the mean of n is known √n times better"),
            (-1.5, 8, False, "worse", "an interval can exclude zero by lying below zero as well"),
            (-0.5, 6, False, "not clear", "the interval reaches above zero"),
        ):  # fmt: skip
            before, after = _accuracies(rng, share, n, 0.03 if seeds_differ else 0.002)
            found = call(answer, before, after, name=self.answer)
            if found not in ("better", "worse", "not clear"):
                raise Wrong(
                    f'judge must return "better", "worse" or "not clear": got {str(found)[:40]!r}.'
                )
            if found != right:
                from ..metrics import paired

                gain = paired(after, before)
                raise Wrong(
                    f"with {n} seeds and a gain of {100 * gain.estimate:.2f} points, interval "
                    f"{100 * gain.low:.2f} to {100 * gain.high:.2f}, you say {found!r}; it is "
                    f"{right!r}. Perhaps {otherwise}."
                )
        return (
            "pairs, their mean difference, and its interval. *Not clear* is an answer: it says "
            "that these seeds do not settle it, not that there is no effect."
        )


def _accuracies(rng, share, n, seed_spread):
    """Return paired accuracies whose mean difference is `share` half widths of its interval."""
    from scipy import stats

    noise = rng.normal(size=n)
    noise = (noise - noise.mean()) / noise.std(ddof=1)
    spread = 0.004
    half = stats.t.ppf(0.975, n - 1) * spread / np.sqrt(n)
    before = 0.93 + seed_spread * rng.permutation(np.linspace(-1, 1, n))
    # The luckiest seed is the best one as well, so that whoever looks at it alone is misled.
    before[np.argmax(noise)] = before.max() + 0.003
    return before, before + share * half + spread * noise


class Anomaly(Exercise):
    """Predict Keras' moving averages after some steps, and with them an anomaly."""

    name = "anomaly"
    answer = "averages_after"
    hints = (
        "Keras starts the moving mean at 0 and the moving variance at 1.",
        "One step: new = momentum · old + (1 − momentum) · batch. What is left of the start after "
        "n steps?",
        "The start's share is momentum**steps; the batch's statistic has the rest.",
    )
    solution_code = """
def averages_after(mean, variance, momentum, steps):
    left = momentum**steps
    return (1 - left) * mean, left + (1 - left) * variance
"""
    typical_mistakes = (
        Mistake(
            """
def averages_after(mean, variance, momentum, steps):
    left = (1 - momentum) ** steps
    return (1 - left) * mean, left + (1 - left) * variance
""",
            "the other way round",
        ),
        Mistake(
            """
def averages_after(mean, variance, momentum, steps):
    left = momentum**steps
    return (1 - left) * mean, (1 - left) * variance
""",
            "starts at 1",
        ),
        Mistake(
            """
def averages_after(mean, variance, momentum, steps):
    left = max(0, 1 - steps * (1 - momentum))
    return (1 - left) * mean, left + (1 - left) * variance
""",
            "not always the same amount",
        ),
        Mistake(
            """
def averages_after(mean, variance, momentum, steps):
    left = momentum ** (steps - 1)
    return (1 - left) * mean, left + (1 - left) * variance
""",
            "one step too few",
        ),
        Mistake(
            "def averages_after(mean, variance, momentum, steps):\n    return mean, variance",
            "reached only after many steps",
        ),
    )

    def verify(self, answer):
        """Compare with step-by-step averages for random statistics."""
        rng = np.random.default_rng()
        for _ in range(5):
            mean, variance = float(rng.uniform(0.5, 3)), float(rng.uniform(2, 9))
            momentum, steps = float(rng.choice([0.8, 0.85, 0.9])), int(rng.integers(2, 5))
            now = np.array([0.0, 1.0])
            for _ in range(steps):
                now = momentum * now + (1 - momentum) * np.array([mean, variance])
            found = call(answer, mean, variance, momentum, steps, name=self.answer)
            found = as_array(found, name="the two averages", shape=(2,))
            if np.allclose(found, now):
                continue
            for left, start, said in (
                (momentum**steps, 0, "Keras' moving variance starts at 1, not at 0."),
                (1 - min(1, steps * (1 - momentum)), 1, "each step takes a share of what is left, "
                 "not always the same amount: momentum**steps."),
                ((1 - momentum) ** steps, 1, "the other way round: momentum is the share of the "
                 "old value that stays."),
                (momentum ** (steps - 1), 1, "one step too few: the first batch counts too."),
                (0.0, 1, "the batch's statistics are reached only after many steps; the start "
                 f"still has {momentum**steps:.0%} here."),
            ):  # fmt: skip
                if np.allclose(found, [(1 - left) * mean, left * start + (1 - left) * variance]):
                    raise Wrong(said)
            raise Wrong(
                f"with mean {mean:.2f}, variance {variance:.2f}, momentum {momentum} and {steps} "
                f"steps the averages are {now[0]:.3f} and {now[1]:.3f}: got {found[0]:.3f} and "
                f"{found[1]:.3f}."
            )
        return (
            f"with Keras' momentum of 0.99 the start still has {0.99**60:.0%} after 60 steps, and "
            f"with 0.9 {0.9**60:.1%}. Nothing is wrong with the weights: prediction divides by the "
            "wrong spread."
        )


class Fold(Exercise):
    """Fold a batch normalization into the convolution before it."""

    name = "fold"
    answer = "fold"
    hints = (
        "At prediction the normalization is a line: y = scale · x + shift, one scale and shift a "
        "channel.",
        "`scale = gamma / np.sqrt(variance + epsilon)`. The last axis of the kernel is the filter, "
        "so `kernel * scale` scales each filter.",
        "The bias goes through the line as well: `(bias - mean) * scale + beta`.",
    )
    solution_code = """
def fold(kernel, bias, gamma, beta, mean, variance, epsilon):
    scale = gamma / np.sqrt(variance + epsilon)
    return kernel * scale, (bias - mean) * scale + beta
"""
    typical_mistakes = (
        Mistake(
            """
def fold(kernel, bias, gamma, beta, mean, variance, epsilon):
    scale = gamma / np.sqrt(variance)
    return kernel * scale, (bias - mean) * scale + beta
""",
            "epsilon",
        ),
        Mistake(
            """
def fold(kernel, bias, gamma, beta, mean, variance, epsilon):
    scale = gamma / np.sqrt(variance + epsilon)
    return kernel * scale[:, None], (bias - mean) * scale + beta
""",
            "the wrong axis",
        ),
        Mistake(
            """
def fold(kernel, bias, gamma, beta, mean, variance, epsilon):
    scale = gamma / np.sqrt(variance + epsilon)
    return kernel * scale, beta - mean * scale
""",
            "the convolution's own bias",
        ),
        Mistake(
            """
def fold(kernel, bias, gamma, beta, mean, variance, epsilon):
    scale = gamma / np.sqrt(variance + epsilon)
    return kernel * scale, bias + beta - mean * scale
""",
            "the bias must be scaled",
        ),
        Mistake(
            """
def fold(kernel, bias, gamma, beta, mean, variance, epsilon):
    scale = gamma / (variance + epsilon)
    return kernel * scale, (bias - mean) * scale + beta
""",
            "square root",
        ),
    )

    def verify(self, answer):
        """Compare the folded convolution with convolution and normalization, on random images."""
        from ..numpy_ops import conv2d

        rng = np.random.default_rng()
        # As many channels as filters, so that the wrong axis goes through, and is seen.
        c = int(rng.integers(3, 6))
        kernel, images = rng.normal(size=(3, 3, c, c)), rng.normal(size=(2, 8, 8, c))
        bias, beta, mean = rng.normal(size=(3, c)) + np.sign(rng.normal(size=(3, c)))
        gamma, variance = rng.uniform(0.5, 2, size=(2, c))
        epsilon = float(rng.uniform(0.05, 0.1))
        given = (kernel, bias, gamma, beta, mean, variance, epsilon)
        found = call(answer, *given, name=self.answer)
        if not isinstance(found, (tuple, list)) or len(found) != 2:
            raise Wrong("fold must return two things: kernel, bias.")
        new_kernel = as_array(found[0], name="the kernel", shape=kernel.shape)
        new_bias = as_array(found[1], name="the bias", shape=bias.shape)
        raw = conv2d(images, kernel) + bias
        right = gamma * (raw - mean) / np.sqrt(variance + epsilon) + beta
        error = float(np.abs(conv2d(images, new_kernel) + new_bias - right).max())
        if error < 1e-5:
            return (
                f"the largest difference is {error:.0e}: at prediction a batch normalization "
                "behind a convolution costs nothing, and many tools for deployment fold it away."
            )
        scale = gamma / np.sqrt(variance + epsilon)
        if np.allclose(new_kernel, kernel * gamma / np.sqrt(variance)):
            raise Wrong("you forget epsilon: it stands under the root, beside the variance.")
        if np.allclose(new_kernel, kernel * gamma / (variance + epsilon)):
            raise Wrong("you divide by the variance; the square root of it is the spread.")
        if np.allclose(new_kernel, kernel * scale[:, None]):
            raise Wrong(
                "you scale along the wrong axis: the kernel is (rows, columns, channels, filters), "
                "and each filter has its scale."
            )
        if not np.allclose(new_kernel, kernel * scale):
            raise Wrong(
                "the kernel should be scaled by gamma / √(variance + epsilon), a filter each."
            )
        if np.allclose(new_bias, beta - mean * scale):
            raise Wrong(
                "you leave out the convolution's own bias: it is there before the mean goes."
            )
        if np.allclose(new_bias, bias + beta - mean * scale):
            raise Wrong("the bias must be scaled too: it goes through the normalization.")
        raise Wrong(
            f"the kernel is right, the bias is not: the outputs differ by up to {error:.3f}."
        )


class Budget(Exercise):
    """Beat a thin network of the slides' kind under a cap of multiply-adds."""

    name = "budget"
    answer = "build"
    cap = 300_000
    setup = "import numpy as np\nimport keras"
    hints = (
        "`cu.ledger(build())` says where the multiply-adds go. A convolution on 26×26 positions is "
        "dear; the same one on 14×14 costs a quarter.",
        "Make the image smaller first: `AveragePooling2D(2)`, or a first convolution with strides "
        "2. What you save pays for more filters.",
        "Batch normalization costs next to nothing, and the schedule's high rates suit it. The "
        "run is short: mind the momentum.",
    )
    solution_code = """
from keras import layers


def block(filters):
    return [
        layers.Conv2D(filters, 3, padding="same", use_bias=False),
        layers.BatchNormalization(momentum=0.9),
        layers.ReLU(),
    ]


def build():
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.AveragePooling2D(2),
            *block(20),
            layers.MaxPooling2D(2),
            *block(24),
            layers.Flatten(),
            layers.Dense(10, activation="softmax"),
        ]
    )
"""
    typical_mistakes = (
        Mistake(
            """
from course_utils.first_edition import models
build = models.slides_network
""",
            "over the cap",
        ),
        Mistake(
            """
def build():
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
""",
            "must lie above zero",
        ),
        Mistake(
            """
def build():
    head = [keras.layers.Flatten(), keras.layers.Dense(10)]
    return keras.Sequential([keras.Input((28, 28, 1)), *head])
""",
            "probabilities",
        ),
        Mistake(
            """
def build():
    return keras.Sequential(
        [keras.Input((28, 28, 1)), keras.layers.Dense(10, activation="softmax")]
    )
""",
            "(None, 10)",
        ),
    )

    def verify(self, answer):
        """Count the multiply-adds, train with each seed, and compare on hidden digits, in pairs."""
        from ..intervals import paired

        spent = self._cost(answer)
        if spent > self.cap:
            raise Wrong(
                f"{spent:,} multiply-adds are over the cap of {self.cap:,}: look at the largest "
                "row of cu.ledger(build())."
            )
        scores, baseline = _hidden_scores(answer), _baseline_scores()
        gain = paired(scores, baseline)
        points = [100 * value for value in (gain.estimate, gain.low, gain.high)]
        said = (
            f"{scores.mean():.1%} of the hidden digits, mean of {len(_SEEDS)} seeds, with "
            f"{spent:,} of {self.cap:,} multiply-adds; the thin network of the slides has "
            f"{baseline.mean():.1%}. In pairs the gain is {points[0]:z.1f} points, 95 % interval "
            f"{points[1]:z.1f} to {points[2]:z.1f}"
        )
        if not gain.low > 0:
            raise Wrong(f"{said}. All of the interval must lie above zero.")
        return (
            f"{said}. If you hand in many networks and keep the best, this score is no honest "
            "estimate any more: you will have chosen on it."
        )

    def _cost(self, answer):
        import keras

        from ..arithmetic import ledger

        network = call(answer, name=self.answer)
        if not isinstance(network, keras.Model):
            raise Wrong(f"build must return a Keras model: got {type(network).__name__}.")
        if network.input_shape != (None, 28, 28, 1) or network.output_shape != (None, 10):
            raise Wrong(
                "the network must go from (None, 28, 28, 1) to (None, 10): yours goes from "
                f"{network.input_shape} to {network.output_shape}."
            )
        table = ledger(network)
        images = np.random.default_rng().random((4, 28, 28, 1)).astype("float32")
        outputs = network(images).numpy()
        if outputs.min() < 0 or not np.allclose(outputs.sum(axis=1), 1, atol=1e-3):
            raise Wrong("the outputs must be probabilities: end in a softmax.")
        return int(table["multiply_adds"].sum())


_SEEDS = (1, 2, 3, 4, 5, 6)


@cache
def _digits():
    """Return (images, labels) to train on, and others that stay hidden, of the training digits."""
    from ..data import load

    train = load("digits").train
    order = np.random.default_rng(2026).permutation(len(train))
    return tuple(
        ((train.images[rows] / 255).astype("float32"), train.labels[rows])
        for rows in (order[:800], order[800:2800])
    )


@cache
def _baseline_scores():
    from functools import partial

    from ..models import slides_network

    return _hidden_scores(partial(slides_network, 0.3))


def _hidden_scores(build):
    """Train with Adam and 1cycle, with each seed anew; return the accuracies on the hidden digits.

    A seed gives the first weights and the order of the digits, so that two networks are paired.
    """
    import keras

    from ..renewal import reseed
    from ..schedules import one_cycle, train

    (images, labels), (hidden, true) = _digits()
    network = build()
    network.compile(keras.optimizers.Adam(), "sparse_categorical_crossentropy")
    right = []
    for seed in _SEEDS:
        reseed(network, seed)
        rng = np.random.default_rng(seed)
        order = np.concatenate([rng.permutation(len(images)) for _ in range(4)])
        train(network, images[order], labels[order], one_cycle(len(order) // 32, 0.01), 32)
        found = network(hidden, training=False).numpy().argmax(axis=1)
        right.append(np.mean(found == true))
    return np.array(right)


real = Real()
anomaly = Anomaly()
fold = Fold()
budget = Budget()
