"""Many small trainings in little time, and the 1cycle learning rate.

Keras' `fit` returns to Python after each step, and traces each new model: with networks as small as
ours both take longer than the steps. Here a training is one graph, which `restart` keeps::

    for seed in seeds:
        training.restart(model, seed)
        losses = training.fit(model, images, labels, epochs=5, seed=seed)
"""

import random
from functools import lru_cache

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from .numpy_ops import whole


def fit(model, x, y, *, epochs, batch_size=32, seed=0):
    """Train a compiled model further, as its own `fit` does, without metrics and callbacks.

    `seed` is for the order of the rows, another one in each epoch. Returns the mean loss over the
    rows of each epoch, shape (epochs,), each row's from before its step.
    """
    rng, size = np.random.default_rng(seed), whole("batch_size", batch_size)
    shares = np.bincount(np.arange(len(x)) // size) / len(x)
    orders = [rng.permutation(len(x)) for _ in range(whole("epochs", epochs))]
    return np.array([shares @ _train(model, x, y, order, size) for order in orders])


def restart(model, seed):
    """Give a compiled model the first weights of a seed, and an optimizer that has seen nothing.

    They are those of a model built in the same way after `keras.utils.set_random_seed(seed)`.
    Returns the model.
    """
    if not model.compiled:
        raise ValueError(f"{model.name!r} must be compiled: call its compile(…) first")
    optimizer = type(model.optimizer).from_config(model.optimizer.get_config())
    # Where layers take their seeds from. After a new seed of its own, TensorFlow would prepare all
    # graphs again.
    random.seed(seed)
    # A clone of the layers only: Keras would compile that of a compiled model, or fail to.
    new = keras.models.clone_model(keras.Model(model.inputs, model.outputs))
    optimizer.build(model.trainable_variables)
    model.optimizer.build(model.trainable_variables)
    state = [*model.variables, *model.optimizer.variables]
    for old, fresh in zip(state, [*new.variables, *optimizer.variables], strict=True):
        old.assign(fresh)
    return model


def _train(model, x, y, order, batch_size):
    """Take one step for each batch of rows in `order`; return each batch's loss, from before."""
    if len(x) != len(y) or not model.compiled:
        raise ValueError(f"compile the model, and give x and y as many rows: {len(x)} and {len(y)}")
    given = (tf.convert_to_tensor(each) for each in (x, y, order, batch_size))  # no new graph
    return _steps(model, model.optimizer, repr(model.loss))(*given).numpy()


@lru_cache(maxsize=6)  # networks that take turns; each keeps its graph in memory
def _steps(model, optimizer, loss):
    """Return the graph of a training; a model that is compiled anew has another optimizer."""
    optimizer.build(model.trainable_variables)

    @tf.function(reduce_retracing=True)
    def steps(x, y, order, batch_size):
        losses = tf.TensorArray(tf.float32, size=0, dynamic_size=True)
        for start in tf.range(0, len(order), batch_size):
            rows = order[start : start + batch_size]
            shown, wanted = tf.gather(x, rows), tf.gather(y, rows)
            with tf.GradientTape() as tape:
                loss = model.compute_loss(shown, wanted, model(shown, training=True))
            gradients = tape.gradient(loss, model.trainable_variables)
            optimizer.apply(gradients, model.trainable_variables)
            losses = losses.write(losses.size(), loss)
        return losses.stack()

    return steps


@keras.saving.register_keras_serializable(package="course_utils")
class OneCycle(keras.optimizers.schedules.LearningRateSchedule):
    """A learning rate that climbs along half a cosine to its peak, and falls along another.

    It begins at 1/25 of the peak, is there after 0.3 of all `steps`, and ends at 1/250,000 of it:
    cosine and numbers are those of PyTorch's `OneCycleLR`. Smith and Topin, "Super-convergence"
    (2018), also move the momentum, against the rate: that is left out.
    """

    def __init__(self, peak, steps):
        if not peak > 0:
            raise ValueError(f"peak must be above 0: got {peak}")
        self.peak, self.steps = peak, whole("steps", steps, least=2)

    def __call__(self, step):
        """Return the rate of a step, counted from 0; after the last step it stays."""
        at = ops.minimum(ops.cast(step, "float32") / (self.steps - 1), 1.0)
        up, down = at / 0.3, (at - 0.3) / 0.7
        climbing = 1 + (1 / 25 - 1) * (1 + ops.cos(np.pi * up)) / 2
        falling = 1 / 250_000 + (1 - 1 / 250_000) * (1 + ops.cos(np.pi * down)) / 2
        return self.peak * ops.where(up < 1, climbing, falling)

    def get_config(self):
        """Return what `__init__` was given."""
        return {"peak": self.peak, "steps": self.steps}
