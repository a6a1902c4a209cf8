"""Variants that other processes can import; they need NumPy only."""

import os
import time

import numpy as np


def noisy(seed, shift=0.0):
    """Return the same noise for all variants of a seed, and a shift."""
    value = float(np.random.normal()) + shift
    curves = {"val_loss": [1.0, 0.5, 0.25 + seed]}
    return {"accuracy": value, "curves": curves, "parameters": 7, "process": os.getpid()}


def shifted(seed):
    return noisy(seed, shift=1.0)


def slow(seed):
    time.sleep(0.2)
    return noisy(seed)
