"""HTML pages of executed notebooks: one file each, readable without a network or a script."""

import html
from functools import cache
from pathlib import Path
from urllib.parse import quote

from ..bundles import HEADLINE, WIDGET_VIEW, without_widgets


def settled(notebook):
    """Return an executed notebook as it is kept: no live views, no paths of this machine."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if "data" in output:
                output["data"] = without_widgets(output["data"])
    for path in ("input_path", "output_path"):
        notebook.metadata.get("papermill", {}).pop(path, None)
    return notebook


def headline(notebook):
    """Return the text of the last ``course.headline`` of an executed notebook, or ``""``."""
    found = [
        output["data"][HEADLINE]["text"]
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if HEADLINE in output.get("data", {})
    ]
    return found[-1] if found else ""


def notebook_page(notebook, name):
    """Return an executed notebook as one self-contained HTML page.

    Formulas become MathML, which browsers draw themselves. Figures keep their alt text. Nothing is
    fetched: no scripts, fonts or style sheets from elsewhere.
    """
    body, _ = exporter().from_notebook_node(notebook)
    heading = next(
        (
            line.lstrip("# ")
            for cell in notebook.cells
            if cell.cell_type == "markdown"
            for line in cell.source.split("\n")
            if line.startswith("# ")
        ),
        name,
    )
    back = '<nav><a href="../index.html">All notebooks</a></nav>'
    return _page(heading, f"{back}\n<main>\n{body}\n</main>")


def index_page(rows, facts):
    """Return the page that links the executed notebooks.

    Parameters
    ----------
    rows : list of (name, Result, bool)
        The bool says whether there is a page to link.
    facts : str
        One line: when, which profile, which data.
    """
    lines = []
    for name, result, page in rows:
        link = html.escape(name)
        if page:
            link = f'<a href="html/{quote(name)}.html">{link}</a>'
        cells = (
            html.escape(result.words),
            f"{result.seconds:.0f}",
            f"{result.megabytes:,.0f}",
            html.escape(result.headline or result.error),
        )
        lines.append(f"<tr><td>{link}</td>" + "".join(f"<td>{c}</td>" for c in cells) + "</tr>")
    head = "".join(
        f'<th scope="col">{title}</th>'
        for title in ("Notebook", "Status", "Seconds", "Peak memory (MB)", "Headline")
    )
    body = (
        f"<main>\n<h1>The course, executed</h1>\n<p>{html.escape(facts)}</p>\n"
        f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n"
        + "\n".join(lines)
        + "\n</tbody>\n</table>\n</main>"
    )
    return _page("The course, executed", body)


def _page(title, body):
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{html.escape(title)}</title>\n<style>\n{style()}</style>\n</head>\n"
        f"<body>\n{body}\n</body>\n</html>\n"
    )


@cache
def style(name="pages.css"):
    """Return one of the style sheets beside this file, with the colours of code before it."""
    from pygments.formatters import HtmlFormatter

    light = HtmlFormatter(style="xcode").get_style_defs(".highlight")
    dark = HtmlFormatter(style="github-dark").get_style_defs(".highlight")
    own = (Path(__file__).parent / name).read_text(encoding="utf-8")
    return f"{light}\n@media (prefers-color-scheme: dark) {{\n{dark}\n}}\n{own}"


@cache
def exporter(code=True, anchors=True):
    """Return what turns a notebook into the body of a page.

    Parameters
    ----------
    code : bool
        Whether code cells show their source.
    anchors : bool
        Whether headings can be linked.
    """
    from jinja2 import pass_context
    from nbconvert import HTMLExporter
    from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
    from traitlets.config import Config

    class Renderer(IPythonRenderer):
        """Markdown with formulas as MathML."""

        def inline_math(self, body):
            return mathml(body, "inline")

        def block_math(self, body):
            return mathml(body, "block")

        def latex_environment(self, name, body):
            return mathml(f"\\begin{{{name}}}{body}\\end{{{name}}}", "block")

    class Exporter(HTMLExporter):
        """HTML whose formulas need neither a network nor a script."""

        @pass_context
        def markdown2html(self, context, source):
            attachments = context.get("cell", {}).get("attachments", {})
            renderer = Renderer(
                escape=False, attachments=attachments, exclude_anchor_links=not anchors
            )
            return MarkdownWithMath(renderer=renderer).render(source)

    config = Config()
    config.HTMLExporter.exclude_input_prompt = True
    config.HTMLExporter.exclude_output_prompt = True
    config.HTMLExporter.exclude_input = not code
    kinds = HTMLExporter().default_config.NbConvertBase.display_data_priority
    config.NbConvertBase.display_data_priority = [kind for kind in kinds if kind != WIDGET_VIEW]
    return Exporter(config=config, template_name="basic")


def mathml(formula, display):
    """Return `formula` as MathML; as its LaTeX source where the converter cannot.

    Parameters
    ----------
    formula : str
        LaTeX, without dollars.
    display : str
        ``"inline"`` or ``"block"``.
    """
    from latex2mathml.converter import convert

    source = html.escape(formula.strip())
    try:
        drawn = convert(formula.strip(), display=display)
    except Exception:
        drawn = "<mi>&</mi>"
    if "<mi>&</mi>" in drawn:
        return f"<code>{source}</code>"
    return drawn.replace("<math ", f'<math alttext="{source}" ', 1)
