"""How Sphinx makes the site. `course site` prepares the sources and calls it; see book.py."""

from course_utils.command.pages import mathml

project = "Convolutional neural networks"
copyright = "the authors of the course; text and figures CC BY 4.0, code MIT"
html_title = project
language = "en"

extensions = ["myst_nb"]
exclude_patterns = ["extra", "files"]
nb_execution_mode = "off"
nb_merge_streams = True
nb_render_markdown_format = "myst"
# The pages hold no live views, so the scripts for them, which come from elsewhere, stay out.
nb_ipywidgets_js = {}
myst_enable_extensions = ["dollarmath", "amsmath"]
myst_heading_anchors = 3

templates_path = ["_templates"]
html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["course.css"]
html_js_files = ["course.js"]
html_use_index = False
html_show_sphinx = False
# Excerpts below the results would be fetched, which a browser refuses to a page opened from disk.
html_show_search_summary = False
html_copy_source = False
html_math_renderer = "mathml"
pygments_style = "a11y-high-contrast-light"
pygments_dark_style = "a11y-high-contrast-dark"


def inline_formula(writer, node):
    """Write a formula inside a sentence as MathML, which browsers draw themselves."""
    from docutils.nodes import SkipNode

    writer.body.append(mathml(node.astext(), "inline"))
    raise SkipNode


def displayed_formula(writer, node):
    """Write a formula on a line of its own as MathML."""
    from docutils.nodes import SkipNode

    writer.body.append(f'<div class="course-formula">{mathml(node.astext(), "block")}</div>')
    raise SkipNode


def plain_captions(app, pagename, templatename, context, doctree):
    """Make the captions of the sidebar plain text: they claim to be headings without a level."""
    tree = context.get("furo_navigation_tree", "")
    context["furo_navigation_tree"] = tree.replace(' role="heading"', "")


def setup(app):
    """Make formulas that need neither a script nor a network, and mend what the theme leaves."""
    app.add_html_math_renderer("mathml", (inline_formula, None), (displayed_formula, None))
    app.connect("html-page-context", plain_captions, priority=900)  # after the theme
    return {"parallel_read_safe": True, "parallel_write_safe": True}
