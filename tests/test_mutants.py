"""The mutation test breaks what it should, and leaves alone what no test could notice."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import mutate
import pytest
from mutants import mutants

SOURCE = '''
"""A module."""

LIMIT = 3


def scale(image, *, factor=2):
    """Return an image times a factor."""
    if factor <= 0 and not image:
        raise ValueError(f"factor must be above 0: got {factor + 1}")
    for row in image:
        if row is None:
            continue
        row.clear()
    return merge(image, factor) if image else -1
'''


def names(source):
    return [mutant.name for mutant in mutants(source, "m")]


@pytest.mark.parametrize(
    "name",
    [
        "m.module: 3 → 4 in `LIMIT = 3`",
        "m.module: 3 → 2 in `LIMIT = 3`",
        "m.scale: 2 → 3 in `def scale(image, *, factor=2)`",
        "m.scale: factor <= 0 and (not image) → factor <= 0 or not image",
        "m.scale: factor <= 0 → factor < 0",
        "m.scale: not image → image",
        "m.scale: raise ValueError(f'factor must be above 0: got {factor + 1}') → pass",
        "m.scale: row is None → row is not None",
        "m.scale: continue → break",
        "m.scale: row.clear() → pass",
        "m.scale: return merge(image, factor) if image else -1 → return None",
        "m.scale: merge(image, factor) → merge(factor, image)",
        "m.scale: merge(image, factor) if image else -1 → "
        "merge(image, factor) if not image else -1",
        "m.scale: -1 → 1",
    ],
)
def test_each_way_to_break(name):
    assert name in names(SOURCE)


def test_messages_docstrings_and_annotations_are_left_alone():
    assert not any("'A module.'" in name or "factor + 1 →" in name for name in names(SOURCE))
    for quiet in (
        'def f(x: "int | None") -> "int": ...',
        "zip(a, b, strict=True).close",
        "x = y.reshape(-1, 3)",
        'x = f"{n + 1} of {m}"',
        "raise ValueError(n + 1) from error",
    ):
        left = [name for name in names(quiet) if not name.endswith("→ pass")]
        assert [name for name in left if "zip(a, b" not in name] == [], quiet


def test_every_mutant_differs_in_one_place_and_compiles():
    original = ast.dump(ast.parse(SOURCE))
    found = mutants(SOURCE, "m")
    assert len({mutant.name for mutant in found}) == len(found)
    dumps = [ast.dump(mutant.tree) for mutant in found]
    assert len({*dumps, original}) == len(found) + 1
    for mutant in found:
        compile(mutant.tree, "m.py", "exec")
        assert 1 <= mutant.lines[0] <= mutant.lines[1] <= len(SOURCE.splitlines())


def test_a_mutant_meets_the_tests_of_its_lines_the_quickest_first():
    found = {mutant.name: mutant for mutant in mutants(SOURCE, "m")}
    limit = found["m.module: 3 → 4 in `LIMIT = 3`"]
    last = found["m.scale: -1 → 1"]
    watched = {
        "lines": {
            "import": {"m": [2, 4, 7]},
            "slow": {"m": [9, 15]},
            "quick": {"m": [15]},
            "other": {"m": [9]},
            "none": {},
        },
        "seconds": {"slow": 3.0, "quick": 1.0, "other": 2.0, "none": 0.1},
    }
    assert mutate.chosen_tests(last, "m", watched) == ["quick", "slow"]
    # What is run at import may matter to every test of the module.
    assert mutate.chosen_tests(limit, "m", watched) == ["quick", "other", "slow"]


def test_the_sample_is_the_same_at_every_run_and_has_one_of_each_function():
    found = mutants("".join(f"def f{n}(x): return x + {n}\n" for n in range(40)), "m")
    assert len(found) == 160
    chosen = mutate.sample(found, 60, "metrics")
    assert chosen == mutate.sample(found, 60, "metrics")
    assert chosen == [mutant for mutant in found if mutant in chosen]
    assert len(chosen) == 60
    assert chosen != mutate.sample(found, 60, "data")
    for count in (60, 5):
        scopes = {mutant.name.partition(":")[0] for mutant in mutate.sample(found, count, "data")}
        assert scopes == {f"m.f{n}" for n in range(40)}
    assert mutate.sample(found, None, "data") == found


def test_only_a_failed_test_kills():
    result = mutate.Result(9, [])
    for status in (0, 1, 2, 5, -24, -9):
        mutant = mutants("x = 1", "m")[0]._replace(name=f"exit {status}")
        mutate.note(result, mutate.Job("m", mutant, [], 1), status)
    assert (result.killed, result.survivors) == (["exit 1"], ["exit 0"])
    assert len(result.stopped) == 4
    assert result.share == 1 / 6
    with pytest.raises(SystemExit, match="the tool itself failed"):
        mutate.note(result, mutate.Job("m", mutant, [], 1), mutate.TROUBLE)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
@pytest.mark.parametrize(
    ("source", "status"),
    [
        ("def double(x):\n    return 2 * x", mutate.PASSED),
        ("def double(x):\n    return 3 * x", mutate.FAILED),
        ("1 / 0", mutate.FAILED),
        ("def twice(x):\n    return 2 * x", mutate.FAILED),  # the test file cannot be imported
        ("def double(x):\n    while True: pass", -24),
    ],
)
def test_a_mutant_of_a_small_course(tmp_path, source, status):
    """In a process of its own, as always: one that has computed with TensorFlow must not fork."""
    (tmp_path / "course_utils").mkdir()
    (tmp_path / "tests").mkdir()
    (tmp_path / "course_utils/m.py").write_text("never = read")
    (tmp_path / "tests/test_m.py").write_text(
        "from course_utils.m import double\n\ndef test_it():\n    assert double(3) == 6\n"
    )
    code = f"""
import ast, mutate, pytest, sys
from pathlib import Path
folder = Path({str(tmp_path)!r})
tests, cpu = ["tests/test_m.py::test_it"], {1 if status < 0 else 60}
job = mutate.Control({{"m": ast.parse({source!r})}}, tests, cpu)
found = mutate.try_all([job], lambda job: mutate.try_one(folder, job), 1)
print([status for _, status in found])
mutate.check_again(folder, {{"m": ast.parse("def double(x):\\n    return 2 * x")}})
try:
    mutate.check_again(folder, job.trees)
except SystemExit as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-P", "-c", code],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=os.environ
        | {"PYTHONPATH": str(mutate.ROOT / "tests"), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
    )
    first, _, rest = done.stdout.partition("\n")
    assert first == f"[{status}]", done.stderr
    # A test that failed for a mutant is tried again on what is unbroken, or is said to be.
    failed = "return 3" in source
    again = "tests/test_m.py::test_it fails without a mutant too (exit status 1)\n"
    assert rest == (again if failed else "")
    assert (tmp_path / "course_utils/m.py").read_text() == "never = read"


def test_the_report_counts_only_what_was_tried():
    results = {
        "one": mutate.Result(9, ["same"], ["a", "b", "c"], ["d"]),
        "two": mutate.Result(5, [], ["e"], [], ["f (exit status -24)"]),
    }
    text, share = mutate.report(results, True, "command", 2)
    assert share == 0.5
    assert "| one | 9 | 1 | 4 | 3 | 75.0% |" in text
    assert "| all | 14 | 1 | 6 | 4 | 66.7% |" in text
    assert "## Survivors\n\n- `` d ``\n\n" in text
    assert text.endswith("- `` f (exit status -24) ``\n")
    halves = {"sizes": results["two"], "arithmetic": results["one"]}
    assert mutate.report(halves, True, "command", 2)[1] == 4 / 6
    assert "before the end" not in text
    assert "before the end" in mutate.report(results, False, "command", 2)[0]


def test_the_equivalent_ones_exist_and_have_a_reason():
    listed = mutate.reasons()
    there = {
        mutant.name
        for module in mutate.TESTS
        for mutant in mutants(
            (mutate.ROOT / f"course_utils/{module}.py").read_text(encoding="utf-8"), module
        )
    }
    assert set(listed) <= there, f"no longer there: {set(listed) - there}"
    assert all(len(reason) > 10 for reason in listed.values())


def test_every_test_file_of_the_mutation_test_exists():
    for module, files in mutate.TESTS.items():
        assert (mutate.ROOT / f"course_utils/{module}.py").is_file()
        assert [name for name in files if Path(f"{mutate.ROOT}/tests/{name}.py").is_file()]
