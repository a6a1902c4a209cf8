"""Helpers of the course: what a notebook writes as ``cu.start``, ``cu.show`` or ``cu.ledger``.

Each name is loaded at its first use, and so is each module (``cu.plotting``): importing this
package takes milliseconds, importing TensorFlow takes seconds.
"""

from difflib import get_close_matches
from importlib import import_module

_HOME = {
    **dict.fromkeys(("tic", "toc", "Timer"), "timing"),
    **dict.fromkeys(("predict", "claim"), "quiz"),
    "start": "session",
    "show": "plotting",
    "explore": "widgets",
    "load": "data",
    "ledger": "arithmetic",
    "stored": "experiments",
}
_MODULES = (
    "session timing plotting metrics quiz widgets data importing models layers numpy_ops "
    "arithmetic inspection stopping training experiments views exercises"
).split()


def one_of(argument, value, choices):
    """Return `value` if it is one of `choices`; otherwise a ValueError names the nearest."""
    choices = list(choices)
    if value in choices:
        return value
    near = get_close_matches(str(value).strip().lower(), choices, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    raise ValueError(f"{argument} must be one of {', '.join(choices)}: got {value!r}{hint}")


def __getattr__(name):
    if name in _HOME:
        return getattr(import_module(f".{_HOME[name]}", __name__), name)
    if name in _MODULES:
        return import_module(f".{name}", __name__)
    raise AttributeError(f"course_utils has no {name!r}; it has {', '.join(__dir__())}")


def __dir__():
    return sorted([*_HOME, *_MODULES])
