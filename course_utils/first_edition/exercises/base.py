"""How an exercise works: a check that answers in sentences, hints, a solution, mistakes."""

import html
import os
import re
from dataclasses import dataclass

import numpy as np

NOT_ATTEMPTED = "not attempted yet"
CORRECT = "correct"
WRONG = "not yet"


class Wrong(Exception):
    """Raised inside a check: the answer is wrong, and this sentence says how."""


class Untouched(Exception):
    """Raised inside a check: the answer is still the stub's ``...``."""


@dataclass(frozen=True)
class Mistake:
    """A wrong answer that students often give, and a part of the message that it must get."""

    code: str
    message: str


def changed(solution, message, *changes):
    """Return the mistake of a solution in which a line or two are others.

    Parameters
    ----------
    solution : str
    message : str
        As for `Mistake`.
    *changes : (str, str)
        What stands in the solution, once, and what the mistake has in its place.

    Raises
    ------
    ValueError
        If that does not stand there, or stands there twice: the mistake would be another one.
    """
    for old, new in changes:
        if solution.count(old) != 1:
            raise ValueError(
                f"a changed line must stand in the solution once: {old!r} is there "
                f"{solution.count(old)} times"
            )
        solution = solution.replace(old, new)
    return Mistake(solution, message)


@dataclass(frozen=True, repr=False)
class Verdict:
    """What a check found: a status, and a sentence or two for the student."""

    status: str
    message: str

    def __repr__(self):
        """Return the status and the message as one line, for a console."""
        return f"{self.status}: {self.message}" if self.message else self.status

    def _repr_html_(self):
        mark = {CORRECT: "✔", WRONG: "✘", NOT_ATTEMPTED: "○"}[self.status]
        text = re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(self.message))
        return f"<p>{mark} <b>{self.status[0].upper()}{self.status[1:]}.</b> {text}</p>"


class Exercise:
    """One exercise. A subclass gives the texts below and a ``verify``.

    Attributes
    ----------
    name : str
        The id of its stub cell is ``exercise-NAME``.
    answer : str
        The variable that the stub defines and that ``check`` is given.
    hints : tuple of str
        From a nudge to nearly all of it.
    solution_code : str
        Source that replaces the stub cell.
    typical_mistakes : tuple of Mistake
        Sources that replace the stub cell too, each with its message.
    setup : str
        Source that a stub needs from the cells above it, for the tests: ``import numpy as np``.
    """

    name = ""
    answer = ""
    hints = ()
    solution_code = ""
    typical_mistakes = ()
    setup = "import numpy as np"

    def verify(self, answer):
        """Check `answer`: raise ``Wrong`` with a sentence, or return what to notice.

        Draw fresh random cases at every call, so that no answer can be fitted to them.
        """
        raise NotImplementedError

    def check(self, answer):
        """Say how `answer` does, in words; raise nothing, unless ``COURSE_STRICT=1``.

        What goes through is only what stops the check from outside, above all the interrupt with
        which a reader ends an answer that runs for ever. (One that calls ``exit`` gets a sentence.)

        Parameters
        ----------
        answer : object
            What the stub cell defined. ``...`` means not attempted yet.

        Returns
        -------
        Verdict

        Raises
        ------
        AssertionError
            If ``COURSE_STRICT=1`` and the answer is wrong.
        """
        try:
            verdict = Verdict(CORRECT, self._verified(answer) or "")
        except Untouched:
            verdict = Verdict(
                NOT_ATTEMPTED,
                f"Replace the ... in the cell above, or ask for {self._handle}.hint(1)",
            )
        except Wrong as error:
            verdict = Verdict(WRONG, str(error))
        except (Exception, SystemExit) as error:
            verdict = Verdict(WRONG, f"the check could not use your answer: {_said(error)}")
        if os.environ.get("COURSE_STRICT") == "1" and verdict.status == WRONG:
            raise AssertionError(f"exercise {self.name}: {verdict}")
        return verdict

    def _verified(self, answer):
        _look_for_stub(answer)
        if answer is None:
            raise Wrong(f"{self.answer} is None: assign your answer to it, or return it.")
        return self.verify(answer)

    @property
    def _handle(self):
        return f"exercises.{self.name}"

    def hint(self, n=1):
        """Show hint number `n`, counted from 1."""
        if not 1 <= n <= len(self.hints):
            raise ValueError(f"n must be between 1 and {len(self.hints)}: got {n}")
        more = f" ({len(self.hints) - n} more)" if n < len(self.hints) else ""
        return Page(f"**Hint {n}**{more}: {self.hints[n - 1]}")

    def solution(self):
        """Show one right answer."""
        return Page(f"```python\n{self.solution_code.strip()}\n```")


class Page(str):
    """Text that a notebook shows as Markdown."""

    def _repr_markdown_(self):
        return str(self)

    def __repr__(self):
        """Return the text itself, for a console."""
        return str(self)


def call(function, *args, name=None, **kwargs):
    """Call a student's function; what goes wrong becomes a sentence.

    It gets copies of arrays, so that one that changes its input does not change what the check
    compares with.

    Returns
    -------
    object
        What the function returned: never None and never ``...``.

    Raises
    ------
    Untouched
        If it returned ``...``, or a tuple, list or dict with ``...`` in it.
    Wrong
        If it is not callable, raised, or returned None.
    """
    name = name or getattr(function, "__name__", "your answer")
    if not callable(function):
        raise Wrong(f"{name} must be a function: got {_kind(function)}.")
    try:
        result = function(*map(_copy, args), **{key: _copy(kwargs[key]) for key in kwargs})
    except (Exception, SystemExit) as error:
        raise Wrong(f"{name} raised {_said(error)}") from error
    _look_for_stub(result)
    if result is None:
        raise Wrong(f"{name} returned None: does its last line say return?")
    return result


def as_array(value, *, name, shape=None):
    """Return a student's value as a float array, or say what is wrong with it.

    Raises
    ------
    Untouched
        If it is ``...``, or holds it.
    Wrong
        If it is no array of numbers, has another shape than `shape`, or holds NaN or infinity.
    """
    _look_for_stub(value)
    try:
        array = np.asarray(value)
    except (TypeError, ValueError):
        raise Wrong(f"{name} must be numbers in an array: got {_kind(value)}.") from None
    # Text, None, complex numbers and objects would be converted without a word, or half of them.
    if array.dtype.kind not in "biuf":
        raise Wrong(f"{name} must be numbers: got {_kind(value)}.")
    array = array.astype(float)
    if shape is not None and array.shape != tuple(shape):
        raise Wrong(f"{name} has shape {array.shape}; it should be {tuple(shape)}.")
    if not np.isfinite(array).all():
        raise Wrong(f"{name} holds NaN or infinity.")
    return array


def as_number(value, *, name):
    """Return a student's value as a float, or say what is wrong with it."""
    return float(as_array(value, name=name, shape=()))


def _look_for_stub(value):
    parts = value.values() if isinstance(value, dict) else value
    parts = [value, *parts] if isinstance(value, tuple | list | dict) else [value]
    if any(part is ... for part in parts):
        raise Untouched


def _copy(value):
    return value.copy() if isinstance(value, np.ndarray) else value


def _kind(value):
    kind = type(value).__name__
    return f"an {kind}" if kind[:1].lower() in tuple("aeiou") else f"a {kind}"


def _said(error):
    """Return an exception as one line, whatever its own text does."""
    kind = type(error).__name__
    try:
        text = str(error).strip().splitlines()
    except Exception:
        text = []
    return f"{kind}: {text[0][:300]}" if text else kind
