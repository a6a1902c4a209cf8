"""Exercises of notebook 07: freezing, a new head, thawing with care, beating a net from scratch."""

from contextlib import redirect_stdout
from functools import cache
from io import StringIO

import numpy as np

from .base import Exercise, Wrong, call, numbers, time_limit

NOTEBOOK = "07_pretrained_models"
DRAWS = range(5)
NEEDED = 0.01  # of accuracy more than from scratch, in the mean of the draws


def _call(function, *args, name):
    """Call an answer that may change the model it gets: these prompts ask for it."""
    if isinstance(function, type) or not callable(function):
        return call(function, name=name)  # which says so
    return call(lambda: function(*args), name=name)


def _size(weights):
    return sum(int(np.prod(weight.shape)) for weight in weights)


def _is_model(value, name):
    import keras

    if not isinstance(value, keras.Model):
        raise Wrong(f"{name} must return a Keras model: got a {type(value).__name__}.")
    return value


def weights_left(model, n):
    """Freeze the first n layers; return how many numbers gradients can still change."""
    for layer in model.layers[:n]:
        layer.trainable = False
    return sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)


class _Counts(Exercise):
    def verify(self, answer):
        """Freeze parts of networks of random widths, one of them with a base inside, and count."""
        rng = np.random.default_rng()
        with time_limit(self.seconds):
            trials = [
                self._trial(answer, rng.integers(3, 9, 2).tolist(), n, inside)
                for n, inside in ((1, False), (2, False), (4, False), (1, True), (0, False))
            ]
        for n, _, value, right, _, frozen in trials:
            if value == right and frozen != [True] * n + [False] * (len(frozen) - n):
                raise Wrong("the number is right, but the model's layers are not frozen.")
        failed = [trial for trial in trials if trial[2] != trial[3]]
        if not failed:
            return
        causes = {
            "which counts the frozen ones as well.": lambda model, twin, n: _size(model.weights),
            "and that counts the arrays, not the numbers in them.": lambda model, twin, n: len(
                twin.trainable_weights
            ),
            "which counts the moving means and variances of batch normalization as well: no "
            "gradient changes them.": lambda model, twin, n: sum(
                layer.count_params() for layer in model.layers[n:]
            ),
        }
        n, model, value, right, twin, frozen = failed[0]
        said = f"with n = {n}, training can still change {right:,} weights: got {value:,.0f}"
        if n and frozen[-n:] == [True] * n and not frozen[0]:
            raise Wrong(
                f"{said}: you froze the last layers; the first see edges, the last the task."
            )
        for text, count in causes.items():
            if all(trial[2] == count(trial[1], trial[4], trial[0]) for trial in trials):
                raise Wrong(f"{said}, {text}")
        raise Wrong(f"{said}.")

    def _trial(self, answer, widths, n, inside):
        model, twin = (self._network(*widths, inside) for _ in range(2))
        right = weights_left(twin, n)
        value = numbers(_call(answer, model, n, name=self.answer), name="the count")
        if value.size != 1:
            raise Wrong(f"return one number: got {value.size}.")
        frozen = [not layer.trainable for layer in model.layers]
        return n, model, value.item(), right, twin, frozen

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
    prompt="Write `weights_left(model, n)`: freeze the first `n` of `model.layers`, and return how "
    "many single weights gradients can still change: count the numbers, not the arrays. A base "
    "inside of the model is one of its layers.",
    hints=(
        "`model.layers[:n]` are the first n layers, and each has a `trainable`.",
        "After that, `model.trainable_weights` is a list of arrays. Each has a `shape`.",
        "`np.prod(weight.shape)` is how many numbers an array holds; add them up.",
    ),
    insight="moving statistics are never among them: no gradient ever changes them.",
)


def swap_head(model, classes):
    """Return a network of the same base, frozen, and a new softmax head."""
    import keras

    base = model.layers[0]
    base.trainable = False
    return keras.Sequential([base, keras.layers.Dense(classes, activation="softmax")])


class _Head(Exercise):
    def verify(self, answer):
        """Look at outputs, trainable weights and the base's weights of the new network."""
        rng = np.random.default_rng()
        features, classes = int(rng.integers(6, 13)), int(rng.integers(13, 19))
        model = self._network(features)
        base, old_head = model.layers
        before = [weight.numpy() for weight in base.weights]
        images = rng.uniform(0, 255, (3, 8, 8, 1)).astype("float32")
        with time_limit(self.seconds):
            new = _is_model(_call(answer, model, classes, name=self.answer), self.answer)
            scores = numbers(new(images), name="the output")
        if scores.shape != (3, classes):
            raise Wrong(f"it must give one score a class, {classes}: got shape {scores.shape[1:]}.")
        if not np.allclose(scores.sum(axis=1), 1, atol=1e-4):
            raise Wrong("its scores do not sum to 1: the head needs a softmax.")
        if any(weight is old_head.kernel for weight in new.weights):
            raise Wrong(
                f"your head sits on the old head: it gets 5 scores where the base has {features} "
                "features."
            )
        if not {id(weight) for weight in base.weights} <= {id(weight) for weight in new.weights}:
            found = [weight.numpy() for weight in new.weights]
            kept = all(any(np.array_equal(w, f) for f in found) for w in before)
            other = "a copy of the trained one" if kept else "other weights than the trained one"
            raise Wrong(f"its base has {other}: use the same layer in the new model.")
        if not all(map(np.array_equal, [weight.numpy() for weight in base.weights], before)):
            raise Wrong("the base's weights have changed: nothing needs to be trained here.")
        shapes = sorted(tuple(weight.shape) for weight in new.trainable_weights)
        right = sorted([(classes,), (features, classes)])
        if not shapes:
            raise Wrong("nothing is left to train: freeze the base, not the whole.")
        if {id(weight) for weight in base.weights} & {id(w) for w in new.trainable_weights}:
            raise Wrong(
                f"the base still trains: {_size(new.trainable_weights):,} weights, where the head "
                f"has {(features + 1) * classes:,}."
            )
        if shapes != right:
            raise Wrong(f"the trainable weights should have the shapes {right}: got {shapes}.")

    @staticmethod
    def _network(filters):
        from keras import Input, Sequential, layers

        stack = [layers.Conv2D(filters, 3, activation="relu"), layers.BatchNormalization()]
        base = Sequential([Input((8, 8, 1)), *stack, layers.GlobalMaxPooling2D()])
        return Sequential([base, layers.Dense(5, activation="softmax")])


head = _Head(
    name="head",
    reference=swap_head,
    prompt="Write `swap_head(model, classes)`. `model` is a `keras.Sequential` of two layers: a "
    "base, which ends in a row of features, and a head. Return a new model that shares the base, "
    "frozen, and has one new dense layer on it, a softmax for `classes` classes.",
    hints=(
        "`model.layers[0]` is the base: set its `trainable`, and use it again.",
        "`keras.Sequential([base, head])` shares the base with the old network, weights and all.",
        'The head is `keras.layers.Dense(classes, activation="softmax")`.',
    ),
    insight="a shared base is one object: frozen in the new model, it is frozen in the old one, "
    "and what fine-tuning changes, it changes there too.",
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
        """Look at what trains, and at the statistics after a fit at a learning rate of 0."""
        import keras

        rng = np.random.default_rng()
        base = self._network(*rng.integers(3, 9, 2).tolist())
        kernels = [layer.kernel for layer in base.layers if hasattr(layer, "kernel")]
        before = {id(weight): weight.numpy() for weight in base.weights}
        with time_limit(self.seconds):
            new = _is_model(_call(answer, base, name=self.answer), self.answer)
        if not {id(weight) for weight in new.weights} >= set(before):
            raise Wrong("return the base that you got, not another model.")
        if not new.trainable:
            raise Wrong("the base as a whole is still frozen: it has a `trainable` of its own.")
        trained = {id(weight) for weight in new.trainable_weights}
        if not trained >= {id(kernel) for kernel in kernels}:
            raise Wrong("kernels stay frozen: only batch normalization should.")
        model = keras.Sequential([new, keras.layers.Dense(2, activation="softmax")])
        model.compile(keras.optimizers.SGD(0.0), "sparse_categorical_crossentropy")
        images = rng.uniform(0, 1, (8, 8, 8, 1)).astype("float32")
        model.fit(images, np.arange(8) % 2, batch_size=8, verbose=0)
        if any(not np.array_equal(weight, before[id(weight)]) for weight in base.weights):
            raise Wrong(
                "at a learning rate of 0, the moving statistics still follow the new images: its "
                "batch normalization is not frozen. Mind the order: `base.trainable = True` sets "
                "every layer of it."
            )

    @staticmethod
    def _network(first, second):
        from keras import Input, Sequential, layers

        stack = [Input((8, 8, 1))]
        for width in (first, second):
            stack += [layers.Conv2D(width, 3), layers.BatchNormalization(), layers.ReLU()]
        base = Sequential([*stack, layers.GlobalAveragePooling2D()])
        base.trainable = False
        return base


thaw = _Thaw(
    name="thaw",
    reference=thaw,
    prompt="Write `thaw(base)`. `base` is a frozen `keras.Sequential` with convolutions and batch "
    "normalization. Make all of it trainable but its batch normalization, and return it. The check "
    "trains it at a learning rate of 0, and looks at the moving statistics.",
    hints=(
        "`base.trainable = True` sets every layer of it. So that comes first.",
        "`isinstance(layer, keras.layers.BatchNormalization)` finds the layers to freeze again, "
        "among `base.layers`.",
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


def _network(head):
    """Return a network of three blocks, compiled; the first layer is the base."""
    import keras
    from keras import layers

    stack = [keras.Input((28, 28, 1))]
    for filters in (16, 32, 64):
        stack += [layers.Conv2D(filters, 3, padding="same", use_bias=False)]
        stack += [layers.BatchNormalization(momentum=0.9), layers.ReLU(), layers.MaxPooling2D(2)]
    model = keras.Sequential([keras.Sequential(stack), layers.Flatten(), head])
    model.compile(keras.optimizers.Adam(0.003), "sparse_categorical_crossentropy")
    return model


@cache
def _room():
    """Return a pretrained network, the images of 5 to 9 to draw from, and those to judge by."""
    import keras

    from .. import training
    from ..data import load

    with redirect_stdout(StringIO()):
        digits = load("digits", "bundled")
    (x, y), (x_new, y_new) = digits.train, digits.validation
    model = training.restart(_network(keras.layers.Dense(5, activation="softmax")), 0)
    training.fit(model, x[y < 5] / np.float32(127.5) - 1, y[y < 5], epochs=6, batch_size=64)
    return model, (x[y > 4], y[y > 4]), (x_new[y_new > 4], y_new[y_new > 4])


def _few(seed):
    (_, (images, labels), _), rng = _room(), np.random.default_rng(seed)
    each = [rng.permutation(np.flatnonzero(labels == k)) for k in range(5, 10)]
    chosen, panel = (np.concatenate([k[part] for k in each]) for part in np.s_[:10, 10:70])
    return images[chosen], labels[chosen], images[panel], labels[panel]


@cache
def _from_scratch():
    """Return the accuracies of networks from scratch, each at its best round on other images."""
    import keras

    from .. import training

    network, found = _network(keras.layers.Dense(5, activation="softmax")), []
    for seed in DRAWS:
        x, y, x_panel, y_panel = _few(seed)
        best, best_round, rounds = 0, 0, 0
        training.restart(network, seed)
        while rounds < best_round + 5:
            rounds += 1
            x_scaled = x / np.float32(127.5) - 1
            training.fit(network, x_scaled, y - 5, epochs=5, batch_size=10, seed=rounds)
            if (now := _accuracy(network, x_panel, y_panel)) > best:
                best, best_round, judged = now, rounds, _accuracy(network, *_room()[2])
        found.append(judged)
    return found


def _accuracy(network, images, labels):
    said = network(images / np.float32(127.5) - 1, training=False).numpy().argmax(axis=1)
    return (said == labels - 5).mean()


class _Beat(Exercise):
    def verify(self, answer):
        """Compare with networks from scratch on a few draws of images."""
        import keras

        from ..metrics import paired

        # What cannot run, or is no answer yet, must not wait for networks to be trained.
        some = np.random.default_rng().integers(0, 256, (50, 28, 28, 1), dtype=np.uint8)
        with time_limit(self.seconds):
            untrained = _network(keras.layers.Dense(5)).layers[0]
            self._labels(answer, untrained, some, np.arange(50) % 5 + 5, some[:3])
        model, _, (new_images, truth) = _room()
        base, before = model.layers[0], model.layers[0].get_weights()
        base.trainable = False
        mine = []
        try:
            with time_limit(self.seconds):
                for seed in DRAWS:
                    said = self._labels(answer, base, *_few(seed)[:2], new_images)
                    mine.append((said == truth).mean())
                    if not all(map(np.array_equal, base.get_weights(), before)):
                        raise Wrong(
                            "your function changed the base: its weights, or with training=True "
                            "the moving statistics of its batch normalization."
                        )
        finally:
            base.trainable = True
            base.set_weights(before)
        scratch = _from_scratch()
        gain = paired(mine, scratch)
        shown = f"{np.mean(mine):.1%} right, from scratch {np.mean(scratch):.1%}"
        if gain.estimate < NEEDED:
            raise Wrong(
                f"{shown}, over {len(mine)} draws of 50 images: not clearly better. What the base "
                "gives for an image is worth more than its pixels, if it gets pixels from −1 to 1."
            )
        low, high = 100 * gain.low, 100 * gain.high
        return (
            f"{shown}: {100 * gain.estimate:+.1f} points [{low:.1f}, {high:.1f}], paired over "
            f"{len(mine)} draws. With more images of each digit, scratch would catch up."
        )

    def _labels(self, answer, *args):
        said = numbers(_call(answer, *args, name=self.answer), name="the labels")
        if said.shape != (len(args[-1]),):
            raise Wrong(
                f"return one label an image, shape ({len(args[-1])},): got shape {said.shape}."
            )
        if not np.isin(said, range(5, 10)).all():
            raise Wrong(f"the labels are 5 to 9: yours go from {said.min():g} to {said.max():g}.")
        return said


beat = _Beat(
    name="beat",
    reference=predict_from_few,
    prompt="Write `predict_from_few(base, images, labels, new_images)`, which returns a label for "
    "each new image. `images` are ten of each digit from 5 to 9, shape (50, 28, 28, 1), whole "
    "numbers from 0 to 255; `labels` are 5 to 9. `base` was pretrained on other digits, wants "
    "pixels from −1 to 1 and gives maps; leave its weights as they are. Over five draws of images, "
    "the check wants 1 point more than networks from scratch reach.",
    hints=(
        "Do not train the base: 50 images are few. Use what it gives as features, for the old "
        "images and for the new.",
        '`base(images.astype("float32") / 127.5 - 1, training=False).numpy()` are maps; reshape '
        "them to one row an image.",
        "With `from sklearn.linear_model import LogisticRegression`: "
        "`LogisticRegression(max_iter=1000).fit(features, labels)` learns a head, and its "
        "`predict(new_features)` gives labels.",
    ),
    insight="with more images of each digit, scratch would catch up.",
    seconds=60,
)
