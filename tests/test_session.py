import os
import subprocess
import sys

import pytest

from course_utils import session


def test_a_quiet_start_in_a_fresh_process():
    code = "import course_utils as cu; course = cu.start('fast', seed=7); print(course.seeds(2));"
    code += "import scipy.linalg; from threadpoolctl import threadpool_info as info;"
    code += "print({each['num_threads'] for each in info() if each['user_api'] == 'blas'})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    first, second, threads = done.stdout.splitlines()
    assert first.startswith("fast profile, seed 7, Keras ")
    assert (second, threads) == ("[7, 8]", "{1}")


def test_fast_is_one_thread_in_an_operation_unless_told_otherwise(monkeypatch):
    monkeypatch.setenv("TF_NUM_INTRAOP_THREADS", "4")
    session.start("fast")
    assert os.environ["TF_NUM_INTRAOP_THREADS"] == "4"
    monkeypatch.delenv("TF_NUM_INTRAOP_THREADS")
    session.start("full")
    assert "TF_NUM_INTRAOP_THREADS" not in os.environ
    session.start("fast")
    assert os.environ["TF_NUM_INTRAOP_THREADS"] == "1"


def test_seed_and_style_are_set():
    import matplotlib
    import numpy as np

    draws = []
    for _ in range(2):
        session.start(seed=3)
        draws.append(np.random.random())
    assert draws[0] == draws[1]
    assert matplotlib.rcParams["axes.titlelocation"] == "left"


@pytest.mark.parametrize("seed", [-1, 2**32, 1.5, True, "42"])
def test_a_seed_that_is_none_is_refused_in_a_sentence(seed):
    with pytest.raises(ValueError, match="seed must be a whole number from 0 to 4,294,967,295"):
        session.start(seed=seed)


def test_an_unknown_profile_names_the_nearest():
    with pytest.raises(ValueError, match="did you mean 'fast'"):
        session.start("fats")


def test_pick_follows_the_profile_and_seeds_wrap_around():
    assert session.Course("fast", 1).pick(fast=3, full=20) == 3
    assert session.Course("full", 1).pick(fast=3, full=20) == 20
    assert session.Course("fast", 2**32 - 1).seeds(2) == [2**32 - 1, 0]


def test_a_failed_import_is_replayed():
    code = (
        "import os\nfrom course_utils.session import quiet_import\n"
        "try:\n    with quiet_import():\n        os.write(2, b'why it failed')\n"
        "        raise ImportError\nexcept ImportError:\n    pass\n"
        "with quiet_import():\n    os.write(2, b'chatter')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == "why it failed"


def test_only_the_warning_about_retracing_is_kept_from_the_reader(caplog):
    import tensorflow as tf

    session.start()
    logger = tf.get_logger()
    logger.propagate, before = True, logger.propagate
    try:
        logger.warning("5 out of the last 9 calls triggered tf.function retracing.")
        logger.warning("another warning")
    finally:
        logger.propagate = before
    assert caplog.messages == ["another warning"]


def test_a_missing_name_says_which_cells_to_run(monkeypatch, capsys, tmp_path):
    from IPython.core.interactiveshell import InteractiveShell

    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))  # no history beside the user's own
    shell = InteractiveShell()
    monkeypatch.setattr("IPython.get_ipython", lambda: shell)
    session.start()
    session.start()
    shell.run_cell("x_train")
    shell.run_cell("1 / 0")
    said = capsys.readouterr().out
    assert said.count("If a cell above makes x_train: Run > Run All Above") == 1
