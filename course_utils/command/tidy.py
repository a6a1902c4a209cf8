"""``course tidy``: bring notebooks into the one form that is committed.

Outputs and counts go (except of cells tagged ``nbval-check-output``: nbval compares those), and
metadata that depends on who saved the file. A cell without a slide type gets the one that the rule
of `lecture` gives it. Sources and cell ids are never touched.
"""

import json
import os
import tempfile
from pathlib import Path

from . import ROOT, Problem, lecture

KEPT_CELL_METADATA = ("tags", "slideshow", "jupyter", "collapsed")
CHECKED = "nbval-check-output"


def add_arguments(parser):
    """Declare the options of ``course tidy``."""
    parser.epilog = (
        "It removes the outputs that are stored in the notebooks named, or in all of the course's "
        "if none is: what you see of a run is gone from the file, what you wrote stays."
    )
    parser.add_argument("paths", nargs="*", type=Path, help="notebooks or folders (default: all)")
    parser.add_argument(
        "--check", action="store_true", help="change nothing; fail if something would change"
    )


def run(options):
    """Tidy the notebooks of `options.paths`; with ``--check``, exit 1 if one is not tidy."""
    changed = 0
    for path in _notebooks(options.paths):
        before = path.read_text(encoding="utf-8")
        try:
            after, changes = tidied(before)
        except ValueError as error:
            raise Problem(f"{path} is not a notebook that can be read: {error}") from error
        if after == before:
            continue
        changed += 1
        verb = "would change" if options.check else "tidied"
        print(f"{verb} {path}: {', '.join(changes) or 'order and white space of the file'}")
        if not options.check:
            _replace(path, after)
    if not changed:
        print("every notebook is tidy")
    return 1 if options.check and changed else 0


def tidied(text):
    """Return the tidy form of a notebook and what changed.

    Parameters
    ----------
    text : str
        The file as it is.

    Returns
    -------
    text : str
        The file as it should be. Tidying it again changes nothing.
    changes : list of str
        In words, for a person.

    Raises
    ------
    ValueError
        If `text` is not a notebook.
    """
    import nbformat

    found = json.loads(text)
    if not isinstance(found, dict) or not isinstance(found.get("cells"), list):
        raise ValueError("it holds no list of cells")
    try:
        notebook = nbformat.reads(text, as_version=4)
        nbformat.validate(notebook)
    except nbformat.ValidationError as error:
        raise ValueError(str(error).splitlines()[0]) from error
    changes = []
    cleared = 0
    by_rule = lecture.slide_types(notebook.cells)
    for number, (cell, slide_type) in enumerate(zip(notebook.cells, by_rule, strict=True), 1):
        if "id" not in cell:
            cell.id = f"cell-{number}"
            changes.append(f"id of cell {number}")
        metadata = {k: v for k, v in cell.metadata.items() if k in KEPT_CELL_METADATA}
        if lecture.given(cell) not in lecture.TYPES:
            metadata["slideshow"] = {"slide_type": slide_type}
        if metadata != cell.metadata:
            cell.metadata = nbformat.from_dict(metadata)
            changes.append(f"metadata of {cell.id}")
        if cell.cell_type != "code":
            continue
        if CHECKED in cell.metadata.get("tags", []) and cell.outputs:
            cell.execution_count = 1
            for output in cell.outputs:
                if output.output_type == "execute_result":
                    output.execution_count = 1
        elif cell.outputs or cell.execution_count is not None:
            cell.outputs, cell.execution_count = [], None
            cleared += 1
    if cleared:
        changes.insert(0, f"outputs and counts of {cleared} cells")
    metadata = {
        "kernelspec": {
            "display_name": "Python 3 (ipykernel)",
            "language": "python",
            "name": "python3",
        },
        "language_info": {"name": "python"},
    }
    if metadata != notebook.metadata:
        notebook.metadata = nbformat.from_dict(metadata)
        changes.append("metadata of the notebook")
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    return nbformat.writes(notebook).rstrip("\n") + "\n", changes


def _notebooks(paths):
    found = []
    for path in paths or [ROOT / "notebooks"]:
        if path.is_dir():
            found += sorted(p for p in path.rglob("*.ipynb") if ".ipynb_checkpoints" not in p.parts)
        elif path.is_file():
            found.append(path)
        else:
            raise Problem(f"there is no notebook or folder {path}")
    return found


def _replace(path, text):
    """Write `text` to `path` in one step: a power cut leaves the old file or the new one."""
    path = path.resolve()
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        os.chmod(name, path.stat().st_mode)
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise
