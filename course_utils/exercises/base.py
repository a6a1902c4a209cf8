"""How an exercise works: a reference, mistakes known by what they compute, a check in sentences."""

import ctypes
import html
import inspect
import os
import random
import re
import sys
import threading
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass

import numpy as np

CORRECT, WRONG, NOT_ATTEMPTED = "correct", "not yet", "not attempted yet"
# Borders that show on white and on black; the text has the page's own colour.
MARKS = {CORRECT: ("✔", "#2e9e5b"), WRONG: ("✘", "#d9603b"), NOT_ATTEMPTED: ("○", "#888888")}


class Wrong(Exception):
    """The answer is wrong, and this sentence says how."""


class Untouched(Exception):
    """The answer is still the stub's ``...``."""


class TimeUp(BaseException):
    """Raised inside an answer that does not end; its own ``except Exception`` lets it through."""


@dataclass(frozen=True, repr=False)
class Verdict:
    """What a check found: a status, and a sentence or two for the student."""

    status: str
    message: str

    def __repr__(self):
        return f"{self.status}: {self.message}"

    def _repr_html_(self):
        mark, colour = MARKS[self.status]
        text = re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(self.message))
        style = f"border-left: 4px solid {colour}; padding-left: 8px"
        return f'<p style="{style}">{mark} <b>{self.status.capitalize()}.</b> {text}</p>'


class Page(str):
    """Text that a notebook shows as Markdown."""

    __repr__ = _repr_markdown_ = str.__str__


@dataclass(frozen=True, repr=False, eq=False)
class Exercise:
    """One exercise; a subclass overrides `verify` where comparing results does not fit."""

    name: str  # its stub cell is exercise-NAME
    reference: object  # a right answer: a function, or source if the answer is a value
    hints: tuple
    insight: str  # what a right answer gets to read
    # cases(rng) yields tuples of arguments, new objects each time: fixed ones, which tell every
    # mistake from the reference, and random ones.
    cases: object = None
    # Pairs of a sentence and the wrong function that it explains. It is said only to an answer that
    # agrees with that function in every case.
    mistakes: tuple = ()
    # explain(trials) says what is wrong in another answer, or None; a trial is (arguments, what the
    # answer gave, what is right).
    explain: object = None
    seconds: float = 10  # how long an answer may take

    @property
    def answer(self):
        """Name of what the stub defines."""
        text = isinstance(self.reference, str)
        return self.reference.split(" = ")[0] if text else self.reference.__name__

    def __repr__(self):
        # Also what a method shows whose brackets were forgotten.
        methods = f"check({self.answer}), hint(1), solution()"
        return f"exercises.{self.name} has, with brackets: {methods}."

    def check(self, *answer):
        """Return a `Verdict` on what the stub cell defined; ``...`` is not attempted yet.

        It raises nothing, but under ``COURSE_STRICT=1`` an AssertionError for a wrong answer.
        """
        try:
            if len(answer) != 1:
                raise Untouched(
                    f"give it one answer: `exercises.{self.name}.check({self.answer})`."
                )
            _look_for_stub(answer[0])
            if answer[0] is None:
                raise Wrong(f"{self.answer} is None: assign your answer to it.")
            with _generators_kept():
                verdict = Verdict(CORRECT, self.verify(answer[0]) or self.insight)
        except Untouched as error:
            told = f"replace the ... by your answer, or ask for `exercises.{self.name}.hint(1)`."
            verdict = Verdict(NOT_ATTEMPTED, str(error) or told)
        except Wrong as error:
            verdict = Verdict(WRONG, str(error))
        except (Exception, SystemExit, TimeUp) as error:
            verdict = Verdict(WRONG, f"the check could not use your answer: {cause(error)}")
        if verdict.status == WRONG and os.environ.get("COURSE_STRICT") == "1":
            raise AssertionError(f"exercise {self.name}: {verdict}")
        return verdict

    def verify(self, answer):
        """Compare with the reference in every case: raise Wrong, or return what to notice."""
        cases = list(self.cases(np.random.default_rng()))
        wanted = [self.reference(*case) for case in cases]
        right = [_comparable(result, like=result) for result in wanted]
        with time_limit(self.seconds):
            found = [self._outcome(answer, *each) for each in zip(cases, wanted, strict=True)]
        trials = list(zip(cases, found, right, strict=True))
        failed = [trial for trial in trials if not agree(*trial[1:])]
        if not failed:
            return
        with np.errstate(all="ignore"):
            for message, mistake in self.mistakes:
                made = (self._outcome(mistake, *each) for each in zip(cases, wanted, strict=True))
                if all(map(agree, found, made)):
                    raise Wrong(message)
        raise Wrong((self.explain and self.explain(trials)) or self._difference(*failed[0]))

    def _outcome(self, function, case, wanted):
        """Return what a function gives in a case: an array, a text, or what is wrong with it."""
        try:
            return _comparable(call(function, *case, name=self.answer), like=wanted)
        except Wrong as error:
            return error

    def _difference(self, case, found, right):
        """Say how a result differs, in as many digits as it takes to see it."""
        if isinstance(found, Wrong):
            return str(found)
        names = inspect.signature(self.reference).parameters
        given = zip(names, case, strict=True)
        where = ", ".join(f"{name} {_shown(value)}" for name, value in given)
        if isinstance(right, str):
            return f"with {where}, the result should be {right!r}: got {found[:150]!r}."
        if found.shape != right.shape:
            return f"with {where}, the shape should be {right.shape}: got {found.shape}."
        which, shown = "the result", (right.ravel(), found.ravel())
        if right.size > 2:
            first = close(found, right).argmin()
            which = f"the number at {[int(k) for k in np.unravel_index(first, right.shape)]}"
            if isinstance(parts := self.reference(*case), tuple):
                part = np.searchsorted(np.cumsum([np.size(each) for each in parts]), first, "right")
                which = f"a number of result {part + 1}"
            shown = right.ravel()[[first]], found.ravel()[[first]]
        for digits in range(5, 18):
            texts = [", ".join(f"{value:.{digits}g}" for value in row) for row in shown]
            if texts[0] != texts[1] and "e+" not in "".join(texts):
                break
        return f"with {where}, {which} should be {texts[0]}: got {texts[1]}."

    def hint(self, n=1):
        """Show hint number `n`, counted from 1."""
        if not isinstance(n, int) or not 1 <= n <= len(self.hints):
            return Page(f"There are {len(self.hints)} hints: try `exercises.{self.name}.hint(1)`.")
        return Page(f"**Hint {n}** of {len(self.hints)}: {self.hints[n - 1]}")

    def solution(self):
        """Show one right answer."""
        text = isinstance(self.reference, str)
        source = self.reference if text else inspect.getsource(self.reference)
        return Page(f"```python\n{source.strip()}\n```")


def call(function, *args, name, kept=True):
    """Call a student's function by position; `kept`: its arguments must stay as they are.

    Raises Wrong if it is no function, raises, changes an argument, or returns None; Untouched if it
    returns ``...``, or a list or tuple with it.
    """
    if isinstance(function, type) or not callable(function):
        raise Wrong(f"{name} must be a function: got {_kind(function)}.")
    before = [kept and _state(value) for value in args]
    try:
        result = function(*args)
    except Exception as error:
        raise Wrong(f"{name} raised {cause(error)}") from error
    for n, value in enumerate(args):
        if kept and _state(value) != before[n]:
            raise Wrong(f"{name} changes its argument number {n + 1}: work on a copy of it.")
    _look_for_stub(result)
    if result is None:
        raise Wrong(f"{name} returned None: does its last line say return?")
    return result


def numbers(value, *, name):
    """Return a student's array, tensor, list or tuple as float64, or raise Wrong or Untouched."""
    _look_for_stub(value)
    try:
        array = np.asarray(value)
    except Exception:
        array = np.array(None)
    # Text, None, complex numbers and objects would be converted without a word, or half of them.
    if array.dtype.kind not in "biuf":
        hint = ": put list(…) around it" if inspect.isgenerator(value) else ""
        raise Wrong(f"{name} must be numbers: got {_kind(value)}{hint}.")
    array = array.astype(float)  # a copy: the answer may use its array again
    if not np.isfinite(array).all():
        raise Wrong(f"{name} holds NaN or infinity.")
    return array


def agree(found, right):
    """Tell whether two results are the same: whole numbers exactly, others as far as float32."""
    if not (isinstance(found, np.ndarray) and isinstance(right, np.ndarray)):
        return type(found) is type(right) and str(found) == str(right)
    return found.shape == right.shape and close(found, right).all()


def close(found, right):
    """Compare two arrays number by number, as `agree` does."""
    if np.array_equal(right, np.round(right)):
        return np.isclose(found, right, rtol=0, atol=1e-3)
    return np.isclose(found, right, rtol=1e-4, atol=1e-5 * np.abs(right).max())


def cause(error):
    """Return an exception as one line: its kind, and the reason that Keras and TensorFlow wrap."""
    try:
        text = re.sub(r"\x1b\[\d*m|\{\{function_node .*?\}\}", "", str(error))
    except Exception:
        text = ""
    text = re.sub(r"^Exception encountered when calling .*\n", "", text)
    lines = re.split(r"\n\t \[\[|\n\nArguments received", text)[0].strip().splitlines() or [""]
    # Under these headings comes a call stack, and the reason in the last line.
    if lines[0].startswith(("Graph execution error", "in user code")):
        lines = lines[-1:]
    shown = lines[0] if len(lines) == 1 else f"{lines[0]} … {lines[-1].strip()}"
    return f"{type(error).__name__}: {shown.strip()[:300]}".removesuffix(": ")


@contextmanager
def time_limit(seconds):
    """Raise Wrong if what is inside takes longer: an endless loop too, in any thread and system.

    The exception is raised in this thread alone, so a reader's own Ctrl-C stays what it is.
    """
    target, finished = ctypes.c_ulong(threading.get_ident()), threading.Event()
    throw = ctypes.pythonapi.PyThreadState_SetAsyncExc

    def watch():
        # Again and again: the bare `except:` of an answer may swallow the first ones.
        for wait in (seconds, *[0.1] * 50):
            if finished.wait(wait):
                return
            throw(target, ctypes.py_object(TimeUp))

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    except TimeUp:
        why = f"your answer was stopped after {seconds:g} seconds: does one of its loops never end?"
        raise Wrong(why) from None
    finally:
        finished.set()
        watcher.join()
        throw(target, None)


@contextmanager
def _generators_kept():
    """Leave random generators, and Keras' counters of layer names, as they were.

    An answer may train a network, whose layers take their seeds from Python's own generator;
    what later cells draw must not depend on whether an exercise was solved.
    """
    python, legacy = random.getstate(), np.random.get_state()
    state = sys.modules.get("keras.src.backend.common.global_state")
    context = sys.modules.get("tensorflow.python.eager.context")
    if state and context:
        generator = state.get_global_attribute("global_seed_generator")
        position = generator and generator.state.numpy()
        names = copy(state.get_global_attribute("object_name_uids"))
        seed = context.global_seed()
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(legacy)
        if state and context:
            if context.global_seed() != seed:
                context.set_global_seed(seed)
            state.set_global_attribute("object_name_uids", names)
            state.set_global_attribute("global_seed_generator", generator)
            if generator:
                generator.state.assign(position)


def _comparable(value, like):
    """Return a result as text or as an array, whichever the right one is; several in a row."""
    if isinstance(like, tuple):
        parts = list(value) if np.iterable(value) else []
        if len(parts) != len(like):
            raise Wrong(f"return {len(like)} results, in the order that is asked for.")
        arrays = [_comparable(*pair) for pair in zip(parts, like, strict=True)]
        for n, (array, wanted) in enumerate(zip(arrays, like, strict=True), 1):
            if array.shape != np.shape(wanted):
                shape = np.shape(wanted)
                raise Wrong(f"result {n} should have the shape {shape}: got {array.shape}.")
        return np.concatenate([array.ravel() for array in arrays])
    if isinstance(like, str):
        if not isinstance(value, str):
            raise Wrong(f"the result must be text: got {_kind(value)}.")
        return value.strip()
    array = numbers(value, name="the result")
    return array.reshape(np.shape(like)) if np.size(like) == array.size == 1 else array


def _look_for_stub(value):
    parts = [value, *value] if isinstance(value, list | tuple) else [value]
    if any(part is ... for part in parts):
        raise Untouched


def _state(value):
    """Return all that a call must leave as it is."""
    if isinstance(value, np.ndarray):
        return value.dtype, value.shape, value.tobytes()
    if hasattr(value, "get_weights"):
        return str(value.get_config()), [weights.tobytes() for weights in value.get_weights()]
    return repr(value)


def _shown(value):
    if isinstance(value, np.ndarray) and value.size < 9 and np.array_equal(value, value.round(2)):
        return value.tolist()
    return getattr(value, "shape", value)


def _kind(value):
    return f"the class {value.__name__}" if isinstance(value, type) else type(value).__name__
