# Wrong answers to the exercises of notebook 03, as students write them. Each block begins with the
# exercise's name and a part of the message that the check must answer with.

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
