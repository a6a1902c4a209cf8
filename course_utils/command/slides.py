"""``course slides``: each notebook as a lecture, one file that needs no network.

Which cell is on which slide stands in the notebooks (see `lecture`); what it shows comes from the
last ``course run``. reveal.js, which turns the pages, is a part of the package sphinx-revealjs.
"""

import copy
import html
import re
import shutil
import tempfile
import time
from functools import cache
from pathlib import Path

from . import ROOT, Problem, explain, lecture

WHERE = "slides"
LARGER = 1.4  # than on a page: a slide is read from the back of a room
# The figures of these speak for themselves; in a lecture their source is in the way.
WITHOUT_SOURCE = {"picture", "verdict", "claim", "sentence", "question"}


def add_arguments(parser):
    """Declare the options of ``course slides``."""
    from .executed import takes_out

    parser.epilog = (
        "Each file of build/slides holds a whole lecture, and opens from a stick. Keys: arrows, "
        "space, S for the speaker's notes, Esc for an overview."
    )
    parser.add_argument(
        "notebooks", nargs="*", help="numbers (03), names or paths (default: the whole course)"
    )
    takes_out(parser)


def run(options):
    """Build the slides; return 0, or raise a `Problem` with what is wrong."""
    from . import pagecheck
    from .executed import executed
    from .run import select

    begin = time.perf_counter()
    out = options.out or ROOT / "build"
    course = executed(select(options.notebooks), out)
    target = out / WHERE
    try:
        with tempfile.TemporaryDirectory(prefix="course-slides-") as scratch:
            counts = build(course, Path(scratch))
            problems, weights = pagecheck.weigh(scratch)
            if problems:
                raise Problem("; ".join(problems))
            target.mkdir(parents=True, exist_ok=True)
            for made in sorted(Path(scratch).iterdir()):
                shutil.copyfile(made, target / made.name)
    except OSError as error:
        raise Problem(explain(error, f"writing to {target}")) from error
    for name, count in counts.items():
        print(f"{name}: {count} slides, {weights[f'{name}.html'] / 1e6:.1f} MB")
    print(f"{len(counts)} lectures in {time.perf_counter() - begin:.0f} s · {target}")
    return 0


def build(course, folder):
    """Write the slides of each notebook of `course`, a list of `Executed`, to `folder`.

    Returns
    -------
    dict from str to int
        How many slides each has.
    """
    folder.mkdir(parents=True, exist_ok=True)
    counts = {}
    names = [each.name for each in course]
    for each in course:
        stacks = stacked(each.notebook.cells)
        page = _page(each.title, stacks, names)
        (folder / f"{each.name}.html").write_text(page, encoding="utf-8")
        counts[each.name] = sum(map(len, stacks))
    return counts


def stacked(cells):
    """Return the slides of a notebook.

    Parameters
    ----------
    cells : sequence of NotebookNode
        Each with its slide type.

    Returns
    -------
    list of list of list of (NotebookNode, str)
        Stacks (a heading of the second level and what belongs to it) of slides of cells, each with
        its slide type.

    Raises
    ------
    Problem
        If a cell has no slide type.
    """
    stacks = []
    for cell in cells:
        what = lecture.given(cell)
        if what not in lecture.TYPES:
            raise Problem(f"cell {cell.id} has no slide type: course tidy gives it one")
        if what == lecture.SKIP:
            continue
        if what == lecture.SLIDE or not stacks:
            stacks.append([[]])
        elif what == lecture.SUBSLIDE:
            stacks[-1].append([])
        stacks[-1][-1].append((cell, what))
    return stacks


def _page(title, stacks, names):
    from .pages import style

    body = "\n".join(_stack(title, stack, names) for stack in stacks)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{html.escape(title)}</title>\n"
        f"<style>\n{_reveal('dist/reveal.css')}\n{style('slides.css')}</style>\n</head>\n"
        f'<body>\n<main class="reveal"><div class="slides">\n{body}\n</div></main>\n'
        f"<script>\n{_reveal('dist/reveal.js')}\n</script>\n"
        f"<script>\n{_reveal('plugin/notes/notes.js')}\n</script>\n"
        f"<script>\n{(Path(__file__).parent / 'slides.js').read_text(encoding='utf-8')}</script>\n"
        "</body>\n</html>\n"
    )


@cache
def _reveal(name):
    """Return a file of reveal.js."""
    try:
        import sphinx_revealjs
    except ImportError as error:
        raise Problem(f'{error}: python -m pip install -e ".[site]"') from error
    folder = Path(sphinx_revealjs.__file__).parent / "_static" / "revealjs"
    return (folder / name).read_text(encoding="utf-8")


def _stack(title, slides, names):
    first = slides[0][0][0].source.split("\n")[0]
    section = re.sub(r"[*`]", "", first.lstrip("# ")) if first.startswith("#") else title
    made = "\n".join(_slide(section, slide, names) for slide in slides)
    return f"<section>\n{made}\n</section>" if len(slides) > 1 else made


def _slide(section, cells, names):
    """Return one slide; one without a heading of its own says which section it belongs to."""
    head, body, notes = "", [], []
    if not lecture.kind(cells[0][0]).startswith("heading"):
        head = f'<p class="where">{html.escape(section)}</p>'
    for cell, what in cells:
        if what == lecture.NOTES:
            notes.append(_cell(cell, names))
        elif what == lecture.FRAGMENT:
            body.append(f'<div class="fragment">{_cell(cell, names)}</div>')
        else:
            body.append(_cell(cell, names))
    aside = f'<aside class="notes">{"".join(notes)}</aside>' if notes else ""
    return f'<section>\n{head}<div class="fit">{"".join(body)}</div>{aside}\n</section>'


def _cell(cell, names):
    import nbformat

    from .executed import linked, shown
    from .figures import inline, placed
    from .pages import exporter

    cell = copy.deepcopy(cell)
    if cell.cell_type == "markdown":
        cell.source = linked(cell.source, names, ".html")
    elif lecture.kind(cell) == "exercise":
        cell.outputs = []
    else:
        cell.outputs = shown(cell.outputs)
    notebook = nbformat.v4.new_notebook(cells=[cell])
    source = lecture.kind(cell) not in WITHOUT_SOURCE
    made, _ = exporter(code=source, anchors=False).from_notebook_node(notebook)
    return placed(made, inline, enlarged=LARGER)
