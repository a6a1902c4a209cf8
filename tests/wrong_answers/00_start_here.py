# Wrong answers to the exercises of notebook 00, as students write them. Each block begins with the
# exercise's name and a part of the message that the check must answer with.

# %% split: in one part, and once
def split_indices(n, validation, test, seed):
    rng = np.random.default_rng(seed)
    train = rng.choice(n, n - validation - test, replace=False)
    return train, rng.choice(n, validation, replace=False), rng.choice(n, test, replace=False)

# %% split: not shuffled
def split_indices(n, validation, test, seed):
    order = np.arange(n)
    return order[validation + test :], order[:validation], order[validation : validation + test]

# %% split: same seed
def split_indices(n, validation, test, seed):
    order = np.random.default_rng().permutation(n)
    return order[validation + test :], order[:validation], order[validation : validation + test]

# %% split: training, validation, test should have
def split_indices(n, validation, test, seed):
    order = np.random.default_rng(seed).permutation(n)
    return order[:validation], order[validation : validation + test], order[validation + test :]

# %% split: another seed gives the same split
def split_indices(n, validation, test, seed):
    order = np.random.default_rng(42).permutation(n)
    return order[validation + test :], order[:validation], order[validation : validation + test]
