"""Learning rates that change at every step, a finder for them, and training in one graph."""

from __future__ import annotations

from contextlib import contextmanager

import numpy as np

from .renewal import forget
from .sizes import whole


def one_cycle(steps, peak, *, rise=0.3, start=1 / 25, end=1 / 250_000):
    """Return the learning rate of every step of a cosine 1cycle.

    The rate climbs along half a cosine from `start` times the peak to the peak, and falls along
    another to `end` times the peak, which the last step has (Smith and Topin, "Super-convergence",
    2018; the cosine form and these defaults are those of PyTorch's `OneCycleLR`, which places the
    peak one step earlier).

    Parameters
    ----------
    steps : int
        Weight updates of the whole training, at least 2.
    peak : float
        The largest rate. A step that does not fall on it exactly stays a little below.
    rise : float
        Where the peak is on the way from the first step, 0, to the last, 1.
    start, end : float
        First and last rate, as shares of `peak`.

    Returns
    -------
    ndarray of float (steps,)

    Raises
    ------
    ValueError
        For fewer than 2 steps, a peak of 0 or less, or a rise that is not between 0 and 1.
    """
    steps = whole("steps", steps, least=2)
    if not peak > 0:
        raise ValueError(f"peak must be above 0: got {peak!r}")
    if not 0 < rise < 1:
        raise ValueError(f"rise must be between 0 and 1: got {rise!r}")
    at = np.linspace(0, 1, steps)
    rising = _between(start, 1.0, at / rise)
    falling = _between(1.0, end, (at - rise) / (1 - rise))
    return peak * np.where(at < rise, rising, falling)


def _between(first, last, share):
    return last + (first - last) * (1 + np.cos(np.pi * share)) / 2


def train(network, images, targets, rates, batch_size):
    """Train a compiled network for one step a learning rate, in the order of the images.

    As `fit` without shuffling and without metrics. But `fit` comes back to Python after every step,
    which takes longer than a small network's step itself; here the whole training is one graph,
    which the network keeps for the next time.

    Parameters
    ----------
    network : keras.Model
        Compiled with an optimizer whose learning rate is a number.
    images, targets : arrays (n, …)
        Step k gets the rows from k · `batch_size` on.
    rates : sequence of float
        At most as many as there are batches.
    batch_size : int

    Returns
    -------
    ndarray (steps,)
        Loss of each step's batch, before the step.

    Raises
    ------
    ValueError
        For more rates than batches.
    """
    import tensorflow as tf

    rates = np.asarray(rates, dtype="float32")
    if len(rates) > (batches := -(-len(images) // batch_size)):
        raise ValueError(f"rates must be at most one a batch, {batches}: got {len(rates)}")
    optimizer = network.optimizer  # keeps the graph, since compiling anew brings another optimizer
    if not hasattr(optimizer, "_steps_in_one_graph"):
        optimizer._steps_in_one_graph = _in_one_graph(network)
    # As tensors, since another number would make another graph.
    given = (tf.constant(each) for each in (images, targets, rates, batch_size))
    with _graphs_as_they_are():
        return optimizer._steps_in_one_graph(*given).numpy()


def fit(network, images, targets, *, epochs, batch_size, seed):
    """Train a compiled network as its own `fit` does, in less time if it is small; see `train`.

    Parameters
    ----------
    network : keras.Model
        Compiled with an optimizer whose learning rate is a number.
    images, targets : arrays (n, …)
    epochs, batch_size : int
    seed : int
        For the order of the images, another one in each epoch.

    Returns
    -------
    ndarray (epochs,)
        Mean loss over the images of each epoch, each image's from before its step.
    """
    rng, rate = np.random.default_rng(seed), float(network.optimizer.learning_rate)
    starts = np.arange(0, len(images), batch_size)
    sizes = np.diff(starts, append=len(images))
    found = []
    for _ in range(epochs):
        order = rng.permutation(len(images))
        losses = train(network, images[order], targets[order], [rate] * len(starts), batch_size)
        found.append(np.average(losses, weights=sizes))
    return np.array(found)


@contextmanager
def _graphs_as_they_are():
    """Keep TensorFlow from rewriting graphs before it runs them.

    Every `keras.utils.set_random_seed` makes it forget what it has rewritten, and to do that again
    takes longer than a short training, whose steps are no faster for it.
    """
    from tensorflow import config

    before = config.optimizer.get_experimental_options().get("disable_meta_optimizer", False)
    config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
    try:
        yield
    finally:
        config.optimizer.set_experimental_options({"disable_meta_optimizer": before})


def _in_one_graph(network):
    import tensorflow as tf

    optimizer, weights = network.optimizer, network.trainable_variables
    optimizer.build(weights)

    @tf.function(reduce_retracing=True)
    def steps(images, targets, rates, size):
        losses = tf.TensorArray(tf.float32, size=len(rates))
        for k in tf.range(len(rates)):
            shown, wanted = (x[k * size : (k + 1) * size] for x in (images, targets))
            with tf.GradientTape() as tape:
                loss = network.compute_loss(shown, wanted, network(shown, training=True))
            optimizer.learning_rate.assign(rates[k])
            optimizer.apply(tape.gradient(loss, weights), weights)
            losses = losses.write(k, loss)
        return losses.stack()

    return steps


def find_rate(model, images, labels, *, lowest=1e-5, highest=1.0, steps=80, batch_size=50, seed=0):
    """Train through rising learning rates, and return the loss of each step's batch.

    The rates rise by the same factor from step to step; what is returned ends where the smoothed
    loss is four times its lowest, or a loss is no number (Smith, "Cyclical learning rates", 2017).
    The model's weights are as before afterwards, and its optimizer has seen nothing.

    Parameters
    ----------
    model : keras.Model
        Compiled; see `train`.
    images, labels : arrays
        Training data; each step draws a batch anew.
    lowest, highest : float
        First and last rate.
    steps, batch_size, seed : int

    Returns
    -------
    (ndarray, ndarray)
        Rates and losses, as many as steps were taken.

    Raises
    ------
    ValueError
        If not 0 < lowest < highest, or for fewer than 2 steps.
    """
    if not 0 < lowest < highest:
        raise ValueError(f"rates must rise from above 0: got {lowest!r} to {highest!r}")
    rates = np.geomspace(lowest, highest, whole("steps", steps, least=2))
    rng, size = np.random.default_rng(seed), min(batch_size, len(images))
    drawn = np.concatenate([rng.choice(len(images), size, replace=False) for _ in rates])
    before = model.get_weights()
    losses = train(model, images[drawn], labels[drawn], rates, size)
    model.set_weights(before)
    forget(model.optimizer)
    seen = len(losses) if np.isfinite(losses).all() else int(np.argmin(np.isfinite(losses)))
    curve = smoothed(losses[:seen])  # a single batch may be hard, or easy
    off = curve > 4 * np.minimum.accumulate(curve)
    end = int(np.argmax(off)) + 1 if off.any() else seen
    return rates[:end], losses[:end]


def smoothed(values, weight=0.8):
    """Return the exponential moving average of a curve, divided by the weights so far.

    Without this division the first values would be drawn to 0, where the average starts.
    """
    values = np.asarray(values, dtype=float)
    average, found = 0.0, []
    for step, value in enumerate(values, start=1):
        average = weight * average + (1 - weight) * value
        found.append(average / (1 - weight**step))
    return np.array(found)


def suggest_rate(rates, losses):
    """Return a tenth of the rate at which the smoothed loss is lowest: a rule of thumb.

    At the lowest loss itself, the next steps already make it worse.

    Raises
    ------
    ValueError
        Without any step, or if the loss is lowest at the end: then the rates that are too large
        have not been seen.
    """
    if not len(rates):
        raise ValueError("rates must hold at least one step: got none")
    lowest = int(np.argmin(smoothed(losses)))
    if lowest == len(rates) - 1:
        raise ValueError(
            f"the loss is still falling at the last rate, {rates[-1]:.2g}: sweep to higher rates"
        )
    return float(rates[lowest]) / 10
