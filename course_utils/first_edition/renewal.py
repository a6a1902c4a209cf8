"""Making a compiled network as if it were new, and keeping its graph.

Compiling another one would trace its graph again, which takes longer than a short training.
"""

from __future__ import annotations

import numpy as np


def renew(network, new):
    """Give a compiled network the weights of a new one, and an optimizer that has seen nothing.

    What else a layer keeps, such as the state of dropout's random numbers, becomes that of `new`.

    Parameters
    ----------
    network : keras.Model
        Compiled.
    new : keras.Model
        Freshly built in the same way; need not be compiled.

    Returns
    -------
    keras.Model
        `network`.
    """
    for old, fresh in zip(network.variables, new.variables, strict=True):
        old.assign(fresh)
    forget(network.optimizer)
    return network


def kept(build, optimizer="adam", loss="sparse_categorical_crossentropy", **options):
    """Compile a network once, and return a function that gives it as if it were built anew.

    For many short trainings. Each call draws first weights from the random numbers of the moment,
    as `build` does, and hands out the same object: what you want of a training, take before the
    next call.

    Parameters
    ----------
    build : callable
        Returns a new `keras.Model`, not compiled.
    optimizer, loss, **options
        For `model.compile`; the learning rate must be a number, no schedule.

    Returns
    -------
    callable
        Without arguments.

    Raises
    ------
    ValueError
        If the learning rate is a schedule.
    """
    import keras

    network = build()
    network.compile(optimizer, loss, **options)
    schedule = network.optimizer._learning_rate
    if isinstance(schedule, keras.optimizers.schedules.LearningRateSchedule):
        kind = type(schedule).__name__
        raise ValueError(f"the learning rate must be a number, to begin with it again: got {kind}")
    rate = float(network.optimizer.learning_rate)

    def make():
        renew(network, build())
        network.optimizer.learning_rate = rate
        return network

    return make


def reseed(network, seed):
    """Give a compiled network the first weights of a seed, as `renew` does.

    Parameters
    ----------
    network : keras.Model
        Compiled.
    seed : int

    Returns
    -------
    keras.Model
        `network`.
    """
    import keras

    keras.utils.set_random_seed(seed)
    return renew(network, keras.models.clone_model(network))


def forget(optimizer):
    """Set what an optimizer remembers to 0, as before the first step; its learning rate stays.

    Right for SGD, RMSprop and Adam, whose states begin at 0.

    Parameters
    ----------
    optimizer : keras.optimizers.Optimizer
    """
    for state in optimizer.variables:
        if state is not optimizer._learning_rate:
            state.assign(np.zeros(state.shape, state.dtype))
