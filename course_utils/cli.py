"""The command `course`: run the notebooks and build the book, see to data, tidy, make slides."""

import argparse
import json
import os
import re
import shlex
import shutil
import signal
import sys
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import active_children, get_context
from pathlib import Path

from . import importing, one_of
from .data import CLASSES

ROOT = Path(__file__).resolve().parents[1]
DOCS, NOTEBOOKS = ROOT / "docs", ROOT / "notebooks"
JOBS = min(2, os.cpu_count() or 1)
DATA = os.environ.get("COURSE_DATA", "auto")
LONGEST = 20_000  # characters of text that the executed copy keeps of each output
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
# Lines that serve the course and not the lesson: a cell of nothing else is folded.
SERVES = re.compile(
    r"import |from |[#)\]]|(\w+ = )?(cu\.(start|predict|claim)|\w+\.reveal|exercises\.\w+\.check)\("
)
# Of the prose, slides show lists, tables and formulas; the rest is for the speaker.
SHOWN = re.compile(r"^\s*(\$\$|\\begin|[-*] |\d+\. |\|)", flags=re.M)


def select(words):
    """Return notebooks by number or name; for no words all but copies such as ``03_…_mine``."""
    every = {path.stem: path for path in sorted(NOTEBOOKS.glob("[0-9][0-9]_*.ipynb"))}
    course = {stem[:2]: path for stem, path in every.items() if not stem.endswith("_mine")}
    if not course:
        raise ValueError(f"no notebooks in {NOTEBOOKS}: install a checkout with pip install -e .")
    names = course | every
    chosen = [names[one_of("notebook", Path(word).stem, names)] for word in words]
    return list(dict.fromkeys(chosen or course.values()))


def run(options):
    """Execute notebooks, and build the book of them."""
    from tqdm import tqdm

    notebooks = select(options.notebooks)
    if options.data == "real":
        sources = "".join(path.read_text(encoding="utf-8") for path in notebooks)
        here = {row.name for row in importing.verify() if row.state == "real"}
        if missing := sorted({*re.findall(r'\.load\(\\"(\w+)', sources)} - here):
            raise ValueError(f"real data are missing: course data fetch {' '.join(missing)}")
    os.environ |= {"COURSE_PROFILE": options.profile, "COURSE_DATA": options.data}
    if options.jobs > 1:
        os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
        os.environ.setdefault("OMP_NUM_THREADS", "1")
    waiting = [path for path in notebooks if not (options.resume and is_finished(path, options))]
    print(f"{len(waiting)} of {len(notebooks)} notebooks to run, {options.profile} profile")
    rows, stopped = [], False
    try:
        for row in tqdm(executed(waiting, options), total=len(waiting), disable=None):
            rows.append(row)
            tqdm.write("{notebook}: {status}, {seconds} s".format(**row))
    except KeyboardInterrupt:
        stopped = True
    columns = ("notebook", "status", "seconds", "error")
    print_table([columns, *sorted([row[name] for name in columns] for row in rows)])
    failed = stopped or any(row["status"] == "failed" for row in rows)
    if failed:
        words = shlex.join([*(word for word in options.words if word != "--resume"), "--resume"])
        print(f"To go on: {os.path.relpath(sys.executable)} -m course_utils.cli {words}")
    return 130 if stopped else build_book(options.out) or int(failed)


def is_finished(notebook, options):
    """Tell whether an executed copy is a success with these options, newer than its sources."""
    copy = options.out / "executed" / notebook.name
    if not copy.is_file():
        return False
    newest = max(path.stat().st_mtime for path in [notebook, *ROOT.glob("course_utils/**/*.py")])
    facts = json.loads(copy.read_text(encoding="utf-8"))["metadata"].get("course", {})
    wanted = {"status": "ok", "profile": options.profile, "data": options.data}
    return copy.stat().st_mtime > newest and facts.items() >= wanted.items()


def executed(notebooks, options):
    """Execute each notebook in a process and a kernel of its own; yield its row as it ends."""
    import psutil

    (options.out / "executed").mkdir(parents=True, exist_ok=True)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with ProcessPoolExecutor(options.jobs, get_context("spawn"), max_tasks_per_child=1) as pool:
        futures = {pool.submit(execute, path, options, n): path for n, path in enumerate(notebooks)}
        try:
            for future in as_completed(futures):
                error = future.exception()  # a full disk, a process that was killed
                yield row_of(futures[future], options, repr(error)) if error else future.result()
        except BaseException:
            for worker in active_children():
                for process in [*psutil.Process(worker.pid).children(recursive=True), worker]:
                    process.kill()
            raise


def execute(notebook, options, n):
    """Execute one notebook, the nth of the run, write its executed copy, and return its row."""
    import nbformat
    import papermill

    signal.signal(signal.SIGINT, lambda *_: None)  # Ctrl-C: the first process ends this one
    at, error, begin, line = {}, "", time.perf_counter(), 1 + n % options.jobs
    copy = options.out / "executed" / notebook.name
    try:
        papermill.execute_notebook(
            notebook,
            copy,
            kernel_name=KERNEL["name"],
            cwd=notebook.parent,
            execution_timeout=options.timeout or (600 if options.profile == "fast" else None),
            progress_bar={"desc": notebook.stem, "position": line, "leave": False, "disable": None},
            on_cell_start=lambda cell, cell_index: at.update(cell=cell.id),
            iopub_timeout=60,  # seconds for what a cell printed to arrive: it may be 100 MB
            store_widget_state=False,
            # It warns that it listens on TCP, which on this machine alone is what is wanted.
            extra_arguments=["--IPKernelApp.log_level=ERROR"],
        )
    except papermill.PapermillExecutionError as problem:
        error = f"{problem.ename}: {problem.evalue}"
    except Exception as problem:
        error = f"{type(problem).__name__}: {problem}"
    if not at:
        return row_of(notebook, options, error)
    made = papermill.execute.remove_error_markers(nbformat.read(copy, 4))
    for cell in made.cells:
        for output in cell.get("outputs", ()):
            if output.output_type == "error":  # of sys.exit() too, which papermill lets pass
                error = error or f"{output.ename}: {output.evalue}"
            shorten(output)
    row = row_of(notebook, options, error, at["cell"], time.perf_counter() - begin)
    made.metadata = {"kernelspec": KERNEL, "course": row}
    nbformat.write(made, copy)
    return row


def row_of(notebook, options, error, cell="1", seconds=0):
    """Return how a notebook came out; the error in one line, without colour codes."""
    line = re.sub(r"(\x1b\[[\d;]*m|\s)+", " ", f"cell {cell}: {error}")
    return {
        "notebook": notebook.stem,
        "status": "failed" if error else "ok",
        "seconds": round(seconds),
        "error": line[:200].strip() if error else "",
        "profile": options.profile,
        "data": options.data,
    }


def shorten(output):
    """Cut the texts of an output to `LONGEST`, and drop what only a kernel can show."""
    data = output.get("data", {})
    data.pop("application/vnd.jupyter.widget-view+json", None)
    for holder, key in ((output, "text"), (data, "text/plain")):
        if len(text := holder.get(key, "")) > LONGEST:
            holder[key] = f"{text[:LONGEST]}\n… and {len(text) - LONGEST:,} characters more"


def build_book(out):
    """Make pages of the executed notebooks with Sphinx; return its exit status."""
    from sphinx.cmd.build import build_main

    for page in DOCS.glob("*.md"):
        shutil.copy(page, out / "executed")
    shutil.copytree(DOCS / "_static", out / "executed" / "_static", dirs_exist_ok=True)
    status = build_main(["-q", "-c", str(DOCS), str(out / "executed"), str(out / "book")])
    if status == 0:
        print(f"To read: {os.path.relpath(out / 'book' / 'index.html')}")
    return status


def slides(options):
    """Make slides of executed notebooks, and put reveal.js, which turns them, beside them."""
    import sphinx_revealjs
    from nbconvert.nbconvertapp import NbConvertApp

    copies = [options.out / "executed" / path.name for path in select(options.notebooks)]
    if missing := [path.stem for path in copies if not path.is_file()]:
        raise ValueError(f"not executed yet: course run {' '.join(missing)}")
    folder = options.out / "slides"
    reveal = Path(sphinx_revealjs.__file__).parent / "_static" / "revealjs"
    shutil.copytree(reveal, folder / "reveal.js", dirs_exist_ok=True)
    words = [f"--config={DOCS / 'slides.py'}", f"--output-dir={folder}", *map(str, copies)]
    NbConvertApp.launch_instance(words)
    print(f"To show: {os.path.relpath(folder)}")


def data(options):
    """List, fetch, import or verify data sets."""
    if options.action == "import" and not options.what:
        raise ValueError("import needs the path of a file or a folder")
    if options.action == "list":
        rows = importing.listing()
    elif options.action == "import":
        rows = [row for path in options.what for row in importing.import_path(path, options.name)]
    else:
        rows = getattr(importing, options.action)(options.what)
    print_table(rows)
    return int(not all(row.ok for row in rows))


def print_table(rows):
    """Print rows of values under each other."""
    rows = [[str(value) for value in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(map(str.ljust, row, widths)).rstrip())


def tidy(options):
    """Clear outputs and counts, fold what is no lesson, and say what slides show."""
    import nbformat

    for path in select(options.notebooks):
        notebook = nbformat.read(path, 4)
        for cell in notebook.cells:
            tags = [tag for tag in cell.metadata.get("tags", []) if tag != "hide-input"]
            place = {"slide_type": slide_type(cell)}
            metadata = {"slideshow": cell.metadata.get("slideshow", place)}
            if is_folded(cell):
                metadata |= {"jupyter": {"source_hidden": True}, "tags": [*tags, "hide-input"]}
            elif tags:
                metadata["tags"] = tags
            cell.metadata = metadata
            if cell.cell_type == "code":
                cell.outputs, cell.execution_count = [], None
        notebook.metadata = {"kernelspec": KERNEL, "language_info": {"name": "python"}}
        text = nbformat.writes(notebook).rstrip() + "\n"
        if text != path.read_text(encoding="utf-8"):
            path.write_text(text, encoding="utf-8", newline="\n")
            print(f"tidied {path.name}")


def is_folded(cell):
    """Tell whether a code cell does nothing but import, start, ask, reveal, claim or check."""
    lines = [line for line in cell.source.splitlines() if line[:1].strip()]  # not indented
    serves = "parameters" in cell.metadata.get("tags", []) or all(map(SERVES.match, lines))
    return cell.cell_type == "code" and bool(lines) and serves


def slide_type(cell):
    """Return where slides show a cell: on a new slide, on the same, to the speaker, or not."""
    if cell.cell_type == "markdown":
        if cell.source.startswith("#"):
            return "slide" if cell.source.startswith(("# ", "## ")) else "subslide"
        return "subslide" if SHOWN.search(cell.source) else "notes"
    if "exercise" in cell.metadata.get("tags", []):
        return "-"
    if not is_folded(cell) or "cu.predict(" in cell.source:
        return "subslide"
    return "fragment" if re.search(r"\.reveal\(|cu\.claim\(", cell.source) else "skip"


def main(argv=None):
    """Run ``course ARGV``; return 0, 1 if something failed, 2 after misuse, 130 after Ctrl-C."""
    words = sys.argv[1:] if argv is None else list(argv)
    parser = argparse.ArgumentParser(prog="course", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for action in (run, slides, tidy, data):
        child = commands.add_parser(action.__name__, help=action.__doc__.partition("\n")[0])
        child.set_defaults(do=action, words=words)
        add = child.add_argument
        if action is data:
            add("action", choices=("list", "fetch", "import", "verify"))
            add("what", nargs="*", metavar="NAME or PATH", help="default: every data set")
            add("--as", dest="name", choices=CLASSES, help="import: what the images are")
            continue
        add("notebooks", nargs="*", metavar="NN", help="such as 03 (default: all)")
        if action is not tidy:
            add("--out", type=Path, default=ROOT / "build", metavar="FOLDER")
        if action is run:
            add("-j", "--jobs", type=int, default=JOBS, metavar="N", help="notebooks at once")
            add("--profile", choices=("fast", "full"), default="fast")
            add("--data", choices=("auto", "bundled", "real"), default=DATA)
            add("--resume", action="store_true", help="skip what has run and is unchanged")
            add("--timeout", type=int, metavar="SECONDS", help="for each cell (fast: 600)")
    options = parser.parse_args(words)
    try:
        return options.do(options) or 0
    except (ValueError, OSError, KeyboardInterrupt) as error:
        print(f"course {options.command}: {str(error) or 'stopped'}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
