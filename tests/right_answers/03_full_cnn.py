# Right answers to the exercises of notebook 03, each written in another way than the reference.
# A block begins with the exercise's name and what is different about it.

# %% audit: by kinds of layers, as an array
def audit(network):
    pairs = []
    for layer in network.layers:
        work = 0
        if isinstance(layer, keras.layers.Conv2D):
            rows, columns = layer.kernel_size
            _, height, width, filters = layer.output.shape
            work = rows * columns * layer.input.shape[-1] * filters * height * width
        if isinstance(layer, keras.layers.Dense):
            work = layer.input.shape[-1] * layer.units
        pairs.append([layer.count_params(), work])
    return np.array(pairs, "float32")

# %% audit: by the weights, compiled on the way
def audit(model):
    model.compile("sgd", "mse")
    rows = []
    for layer in model.layers:
        shapes = [w.shape for w in layer.get_weights()]
        parameters = sum(int(np.prod(s)) for s in shapes)
        positions = np.prod(layer.compute_output_shape(layer.input.shape)[1:-1])
        rows.append((parameters, np.prod(shapes[0]) * positions if shapes else 0))
    return tuple(rows)

# %% loss: a loop
def sparse_loss(probabilities, labels):
    return sum(-np.log(row[k]) for row, k in zip(probabilities, labels)) / len(labels)

# %% loss: one-hot rows in float32, with Keras' small number
def sparse_loss(p, y):
    onehot = np.eye(p.shape[1], dtype="float32")[y]
    return -np.sum(onehot * np.log(p.astype("float32") + 1e-7), axis=1).mean(keepdims=True)

# %% loss: Keras' own, a tensor
def sparse_loss(probabilities, labels):
    return keras.losses.SparseCategoricalCrossentropy()(labels, probabilities)

# %% overfit: dense, one-hot labels, logits
def overfit(x, y):
    model = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(64, "relu"), keras.layers.Dense(10)])
    model.compile(keras.optimizers.Adam(0.01), keras.losses.CategoricalCrossentropy(from_logits=True))
    model.fit(x, keras.utils.to_categorical(y, 10), 20, 80, verbose=0)
    return model

# %% overfit: the functional API, batches, a seed of its own
def overfit(images, labels):
    keras.utils.set_random_seed(0)
    inputs = keras.Input(images.shape[1:])
    hidden = keras.layers.Conv2D(8, 3, strides=2, activation="relu")(inputs)
    outputs = keras.layers.Dense(10, "softmax")(keras.layers.Flatten()(hidden))
    model = keras.Model(inputs, outputs)
    model.compile("rmsprop", "sparse_categorical_crossentropy", metrics=["accuracy"])
    for _ in range(150):
        model.train_on_batch(images, labels)
    return model

# %% suspects: sorted, a list
def suspects(probabilities, labels, k):
    return sorted(range(len(labels)), key=lambda n: probabilities[n, labels[n]])[:k]

# %% suspects: the largest losses
def suspects(p, y, k):
    loss = -np.log(p[np.arange(len(y)), y])
    return np.argsort(loss)[::-1][:k]

# %% suspects: Keras, a tensor of float32
def suspects(probabilities, labels, k):
    own = keras.ops.take_along_axis(keras.ops.cast(probabilities, "float32"), labels[:, None], axis=1)
    return keras.ops.top_k(-own[:, 0], k)[1]

# %% compile: unnamed metrics
def compile_model(model):
    model.compile(
        keras.optimizers.SGD(0.01),
        "binary_crossentropy",
        metrics=["accuracy", keras.metrics.Precision(), keras.metrics.Recall(),
                 keras.metrics.F1Score(threshold=0.5)],
    )
    return model

# %% compile: words and classes, in another order, and one more
def compile_model(m):
    m.compile(
        optimizer="sgd",
        loss=keras.losses.BinaryCrossentropy(),
        metrics=[keras.metrics.F1Score("micro", 0.5, "f"), keras.metrics.BinaryAccuracy(name="a"),
                 "precision", "recall", keras.metrics.AUC()],
    )
    return m

# %% compile: a metric of one's own that counts
def compile_model(model):
    class F1(keras.metrics.Metric):
        def __init__(self):
            super().__init__(name="mine")
            self.p, self.r = keras.metrics.Precision(), keras.metrics.Recall()

        def update_state(self, y, s, sample_weight=None):
            self.p.update_state(y, s)
            self.r.update_state(y, s)

        def result(self):
            p, r = self.p.result(), self.r.result()
            return 2 * p * r / (p + r + 1e-9)

        def reset_state(self):
            self.p.reset_state()
            self.r.reset_state()

    model.compile(keras.optimizers.SGD(learning_rate=1e-2), keras.losses.binary_crossentropy,
                  metrics=["acc", keras.metrics.Precision(), keras.metrics.Recall(), F1()])
    return model
