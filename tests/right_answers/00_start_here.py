# Right answers to the exercises of notebook 00, written in other ways than the solution.

# %% split: a generator's own shuffle
def split_indices(n, validation, test, seed):
    order = np.arange(n)
    np.random.default_rng(seed).shuffle(order)
    train = n - validation - test
    return [list(order[:train]), list(order[train : train + validation]), order[n - test :]]

# %% baseline: by unique values, in float32
def majority_accuracy(train_labels, validation_labels):
    values, counts = np.unique(train_labels, return_counts=True)
    return np.float32(np.mean(validation_labels == values[np.argmax(counts)]))

# %% count: by Keras itself
def conv_parameters(kernel_size, channels, filters):
    layer = keras.layers.Conv2D(filters, kernel_size)
    layer.build((None, 28, 28, channels))
    return layer.count_params()
