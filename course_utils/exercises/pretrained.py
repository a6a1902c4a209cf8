"""Exercises of notebook 07: freezing, a new head, thawing with care, beating a net from scratch."""

from contextlib import redirect_stdout
from functools import cache
from io import StringIO

import numpy as np

from .base import Exercise, Wrong, call, numbers, time_limit

NOTEBOOK = "07_pretrained_models"
NEEDED = 0.02  # more right answers than networks from scratch give


def weights_left(model, n):
    """Freeze the first n layers; return how many numbers gradients can still change."""
    for layer in model.layers[:n]:
        layer.trainable = False
    return sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)


def _size(layers):
    weights = [weight for layer in layers for weight in layer.trainable_weights]
    return sum(int(np.prod(weight.shape)) for weight in weights)


class _Counts(Exercise):
    def verify(self, answer):
        """Freeze parts of networks of random widths, some with a base inside, and count."""
        rng, trials, frozen = np.random.default_rng(), [], True
        for n, inside in ((2, False), (1, False), (5, False), (1, True), (0, False)):
            model = self._network(*rng.integers(3, 9, 2).tolist(), inside)
            right = _size(model.layers[n:])
            wrong = [mistake(model, n) for _, mistake in self.mistakes]
            with time_limit(self.seconds):
                value = numbers(
                    call(answer, model, n, name=self.answer, kept=False), name="the count"
                )
            if value.size != 1:
                raise Wrong(f"return one number: got {value.size}.")
            trials.append((n, value.item(), right, wrong))
            frozen &= all(layer.trainable == (k >= n) for k, layer in enumerate(model.layers))
        off = [trial for trial in trials if trial[1] != trial[2]]
        for n, value, right, _ in off[:1]:
            for k, (message, _) in enumerate(self.mistakes):
                if all(trial[1] == trial[3][k] for trial in trials):
                    raise Wrong(message)
            raise Wrong(f"with n = {n}, {right:,} weights are left to train: got {value:,g}.")
        if not frozen:
            raise Wrong("the number is right, but the model's layers are not frozen.")

    @staticmethod
    def _network(first, second, inside):
        from keras import Input, Sequential, layers

        stack = [layers.Conv2D(first, 3), layers.BatchNormalization()]
        stack += [layers.Conv2D(second, 3, use_bias=False), layers.BatchNormalization()]
        stack = [Sequential([Input((8, 8, 1)), *stack])] if inside else stack
        return Sequential([Input((8, 8, 1)), *stack, layers.Flatten(), layers.Dense(first + 1)])


counts = _Counts(
    name="counts",
    reference=weights_left,
    hints=(
        "`model.layers[:n]` are the first n layers, and each has a `trainable`.",
        "After that, `model.trainable_weights` is a list of arrays. Each has a `shape`.",
        "`np.prod(weight.shape)` is how many numbers an array holds; add them up.",
    ),
    insight="moving statistics are never among them: no gradient ever changes them.",
    mistakes=(
        ("that counts the frozen ones as well.", lambda model, n: model.count_params()),
        (
            "that counts moving means and variances too: no gradient changes them.",
            lambda model, n: sum(layer.count_params() for layer in model.layers[n:]),
        ),
    ),
)


def swap_head(model, classes):
    """Return a network of the same base, frozen, and a new softmax head."""
    import keras

    base = model.layers[0]
    base.trainable = False
    return keras.Sequential([base, keras.layers.Dense(classes, activation="softmax")])


class _Head(Exercise):
    def verify(self, answer):
        """Look at outputs, the base's weights and what trains in the new network."""
        import keras
        from keras import layers

        rng = np.random.default_rng()
        features, classes = int(rng.integers(6, 13)), int(rng.integers(13, 19))
        stack = [layers.Conv2D(features, 3, activation="relu"), layers.BatchNormalization()]
        base = keras.Sequential([keras.Input((8, 8, 1)), *stack, layers.GlobalMaxPooling2D()])
        model = keras.Sequential([base, layers.Dense(5, activation="softmax")])
        images = rng.uniform(0, 255, (3, 8, 8, 1)).astype("float32")
        with time_limit(self.seconds):
            new = call(answer, model, classes, name=self.answer, kept=False)
            if not isinstance(new, keras.Model) or new is model:
                raise Wrong("return a new Keras model, and leave the given one as it was.")
            scores = numbers(new(images), name="the output")
        if scores.shape != (3, classes):
            raise Wrong(f"it must give one score a class, {classes}: got shape {scores.shape[1:]}.")
        if not np.allclose(scores.sum(axis=1), 1, atol=1e-4):
            raise Wrong("its scores do not sum to 1: the head needs a softmax.")
        shared, trained = (
            {id(w) for w in base.weights} & {id(w) for w in weights}
            for weights in (new.weights, new.trainable_weights)
        )
        if len(shared) < len(base.weights):
            raise Wrong("its base is not the trained one: use the same layer in the new model.")
        if trained:
            raise Wrong("the base still trains: only the head should.")
        shapes = sorted(tuple(weight.shape) for weight in new.trainable_weights)
        right = sorted([(classes,), (features, classes)])
        if shapes != right:
            raise Wrong(f"the trainable weights should have the shapes {right}: got {shapes}.")


head = _Head(
    name="head",
    reference=swap_head,
    hints=(
        "`model.layers[0]` is the base: set its `trainable`, and use it again.",
        "`keras.Sequential([base, head])` shares the base with the old network, weights and all.",
        'The head is `keras.layers.Dense(classes, activation="softmax")`.',
    ),
    insight="a shared base is one object: frozen here, frozen in the old model as well.",
)


def thaw(base):
    """Let all of a base train but its batch normalization."""
    import keras

    base.trainable = True
    for layer in base.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.trainable = False
    return base


class _Thaw(Exercise):
    def verify(self, answer):
        """Look at what trains, and at the statistics after a step at a learning rate of 0."""
        import keras
        from keras import layers

        rng = np.random.default_rng()
        stack = [keras.Input((8, 8, 1))]
        for width in rng.integers(3, 9, 2).tolist():
            stack += [layers.Conv2D(width, 3), layers.BatchNormalization(), layers.ReLU()]
        base = keras.Sequential([*stack, layers.GlobalAveragePooling2D()])
        base.trainable = False
        convolutions = [layer for layer in base.layers if hasattr(layer, "kernel")]
        wanted = {id(weight) for layer in convolutions for weight in layer.weights}
        before = base.get_weights()
        with time_limit(self.seconds):
            new = call(answer, base, name=self.answer, kept=False)
        if new is not base:
            raise Wrong("return the base that you got, and nothing else.")
        if not base.trainable:
            raise Wrong("the base as a whole is still frozen: it has a `trainable` of its own.")
        trained = {id(weight) for weight in base.trainable_weights}
        if not wanted <= trained:
            raise Wrong("kernels stay frozen: only batch normalization should.")
        model = keras.Sequential([base, layers.Dense(2, activation="softmax")])
        model.compile(
            keras.optimizers.SGD(0.0), "sparse_categorical_crossentropy", run_eagerly=True
        )
        images = rng.uniform(0, 1, (8, 8, 8, 1)).astype("float32")
        model.train_on_batch(images, np.arange(8) % 2)
        if trained > wanted or not all(map(np.array_equal, base.get_weights(), before)):
            raise Wrong("freeze each batch normalization, after `base.trainable = True`.")


thaw = _Thaw(
    name="thaw",
    reference=thaw,
    hints=(
        "`base.trainable = True` sets every layer of it. So that comes first.",
        "In `base.layers`, `isinstance(layer, keras.layers.BatchNormalization)` finds the others.",
        "The last line is `return base`.",
    ),
    insight="kernels and biases train; scale, shift and statistics of batch normalization stay.",
    seconds=30,
)


def predict_from_few(base, images, labels, new_images):
    """Learn a head on the frozen base's features of a few images; answer for the new ones."""
    from sklearn.linear_model import LogisticRegression

    def features(pixels):
        maps = base(pixels.astype("float32") / 127.5 - 1, training=False)
        return np.asarray(maps).reshape(len(pixels), -1)

    head = LogisticRegression(max_iter=1000).fit(features(images), labels)
    return head.predict(features(new_images))


@cache
def _room():
    """Return a base that knows 0 to 4, draws of other digits, judges, and scratch's accuracy."""
    import keras
    from keras import layers

    from .. import training
    from ..data import Split, load

    def part(split, new):
        rng, kept = np.random.default_rng(0), (split.labels > 4) == new
        images = np.pad(split.images[kept], ((0, 0), (3, 3), (3, 3), (0, 0)))
        corners = rng.integers(0, 7, (len(images), 2))
        cut = [image[y : y + 28, x : x + 28] for image, (y, x) in zip(images, corners, strict=True)]
        return Split(np.stack(cut), split.labels[kept] - 5 * new, split.class_names)

    def fit(split, **how):
        training.fit(training.restart(model, 0), split.images / 127.5 - 1, split.labels, **how)

    with redirect_stdout(StringIO()):
        digits = load("digits", "bundled")
    stack = [keras.Input((28, 28, 1))]
    for filters in (16, 32, 64):
        stack += [layers.Conv2D(filters, 3, padding="same", use_bias=False)]
        stack += [layers.BatchNormalization(momentum=0.9), layers.ReLU(), layers.MaxPooling2D(2)]
    base = keras.Sequential(stack)
    model = keras.Sequential([base, layers.Flatten(), layers.Dense(5, activation="softmax")])
    model.compile(keras.optimizers.Adam(0.003), "sparse_categorical_crossentropy")
    new, judges = part(digits.train, True), part(digits.validation, True)
    draws, right = [new.take(50, seed) for seed in range(5)], []
    for few in draws:
        fit(few, epochs=25, batch_size=10)  # from scratch: more epochs bring no more
        said = model.predict_on_batch(judges.images / 127.5 - 1)
        right.append((said.argmax(axis=1) == judges.labels).mean())
    fit(part(digits.train, False), epochs=6, batch_size=64)
    return base, draws, judges, np.mean(right)


class _Beat(Exercise):
    def verify(self, answer):
        """Compare with networks from scratch on a few draws of images."""
        import keras

        some = np.random.default_rng().integers(0, 256, (50, 28, 28, 1), dtype=np.uint8)
        random = [keras.layers.Conv2D(4, 9, strides=9), keras.layers.BatchNormalization()]
        random = keras.Sequential([keras.Input((28, 28, 1)), *random])
        with time_limit(self.seconds):  # what is no answer must not wait for the base's training
            self._labels(answer, random, some, np.arange(50) % 5 + 5, some[:3])
        trained, draws, (new_images, truth), scratch = _room()
        base, right = keras.models.clone_model(trained), []
        base.set_weights(trained.get_weights())
        with time_limit(self.seconds):
            for few, labels in draws:
                said = self._labels(answer, base, few, labels + 5, new_images)
                right.append((said == truth + 5).mean())
        shown = f"{np.mean(right):.0%} are right, from scratch {scratch:.0%}"
        if np.mean(right) < scratch + NEEDED:
            raise Wrong(
                f"{shown}. Does a head learn from what the base gives for pixels from −1 to 1?"
            )
        return f"{shown}. With more of each digit, scratch would catch up."

    def _labels(self, answer, base, *data):
        before = base.get_weights()
        said = numbers(call(answer, base, *data, name=self.answer, kept=False), name="the labels")
        if said.shape != (len(data[-1]),):
            raise Wrong(f"return one label an image, {len(data[-1])}: got shape {said.shape}.")
        if not np.isin(said, range(5, 10)).all():
            raise Wrong(f"the labels are 5 to 9: yours go from {said.min():g} to {said.max():g}.")
        if not all(map(np.array_equal, base.get_weights(), before)):
            raise Wrong("your function changed the base: its weights, or its moving statistics.")
        return said


beat = _Beat(
    name="beat",
    reference=predict_from_few,
    hints=(
        "Do not train the base: use what it gives as features, for the old images and the new.",
        '`base(images.astype("float32") / 127.5 - 1, training=False).numpy()` are maps; reshape '
        "them to one row an image.",
        "scikit-learn's `LogisticRegression(max_iter=1000).fit(features, labels)` learns a head; "
        "its `predict(new_features)` gives labels.",
    ),
    insight="with more images of each digit, scratch would catch up.",
    seconds=60,
)
