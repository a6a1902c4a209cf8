# Wrong answers to the exercises of notebook 03, as students write them. Each block begins with the
# exercise's name and a part of the message that the check must answer with.

# %% audit: the biases are missing
def audit(model):
    rows = []
    for layer in model.layers:
        kind, weights, positions, biases = type(layer).__name__, 0, 1, 0
        if kind in ("Conv2D", "Dense"):
            weights, biases = int(np.prod(layer.kernel.shape)), layer.kernel.shape[-1]
        if kind == "Conv2D":
            positions = layer.output.shape[1] * layer.output.shape[2]
        rows.append((weights, weights * positions))
    return rows

# %% audit: at every output position
def audit(model):
    rows = []
    for layer in model.layers:
        kernel = getattr(layer, "kernel", None)
        weights = 0 if kernel is None else int(np.prod(kernel.shape))
        rows.append((layer.count_params(), weights))
    return rows

# %% audit: positions of its input
def audit(model):
    rows = []
    for layer in model.layers:
        kind, weights, positions, biases = type(layer).__name__, 0, 1, 0
        if kind in ("Conv2D", "Dense"):
            weights, biases = int(np.prod(layer.kernel.shape)), layer.kernel.shape[-1]
        if kind == "Conv2D":
            positions = layer.input.shape[1] * layer.input.shape[2]
        rows.append((weights + biases, weights * positions))
    return rows

# %% audit: one pair for each layer
def audit(model):
    rows = []
    for layer in model.layers:
        if hasattr(layer, "kernel"):
            weights = int(np.prod(layer.kernel.shape))
            positions = int(np.prod(layer.output.shape[1:-1]))
            rows.append((layer.count_params(), weights * positions))
    return rows

# %% loss: minus sign
def sparse_loss(probabilities, labels):
    return np.log(probabilities[np.arange(len(labels)), labels]).mean()

# %% loss: mean over the images
def sparse_loss(probabilities, labels):
    return -np.log(probabilities[np.arange(len(labels)), labels]).sum()

# %% loss: largest probability
def sparse_loss(probabilities, labels):
    return -np.log(probabilities.max(axis=1)).mean()

# %% loss: whole columns
def sparse_loss(probabilities, labels):
    return -np.log(probabilities[:, labels]).mean()

# %% loss: natural logarithm
def sparse_loss(probabilities, labels):
    return -np.log2(probabilities[np.arange(len(labels)), labels]).mean()

# %% overfit: return the model
def overfit(images, labels):
    model = models.slides_network(scale=0.25)
    model.compile("adam", "sparse_categorical_crossentropy")
    return model.fit(images, labels, epochs=1, verbose=0)

# %% overfit: of the 20 right
def overfit(images, labels):
    model = models.slides_network(scale=0.25)
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(images, labels, epochs=2, verbose=0)
    return model

# %% overfit: one probability for each of ten classes
def overfit(images, labels):
    model = models.slides_network(scale=0.25, classes=1)
    model.compile("adam", "binary_crossentropy")
    model.fit(images, labels, epochs=1, verbose=0)
    return model

# %% suspects: least sure
def suspects(probabilities, labels, k):
    return np.argsort(probabilities.max(axis=1))[:k]

# %% suspects: believes most
def suspects(probabilities, labels, k):
    belief = probabilities[np.arange(len(labels)), labels]
    return np.argsort(belief)[-k:]

# %% suspects: most suspicious first
def suspects(probabilities, labels, k):
    belief = probabilities[np.arange(len(labels)), labels]
    return np.argsort(belief)[:k][::-1]

# %% suspects: exactly k
def suspects(probabilities, labels, k):
    return np.flatnonzero(probabilities.argmax(axis=1) != labels)

# %% compile: NameError
def compile_model(model):
    model.compile(
        optimizer=keras.optimizers.SGD(learning_rate=0.01),
        loss="binary_crossentropy",
        metrics=["accuracy", precision, recall, f1],
    )
    return model

# %% compile: no metric is called that
def compile_model(model):
    model.compile(
        optimizer=keras.optimizers.SGD(learning_rate=0.01),
        loss="binary_crossentropy",
        metrics=["accuracy", "precision", "recall", "f1"],
    )
    return model

# %% compile: averaged over batches
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

# %% compile: calls every image positive
def compile_model(model):
    model.compile(
        optimizer=keras.optimizers.SGD(learning_rate=0.01),
        loss="binary_crossentropy",
        metrics=["accuracy", keras.metrics.Precision(name="precision"),
                 keras.metrics.Recall(name="recall"), keras.metrics.F1Score(name="f1")],
    )
    return model

# %% compile: SGD with the learning rate 0.01
def compile_model(model):
    model.compile(
        optimizer="adam", loss="binary_crossentropy", metrics=metrics.binary_metrics()
    )
    return model
