# Right answers to the exercises of notebook 07, written in other ways than the solution.

# %% counts: over layers, as a float
def weights_left(net, frozen):
    for k, layer in enumerate(net.layers):
        layer.trainable = k >= frozen
    return float(sum(np.prod(w.shape) for layer in net.layers for w in layer.trainable_weights))

# %% counts: with Keras' own counter
def weights_left(model, n):
    for layer in model.layers[:n]:
        layer.trainable = False
    return keras.ops.convert_to_tensor(sum(w.numpy().size for w in model.trainable_variables))

# %% head: functional
def swap_head(model, classes):
    base = model.layers[0]
    base.trainable = False
    inputs = keras.Input(base.input_shape[1:])
    features = base(inputs, training=False)
    return keras.Model(inputs, keras.layers.Dense(classes, activation="softmax")(features))

# %% head: freezing layer by layer, a softmax layer of its own
def swap_head(model, classes):
    for layer in model.layers[0].layers:
        layer.trainable = False
    new = keras.Sequential([keras.Input((8, 8, 1)), model.layers[0]])
    new.add(keras.layers.Dense(classes))
    new.add(keras.layers.Softmax())
    return new

# %% thaw: by name
def thaw(base):
    base.trainable = True
    for layer in base.layers:
        layer.trainable = "normalization" not in layer.name
    return base

# %% thaw: layer by layer, then the base
def thaw(net):
    net.trainable = True
    norms = [layer for layer in net.layers if type(layer) is keras.layers.BatchNormalization]
    for norm in norms:
        norm.trainable = False
    return net

# %% beat: a dense head in Keras
def predict_from_few(base, images, labels, new_images):
    def features(x):
        return keras.ops.reshape(base(x.astype("float32") / 127.5 - 1), (len(x), -1))

    head = keras.Sequential([keras.layers.Dense(5, "softmax", kernel_initializer="zeros")])
    head.compile(keras.optimizers.Adam(0.003), "sparse_categorical_crossentropy")
    head.fit(features(images), labels - 5, batch_size=50, epochs=20, verbose=0)
    return np.argmax(head(features(new_images)), axis=1) + 5

# %% beat: a support vector machine on MobileNet's preprocess_input, as a list
def predict_from_few(base, images, labels, new_images):
    from sklearn.svm import SVC

    prepare = keras.applications.mobilenet.preprocess_input
    old, new = (
        np.array(base(prepare(x.astype("float32")))).reshape(len(x), -1)
        for x in (images, new_images)
    )
    return list(SVC(kernel="linear").fit(old, labels).predict(new))
