"""What notebook 04 computes: penalised minima, decay, cutout, networks without some units.

Nothing here draws. Keras is imported where it is used.
"""

from __future__ import annotations

import numpy as np

from .choices import one_of

PENALTIES = ("L1", "L2")


def _not_negative(name, value):
    if not value >= 0:
        raise ValueError(f"{name} must be at least 0: got {value!r}")


def penalty(weights, kind, strength):
    """Return λΣ|w| or λΣw², as Keras' regularizers do: there is no ½ in the latter.

    Parameters
    ----------
    weights : array
    kind : {"L1", "L2"}
    strength : float
        λ, at least 0.
    """
    one_of("kind", kind, PENALTIES)
    _not_negative("strength", strength)
    weights = np.asarray(weights, float)
    return float(strength * (np.abs(weights) if kind == "L1" else weights**2).sum())


def proximal(weights, kind, strength):
    """Return the point v that makes ½(v − w)² + penalty(v) smallest, for each weight w.

    For L1 it is the soft threshold, max(|w| − λ, 0) with the sign of w, and exactly zero up to λ;
    for L2 it is w / (1 + 2λ), which is zero for w = 0 only. After a gradient step of rate r, pass
    r·λ. Source: Parikh and Boyd, *Proximal algorithms*, 2014, section 6.5.2.

    Parameters
    ----------
    weights : array
    kind : {"L1", "L2"}
    strength : float
        λ times the learning rate, at least 0.

    Returns
    -------
    ndarray, shape of `weights`
    """
    one_of("kind", kind, PENALTIES)
    _not_negative("strength", strength)
    weights = np.asarray(weights, float)
    if kind == "L2":
        return weights / (1 + 2 * strength)
    return np.sign(weights) * np.maximum(np.abs(weights) - strength, 0)


def proximal_descent(inputs, targets, start, *, strength, rate, steps):
    """Fit a regression with an L1 penalty: a gradient step, then the soft threshold.

    Parameters
    ----------
    inputs, targets : array (n, features), array (n,)
        The loss is the mean squared error.
    start : array (features,)
        The first weights.
    strength : float
        λ, at least 0.
    rate : float
        Learning rate.
    steps : int

    Returns
    -------
    ndarray (features,)
    """
    weights = np.array(start, float)
    for _ in range(steps):
        gradient = 2 * inputs.T @ (inputs @ weights - targets) / len(targets)
        weights = proximal(weights - rate * gradient, "L1", rate * strength)
    return weights


def penalised_minimum(hessian, target, kind, strength, steps=4000):
    """Find the minimum of ½(w − target)ᵀ·hessian·(w − target) + penalty(w).

    Parameters
    ----------
    hessian : array (n, n)
        Symmetric, with eigenvalues above 0.
    target : array (n,)
        Where the loss alone is smallest.
    kind : {"L1", "L2"}
    strength : float
        λ, at least 0.
    steps : int
        Proximal gradient steps, for L1 (ISTA: Beck and Teboulle, 2009). L2 is solved outright.

    Returns
    -------
    ndarray, shape (n,)
    """
    one_of("kind", kind, PENALTIES)
    _not_negative("strength", strength)
    hessian, target = np.asarray(hessian, float), np.asarray(target, float)
    curvatures = np.linalg.eigvalsh(hessian)
    if curvatures[0] <= 0:
        raise ValueError(
            f"hessian must have eigenvalues above 0: the smallest is {curvatures[0]:.3g}"
        )
    pull = hessian @ target
    if kind == "L2":
        return np.linalg.solve(hessian + 2 * strength * np.eye(len(target)), pull)
    rate = 1 / curvatures[-1]
    weights = target.copy()
    for _ in range(steps):
        weights = proximal(weights - rate * (hessian @ weights - pull), "L1", rate * strength)
    return weights


def sparse_problem(seed, examples=200, features=50, used=5, noise=0.3):
    """Draw a regression in which only a few of many features matter.

    Returns
    -------
    (ndarray (examples, features), ndarray (examples,), ndarray (features,))
        Features, targets, and the true weights: `used` of them between 1 and 3 in size, at random
        places, and the others 0.
    """
    rng = np.random.default_rng(seed)
    weights = np.zeros(features)
    chosen = rng.choice(features, used, replace=False)
    weights[chosen] = rng.uniform(1, 3, used) * rng.choice([-1, 1], used)
    inputs = rng.normal(size=(examples, features))
    return inputs, inputs @ weights + noise * rng.normal(size=examples), weights


def decay_traces(optimizer, noise, steps, *, strength=0.0, seed=0):
    """Let an optimizer move weights that start at 1 and whose gradients are noise around zero.

    Parameters
    ----------
    optimizer : keras.optimizers.Optimizer
        A fresh one.
    noise : mapping from name to float
        Standard deviation of the gradients of each group of 100 weights. All groups get the same
        draws, times this.
    steps : int
    strength : float
        λ of an L2 penalty, whose gradient 2λw is added to the noise.
    seed : int

    Returns
    -------
    dict from name to ndarray (steps + 1,)
        The mean weight of each group before the first step and after each.
    """
    import keras

    rng = np.random.default_rng(seed)
    scales = np.repeat(list(noise.values()), 100).astype("float32")
    weights = keras.Variable(np.ones(len(scales), "float32"))
    rows = [weights.numpy()]
    for _ in range(steps):
        draws = np.tile(rng.normal(size=100), len(noise)).astype("float32")
        gradient = scales * draws + 2 * strength * rows[-1]
        optimizer.apply([keras.ops.convert_to_tensor(gradient, "float32")], [weights])
        rows.append(weights.numpy().copy())
    means = np.reshape(rows, (steps + 1, len(noise), 100)).mean(axis=2)
    return dict(zip(noise, means.T, strict=True))


def cutout(images, size, rng, value=0):
    """Cover a random square of each image; near an edge only a part of it lies inside.

    Source: DeVries and Taylor, *Improved regularization of convolutional neural networks with
    cutout*, 2017.

    Parameters
    ----------
    images : array (n, h, w, c)
    size : int
        Side of the square in pixels, at least 0; its centre may be any pixel.
    rng : numpy.random.Generator
    value : number
        What the square is filled with.

    Returns
    -------
    ndarray, shape and dtype of `images`
    """
    if size < 0:
        raise ValueError(f"size must be at least 0: got {size}")
    images = np.array(images)
    height, width = images.shape[1:3]
    for image in images:
        top, left = rng.integers(height) - size // 2, rng.integers(width) - size // 2
        image[max(top, 0) : max(top + size, 0), max(left, 0) : max(left + size, 0)] = value
    return images


def covered_share(size, side):
    """Return the expected share of an image of side × side that `cutout` covers."""
    tops = np.arange(side) - size // 2
    inside = np.minimum(tops + size, side) - np.maximum(tops, 0)
    return float((inside.mean() / side) ** 2)


def ridge_accuracy(train, validation, strengths):
    """Fit linear classifiers with an L2 penalty, for many λ at once, and score them.

    One-hot targets, squared error summed over the images, penalty λΣw²; pixels are divided by 255
    and centred. The minimum is written down outright from one eigendecomposition.

    Parameters
    ----------
    train, validation : (images, labels)
        uint8 images (n, …) and labels (n,).
    strengths : sequence of float
        λ, above 0.

    Returns
    -------
    list of float
        Validation accuracy for each λ.
    """
    strengths = np.asarray(strengths, float)
    if not (strengths > 0).all():
        raise ValueError(f"strengths must be above 0: got {strengths.min()}")
    (images, labels), (held_out, truth) = train, validation
    rows, others = (x.reshape(len(x), -1) / 255.0 for x in (images, held_out))
    mean = rows.mean(axis=0)
    targets = np.eye(labels.max() + 1)[labels]
    # With fewer images than pixels, the matrix of their products is the smaller one.
    sizes, left = np.linalg.eigh((rows - mean) @ (rows - mean).T)
    projected = left.T @ (targets - targets.mean(axis=0))
    seen = (others - mean) @ (rows - mean).T @ left
    found = []
    for strength in strengths:
        scores = (seen / (sizes + strength)) @ projected + targets.mean(axis=0)
        found.append(float((scores.argmax(axis=1) == truth).mean()))
    return found


def penalise(network, regularizer):
    """Give every kernel of a network, which need not know of it, the same regularizer or None."""
    for layer in network.layers:
        if hasattr(layer, "kernel"):
            layer.kernel.regularizer = regularizer


def all_kernels(network):
    """Return the kernels of all layers of a network, one after the other, as one array (n,)."""
    found = [np.ravel(layer.kernel) for layer in network.layers if hasattr(layer, "kernel")]
    return np.concatenate(found)


def mean_correlation(hidden):
    """Return the mean |correlation| of all pairs of units; units that never change are left out.

    Parameters
    ----------
    hidden : array (examples, units)
    """
    live = hidden[:, hidden.std(axis=0) > 0]
    return float(np.abs(np.corrcoef(live.T)[np.triu_indices(live.shape[1], 1)]).mean())


def accuracy_without(layer, hidden, silenced, *, labels, rng, draws=20):
    """Silence random units before a dense output layer, scale the others up, and score.

    Parameters
    ----------
    layer : keras.layers.Dense
        The output layer.
    hidden : array (n, units)
        What goes into it.
    silenced : int
        How many units to set to zero, fewer than there are.
    labels : array (n,)
    rng : numpy.random.Generator
    draws : int
        How many random choices of units to average over.

    Returns
    -------
    float
        Accuracy.
    """
    units = hidden.shape[1]
    if not 0 <= silenced < units:
        raise ValueError(f"silenced must be from 0 to {units - 1}: got {silenced}")
    kernel, bias = layer.get_weights()
    found = []
    for _ in range(draws):
        kept = rng.permutation(units) >= silenced
        scores = (hidden * kept * (units / (units - silenced))) @ kernel + bias
        found.append((scores.argmax(axis=1) == labels).mean())
    return float(np.mean(found))


def smoothed_losses(epsilon, probabilities, classes=10):
    """Return Keras' cross-entropy with label smoothing for each probability of the right class.

    The other classes share the rest equally.

    Parameters
    ----------
    epsilon : float
        Label smoothing, from 0 to 1.
    probabilities : array (n,)
    classes : int

    Returns
    -------
    ndarray, shape (n,)
    """
    import keras

    probabilities = np.asarray(probabilities, float)[:, None]
    guesses = np.repeat((1 - probabilities) / (classes - 1), classes, axis=1)
    guesses[:, :1] = probabilities
    truth = np.tile(np.eye(classes)[0], (len(guesses), 1))
    loss = keras.losses.CategoricalCrossentropy(label_smoothing=epsilon, reduction=None)
    return np.asarray(loss(truth, guesses), float)
