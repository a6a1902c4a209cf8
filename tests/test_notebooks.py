"""What each notebook of the course must look like; `course run` and nbval see to what it does."""

import ast
import dis
import re
import statistics
from pathlib import Path

import nbformat
import pytest
from papermill import inspect_notebook

from course_utils.command import lecture

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))
LONGEST, MEDIAN = 20, 6  # lines of a code cell
READ_PROFILE = 'PROFILE = os.environ.get("COURSE_PROFILE", "fast")'


def tags(cell):
    return cell.metadata.get("tags", [])


def code(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def prose(notebook):
    """Return the Markdown of the notebook without its code blocks."""
    texts = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    return re.sub(r"^```.*?^```", "", "\n\n".join(texts), flags=re.S | re.M)


def calls(notebook):
    """Return the name of every call of the notebook: ``cu.predict``, ``plt.show``."""
    nodes = (node for cell in code(notebook) for node in ast.walk(ast.parse(cell.source)))
    return [ast.unparse(node.func) for node in nodes if isinstance(node, ast.Call)]


def is_cleared(notebook):
    for cell in code(notebook):
        if "nbval-check-output" not in tags(cell) and (cell.outputs or cell.execution_count):
            yield f"cell {cell.id} holds outputs or a count"


def has_readable_unique_ids(notebook):
    ids = [cell.id for cell in notebook.cells]
    for name in sorted(set(ids)):
        if ids.count(name) > 1:
            yield f"id {name} is there twice"
        random = re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4,})*", name) and re.search(r"\d", name)
        if random or not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name):
            yield f"id {name} is not readable words with hyphens"


def names_the_kernel(notebook):
    if notebook.metadata.get("kernelspec", {}).get("name") != "python3":
        yield "the kernel is not python3"
    if (notebook.nbformat, notebook.nbformat_minor) != (4, 5):
        yield "the format is not 4.5"


def opens_as_agreed(notebook):
    start = next((k for k, cell in enumerate(notebook.cells) if "parameters" in tags(cell)), None)
    if start is None:
        yield "no cell is tagged parameters"
        return
    opening = notebook.cells[:start]
    if any(cell.cell_type != "markdown" for cell in opening):
        yield "code comes before the parameters"
    text = "\n".join(cell.source for cell in opening)
    if not re.match(r"# \S", text):
        yield "it does not open with its title"
    for words in ("You will be able to", "You need", "time"):
        if words not in text:
            yield f"the opening does not say {words!r}"
    points = text.partition("You will be able to")[2].partition("You need")[0]
    if not 3 <= len(re.findall(r"^[-*] ", points, flags=re.M)) <= 5:
        yield "what you will be able to do is not 3 to 5 points"
    after = next((cell for cell in notebook.cells[start + 1 :] if cell.cell_type == "code"), None)
    if after is None or "cu.start(PROFILE, seed=SEED)" not in after.source:
        yield "the cell after the parameters does not start the course"


def reads_its_parameters(notebook):
    tagged = [cell for cell in code(notebook) if "parameters" in tags(cell)]
    if len(tagged) != 1:
        yield f"{len(tagged)} cells are tagged parameters"
        return
    if READ_PROFILE not in tagged[0].source or "SEED: int = 42" not in tagged[0].source:
        yield f"the parameters are not {READ_PROFILE} and SEED: int = 42"


def closes_as_agreed(notebook):
    headings = re.findall(r"^## +(.+)$", prose(notebook), flags=re.M)
    if headings[-2:] != ["What you saw", "Go on"]:
        yield f"the last headings are {headings[-2:]}"
    if calls(notebook).count("course.headline") != 1:
        yield "course.headline is not called once"


def has_headings_in_order(notebook):
    levels = [len(marks) for marks in re.findall(r"^(#+) ", prose(notebook), flags=re.M)]
    if levels.count(1) != 1:
        yield f"{levels.count(1)} titles of the first level"
    for before, after in zip(levels, levels[1:], strict=False):
        if after > before + 1:
            yield f"a heading of level {after} follows one of level {before}"


def has_small_cells(notebook):
    sizes = {cell.id: len(cell.source.splitlines()) for cell in code(notebook)}
    for name, lines in sizes.items():
        if lines > LONGEST:
            yield f"cell {name} has {lines} lines"
    if sizes and statistics.median(sizes.values()) > MEDIAN:
        yield f"the median of lines in a code cell is {statistics.median(sizes.values())}"


def hides_no_failure(notebook):
    for cell in notebook.cells:
        for tag in {"raises-exception", "nbval-skip", "nbval-raises-exception"} & set(tags(cell)):
            yield f"cell {cell.id} is tagged {tag}"


def shows_figures_with_alt_text(notebook):
    for name in calls(notebook):
        if name in ("plt.show", "show", "fig.show", "figure.show"):
            yield f"{name}() shows a figure without alt text: cu.show(figure, alt)"
    if re.search(r"!\[\s*\]\(", prose(notebook)):
        yield "a picture in the prose has no alt text"


def settles_its_predictions(notebook):
    asked = calls(notebook).count("cu.predict")
    settled = sum(name.endswith(".answer") for name in calls(notebook))
    if asked == 0:
        yield "nothing is put to the reader with cu.predict"
    if asked != settled:
        yield f"{asked} predictions, {settled} answers"


def checks_each_exercise(notebook):
    cells = code(notebook)
    stubs = [k for k, cell in enumerate(cells) if "exercise" in tags(cell)]
    if not 3 <= len(stubs) <= 5:
        yield f"{len(stubs)} exercises, not 3 to 5"
    for k in stubs:
        stub = cells[k]
        if not stub.id.startswith("exercise-"):
            yield f"the stub {stub.id} is not called exercise-NAME"
        if "..." not in stub.source:
            yield f"the stub {stub.id} does not hold ..."
        if k + 1 == len(cells) or ".check(" not in cells[k + 1].source:
            yield f"no check cell follows {stub.id}"


def keeps_what_an_exercise_defines(notebook):
    defined = set()
    for cell in code(notebook):
        bound = set()
        for node in ast.walk(ast.parse(cell.source)):
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                bound.add(node.name)
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                bound.add(node.id)  # also in a comprehension: it shadows what the reader wrote
            elif isinstance(node, ast.alias):
                bound.add((node.asname or node.name).partition(".")[0])
        for name in sorted(bound & defined):
            yield f"cell {cell.id} binds {name} again, which an exercise defines"
        if "exercise" in tags(cell):
            tree = ast.parse(cell.source).body
            defined |= {node.name for node in tree if isinstance(node, ast.FunctionDef)}
            defined |= {n.id for e in tree if isinstance(e, ast.Assign) for n in e.targets}


def keeps_what_a_view_reads(notebook):
    # A control calls its functions again when it is moved, with what the variables then hold.
    functions, views = {}, {}
    for cell in code(notebook):
        module = compile(cell.source, cell.id, "exec")
        bound = names_in(module, "STORE_NAME")
        for view, read in views.items():
            for name in sorted(bound & read):
                yield f"cell {cell.id} binds {name} again, which the view {view} reads"
        inner = [part for part in module.co_consts if hasattr(part, "co_code")]
        functions |= {part.co_name: names_in(part, "LOAD_GLOBAL") for part in inner}
        if "cu.explore(" in cell.source:
            seen, found = set(), names_in(module, "LOAD_NAME") & functions.keys() | {"<lambda>"}
            while found:
                seen |= found
                found = set().union(*(functions.get(name, ()) for name in found)) - seen
            views[cell.id] = seen


def names_in(compiled, operation):
    """Return the names that an operation is given, in a code object and in those inside."""
    names = {i.argval for i in dis.get_instructions(compiled) if i.opname == operation}
    inner = [part for part in compiled.co_consts if hasattr(part, "co_code")]
    return names.union(*(names_in(part, operation) for part in inner))


def is_ready_for_a_lecture(notebook):
    places = [lecture.given(cell) for cell in notebook.cells]
    for cell, place in zip(notebook.cells, places, strict=True):
        if place not in lecture.TYPES:
            yield f"cell {cell.id} has no slide type: course tidy gives it one"
    if places[0] != lecture.SLIDE:
        yield "the title is not on a slide of its own"
    number = 0
    asked_on = {}
    for cell, place in zip(notebook.cells, places, strict=True):
        number += place in (lecture.SLIDE, lecture.SUBSLIDE)
        if place == lecture.SKIP and re.match("#+ ", cell.source):
            yield f"the heading {cell.id} is on no slide"
        if place not in (lecture.SKIP, lecture.NOTES):
            if lecture.kind(cell) == "question":
                asked_on[number] = cell.id
            if lecture.kind(cell) == "verdict" and number in asked_on and place == lecture.SAME:
                yield f"{cell.id} answers {asked_on[number]} on the slide that asks it"


RULES = [
    is_cleared,
    has_readable_unique_ids,
    names_the_kernel,
    opens_as_agreed,
    reads_its_parameters,
    closes_as_agreed,
    has_headings_in_order,
    has_small_cells,
    hides_no_failure,
    shows_figures_with_alt_text,
    settles_its_predictions,
    checks_each_exercise,
    keeps_what_an_exercise_defines,
    keeps_what_a_view_reads,
    is_ready_for_a_lecture,
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook(path, rule):
    assert list(rule(nbformat.read(path, 4))) == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_papermill_finds_the_parameters(path):
    found = inspect_notebook(path)
    assert found.keys() == {"PROFILE", "SEED"}
    assert (found["SEED"]["inferred_type_name"], found["SEED"]["default"]) == ("int", "42")


# The rules themselves: each passes a good notebook, and finds what it is there for.


def good():
    """Make a small notebook that breaks no rule."""

    def markdown(name, source):
        return nbformat.v4.new_markdown_cell(source, id=name)

    def python(name, source, *tagged):
        cell = nbformat.v4.new_code_cell(source, id=name)
        return cell if not tagged else cell | {"metadata": {"tags": list(tagged)}}

    opening = (
        "# A title\n\nOne sentence.\n\n**You will be able to**\n\n- see\n- count\n- say\n\n"
        "**You need** nothing. **Measured time**: 20 s."
    )
    cells = [
        markdown("title", opening),
        python("parameters", f"import os\n\n{READ_PROFILE}\nSEED: int = 42", "parameters"),
        python("start", "import course_utils as cu\n\ncourse = cu.start(PROFILE, seed=SEED)"),
        markdown("first-idea", "## First idea\n\n```\n# no heading\n```\n\n### In detail"),
        python("predict-sum", 'question = cu.predict("1 + 1?", ["2", "3"])'),
        python("answer-sum", "question.answer(str(1 + 1))"),
    ]
    for name in ("one", "two", "three"):
        cells.append(python(f"exercise-{name}", f"answer_{name} = ...", "exercise"))
        cells.append(python(f"check-{name}", f"exercises.{name}.check(answer_{name})"))
    cells += [
        markdown("what-you-saw", "## What you saw"),
        python("headline", 'course.headline("2")'),
        markdown("go-on", "## Go on"),
    ]
    kernel = {"kernelspec": {"name": "python3", "display_name": "x", "language": "python"}}
    notebook = nbformat.v4.new_notebook(cells=cells, metadata=kernel)
    notebook = nbformat.from_dict(notebook)
    for cell, place in zip(notebook.cells, lecture.slide_types(notebook.cells), strict=True):
        cell.metadata["slideshow"] = nbformat.from_dict({"slide_type": place})
    return notebook


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_a_good_notebook_breaks_no_rule(rule):
    assert list(rule(good())) == []


def cell_of(notebook, name):
    return next(cell for cell in notebook.cells if cell.id == name)


def replace(name, old, new):
    def change(notebook):
        cell = cell_of(notebook, name)
        assert old in cell.source
        cell.source = cell.source.replace(old, new)

    return change


def edit(name, **fields):
    return lambda notebook: cell_of(notebook, name).update(nbformat.from_dict(fields))


def remove(name):
    return lambda notebook: notebook.cells.remove(cell_of(notebook, name))


def place(name, where):
    def change(notebook):
        cell_of(notebook, name).metadata["slideshow"] = nbformat.from_dict({"slide_type": where})

    return change


VIEW = "def draw(k):\n    return data + k\n\n\ncu.explore(draw, k=(1, 2))"
BREAKS = {
    "no place": (is_ready_for_a_lecture, edit("go-on", metadata={})),
    "a title in passing": (is_ready_for_a_lecture, place("title", "-")),
    "a heading unseen": (is_ready_for_a_lecture, place("go-on", "skip")),
    "an answer too soon": (is_ready_for_a_lecture, place("answer-sum", "-")),
    "an output": (is_cleared, edit("start", outputs=[{"output_type": "stream"}])),
    "a count": (is_cleared, edit("start", execution_count=3)),
    "an id twice": (has_readable_unique_ids, edit("start", id="title")),
    "a random id": (has_readable_unique_ids, edit("start", id="b5c1f0a2")),
    "a shouted id": (has_readable_unique_ids, edit("start", id="Start")),
    "another kernel": (names_the_kernel, lambda n: n.metadata.kernelspec.update(name="mine")),
    "an old format": (names_the_kernel, lambda n: n.update(nbformat_minor=4)),
    "no title": (opens_as_agreed, replace("title", "# A title", "A title")),
    "two points": (opens_as_agreed, replace("title", "- see\n", "")),
    "no time": (opens_as_agreed, replace("title", "Measured time", "Measured")),
    "no needs": (opens_as_agreed, replace("title", "You need", "Nothing")),
    "no start": (opens_as_agreed, replace("start", "PROFILE, ", "")),
    "no parameters": (opens_as_agreed, remove("parameters")),
    "no tag": (reads_its_parameters, edit("parameters", metadata={})),
    "a fixed profile": (reads_its_parameters, replace("parameters", "os.environ.get", "str")),
    "no way on": (closes_as_agreed, remove("go-on")),
    "no headline": (closes_as_agreed, remove("headline")),
    "a level left out": (has_headings_in_order, replace("first-idea", "### In", "#### In")),
    "two titles": (has_headings_in_order, replace("go-on", "## Go", "# Go")),
    "a long cell": (has_small_cells, replace("start", "import", "\n" * 20 + "import")),
    "long cells": (has_small_cells, lambda n: [c.update(source="1\n" * 7) for c in code(n)]),
    "a tag": (hides_no_failure, edit("start", metadata={"tags": ["raises-exception"]})),
    "plt.show": (shows_figures_with_alt_text, edit("start", source="plt.show()")),
    "no alt text": (shows_figures_with_alt_text, edit("go-on", source="![](a.png)")),
    "a view's data lost": (
        keeps_what_a_view_reads,
        lambda n: [edit("start", source=VIEW)(n), edit("headline", source="data = 2")(n)],
    ),
    "a lambda's data lost": (
        keeps_what_a_view_reads,
        lambda n: [
            edit("start", source=VIEW.replace("(draw", "(lambda k: draw(k + less)"))(n),
            edit("headline", source="for less in range(3):\n    print(less)")(n),
        ],
    ),
    "no answer": (settles_its_predictions, remove("answer-sum")),
    "no question": (
        settles_its_predictions,
        lambda n: [remove(name)(n) for name in ("predict-sum", "answer-sum")],
    ),
    "no check": (checks_each_exercise, remove("check-two")),
    "no last check": (checks_each_exercise, lambda n: n.update(cells=n.cells[:11])),
    "too few": (checks_each_exercise, remove("exercise-one")),
    "another name": (checks_each_exercise, edit("exercise-two", id="task-two")),
    "an answer bound again": (
        keeps_what_an_exercise_defines,
        replace("headline", "course", "answer_two = 2\ncourse"),
    ),
    "an answer shadowed": (
        keeps_what_an_exercise_defines,
        replace("headline", "course", "[answer_two for answer_two in (1, 2)]\ncourse"),
    ),
    "a solved stub": (checks_each_exercise, edit("exercise-two", source="answer_two = 2")),
}


@pytest.mark.parametrize("name", BREAKS)
def test_a_rule_finds_what_it_is_there_for(name):
    rule, change = BREAKS[name]
    notebook = good()
    change(notebook)
    assert list(rule(notebook)) != []


def test_every_rule_is_broken_once():
    assert {rule for rule, _ in BREAKS.values()} == set(RULES)
