"""Exercises of notebook 03: audit a network, its loss, overfitting, metrics, suspicious labels."""

import numpy as np

from .base import Exercise, Mistake, Wrong, as_array, as_number, call, changed

NOTEBOOK = "03_full_cnn"


class Audit(Exercise):
    """Count the parameters and multiply-adds of every layer, by hand."""

    name = "audit"
    answer = "audit"
    setup = "import keras\nimport numpy as np"
    hints = (
        "`type(layer).__name__` says what a layer is. Only `Conv2D` and `Dense` have weights here.",
        "`layer.kernel.shape` is (rows, columns, channels in, filters) of a convolution, and "
        "(inputs, units) of a dense layer. The biases come on top: one for each filter or unit.",
        "A convolution uses each of its weights once at each output position; "
        "`layer.output.shape` is (None, rows, columns, filters). A dense layer uses each once.",
    )
    solution_code = """
def audit(model):
    rows = []
    for layer in model.layers:
        kind, weights, positions, biases = type(layer).__name__, 0, 1, 0
        if kind in ("Conv2D", "Dense"):
            weights, biases = int(np.prod(layer.kernel.shape)), layer.kernel.shape[-1]
        if kind == "Conv2D":
            positions = layer.output.shape[1] * layer.output.shape[2]
        rows.append((weights + biases, weights * positions))
    return rows
"""
    typical_mistakes = (
        changed(
            solution_code,
            "the biases are missing",
            ("weights + biases, weights *", "weights, weights *"),
        ),
        Mistake(
            """
def audit(model):
    rows = []
    for layer in model.layers:
        kernel = getattr(layer, "kernel", None)
        weights = 0 if kernel is None else int(np.prod(kernel.shape))
        rows.append((layer.count_params(), weights))
    return rows
""",
            "at every output position",
        ),
        changed(
            solution_code,
            "positions of its input",
            (
                "layer.output.shape[1] * layer.output.shape[2]",
                "layer.input.shape[1] * layer.input.shape[2]",
            ),
        ),
        Mistake(
            """
def audit(model):
    rows = []
    for layer in model.layers:
        if hasattr(layer, "kernel"):
            weights = int(np.prod(layer.kernel.shape))
            positions = int(np.prod(layer.output.shape[1:-1]))
            rows.append((layer.count_params(), weights * positions))
    return rows
""",
            "one pair for each layer",
        ),
    )

    def verify(self, answer):
        """Compare with Keras' counts and the course's ledger on random networks."""
        from ..arithmetic import ledger

        rng = np.random.default_rng()
        for _ in range(2):
            model = _random_network(rng)
            table = ledger(model)
            found = call(answer, model, name=self.answer)
            if not isinstance(found, (list, tuple, np.ndarray)) or len(found) != len(table):
                raise Wrong(
                    f"audit must return one pair for each layer, also for those without weights: "
                    f"this network has {len(table)} layers."
                )
            found = as_array(found, name="the list of pairs", shape=(len(table), 2))
            for layer, right, (parameters, multiply_adds) in zip(
                model.layers, table.itertuples(), found, strict=True
            ):
                self._hold(layer, right, parameters, multiply_adds)
        return "your parameters are Keras', and your multiply-adds are those of cu.ledger."

    @staticmethod
    def _hold(layer, right, parameters, multiply_adds):
        kernel = getattr(layer, "kernel", None)
        weights = 0 if kernel is None else int(np.prod(kernel.shape))
        where = f"{right.layer} ({right.type})"
        if parameters != right.parameters:
            if parameters == weights:
                raise Wrong(f"in {where} the biases are missing: one for each filter or unit.")
            raise Wrong(f"{where} has {right.parameters:,} parameters: got {parameters:,.0f}.")
        if multiply_adds != right.multiply_adds:
            inputs = int(np.prod(layer.input.shape[1:-1]))
            if right.type == "Conv2D" and multiply_adds == weights:
                raise Wrong(
                    f"in {where} each weight is used at every output position, not only once."
                )
            if right.type == "Conv2D" and multiply_adds == weights * inputs:
                raise Wrong(
                    f"you counted {where} at the positions of its input; its output has fewer."
                )
            raise Wrong(
                f"{where} takes {right.multiply_adds:,} multiply-adds for one image: "
                f"got {multiply_adds:,.0f}."
            )


def _random_network(rng):
    """Two convolutions without padding, a pooling, and two dense layers, of random sizes."""
    from keras import Input, Sequential, layers

    side = int(rng.integers(16, 30))
    return Sequential(
        [
            Input((side, side, int(rng.integers(1, 4)))),
            layers.Conv2D(int(rng.integers(3, 9)), 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(int(rng.integers(9, 17)), 3, activation="relu"),
            layers.Flatten(),
            layers.Dense(int(rng.integers(20, 40)), activation="relu"),
            layers.Dense(int(rng.integers(2, 11)), activation="softmax"),
        ]
    )


class SparseLoss(Exercise):
    """Cross-entropy from whole-number labels, equal to that from one-hot labels."""

    name = "loss"
    answer = "sparse_loss"
    hints = (
        "Of each row of probabilities only one counts: that of the true class.",
        "`probabilities[np.arange(len(labels)), labels]` picks one number from each row.",
        "The loss is the mean of minus the natural logarithm of these numbers.",
    )
    solution_code = """
def sparse_loss(probabilities, labels):
    return -np.log(probabilities[np.arange(len(labels)), labels]).mean()
"""
    typical_mistakes = (
        Mistake(
            """
def sparse_loss(probabilities, labels):
    return np.log(probabilities[np.arange(len(labels)), labels]).mean()
""",
            "minus sign",
        ),
        Mistake(
            """
def sparse_loss(probabilities, labels):
    return -np.log(probabilities[np.arange(len(labels)), labels]).sum()
""",
            "mean over the images",
        ),
        Mistake(
            """
def sparse_loss(probabilities, labels):
    return -np.log(probabilities.max(axis=1)).mean()
""",
            "largest probability",
        ),
        Mistake(
            """
def sparse_loss(probabilities, labels):
    return -np.log(probabilities[:, labels]).mean()
""",
            "whole columns",
        ),
        Mistake(
            """
def sparse_loss(probabilities, labels):
    return -np.log2(probabilities[np.arange(len(labels)), labels]).mean()
""",
            "natural logarithm",
        ),
    )

    def verify(self, answer):
        """Compare with both of Keras' losses on random probabilities."""
        from keras import losses, utils

        rng = np.random.default_rng()
        for _ in range(4):
            n, classes = int(rng.integers(5, 40)), int(rng.integers(3, 12))
            probabilities = rng.dirichlet(np.full(classes, 0.7), n).clip(1e-4)
            probabilities /= probabilities.sum(axis=1, keepdims=True)
            labels = rng.integers(0, classes, n)
            onehot = utils.to_categorical(labels, classes)
            right = float(losses.CategoricalCrossentropy()(onehot, probabilities))
            value = as_number(
                call(answer, probabilities.copy(), labels.copy(), name=self.answer), name="the loss"
            )
            if np.isclose(value, right, rtol=1e-4):
                continue
            wrong = {
                "the minus sign is missing: a probability's logarithm is negative.": -right,
                "take the mean over the images, not the sum.": right * n,
                "you took the largest probability of each row; take that of the true class.": (
                    -np.log(probabilities.max(axis=1)).mean()
                ),
                "`probabilities[:, labels]` takes whole columns; take one number from each "
                "row.": -np.log(probabilities[:, labels]).mean(),
                "Keras takes the natural logarithm, `np.log`.": right / np.log(2),
            }
            for message, number in wrong.items():
                if np.isclose(value, number, rtol=1e-4):
                    raise Wrong(message)
            raise Wrong(f"Keras' loss is {right:.4f} on the data tried: got {value:.4f}.")
        return (
            "it equals categorical cross-entropy on one-hot labels: the zeros of a one-hot row "
            "only strike out what you never picked."
        )


class Overfit(Exercise):
    """Learn 20 images by heart, the first test of any training code."""

    name = "overfit"
    answer = "overfit"
    setup = "import keras\nimport numpy as np\nfrom course_utils.first_edition import models"
    hints = (
        "Build `models.slides_network()`, compile it, fit it on all 20 images, return the model.",
        'The labels are whole numbers, so the loss is "sparse_categorical_crossentropy".',
        "20 images make one batch, one update an epoch. Give it some 60 epochs, `verbose=0`; or "
        "call `model.train_on_batch` 60 times, which is faster.",
    )
    solution_code = """
def overfit(images, labels):
    model = models.slides_network(scale=0.5)
    model.compile(keras.optimizers.Adam(0.005), "sparse_categorical_crossentropy")
    for _ in range(60):
        model.train_on_batch(images, labels)
    return model
"""
    typical_mistakes = (
        Mistake(
            """
def overfit(images, labels):
    model = models.slides_network(scale=0.25)
    model.compile("adam", "sparse_categorical_crossentropy")
    return model.fit(images, labels, epochs=1, verbose=0)
""",
            "return the model",
        ),
        Mistake(
            """
def overfit(images, labels):
    model = models.slides_network(scale=0.25)
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(images, labels, epochs=2, verbose=0)
    return model
""",
            "of the 20 right",
        ),
        Mistake(
            """
def overfit(images, labels):
    model = models.slides_network(scale=0.25, classes=1)
    model.compile("adam", "binary_crossentropy")
    model.fit(images, labels, epochs=1, verbose=0)
    return model
""",
            "one probability for each of ten classes",
        ),
    )

    def verify(self, answer):
        """Let it learn 20 random digits, and count how many the model then gets right."""
        from ..data import load

        digits = load("digits", source="bundled")
        images, labels = digits.train.take(20, seed=int(np.random.default_rng().integers(10**6)))
        images = images.astype("float32") / 255
        model = call(answer, images.copy(), labels.copy(), name=self.answer)
        if type(model).__name__ == "History":
            raise Wrong("fit returns a History; return the model itself.")
        if not callable(getattr(model, "predict", None)):
            raise Wrong("overfit must return the model that you trained.")
        scores = as_array(model.predict(images, verbose=0), name="what the model predicts")
        if scores.shape != (20, 10):
            raise Wrong(
                f"the model must give one probability for each of ten classes: for 20 images it "
                f"gave the shape {scores.shape}."
            )
        right = int((scores.argmax(axis=1) == labels).sum())
        if right < 20:
            raise Wrong(
                f"the model has {right} of the 20 right; a network that can learn gets all: "
                f"train for more epochs, or with a larger learning rate."
            )
        return (
            "all 20 are right. A network that cannot learn 20 images by heart has a bug: in the "
            "labels, the loss, the scaling or the learning rate."
        )


class Compile(Exercise):
    """Mend the blog's compile: metrics that exist, and that are right for any batch size."""

    name = "compile"
    answer = "compile_model"
    setup = "import keras\nimport numpy as np\nfrom course_utils.first_edition import metrics"
    hints = (
        "`model.compile(optimizer=…, loss=…, metrics=[…])` returns nothing: return the model.",
        "The optimizer is `keras.optimizers.SGD` with its learning rate 0.01.",
        "`metrics.binary_metrics()` gives all four, streamed. Keras' own `F1Score` needs "
        "`threshold=0.5`.",
    )
    solution_code = """
def compile_model(model):
    model.compile(
        optimizer=keras.optimizers.SGD(learning_rate=0.01),
        loss="binary_crossentropy",
        metrics=metrics.binary_metrics(),
    )
    return model
"""
    typical_mistakes = (
        changed(
            solution_code,
            "NameError",
            ("metrics=metrics.binary_metrics(),", 'metrics=["accuracy", precision, recall, f1],'),
        ),
        changed(
            solution_code,
            "no metric is called that",
            (
                "metrics=metrics.binary_metrics(),",
                'metrics=["accuracy", "precision", "recall", "f1"],',
            ),
        ),
        Mistake(
            """
def compile_model(model):
    def f1(true, scores):
        called = keras.ops.cast(scores > 0.5, "float32")
        true = keras.ops.cast(true, "float32")
        both = keras.ops.sum(true * called)
        return 2 * both / (keras.ops.sum(true) + keras.ops.sum(called) + 1e-7)

    model.compile(
        optimizer=keras.optimizers.SGD(learning_rate=0.01),
        loss="binary_crossentropy",
        metrics=["accuracy", keras.metrics.Precision(name="precision"),
                 keras.metrics.Recall(name="recall"), f1],
    )
    return model
""",
            "averaged over batches",
        ),
        Mistake(
            """
def compile_model(model):
    model.compile(
        optimizer=keras.optimizers.SGD(learning_rate=0.01),
        loss="binary_crossentropy",
        metrics=["accuracy", keras.metrics.Precision(name="precision"),
                 keras.metrics.Recall(name="recall"), keras.metrics.F1Score(name="f1")],
    )
    return model
""",
            "calls every image positive",
        ),
        Mistake(
            """
def compile_model(model):
    model.compile(
        optimizer="adam", loss="binary_crossentropy", metrics=metrics.binary_metrics()
    )
    return model
""",
            "SGD with the learning rate 0.01",
        ),
    )

    def verify(self, answer):
        """Evaluate a small network in batches; hold its metrics against scikit-learn's."""
        import keras

        features, labels, weights = self._case(np.random.default_rng())
        model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1, activation="sigmoid")])
        model.set_weights([weights, np.zeros(1)])
        model = call(answer, model, name=self.answer)
        if not isinstance(model, keras.Model) or not getattr(model, "compiled", False):
            raise Wrong("compile_model must compile the model that it gets, and return it.")
        rate = getattr(model.optimizer, "learning_rate", np.nan)
        if type(model.optimizer).__name__ != "SGD" or not np.isclose(float(rate), 0.01):
            raise Wrong("the blog trains with SGD with the learning rate 0.01.")
        kind = getattr(model.loss, "name", None) or getattr(model.loss, "__name__", model.loss)
        if kind != "binary_crossentropy":
            raise Wrong(f"for one sigmoid the loss is binary_crossentropy: got {kind}.")
        # Without a graph the check takes a tenth of the time.
        model.run_eagerly = True
        try:
            found = model.evaluate(features, labels, batch_size=16, verbose=0, return_dict=True)
        except ValueError as error:
            raise Wrong(
                f"Keras cannot use these metrics; no metric is called that: "
                f"{str(error).splitlines()[0][:90]}"
            ) from error
        self._hold(found, labels[:, 0], model.predict(features, verbose=0)[:, 0])
        return "four metrics, the same for any batch size, and the same as scikit-learn's."

    @staticmethod
    def _case(rng):
        """Draw images, labels and weights whose F1 is not by chance that of all called positive."""
        from sklearn.metrics import f1_score

        while True:
            features = rng.normal(size=(203, 4)).astype("float32")
            labels = (rng.random((203, 1)) < 0.12).astype("float32")
            weights = rng.normal(size=(4, 1))
            called = features @ weights > 0
            if abs(f1_score(labels, called) - f1_score(labels, np.ones_like(labels))) > 0.02:
                return features, labels, weights

    @staticmethod
    def _hold(found, labels, scores):
        from sklearn.metrics import accuracy_score, f1_score, precision_score, recall_score

        missing = [m for m in ("accuracy", "precision", "recall", "f1") if m not in found]
        if missing:
            raise Wrong(
                f"the metrics must be called accuracy, precision, recall and f1: {missing[0]} is "
                f"missing among {', '.join(found)}."
            )
        called = scores > 0.5
        for name, right in {
            "accuracy": accuracy_score(labels, called),
            "precision": precision_score(labels, called, zero_division=0),
            "recall": recall_score(labels, called, zero_division=0),
            "f1": f1_score(labels, called, zero_division=0),
        }.items():
            value = float(np.squeeze(found[name]))
            if np.isclose(value, right, atol=1e-4):
                continue
            everything = f1_score(labels, np.ones_like(labels))
            if name == "f1" and np.isclose(value, everything, atol=1e-4):
                raise Wrong("this F1 calls every image positive: give F1Score a threshold of 0.5.")
            if name == "f1":
                raise Wrong(
                    f"over all images F1 is {right:.3f}, yours says {value:.3f}: it is averaged "
                    f"over batches, and a mean of ratios is not the ratio of the sums."
                )
            raise Wrong(f"{name} should be {right:.3f} on the data tried: got {value:.3f}.")


class Suspects(Exercise):
    """Find the images whose labels look wrong to a trained network."""

    name = "suspects"
    answer = "suspects"
    hints = (
        "How much does the network believe the label that an image carries?",
        "`probabilities[np.arange(len(labels)), labels]` is that belief, one number an image.",
        "`np.argsort(belief)` sorts from the smallest; keep the first k.",
    )
    solution_code = """
def suspects(probabilities, labels, k):
    belief = probabilities[np.arange(len(labels)), labels]
    return np.argsort(belief)[:k]
"""
    typical_mistakes = (
        Mistake(
            """
def suspects(probabilities, labels, k):
    return np.argsort(probabilities.max(axis=1))[:k]
""",
            "least sure",
        ),
        Mistake(
            """
def suspects(probabilities, labels, k):
    belief = probabilities[np.arange(len(labels)), labels]
    return np.argsort(belief)[-k:]
""",
            "believes most",
        ),
        Mistake(
            """
def suspects(probabilities, labels, k):
    belief = probabilities[np.arange(len(labels)), labels]
    return np.argsort(belief)[:k][::-1]
""",
            "most suspicious first",
        ),
        Mistake(
            """
def suspects(probabilities, labels, k):
    return np.flatnonzero(probabilities.argmax(axis=1) != labels)
""",
            "exactly k",
        ),
    )

    def verify(self, answer):
        """Give wrong labels to a few images that the network is sure of; they must be found."""
        rng = np.random.default_rng()
        for _ in range(4):
            n, classes, k = int(rng.integers(60, 120)), int(rng.integers(4, 11)), 6
            labels = rng.integers(0, classes, n)
            sure = rng.uniform(0.45, 0.9, n)
            # More wrong labels than are asked for, so that listing all mistakes is not enough.
            planted = k + int(rng.integers(3, 8))
            changed = rng.choice(n, planted, replace=False)
            sure[changed] = np.linspace(0.93, 0.99, planted)
            probabilities = rng.dirichlet(np.ones(classes - 1), n) * (1 - sure[:, None])
            probabilities = np.stack(
                [
                    np.insert(row, label, p)
                    for row, label, p in zip(probabilities, labels, sure, strict=True)
                ]
            )
            labels[changed] = (labels[changed] + rng.integers(1, classes, planted)) % classes
            belief = probabilities[np.arange(n), labels]
            right = np.argsort(belief)[:k]
            found = as_array(
                call(answer, probabilities.copy(), labels.copy(), k, name=self.answer),
                name="the indices",
            )
            if found.shape == (k,) and np.array_equal(found, right):
                continue
            if found.shape != (k,):
                raise Wrong(f"return exactly k indices: for k = {k} got the shape {found.shape}.")
            if set(found) == set(right):
                raise Wrong("these are the right images; put the most suspicious first.")
            if set(found) == set(np.argsort(belief)[-k:]):
                raise Wrong("those are the labels that the network believes most.")
            if set(found) == set(np.argsort(probabilities.max(axis=1))[:k]):
                raise Wrong(
                    "those are the images that the network is least sure of; a suspicious label "
                    "is one that it denies."
                )
            raise Wrong(
                f"{len(set(found) & set(right))} of your {k} are among the most suspicious: sort "
                f"by the probability of the label that the image carries."
            )
        return "all of them carry a planted wrong label. A network's loss is a good proof-reader."


audit = Audit()
loss = SparseLoss()
overfit = Overfit()
suspects = Suspects()
compile = Compile()
