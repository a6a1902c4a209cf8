"""Every exercise of the course is held against its own solution and its own typical mistakes.

How code becomes an answer: ``exercise.setup`` and then the code are executed in an empty namespace;
the answer is what the variable ``exercise.answer`` names afterwards.

The slow test at the end does it in the notebook itself. It need not run the whole notebook, which
nbval does already. Of each notebook it executes, in their order, only the cells tagged
``parameters`` or ``setup`` (imports, ``cu.start``, and whatever a stub or its check needs), the
stubs (tag ``exercise``, id ``exercise-NAME``) and the check cells (known by their call
``exercises.NAME.check(``). Each check cell runs three times: after the untouched stub, where it
passes; the same with ``COURSE_STRICT=1``, where it fails and says *not attempted yet*; and with the
solution in the stub's place, where it passes although strict. All notebooks share one kernel, whose
variables are cleared in between, so that TensorFlow loads once.
"""

import re
from pathlib import Path
from types import SimpleNamespace

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from course_utils.exercises import modules, registry
from course_utils.exercises.base import (
    CORRECT,
    NOT_ATTEMPTED,
    WRONG,
    Exercise,
    Mistake,
    Untouched,
    Wrong,
    as_array,
    as_number,
    call,
    changed,
)

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
EXERCISES = registry()
BY_MODULE = {
    name: {key[1]: exercise for key, exercise in EXERCISES.items() if key[0] == name}
    for name in modules()
}
NEEDED = ("parameters", "setup")
CHECK = re.compile(r"\bexercises\.(\w+)\.check\(")

each_exercise = pytest.mark.parametrize(
    ("module", "exercise"),
    [(key[0], exercise) for key, exercise in EXERCISES.items()],
    ids=["-".join(key) for key in EXERCISES],
)


@pytest.fixture(autouse=True)
def _lax(monkeypatch):
    monkeypatch.delenv("COURSE_STRICT", raising=False)


def answer_of(exercise, code):
    namespace = {}
    exec(f"{exercise.setup}\n{code}", namespace)
    return namespace[exercise.answer]


def code_cells(module):
    path = NOTEBOOKS / f"{modules()[module].NOTEBOOK}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def tags(cell):
    return set(cell.metadata.get("tags", ()))


def recurse(*_, **__):
    # Through a function of plain arguments: Python 3.13.0 counts no calls with starred ones, and
    # takes all memory of the machine instead.
    def deeper(depth):
        return deeper(depth + 1)

    return deeper(0)


def leave(*_, **__):
    raise SystemExit(3)


def numbers(*_, **__):
    yield from range(3)


class Hostile:
    """Raises whatever is done with it, with an exception that cannot even be printed."""

    class Error(Exception):
        def __str__(self):
            raise RuntimeError

    def __getattr__(self, name):
        raise Hostile.Error

    def __array__(self, *_, **__):
        raise Hostile.Error

    __call__ = __len__ = __iter__ = __eq__ = __float__ = __array__
    __hash__ = None


NASTY = {
    "None": None,
    "object": object(),
    "text": "text",
    "number as text": "0.5",
    "empty list": [],
    "empty array": np.array([]),
    "NaN": float("nan"),
    "infinity": np.inf,
    "array of NaN": np.full((2, 2), np.nan),
    "wrong shape": np.zeros((2, 3, 4, 5, 6)),
    "complex": np.array([1j, 2]),
    "objects": np.array([None, "a"], dtype=object),
    "ragged": [[1, 2], [3]],
    "dict": {"a": 1},
    "bytes": b"12",
    "a function": lambda: None,
    "a class": Hostile.Error,
    "class without a name": type("", (), {}),
    "a generator function": numbers,
    "recursion": recurse,
    "exit": leave,
    "huge number": 10**400,
    "negative": -1,
    "hostile object": Hostile(),
}


# The registry


def test_there_are_exercises():
    assert EXERCISES


@pytest.mark.parametrize("module", BY_MODULE)
def test_module_belongs_to_a_notebook_whose_stubs_and_checks_are_these(module):
    cells = code_cells(module)
    stubs = [cell["id"] for cell in cells if "exercise" in tags(cell)]
    assert stubs == [f"exercise-{name}" for name in BY_MODULE[module]]
    checks = [name for cell in cells for name in CHECK.findall(cell.source)]
    assert checks == list(BY_MODULE[module])


@each_exercise
def test_exercise_is_whole(module, exercise):
    assert BY_MODULE[module][exercise.name] is exercise
    assert exercise.answer.isidentifier()
    assert len(exercise.hints) >= 2
    for n, hint in enumerate(exercise.hints, 1):
        assert hint in exercise.hint(n)
    assert exercise.solution_code.strip() in exercise.solution()
    messages = [mistake.message for mistake in exercise.typical_mistakes]
    assert len(messages) >= 2
    assert all(messages)
    assert len(set(messages)) == len(messages)


@each_exercise
def test_solution_is_accepted(module, exercise, monkeypatch):
    answer = answer_of(exercise, exercise.solution_code)
    monkeypatch.setenv("COURSE_STRICT", "1")
    # One that trains a network would take most of the suite's time.
    for _ in range(2 if exercise.name in ("overfit", "beat", "budget") else 10):
        verdict = exercise.check(answer)
        assert verdict.status == CORRECT
        assert verdict.message.strip(), "say what to notice"


MISTAKES = {
    f"{module}-{name}-{n}": (exercise, mistake)
    for (module, name), exercise in EXERCISES.items()
    for n, mistake in enumerate(exercise.typical_mistakes, 1)
}


@pytest.mark.parametrize(("exercise", "mistake"), MISTAKES.values(), ids=MISTAKES)
def test_typical_mistake_gets_its_message(exercise, mistake, monkeypatch):
    answer = answer_of(exercise, mistake.code)
    for _ in range(3):
        verdict = exercise.check(answer)
        assert verdict.status == WRONG
        assert mistake.message in verdict.message
    monkeypatch.setenv("COURSE_STRICT", "1")
    with pytest.raises(AssertionError, match=re.escape(mistake.message)):
        exercise.check(answer)


def test_frozen_last_layers_are_not_taken_for_moving_statistics(monkeypatch):
    """With these widths and n, both leave 282 weights: the check must look at the layers first."""

    class Drawn:
        def integers(self, *_, size=None):
            return np.array([7, 3, 5]) if size else 2

    exercise = EXERCISES["pretrained", "counts"]
    wrong = {
        message: answer_of(exercise, mistake.code)
        for mistake in exercise.typical_mistakes
        for message in ("you froze the last", "moving means and variances")
        if message == mistake.message
    }
    assert len(wrong) == 2
    monkeypatch.setattr(np.random, "default_rng", Drawn)
    for message, answer in wrong.items():
        said = exercise.check(answer).message
        assert message in said
    assert "got 282: that counts the moving" in exercise.check(lambda model, n: 282).message


@each_exercise
def test_untouched_stub_is_not_attempted(module, exercise, monkeypatch):
    (stub,) = (cell for cell in code_cells(module) if cell["id"] == f"exercise-{exercise.name}")
    answer = answer_of(exercise, stub.source)
    assert exercise.check(answer).status == NOT_ATTEMPTED
    monkeypatch.setenv("COURSE_STRICT", "1")
    with pytest.raises(AssertionError, match=f"{exercise.name}: {NOT_ATTEMPTED}"):
        exercise.check(answer)


def is_a_sentence(verdict):
    assert verdict.status == WRONG
    assert re.search(r"\w+ \w+", verdict.message)
    assert len(verdict.message) < 600
    assert "Traceback" not in verdict.message
    assert verdict._repr_html_()
    return True


@each_exercise
def test_nasty_answer_gets_a_sentence(module, exercise):
    for nasty in NASTY.values():
        assert is_a_sentence(exercise.check(nasty))


@each_exercise
def test_function_with_a_nasty_result_gets_a_sentence(module, exercise):
    for nasty in NASTY.values():
        assert is_a_sentence(exercise.check(lambda *_, nasty=nasty, **__: nasty))


# The mechanism, on an exercise made for it


class Doubled(Exercise):
    name = "doubled"
    answer = "double"
    hints = ("Add.", "x + x")
    solution_code = "def double(x):\n    return x + x"
    typical_mistakes = (Mistake("def double(x): return x", "as it was"),)

    def verify(self, answer):
        rng = np.random.default_rng()
        x = rng.random(3)
        result = as_array(call(answer, x, name=self.answer), name="the result", shape=(3,))
        if np.allclose(result, x):
            raise Wrong("the array came back `as it was`, x < 2x.")
        if not np.allclose(result, 2 * x):
            raise Wrong("the result is not twice the input.")


@pytest.fixture
def doubled():
    return Doubled()


@pytest.mark.parametrize("nasty", NASTY.values(), ids=NASTY)
def test_mechanism_turns_nasty_answers_into_sentences(doubled, nasty):
    assert is_a_sentence(doubled.check(nasty))
    assert is_a_sentence(doubled.check(lambda _: nasty))


@pytest.mark.parametrize("stub", [..., (..., ...), [1, ...], {"a": ...}])
def test_mechanism_knows_a_stub(doubled, stub):
    for answer in (stub, lambda _: stub):
        assert doubled.check(answer).status == NOT_ATTEMPTED
    assert doubled.check(lambda x: ...).message.endswith("exercises.doubled.hint(1)")
    with pytest.raises(Untouched):
        as_array(stub, name="x")


def test_the_stop_button_stops_an_answer(doubled):
    def forever(x):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        doubled.check(forever)


def test_a_changed_line_makes_a_mistake_and_must_stand_in_the_solution_once():
    solution = "a = 1\nb = a\n"
    assert changed(solution, "not so", ("b = a", "b = 2"), ("a = 1", "a = 3")) == Mistake(
        "a = 3\nb = 2\n", "not so"
    )
    for line, times in (("c = a", 0), ("a", 2)):
        with pytest.raises(ValueError, match=f"{line!r} is there {times} times"):
            changed(solution, "not so", (line, "a = 4"))


def test_an_answer_that_changes_its_input_changes_nothing_else(doubled):
    def in_place(x):
        x *= 2
        return x

    assert doubled.check(in_place).status == CORRECT
    assert doubled.check(lambda x: in_place(x) / 2).status == WRONG


def test_verdict_reads_well_everywhere(doubled):
    right, wrong = doubled.check(lambda x: x + x), doubled.check(lambda x: x)
    assert repr(right) == str(right) == "correct"
    assert repr(wrong) == "not yet: the array came back `as it was`, x < 2x."
    assert wrong._repr_html_() == (
        "<p>✘ <b>Not yet.</b> the array came back <code>as it was</code>, x &lt; 2x.</p>"
    )


@pytest.mark.parametrize("strict", ["0", "", "yes"])
def test_only_1_is_strict(doubled, monkeypatch, strict):
    monkeypatch.setenv("COURSE_STRICT", strict)
    assert doubled.check(None).status == WRONG
    monkeypatch.setenv("COURSE_STRICT", "1")
    with pytest.raises(AssertionError, match="exercise doubled: not yet: double is None"):
        doubled.check(None)


def test_hints_and_solution_are_shown_as_markdown(doubled):
    assert doubled.hint()._repr_markdown_() == "**Hint 1** (1 more): Add."
    assert repr(doubled.hint(2)) == "**Hint 2**: x + x"
    assert doubled.solution().startswith("```python\ndef double")
    for n in (0, 3):
        with pytest.raises(ValueError, match=f"n must be between 1 and 2: got {n}"):
            doubled.hint(n)


def test_what_goes_wrong_in_a_call_is_said():
    def fails():
        raise ValueError("first line\nsecond line")

    with pytest.raises(Wrong, match="^fails raised ValueError: first line$"):
        call(fails)
    with pytest.raises(Wrong, match="^leave raised SystemExit: 3$"):
        call(leave)
    with pytest.raises(Wrong, match="^size must be a function: got an int.$"):
        call(3, name="size")
    with pytest.raises(Wrong, match="^<lambda> returned None"):
        call(lambda: None)


def test_numbers_and_arrays():
    assert as_number(np.float32(0.5), name="x") == 0.5
    assert as_array([[1, True]], name="x", shape=(1, 2)).dtype == float
    for value, message in [
        ("0.5", "x must be numbers: got a str."),
        ([1, None], "x must be numbers: got a list."),
        (1j, "x must be numbers: got a complex."),
        ([1, 2], r"x has shape \(2,\); it should be \(\)."),
        (np.nan, "x holds NaN or infinity."),
    ]:
        with pytest.raises(Wrong, match=f"^{message}$"):
            as_number(value, name="x")


# In the notebooks


@pytest.fixture(scope="module")
def kernel():
    notebook = nbformat.v4.new_notebook()
    place = {"metadata": {"path": str(NOTEBOOKS)}}
    client = NotebookClient(notebook, timeout=120, kernel_name="python3", resources=place)

    def run(source):
        """Run one cell; return all the text that it put out."""
        notebook.cells.append(nbformat.v4.new_code_cell(source))
        try:
            done = client.execute_cell(notebook.cells[-1], len(notebook.cells) - 1)
        except CellExecutionError as error:
            if error.ename == "NameError":
                error.add_note(
                    f"only cells with these tags run here: {', '.join(NEEDED)}, exercise"
                )
            raise
        return "\n".join(
            output.get("text") or output.get("data", {}).get("text/plain", "")
            for output in done.outputs
        )

    def strictly(source):
        run("import os; os.environ['COURSE_STRICT'] = '1'")
        try:
            return run(source)
        finally:
            run("import os; os.environ['COURSE_STRICT'] = '0'")

    with client.setup_kernel():
        yield SimpleNamespace(run=run, strictly=strictly)


@pytest.mark.slow
@pytest.mark.parametrize("module", BY_MODULE)
def test_solutions_pass_in_their_notebook_and_untouched_stubs_do_not(module, kernel):
    kernel.run("%reset -f")
    for cell in code_cells(module):
        if tags(cell) & {*NEEDED, "exercise"}:
            kernel.run(cell.source)
        for name in CHECK.findall(cell.source):
            assert NOT_ATTEMPTED in kernel.run(cell.source)
            with pytest.raises(CellExecutionError, match=f"exercise {name}: {NOT_ATTEMPTED}"):
                kernel.strictly(cell.source)
            kernel.run(BY_MODULE[module][name].solution_code)
            assert CORRECT in kernel.strictly(cell.source)


def test_the_budget_exercise_names_what_its_baseline_spends():
    from course_utils import arithmetic, models

    spent = arithmetic.ledger(models.slides_network(0.3))["multiply_adds"].sum()
    assert round(int(spent), -3) == 281_000  # as its prompt says
