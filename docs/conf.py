"""How Sphinx makes the book (`course run`) from executed notebooks and the pages here."""

import html
import json
import sys
from pathlib import Path

from docutils.nodes import SkipNode

sys.path.insert(0, str(Path(__file__).parent))
from formulas import mathml

project = html_title = "Convolutional neural networks"
copyright = "the authors of the course; text and figures CC BY 4.0, code MIT"
language = "en"

extensions = ["myst_nb"]
nb_execution_mode = "off"
nb_merge_streams = True
nb_code_prompt_show = "Show the {type}"
nb_code_prompt_hide = "Hide the {type}"
myst_enable_extensions = ["dollarmath", "amsmath"]
myst_heading_anchors = 3
suppress_warnings = [
    "mystnb.unknown_mime_type",  # an output that says the same in several forms
    "myst.xref_missing",  # the next lecture, where only some were run
    "toc.not_included",  # somebody's own notebook
]

html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["book.css"]
html_use_index = False
html_show_sphinx = False
# The source of a page is what its link downloads.
html_sourcelink_suffix = ""
html_show_sourcelink = False
# Excerpts below the results would be fetched, which a browser refuses to a page opened from disk.
html_show_search_summary = False
html_math_renderer = "mathml"
pygments_style = "a11y-high-contrast-light"
pygments_dark_style = "a11y-high-contrast-dark"


def writer_of(display):
    """Make what writes a formula, inline or as a block of its own."""

    def write(writer, node):
        drawn = mathml(node.astext(), display)
        writer.body.append(f'<span class="formula {display}">{drawn}</span>')
        raise SkipNode

    return write, None


def facts_of(app, name):
    """Return how a notebook's run came out, as `course run` has written it; {} for other pages."""
    path = Path(app.srcdir, f"{name}.ipynb")
    notebook = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return notebook.get("metadata", {}).get("course", {})


def add_facts(app, pagename, templatename, context, doctree):
    """Put below a notebook's title how it ran, and where to download it."""
    if facts := facts_of(app, pagename):
        text = "Ran in {seconds} s, {profile} profile".format(**facts)
        if facts["error"]:
            text = f"This run failed: {html.escape(facts['error'])}"
        link = f'<a href="_sources/{pagename}.ipynb" download>Download the notebook</a>'
        title, end, rest = context["body"].partition("</h1>")
        context["body"] = f'{title}{end}<p class="facts">{text} · {link}</p>{rest}'


def list_runs(app, docname, source):
    """Put the table of all runs on the page about the run."""
    if docname != "run":
        return
    rows = [
        "notebook | status | seconds | profile | data | error",
        "--- | --- | ---: | --- | --- | ---",
    ]
    for path in sorted(Path(app.srcdir).glob("*.ipynb")):
        facts = facts_of(app, path.stem)
        if facts:
            error = facts["error"].replace("|", "/").replace("`", "'")
            cells = [facts[name] for name in ("status", "seconds", "profile", "data")]
            cells = [f"[{path.stem}]({path.name})", *map(str, cells), f"`{error}`" if error else ""]
            rows.append(" | ".join(cells))
    source[0] += "\n" + "\n".join(f"| {row} |" for row in rows) + "\n"


def setup(app):
    """Register the formulas, and what the pages tell of the run."""
    app.add_html_math_renderer("mathml", writer_of("inline"), writer_of("block"))
    app.connect("html-page-context", add_facts)
    app.connect("source-read", list_runs)
