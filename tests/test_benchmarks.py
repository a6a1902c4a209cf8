"""The benchmarks are not timed here: only that `make bench` finds all that it needs in them."""

import ast
import importlib
import sys
from pathlib import Path

import numpy as np
import pytest

from course_utils.runs import RunsFile

FOLDER = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture
def bench(monkeypatch):
    monkeypatch.syspath_prepend(FOLDER)
    yield importlib.import_module("bench")
    for name in ("bench", "ratios", "machine"):
        sys.modules.pop(name, None)


def scripts():
    helpers = {"bench", "machine", "ratios"}
    return sorted(path for path in FOLDER.glob("*.py") if path.stem not in helpers)


@pytest.mark.parametrize("path", scripts(), ids=lambda path: path.stem)
def test_each_says_how_to_run_it_and_has_rows_for_the_table(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    assert {"main", "ratios"} <= set(functions)
    assert not functions["ratios"].args.args
    assert f"benchmarks/{path.name}" in ast.get_docstring(tree)


def test_all_scripts_are_found(bench):
    assert bench.names() == [path.stem for path in scripts()]


def test_a_benchmark_without_results_says_so(bench, monkeypatch, tmp_path):
    (tmp_path / "slow_thing.py").write_text(
        "def ratios():\n    return open('no such folder/slow_thing.json')\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    (row,) = bench.rows("slow_thing")
    assert row["what"] == "not measured yet: no slow_thing.json"
    assert "slow_thing" in "\n".join(bench.table({"slow_thing": [row]}))


def test_a_benchmark_that_fails_is_noticed(bench, monkeypatch, tmp_path):
    monkeypatch.setattr(bench, "HERE", tmp_path)
    (tmp_path / "broken.py").write_text("raise SystemExit(3)\n")
    (tmp_path / "fine.py").write_text("")
    assert bench.run("broken") is None
    assert bench.run("fine") > 0


def test_ratios_are_paired_by_seed(bench, tmp_path):
    ratios = importlib.import_module("ratios")
    file = RunsFile(tmp_path / "runs.jsonl", {})
    seconds = {("a", 1): 2.0, ("a", 2): 6.0, ("b", 1): 1.0, ("b", 2): 2.0, ("a", 3): 9.0}
    for (variant, seed), value in seconds.items():
        common = {"status": "ok", "error": None, "parameters": None, "metrics": {}, "curves": {}}
        file.add({"variant": variant, "seed": seed, "seconds": value, **common})
    found = ratios.paired(tmp_path / "runs.jsonl", "a", "b")
    np.testing.assert_array_equal(found, [2, 3])
    assert ratios.row("a / b", found)["ratio"] == "2.50 (2.00 to 3.00)"
