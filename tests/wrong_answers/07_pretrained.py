# Wrong answers to the exercises of notebook 07, as students write them. Each block begins with the
# exercise's name and a part of the message that the check must answer with.

# %% counts: weights are left to train
def weights_left(model, n):
    for layer in model.layers[-n:]:
        layer.trainable = False
    return sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)

# %% counts: the model's layers are not frozen
def weights_left(model, n):
    rest = model.layers[n:]
    return sum(int(np.prod(w.shape)) for layer in rest for w in layer.trainable_weights)

# %% head: the base still trains
def swap_head(model, classes):
    base = model.layers[0]
    head = keras.layers.Dense(classes, activation="softmax")
    return keras.Sequential([base, head])

# %% head: should have the shapes
def swap_head(model, classes):
    base = model
    base.trainable = False
    head = keras.layers.Dense(classes, activation="softmax")
    return keras.Sequential([base, head])

# %% head: not the trained one
def swap_head(model, classes):
    base = keras.models.clone_model(model.layers[0])
    base.trainable = False
    head = keras.layers.Dense(classes, activation="softmax")
    return keras.Sequential([base, head])

# %% head: do not sum to 1
def swap_head(model, classes):
    base = model.layers[0]
    base.trainable = False
    head = keras.layers.Dense(classes)
    return keras.Sequential([base, head])

# %% head: one score a class
def swap_head(model, classes):
    base = model.layers[0]
    base.trainable = False
    head = keras.layers.Dense(model.output_shape[-1], activation="softmax")
    return keras.Sequential([base, head])

# %% head: got []
def swap_head(model, classes):
    base = model.layers[0]
    base.trainable = False
    head = keras.layers.Dense(classes, activation="softmax")
    new = keras.Sequential([base, head])
    new.trainable = False
    return new

# %% head: not the trained one
def swap_head(model, classes):
    base = keras.models.clone_model(model.layers[0])
    base.set_weights(model.layers[0].get_weights())
    base.trainable = False
    return keras.Sequential([base, keras.layers.Dense(classes, activation="softmax")])

# %% head: return a new Keras model
def swap_head(model, classes):
    model.layers[0].trainable = False
    return keras.layers.Dense(classes, activation="softmax")(model.layers[0].output)

# %% thaw: freeze each batch normalization
def thaw(base):
    for layer in base.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.trainable = False
    base.trainable = True
    return base

# %% thaw: the base as a whole is still frozen
def thaw(base):
    for layer in base.layers:
        layer.trainable = not isinstance(layer, keras.layers.BatchNormalization)
    return base

# %% thaw: kernels stay frozen
def thaw(base):
    base.trainable = True
    for layer in base.layers:
        if layer.weights or isinstance(layer, keras.layers.BatchNormalization):
            layer.trainable = False
    return base

# %% thaw: does its last line say return
def thaw(base):
    base.trainable = True
    for layer in base.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.trainable = False

# %% thaw: return the base that you got
def thaw(base):
    new = keras.models.clone_model(base)
    new.trainable = True
    for layer in new.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.trainable = False
    return new

# %% beat: right, from scratch
def predict_from_few(base, images, labels, new_images):
    from sklearn.linear_model import LogisticRegression

    features = images.reshape(len(images), -1) / 255
    judge = LogisticRegression(max_iter=1000).fit(features, labels)
    return judge.predict(new_images.reshape(len(new_images), -1) / 255)

# %% beat: return one label an image
def predict_from_few(base, images, labels, new_images):
    from sklearn.linear_model import LogisticRegression

    features = base(images / 127.5 - 1, training=False).numpy().reshape(len(images), -1)
    judge = LogisticRegression(max_iter=1000).fit(features, labels)
    new = base(new_images / 127.5 - 1, training=False).numpy().reshape(len(new_images), -1)
    return judge.predict_proba(new)

# %% beat: your function changed the base
def predict_from_few(base, images, labels, new_images):
    from sklearn.linear_model import LogisticRegression

    features = base(images / 127.5 - 1, training=True).numpy().reshape(len(images), -1)
    judge = LogisticRegression(max_iter=1000).fit(features, labels)
    new = base(new_images / 127.5 - 1, training=False).numpy().reshape(len(new_images), -1)
    return judge.predict(new)

# %% beat: Does a head learn
def predict_from_few(base, images, labels, new_images):
    from sklearn.linear_model import LogisticRegression

    features = base(images / 255, training=False).numpy().reshape(len(images), -1)
    judge = LogisticRegression(max_iter=1000).fit(features, labels)
    new = base(new_images / 255, training=False).numpy().reshape(len(new_images), -1)
    return judge.predict(new)

# %% beat: the labels are 5 to 9
def predict_from_few(base, images, labels, new_images):
    from sklearn.linear_model import LogisticRegression

    features = base(images / 127.5 - 1, training=False).numpy().reshape(len(images), -1)
    judge = LogisticRegression(max_iter=1000).fit(features, labels - 5)
    new = base(new_images / 127.5 - 1, training=False).numpy().reshape(len(new_images), -1)
    return judge.predict(new)
