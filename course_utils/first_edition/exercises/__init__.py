"""Exercises, one module a notebook, one class an exercise.

A module has the constant ``NOTEBOOK`` (the name of the file that its stubs stand in, without
``.ipynb``), and each of its exercises as a variable that bears the exercise's ``name``.
"""

from importlib import import_module
from pkgutil import iter_modules

from .base import Exercise


def modules():
    """Return the modules of exercises by name, in alphabetical order."""
    names = sorted(module.name for module in iter_modules(__path__) if module.name != "base")
    return {name: import_module(f".{name}", __name__) for name in names}


def registry():
    """Return every exercise of the course.

    Returns
    -------
    dict from (str, str) to Exercise
        By the name of its module and the name of the variable that holds it.
    """
    return {
        (name, variable): value
        for name, module in modules().items()
        for variable, value in vars(module).items()
        if isinstance(value, Exercise)
    }
