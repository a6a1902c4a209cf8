# Wrong answers to the exercises of notebook 04, as students write them. Each block begins with the
# exercise's name and a part of the message that the check must answer with.

# %% gradient: the factor 2 is missing
def l2_gradient(weights, strength):
    return strength * weights

# %% gradient: that is the penalty itself
def l2_gradient(weights, strength):
    return strength * np.sum(weights**2)

# %% gradient: divided by the number of weights
def l2_gradient(weights, strength):
    return 2 * strength * weights / weights.size

# %% gradient: the gradient of an L1 penalty
def l2_gradient(weights, strength):
    return strength * np.sign(weights)

# %% proximal: steps over zero
def lasso(inputs, targets, strength, rate, steps):
    weights = np.zeros(inputs.shape[1])
    for _ in range(steps):
        error = inputs @ weights - targets
        gradient = 2 * inputs.T @ error / len(targets) + strength * np.sign(weights)
        weights = weights - rate * gradient
    return weights

# %% proximal: the threshold is rate * strength
def lasso(inputs, targets, strength, rate, steps):
    weights = np.zeros(inputs.shape[1])
    for _ in range(steps):
        error = inputs @ weights - targets
        weights = weights - rate * 2 * inputs.T @ error / len(targets)
        weights = np.sign(weights) * np.maximum(np.abs(weights) - strength, 0)
    return weights

# %% proximal: large weights must shrink as well
def lasso(inputs, targets, strength, rate, steps):
    weights = np.zeros(inputs.shape[1])
    for _ in range(steps):
        error = inputs @ weights - targets
        weights = weights - rate * 2 * inputs.T @ error / len(targets)
    return np.where(np.abs(weights) > strength, weights, 0)

# %% proximal: the step for L2
def lasso(inputs, targets, strength, rate, steps):
    weights = np.zeros(inputs.shape[1])
    for _ in range(steps):
        error = inputs @ weights - targets
        weights = weights - rate * 2 * inputs.T @ error / len(targets)
        weights = weights / (1 + 2 * rate * strength)
    return weights

# %% penalty: counted twice
def hidden_penalty(model, images, labels):
    reported = model.evaluate(images, labels, verbose=0) + float(sum(model.losses))
    return reported - metrics.cross_entropy(model.predict(images, verbose=0), labels)

# %% penalty: the cross-entropy is still in it
def hidden_penalty(model, images, labels):
    return model.evaluate(images, labels, verbose=0)

# %% penalty: that is the cross-entropy
def hidden_penalty(model, images, labels):
    return metrics.cross_entropy(model.predict(images, verbose=0), labels)

# %% penalty: sign is turned
def hidden_penalty(model, images, labels):
    reported = model.evaluate(images, labels, verbose=0)
    return metrics.cross_entropy(model.predict(images, verbose=0), labels) - reported

# %% dropout: without rescaling
def dropout(activations, rate, training, rng):
    if not training:
        return activations
    return activations * (rng.random(activations.shape) >= rate)

# %% dropout: one mask for the whole batch
def dropout(activations, rate, training, rng):
    if not training:
        return activations
    kept = rng.random(activations.shape[1]) >= rate
    return activations * kept / (1 - rate)

# %% dropout: with training=False
def dropout(activations, rate, training, rng):
    kept = rng.random(activations.shape) >= rate
    return activations * kept / (1 - rate)

# %% dropout: rate is the share that is dropped
def dropout(activations, rate, training, rng):
    if not training:
        return activations
    kept = rng.random(activations.shape) < rate
    return activations * kept / rate

# %% dropout: at prediction, by 1 - rate
def dropout(activations, rate, training, rng):
    if not training:
        return activations * (1 - rate)
    return activations * (rng.random(activations.shape) >= rate)

# %% augment: upside down
def augment(images, labels, rng):
    coins = rng.random(len(images)) < 0.5
    return np.where(coins[:, None, None, None], images[:, ::-1], images), labels

# %% augment: one coin for the whole batch
def augment(images, labels, rng):
    return (images[:, :, ::-1] if rng.random() < 0.5 else images), labels

# %% augment: no longer stands at its label
def augment(images, labels, rng):
    coins = rng.random(len(images)) < 0.5
    images = np.where(coins[:, None, None, None], images[:, :, ::-1], images)
    return rng.permutation(images), labels

# %% augment: the labels must stay
def augment(images, labels, rng):
    coins = rng.random(len(images)) < 0.5
    images = np.where(coins[:, None, None, None], images[:, :, ::-1], images)
    return images, np.where(coins, 1 - labels, labels)

# %% augment: swapped the colour channels
def augment(images, labels, rng):
    coins = rng.random(len(images)) < 0.5
    return np.where(coins[:, None, None, None], images[..., ::-1], images), labels
