"""Exercises: wrong answers get their message, right ones pass, and no answer harms the next one.

``wrong_answers/NOTEBOOK.py`` and ``right_answers/NOTEBOOK.py`` hold plain student code in blocks
that begin with ``# %% EXERCISE: TEXT``; a wrong one must get a message with TEXT in it.
Mistakes that a module itself names are tested from there, and do not stand in a file again.
"""

import inspect
import random
import re
import threading
import time
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from course_utils.exercises import (
    base,
    convolution,
    early_stopping,
    full_cnn,
    improving,
    pooling,
    pretrained,
    registry,
    regularization,
)
from course_utils.exercises.base import CORRECT, NOT_ATTEMPTED, WRONG, Exercise, Page

ROOT = Path(__file__).parents[1]
NEW = registry()
MODULES = {  # of a file of answers
    "00_start_here": "start_here",
    "01_convolution": "convolution",
    "02_pooling": "pooling",
    "03_full_cnn": "full_cnn",
    "04_regularization": "regularization",
    "05_early_stopping": "early_stopping",
    "06_improving": "improving",
    "07_pretrained": "pretrained",
}
EACH = pytest.mark.parametrize("exercise", NEW.values(), ids=["-".join(key) for key in NEW])
TRAIN = full_cnn.overfit, full_cnn.compile, improving.budget, pretrained.thaw, pretrained.beat
KERAS = full_cnn.audit, convolution.refusal, early_stopping.mend, early_stopping.budget
KERAS += (
    pooling.average,
    pooling.minimum,
    pretrained.counts,
    pretrained.head,
    regularization.penalty,
    regularization.augment,
)


def answers(folder):
    for path in sorted((ROOT / "tests" / folder).glob("*.py")):
        module = MODULES[path.stem]
        blocks = re.findall(
            r"^# %% (\w+): (.*)\n((?:(?!# %%).*\n)*)", path.read_text("utf-8"), re.M
        )
        for n, (name, text, code) in enumerate(blocks, 1):
            yield pytest.param(NEW[module, name], text, code, id=f"{path.stem}-{name}-{n}")


def made(exercise, code):
    namespace = {"np": np, "keras": keras}
    exec(code, namespace)
    return namespace[exercise.answer]


def reference(exercise):
    text = exercise.reference
    return made(exercise, text) if isinstance(text, str) else text


def stub(exercise):
    if isinstance(exercise.reference, str):
        return f"{exercise.answer} = ..."
    return f"def {exercise.answer}{inspect.signature(exercise.reference)}:\n    return ..."


@pytest.fixture(autouse=True)
def _lax(monkeypatch):
    monkeypatch.delenv("COURSE_STRICT", raising=False)


# What answers get


@pytest.mark.parametrize(("exercise", "text", "code"), [*answers("wrong_answers")])
def test_wrong_answer_gets_its_message(exercise, text, code):
    verdict = exercise.check(made(exercise, code))
    assert verdict.status == WRONG
    assert text in verdict.message


@pytest.mark.parametrize(("exercise", "text", "code"), [*answers("right_answers")])
def test_right_answer_written_differently_passes(exercise, text, code):
    for _ in range(1 if exercise in TRAIN else 2 if exercise in KERAS else 5):
        assert exercise.check(made(exercise, code)).status == CORRECT, text


@EACH
def test_reference_passes_every_time(exercise, monkeypatch):
    monkeypatch.setenv("COURSE_STRICT", "1")
    for _ in range(1 if exercise in TRAIN else 10 if exercise in KERAS else 200):
        verdict = exercise.check(reference(exercise))
        assert verdict.status == CORRECT
        assert verdict.message


@EACH
def test_each_mistake_gets_its_own_message_whatever_is_drawn(exercise):
    for message, mistake in exercise.mistakes:
        for _ in range(2 if exercise in KERAS else 20):
            assert exercise.check(mistake).message == message


@EACH
def test_stub_hints_and_solution(exercise, monkeypatch):
    monkeypatch.setenv("COURSE_STRICT", "1")  # a stub that nobody touched is no failure
    assert exercise.check(made(exercise, stub(exercise))).status == NOT_ATTEMPTED
    assert exercise.check(...).status == exercise.check().status == NOT_ATTEMPTED
    assert len(exercise.hints) >= 3
    for n, hint in enumerate(exercise.hints, 1):
        assert hint in exercise.hint(n)
    for n in (0, 99, -1, "1", None, 1.0):
        assert f"There are {len(exercise.hints)} hints" in exercise.hint(n)
    code = exercise.solution().removeprefix("```python\n").removesuffix("\n```")
    assert made(exercise, code) is not None
    for method in (exercise.check, exercise.hint, exercise.solution):  # without brackets
        assert f"with brackets: check({exercise.answer}), hint(1), solution()" in repr(method)


class Hostile:
    """Raises whatever is done with it, with an exception that cannot even be printed."""

    class Error(Exception):
        def __str__(self):
            raise RuntimeError

    def __getattr__(self, name):
        raise Hostile.Error

    __call__ = __len__ = __iter__ = __eq__ = __float__ = __array__ = __getattr__
    __hash__ = None


NONSENSE = [
    None, object(), "text", "0.5", [], (), np.array([]), np.nan, [np.inf, 1], [[1, 2], [3]],
    np.zeros((2, 3, 4, 5, 6)), np.array([1j, 2]), np.array([None, "a"]), {"a": 1}, {1, 2}, b"12",
    10**400, -1, True, ValueError("no"), Hostile(), Hostile, int, (n for n in range(3)), lambda: 1,
    keras.layers.Dense(1), exit, np.full((5, 5), np.nan),
]  # fmt: skip


@EACH
def test_nonsense_gets_one_sentence(exercise):
    for nonsense in NONSENSE[:: 3 if exercise in TRAIN + KERAS else 1]:
        for answer in (nonsense, lambda *_, value=nonsense: value):
            verdict = exercise.check(answer)
            assert verdict.status == WRONG, nonsense
            assert re.search(r"\w+ \w+", verdict.message)
            assert "\n" not in verdict.message
            assert len(verdict.message) < 500


# No answer harms the next one


def test_poisoned_models_leave_the_next_right_answer_right():
    kept = []

    def poison(model):
        kept.append(model)
        model.compile("adam", "mse")
        model.layers[-1].set_weights([w * 0 for w in model.layers[-1].get_weights()])
        model.pop()
        raise RuntimeError("after all that")

    for exercise in (full_cnn.audit, full_cnn.compile):
        assert "RuntimeError: after all that" in exercise.check(poison).message
        assert exercise.check(reference(exercise)).status == CORRECT
    assert len({id(model) for model in kept}) == len(kept)

    def halves(model):
        model.set_weights([w / 2 for w in model.get_weights()])
        return full_cnn.compile.reference(model)

    assert "changes its argument number 1" in full_cnn.compile.check(halves).message


def drawn():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)])
    model.compile("sgd", "mse")
    model.fit(np.ones((8, 2)) * np.arange(8)[:, None], np.arange(24.0).reshape(8, 3), 4, verbose=0)
    numbers = [
        np.random.random(),
        random.random(),
        keras.random.normal((2,)),
        tf.random.normal((2,)),
    ]  # noqa: NPY002
    return [model.layers[0].name, *map(str, numbers), str(model.get_weights())]


def test_solving_an_exercise_changes_no_later_number():
    def seeded(images, labels):
        keras.random.normal((1,))
        keras.utils.set_random_seed(0)
        return full_cnn.overfit.reference(images, labels)

    seen = []
    for checked in ((), (full_cnn.overfit,)):
        keras.backend.clear_session()
        keras.utils.set_random_seed(7)
        keras.random.normal((1,))
        for exercise in checked:
            assert exercise.check(seeded).status == CORRECT
            assert full_cnn.compile.check(full_cnn.compile.reference).status == CORRECT
            assert convolution.strided.check(convolution.strided.reference).status == CORRECT
        seen.append(drawn())
    assert seen[0] == seen[1]


# The mechanism


def doubled(x):
    """Return twice an array."""
    return x + x


def exercise(**changes):
    return Exercise(
        **{
            "name": "double",
            "reference": doubled,
            "hints": ("x + x",),
            "insight": "Done.",
            "cases": lambda rng: [(np.array([0.0, 0.0]),), (rng.normal(size=2),)],
            "mistakes": (("that is x itself.", lambda x: x), ("as `0`.", lambda x: 0 * x)),
            **changes,
        }
    )


@pytest.mark.parametrize("swallows", [False, True])
@pytest.mark.parametrize("main", [True, False])
def test_endless_answer_is_stopped(swallows, main):
    def endless(x):
        for _ in range(2):
            try:
                while True:
                    pass
            except:  # noqa: E722
                if not swallows:
                    raise
        while True:
            pass

    said = []

    def run():
        said.append(exercise(seconds=0.2).check(endless).message)

    if main:
        run()
    else:
        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
    assert said == ["your answer was stopped after 0.2 seconds: does one of its loops never end?"]
    time.sleep(0.3)  # nothing comes after it
    assert exercise(seconds=0.2).check(doubled).status == CORRECT


def test_the_readers_own_interrupt_passes_through_and_changes_nothing():
    def interrupted(x):
        np.random.seed(0)  # noqa: NPY002
        raise KeyboardInterrupt

    before, threads = np.random.get_state()[1].tolist(), threading.active_count()  # noqa: NPY002
    with pytest.raises(KeyboardInterrupt):
        exercise().check(interrupted)
    assert np.random.get_state()[1].tolist() == before  # noqa: NPY002
    assert threading.active_count() == threads


def test_a_mistake_is_named_only_if_it_explains_every_case():
    assert exercise().check(lambda x: x).message == "that is x itself."
    some = exercise().check(lambda x: x if x[0] else x + 1).message
    assert some == "with x [0.0, 0.0], the result should be 0, 0: got 1, 1."


def test_the_first_difference_is_shown_with_the_digits_to_see_it():
    rows = exercise(cases=lambda rng: [(np.arange(12).reshape(3, 4),)])
    said = rows.check(lambda x: 2 * x + (x > 4)).message
    assert said == "with x (3, 4), the number at [1, 1] should be 10: got 11."
    odd = exercise(cases=lambda rng: [(np.array([1.2345678, 1]),)])
    assert "2.4691, 2: got 2.4696, 2" in odd.check(lambda x: 2 * x * [1.0002, 1]).message
    large = exercise(cases=lambda rng: [(np.array([6_172_839]),)])
    assert "should be 12345678: got 12345679" in large.check(lambda x: 2 * x + 1).message


def test_results_in_a_row_may_have_any_shapes():
    def split(x):
        return x[:1], x[1:] + 1

    pair = exercise(reference=split, mistakes=(), cases=lambda rng: [(np.arange(3.0),)])
    assert pair.check(lambda x: [x[:1], x[1:] + 1]).status == CORRECT
    said = "with x [0.0, 1.0, 2.0], a number of result 2 should be 2: got 3."
    assert pair.check(lambda x: (x[:1], x[1:] + [2, 1])).message == said
    assert "return 2 results" in pair.check(lambda x: x).message


def test_tolerance_is_what_float32_reaches_and_whole_numbers_are_exact():
    right = np.array([1.0, 1000.5])
    assert base.agree(right * (1 + 5e-5), right)
    assert not base.agree(right * (1 + 5e-4), right)
    assert not base.agree(np.array([1000001.0]), np.array([1000000.0]))
    assert not base.agree(right[:1], right)


def test_what_is_no_function_is_named():
    assert exercise().check(int).message == "doubled must be a function: got the class int."
    assert exercise().check([1, 2]).message == "doubled must be a function: got list."
    assert (
        "numbers: got generator: put list(…)"
        in exercise().check(lambda x: (each for each in x)).message
    )


@pytest.mark.parametrize("value", ["2", 2j, None, {2}, np.array([None]), b"2", [[1], [1, 2]]])
def test_what_is_no_number_is_said(value):
    with pytest.raises(base.Wrong, match="^x must be numbers: got"):
        base.numbers(value, name="x")


def test_strict_raises_for_a_wrong_answer_only(monkeypatch):
    monkeypatch.setenv("COURSE_STRICT", "1")
    with pytest.raises(AssertionError, match="exercise double: not yet: that is x itself."):
        exercise().check(lambda x: x)
    monkeypatch.setenv("COURSE_STRICT", "0")
    assert exercise().check(lambda x: x).status == WRONG


def test_an_answer_that_uses_its_array_again_or_changes_its_argument():
    buffer = np.zeros(2)
    assert exercise().check(lambda x: np.add(x, x, out=buffer)).status == CORRECT
    assert "changes its argument" in exercise().check(lambda x: np.add(x, x, out=x)).message


def test_a_verdict_is_html_with_a_mark_and_the_pages_own_colour():
    page = exercise().check(lambda x: 0 * x)._repr_html_()
    assert "✘ <b>Not yet.</b> as <code>0</code>." in page
    assert not re.search(r"[^-]color:|background", page)
    assert isinstance(exercise().hint(1), Page)
    assert repr(exercise().check(doubled)) == "correct: Done."


def network(*last):
    return keras.Sequential([keras.Input((4,)), keras.layers.Dense(2, "softmax"), *last])


def compiled(loss, labels):
    model = network()
    model.compile("sgd", loss)
    model.fit(np.zeros((3, 4)), labels, verbose=0)


@pytest.mark.parametrize(
    ("fails", "said"),
    [
        (lambda: network()(np.zeros((1, 5))), "ValueError: Input 0 with name"),
        (lambda: network()(np.zeros((9, 2, 2))), "Expected shape (None, 4)"),
        (lambda: compiled("sparse_categorical_crossentropy", np.array([0, 1, 2])),
         "InvalidArgumentError: Received a label value of 2"),
        (lambda: compiled(lambda y, p: unknown, np.zeros(3)), "NameError: name 'unknown'"),  # noqa: F821
        (lambda: compiled(lambda y, p: y + tf.zeros((7, 7)), np.zeros((3, 2))), "Dimensions must"),
    ],
)  # fmt: skip
def test_exceptions_of_keras_are_said_by_their_cause(fails, said):
    with pytest.raises(Exception) as caught:  # noqa: PT011
        fails()
    text = base.cause(caught.value)
    assert said in text
    assert "\n" not in text
    assert "\x1b" not in text
    assert "when calling" not in text
    assert "Arguments received" not in text
