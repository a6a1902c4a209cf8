"""Write what docs/teaching.md says of each lecture: its time, its questions, its usual mistakes.

    python docs/teaching.py [--check]

The times come from the README's table, the questions from the predictions of the notebooks, the
mistakes from the exercises, each of which is tried by tests/test_exercises.py. So none of it is
typed by hand, and tests/test_teaching.py holds the page to it.
"""

import ast
import re
import sys
from pathlib import Path

import nbformat

from course_utils.exercises import modules
from course_utils.exercises.base import Exercise

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "teaching.md"
BEGIN, END = "<!-- begin: made by docs/teaching.py -->", "<!-- end -->"


def notebooks():
    """Return the path of every notebook, in the order of the course."""
    return sorted((ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb"))


def times():
    """Return the measured time of each notebook, by its number, as the README gives it."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d\d) \| .*\| ([^|]+) \|$", readme, flags=re.M)
    return {number: time.strip() for number, time in rows}


def text_of(node):
    """Return a string of some code; what the run would fill in is an ellipsis."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(v.value if isinstance(v, ast.Constant) else "…" for v in node.values)
    return "…"


def questions(notebook):
    """Return (question, choices) of each prediction of a notebook."""
    found = []
    for cell in notebook.cells:
        nodes = ast.walk(ast.parse(cell.source)) if cell.cell_type == "code" else ()
        for node in nodes:
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "cu.predict":
                choices = node.args[1]
                listed = getattr(choices, "elts", [choices])
                found.append((text_of(node.args[0]), [text_of(choice) for choice in listed]))
    return found


def headings(notebook):
    """Return the heading of each exercise, by its name."""
    found, heading = {}, ""
    for cell in notebook.cells:
        for line in re.findall(r"^### Exercise: (.+)$", cell.source, flags=re.M):
            heading = line
        if cell.cell_type == "code" and "exercise" in cell.metadata.get("tags", []):
            found[cell.id.removeprefix("exercise-")] = heading
    return found


def exercises(stem):
    """Return the exercises of a notebook, by name."""
    of_notebook = [m for m in modules().values() if stem == m.NOTEBOOK]
    values = [value for module in of_notebook for value in vars(module).values()]
    return {value.name: value for value in values if isinstance(value, Exercise)}


def lecture(path):
    """Return what the page says of one notebook, as Markdown."""
    notebook = nbformat.read(path, 4)
    title = re.match(r"# (.+)", notebook.cells[0].source).group(1)
    known = exercises(path.stem)
    tasks = {name: head for name, head in headings(notebook).items() if name in known}
    asked = questions(notebook)
    lines = [
        f"### {title}",
        "",
        f"Runs in {times().get(path.stem[:2], 'a time not measured yet')} (fast profile, two "
        f"cores); {len(asked)} predictions, {len(tasks)} exercises.",
        "",
        "Ask before the cell runs:",
        "",
    ]
    lines += [f"- {question} *({' · '.join(choices)})*" for question, choices in asked]
    lines += ["", "Wrong answers that students give, in the words of the check:", ""]
    for name, head in tasks.items():
        said = dict.fromkeys(mistake.message for mistake in known[name].typical_mistakes)
        lines.append(f"- **{head}**: {'; '.join(f'“{words}”' for words in said)}.")
    return "\n".join(lines)


def made():
    """Return the part of the page that this file makes."""
    return "\n\n".join([BEGIN, *(lecture(path) for path in notebooks()), END])


def page():
    """Return the whole page as it should be."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    return before + made() + rest.partition(END)[2]


def main():
    """Write the page, or with ``--check`` only say whether it is up to date."""
    right = page()
    if PAGE.read_text(encoding="utf-8") == right:
        print(f"{PAGE.name} is up to date")
        return 0
    if "--check" in sys.argv[1:]:
        print(f"{PAGE.name} is not up to date: run python docs/teaching.py")
        return 1
    PAGE.write_text(right, encoding="utf-8", newline="\n")
    print(f"wrote {PAGE.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
