# Wrong answers to the exercises of notebook 03, as students write them. Each block begins with the
# exercise's name and a part of the message that the check must answer with.

# %% overfit: must return the Keras model: got a History
def overfit(images, labels):
    model = keras.Sequential([
        keras.Input((28, 28, 1)), keras.layers.Flatten(), keras.layers.Dense(10, "softmax"),
    ])
    model.compile("adam", "sparse_categorical_crossentropy")
    return model.fit(images, labels, epochs=1, verbose=0)

# %% overfit: of 20 are right
def overfit(images, labels):
    model = keras.Sequential([
        keras.Input((28, 28, 1)), keras.layers.Flatten(), keras.layers.Dense(10, "softmax"),
    ])
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(images, labels, epochs=2, verbose=0)
    return model

# %% overfit: gave the shape (20, 1)
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
    model.compile(keras.optimizers.SGD(0.01), "binary_crossentropy",
                  metrics=["accuracy", "precision", "recall", "f1"])
    return model

# %% compile: changes with the batch size
def compile_model(model):
    def f1(true, scores):
        called = keras.ops.cast(scores > 0.5, "float32")
        true = keras.ops.cast(true, "float32")
        both = keras.ops.sum(true * called)
        return 2 * both / (keras.ops.sum(true) + keras.ops.sum(called) + 1e-7)

    model.compile(keras.optimizers.SGD(0.01), "binary_crossentropy",
                  metrics=["accuracy", keras.metrics.Precision(), keras.metrics.Recall(), f1])
    return model

# %% compile: calls every image positive
def compile_model(model):
    model.compile(keras.optimizers.SGD(0.01), "binary_crossentropy",
                  metrics=["accuracy", "precision", "recall", "f1_score"])
    return model

# %% compile: trains with SGD
def compile_model(model):
    model.compile("adam", "binary_crossentropy",
                  metrics=["accuracy", keras.metrics.Precision(), keras.metrics.Recall(),
                           keras.metrics.F1Score(threshold=0.5)])
    return model

# %% audit: Dense with the weights [(
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

# %% audit: Conv2D with the weights [(2, 3
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

# %% audit: Conv2D with the weights [(3, 3
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

# %% loss: holds NaN or infinity
def sparse_loss(probabilities, labels):
    return -np.log(probabilities * 0).mean()

# %% suspects: should be
def suspects(probabilities, labels, k):
    return np.argsort(probabilities[np.arange(len(labels)), labels].round(2))[:k]

# %% suspects: the shape should be
def suspects(probabilities, labels, k):
    return np.argsort(probabilities[np.arange(len(labels)), labels])[:6]

# %% compile: a learning rate of 0.01
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
# %% compile: evaluated again
class LastingF1(keras.metrics.F1Score):
    def reset_state(self):
        pass


def compile_model(model):
    model.compile(keras.optimizers.SGD(0.01), "binary_crossentropy",
                  metrics=["accuracy", keras.metrics.Precision(), keras.metrics.Recall(),
                           LastingF1(threshold=0.5)])
    return model
