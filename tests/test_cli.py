"""The command `course`, on small notebooks that do what notebooks should not."""

import contextlib
import io
import os
import re
import signal
import subprocess
import sys
import time

import nbformat
import psutil
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from course_utils import cli, importing

SOURCES = {
    "00_good": "import os\nprint(os.environ['COURSE_PROFILE'], os.path.basename(os.getcwd()))",
    "00_good_mine": "1 / 0",
    "01_fails": "raise ValueError('\\x1b[31mred\\nrags')",
    "02_prints": "print('x' * 3_000_000)",
    "03_exits": "import sys\nsys.exit()",
    "04_never_ends": "while True: pass",
}


def write(folder, name, *cells):
    folder.mkdir(exist_ok=True)
    text = f"# {name}\n\nAs $\\frac{{a}}{{b}}$ and $\\right) y$ say, `$5`."
    title = new_markdown_cell(text, id="title")
    nbformat.write(new_notebook(cells=[title, *cells]), folder / f"{name}.ipynb")


def course(*words):
    """Run `course`; return its exit status and what it printed."""
    with contextlib.redirect_stdout(io.StringIO()) as said:
        status = cli.main(map(str, words))
    return status, said.getvalue()


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """Notebooks, the folder of their run, its exit status and what it printed."""
    out = tmp_path_factory.mktemp("course with spaces")
    notebooks = out / "notebooks"
    for name, source in SOURCES.items():
        hidden = new_code_cell("import os", id="imports", metadata={"tags": ["hide-input"]})
        write(notebooks, name, hidden, new_code_cell(source, id="body"), new_code_cell("2", id="z"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cli, "NOTEBOOKS", notebooks)
        for name in ("COURSE_PROFILE", "COURSE_DATA", "TF_NUM_INTRAOP_THREADS", "OMP_NUM_THREADS"):
            patch.setenv(name, os.environ.get(name, "1"))  # what `run` sets ends with this
        yield notebooks, out, *course("run", "--out", out, "--timeout", "5", "--data", "bundled")


def copy_of(out, name):
    return nbformat.read(out / "executed" / f"{name}.ipynb", 4)


def test_a_run_goes_on_after_failures_and_says_each_in_one_line(ran):
    _, out, status, said = ran
    assert status == 1
    table = said[said.index("notebook ") :]
    assert re.search(r"00_good +ok", table)
    assert re.search(r"01_fails +failed +\d+ +cell body: ValueError: red rags$", table, flags=re.M)
    assert re.search(r"02_prints +ok", table)
    assert re.search(r"03_exits +failed +\d+ +cell body: SystemExit", table)
    assert re.search(r"04_never_ends +failed +\d+ +cell body: CellTimeoutError", table)
    assert "_mine" not in said
    again = f"-m course_utils.cli run --out '{out}' --timeout 5 --data bundled --resume"
    assert again in table


def test_executed_copies_hold_what_ran_and_no_more_text_than_a_page_bears(ran):
    notebooks, out, *_ = ran
    assert "fast notebooks" in copy_of(out, "00_good").cells[2].outputs[0].text
    assert copy_of(out, "02_prints").cells[2].outputs[0].text.endswith(" characters more")
    assert (out / "executed" / "02_prints.ipynb").stat().st_size < 2 * cli.LONGEST
    assert copy_of(out, "01_fails").cells[3].outputs == []
    for path in notebooks.glob("*.ipynb"):
        assert all("outputs" not in c or not c.outputs for c in nbformat.read(path, 4).cells)


def test_the_book_opens_without_a_network(ran):
    _, out, _, said = ran
    book = out / "book"
    assert f"To read: {os.path.relpath(book / 'index.html')}" in said
    page = (book / "00_good.html").read_text(encoding="utf-8")
    assert '<a href="_sources/00_good.ipynb" download>' in page
    assert (book / "_sources" / "00_good.ipynb").is_file()
    assert "<mfrac>" in page
    assert r"<code>\right) y</code>" in page  # what cannot be drawn stops no book
    assert "hide above-input" in page
    assert re.search("failed.*cell body: ValueError", (book / "01_fails.html").read_text())
    assert "SystemExit" in (book / "run.html").read_text(encoding="utf-8")
    assert "01_fails.html" in (book / "index.html").read_text(encoding="utf-8")
    for path in book.glob("*.html"):
        assert not loaded_from_elsewhere(path)


def loaded_from_elsewhere(path):
    text = path.read_text(encoding="utf-8")
    tags = re.findall(r"<(?:script|link|img|iframe)[^>]*(?:src|href)=\"?(?:https?:)?//[^>]*>", text)
    return tags + re.findall(r"from ['\"]https?:|url\(['\"]?https?:", text)


def test_resume_skips_what_succeeded_with_the_same_options_and_is_unchanged(ran, monkeypatch):
    notebooks, out, *_ = ran
    monkeypatch.setattr(cli, "executed", lambda waiting, options: iter(()))
    options = ("run", "--out", out, "--data", "bundled", "--resume")
    later = time.time() + 100
    for copy in out.glob("executed/*.ipynb"):
        os.utime(copy, (later, later))
    assert "3 of 5 notebooks to run" in course(*options)[1]
    assert "5 of 5" in course(*options, "--profile", "full")[1]
    os.utime(notebooks / "00_good.ipynb", (later + 1, later + 1))
    assert "4 of 5" in course(*options)[1]


def test_slides_show_formulas_and_hide_what_is_folded_without_a_network(ran):
    _, out, *_ = ran
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(out)
        assert course("slides", "00", "--out", out)[0] == 0
    page = out / "slides" / "00_good.slides.html"
    text = page.read_text(encoding="utf-8")
    assert "<mfrac>" in text
    assert "<code>$5</code>" in text
    assert text.count(">import<") == 1  # of two cells that import
    assert (out / "slides" / "reveal.js" / "dist" / "reveal.js").is_file()
    assert not loaded_from_elsewhere(page)


@pytest.mark.skipif(os.name == "nt", reason="sends a signal that Windows does not have")
def test_ctrl_c_stops_the_kernels(ran, tmp_path):
    notebooks, *_ = ran
    code = (
        "import pathlib, signal, sys; from course_utils import cli\n"
        "if __name__ == '__main__':\n"
        # A shell that started the tests in the background has Ctrl-C ignored.
        "    signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        f"    cli.NOTEBOOKS = pathlib.Path({str(notebooks)!r})\n"
        f"    sys.exit(cli.main(['run', '04', '--out', {str(tmp_path)!r}]))\n"
    )
    (tmp_path / "run.py").write_text(code)
    words = [sys.executable, tmp_path / "run.py"]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    tree = []
    while not any("ipykernel" in " ".join(child.cmdline()) for child in tree):
        assert process.poll() is None
        time.sleep(0.2)
        with contextlib.suppress(psutil.Error):
            tree = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGINT)
    try:
        said, errors = process.communicate(timeout=120)
    finally:
        left = psutil.wait_procs(tree, timeout=10)[1]
        for each in left:
            each.kill()
    assert process.returncode == 130
    assert "To go on:" in said
    assert "Traceback" not in errors
    assert not left


def test_real_data_that_are_missing_are_said_before_a_kernel_starts(ran, monkeypatch, capsys):
    notebooks, out, *_ = ran
    write(notebooks, "05_loads", new_code_cell('cu.load("digits"); cu.load("pets")', id="load"))
    rows = [importing.Row("digits", "real", ""), importing.Row("pets", "not here", "")]
    monkeypatch.setattr(importing, "verify", lambda: rows)
    assert cli.main(["run", "05", "--data", "real", "--out", str(out)]) == 2
    assert "course data fetch pets" in capsys.readouterr().err
    (notebooks / "05_loads.ipynb").unlink()


def test_notebooks_are_named_by_number_or_name(ran, capsys):
    assert [path.stem for path in cli.select(["01", "notebooks/00_good_mine.ipynb", "01"])] == [
        "01_fails",
        "00_good_mine",
    ]
    assert cli.main(["run", "01_fail"]) == 2
    assert "did you mean '01_fails'?" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "called"),
    [
        (["list"], ("listing",)),
        (["fetch", "digits"], ("fetch", ["digits"])),
        (["verify"], ("verify", [])),
        (["import", "a", "--as", "digits"], ("import_path", "a", "digits")),
    ],
)
@pytest.mark.parametrize("state", ["real", "refused"])
def test_data_passes_on_what_it_is_told(words, called, state, monkeypatch):
    calls = []

    def call(*args):
        calls.append(args)
        return [importing.Row("digits", state, "A sentence.")]

    monkeypatch.setattr(importing, called[0], call)
    assert course("data", *words) == (state == "refused", f"digits  {state}  A sentence.\n")
    assert calls == [called[1:]]


@pytest.mark.parametrize(
    ("words", "said"), [((), "needs the path"), (("a", "--as", "pet"), "choose from digits")]
)
def test_an_import_needs_a_path_and_a_known_name(words, said, capsys):
    with contextlib.suppress(SystemExit):
        assert cli.main(["data", "import", *words]) == 2
    assert said in capsys.readouterr().err.replace("'", "")


FOLDED = [
    "import numpy as np\nfrom course_utils import (\n    metrics,\n)\n\ncourse = cu.start(PROFILE)",
    'bet = cu.predict(\n    "How many?",\n    ["1", "2"],\n)',
    "bet_zeros.reveal(conv2d(ones).shape)",
    "exercises.sizes.check(answer)",
    'cu.claim("It helps", interval)',
]
OPEN = [
    "import numpy as np\nimages = np.zeros(3)",
    "model.fit(x)",
    "def f():\n    return bet.reveal(1)",
    "assert right\nbet.reveal(1)",
    "",
    "%timeit 1",
]


@pytest.mark.parametrize("source", FOLDED + OPEN)
def test_cells_of_the_course_are_folded_and_those_of_the_lesson_are_not(source):
    assert cli.is_folded(new_code_cell(source)) == (source in FOLDED)


def test_tidy_keeps_what_a_student_wrote_and_changes_nothing_twice(tmp_path, monkeypatch):
    output = nbformat.v4.new_output("stream", text="7")
    solved = new_code_cell("answer = 7", id="exercise-sum", metadata={"tags": ["exercise"]})
    solved.update(outputs=[output], execution_count=3)
    lesson = {"tags": ["hide-input"], "jupyter": {"source_hidden": True}, "scrolled": True}
    chosen = {"slideshow": {"slide_type": "fragment"}}
    cells = [
        solved,
        new_code_cell("x = 1", id="lesson", metadata=lesson),
        new_code_cell('bet = cu.predict("?", "ab")', id="ask", metadata=chosen),
        new_code_cell("exercises.sum.check(answer)", id="check"),
        new_code_cell("bet.reveal(1)", id="reveal"),
        new_markdown_cell("- one\n- two", id="list"),
        new_markdown_cell("So.", id="so"),
    ]
    write(tmp_path, "00_lesson", *cells)
    monkeypatch.setattr(cli, "NOTEBOOKS", tmp_path)
    assert course("tidy") == (0, "tidied 00_lesson.ipynb\n")
    assert course("tidy") == (0, "")
    tidied = nbformat.read(tmp_path / "00_lesson.ipynb", 4)
    found = {cell.id: cell for cell in tidied.cells}
    assert [cell.source for cell in tidied.cells[1:]] == [cell.source for cell in cells]
    assert found["exercise-sum"].outputs == []
    assert found["exercise-sum"].execution_count is None
    places = {name: cell.metadata.slideshow.slide_type for name, cell in found.items()}
    assert places == {
        "title": "slide",
        "exercise-sum": "-",
        "lesson": "subslide",
        "ask": "fragment",  # chosen by hand
        "check": "skip",
        "reveal": "fragment",
        "list": "subslide",
        "so": "notes",
    }
    assert found["lesson"].metadata.keys() == {"slideshow"}
    for name in ("ask", "check"):
        assert found[name].metadata.tags == ["hide-input"]
        assert found[name].metadata.jupyter == {"source_hidden": True}
