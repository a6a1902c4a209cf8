"""Exercises of notebook 04: a gradient, zeros, a hidden penalty, dropout, augmentation."""

from functools import cache

import numpy as np

from .base import Exercise, Mistake, Wrong, as_array, as_number, call, changed

NOTEBOOK = "04_regularization"


class Gradient(Exercise):
    """The gradient of an L2 penalty as Keras writes it."""

    name = "gradient"
    answer = "l2_gradient"
    hints = (
        "The penalty is a sum over all weights, and each weight stands in one term only.",
        "The derivative of λw² is 2λw. There is no ½ in Keras' penalty that would cancel the 2.",
    )
    solution_code = """
def l2_gradient(weights, strength):
    return 2 * strength * weights
"""
    typical_mistakes = (
        Mistake(
            "def l2_gradient(weights, strength):\n    return strength * weights",
            "the factor 2 is missing",
        ),
        Mistake(
            "def l2_gradient(weights, strength):\n    return strength * np.sum(weights**2)",
            "that is the penalty itself",
        ),
        Mistake(
            "def l2_gradient(weights, strength):\n    return 2 * strength * weights / weights.size",
            "divided by the number of weights",
        ),
        Mistake(
            "def l2_gradient(weights, strength):\n    return strength * np.sign(weights)",
            "the gradient of an L1 penalty",
        ),
    )

    def verify(self, answer):
        """Compare with 2λw on weights of random shapes."""
        rng = np.random.default_rng()
        for _ in range(4):
            shape = tuple(rng.integers(3, 6, size=rng.integers(1, 4)))
            weights, strength = rng.normal(size=shape), float(rng.uniform(0.05, 0.4))
            result = call(answer, weights, strength, name=self.answer)
            if np.shape(result) == () and np.isclose(
                as_number(result, name="the result"), strength * np.sum(weights**2)
            ):
                raise Wrong(
                    "that is the penalty itself, one number; its gradient has one number a weight."
                )
            result = as_array(result, name="the gradient", shape=shape)
            right = 2 * strength * weights
            if np.allclose(result, right):
                continue
            if np.allclose(result, right / 2):
                raise Wrong("the factor 2 is missing: the derivative of λw² is 2λw.")
            if np.allclose(result, right / weights.size):
                raise Wrong("you divided by the number of weights; the penalty is a sum, no mean.")
            if np.allclose(result, strength * np.sign(weights)):
                raise Wrong("λ·sign(w) is the gradient of an L1 penalty; this one is L2.")
            raise Wrong(
                f"for w = {weights.flat[0]:.3f} and λ = {strength:.3f} the gradient should be "
                f"{right.flat[0]:.3f}: got {result.flat[0]:.3f}."
            )
        return "2λw is proportional to the weight: the pull fades as the weight gets small."


class Proximal(Exercise):
    """L1 regression by proximal gradient steps, with weights that are exactly zero."""

    name = "proximal"
    answer = "lasso"
    hints = (
        "Two moves a step. First a gradient step for the squared error alone: "
        "`weights - rate * gradient`.",
        "Then the soft threshold: move each weight towards 0 by `rate * strength`, and leave it "
        "at exactly 0 if it would pass it.",
        "`np.sign(w) * np.maximum(np.abs(w) - rate * strength, 0)` is the soft threshold.",
    )
    solution_code = """
def lasso(inputs, targets, strength, rate, steps):
    weights = np.zeros(inputs.shape[1])
    for _ in range(steps):
        error = inputs @ weights - targets
        weights = weights - rate * 2 * inputs.T @ error / len(targets)
        weights = np.sign(weights) * np.maximum(np.abs(weights) - rate * strength, 0)
    return weights
"""
    typical_mistakes = (
        Mistake(
            """
def lasso(inputs, targets, strength, rate, steps):
    weights = np.zeros(inputs.shape[1])
    for _ in range(steps):
        error = inputs @ weights - targets
        gradient = 2 * inputs.T @ error / len(targets) + strength * np.sign(weights)
        weights = weights - rate * gradient
    return weights
""",
            "steps over zero",
        ),
        changed(
            solution_code,
            "the threshold is rate * strength",
            (
                "weights = np.sign(weights) * np.maximum(np.abs(weights) - rate * strength, 0)",
                "weights = np.sign(weights) * np.maximum(np.abs(weights) - strength, 0)",
            ),
        ),
        Mistake(
            """
def lasso(inputs, targets, strength, rate, steps):
    weights = np.zeros(inputs.shape[1])
    for _ in range(steps):
        error = inputs @ weights - targets
        weights = weights - rate * 2 * inputs.T @ error / len(targets)
    return np.where(np.abs(weights) > strength, weights, 0)
""",
            "large weights must shrink as well",
        ),
        changed(
            solution_code,
            "the step for L2",
            (
                "weights = np.sign(weights) * np.maximum(np.abs(weights) - rate * strength, 0)",
                "weights = weights / (1 + 2 * rate * strength)",
            ),
        ),
    )

    def verify(self, answer):
        """Count exact zeros on a fresh sparse problem, and compare with the minimum."""
        from ..regularization import proximal, sparse_problem

        seed = int(np.random.default_rng().integers(2**31))
        inputs, targets, true = sparse_problem(seed)
        hessian = 2 * inputs.T @ inputs / len(targets)
        pull = 2 * inputs.T @ targets / len(targets)
        rate, strength = 0.5 / np.linalg.eigvalsh(hessian)[-1], 0.4

        def minimum(threshold):
            weights = np.zeros(len(true))
            for _ in range(600):
                weights = proximal(weights - rate * (hessian @ weights - pull), "L1", threshold)
            return weights

        result = call(answer, inputs, targets, strength, rate, 600, name=self.answer)
        result = as_array(result, name="the weights", shape=true.shape)
        right = minimum(rate * strength)
        zeros = int(np.sum(result[true == 0] == 0))
        if np.allclose(result, right, atol=1e-6):
            return (
                f"{zeros} of {np.sum(true == 0)} useless weights are exactly 0, and the "
                f"{np.sum(true != 0)} others are found, a little too small: λ pulls at them too."
            )
        if np.allclose(result, minimum(strength), atol=1e-6):
            raise Wrong(
                "the threshold is rate * strength, as a gradient step is rate times the gradient; "
                "with strength alone every step takes too much."
            )
        if np.allclose(
            result, np.linalg.solve(hessian + 2 * strength * np.eye(50), pull), atol=1e-3
        ):
            raise Wrong("that is the step for L2: it divides, and so never reaches 0.")
        if zeros < 40:
            raise Wrong(
                f"{zeros} of the {np.sum(true == 0)} useless weights are exactly 0, at least 40 "
                "should be. A gradient step steps over zero and back; the soft threshold stops "
                "there."
            )
        if np.allclose(result[true != 0], np.linalg.solve(hessian, pull)[true != 0], atol=0.05):
            raise Wrong(
                "large weights must shrink as well: threshold after every step, by subtracting."
            )
        worst = int(np.abs(result - right).argmax())
        raise Wrong(f"weight {worst} should be {right[worst]:.3f}: got {result[worst]:.3f}.")


class Penalty(Exercise):
    """Find the penalty that a reported loss contains."""

    name = "penalty"
    answer = "hidden_penalty"
    setup = "import numpy as np\nfrom course_utils.first_edition import metrics"
    hints = (
        "`model.evaluate(images, labels, verbose=0)` gives the reported loss: cross-entropy plus "
        "penalty, once each.",
        "`metrics.cross_entropy(model.predict(images, verbose=0), labels)` is the cross-entropy.",
        "The penalty is the difference of the two.",
    )
    solution_code = """
def hidden_penalty(model, images, labels):
    reported = model.evaluate(images, labels, verbose=0)
    return reported - metrics.cross_entropy(model.predict(images, verbose=0), labels)
"""
    typical_mistakes = (
        Mistake(
            """
def hidden_penalty(model, images, labels):
    reported = model.evaluate(images, labels, verbose=0) + float(sum(model.losses))
    return reported - metrics.cross_entropy(model.predict(images, verbose=0), labels)
""",
            "counted twice",
        ),
        Mistake(
            """
def hidden_penalty(model, images, labels):
    return model.evaluate(images, labels, verbose=0)
""",
            "the cross-entropy is still in it",
        ),
        Mistake(
            """
def hidden_penalty(model, images, labels):
    return metrics.cross_entropy(model.predict(images, verbose=0), labels)
""",
            "that is the cross-entropy",
        ),
        Mistake(
            """
def hidden_penalty(model, images, labels):
    reported = model.evaluate(images, labels, verbose=0)
    return metrics.cross_entropy(model.predict(images, verbose=0), labels) - reported
""",
            "sign is turned",
        ),
    )

    def verify(self, answer):
        """Compare with λΣw² on a small network with fresh weights and data."""
        from ..metrics import cross_entropy

        rng = np.random.default_rng()
        model = _penalised_network()
        right = pure = 1.0
        # Where the two are nearly equal, or one is twice the other, mistakes look alike.
        while np.isclose(pure, [right, 2 * right], rtol=0.05).any():
            model.set_weights([0.4 * rng.normal(size=part.shape) for part in model.get_weights()])
            images = rng.normal(size=(32, 6)).astype("float32")
            labels = rng.integers(0, 3, 32)
            right = float(sum(model.losses))
            pure = cross_entropy(model(images).numpy(), labels)
        value = call(answer, model, images, labels, name=self.answer)
        value = as_number(value, name="the penalty")
        if np.isclose(value, right, rtol=1e-3):
            return (
                f"of a reported loss of {pure + right:.2f}, {right:.2f} is penalty: validation "
                "losses of different λ cannot be compared."
            )
        if np.isclose(value, 2 * right, rtol=1e-3):
            raise Wrong("the penalty is counted twice: evaluate() has added it already.")
        if np.isclose(value, pure + right, rtol=1e-3):
            raise Wrong("that is the reported loss; the cross-entropy is still in it.")
        if np.isclose(value, pure, rtol=1e-3):
            raise Wrong("that is the cross-entropy, what is left without the penalty.")
        if np.isclose(value, -right, rtol=1e-3):
            raise Wrong("the sign is turned: reported loss minus cross-entropy.")
        raise Wrong(f"the reported loss contains a penalty of {right:.4f}: got {value:.4f}.")


@cache
def _penalised_network():
    """Two dense layers, one with L2; compiled once, since that takes longer than its use."""
    from keras import Input, Sequential, layers, regularizers

    model = Sequential(
        [
            Input((6,)),
            layers.Dense(5, activation="relu", kernel_regularizer=regularizers.L2(0.3)),
            layers.Dense(3, activation="softmax"),
        ]
    )
    model.compile("sgd", "sparse_categorical_crossentropy")
    return model


class Dropout(Exercise):
    """Inverted dropout, in NumPy."""

    name = "dropout"
    answer = "dropout"
    hints = (
        "Draw one random number for each entry of `activations`: "
        "`rng.random(activations.shape)`. Where it is below `rate`, the entry is dropped.",
        "Divide what stays by `1 - rate`, so that the mean stays the same.",
        "With `training=False`, return the activations as they are.",
    )
    solution_code = """
def dropout(activations, rate, training, rng):
    if not training:
        return activations
    kept = rng.random(activations.shape) >= rate
    return activations * kept / (1 - rate)
"""
    typical_mistakes = (
        Mistake(
            """
def dropout(activations, rate, training, rng):
    if not training:
        return activations
    return activations * (rng.random(activations.shape) >= rate)
""",
            "without rescaling",
        ),
        changed(
            solution_code,
            "one mask for the whole batch",
            (
                "kept = rng.random(activations.shape) >= rate",
                "kept = rng.random(activations.shape[1]) >= rate",
            ),
        ),
        Mistake(
            """
def dropout(activations, rate, training, rng):
    kept = rng.random(activations.shape) >= rate
    return activations * kept / (1 - rate)
""",
            "with training=False",
        ),
        Mistake(
            """
def dropout(activations, rate, training, rng):
    if not training:
        return activations
    kept = rng.random(activations.shape) < rate
    return activations * kept / rate
""",
            "rate is the share that is dropped",
        ),
        Mistake(
            """
def dropout(activations, rate, training, rng):
    if not training:
        return activations * (1 - rate)
    return activations * (rng.random(activations.shape) >= rate)
""",
            "at prediction, by 1 - rate",
        ),
    )

    def verify(self, answer):
        """Look at shares, factors, rows and repetitions on random activations."""
        rng = np.random.default_rng()
        rate = float(rng.choice([0.15, 0.2, 0.25, 0.7, 0.75, 0.8]))
        activations = rng.uniform(0.5, 2.0, size=(120, 60))
        call_it = self._caller(answer)
        calm = call_it(activations, rate, False, rng)
        if not np.allclose(calm, activations):
            if np.allclose(calm, activations * (1 - rate)):
                raise Wrong(
                    "you scale at prediction, by 1 - rate: the old form. Here, divide by 1 - rate "
                    "in training, and leave the prediction alone."
                )
            raise Wrong("with training=False nothing may change: prediction uses every unit.")
        result = call_it(activations, rate, True, rng)
        factors = result / activations
        dropped = factors == 0
        kept = factors[~dropped]
        share = dropped.mean()
        if (dropped == dropped[0]).all() and 0 < share < 1:
            raise Wrong(
                "you use one mask for the whole batch: every example drops the same units. Draw a "
                "number for each entry."
            )
        if abs(share - rate) > 0.08:
            if abs(share - (1 - rate)) < 0.08:
                raise Wrong(
                    f"rate is the share that is dropped: with rate {rate} you dropped {share:.0%}."
                )
            raise Wrong(f"with rate {rate} about {rate:.0%} should be 0: got {share:.0%}.")
        if np.allclose(kept, 1):
            raise Wrong(
                f"what stays went through without rescaling: the mean fell by {rate:.0%}. Divide "
                "by 1 - rate."
            )
        if not np.allclose(kept, 1 / (1 - rate)):
            raise Wrong(
                f"what stays should be divided by 1 - rate, times {1 / (1 - rate):.3f}: got "
                f"factors from {kept.min():.3f} to {kept.max():.3f}."
            )
        if np.array_equal(dropped, call_it(activations, rate, True, rng) == 0):
            raise Wrong("a second call drops the same units: draw from rng anew in each call.")
        return (
            f"{share:.0%} dropped, each example by a mask of its own, and the mean kept: "
            f"{result.mean():.3f} after {activations.mean():.3f}."
        )

    def _caller(self, answer):
        def call_it(activations, rate, training, rng):
            result = call(answer, activations, rate, training, rng, name=self.answer)
            return as_array(result, name="the result", shape=activations.shape)

        return call_it


class Augment(Exercise):
    """Mirror images at random, so that each label still fits its image."""

    name = "augment"
    answer = "augment"
    hints = (
        "Toss one coin for each image: `rng.random(len(images)) < 0.5`.",
        "`images[:, :, ::-1]` mirrors left and right: the axes are image, row, column, channel.",
        "`np.where(coins[:, None, None, None], mirrored, images)` picks for each image. Neither "
        "the order nor the labels change.",
    )
    solution_code = """
def augment(images, labels, rng):
    coins = rng.random(len(images)) < 0.5
    return np.where(coins[:, None, None, None], images[:, :, ::-1], images), labels
"""
    typical_mistakes = (
        Mistake(
            """
def augment(images, labels, rng):
    coins = rng.random(len(images)) < 0.5
    return np.where(coins[:, None, None, None], images[:, ::-1], images), labels
""",
            "upside down",
        ),
        Mistake(
            """
def augment(images, labels, rng):
    return (images[:, :, ::-1] if rng.random() < 0.5 else images), labels
""",
            "one coin for the whole batch",
        ),
        Mistake(
            """
def augment(images, labels, rng):
    coins = rng.random(len(images)) < 0.5
    images = np.where(coins[:, None, None, None], images[:, :, ::-1], images)
    return rng.permutation(images), labels
""",
            "no longer stands at its label",
        ),
        Mistake(
            """
def augment(images, labels, rng):
    coins = rng.random(len(images)) < 0.5
    images = np.where(coins[:, None, None, None], images[:, :, ::-1], images)
    return images, np.where(coins, 1 - labels, labels)
""",
            "the labels must stay",
        ),
        Mistake(
            """
def augment(images, labels, rng):
    coins = rng.random(len(images)) < 0.5
    return np.where(coins[:, None, None, None], images[..., ::-1], images), labels
""",
            "swapped the colour channels",
        ),
    )

    def verify(self, answer):
        """Recognise each returned image among the mirrorings of what was given."""
        rng = np.random.default_rng()
        side = int(rng.integers(8, 13))
        images = rng.integers(0, 256, size=(64, side, side, 3), dtype=np.uint8)
        labels = rng.integers(0, 2, 64)
        result = call(answer, images, labels, rng, name=self.answer)
        if not isinstance(result, (tuple, list)) or len(result) != 2:
            raise Wrong("augment must return two things: images, labels.")
        found = as_array(result[0], name="the images", shape=images.shape)
        mirrored = self._same(found, images[:, :, ::-1])
        self._recognise(found, images, mirrored)
        if not np.array_equal(as_array(result[1], name="the labels", shape=(64,)), labels):
            raise Wrong("a mirrored cat is a cat: the labels must stay as they are.")
        if mirrored.all() or not mirrored.any():
            again = [
                call(answer, images, labels, np.random.default_rng(k), name=self.answer)[0]
                for k in range(12)
            ]
            if len({np.asarray(images).tobytes() for images in again}) == 1:
                raise Wrong("always the same: about half of the images should be mirrored.")
            raise Wrong("you toss one coin for the whole batch: toss one for each image.")
        share = mirrored.mean()
        if not 0.2 < share < 0.8:
            raise Wrong(f"about half of the images should be mirrored: got {share:.0%}.")
        return (
            f"{share:.0%} of the images are mirrored, and each label still fits. Whether a change "
            "keeps the label depends on the data: try it in mind on the digits 2 and 8."
        )

    @staticmethod
    def _same(found, images):
        return (found == images).all(axis=(1, 2, 3))

    def _recognise(self, found, images, mirrored):
        strange = ~(mirrored | self._same(found, images))
        if not strange.any():
            return
        if self._same(found, images[:, ::-1])[strange].any():
            raise Wrong("some images stand upside down: axis 1 is the row, axis 2 the column.")
        if self._same(found, images[..., ::-1])[strange].any():
            raise Wrong("you swapped the colour channels: mirror axis 2, the columns.")
        both = [images, images[:, :, ::-1]]
        known = {image.astype(float).tobytes() for stack in both for image in stack}
        if all(image.tobytes() in known for image in found):
            raise Wrong(
                "the images came back in another order: an image no longer stands at its label."
            )
        raise Wrong(
            f"{strange.sum()} of {len(images)} images are neither as they were nor mirrored left "
            "and right."
        )


gradient = Gradient()
proximal = Proximal()
penalty = Penalty()
dropout = Dropout()
augment = Augment()
