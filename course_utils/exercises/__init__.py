"""Exercises, one module a notebook; ``base`` has how they work.

A module has the constant ``NOTEBOOK`` (the file of its stubs, without ``.ipynb``), and each of its
exercises as a variable of the exercise's name.
"""

from importlib import import_module
from pkgutil import iter_modules


def registry():
    """Return every exercise of the course, by the name of its module and its own."""
    from .base import Exercise

    names = sorted(module.name for module in iter_modules(__path__) if module.name != "base")
    return {
        (name, variable): value
        for name in names
        for variable, value in vars(import_module(f".{name}", __name__)).items()
        if isinstance(value, Exercise)
    }
