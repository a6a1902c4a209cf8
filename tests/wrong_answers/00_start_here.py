# Wrong answers to the exercises of notebook 00, as students write them. Each block begins with the
# exercise's name and a part of the message that the check must answer with.

# %% split: stand in more than one part
def split_indices(n, validation, test, seed):
    rng = np.random.default_rng(seed)
    train = rng.choice(n, n - validation - test, replace=False)
    return train, rng.choice(n, validation, replace=False), rng.choice(n, test, replace=False)

# %% split: were not shuffled
def split_indices(n, validation, test, seed):
    order = np.arange(n)
    return order[validation + test :], order[:validation], order[validation : validation + test]

# %% split: same seed
def split_indices(n, validation, test, seed):
    order = np.random.default_rng().permutation(n)
    return order[validation + test :], order[:validation], order[validation : validation + test]

# %% split: in this order: train, validation, test
def split_indices(n, validation, test, seed):
    order = np.random.default_rng(seed).permutation(n)
    return order[:validation], order[validation : validation + test], order[validation + test :]

# %% baseline: looked at the validation labels to choose
def majority_accuracy(train_labels, validation_labels):
    guess = np.bincount(validation_labels).argmax()
    return (validation_labels == guess).mean()

# %% baseline: measured on the training labels
def majority_accuracy(train_labels, validation_labels):
    guess = np.bincount(train_labels).argmax()
    return (train_labels == guess).mean()

# %% baseline: one divided by the number of classes
def majority_accuracy(train_labels, validation_labels):
    return 1 / len(np.unique(train_labels))

# %% baseline: a fraction between 0 and 1
def majority_accuracy(train_labels, validation_labels):
    guess = np.bincount(train_labels).argmax()
    return 100 * (validation_labels == guess).mean()

# %% count: biases are missing
def conv_parameters(kernel_size, channels, filters):
    return kernel_size * kernel_size * channels * filters

# %% count: all its input channels
def conv_parameters(kernel_size, channels, filters):
    return (kernel_size * kernel_size + 1) * filters

# %% count: one bias for each filter
def conv_parameters(kernel_size, channels, filters):
    return kernel_size * kernel_size * channels * filters + 1

# %% count: kernel_size rows and kernel_size columns
def conv_parameters(kernel_size, channels, filters):
    return (kernel_size * channels + 1) * filters

# %% split: another seed gives the same split
def split_indices(n, validation, test, seed):
    order = np.random.default_rng(42).permutation(n)
    return order[validation + test :], order[:validation], order[validation : validation + test]

# %% baseline: not that is wrong
def majority_accuracy(train_labels, validation_labels):
    return (validation_labels != np.bincount(train_labels).argmax()).mean()

# %% count: not to each channel
def conv_parameters(kernel_size, channels, filters):
    return (kernel_size**2 + 1) * channels * filters
