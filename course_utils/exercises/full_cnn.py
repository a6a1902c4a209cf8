"""Exercises of notebook 03: a ledger, the loss, 20 images by heart, suspicious labels, compile."""

from contextlib import redirect_stdout
from io import StringIO

import numpy as np

from .base import Exercise, Wrong, agree, call, close, numbers, time_limit

NOTEBOOK = "03_full_cnn"


def audit(model):
    """Return the parameters and the multiply-adds of every layer."""
    rows = []
    for layer in model.layers:
        if hasattr(layer, "kernel"):
            weights = int(np.prod(layer.kernel.shape))
            biases = layer.kernel.shape[-1] if layer.use_bias else 0
            positions = int(np.prod(layer.output.shape[1:-1]))  # 1 for a dense layer
            rows.append((weights + biases, weights * positions))
        else:
            rows.append((0, 0))
    return rows


def _audit_cases(rng):
    from keras import Input, Sequential, layers

    for size, how in [
        ((3, 3), {"padding": "same"}),
        ((2, 3), {"strides": 2, "padding": "same", "use_bias": False}),
        ((3, 1), {"strides": 2}),
        ((4, 2), {}),
    ]:
        # Odd sizes, which a stride of 2 does not divide.
        height, width = (2 * rng.integers([7, 10], [10, 13]) + 1).tolist()
        first, second, units, classes = rng.integers([3, 9, 20, 2], [9, 17, 40, 11]).tolist()
        network = [
            Input((height, width, int(rng.integers(2, 4)))),
            layers.Conv2D(first, size, activation="relu", name="edges", **how),
            layers.MaxPooling2D(2),
            layers.Conv2D(second, 3, activation="relu", name="parts"),
            layers.Flatten(),
            layers.Dense(units, activation="relu", use_bias="use_bias" in how),
            layers.Dense(classes, activation="softmax"),
        ]
        yield (Sequential(network),)


def _counting(pair):
    """Return an audit that counts ``pair(weights, biases, positions out, positions in)``."""

    def wrong(model):
        rows = []
        for layer, (parameters, work) in zip(model.layers, audit.reference(model), strict=True):
            weights = int(np.prod(layer.kernel.shape)) if parameters else 0
            positions = work // max(weights, 1), int(np.prod(layer.input.shape[1:-1]))
            rows.append(pair(weights, parameters - weights, *positions))
        return rows

    return wrong


def _explain_audit(trials):
    """Describe the layer whose counts differ."""
    (model,), found, right = next(trial for trial in trials if not agree(*trial[1:]))
    if isinstance(found, Wrong) or found.shape != right.shape:
        return None
    row = close(found, right).all(axis=1).argmin()
    layer, wanted, got = model.layers[row], right[row].astype(int), found[row]
    weights = [tuple(weights.shape) for weights in layer.weights]
    return (
        f"{type(layer).__name__} with the weights {weights} "
        f"and the output {layer.output.shape[1:]} has the counts {wanted}: got {got}."
    )


audit = Exercise(
    name="audit",
    reference=audit,
    hints=(
        "Only `Conv2D` and `Dense` have a `kernel`. Its shape is (rows, columns, channels in, "
        "filters) or (inputs, units), and `layer.use_bias` says whether there are biases.",
        "The biases come on top: one for each filter or unit.",
        "A convolution uses each of its weights once at each output position; "
        "`layer.output.shape` is (None, rows, columns, filters). A dense layer uses each once.",
    ),
    insight="your counts are those of `summary()` and of `cu.ledger`.",
    cases=_audit_cases,
    mistakes=(
        ("the biases are missing.", _counting(lambda w, b, n, m: (w, w * n))),
        ("each weight is used at every output position.", _counting(lambda w, b, n, m: (w + b, w))),
        ("biases are no multiply-adds.", _counting(lambda w, b, n, m: (w + b, (w + b) * n))),
    ),
    explain=_explain_audit,
)


def _belief(probabilities, labels):
    return probabilities[np.arange(len(labels)), labels]


def sparse_loss(probabilities, labels):
    """Return the mean of minus the logarithm of the true classes' probabilities."""
    return -np.log(probabilities[np.arange(len(labels)), labels]).mean()


def _loss_cases(rng):
    for n, classes in [(1, 4), (6, 6), (30, 10), *rng.integers([5, 3], [40, 12], (5, 2)).tolist()]:
        probabilities = rng.dirichlet(np.full(classes, 0.7), n).clip(1e-3)
        probabilities /= probabilities.sum(axis=1, keepdims=True)
        yield probabilities, rng.permutation(np.arange(n) % classes)


loss = Exercise(
    name="loss",
    reference=sparse_loss,
    hints=(
        "Of each row of probabilities only one counts: that of the true class.",
        "`probabilities[np.arange(len(labels)), labels]` picks one number from each row.",
        "The loss is the mean of minus the natural logarithm of these numbers.",
    ),
    insight="it equals categorical cross-entropy on one-hot labels: the zeros of a one-hot row "
    "only strike out what you never picked.",
    cases=_loss_cases,
    mistakes=(
        ("the minus sign is missing.", lambda p, y: -sparse_loss(p, y)),
        ("take the mean over the images, not the sum.", lambda p, y: sparse_loss(p, y) * len(p)),
        ("take the logarithms first, then their mean.", lambda p, y: -np.log(_belief(p, y).mean())),
        ("`probabilities[:, labels]` takes whole columns.", lambda p, y: -np.log(p[:, y]).mean()),
    ),
)


def overfit(images, labels):
    """Train a small network until it knows these images by heart."""
    import keras

    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            keras.layers.Conv2D(16, 3, activation="relu"),
            keras.layers.MaxPooling2D(),
            keras.layers.Flatten(),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy")
    model.fit(images, labels, batch_size=5, epochs=20, verbose=0)
    return model


class _Overfit(Exercise):
    def verify(self, answer):
        """Let it learn 20 random digits, and count how many the model then gets right."""
        import keras

        from ..data import load

        with redirect_stdout(StringIO()):
            digits = load("digits")
        seed = int(np.random.default_rng().integers(10**6))
        images, labels = digits.train.take(20, seed=seed)
        images = images.astype("float32") / 255
        with time_limit(self.seconds):
            model = call(answer, images, labels, name=self.answer)
            if not isinstance(model, keras.Model):
                raise Wrong(f"overfit must return the Keras model: got a {type(model).__name__}.")
            # Not predict, of whose new graphs TensorFlow warns after some checks.
            scores = numbers(model(images, training=False), name="what the model predicts")
        if scores.shape != (20, 10):
            raise Wrong(f"for 20 images and ten classes the model gave the shape {scores.shape}.")
        right = int((scores.argmax(axis=1) == labels).sum())
        if right < 20:
            raise Wrong(f"{right} of 20 are right: does fit see all, and long enough? Loss, rate?")


overfit = _Overfit(
    name="overfit",
    reference=overfit,
    hints=(
        "Build a `keras.Sequential`, compile it, fit it on all 20 images, return the model.",
        'The labels are whole numbers, so the loss is "sparse_categorical_crossentropy".',
        "20 images in one batch are one update an epoch: take 60 epochs, or batches of 5 and 20.",
    ),
    insight="all 20 are right. A network that cannot learn 20 images by heart has a bug: in the "
    "labels, the loss, the scaling or the learning rate.",
    seconds=60,
)


def suspects(probabilities, labels, k):
    """Return the k images whose own labels get the least probability."""
    belief = probabilities[np.arange(len(labels)), labels]
    return np.argsort(belief)[:k]


def _suspect_cases(rng):
    sizes = [(30, 5, 6), (40, 3, 1), (25, 4, 25), *rng.integers([20, 3, 2], [60, 11, 12], (5, 3))]
    for n, classes, k in np.array(sizes).tolist():
        # Small ones too, so far apart that float32 cannot exchange two of them.
        belief = rng.permutation(np.geomspace(1e-5, 0.95, n))
        labels = rng.integers(0, classes, n)
        others = rng.dirichlet(np.ones(classes - 1), n) * (1 - belief[:, None])
        rows = zip(others, labels, belief, strict=True)
        yield np.array([np.insert(row, label, own) for row, label, own in rows]), labels, k


suspects = Exercise(
    name="suspects",
    reference=suspects,
    hints=(
        "How much does the network believe the label that an image carries?",
        "`probabilities[np.arange(len(labels)), labels]` is that belief, one number an image.",
        "`np.argsort(belief)` sorts from the smallest; keep the first k.",
    ),
    insight="a network's loss is a good proof-reader.",
    cases=_suspect_cases,
    mistakes=(
        ("those are the least sure predictions.", lambda p, y, k: np.argsort(p.max(axis=1))[:k]),
        ("those labels the network believes most.", lambda p, y, k: np.argsort(-_belief(p, y))[:k]),
        ("put the most suspicious first.", lambda p, y, k: np.argsort(_belief(p, y))[:k][::-1]),
    ),
)


def compile_model(model):
    """Compile a model with one sigmoid unit as the blog meant it."""
    import keras

    model.compile(
        optimizer=keras.optimizers.SGD(learning_rate=0.01),
        loss="binary_crossentropy",
        metrics=[
            "accuracy",
            keras.metrics.Precision(name="precision"),
            keras.metrics.Recall(name="recall"),
            keras.metrics.F1Score(threshold=0.5, name="f1"),
        ],
    )
    return model


class _Compile(Exercise):
    def verify(self, answer):
        """Evaluate a network in small batches and in one; know its metrics by their values."""
        import keras
        from sklearn import metrics

        # A draw in which each metric has a value of its own, and another one at 0.4 or 0.6.
        rng = np.random.default_rng(17)
        scores = rng.random((203, 1))
        labels = (rng.random((203, 1)) < scores / 2).astype("float32")
        right = {
            "accuracy": metrics.accuracy_score(labels, scores > 0.5),
            "precision": metrics.precision_score(labels, scores > 0.5),
            "recall": metrics.recall_score(labels, scores > 0.5),
            "F1": metrics.f1_score(labels, scores > 0.5),
        }
        model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, activation="sigmoid")])
        model.set_weights([np.ones((1, 1)), np.zeros(1)])
        logits = np.log(scores / (1 - scores)).astype("float32")
        with time_limit(self.seconds):
            if call(answer, model, name=self.answer) is not model or not model.compiled:
                raise Wrong("compile_model must compile the model that it gets, and return it.")
            found = [
                model.evaluate(logits, truth, size, verbose=0, return_dict=True)
                for size, truth in ((203, labels), (203, 1 - labels), (5, labels))
            ]
        # F1Score gives an array of one number.
        whole, _, small = ({name: float(np.sum(v)) for name, v in each.items()} for each in found)
        optimizer = model.optimizer
        plain = isinstance(optimizer, keras.optimizers.SGD) and not optimizer.momentum
        if not plain or not np.isclose(float(optimizer.learning_rate), 0.01):
            raise Wrong("the blog trains with SGD, a learning rate of 0.01 and without momentum.")
        loss = metrics.log_loss(labels, scores)
        if not np.isclose(whole["loss"], loss, rtol=1e-4):
            raise Wrong(f"binary cross-entropy is {loss:.5f} here: yours is {whole['loss']:.5f}.")
        for name, value in whole.items():
            if not np.isclose(small[name], value, rtol=1e-4):
                raise Wrong(
                    f"{name} changes with the batch size, or when it is evaluated again: count "
                    "over all batches, each time anew, then divide."
                )
        values = list(whole.values())
        all_positive = metrics.f1_score(labels, labels >= 0)
        for what, value in right.items():
            if not np.isclose(values, value, rtol=1e-4).any():
                if what == "F1" and np.isclose(values, all_positive, rtol=1e-4).any():
                    raise Wrong("this F1 calls every image positive: give it a threshold of 0.5.")
                said = ", ".join(f"{name} {got:.4f}" for name, got in whole.items())
                raise Wrong(f"no metric gives the {what} of {value:.4f}: got {said}.")


compile = _Compile(
    name="compile",
    reference=compile_model,
    hints=(
        "`model.compile(optimizer=…, loss=…, metrics=[…])` returns nothing: return the model.",
        "The optimizer is `keras.optimizers.SGD` with its learning rate 0.01.",
        "`keras.metrics` has `Precision()`, `Recall()` and `F1Score(threshold=0.5)`: they count "
        "over all batches and divide at the end.",
    ),
    insight="four metrics, the same for any batch size.",
    seconds=30,
)
