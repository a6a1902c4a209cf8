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

# %% audit: count positions of the output
def audit(model):
    rows = []
    for layer in model.layers:
        weights, positions = 0, 1
        if type(layer).__name__ in ("Conv2D", "Dense"):
            weights = int(np.prod(layer.kernel.shape))
        if type(layer).__name__ == "Conv2D":
            positions = layer.input.shape[1] * layer.input.shape[2]
        rows.append((layer.count_params(), weights * positions))
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
    model = keras.Sequential([
        keras.Input((28, 28, 1)), keras.layers.Flatten(), keras.layers.Dense(10, "softmax"),
    ])
    model.compile("adam", "sparse_categorical_crossentropy")
    return model.fit(images, labels, epochs=1, verbose=0)

# %% overfit: of the 20 right
def overfit(images, labels):
    model = keras.Sequential([
        keras.Input((28, 28, 1)), keras.layers.Flatten(), keras.layers.Dense(10, "softmax"),
    ])
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(images, labels, epochs=2, verbose=0)
    return model

# %% overfit: one probability for each of ten classes
def overfit(images, labels):
    model = keras.Sequential([
        keras.Input((28, 28, 1)), keras.layers.Flatten(), keras.layers.Dense(1, "sigmoid"),
    ])
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

# %% compile: Could not interpret metric identifier: f1
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
        optimizer="adam",
        loss="binary_crossentropy",
        metrics=["accuracy", keras.metrics.Precision(name="precision"),
                 keras.metrics.Recall(name="recall"), keras.metrics.F1Score(threshold=0.5, name="f1")],
    )
    return model

# %% audit: use_bias=False
def audit(model):
    rows = []
    for layer in model.layers:
        if hasattr(layer, "kernel"):
            weights = int(np.prod(layer.kernel.shape))
            rows.append((weights + layer.kernel.shape[-1],
                         weights * int(np.prod(layer.output.shape[1:-1]))))
        else:
            rows.append((0, 0))
    return rows

# %% audit: multiply-adds leave the biases out
def audit(model):
    rows = []
    for layer in model.layers:
        positions = int(np.prod(layer.output.shape[1:-1]))
        rows.append((layer.count_params(), layer.count_params() * positions))
    return rows

# %% audit: with a kernel
def audit(model):
    rows = []
    for layer in model.layers:
        if isinstance(layer, keras.layers.Conv2D):
            k, f = layer.kernel_size[0], layer.filters
            weights = k * k * layer.input.shape[-1] * f
            rows.append((weights + layer.use_bias * f, weights * int(np.prod(layer.output.shape[1:-1]))))
        elif isinstance(layer, keras.layers.Dense):
            weights = layer.input.shape[-1] * layer.units
            rows.append((weights + layer.use_bias * layer.units, weights))
        else:
            rows.append((0, 0))
    return rows

# %% audit: with a kernel
def audit(model):
    rows = []
    for layer in model.layers:
        if isinstance(layer, keras.layers.Conv2D):
            (h, w), (n, m) = layer.kernel_size, layer.input.shape[1:3]
            weights = int(np.prod(layer.kernel.shape))
            rows.append((layer.count_params(), weights * (n - h + 1) * (m - w + 1)))
        elif isinstance(layer, keras.layers.Dense):
            rows.append((layer.count_params(), int(np.prod(layer.kernel.shape))))
        else:
            rows.append((0, 0))
    return rows

# %% audit: Conv2D with a kernel
def audit(model):
    rows = []
    for layer in model.layers:
        if hasattr(layer, "kernel"):
            weights = int(np.prod(layer.kernel.shape))
            positions = int(np.prod(layer.output.shape[1:-1]))
            rows.append((weights * positions, layer.count_params()))
        else:
            rows.append((0, 0))
    return rows

# %% audit: one pair for each layer
def audit(model):
    return model.count_params(), 0

# %% audit: put list(…) around it
def audit(model):
    return ((layer.count_params(), 0) for layer in model.layers)

# %% audit: changes its argument number 1
def audit(model):
    model.pop()
    return [(layer.count_params(), 0) for layer in model.layers]

# %% loss: return one number: the mean
def sparse_loss(probabilities, labels):
    return -np.log(probabilities[np.arange(len(labels)), labels])

# %% loss: the number of classes
def sparse_loss(probabilities, labels):
    return -(np.eye(probabilities.shape[1])[labels] * np.log(probabilities)).mean()

# %% loss: then their mean
def sparse_loss(probabilities, labels):
    return -np.log(probabilities[np.arange(len(labels)), labels].mean())

# %% loss: natural logarithm
def sparse_loss(probabilities, labels):
    return -np.log10(probabilities[np.arange(len(labels)), labels]).mean()

# %% loss: the result should be
def sparse_loss(probabilities, labels):
    return -np.log(probabilities[np.arange(len(labels)), labels - 1]).mean()

# %% loss: changes its argument number 1
def sparse_loss(probabilities, labels):
    probabilities += 1e-7
    return -np.log(probabilities[np.arange(len(labels)), labels]).mean()

# %% loss: holds NaN or infinity
def sparse_loss(probabilities, labels):
    return -np.log(probabilities * 0).mean()

# %% overfit: must return the Keras model: got a tuple
def overfit(images, labels):
    model = keras.Sequential([
        keras.Input((28, 28, 1)), keras.layers.Flatten(), keras.layers.Dense(10, "softmax"),
    ])
    model.compile("adam", "sparse_categorical_crossentropy")
    return model, model.fit(images, labels, verbose=0)

# %% overfit: same rank
def overfit(images, labels):
    model = keras.Sequential([
        keras.Input((28, 28, 1)), keras.layers.Flatten(), keras.layers.Dense(10, "softmax"),
    ])
    model.compile("adam", "categorical_crossentropy")
    model.fit(images, labels, verbose=0)
    return model

# %% overfit: expected axis -1 of input shape to have value 784
def overfit(images, labels):
    model = keras.Sequential([
        keras.Input((28, 28, 1)), keras.layers.Flatten(), keras.layers.Dense(10, "softmax"),
    ])
    model(images[:, :14])
    return model

# %% suspects: not probabilities
def suspects(probabilities, labels, k):
    return np.sort(probabilities[np.arange(len(labels)), labels])[:k]

# %% suspects: not by its distance
def suspects(probabilities, labels, k):
    gap = probabilities.max(axis=1) - probabilities[np.arange(len(labels)), labels]
    return np.argsort(-gap)[:k]

# %% suspects: k 6, the number at [
def suspects(probabilities, labels, k):
    wrong = np.flatnonzero(probabilities.argmax(axis=1) != labels)
    return (list(wrong) + list(range(len(labels))))[:k]

# %% suspects: the shape should be
def suspects(probabilities, labels, k):
    return np.argsort(probabilities[np.arange(len(labels)), labels])[:6]

# %% suspects: the shape should be
def suspects(probabilities, labels, k):
    return np.argsort(probabilities[np.arange(len(labels)), labels])

# %% compile: calls every image positive
def compile_model(model):
    model.compile(keras.optimizers.SGD(0.01), "binary_crossentropy",
                  metrics=["accuracy", "precision", "recall", "f1_score"])
    return model

# %% compile: returned None
def compile_model(model):
    model.compile(keras.optimizers.SGD(0.01), "binary_crossentropy",
                  metrics=["accuracy", keras.metrics.Precision(), keras.metrics.Recall(),
                           keras.metrics.F1Score(threshold=0.5)])

# %% compile: yours is SGD with 0.1
def compile_model(model):
    model.compile(keras.optimizers.SGD(0.1), "binary_crossentropy",
                  metrics=["accuracy", keras.metrics.Precision(), keras.metrics.Recall(),
                           keras.metrics.F1Score(threshold=0.5)])
    return model

# %% compile: binary cross-entropy is
def compile_model(model):
    model.compile(keras.optimizers.SGD(0.01), "mse",
                  metrics=["accuracy", keras.metrics.Precision(), keras.metrics.Recall(),
                           keras.metrics.F1Score(threshold=0.5)])
    return model

# %% compile: no metric gives the F1
def compile_model(model):
    model.compile(keras.optimizers.SGD(0.01), "binary_crossentropy",
                  metrics=["accuracy", keras.metrics.Precision(), keras.metrics.Recall()])
    return model

# %% compile: no metric gives the precision
def compile_model(model):
    model.compile(keras.optimizers.SGD(0.01), "binary_crossentropy",
                  metrics=["accuracy", keras.metrics.Precision(thresholds=0.3),
                           keras.metrics.Recall(), keras.metrics.F1Score(threshold=0.5)])
    return model

# %% compile: no metric gives the accuracy
def compile_model(model):
    model.compile(keras.optimizers.SGD(0.01), "binary_crossentropy",
                  metrics=[keras.metrics.CategoricalAccuracy(), keras.metrics.Precision(),
                           keras.metrics.Recall(), keras.metrics.F1Score(threshold=0.5)])
    return model

# %% compile: compile the model that it gets
def compile_model(model):
    return model

# %% compile: compile the model that it gets
def compile_model(model):
    model = keras.models.clone_model(model)
    model.compile(keras.optimizers.SGD(0.01), "binary_crossentropy",
                  metrics=["accuracy", keras.metrics.Precision(), keras.metrics.Recall(),
                           keras.metrics.F1Score(threshold=0.5)])
    return model

# %% compile: without momentum
def compile_model(model):
    model.compile(keras.optimizers.SGD(0.01, momentum=0.9), "binary_crossentropy",
                  metrics=["accuracy", keras.metrics.Precision(), keras.metrics.Recall(),
                           keras.metrics.F1Score(threshold=0.5)])
    return model
