"""No sentence of a notebook holds a figure that only one run gave.

A figure may stand in prose if it is a setting of the code beside it, a small count, a year, the
number of a notebook, or is listed with its source in tests/figures_in_prose.txt. Everything else
must be made by the run: in `cu.say` and `bet.answer`, of which only the fixed words are read here.
"""

import ast
import re
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
ALLOWED = ROOT / "tests" / "figures_in_prose.txt"
SMALL = 10  # up to here a whole number is a count of things, unless a unit of a result follows it
FIGURE = r"(?<![\w.#])[-−]?\.?\d[\d,]*(?:\.\d+)?(?:e[-−]?\d+)?"
RESULT = r"[ \u00a0]*(?:%|per ?cent|(?:percentage )?points?\b|times\b|seconds\b|s\b|ms\b|MB\b)"
SAYS = ("cu.say", "course.headline", ".answer")  # what cu.claim says, it asserts


def number(text):
    """Return a figure without its sign and its commas: 1,024 and 1_024 are the same."""
    return abs(float(re.sub("[,_]", "", text.rstrip(",")).replace("−", "-")))


def literals(source):
    """Return the numbers of some code, those in its strings too."""
    found = re.findall(r"(?<![\w.])\.?\d[\d_,]*(?:\.\d+)?(?:e-?\d+)?", source)
    plain = (text.rstrip(",_").replace("_", "") for text in found)
    return {float(part) for text in plain for part in [text, *text.split(",")] if is_number(part)}


def is_number(text):
    try:
        float(text)
    except ValueError:
        return False
    return True


def constants(source):
    """Return the numbers of some code, none of its strings."""
    nodes = ast.walk(ast.parse(source))
    values = [node.value for node in nodes if isinstance(node, ast.Constant)]
    return {float(value) for value in values if type(value) in (int, float)}


def said(source):
    """Return the fixed words of what a code cell says: nothing of what the run fills in."""
    words = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(SAYS):
            arguments = [*node.args, *(keyword.value for keyword in node.keywords)]
            words += [text for argument in arguments for text in fixed(argument)]
    return "\n".join(words)


def fixed(node):
    """Return the texts of an expression, but not those inside of calls, indices and formats."""
    if isinstance(node, ast.Constant):
        return [node.value] if isinstance(node.value, str) else []
    if isinstance(node, ast.JoinedStr):
        return ["".join(v.value if isinstance(v, ast.Constant) else "…" for v in node.values)]
    if isinstance(node, ast.IfExp):
        return fixed(node.body) + fixed(node.orelse)
    return fixed(node.left) + fixed(node.right) if isinstance(node, ast.BinOp) else []


def is_innocent(text, match):
    """Whether a figure is a small count, the number of a notebook, or a year."""
    figure = match.group().rstrip(",")
    before, after = text[: match.start()], text[match.end() :]
    if re.fullmatch(r"0\d", figure):
        return bool(re.search(r"(notebooks?|\bNBs?|\[|# |, |and |to |–)\s*\[?$", before, re.I))
    if re.fullmatch(r"(19|20)\d\d", figure):
        return "(" in before.rpartition(")")[2] or before.endswith(", ")
    is_count = figure.isdigit() and number(figure) <= SMALL
    return is_count and not re.match(RESULT, after)


def stale_figures(notebook):
    """Yield (id of the cell, figure, words around it) of figures that nothing accounts for."""
    cells = notebook.cells
    for place, cell in enumerate(cells):
        if cell.cell_type == "markdown":
            text = re.sub(r"\]\([^)]*\)", "]", cell.source)  # where a link leads
            before = [c for c in cells[:place] if c.cell_type == "code"][-1:]
            beside = before + [c for c in cells[place:] if c.cell_type == "code"][:2]
            text = re.sub(r"\*\*Run time\*\*[^.]*\.", "", text)
        else:
            text, beside = said(cell.source), cells[max(0, place - 4) : place]
            if cell.id == "closing":  # looks back on all
                beside = [c for c in cells if c.cell_type == "code" and c is not cell]
        settings = literals("\n".join(c.source for c in beside))
        if cell.cell_type == "code":
            settings |= constants(cell.source)
        for match in re.finditer(FIGURE, text):
            if number(match.group()) in settings or is_innocent(text, match):
                continue
            around = text[max(0, match.start() - 40) : match.end() + 25]
            yield cell.id, match.group().rstrip(","), " ".join(around.split())


def allowed():
    """Return the figures with a source: {(notebook, cell, figure): source}."""
    lines = ALLOWED.read_text(encoding="utf-8").splitlines()
    rows = [line.partition(" | ") for line in lines if line and not line.startswith("#")]
    return {tuple(words.split(" ", 2)): source for words, _, source in rows}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_figure_in_prose_is_accounted_for(path):
    listed = allowed()
    unknown = [
        f"{cell}: {figure} in “… {around} …”"
        for cell, figure, around in stale_figures(nbformat.read(path, 4))
        if (path.stem[:2], cell, figure) not in listed
    ]
    assert not unknown, (
        "let the run make these (cu.say), or list them with their source in "
        f"tests/{ALLOWED.name}:\n" + "\n".join(unknown)
    )


def test_every_listed_figure_has_a_source_and_is_needed():
    there = {
        (path.stem[:2], cell, figure)
        for path in NOTEBOOKS
        for cell, figure, _ in stale_figures(nbformat.read(path, 4))
    }
    cells = {
        (path.stem[:2], cell.id) for path in NOTEBOOKS for cell in nbformat.read(path, 4).cells
    }
    listed = allowed()
    assert all(len(source) > 5 for source in listed.values())
    # A line for a cell that is not there is no harm: the cell may be on its way.
    gone = [words for words in listed if words[:2] in cells and words not in there]
    assert not gone, f"no longer in the notebooks; take them off tests/{ALLOWED.name}: {gone}"


def markdown(text, *code):
    cells = [nbformat.v4.new_markdown_cell(text, id="prose")]
    cells += [nbformat.v4.new_code_cell(source, id=f"code-{k}") for k, source in enumerate(code)]
    return nbformat.v4.new_notebook(cells=cells)


@pytest.mark.parametrize(
    ("text", "figure"),
    [
        ("The network reaches 98.2 % of the test images.", "98.2"),
        ("The network reaches .9910 at the end.", ".9910"),
        ("It needs 1,218 parameters.", "1,218"),
        ("It is 3 times as fast.", "3"),
        ("A gain of 2 points.", "2"),
        ("It takes 7 s, or 4\u00a0seconds.", "7"),
        ("The loss falls by −0.04.", "−0.04"),
        ("Accuracy `0.97` in code is still a result.", "0.97"),
        ("So is $0.97$ in a formula.", "0.97"),
        ("We found 05 of them.", "05"),
        ("There are 2019 such images.", "2019"),
    ],
)
def test_a_planted_figure_is_found(text, figure):
    found = [words[1] for words in stale_figures(markdown(text, "epochs = 20"))]
    assert found[:1] == [figure]


@pytest.mark.parametrize("name", ["cu.say", "bet.answer", "course.headline"])
def test_a_planted_figure_is_found_in_what_a_cell_says(name):
    source = f'{name}(f"accuracy 0.982 in {{runs}} runs, {{gain:.2f}} more")'
    found = [words[:2] for words in stale_figures(markdown("Text.", source))]
    assert found == [("code-0", "0.982")]


@pytest.mark.parametrize(
    "text",
    [
        "We train for 20 epochs on 1,200 images, with λ = 0.01.",
        "A 3×3 kernel, two layers, and 5 seeds.",
        "Notebook 03 and notebooks 04 and 05 go on; next: [06 · Title](06_title.ipynb).",
        "N. Srivastava and others, *Dropout* (2014); see also (Zhang, 2019).",
        "**Run time** about 45 seconds on two cores.",
        "[A link](https://example.org/123/456)",
    ],
)
def test_settings_counts_and_references_are_left_alone(text):
    code = "train(epochs=20, images=1_200, penalty=0.01)"
    assert list(stale_figures(markdown(text, code))) == []
