"""The course as it was last executed: what the site and the slides are built from."""

import re
from dataclasses import dataclass
from pathlib import Path

from . import Problem, store
from .execute import Result


def takes_out(parser):
    """Declare ``--out``, which the commands that show a finished run have in common."""
    parser.add_argument(
        "--out",
        type=Path,
        default=None,
        metavar="FOLDER",
        help="the folder that course run wrote, default: the course's build/",
    )


@dataclass
class Executed:
    """A notebook with the outputs of its last run.

    Attributes
    ----------
    source : Path
        The notebook itself, without outputs.
    notebook : NotebookNode
        Its cells and their metadata, with the outputs that ``course run`` kept.
    result : Result
        How long that run took, among other things.
    """

    source: Path
    notebook: object
    result: Result

    @property
    def name(self):
        """The name of the file without its suffix: ``03_full_cnn``."""
        return self.source.stem

    @property
    def title(self):
        """The text of its first heading: ``03 · The full CNN``."""
        return self.notebook.cells[0].source.split("\n")[0].lstrip("# ")

    @property
    def opening(self):
        """The first paragraph below the title."""
        paragraphs = self.notebook.cells[0].source.split("\n\n")
        return " ".join(paragraphs[1].split()) if len(paragraphs) > 1 else ""


def executed(sources, out):
    """Return an `Executed` for each notebook of `sources`, as ``course run`` left it in `out`.

    Raises
    ------
    Problem
        If one was not executed yet, did not run to its end, or has been changed since.
    """
    results = store.recorded(out)
    found, complaints = [], []
    for source in sources:
        result, copy = results.get(source.stem), out / "executed" / f"{source.stem}.ipynb"
        if result is None or not copy.is_file():
            complaints.append(f"{source.stem} has not been executed yet")
        elif result.status != "ok":
            complaints.append(f"{source.stem} did not run to its end ({result.words})")
        elif (merged := _merged(source, copy)) is None:
            complaints.append(f"{source.stem} has been changed since it was executed")
        else:
            found.append(Executed(source, merged, result))
    if complaints:
        raise Problem(f"{'; '.join(complaints)}: make run first")
    return found


def _merged(source, copy):
    """Return the notebook `source` with the outputs of `copy`; None if they differ in a cell."""
    import nbformat

    notebook, ran = nbformat.read(source, 4), nbformat.read(copy, 4)
    if [_facts(cell) for cell in notebook.cells] != [_facts(cell) for cell in ran.cells]:
        return None
    for cell, with_outputs in zip(notebook.cells, ran.cells, strict=True):
        if cell.cell_type == "code":
            cell.outputs = with_outputs.outputs
            cell.execution_count = with_outputs.execution_count
    return notebook


LINK = re.compile(r"\[([^][]*)\]\(([^()\s]+)\.ipynb\)")
# What the pages can show, the best first.
KINDS = ("text/html", "text/markdown", "image/png", "text/plain")


def linked(text, names, suffix):
    """Return Markdown whose links to notebooks lead to their pages.

    Parameters
    ----------
    text : str
    names : collection of str
        The notebooks that have pages. The name of another one stays, as text.
    suffix : str
        Of a page: ``".html"``.
    """
    return LINK.sub(
        lambda link: f"[{link[1]}]({link[2]}{suffix})" if link[2] in names else link[1], text
    )


def shown(outputs):
    """Return outputs as a page shows them: of each the one best kind, and what is printed whole."""
    import nbformat

    found = []
    for output in outputs:
        output = nbformat.from_dict(output)
        kinds = [kind for kind in KINDS if kind in output.get("data", {})]
        if kinds:
            output.data = nbformat.from_dict({kinds[0]: output.data[kinds[0]]})
        if found and output.output_type == "stream" and output.name == found[-1].get("name"):
            found[-1].text += output.text
        else:
            found.append(output)
    return found


def _facts(cell):
    return cell.cell_type, cell.get("id"), cell.source
