"""Exercises of notebook 04: a gradient, zeros, a hidden penalty, dropout, augmentation."""

import numpy as np

from .base import Exercise, Wrong, call, close, numbers

NOTEBOOK = "04_regularization"


def l2_gradient(weights, strength):
    """Differentiate λΣw²: each weight stands in one term only."""
    return 2 * strength * weights


def _weight_cases(rng):
    for shape in [(4,), (3, 5), (2, 3, 4), (3, 3, 2, 4), (6,)]:
        yield rng.normal(size=shape), float(rng.uniform(0.05, 0.4))


gradient = Exercise(
    name="gradient",
    reference=l2_gradient,
    hints=(
        "The penalty is a sum over all weights, and each weight stands in one term only.",
        "The result has the shape of the weights: one derivative a weight.",
        "The derivative of λw² is 2λw. There is no ½ in Keras' penalty that would cancel the 2.",
    ),
    insight="the pull fades as a weight gets small: L2 leaves hardly any at exactly 0.",
    cases=_weight_cases,
    mistakes=(
        ("the factor 2 is missing: the derivative of λw² is 2λw.", lambda w, s: s * w),
        ("that is the penalty itself, not its gradient.", lambda w, s: s * np.sum(w**2)),
        ("λ·sign(w) is the gradient of an L1 penalty.", lambda w, s: s * np.sign(w)),
    ),
)


def lasso(inputs, targets, strength, rate, steps):
    """Take gradient steps for the squared error, and the soft threshold after each."""
    weights = np.zeros(inputs.shape[1])
    for _ in range(steps):
        error = inputs @ weights - targets
        weights = weights - rate * 2 * inputs.T @ error / len(targets)
        weights = np.sign(weights) * np.maximum(np.abs(weights) - rate * strength, 0)
    return weights


def _lasso_cases(rng):
    # A few steps tell how each is done, many where they end; half of the true weights are 0.
    for steps in (1, 2, 3, 40, 400):
        inputs = rng.normal(size=(30, 8))
        true = rng.permutation([2.0, -1.5, 1.0, -0.8, 0, 0, 0, 0])
        targets = inputs @ true + 0.1 * rng.normal(size=30)
        yield inputs, targets, 0.4, 0.1, steps


def _descended(move):
    """Return a wrong answer: ``move(weights, gradient step, its size, strength)`` in each step."""

    def answer(inputs, targets, strength, rate, steps):
        weights = np.zeros(inputs.shape[1])
        for _ in range(steps):
            error = inputs @ weights - targets
            stepped = weights - rate * 2 * inputs.T @ error / len(targets)
            weights = move(weights, stepped, rate, strength)
        return weights

    return answer


proximal = Exercise(
    name="proximal",
    reference=lasso,
    hints=(
        "First `weights - rate * gradient`: the gradient is 2·inputsᵀ·error / examples.",
        "Then move each weight towards 0 by `rate * strength`; what would pass 0 is exactly 0.",
        "`np.sign(w) * np.maximum(np.abs(w) - rate * strength, 0)` is the soft threshold.",
    ),
    insight="useless weights are exactly 0, and the others a little too small: λ pulls at all.",
    cases=_lasso_cases,
    mistakes=(
        (
            "a gradient step on the penalty steps over zero and back; the threshold stops there.",
            _descended(lambda w, v, r, s: v - r * s * np.sign(w)),
        ),
        (
            "the threshold is rate * strength, as a gradient step is rate times the gradient.",
            _descended(lambda w, v, r, s: np.sign(v) * np.maximum(np.abs(v) - s, 0)),
        ),
        ("shrink large ones too.", _descended(lambda w, v, r, s: np.where(abs(v) > r * s, v, 0))),
    ),
)


def hidden_penalty(model, images, labels):
    """Take the cross-entropy of the predictions from the loss that is reported."""
    import keras

    reported = model.evaluate(images, labels, verbose=0)
    entropies = keras.losses.sparse_categorical_crossentropy(labels, model(images))
    return reported - entropies.numpy().mean()


def _penalized_cases(rng):
    """Yield a network with penalties on kernels and biases, dropout, and a layer that is frozen."""
    import keras
    from keras import layers
    from keras.regularizers import L1, L2

    hidden = layers.Dense(5, "relu", kernel_regularizer=L2(0.3))
    output = layers.Dense(3, "softmax", kernel_regularizer=L1(0.05), bias_regularizer=L2(0.2))
    frozen = layers.Dense(5, kernel_regularizer=L2(0.1), trainable=False)  # no penalty
    model = keras.Sequential([keras.Input((6,)), hidden, layers.Dropout(0.5), frozen, output])
    model.set_weights([rng.normal(0, 0.4, part.shape) for part in model.get_weights()])
    model.compile("sgd", "sparse_categorical_crossentropy", run_eagerly=True)  # no graph
    yield model, np.float32(rng.normal(0, 3, (40, 6))), rng.integers(0, 3, 40)  # dropout shows


penalty = Exercise(
    name="penalty",
    reference=hidden_penalty,
    hints=(
        "The reported loss is cross-entropy plus penalty, once each: take the difference.",
        "`model(images)` gives the probabilities.",
        "`keras.losses.sparse_categorical_crossentropy(labels, probabilities)` has one number an "
        "example; take the mean.",
    ),
    insight="reported losses of different λ cannot be compared: they hold different penalties.",
    cases=_penalized_cases,
    mistakes=(
        (
            "the cross-entropy is still in it.",
            lambda model, *data: model.evaluate(*data, verbose=0),
        ),
        (
            "that is the cross-entropy, what is left without the penalty.",
            lambda model, *data: model.evaluate(*data, verbose=0) - float(sum(model.losses)),
        ),
    ),
    seconds=30,
)


def inverted_dropout(activations, rate, training, rng):
    """Drop a share of the entries, and divide what stays by the share that stays."""
    if not training:
        return activations
    kept = rng.random(activations.shape) >= rate
    return activations * kept / (1 - rate)


class _Dropout(Exercise):
    """What is drawn at random is judged by shares, factors and repetition."""

    def verify(self, answer):
        """Look at so many entries that a wrong share is many standard errors off."""
        rng = np.random.default_rng()
        calm = self._factors(answer, (120, 60), 0.7, False, rng)
        if np.allclose(calm, 0.3):
            raise Wrong("you scale at prediction, by 1 - rate: divide by it in training instead.")
        if not close(calm, np.ones_like(calm)).all():
            raise Wrong("with training=False nothing may change: prediction uses every unit.")
        as_many = []
        for shape, rate in [((300, 100), 0.25), ((40, 6, 6, 20), 0.7), ((300, 100), 0.0)]:
            seed = int(rng.integers(2**31))
            first, again, other = (
                self._factors(answer, shape, rate, True, np.random.default_rng(s))
                for s in (seed, seed, seed + 1)
            )
            self._one_draw(first, rate)
            if not np.array_equal(first == 0, again == 0):
                raise Wrong("draw from the `rng` that is given: the same seed must drop the same.")
            if rate and np.array_equal(first == 0, other == 0):
                raise Wrong("every call drops the same units: draw a new mask from `rng`.")
            as_many.append((first == 0).sum() == (other == 0).sum())
        if all(as_many):
            raise Wrong("the same number is dropped each time: drop each entry, or not, by itself.")

    def _factors(self, answer, shape, rate, training, rng):
        """Return by what each entry of some activations is multiplied."""
        signs = np.random.default_rng(0).choice([-1, 1], shape)
        activations = signs * np.linspace(0.5, 2, signs.size).reshape(shape)
        result = call(answer, activations.copy(), rate, training, rng, name=self.answer)
        result = numbers(result, name="the result")
        if result.shape != shape:
            raise Wrong(f"the shape should stay {shape}: got {result.shape}.")
        return result / activations

    def _one_draw(self, factors, rate):
        dropped = factors == 0
        share, kept, right = dropped.mean(), factors[~dropped], 1 / (1 - rate)
        # Means over n independent entries differ by √(rate (1 − rate) / n); shared masks by more.
        for axes in (tuple(range(1, dropped.ndim)), tuple(range(dropped.ndim - 1))):
            means = dropped.mean(axes)
            if means.std() > 3 * np.sqrt(rate * (1 - rate) * means.size / dropped.size):
                raise Wrong("entries are dropped together: draw a number of its own for each.")
        if abs(share - rate) > 0.03:
            turned = "rate is the share that is dropped: " if abs(share + rate - 1) < 0.03 else ""
            raise Wrong(f"{turned}with rate {rate}, {share:.0%} are zeros.")
        if not close(kept, np.full(kept.shape, right)).all():
            got = kept[np.abs(kept - right).argmax()]
            raise Wrong(f"with rate {rate}, multiply what stays by {right:.4g}: got {got:.4g}.")


dropout = _Dropout(
    name="dropout",
    reference=inverted_dropout,
    hints=(
        "`rng.random(activations.shape)` has a number for each entry: drop those below `rate`.",
        "Divide what stays by `1 - rate`, so that the mean stays the same.",
        "With `training=False`, return the activations as they are.",
    ),
    insight="because training rescales, prediction needs no dropout code at all.",
)


def build_augmentation():
    """Mirror half of the images, and move each by up to a tenth: labels stay true."""
    import keras

    return keras.Sequential(
        [
            keras.layers.RandomFlip("horizontal"),
            keras.layers.RandomTranslation(0.1, 0.1, fill_mode="nearest"),
        ]
    )


class _Augment(Exercise):
    """Layers are judged by what they do to images in which each pixel holds its own place."""

    SIZE = 30

    def verify(self, answer):
        """Read from ramps how each image was mirrored, moved, turned or zoomed."""
        import keras

        layers = call(answer, name=self.answer)
        if not isinstance(layers, keras.layers.Layer):
            raise Wrong(f"return one Keras model: got a {type(layers).__name__}.")
        down, across = np.mgrid[: self.SIZE, : self.SIZE].astype("float32")
        images = np.stack([np.stack([down, across, np.full_like(down, 7)], axis=-1)] * 400)
        calm, found = (np.asarray(layers(images, training=on)) for on in (False, True))
        if found.shape != images.shape:
            raise Wrong(f"images of {images.shape} came out as {found.shape}: keep their shape.")
        if not np.allclose(calm, images, atol=1e-3):
            raise Wrong("with training=False images must stay as they are; Random… layers do so.")
        self._read(found[:, 10:20, 10:20])  # inside the image, however far it was moved

    def _read(self, middle):
        rows, columns, colour = np.moveaxis(middle, -1, 0)
        slopes = np.diff(rows, axis=1).mean((1, 2)), np.diff(columns, axis=2).mean((1, 2))
        level = np.diff(rows, axis=2), np.diff(columns, axis=1), colour - 7
        if max(np.abs(each).max() for each in level) > 0.02 or not np.allclose(
            np.abs(slopes), 1, atol=0.01
        ):
            raise Wrong("some images are turned, zoomed or recoloured: only mirror and move.")
        if (slopes[0] < 0).any():
            raise Wrong("some images stand upside down: mirror left and right only.")
        mirrored = (slopes[1] < 0).mean()
        if not 0.35 < mirrored < 0.65:
            raise Wrong(f"{mirrored:.0%} of 400 images are mirrored: half of them should be.")
        for way, places in (("up and down", rows), ("left and right", columns)):
            shift = places.mean((1, 2)) - (self.SIZE - 1) / 2
            least, most = shift.min() / self.SIZE, shift.max() / self.SIZE
            if least == most != 0:
                raise Wrong(f"images are moved {way} together: each needs a draw of its own.")
            if not (0.09 < -least < 0.105 and 0.09 < most < 0.105):
                raise Wrong(f"moved {way} by {least:.1%} to {most:.1%}: −10 % to 10 % is wanted.")


augment = _Augment(
    name="augment",
    reference=build_augmentation,
    hints=(
        "A model of layers in a row: `keras.Sequential([…])`. It needs no `Input`.",
        "Their names begin with `Random`: one flips, one translates. Read their defaults.",
        '`keras.layers.RandomFlip("horizontal")` and `keras.layers.RandomTranslation(0.1, 0.1)`.',
    ),
    insight="a mirrored cat is a cat, a mirrored digit hardly ever one: it depends on the data.",
)
