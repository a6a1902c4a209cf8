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
