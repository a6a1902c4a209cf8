import os
import re
import subprocess
import sys
import textwrap
from types import SimpleNamespace

import pytest

from course_utils.bundles import HEADLINE
from course_utils.session import Course, start

HEAVY = ("tensorflow", "keras", "matplotlib", "pandas", "scipy", "sklearn", "IPython", "ipywidgets")


def python(code, *, path=None, **environment):
    """Run code in a fresh interpreter; return what it did."""
    variables = {k: v for k, v in os.environ.items() if not k.startswith(("TF_", "KERAS_"))}
    if path is not None:
        variables["PYTHONPATH"] = str(path)
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        env=variables | {"PYTHONIOENCODING": "utf-8"} | environment,
        check=False,
    )


@pytest.mark.parametrize("module", ["course_utils", "course_utils.data"])
def test_import_takes_nothing_heavy(module):
    if module == "course_utils.data":
        pytest.importorskip(module)
    run = python(f"""
        import sys, {module}
        print([name for name in {HEAVY} if name in sys.modules])
    """)
    assert run.stdout == "[]\n", run.stderr


def test_every_public_name_resolves_or_says_what_there_is():
    import course_utils as cu

    for name in cu._HOME_OF:
        assert callable(getattr(cu, name)), name
    for name in cu._MODULES:
        assert getattr(cu, name).__name__ == f"course_utils.{name}"
    assert set(dir(cu)) == set(cu.__all__)
    with pytest.raises(AttributeError, match="course_utils has no 'lode'; did you mean 'load'"):
        cu.lode  # noqa: B018


def test_start_prints_one_line_and_nothing_else_and_seeds():
    run = python("""
        import random
        import course_utils as cu
        course = cu.start("full", seed=7)
        import keras, matplotlib, numpy as np
        assert course.pick(fast=1, full=2) == 2
        def numbers():
            return random.random(), np.random.rand(), float(keras.random.normal(()))
        first = numbers()
        print = lambda *words: None
        cu.session.print = print
        cu.start("full", seed=7)
        assert numbers() == first
        cu.start("full", seed=8)
        assert not set(numbers()) & set(first)
        assert matplotlib.rcParams["axes.titlelocation"] == "left"
    """)
    assert run.returncode == 0, run.stderr
    assert run.stderr == ""
    assert re.fullmatch(
        r"full profile · seed 7 · TensorFlow [\d.]+, Keras [\d.]+ on "
        r"(\d+ GPUs?|\d+ CPU cores?, no GPU)\n",
        run.stdout,
    )


@pytest.mark.parametrize(
    ("name", "nearest"), [("fats", "fast"), ("FULL", "full"), ("ful ", "full")]
)
def test_unknown_profile_gets_the_nearest_right_one(name, nearest):
    with pytest.raises(ValueError, match=f"fast, full: got '{name}'; did you mean '{nearest}'"):
        start(name)


@pytest.mark.parametrize("name", ["quick", "", None, 3])
def test_profile_unlike_any_gets_the_list(name):
    with pytest.raises(ValueError, match="profile must be one of fast, full: got [^;]*$"):
        start(name)


@pytest.mark.parametrize("seed", [-1, 1.5, True, "7", None, 2**32])
def test_seed_is_a_whole_number(seed):
    with pytest.raises(ValueError, match="seed must be a whole number between 0 and"):
        start(seed=seed)


def fake(folder, name, code):
    (folder / f"{name}.py").write_text(textwrap.dedent(code), encoding="utf-8")
    return folder


KERAS = """
    class backend:
        backend = staticmethod(lambda: {backend!r})
"""
NOISE = """
    import os, sys
    os.write(2, "noise from C++, größer\\n".encode())
    print("noise from Python", file=sys.stderr)
"""


def test_what_a_failing_import_printed_is_replayed(tmp_path):
    fake(tmp_path, "keras", KERAS.format(backend="tensorflow"))
    fake(tmp_path, "tensorflow", NOISE + "\n    raise ImportError('no such wheel')\n")
    run = python("import course_utils as cu\ncu.start()", path=tmp_path)
    assert run.returncode == 1
    assert run.stdout == ""
    noise, _, traceback = run.stderr.partition("Traceback")
    assert noise == "noise from C++, größer\nnoise from Python\n"
    assert "no such wheel" in traceback


def test_what_a_working_import_printed_is_dropped_and_stderr_works_again(tmp_path):
    fake(tmp_path, "keras", KERAS.format(backend="jax"))
    fake(
        tmp_path,
        "tensorflow",
        NOISE + "\n    config = type('', (), {'list_physical_devices': lambda kind: []})\n",
    )
    run = python(
        """
        import os
        import course_utils as cu
        try:
            cu.start()
        except RuntimeError as error:
            os.write(2, str(error).encode())
        """,
        path=tmp_path,
    )
    assert run.stderr.startswith("Keras runs on jax here, the course on TensorFlow")


@pytest.fixture
def course():
    return Course("fast", 42, 2, "2 CPU cores, no GPU")


def test_pick_follows_the_profile(course):
    assert course.pick(fast=3, full=20) == 3
    assert Course("full", 42, 2, "").pick(fast=3, full=20) == 20
    with pytest.raises(TypeError):
        course.pick(3, 20)


def test_seeds_follow_from_the_notebook_s_own(course):
    assert course.seeds(3) == [42, 43, 44]
    with pytest.raises(ValueError, match="at least 1: got 0"):
        course.seeds(0)


def test_load_says_which_data(course, monkeypatch, capsys):
    asked = []

    def load(name, **options):
        asked.append((name, options))
        return SimpleNamespace(describe=lambda: "digits: MNIST (55,000 train)")

    monkeypatch.setitem(sys.modules, "course_utils.data", SimpleNamespace(load=load))
    dataset = course.load("digits", source="real")
    assert capsys.readouterr().out == f"{dataset.describe()}\n"
    assert asked == [("digits", {"source": "real"})]


def test_headline_can_be_read_by_people_and_by_the_runner(course, monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda bundle, raw: shown.append((bundle, raw)))
    course.headline("accuracy 98.9 %")
    ((bundle, raw),) = shown
    assert raw
    assert bundle[HEADLINE] == {"text": "accuracy 98.9 %"}
    assert "accuracy 98.9 %" in bundle["text/markdown"]
