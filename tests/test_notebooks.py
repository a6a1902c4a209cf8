"""What every notebook of the repository keeps, read from its source: nothing is run here.

`make check-notebooks` runs this, and `make test` does not: a student's own edits break no test."""

import ast
import dis
import inspect
import re
import statistics
from contextlib import redirect_stdout
from importlib import import_module
from io import StringIO

import nbformat
import pytest

from course_utils import cli
from course_utils.exercises import registry
from course_utils.exercises.base import Exercise

LONGEST, MEDIAN = 20, 6  # lines of code
NOTEBOOKS = {path.stem: nbformat.read(path, 4) for path in cli.select([])}


def code(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def tags(cell):
    return cell.metadata.get("tags", [])


def parsed(cell):
    return re.sub(r"^\s*[%!].*$", "pass", cell.source, flags=re.M)


def size(cell):
    lines = [line.strip() for line in cell.source.splitlines()]
    return sum(bool(line) and not line.startswith("#") for line in lines)


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_is_stored_without_outputs_under_readable_ids(name):
    notebook = NOTEBOOKS[name]
    assert notebook.metadata.kernelspec.name == "python3"
    assert all(cell.outputs == [] and cell.execution_count is None for cell in code(notebook))
    ids = [cell.id for cell in notebook.cells]
    assert len(set(ids)) == len(ids)
    assert [i for i in ids if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", i)] == []
    assert [i for i in ids if re.fullmatch(r"[0-9a-f]{8}|cell-\d+", i)] == []
    hiding = {"raises-exception", "nbval-skip", "nbval-raises-exception"}
    assert [cell.id for cell in notebook.cells if hiding & set(tags(cell))] == []


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_opens_with_its_title_and_its_parameters(name):
    notebook = NOTEBOOKS[name]
    assert notebook.cells[0].source.startswith("# ")
    first, second = code(notebook)[:2]
    assert [cell.id for cell in notebook.cells if "parameters" in tags(cell)] == [first.id]
    assert first.source.split("\n\n") == [
        "import os",
        'PROFILE = os.environ.get("COURSE_PROFILE", "fast")\nSEED: int = 42',
    ]
    assert "cu.start(PROFILE, seed=SEED)" in second.source


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_exercises_are_stubs_with_a_check(name):
    cells = code(NOTEBOOKS[name])
    stubs = [k for k, cell in enumerate(cells) if "exercise" in tags(cell)]
    assert 3 <= len(stubs) <= 5
    for k in stubs:
        assert cells[k].id.startswith("exercise-")
        assert "..." in cells[k].source
        assert any(".check(" in cell.source for cell in cells[k : k + 2])


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_figures_carry_alt_text(name):
    calls = [
        ast.unparse(node.func)
        for cell in code(NOTEBOOKS[name])
        for node in ast.walk(ast.parse(parsed(cell)))
        if isinstance(node, ast.Call)
    ]
    assert [call for call in calls if re.search(r"(^|\.)show$", call) and call != "cu.show"] == []
    prose = "".join(c.source for c in NOTEBOOKS[name].cells if c.cell_type == "markdown")
    assert "![](" not in prose


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_cells_are_small(name):
    sizes = {cell.id: size(cell) for cell in code(NOTEBOOKS[name])}
    assert {i: lines for i, lines in sizes.items() if lines > LONGEST} == {}
    assert statistics.median(sizes.values()) <= MEDIAN


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_is_as_course_tidy_leaves_it(name, tmp_path, monkeypatch):
    source = next(path for path in cli.select([name]))
    text = source.read_text(encoding="utf-8")
    (tmp_path / source.name).write_text(text, encoding="utf-8", newline="\n")
    monkeypatch.setattr(cli, "NOTEBOOKS", tmp_path)
    with redirect_stdout(StringIO()):
        cli.main(["tidy"])
    assert (tmp_path / source.name).read_text(encoding="utf-8") == text, "run course tidy"


# A cell that is run again, alone, must find what it found the first time.


def named(compiled, *operations):
    """Return the names that operations are given in a code object and in those inside it."""
    found = {i.argval for i in dis.get_instructions(compiled) if i.opname in operations}
    inner = [part for part in compiled.co_consts if hasattr(part, "co_code")]
    return found.union(*(named(part, *operations) for part in inner))


def rebound(cells):
    """Yield (cell, name) for names that a cell reads and that mean something else at the end."""
    home, functions, found = {}, {}, []  # name: the cell that bound it; name: what its body reads
    for cell in cells:
        module = compile(parsed(cell), cell.id, "exec")
        reads, bound, calls, before = {}, set(), set(), dict(home)
        for step in dis.get_instructions(module):
            if step.opname == "LOAD_NAME":
                calls.add(step.argval)
                if step.argval not in bound:
                    reads[step.argval] = before.get(step.argval)
            if step.opname == "STORE_NAME":
                bound.add(step.argval)
                home[step.argval] = cell.id
                functions.pop(step.argval, None)
        for node in ast.parse(parsed(cell)).body:  # the same import means the same in every cell
            if isinstance(node, ast.Import | ast.ImportFrom):
                source = getattr(node, "module", "")
                home |= {a.asname or a.name.split(".")[0]: (source, a.name) for a in node.names}
        for part in module.co_consts:
            if hasattr(part, "co_code"):
                inside = named(part, "LOAD_GLOBAL", "LOAD_NAME")
                if part.co_name.startswith("<"):  # a lambda or a comprehension
                    calls |= inside
                functions[part.co_name] = inside
        waiting, seen = calls, set()
        while waiting:
            seen |= waiting
            waiting = set().union(*(functions.get(name, ()) for name in waiting)) - seen
        reads = {name: home.get(name) for name in seen - bound} | reads
        found += [(cell.id, name, where) for name, where in reads.items() if where]
    yield from ((cell, name) for cell, name, where in found if home[name] != where)


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_cell_that_is_run_again_finds_what_it_found(name):
    assert list(rebound(code(NOTEBOOKS[name]))) == []


@pytest.mark.parametrize(
    ("sources", "found"),
    [
        (["x = 1", "x", "y = 2"], []),
        (["x = 1", "x", "x = 2"], [("b", "x")]),
        (["x = 1", "x = x + 1", "x"], [("b", "x")]),
        (["x = 1\nprint(x)", "x = 2\nprint(x)", ""], []),
        (["import os", "os.sep", "import os"], []),
        (["x = 1\ndef f():\n    return x", "f()", "x = 2"], [("b", "x")]),
        (["def g():\n    return x\ndef f():\n    return g()", "x = 1\nf()", "x = 2"], []),
        (["x = 1", "[x for y in (1, 2)]", "x = 2"], [("b", "x")]),
        (["x = 1", "cu.explore(lambda k: k + x)", "for x in range(3):\n    pass"], [("b", "x")]),
        (["def f():\n    return 1", "f()", "def f():\n    return 2"], [("b", "f")]),
    ],
)
def test_names_that_are_bound_again_are_found(sources, found):
    cells = [nbformat.v4.new_code_cell(s, id=i) for s, i in zip(sources, "abc", strict=True)]
    assert list(rebound(cells)) == found


@pytest.mark.parametrize("name", sorted({module for module, _ in registry()}))
def test_a_lecture_of_this_edition_has_each_prompt_stub_and_check(name):
    module = import_module(f"course_utils.exercises.{name}")
    cells = NOTEBOOKS[module.NOTEBOOK].cells
    by_id, order = {cell.id: cell for cell in cells}, [cell.id for cell in cells]
    checks = dict(re.findall(r"exercises\.(\w+)\.check\((\w+)\)", str(by_id)))
    for key, exercise in vars(module).items():
        if isinstance(exercise, Exercise):
            stub = by_id[f"exercise-{key}"]
            assert "exercise" in stub.metadata.tags
            assert checks[key] == exercise.answer
            if not isinstance(exercise.reference, str):
                line = f"def {exercise.answer}{inspect.signature(exercise.reference)}:"
                assert line in stub.source
            assert order.index(stub.id) == order.index(f"exercise-{key}-prompt") + 1
