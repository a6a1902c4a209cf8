"""Exercises of notebook 07: freezing, a new head, unfreezing with care, beating scratch."""

from functools import cache

import numpy as np

from .base import Exercise, Mistake, Wrong, as_array, as_number, call, changed

NOTEBOOK = "07_pretrained_models"
COUNTS = """
def weights_left(model, n):
    for layer in model.layers[:n]:
        layer.trainable = False
    return sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)
"""
HEAD = """
def swap_head(model, classes):
    base = model.layers[0]
    base.trainable = False
    head = keras.layers.Dense(classes, activation="softmax")
    return keras.Sequential([base, head])
"""
THAW = """
def thaw(base):
    base.trainable = True
    for layer in base.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.trainable = False
    return base
"""
BEAT = """
def predict_from_few(base, images, labels, new_images):
    from sklearn.linear_model import LogisticRegression

    features = base(images, training=False).numpy()
    judge = LogisticRegression(max_iter=1000).fit(features, labels)
    return judge.predict(base(new_images, training=False).numpy())
"""


def _is_model(value, name):
    import keras

    if not isinstance(value, keras.Model):
        kind = type(value).__name__
        raise Wrong(f"{name} must return a keras model: got a value of type {kind}.")
    return value


class Counts(Exercise):
    """How many weights training can still change after some layers are frozen."""

    name = "counts"
    answer = "weights_left"
    hints = (
        "`model.layers[:n]` are the first n layers, and each has `trainable`.",
        "After that, `model.trainable_weights` is a list of arrays. Ask each for its `shape`.",
        "`np.prod(weight.shape)` is how many numbers an array holds.",
    )
    solution_code = COUNTS
    typical_mistakes = (
        changed(
            COUNTS,
            "that counts the arrays",
            ("sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)",
             "len(model.trainable_weights)"),
        ),
        changed(
            COUNTS,
            "counts the frozen ones as well",
            ("model.trainable_weights", "model.weights"),
        ),
        Mistake(
            """
def weights_left(model, n):
    for layer in model.layers[:n]:
        layer.trainable = False
    return sum(layer.count_params() for layer in model.layers[n:])
""",
            "moving means and variances",
        ),
        changed(COUNTS, "you froze the last", ("model.layers[:n]", "model.layers[-n:]")),
        Mistake(
            """
def weights_left(model, n):
    rest = model.layers[n:]
    return sum(int(np.prod(w.shape)) for layer in rest for w in layer.trainable_weights)
""",
            "the layers themselves are not frozen",
        ),
    )  # fmt: skip

    def verify(self, answer):
        """Freeze part of a small network of random widths, and count."""
        rng = np.random.default_rng()
        widths = [int(w) for w in rng.integers(3, 9, size=3)]
        n = int(rng.integers(1, 4))
        model, twin = (self._network(*widths) for _ in range(2))
        for layer in twin.layers[:n]:
            layer.trainable = False
        right = _size(twin.trainable_weights)
        value = as_number(call(answer, model, n, name=self.answer), name="the count")
        said = f"with n = {n}, training can still change {right:,} weights: got {value:,.0f}"
        frozen = [layer.trainable for layer in model.layers]
        # First: for some widths this leaves as many weights as another mistake counts.
        if not frozen[-1] and frozen[0]:
            raise Wrong(f"you froze the last {n} layers; the first see edges, the last the task.")
        if value == _size(model.weights) and value != right:
            raise Wrong(f"{said}, which counts the frozen ones as well.")
        if value == len(twin.trainable_weights):
            raise Wrong(f"{said}, and that counts the arrays, not the numbers in them.")
        if value == sum(layer.count_params() for layer in twin.layers[n:]):
            raise Wrong(
                f"{said}: that counts the moving means and variances of batch normalization too, "
                "which no gradient changes."
            )
        if value != right:
            raise Wrong(f"{said}.")
        if any(frozen[:n]) or not all(frozen[n:]):
            raise Wrong(
                "the number is right, but the layers themselves are not frozen in the model."
            )
        return (
            f"with {n} of {len(twin.layers)} layers frozen, {right:,} of {_size(model.weights):,} "
            "are left. The moving statistics are in neither: no gradient ever changes them."
        )

    @staticmethod
    def _network(first, second, classes):
        from keras import Input, Sequential, layers

        return Sequential(
            [
                Input((6, 6, 1)),
                layers.Conv2D(first, 3),
                layers.BatchNormalization(),
                layers.Conv2D(second, 3),
                layers.BatchNormalization(),
                layers.Flatten(),
                layers.Dense(classes + 1),
            ]
        )


def _size(weights):
    return sum(int(np.prod(weight.shape)) for weight in weights)


class Head(Exercise):
    """A new head on the frozen base of a trained network."""

    name = "head"
    answer = "swap_head"
    setup = "import keras\nimport numpy as np"
    hints = (
        "`model.layers[0]` is the base: set its `trainable`, and use it again.",
        "`keras.Sequential([base, head])` shares the base with the old network, weights and all.",
        'The head is `keras.layers.Dense(classes, activation="softmax")`.',
    )
    solution_code = HEAD
    typical_mistakes = (
        changed(HEAD, "the base still trains", ("    base.trainable = False\n", "")),
        changed(
            HEAD,
            "sits on the old head",
            ("base = model.layers[0]", "base = model"),
        ),
        changed(
            HEAD,
            "other weights than the trained one",
            ("base = model.layers[0]", "base = keras.models.clone_model(model.layers[0])"),
        ),
        changed(HEAD, "do not sum to 1", (', activation="softmax"', "")),
        changed(HEAD, "one score a class", ("Dense(classes", "Dense(model.output_shape[-1]")),
        changed(
            HEAD,
            "nothing is left to train",
            ("return keras.Sequential([base, head])",
             "new = keras.Sequential([base, head])\n    new.trainable = False\n    return new"),
        ),
    )  # fmt: skip

    def verify(self, answer):
        """Look at outputs, trainable weights and the base's weights of the new network."""
        rng = np.random.default_rng()
        model, features = self._network(int(rng.integers(6, 13)))
        classes = int(rng.integers(6, 12))
        before = [w.numpy() for w in model.layers[0].weights]
        new = _is_model(call(answer, model, classes, name=self.answer), self.answer)
        images = rng.uniform(0, 255, (3, 8, 8, 1)).astype("float32")
        scores = as_array(new(images).numpy(), name="the output")
        if scores.shape != (3, classes):
            raise Wrong(f"it must give one score a class, {classes}: got shape {scores.shape[1:]}.")
        if not np.allclose(scores.sum(axis=1), 1, atol=1e-4):
            raise Wrong("its scores do not sum to 1: the head needs a softmax.")
        found = [w.numpy() for w in new.weights]
        kept = all(any(w.shape == f.shape and (w == f).all() for f in found) for w in before)
        if not kept:
            raise Wrong(
                "its base has other weights than the trained one: share it, do not copy it."
            )
        shapes = sorted(tuple(w.shape) for w in new.trainable_weights)
        right = sorted([(classes,), (features, classes)])
        if shapes == right:
            return (
                f"{(features + 1) * classes:,} weights train, {_size(new.weights):,} are there. "
                "The base is shared: what fine-tuning changes, it changes in the old network too."
            )
        if not shapes:
            raise Wrong("nothing is left to train: freeze the base, not the whole.")
        old = model.output_shape[-1]
        if (old, classes) in shapes:
            raise Wrong(
                f"your head sits on the old head: it gets {old} scores where the base has "
                f"{features} features."
            )
        if len(shapes) > 2:
            raise Wrong(
                f"the base still trains: {_size(new.trainable_weights):,} weights, where the head "
                f"has {(features + 1) * classes:,}."
            )
        raise Wrong(f"the trainable weights should have the shapes {right}: got {shapes}.")

    @staticmethod
    def _network(filters):
        from keras import Input, Sequential, layers

        base = Sequential(
            [
                Input((8, 8, 1)),
                layers.Rescaling(1 / 255),
                layers.Conv2D(filters, 3, activation="relu"),
                layers.BatchNormalization(),
                layers.GlobalMaxPooling2D(),
            ]
        )
        return Sequential([base, layers.Dense(5, activation="softmax")]), filters


class Thaw(Exercise):
    """Let a base train again, but for its batch normalization."""

    name = "thaw"
    answer = "thaw"
    setup = "import keras"
    hints = (
        "`base.trainable = True` sets every layer of it. So that comes first.",
        "`isinstance(layer, keras.layers.BatchNormalization)` finds the layers to freeze again, "
        "among `base.layers`.",
    )
    solution_code = THAW
    typical_mistakes = (
        changed(THAW, "follow the new images", ("layer.trainable = False", "pass")),
        Mistake(
            """
def thaw(base):
    for layer in base.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.trainable = False
    base.trainable = True
    return base
""",
            "sets every layer of it",
        ),
        Mistake(
            """
def thaw(base):
    for layer in base.layers:
        layer.trainable = not isinstance(layer, keras.layers.BatchNormalization)
    return base
""",
            "the base as a whole is still frozen",
        ),
        changed(
            THAW, "kernels stay frozen", ("isinstance(layer", "layer.weights or isinstance(layer")
        ),
        changed(THAW, "does its last line say return", ("    return base", "")),
    )

    def verify(self, answer):
        """Look at what trains, and at the statistics after a fit at a learning rate of 0."""
        import keras

        rng = np.random.default_rng()
        base = self._network(*(int(n) for n in rng.integers(3, 9, size=2)))
        convolutions = [layer for layer in base.layers if hasattr(layer, "kernel")]
        new = _is_model(call(answer, base, name=self.answer), self.answer)
        if not new.trainable:
            raise Wrong("the base as a whole is still frozen: it has a `trainable` of its own.")
        found = {id(weight) for weight in new.trainable_weights}
        if not all(id(layer.kernel) in found for layer in convolutions):
            raise Wrong("kernels stay frozen: only batch normalization should.")
        held = [weight.numpy() for weight in base.non_trainable_weights]
        statistics = [w for w in base.weights if "moving" in w.path]
        before = [weight.numpy() for weight in statistics]
        model = keras.Sequential([new, keras.layers.Dense(2, activation="softmax")])
        model.compile(keras.optimizers.SGD(0.0), "sparse_categorical_crossentropy")
        images = rng.uniform(0, 1, (8, 8, 8, 1)).astype("float32")
        model.fit(images, np.arange(8) % 2, batch_size=8, verbose=0)
        if any(not np.array_equal(w, old) for w, old in zip(statistics, before, strict=True)):
            raise Wrong(
                "at a learning rate of 0, the moving statistics still follow the new images: its "
                "batch normalization is not frozen. Mind the order: `base.trainable = True` sets "
                "every layer of it."
            )
        return (
            f"{_size(new.trainable_weights):,} weights of the base train, {_size(held):,} stay: "
            "those of batch normalization, the moving statistics among them."
        )

    @staticmethod
    def _network(first, second):
        from keras import Input, Sequential, layers

        parts = [Input((8, 8, 1))]
        for width in (first, second):
            parts += [layers.Conv2D(width, 3), layers.BatchNormalization(), layers.ReLU()]
        base = Sequential([*parts, layers.GlobalAveragePooling2D()])
        base.trainable = False
        return base


class Beat(Exercise):
    """Learn five digits from ten images of each, better than a network from scratch."""

    name = "beat"
    answer = "predict_from_few"
    hints = (
        "Do not train the base: 50 images are few. Use what it gives as features, for the old "
        "images and for the new.",
        "`base(images, training=False).numpy()` are the features. Scaling is inside of the base.",
        "With `from sklearn.linear_model import LogisticRegression`: "
        "`LogisticRegression(max_iter=1000).fit(features, labels)` learns a head, and its "
        "`predict(new_features)` gives labels.",
    )
    solution_code = BEAT
    typical_mistakes = (
        changed(
            BEAT,
            "not better than from scratch",
            ("base(images, training=False).numpy()", "images.reshape(len(images), -1) / 255"),
            ("base(new_images, training=False).numpy()",
             "new_images.reshape(len(new_images), -1) / 255"),
        ),
        changed(
            BEAT,
            "one label an image",
            ("return judge.predict(", "return judge.predict_proba("),
        ),
        changed(
            BEAT,
            "your function changed the base",
            ("base(images, training=False)", "base(images, training=True)"),
        ),
        changed(
            BEAT,
            "scales by itself",
            ("base(images, training=False)", "base(images / 255, training=False)"),
            ("base(new_images, training=False)", "base(new_images / 255, training=False)"),
        ),
    )  # fmt: skip
    draws = 6
    needed = 0.02

    def verify(self, answer):
        """Compare with the network from scratch on a few draws of images."""
        from .. import transfer
        from ..metrics import paired

        # What cannot run, or is no answer yet, must not wait for a base to be pretrained.
        rng = np.random.default_rng()
        some = rng.integers(0, 256, (50, 28, 28, 1), dtype=np.uint8)
        call(answer, transfer.base_network(), some, np.arange(50) % 5, some[:3], name=self.answer)
        base, tasks = _room()
        held = [weight.numpy() for weight in base.weights]
        new_images, truth = tasks.target_validation
        mine, scratch = [], []
        for seed in rng.permutation(8)[: self.draws]:
            images, labels = _few(int(seed))
            result = call(answer, base, images, labels, new_images, name=self.answer)
            changed_base = [
                (weight, old)
                for weight, old in zip(base.weights, held, strict=True)
                if not np.array_equal(weight.numpy(), old)
            ]
            for weight, old in changed_base:
                weight.assign(old)
            base.trainable = True
            if changed_base:
                raise Wrong(
                    "your function changed the base: with training=True, the moving statistics of "
                    "its batch normalization follow your 50 images."
                )
            if np.shape(result) != truth.shape:
                raise Wrong(
                    f"it must return one label an image, shape {truth.shape}: got shape "
                    f"{np.shape(result)}."
                )
            mine.append(float((as_array(result, name="the labels") == truth).mean()))
            scratch.append(_scratch(int(seed)))
            if (np.asarray(result) == _scaled_twice(int(seed))).mean() > 0.95:
                raise Wrong(
                    f"{mine[-1]:.0%} are right. The base scales by itself, and wants pixels from 0 "
                    "to 255: you divided them by 255 before."
                )
        gain = paired(mine, scratch)
        shown = f"{np.mean(mine):.0%} right, from scratch {np.mean(scratch):.0%}"
        if gain.estimate < self.needed:
            raise Wrong(
                f"{shown}: not better than from scratch, over {self.draws} draws. What the base "
                "gives for an image is worth more than its pixels."
            )
        low, high = 100 * gain.low, 100 * gain.high
        return (
            f"{shown}: {100 * gain.estimate:.1f} points more [{low:.1f}, {high:.1f}], paired over "
            f"{self.draws} draws. With more images of each digit, scratch would catch up."
        )


@cache
def _room():
    """Return a base pretrained on the bundled digits 0 to 4, and the tasks."""
    from .. import data, transfer

    tasks = transfer.digit_tasks(data.load("digits", "bundled"), images=2200, judge=180)
    base = transfer.pretrain(tasks.source, 3, seed=0).layers[0]
    return base, tasks


def _few(seed):
    from .. import transfer

    return transfer.moved(_room()[1].target.take(50, seed=seed), seed=seed)


@cache
def _scratch(seed):
    from .. import transfer

    base, tasks = _room()
    found = transfer.transfer_run(
        seed,
        way="from scratch",
        base=base,
        train=_few(seed),
        validation=tasks.target_validation,
    )
    return found["accuracy"]


@cache
def _scaled_twice(seed):
    """Return what the solution says if it is given pixels that were scaled already."""
    from sklearn.linear_model import LogisticRegression

    base, tasks = _room()
    images, labels = _few(seed)
    old, new = (
        base(each / np.float32(255), training=False).numpy()
        for each in (images, tasks.target_validation.images)
    )
    return LogisticRegression(max_iter=1000).fit(old, labels).predict(new)


counts = Counts()
head = Head()
thaw = Thaw()
beat = Beat()
