import gc
import subprocess
import sys

import pytest

SCRIPT = """
import gc, os, sys
from course_utils.quiet import quiet_import
gc.{switch}()
with quiet_import(freeze={freeze}):
    assert not gc.isenabled()
    os.write(2, b"from C")
    kept = [[] for _ in range(100)]
    {trouble}
print(gc.isenabled(), gc.get_freeze_count() > 100)
"""


def run(switch, freeze=True, trouble="pass"):
    words = [sys.executable, "-c", SCRIPT.format(switch=switch, freeze=freeze, trouble=trouble)]
    return subprocess.run(words, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("switch", "freeze", "after"),
    [
        ("enable", True, "True True"),
        ("enable", False, "True False"),
        ("disable", True, "False False"),
    ],
)
def test_nothing_is_said_and_the_collector_is_as_before(switch, freeze, after):
    ran = run(switch, freeze)
    assert (ran.stdout.strip(), ran.stderr) == (after, "")


def test_a_failure_is_not_kept_quiet():
    ran = run("enable", trouble="import no_such_module")
    assert ran.returncode == 1
    assert "from C" in ran.stderr
    assert "no_such_module" in ran.stderr


def test_with_tensorflow_there_is_nothing_to_do(monkeypatch):
    from course_utils.quiet import quiet_import

    monkeypatch.setitem(sys.modules, "tensorflow", object())
    with quiet_import():
        assert gc.isenabled()
