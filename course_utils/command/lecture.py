"""What of a notebook is shown in a lecture: the slide type of each cell, by one rule for them all.

The types are Jupyter's own (``metadata.slideshow.slide_type``). ``course tidy`` writes one into
every cell that has none, so a type that somebody chose by hand stays. The rule, in words: a heading
opens a slide; a picture, a verdict and a printed result get one each; what is claimed, said or
asked stands on the slide that it belongs to; prose between two cells is for the speaker; setting up
and what shows nothing is left out.
"""

import ast
import re

SLIDE, SUBSLIDE, FRAGMENT, SAME, NOTES, SKIP = "slide", "subslide", "fragment", "-", "notes", "skip"
TYPES = (SLIDE, SUBSLIDE, FRAGMENT, SAME, NOTES, SKIP)
PICTURES = {"cu.show", "cu.explore"}
# Calls whose value a notebook does not show, at the end of a cell.
SILENT = {"fit", "compile", "append", "load_weights", "headline", "set_random_seed", "set_xscale"}
# A formula of its own line, a list or a table: too much to be said in passing.
WORTH_SEEING = re.compile(r"^\s*(\$\$|\\begin|[-*] |\d+\. |\|)", flags=re.M)


def kind(cell):
    """Return what a cell does for its reader.

    Parameters
    ----------
    cell : NotebookNode

    Returns
    -------
    str
        ``"heading 1"`` … ``"heading 6"``, ``"prose"``, ``"list"``, ``"setup"``, ``"exercise"``,
        ``"check"``, ``"question"``, ``"picture"``, ``"verdict"``, ``"claim"``, ``"sentence"``,
        ``"result"`` or ``"silent"``.
    """
    if cell.cell_type != "code":
        heading = re.match(r"(#{1,6}) ", cell.source)
        if heading:
            return f"heading {len(heading[1])}"
        return "list" if WORTH_SEEING.search(cell.source) else "prose"
    tags = cell.metadata.get("tags", [])
    for tag in ("setup", "parameters", "exercise"):
        if tag in tags:
            return "exercise" if tag == "exercise" else "setup"
    try:
        tree = ast.parse(cell.source)
    except SyntaxError:
        return "result"
    calls = {ast.unparse(node.func) for node in _run(tree) if isinstance(node, ast.Call)}
    if any(call.startswith("exercises.") and call.endswith(".check") for call in calls):
        return "check"
    if "cu.predict" in calls:
        return "question"
    if calls & PICTURES:
        return "picture"
    if any(call.endswith(".answer") for call in calls):
        return "verdict"
    if "cu.claim" in calls:
        return "claim"
    if "cu.say" in calls:
        return "sentence"
    return "result" if "print" in calls or _ends_in_a_value(tree) else "silent"


def _run(tree):
    """Yield the nodes that are run with the cell: what a function holds waits for its call."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if not isinstance(node, ast.FunctionDef):
            yield node
            waiting += ast.iter_child_nodes(node)


def _ends_in_a_value(tree):
    last = tree.body[-1] if tree.body else None
    if not isinstance(last, ast.Expr):
        return False
    called = last.value.func if isinstance(last.value, ast.Call) else None
    return getattr(called, "attr", getattr(called, "id", None)) not in SILENT


def slide_types(cells):
    """Return the slide type that the rule gives to each cell of a notebook, in order."""
    types, shown = [], None
    for cell in cells:
        what = kind(cell)
        chosen = _type(what, shown)
        types.append(chosen)
        if chosen not in (SKIP, NOTES):
            shown = what
    return types


def _type(what, shown):
    """Return the type of a cell that does `what`, after one on a slide that did `shown`."""
    after_heading = shown is not None and shown.startswith("heading")
    if what in ("heading 1", "heading 2"):
        return SLIDE
    if what in ("setup", "check", "silent"):
        return SKIP
    if what == "prose":
        return NOTES
    if what == "exercise":
        return SAME
    if what == "question":
        return SAME if after_heading else SUBSLIDE
    if what == "claim":
        return SUBSLIDE if shown in ("question", "result") else SAME
    if what == "sentence":
        return SAME if after_heading else SUBSLIDE if shown in ("question", what) else FRAGMENT
    # A picture, a result, a verdict, a list, and a heading of a lower level.
    return SUBSLIDE


def given(cell):
    """Return the slide type that a cell carries, or None."""
    return cell.metadata.get("slideshow", {}).get("slide_type")
