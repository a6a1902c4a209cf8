"""``course site``: the course as a book in HTML, from executed notebooks, without a network."""

import re
import shutil
import tempfile
import time
from pathlib import Path

from . import ROOT, Problem, explain

WHERE = "site"
MARK = ".course"  # a file that says: this folder was made here, and may be made anew


def add_arguments(parser):
    """Declare the options of ``course site``."""
    from .executed import takes_out

    parser.epilog = (
        "It shows what course run has computed, and computes nothing itself. Open "
        "build/site/index.html; it needs no server."
    )
    takes_out(parser)


def run(options):
    """Build the site; return 0, or raise a `Problem` with what is wrong."""
    from .executed import executed
    from .run import select

    begin = time.perf_counter()
    out = options.out or ROOT / "build"
    course = executed(select([]), out)
    try:
        weights = build(course, out / WHERE)
    except OSError as error:
        raise Problem(explain(error, f"writing to {out / WHERE}")) from error
    heaviest = max(weights, key=weights.get)
    took = time.perf_counter() - begin
    print(
        f"{len(weights)} pages in {took:.0f} s · the heaviest is {heaviest}, "
        f"{weights[heaviest] / 1e6:.1f} MB · {out / WHERE / 'index.html'}"
    )
    return 0


def build(course, target):
    """Write the site of `course`, a list of `Executed`, to the folder `target`, or change nothing.

    Returns
    -------
    dict from str to int
        Bytes of each page with all that it loads.

    Raises
    ------
    Problem
        If Sphinx warns of something, or a page is not what `pagecheck` asks for.
    """
    from . import book, pagecheck, slides

    with tempfile.TemporaryDirectory(prefix="course-site-") as scratch:
        source, made = Path(scratch, "source"), Path(scratch, "site")
        source.mkdir()
        book.prepare(course, source, slides=True)
        slides.build(course, source / "extra" / "slides")
        sphinx(source, made)
        problems, weights = pagecheck.weigh(made)
        if problems:
            raise Problem("; ".join(problems))
        replace(made, target)
    return weights


def sphinx(source, made):
    """Make pages of the sources in the folder `source`; a warning is an error.

    Raises
    ------
    Problem
        With what Sphinx said.
    """
    import io

    try:
        from sphinx.application import Sphinx
        from sphinx.util.docutils import docutils_namespace
    except ImportError as error:
        raise Problem(f'{error}: python -m pip install -e ".[site]"') from error
    warnings = io.StringIO()
    with docutils_namespace():
        app = Sphinx(
            srcdir=source,
            confdir=ROOT / "docs",
            outdir=made,
            doctreedir=source.parent / "doctrees",
            buildername="html",
            confoverrides={"html_extra_path": [str(source / "extra")]},
            status=None,
            warning=warnings,
        )
        app.build()
    text = re.sub(r"\x1b\[[0-9;]*m", "", warnings.getvalue())
    said = [line for line in text.splitlines() if line.strip()]
    if said:
        raise Problem("; ".join(line.replace(f"{source}/", "") for line in said))
    for left in ("_sources", "objects.inv", ".buildinfo"):
        path = made / left
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def replace(made, target):
    """Put the folder `made` in the place of `target`: whole, or not at all.

    Raises
    ------
    Problem
        If `target` holds what no earlier call has put there.
    """
    if target.exists() and any(target.iterdir()) and not (target / MARK).is_file():
        raise Problem(
            f"{target} holds something else: move it, or choose another folder with --out"
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".built-") as beside:
        new, old = Path(beside, "new"), Path(beside, "old")
        shutil.copytree(made, new)
        (new / MARK).touch()
        if target.exists():
            target.rename(old)
        new.rename(target)
