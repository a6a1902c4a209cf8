# Wrong answers to the exercises of notebook 04, as students write them. Each block begins with the
# exercise's name and a part of the message that the check must answer with.

# %% penalty: the result should be
def hidden_penalty(model, images, labels):
    return 0.3 * np.sum(model.get_weights()[0] ** 2)

# %% dropout: multiply what stays by 1.333: got 1.
def inverted_dropout(activations, rate, training, rng):
    if not training:
        return activations
    return activations * (rng.random(activations.shape) >= rate)

# %% dropout: dropped together
def inverted_dropout(activations, rate, training, rng):
    if not training:
        return activations
    kept = rng.random(activations.shape[1]) >= rate
    return activations * kept / (1 - rate)

# %% dropout: with training=False
def inverted_dropout(activations, rate, training, rng):
    kept = rng.random(activations.shape) >= rate
    return activations * kept / (1 - rate)

# %% dropout: rate is the share that is dropped
def inverted_dropout(activations, rate, training, rng):
    if not training:
        return activations
    kept = rng.random(activations.shape) < rate
    return activations * kept / rate

# %% dropout: at prediction, by 1 - rate
def inverted_dropout(activations, rate, training, rng):
    if not training:
        return activations * (1 - rate)
    return activations * (rng.random(activations.shape) >= rate)

# %% dropout: the same seed must drop the same
def inverted_dropout(activations, rate, training, rng):
    if not training:
        return activations
    return activations * (np.random.random(activations.shape) >= rate) / (1 - rate)

# %% dropout: draw a new mask
def inverted_dropout(activations, rate, training, rng):
    if not training:
        return activations
    rng = np.random.default_rng(42)
    return activations * (rng.random(activations.shape) >= rate) / (1 - rate)

# %% dropout: dropped together
def inverted_dropout(activations, rate, training, rng):
    if not training:
        return activations
    kept = rng.random(activations.shape[:-1]) >= rate
    return activations * kept[..., None] / (1 - rate)

# %% dropout: are zeros
def inverted_dropout(activations, rate, training, rng):
    if not training:
        return activations
    kept = rng.random(activations.shape) >= rate / 2
    return activations * kept / (1 - rate)

# %% augment: upside down
def build_augmentation():
    return keras.Sequential([
        keras.layers.RandomFlip("horizontal_and_vertical"),
        keras.layers.RandomTranslation(0.1, 0.1),
    ])

# %% augment: turned, zoomed or recoloured
def build_augmentation():
    return keras.Sequential([
        keras.layers.RandomFlip("horizontal"),
        keras.layers.RandomTranslation(0.1, 0.1),
        keras.layers.RandomRotation(0.05),
    ])

# %% augment: turned, zoomed or recoloured
def build_augmentation():
    return keras.Sequential([
        keras.layers.RandomFlip("horizontal"),
        keras.layers.RandomTranslation(0.1, 0.1),
        keras.layers.RandomZoom(0.1),
    ])

# %% augment: 0% of 400 images are mirrored
def build_augmentation():
    return keras.Sequential([keras.layers.RandomTranslation(0.1, 0.1)])

# %% augment: moved up and down by
def build_augmentation():
    return keras.Sequential([keras.layers.RandomFlip("horizontal")])

# %% augment: moved left and right by
def build_augmentation():
    return keras.Sequential([
        keras.layers.RandomFlip("horizontal"), keras.layers.RandomTranslation(0.1, 0.2)
    ])

# %% augment: turned, zoomed or recoloured
def build_augmentation():
    return keras.Sequential([
        keras.layers.RandomFlip("horizontal"),
        keras.layers.RandomTranslation(0.1, 0.1),
        keras.layers.RandomBrightness(0.2, value_range=(0, 255)),
    ])

# %% augment: got a list
def build_augmentation():
    return [keras.layers.RandomFlip("horizontal"), keras.layers.RandomTranslation(0.1, 0.1)]

# %% augment: with training=False
def build_augmentation():
    return keras.Sequential([
        keras.layers.Lambda(lambda images: images[:, :, ::-1]),
        keras.layers.RandomTranslation(0.1, 0.1),
    ])

# %% augment: moved up and down together
def build_augmentation():
    class Together(keras.layers.Layer):
        def call(self, images, training=False):
            return keras.ops.roll(images, 3, axis=1) if training else images

    return keras.Sequential([
        keras.layers.RandomFlip("horizontal"), Together(), keras.layers.RandomTranslation(0.0, 0.1)
    ])
# %% penalty: should be
def hidden_penalty(model, images, labels):
    entropy = keras.losses.sparse_categorical_crossentropy(labels, model(images, training=True))
    return model.evaluate(images, labels, verbose=0) - float(np.mean(entropy))
# %% penalty: should be
def hidden_penalty(model, images, labels):
    return sum(float(w.regularizer(w)) for w in model.weights if w.regularizer is not None)
# %% dropout: with rate 0.25
def inverted_dropout(activations, rate, training, rng):
    kept = rng.integers(0, 10, size=activations.shape) >= int(rate * 10)
    return activations * kept / (1 - rate) if training else activations
# %% dropout: the same number
def inverted_dropout(activations, rate, training, rng):
    kept = np.arange(activations.size) >= int(rate * activations.size)
    kept = rng.permutation(kept).reshape(activations.shape)
    return activations * kept / (1 - rate) if training else activations
