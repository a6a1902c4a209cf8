"""The sources of the site, from which Sphinx makes the pages: notebooks, README, documents."""

import copy
import html
import json
import shutil

from . import ROOT, Problem
from .documents import Pages, sections
from .executed import linked, shown
from .figures import Folder, placed, thumbnail

# Of the README: what the front page tells. The rest is the page "Running the course", and the
# table of notebooks makes room for the gallery.
FRONT = ("Two commands", "Data", "Teaching from it", "Licence")
GALLERY = "The notebooks"
DOCUMENTS = {"CONTRIBUTING.md": "contributing.md", "data/README.md": "data.md"}
FIRST = ("teaching", "cluster")  # of docs/, in this order before any others


def prepare(course, folder, *, slides=False):
    """Write the sources of the site.

    Parameters
    ----------
    course : list of Executed
    folder : Path
        Empty. ``folder/extra`` gets what goes to the site as it is.
    slides : bool
        Whether there will be slides to link.
    """
    extra = folder / "extra"
    pictures = Folder(extra / "figures", "figures/")
    pages = Pages(ROOT, folder)
    names = [each.name for each in course]
    for each in course:
        pages.add(f"notebooks/{each.source.name}", each.source.name)
        (extra / "notebooks").mkdir(exist_ok=True)
        shutil.copyfile(each.source, extra / "notebooks" / each.source.name)
        text = json.dumps(_page(each, names, pictures, slides), indent=1)
        (folder / each.source.name).write_text(text, encoding="utf-8")
    documents = dict(DOCUMENTS)
    for path in sorted((ROOT / "docs").glob("*.md")):
        documents[f"docs/{path.name}"] = path.name
    for file, page in documents.items():
        pages.add(file, page)
    title, opening, parts = sections((ROOT / "README.md").read_text(encoding="utf-8"))
    missing = [heading for heading in (*FRONT, GALLERY) if heading not in parts]
    if missing:
        raise Problem(f"README.md has no section {missing[0]!r}, which the front page needs")
    running = [heading for heading in parts if heading not in (*FRONT, GALLERY)]
    pages.add("README.md", "index.md", (*FRONT, GALLERY))
    pages.add("README.md", "running.md", running)
    for file, page in documents.items():
        pages.write(page, (ROOT / file).read_text(encoding="utf-8"), file)
    front = [f"# {title}", opening, f"## {GALLERY}", _gallery(course, pictures)]
    front += [f"## {heading}\n\n{parts[heading]}" for heading in FRONT]
    order = [f"docs/{name}.md" for name in FIRST]
    others = sorted(
        documents, key=lambda file: (order.index(file) if file in order else len(order), file)
    )
    front.append(_toctree("Notebooks", names))
    more = ["running", *(documents[file].removesuffix(".md") for file in others)]
    front.append(_toctree("About the course", more))
    pages.write("index.md", "\n\n".join(front), "README.md")
    text = [f"## {heading}\n\n{parts[heading]}" for heading in running]
    pages.write("running.md", "\n\n".join(["# Running the course", *text]), "README.md")


def _toctree(caption, names):
    listed = "\n".join(names)
    return f"```{{toctree}}\n:hidden:\n:caption: {caption}\n\n{listed}\n```"


def _page(each, names, pictures, slides):
    """Return a notebook as the site shows it: pictures in files, and what to know about the run."""
    import nbformat

    notebook = copy.deepcopy(each.notebook)
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = linked(cell.source, names, ".ipynb")
            continue
        cell.outputs = shown(cell.outputs)
        for output in cell.outputs:
            if "text/html" in output.get("data", {}):
                output.data["text/html"] = placed(output.data["text/html"], pictures)
    file = html.escape(each.source.name)
    facts = [
        f"ran in {each.result.seconds:.0f} s, kernel start included",
        f'<a href="notebooks/{file}" download>download the notebook</a>',
    ]
    if slides:
        facts.append(f'<a href="slides/{html.escape(each.name)}.html">slides</a>')
    block = "".join(f"<li>{fact}</li>" for fact in facts)
    line = nbformat.v4.new_markdown_cell(
        f'<ul class="course-facts">{block}</ul>', id="facts-of-the-run"
    )
    notebook.cells.insert(1, line)
    return notebook


def _gallery(course, pictures):
    """Return the cards of the front page: a figure of each notebook, its aim, its time."""
    from nbconvert.filters import markdown2html

    chosen = json.loads((ROOT / "docs/gallery.json").read_text(encoding="utf-8"))
    cards = []
    for each in course:
        data, kind, alt = _figure(each, chosen.get(each.name))
        cards.append(
            f'<li><a href="{html.escape(each.name)}.html">'
            f'<img src="{pictures(data, kind)}" alt="{alt}" loading="lazy">'
            f"<strong>{html.escape(each.title)}</strong></a>"
            f"{markdown2html(each.opening).strip()}"
            f"<p>ran in {each.result.seconds:.0f} s</p></li>"
        )
    return '<ul class="course-gallery">\n' + "\n".join(cards) + "\n</ul>"


def _figure(each, cell_id):
    """Return the thumbnail of the cell `cell_id`, or of the first that has a figure."""
    cells = each.notebook.cells
    if cell_id is not None:
        cells = [cell for cell in cells if cell.id == cell_id]
        if not cells:
            raise Problem(f"docs/gallery.json names {cell_id}, which is no cell of {each.name}")
    for cell in cells:
        for output in cell.get("outputs", []):
            found = thumbnail(output.get("data", {}).get("text/html", ""))
            if found:
                return found
    raise Problem(f"{each.name} shows no figure that could stand for it in the gallery")
