# Right answers to the exercises of notebook 04, written in other ways than the reference.

# %% gradient: by a loop over the weights, as a list
def l2_gradient(w, lam):
    flat = [2 * lam * value for value in np.ravel(w)]
    return np.reshape(flat, np.shape(w)).tolist()

# %% gradient: by automatic differentiation, in float32
def l2_gradient(weights, strength):
    import tensorflow as tf

    variable = tf.Variable(weights.astype("float32"))
    with tf.GradientTape() as tape:
        penalty = strength * tf.reduce_sum(variable**2)
    return tape.gradient(penalty, variable)

# %% gradient: Keras' own penalty
def l2_gradient(weights, strength):
    import tensorflow as tf

    variable = tf.Variable(weights, dtype="float32")
    with tf.GradientTape() as tape:
        penalty = keras.regularizers.L2(strength)(variable)
    return tape.gradient(penalty, variable).numpy()

# %% proximal: the threshold by cases
def lasso(X, y, lam, lr, steps):
    n, d = X.shape
    w = np.zeros((d,))
    t = lr * lam
    for _ in range(steps):
        v = w - lr * (2 / n) * X.T.dot(X.dot(w) - y)
        w = np.where(v > t, v - t, np.where(v < -t, v + t, 0.0))
    return w

# %% proximal: in float32
def lasso(inputs, targets, strength, rate, steps):
    inputs, targets = inputs.astype("float32"), targets.astype("float32")
    weights = np.zeros(inputs.shape[1], "float32")
    for _ in range(steps):
        gradient = 2 * np.mean((inputs @ weights - targets)[:, None] * inputs, axis=0)
        weights = weights - np.float32(rate) * gradient
        weights -= np.clip(weights, -rate * strength, rate * strength)
    return weights

# %% penalty: ask the model for its losses
def hidden_penalty(model, images, labels):
    return sum(model.losses)

# %% penalty: the cross-entropy by hand
def hidden_penalty(model, x, y):
    p = model.predict(x, verbose=0)
    entropy = -np.log(p[np.arange(len(y)), y]).mean()
    return model.evaluate(x, y, verbose=0) - entropy

# %% penalty: the loss as an object
def hidden_penalty(model, images, labels):
    loss = keras.losses.SparseCategoricalCrossentropy()
    return model.evaluate(images, labels, verbose=0) - float(loss(labels, model(images)))

# %% dropout: by a choice, and a copy
def inverted_dropout(activations, rate, training, rng):
    result = np.array(activations, copy=True)
    if training:
        mask = rng.choice([0.0, 1.0], size=result.shape, p=[rate, 1 - rate])
        result = result * mask / (1 - rate)
    return result

# %% dropout: by np.where, in float32
def inverted_dropout(x, p, train, generator):
    if train is False:
        return x
    dropped = generator.random(x.shape, dtype="float32") < p
    return np.where(dropped, 0, x / (1 - p)).astype("float32")

# %% dropout: binomial
def inverted_dropout(activations, rate, training, rng):
    if training:
        return activations * rng.binomial(1, 1 - rate, activations.shape) / (1 - rate)
    return activations

# %% augment: the layers in the other order
def build_augmentation():
    model = keras.Sequential()
    model.add(keras.layers.RandomTranslation(height_factor=0.1, width_factor=(-0.1, 0.1)))
    model.add(keras.layers.RandomFlip(mode="horizontal", seed=3))
    return model

# %% augment: a functional model, filled with a constant
def build_augmentation():
    images = keras.Input((None, None, 3))
    x = keras.layers.RandomFlip("horizontal")(images)
    x = keras.layers.RandomTranslation(0.1, 0.1, fill_mode="constant", interpolation="nearest")(x)
    return keras.Model(images, x)

# %% augment: Keras' pipeline of layers
def build_augmentation():
    return keras.layers.Pipeline([
        keras.layers.RandomFlip("horizontal"), keras.layers.RandomTranslation(0.1, 0.1)
    ])
