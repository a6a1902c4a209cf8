"""The course command: executing, resuming, stopping, tidying, and what it says of trouble."""

import errno
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import psutil
import pytest

from course_utils.command import doctor, install, main, pages, run, store, tidy
from course_utils.command.execute import Result, keep

HEADLINE = (
    "from IPython.display import display\n"
    "display({'application/vnd.cnn-course.headline+json': {'text': 'accuracy 98 %'}}, raw=True)"
)
FIGURE = (
    "from IPython.display import HTML\n"
    'HTML(\'<img alt="a rising line" src="data:image/png;base64,iVBORw0KGgo=">\')'
)


def write(path, *sources):
    """Write a notebook; a source that starts with # and a space is Markdown."""
    notebook = nbformat.v4.new_notebook()
    for number, source in enumerate(sources):
        new = nbformat.v4.new_markdown_cell if source[:2] == "# " else nbformat.v4.new_code_cell
        notebook.cells.append(new(source, id=f"step-{number}"))
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)
    return str(path)


def rows(out):
    """Return the results that a run noted in its folder."""
    state = json.loads((out / "state.json").read_text(encoding="utf-8"))
    return {name: found["result"] for name, found in state["notebooks"].items()}


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    """Five notebooks, executed two at a time in a folder with a space and an umlaut."""
    folder = tmp_path_factory.mktemp("Übung 1")
    words = [
        write(
            folder / "good.ipynb",
            "# A *good* one\n\n$\\frac{a}{b}$ and $\\bad{$ and\n\n$$\\sum_i x_i$$",
            "import os\nprint(os.environ['COURSE_PROFILE'], os.environ['COURSE_DATA'])",
            "import sys\nprint(sys.prefix)\nprint('here:', os.path.basename(os.getcwd()))\n"
            "print(os.environ['TF_NUM_INTRAOP_THREADS'], os.environ['OMP_NUM_THREADS'])",
            # Written to: pages that nobody touches take no memory.
            "import time\nballast = b'x' * 200_000_000\ntime.sleep(1)",
            HEADLINE,
            FIGURE,
        ),
        write(folder / "wrong.ipynb", "print('before')", "1 / 0", "print('after')"),
        write(
            folder / "dead.ipynb",
            "print('before')",
            "import os\nos.kill(os.getpid(), 9)" if os.name != "nt" else "import os\nos._exit(1)",
            "print('after')",
        ),
        write(folder / "alone.ipynb", "import os\nos.kill(os.getppid(), 9)"),
        write(folder / "slow.ipynb", "print('before')", "import time\ntime.sleep(60)"),
    ]
    out = folder / "out put"
    options = ["-j", "2", "--profile", "full", "--data", "bundled", "--timeout", "4"]
    command = [sys.executable, "-m", "course_utils.command", "run", *words, *options]
    # A user's own kernel of the same name, which must play no part.
    foreign = folder / "share/kernels/python3/kernel.json"
    foreign.parent.mkdir(parents=True)
    foreign.write_text('{"argv": ["no-such-program"], "display_name": "x", "language": "python"}')
    own = {"JUPYTER_PATH": str(folder / "share"), "PYTHONIOENCODING": "utf-8"}
    environment = {**os.environ, **own, "OMP_NUM_THREADS": "7"}
    environment.pop("TF_NUM_INTRAOP_THREADS", None)
    done = subprocess.run(
        [*command, "--out", str(out)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        env=environment,
    )
    return folder, out, done


def test_a_run_goes_on_after_failures_and_exits_with_1(executed):
    _, out, done = executed
    assert done.returncode == 1, done.stderr
    found = rows(out)
    assert found["good"]["status"] == "ok"
    assert (found["wrong"]["status"], found["wrong"]["cell"]) == ("failed", "step-1")
    assert found["wrong"]["error"] == "ZeroDivisionError: division by zero"
    assert (found["dead"]["status"], found["dead"]["cell"]) == ("kernel died", "step-1")
    assert found["alone"]["status"] == "failed"
    assert found["alone"]["error"] == "the process ended without a result: no message"
    assert (found["slow"]["status"], found["slow"]["cell"]) == ("timed out", "step-1")


@pytest.mark.parametrize(
    ("words", "cores", "jobs", "threads"),
    [
        ([], 4, 2, 2),
        ([], 1, 1, None),
        (["--profile", "full"], 4, 1, None),
        (["-j", "3"], 1, 3, 1),
        (["-j", "1"], 4, 1, None),
    ],
)
def test_two_small_notebooks_run_at_once_and_share_the_cores(
    words, cores, jobs, threads, tmp_path, monkeypatch
):
    seen = []

    def executed(paths, cells, folder, jobs, settings):
        seen.append((jobs, settings.get("threads")))
        yield from ()

    monkeypatch.setattr(run, "_executed", executed)
    monkeypatch.setattr(run.os, "cpu_count", lambda: cores)
    path = write(tmp_path / "one.ipynb", "1")
    main(["run", path, *words, "--out", str(tmp_path / "out")])
    assert seen == [(jobs, threads)]


def test_the_table_has_a_row_for_each_notebook(executed):
    _, _, done = executed
    table = done.stdout[done.stdout.index("notebook ") :]
    assert re.search(r"^good +ok +\d+\.\d +\d+ +accuracy 98 %$", table, flags=re.M)
    assert re.search(r"^wrong +failed in cell step-1 .*ZeroDivisionError", table, flags=re.M)
    assert re.search(r"^dead +kernel died in cell step-1 ", table, flags=re.M)
    assert "1 of 5 notebooks ran" in done.stdout.splitlines()[-1]


def test_the_notebook_gets_profile_data_folder_and_this_python(executed):
    folder, out, _ = executed
    cells = nbformat.read(out / "executed/good.ipynb", 4).cells
    assert cells[1].outputs[0].text == "full bundled\n"
    threads = f"{max(1, os.cpu_count() // 2)} 7"  # a half each; what is set, stays
    assert cells[2].outputs[0].text == f"{sys.prefix}\nhere: {folder.name}\n{threads}\n"


def test_peak_memory_is_the_kernels(executed):
    _, out, _ = executed
    found = rows(out)
    assert found["good"]["megabytes"] > 200
    assert 10 < found["wrong"]["megabytes"] < found["good"]["megabytes"] - 150


@pytest.mark.parametrize("name", ["wrong", "dead", "slow"])
def test_what_ran_before_a_failure_is_kept(executed, name):
    _, out, _ = executed
    cells = {cell.id: cell for cell in nbformat.read(out / f"executed/{name}.ipynb", 4).cells}
    assert cells["step-0"].outputs[0].text == "before\n"
    assert "before" in (out / f"html/{name}.html").read_text(encoding="utf-8")


def test_pages_need_no_network_and_keep_formulas_and_alt_text(executed):
    _, out, _ = executed
    page = (out / "html/good.html").read_text(encoding="utf-8")
    assert "<title>A *good* one</title>" in page
    assert page.count("<math ") == 2
    assert "<code>\\bad{</code>" in page
    assert 'alt="a rising line"' in page
    for text in (page, (out / "index.html").read_text(encoding="utf-8")):
        assert not re.search(r"<(?:script|link|img|iframe)\b[^>]*(?:src|href)=[\"']?http", text)
        assert "@import" not in text


def test_the_index_links_every_notebook(executed):
    _, out, _ = executed
    page = (out / "index.html").read_text(encoding="utf-8")
    links = re.findall(r'href="([^"]+)"', page)
    assert links == [f"html/{name}.html" for name in ("dead", "good", "slow", "wrong")]
    assert all((out / link).is_file() for link in links)
    assert page.count("<tr>") == 6
    assert "accuracy 98 %" in page


def test_a_run_leaves_only_its_own_names(executed):
    _, out, _ = executed
    assert sorted(os.listdir(out)) == [".lock", "executed", "html", "index.html", "state.json"]


def test_resume_skips_what_is_done_and_keeps_what_was_edited(tmp_path, monkeypatch, capsys):
    # The package and the data do not change while this test runs, whoever works on them.
    monkeypatch.setattr(store, "ROOT", tmp_path)
    monkeypatch.delenv("COURSE_DATA_DIR", raising=False)
    notebook = write(tmp_path / "one.ipynb", "print('first')")
    words = ["run", notebook, "--out", str(tmp_path / "out"), "--resume"]
    copy = tmp_path / "out/executed/one.ipynb"
    assert main(words) == 0
    written = copy.stat().st_mtime_ns
    assert main(words) == 0
    assert "skipped" in capsys.readouterr().out
    assert copy.stat().st_mtime_ns == written

    copy.write_text(copy.read_text() + "\n", encoding="utf-8")
    write(tmp_path / "one.ipynb", "print('second')")
    assert main(words) == 0
    texts = [
        nbformat.read(path, 4).cells[0].outputs[0].text
        for path in (copy, copy.with_name("one.yours-1.ipynb"))
    ]
    assert texts == ["second\n", "first\n"]


def test_ctrl_c_stops_the_kernels_and_says_what_was_done(tmp_path):
    mark = tmp_path / "started"
    words = [
        write(tmp_path / "first.ipynb", "1 + 1"),
        write(
            tmp_path / "long.ipynb",
            "import pathlib, subprocess, sys, time\n"
            "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(99)'])\n"
            f"pathlib.Path({str(mark)!r}).write_text(str(child.pid))\n"
            "time.sleep(99)",
        ),
        write(tmp_path / "last.ipynb", "1 + 1"),
    ]
    out = tmp_path / "out"
    command = [sys.executable, "-m", "course_utils.command", "run", *words, "--out", str(out)]
    command += ["--jobs", "1"]  # so that the first one is done when the long one runs
    group = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP} if os.name == "nt" else {}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **group)
    deadline = time.monotonic() + 60
    while not (mark.exists() and mark.read_text()) and time.monotonic() < deadline:
        time.sleep(0.1)
    tree = psutil.Process(process.pid).children(recursive=True)
    assert int(mark.read_text()) in [child.pid for child in tree]
    process.send_signal(signal.CTRL_BREAK_EVENT if os.name == "nt" else signal.SIGINT)
    said, _ = process.communicate(timeout=30)
    _, alive = psutil.wait_procs(tree, timeout=10)
    assert not alive
    assert process.returncode == 130
    assert "not run: long, last." in said
    assert rows(out).keys() == {"first"}
    assert not list(out.glob(".running-*"))


def test_a_second_run_in_the_same_folder_is_refused(tmp_path, capsys):
    notebook = write(tmp_path / "one.ipynb", "1 + 1")
    with store.Store(tmp_path / "out"):
        assert main(["run", notebook, "--out", str(tmp_path / "out")]) == 2
    assert f"another course run (pid {os.getpid()}) is writing to" in capsys.readouterr().err


def test_a_corrupted_state_is_begun_anew(tmp_path):
    for text in ("", "{", "[]", '{"notebooks": 3}'):
        (tmp_path / "state.json").write_text(text)
        with store.Store(tmp_path) as folder:
            assert folder.results() == []


def test_the_key_changes_with_what_the_result_depends_on(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setattr(store, "ROOT", tmp_path / "course")
    path = Path(write(tmp_path / "one.ipynb", "1 + 1"))
    keys = [store.key(path, "fast", "auto"), store.key(path, "full", "auto")]
    keys.append(store.key(path, "fast", "real"))
    write(path, "1 + 2")
    keys.append(store.key(path, "fast", "auto"))
    (tmp_path / "data").mkdir()
    (tmp_path / "data/mnist.npz").write_bytes(b"new")
    keys.append(store.key(path, "fast", "auto"))
    (tmp_path / "course/course_utils").mkdir(parents=True)
    (tmp_path / "course/course_utils/metrics.py").write_text("new = 1")
    keys.append(store.key(path, "fast", "auto"))
    assert len(set(keys)) == 6
    notebook = nbformat.read(path, 4)
    notebook.cells[0].execution_count = 7
    nbformat.write(notebook, path)
    assert store.key(path, "fast", "auto") == keys[-1]


@pytest.mark.parametrize(
    ("number", "sentence"), [(errno.ENOSPC, "the disk is full"), (errno.EACCES, "no permission")]
)
def test_trouble_with_the_folder_is_one_sentence(tmp_path, monkeypatch, capsys, number, sentence):
    notebook = write(tmp_path / "one.ipynb", "1 + 1")

    def refuse(*arguments, **options):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(store.tempfile, "mkdtemp", refuse)
    assert main(["run", notebook, "--out", str(tmp_path / "out")]) == 2
    said = capsys.readouterr().err
    assert sentence in said
    assert said.count("\n") == 1


def test_what_is_half_written_is_not_kept(tmp_path, monkeypatch):
    def full(self, text, encoding):
        self.write_bytes(text.encode()[:9])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(OSError, match="No space"):
        keep(nbformat.v4.new_notebook(), tmp_path, "one")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("out", [".", "notebooks", "notebooks/mine", "course_utils"])
def test_the_courses_own_folders_are_not_written_to(tmp_path, monkeypatch, capsys, out):
    notebook = write(tmp_path / "notebooks/01_one.ipynb", "1 + 1")
    monkeypatch.setattr(store, "ROOT", tmp_path)
    assert main(["run", notebook, "--out", str(tmp_path / out)]) == 2
    assert "--out must not be a folder of the course itself" in capsys.readouterr().err


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A course of three empty notebooks."""
    monkeypatch.setattr(run, "ROOT", tmp_path)
    monkeypatch.chdir(tmp_path)
    names = ("00_start_here", "03_full_cnn", "04_regularization")
    return [Path(write(tmp_path / f"notebooks/{name}.ipynb")) for name in names]


def test_notebooks_go_by_number_name_or_path(course):
    assert run.select([]) == course
    words = (
        "03",
        "3",
        "full_cnn",
        "03_full_cnn",
        "03_full_cnn.ipynb",
        "notebooks/03_full_cnn.ipynb",
    )
    for word in (*words, str(course[1])):
        assert run.select([word]) == [course[1]]
    assert run.select(["04", "00", "4"]) == [course[2], course[0]]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["fullcnn"], "there is no notebook 'fullcnn'; did you mean 'full_cnn'?"),
        (["zzz"], "there are 00_start_here, 03_full_cnn, 04_regularization"),
        (
            ["--profile", "fats"],
            "--profile must be one of fast, full: got 'fats'; did you mean 'fast'?",
        ),
        (["--data", "rael"], "--data must be one of auto, bundled, real: got 'rael'; did you mean"),
    ],
)
def test_unknown_names_get_the_nearest_right_one(course, capsys, words, sentence):
    assert main(["run", *words]) == 2
    assert sentence in capsys.readouterr().err


def test_a_file_that_is_no_notebook_is_named(tmp_path, capsys):
    path = tmp_path / "broken.ipynb"
    path.write_text("{")
    assert main(["run", str(path), "--out", str(tmp_path / "out")]) == 2
    assert "broken.ipynb is not a notebook that can be read" in capsys.readouterr().err


def test_counts_must_be_at_least_one(capsys):
    with pytest.raises(SystemExit):
        main(["run", "-j", "0"])
    assert "must be a whole number of at least 1: got '0'" in capsys.readouterr().err


def test_the_last_headline_counts():
    data = [{"application/vnd.cnn-course.headline+json": {"text": text}} for text in ("a", "b")]
    outputs = [nbformat.v4.new_output("display_data", data=bundle) for bundle in data]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(outputs=outputs)])
    assert pages.headline(notebook) == "b"
    assert pages.headline(nbformat.v4.new_notebook()) == ""


def test_a_live_view_goes_where_it_has_a_twin():
    view = "application/vnd.jupyter.widget-view+json"
    data = {view: {"model_id": "x"}, "text/html": "<p>twin</p>", "text/plain": "Slider"}
    output = nbformat.v4.new_output("display_data", data=data)
    alone = nbformat.v4.new_output("display_data", data={view: {}, "text/plain": "Slider()"})
    cell = nbformat.v4.new_code_cell("x", outputs=[output, alone])
    notebook = pages.settled(nbformat.v4.new_notebook(cells=[cell]))
    assert view not in notebook.cells[0].outputs[0].data
    page = pages.notebook_page(notebook, "name")
    assert "<p>twin</p>" in page
    assert "Slider()" in page
    assert view not in page


def test_reading_a_notebook_builds_no_grammars():
    code = "import sys, course_utils.command, nbformat; print('lark' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_help_is_instant():
    code = (
        "import sys\nfrom course_utils.command import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        "print({'numpy', 'papermill', 'nbformat', 'psutil', 'IPython'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("set()\n")
    assert "doctor" in done.stdout


# course tidy


@pytest.fixture
def untidy(tmp_path):
    """A notebook as JupyterLab saves it after a run."""
    stream = nbformat.v4.new_output("stream", text="said\n")
    result = nbformat.v4.new_output("execute_result", data={"text/plain": "2"}, execution_count=9)
    cells = [
        nbformat.v4.new_markdown_cell("# Title  \n", id="title"),
        nbformat.v4.new_code_cell("x = 1 ;", id="plain", outputs=[stream], execution_count=8),
        nbformat.v4.new_code_cell("1+1", id="checked", outputs=[result], execution_count=9),
    ]
    cells[1].metadata = nbformat.from_dict({"scrolled": True, "tags": ["exercise"]})
    cells[2].metadata = nbformat.from_dict({"tags": ["nbval-check-output"]})
    notebook = nbformat.v4.new_notebook(cells=cells)
    notebook.metadata.kernelspec = {"name": "mine", "display_name": "Mine"}
    path = tmp_path / "untidy.ipynb"
    nbformat.write(notebook, path)
    return path


def test_tidy_clears_outputs_and_keeps_sources_ids_and_tags(untidy, capsys):
    before = nbformat.read(untidy, 4)
    assert main(["tidy", str(untidy)]) == 0
    assert "outputs and counts of 1 cells" in capsys.readouterr().out
    after = nbformat.read(untidy, 4)
    assert [(c.id, c.source) for c in after.cells] == [(c.id, c.source) for c in before.cells]
    assert after.cells[1].outputs == []
    assert after.cells[1].execution_count is None
    assert after.cells[1].metadata == {
        "tags": ["exercise"],
        "slideshow": {"slide_type": "-"},
    }
    assert after.cells[2].outputs[0].data == {"text/plain": "2"}
    assert after.cells[2].execution_count == after.cells[2].outputs[0].execution_count == 1
    assert after.metadata.kernelspec.name == "python3"
    assert untidy.read_text(encoding="utf-8").endswith("}\n")


def test_tidy_gives_a_slide_type_only_where_there_is_none(untidy):
    notebook = nbformat.read(untidy, 4)
    notebook.cells[1].metadata["slideshow"] = {"slide_type": "fragment"}
    notebook.cells[2].metadata["slideshow"] = {"slide_type": "nonsense"}
    nbformat.write(notebook, untidy)
    assert main(["tidy", str(untidy)]) == 0
    types = [cell.metadata.slideshow.slide_type for cell in nbformat.read(untidy, 4).cells]
    assert types == ["slide", "fragment", "subslide"]


def test_tidying_twice_writes_once(untidy, capsys):
    main(["tidy", str(untidy)])
    written = untidy.stat().st_mtime_ns
    assert main(["tidy", str(untidy)]) == 0
    assert untidy.stat().st_mtime_ns == written
    assert main(["tidy", "--check", str(untidy)]) == 0
    assert "every notebook is tidy" in capsys.readouterr().out


def test_tidy_check_changes_nothing_and_fails(untidy):
    before = untidy.read_bytes()
    assert main(["tidy", "--check", str(untidy)]) == 1
    assert untidy.read_bytes() == before
    assert os.listdir(untidy.parent) == [untidy.name]


def test_tidy_leaves_the_old_file_when_writing_fails(untidy, monkeypatch, capsys):
    before = untidy.read_bytes()

    def refuse(*arguments):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(tidy.os, "replace", refuse)
    assert main(["tidy", str(untidy)]) == 2
    assert "the disk is full" in capsys.readouterr().err
    assert untidy.read_bytes() == before
    assert os.listdir(untidy.parent) == [untidy.name]


@pytest.mark.parametrize("text", ["", "{", "[1]", '{"cells": 3}', '{"nbformat": 4}'])
def test_tidy_says_what_is_no_notebook(tmp_path, capsys, text):
    path = tmp_path / "broken.ipynb"
    path.write_text(text)
    assert main(["tidy", str(path)]) == 2
    assert "broken.ipynb is not a notebook that can be read" in capsys.readouterr().err
    assert path.read_text() == text


# course doctor, and the install


def test_doctor_fails_when_a_check_does(monkeypatch, capsys):
    def broken():
        raise RuntimeError("no such thing")

    monkeypatch.setattr(doctor, "CHECKS", {"one": lambda: ("ok", "fine"), "two": broken})
    assert main(["doctor"]) == 1
    said = capsys.readouterr().out.splitlines()
    assert said[0].split() == ["ok", "one", "fine"]
    assert said[1].startswith("FAIL  two")
    assert "mend the lines marked FAIL" in said[2]


def test_doctor_passes_a_warning(monkeypatch):
    monkeypatch.setattr(doctor, "CHECKS", {"one": lambda: ("warn", "little memory")})
    assert main(["doctor"]) == 0


def test_doctor_has_ten_lines_and_its_quick_ones_pass_here():
    assert len(doctor.CHECKS) == 10
    for name in ("Python", "packages", "kernel"):
        verdict, text = doctor.CHECKS[name]()
        assert verdict == "ok", text


def test_doctor_holds_packages_against_pyproject(monkeypatch):
    monkeypatch.setattr(doctor, "version", lambda name: "0.1")
    verdict, text = doctor.CHECKS["packages"]()
    assert verdict == "FAIL"
    assert "tensorflow is 0.1, needs" in text


@pytest.mark.parametrize("version", [(3, 10, 13), (3, 14, 0), (2, 7, 18), (4, 0, 0)])
def test_another_python_gets_one_sentence(version):
    sentence = install.unsuitable(version, ">=3.11,<3.14")
    assert f"This is Python {version[0]}.{version[1]}; the course needs 3.11 to 3.13" in sentence
    assert "make PYTHON=python3.12 run" in sentence


@pytest.mark.parametrize("version", [(3, 11, 0), (3, 12, 1), (3, 13, 9)])
def test_the_promised_pythons_are_suitable(version):
    assert install.unsuitable(version, ">=3.11,<3.14") is None


def test_the_words_of_a_result_name_the_cell():
    assert Result("ok").words == "ok"
    assert Result("kernel died", cell="fit").words == "kernel died in cell fit"
