"""What a classroom does to the course: no network, two at once, killed, full, read-only disks."""

import ast
import hashlib
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import psutil
import pytest

from course_utils.command import COMMANDS

ROOT = Path(__file__).parents[1]
COURSE = [sys.executable, "-m", "course_utils.command"]
OK, FAILED, MISUSE, STOPPED = 0, 1, 2, 130
is_root = hasattr(os, "geteuid") and os.geteuid() == 0
as_root = pytest.mark.skipif(
    not (is_root and sys.platform == "linux"), reason="needs root on Linux: unshare and mount"
)
posix = pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
slow = pytest.mark.slow


def write(path, *sources):
    """Write a notebook of code cells, and return its path as text."""
    cells = [nbformat.v4.new_code_cell(text, id=f"step-{n}") for n, text in enumerate(sources)]
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    return str(path)


def long(mark, seconds=60):
    """Return a cell that says in a file that it runs, by its process number, and goes on."""
    return (
        f"import os, pathlib, time\npathlib.Path({str(mark)!r}).write_text(str(os.getpid()))\n"
        f"time.sleep({seconds})"
    )


def wait_for(path, seconds=90):
    """Return what a file says, when it says something."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if path.exists() and path.read_text():
            return path.read_text()
        time.sleep(0.05)
    raise AssertionError(f"{path.name} was not written within {seconds} s")


def start(*words, **options):
    """Start the command, and return its process."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen([*COURSE, *words], encoding="utf-8", **pipes, **options)


def course(*words, before=(), **options):
    """Run the command to its end; it must never show a traceback."""
    done = subprocess.run(
        [*before, *COURSE, *map(str, words)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        **options,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done


def executed(out, name="one"):
    """Return what the first cell of an executed copy printed."""
    return nbformat.read(out / f"executed/{name}.ipynb", 4).cells[0].outputs[0].text


def gone(processes):
    """Whether all of some processes end within 15 s."""
    return not psutil.wait_procs(processes, timeout=15)[1]


# ---- the network cut ---------------------------------------------------------------------------

CUT = ["unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"]


@slow
@as_root
@pytest.mark.skipif(not shutil.which("ip"), reason="needs ip")
def test_with_the_network_cut(tmp_path):
    notebook = write(
        tmp_path / "one.ipynb",
        "import socket\n"
        "try:\n    socket.create_connection(('192.0.2.1', 80), timeout=5)\n"
        "except OSError as error:\n    print(error.strerror)",
        "import course_utils as cu\nprint(cu.load('digits').source)",
    )
    out = tmp_path / "out"
    environment = {**os.environ, "COURSE_DATA_DIR": str(tmp_path / "none"), "COURSE_DATA": "auto"}
    done = course("run", notebook, "--out", out, before=CUT, env=environment)
    assert done.returncode == OK, done.stdout
    assert executed(out) == "Network is unreachable\n"
    assert nbformat.read(out / "executed/one.ipynb", 4).cells[1].outputs[0].text == "bundled\n"
    done = course("data", "fetch", "digits", before=CUT, env=environment)
    assert done.returncode == FAILED
    assert "mnist.npz was not downloaded" in done.stderr
    assert "course data import" in done.stderr


# ---- two at once, kills and interrupts ---------------------------------------------------------


@slow
@posix
def test_two_runs_at_once_in_one_folder(tmp_path):
    mark, out = tmp_path / "mark", tmp_path / "out"
    first = write(tmp_path / "one.ipynb", "print('first')", long(mark, 4))
    process = start("run", first, "--out", str(out))
    wait_for(mark)
    second = write(tmp_path / "other/one.ipynb", "print('second')")
    done = course("run", second, "--out", out)
    assert done.returncode == MISUSE
    assert f"another course run (pid {process.pid}) is writing to" in done.stderr
    process.communicate(timeout=60)
    assert process.returncode == OK
    assert executed(out) == "first\n"
    assert course("run", second, "--out", out).returncode == OK
    assert executed(out) == "second\n"


@slow
@posix
def test_a_kernel_killed_in_the_middle(tmp_path):
    mark, out = tmp_path / "mark", tmp_path / "out"
    words = [write(tmp_path / "one.ipynb", "print('before')", long(mark))]
    words.append(write(tmp_path / "two.ipynb", "print('after it')"))
    process = start("run", *words, "--out", str(out))
    os.kill(int(wait_for(mark)), signal.SIGKILL)
    said, errors = process.communicate(timeout=60)
    assert process.returncode == FAILED
    assert "one: kernel died in cell step-1" in said
    assert "Traceback" not in errors
    assert executed(out) == "before\n"
    assert executed(out, "two") == "after it\n"


@slow
@posix
def test_the_run_itself_killed_in_the_middle(tmp_path):
    mark, out = tmp_path / "mark", tmp_path / "out"
    notebook = write(tmp_path / "one.ipynb", "print('before')", long(mark))
    process = start("run", notebook, "--out", str(out))
    kernel = psutil.Process(int(wait_for(mark)))
    tree = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    process.communicate(timeout=30)
    assert gone([kernel, *tree])
    write(tmp_path / "one.ipynb", "print('again')")
    assert course("run", notebook, "--out", out).returncode == OK
    assert executed(out) == "again\n"
    assert not list(out.glob(".running-*"))


@slow
@posix
@pytest.mark.parametrize("number", range(6))
def test_ctrl_c_at_any_point(tmp_path, number):
    words = [write(tmp_path / f"{name}.ipynb", "print(1)", "print(2)") for name in ("one", "two")]
    out = tmp_path / "out"
    # From before anything is imported to after the end; on a slow machine all come early.
    delay = random.Random(number).uniform(number, number + 1) * 0.8
    process = start("run", *words, "--out", str(out))
    tree, deadline = [], time.monotonic() + delay
    while time.monotonic() < deadline and process.poll() is None:
        tree = psutil.Process(process.pid).children(recursive=True) or tree
        time.sleep(0.1)  # to look at all processes takes time from the one that is watched
    process.send_signal(signal.SIGINT)
    said, errors = process.communicate(timeout=60)
    assert process.returncode in (STOPPED, OK, -signal.SIGINT), (said, errors)
    if "course_utils" in errors:  # not before Python itself had begun
        assert "Traceback" not in errors, errors
    assert gone(tree)
    assert not list(out.glob(".running-*"))
    done = course("run", *words, "--out", out, "--resume")
    assert done.returncode == OK, done.stdout
    assert "2 of 2 notebooks ran" in done.stdout


# ---- disks -------------------------------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 100 KB."""
    place = tmp_path / "small"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=100k", "tmpfs", str(place)]
    if subprocess.run(command, capture_output=True).returncode:
        pytest.skip("may not mount")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


@slow
@as_root
def test_a_full_disk(tmp_path, small_disk):
    notebook = write(tmp_path / "one.ipynb", "print('x' * 300_000)")
    done = course("run", notebook, "--out", small_disk / "out")
    assert done.returncode in (FAILED, MISUSE)
    assert "the disk is full" in done.stdout + done.stderr
    assert not list((small_disk / "out").glob("executed/*"))
    digits = tmp_path / "mnist.npz"
    digits.write_bytes(bytes(300_000))
    environment = {**os.environ, "COURSE_DATA_DIR": str(small_disk / "data")}
    done = course("data", "import", digits, env=environment)
    assert done.returncode == FAILED
    assert "is on a full disk: make room" in done.stderr
    assert not [path for path in (small_disk / "data").rglob("*") if path.is_file()]


@pytest.fixture
def checkout(tmp_path):
    """A copy of the course in a folder with spaces and umlauts, with one small notebook."""
    folder = tmp_path / "Kurs für Anfänger (2. Übung)"
    # With what Python has compiled: no test is about that, and each command would do it again.
    ignore = shutil.ignore_patterns("downloads")
    for name in ("course_utils", "data"):
        shutil.copytree(ROOT / name, folder / name, ignore=ignore)
    shutil.copy(ROOT / "pyproject.toml", folder)
    write(
        folder / "notebooks/01_one.ipynb",
        "import course_utils as cu\nprint(cu.__file__, len(cu.load('digits').train))",
    )
    return folder


def within(folder, **more):
    """Return options for a command that works in a checkout, and imports its package."""
    environment = {**os.environ, "PYTHONPATH": str(folder), **more}
    return {"cwd": folder, "env": environment}


@slow
def test_a_checkout_in_a_path_with_spaces_and_umlauts(checkout):
    options = within(checkout, COURSE_DATA_DIR=str(checkout / "meine Bilder"))
    assert course("run", **options).returncode == OK
    printed = executed(checkout / "build", "01_one")
    assert printed == f"{checkout / 'course_utils/__init__.py'} 1077\n"
    assert course("tidy", "--check", **options).returncode == FAILED
    assert course("tidy", **options).returncode == OK
    assert course("tidy", "--check", **options).returncode == OK
    stick = checkout / "Stick (alt)"
    stick.mkdir()
    (stick / "mnist.npz").write_bytes(b"no")
    done = course("data", "import", "Stick (alt)", **options)
    assert done.returncode == FAILED
    assert str(Path("Stick (alt)", "mnist.npz")) in done.stderr


@slow
@as_root
def test_a_read_only_checkout(tmp_path, checkout):
    """Read-only for root too: mounted so, in a name space of its own."""
    script = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && cd "$0" && exec "$@"'
    before = ["unshare", "--mount", "sh", "-c", script, str(checkout)]
    options = within(checkout, PYTHONDONTWRITEBYTECODE="1")
    done = course("run", "01", "--out", tmp_path / "out", before=before, **options)
    assert done.returncode == OK, done.stderr
    assert executed(tmp_path / "out", "01_one").endswith(" 1077\n")
    for words, sentence in (
        (["run"], "no permission"),
        (["tidy"], "no permission"),
        (["data", "draw"], "no permission"),
    ):
        done = course(*words, before=before, **options)
        assert done.returncode == MISUSE, words
        assert sentence in done.stderr, (words, done.stderr)
        assert done.stderr.count("\n") == 1
    (tmp_path / "mnist.npz").write_bytes(b"no")
    done = course("data", "import", tmp_path / "mnist.npz", before=before, **options)
    assert done.returncode == FAILED
    assert "COURSE_DATA_DIR" in done.stderr


# ---- a student's own notebook ------------------------------------------------------------------

# Every command that there is, as a class would use it. `course tidy` may clear outputs, no more.
USED = {
    "run": [["run"], ["run", "--resume"], ["run", "1", "--profile", "full"]],
    "site": [["site"]],
    "slides": [["slides"]],
    "data": [["data", "list"], ["data", "verify"], ["data", "import", "notebooks"]],
    "tidy": [["tidy", "--check"], ["tidy"]],
    "doctor": [["doctor"]],
}


def test_every_command_is_used():
    assert set(USED) == set(COMMANDS)


@slow
@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_no_command_touches_what_a_student_wrote(checkout, name):
    mine = checkout / "notebooks/01_one.ipynb"
    notebook = nbformat.read(mine, 4)
    notebook.cells[0].source += "\nanswer = 42  # ü"
    notebook.cells.append(nbformat.v4.new_markdown_cell("My notes  \n\n", id="my-notes"))
    nbformat.write(notebook, mine)
    others = [checkout / "notebooks/mine.ipynb", checkout / "notebooks/03_draft.ipynb.bak"]
    for path in others:
        path.write_text("whatever I like")
    digests = {path: hashlib.sha256(path.read_bytes()).digest() for path in [mine, *others]}
    sources = [(cell.id, cell.source) for cell in notebook.cells]
    options = within(checkout, COURSE_DATA_DIR=str(checkout / "downloads"))
    for words in USED[name]:
        if words == ["tidy"]:  # it stops at what is no notebook
            others.pop(0).unlink()
        course(*words, **options)
        assert [(c.id, c.source) for c in nbformat.read(mine, 4).cells] == sources
        for path in others if words == ["tidy"] else [mine, *others]:
            if path.exists():
                assert hashlib.sha256(path.read_bytes()).digest() == digests[path], words
    assert all(path.exists() for path in [mine, *others])


# ---- Python ------------------------------------------------------------------------------------


@pytest.mark.parametrize("folder", ["course_utils", "tests", "benchmarks"])
def test_the_oldest_promised_python_can_read_every_file(folder):
    for path in (ROOT / folder).rglob("*.py"):
        ast.parse(path.read_text(encoding="utf-8"), str(path), feature_version=(3, 11))
    install = ROOT / "course_utils/command/install.py"
    ast.parse(install.read_text(encoding="utf-8"), feature_version=(3, 8))


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13"])
def test_the_other_promised_pythons_compile_every_file(version, tmp_path):
    asked = "import sys; print('%d.%d' % sys.version_info[:2])"
    beside = Path(sys.base_prefix).parent.glob(f"{version}.*/bin/python{version}")
    for python in [shutil.which(f"python{version}") or sys.executable, *map(str, beside)]:
        found = subprocess.run([python, "-c", asked], capture_output=True, text=True)
        if found.stdout.strip() == version:
            break
    else:
        pytest.skip(f"no Python {version} here; CI runs the course on it")
    code = (
        "import sys, warnings; from pathlib import Path; warnings.simplefilter('error')\n"
        "for path in Path(sys.argv[1]).rglob('*.py'):\n"
        "    compile(path.read_text(encoding='utf-8'), str(path), 'exec')"
    )
    for folder in ("course_utils", "tests", "benchmarks"):
        words = [python, "-c", code, str(ROOT / folder)]
        done = subprocess.run(words, capture_output=True, text=True, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
