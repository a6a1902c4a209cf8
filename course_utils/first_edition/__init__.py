"""Helpers of the course, loaded when they are first used.

``import course_utils as cu`` is all that a notebook needs: ``cu.start``, ``cu.show``, ``cu.claim``
and the other names below resolve on first use, and so does every module (``cu.metrics``).
Nothing heavy is imported before that: TensorFlow takes seconds to load, this takes milliseconds.
"""

from importlib import import_module

from .choices import did_you_mean

_HOME_OF = {
    "tic": "timing",
    "toc": "timing",
    "Timer": "timing",
    "EpochTimer": "timing",
    "ledger": "arithmetic",
    "load": "data",
    "show": "plotting",
    "explore": "widgets",
    "predict": "claims",
    "claim": "claims",
    "say": "claims",
    "start": "session",
}
_MODULES = (
    "choices",
    "quiet",
    "timing",
    "arithmetic",
    "numpy_ops",
    "data",
    "intervals",
    "metrics",
    "models",
    "prechelt",
    "stopping",
    "runs",
    "renewal",
    "schedules",
    "experiments",
    "race",
    "best_network",
    "legibility",
    "plotting",
    "slides_log",
    "result_plots",
    "race_plots",
    "regularization",
    "regularization_runs",
    "regularization_plots",
    "batch_norm",
    "moments",
    "recipes",
    "normalization_plots",
    "recipe_plots",
    "improvements",
    "improvement_runs",
    "improvement_tables",
    "improvement_plots",
    "stopping_plots",
    "choosing_plots",
    "widgets",
    "exercises",
    "claims",
    "session",
)

__all__ = [*_HOME_OF, *_MODULES]


def __getattr__(name):
    if name in _HOME_OF:
        value = getattr(import_module(f".{_HOME_OF[name]}", __name__), name)
    elif name in _MODULES:
        value = import_module(f".{name}", __name__)
    else:
        hint = did_you_mean(name, __all__, f"it has {', '.join(sorted(__all__))}")
        raise AttributeError(f"course_utils has no {name!r}; {hint}")
    globals()[name] = value
    return value


def __dir__():
    return sorted(__all__)
