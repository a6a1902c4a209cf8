import json
import math
import os
import random
import re
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from course_utils import experiments
from course_utils.experiments import compare

ROOT = Path(__file__).parents[1]
SETTINGS = {"data": "none", "sizes": (3, 4)}


@pytest.fixture
def calls():
    return []


@pytest.fixture
def variants(calls):
    """Two variants that note their calls and draw as Keras does for its layers."""

    def run(name, shift, seed):
        calls.append((name, seed))
        return {"accuracy": np.float32(random.random() + shift), "loss": [2.0, 1.5]}

    return {"plain": partial(run, "plain", 0), "shifted": partial(run, "shifted", 1)}


def test_runs_are_paired_by_their_seeds(variants, calls, capsys):
    table = compare(variants, [3, np.int64(1)])
    assert calls == [("plain", 3), ("shifted", 3), ("plain", 1), ("shifted", 1)]
    assert list(table.columns) == ["variant", "seed", "seconds", "accuracy", "loss"]
    assert table["loss"].tolist() == [[2.0, 1.5]] * 4
    assert table["accuracy"].nunique() == 4
    wide = table.pivot(index="seed", columns="variant", values="accuracy")
    np.testing.assert_allclose(wide["shifted"] - wide["plain"], 1, atol=1e-6)
    assert capsys.readouterr() == ("", "")  # no bar where nobody looks


@pytest.mark.parametrize("threads", [None, 3])
def test_a_failed_run_is_reported_and_tried_again_and_the_others_are_kept(tmp_path, threads):
    import keras

    def draws(seed):
        first = np.random.normal()
        time.sleep(0.01)
        return {"twice": first + np.random.normal(), "keras": keras.random.uniform((1,))}

    variants = {"draws": draws, "fails": lambda seed: 1 / seed, "text": lambda seed: "good"}
    pool = ThreadPoolExecutor(threads) if threads else None
    path = tmp_path / "runs.jsonl"
    with pytest.warns(UserWarning, match="4 of 9 runs failed; fails, seed 0: ZeroDivisionError: d"):
        table = compare(variants, range(3), executor=pool, path=path)
    # Threads of one process do not disturb each other's random numbers.
    expected = [np.random.RandomState(seed).normal(size=2).sum() for seed in range(3)]
    drawn = table[table["variant"] == "draws"]
    np.testing.assert_allclose(drawn["twice"], expected)
    keras.utils.set_random_seed(2)
    assert drawn["keras"].iloc[2] == keras.random.uniform((1,)).numpy().tolist()
    found = table.set_index(["variant", "seed"])
    assert found["value"].dropna().tolist() == [1, 0.5]
    assert len(found["error"].dropna()) == 4
    assert "value must be a number or a list of some: got 'good'" in found.loc[("text", 1), "error"]
    again = compare({"fails": lambda seed: 7}, range(3), path=path)
    assert again["value"].tolist() == [7, 1, 0.5]
    assert "error" not in again


@pytest.mark.parametrize(("names", "seeds"), [([], [1]), (["plain"], []), (["plain"], [1, 1])])
def test_variants_and_different_seeds_are_needed(variants, names, seeds):
    with pytest.raises(ValueError, match="variants, and seeds that differ"):
        compare({name: variants[name] for name in names}, seeds)


def test_finished_runs_are_not_run_again(variants, calls, tmp_path):
    path = tmp_path / "Läufe 1.jsonl"
    first = compare(variants, [0, 1], path=path, settings=SETTINGS)
    assert experiments.load(path).equals(first)
    written = path.read_bytes()
    assert compare(variants, [0, 1], path=path, settings=SETTINGS).equals(first)
    assert (len(calls), path.read_bytes()) == (4, written)
    variants["third"] = lambda seed: math.nan
    table = compare(variants, [1, 2], path=path, settings=SETTINGS)
    assert calls[4:] == [("plain", 2), ("shifted", 2)]
    assert table["seed"].tolist() == [1] * 3 + [2] * 3
    stored = experiments.load(path)
    assert len(stored) == 8
    assert stored.query("variant == 'third'")["value"].isna().all()  # NaN is kept


@pytest.mark.parametrize(("line", "cut", "lost"), [(2, 5, 1), (4, 60, 1), (4, 1, 0)])
def test_what_is_cut_off_is_run_again(variants, calls, tmp_path, recwarn, line, cut, lost):
    path = tmp_path / "runs.jsonl"
    first = compare(variants, [0, 1], path=path)
    lines = path.read_bytes().splitlines(keepends=True)
    lines[line] = lines[line][:-cut] + b"\n" * (line == 2)
    path.write_bytes(b"".join(lines))
    again = compare(variants, [0, 1], path=path)
    assert sum("1 of its runs are cut off" in str(each.message) for each in recwarn) == lost
    assert len(calls) == 4 + lost
    assert again.drop(columns="seconds").equals(first.drop(columns="seconds"))
    assert len(list(map(json.loads, path.read_text("utf-8").splitlines()))) == 5


def test_a_file_of_something_else_gets_one_sentence_and_stays(variants, tmp_path):
    path = tmp_path / "runs.jsonl"
    with pytest.raises(FileNotFoundError, match="no runs are stored in .*runs.jsonl"):
        experiments.load(path)
    compare(variants, [0], path=path, settings=SETTINGS)
    before = path.read_bytes()
    with pytest.raises(ValueError, match=r"other settings \(sizes: \[3, 4\]\): name another"):
        compare(variants, [0], path=path, settings={"data": "none", "sizes": [5]})
    assert path.read_bytes() == before
    for text in ("my thesis", ""):
        path.write_text(text)
        with pytest.raises(ValueError, match="holds no runs of compare"):
            compare(variants, [0], path=path)
        assert path.read_text() == text


def test_the_stored_results_of_the_course_can_be_read():
    for path in sorted((ROOT / "data/results").glob("*.jsonl")):
        table = experiments.load(path)
        assert table.attrs["settings"]
        assert not {"status", "metrics", "curves"} & set(table)


def test_kill_9_loses_nothing_that_was_finished(tmp_path):
    path = tmp_path / "runs.jsonl"
    code = (
        "import time; from course_utils.experiments import compare\n"
        f"compare(dict(a=lambda seed: time.sleep(0.02)or 1), range(10**6), path={str(path)!r})"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.DEVNULL)
    while not path.exists() or path.read_bytes().count(b"\n") < 4:
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(getattr(signal, "SIGKILL", signal.SIGTERM))
    process.wait()
    finished = path.read_bytes().count(b"\n") - 1
    table = compare({"a": lambda seed: 2}, range(finished + 1), path=path)
    assert table["value"].tolist() == [1] * finished + [2]


def test_the_sweep_of_the_page_about_clusters_is_the_same_on_one(tmp_path, monkeypatch):
    """Its own code, on a worker: Dask's threads must not draw from a run's random numbers."""
    distributed = pytest.importorskip("distributed")
    page = (ROOT / "docs/cluster.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"^```python\n(.*?)^```", page, flags=re.M | re.S)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COURSE_DATA", "bundled")
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=True, dashboard_address=None
    ) as cluster:
        names = {"address": cluster.scheduler_address, "__name__": "__main__"}
        exec(compile(code, "docs/cluster.md", "exec"), names)

        def draws(seed):
            time.sleep(0.3)  # between seed and draw, as while a network is built
            return {"drawn": random.random(), "process": os.getpid()}

        with distributed.Client(cluster) as client:
            drawn = compare({"draws": draws}, range(4), executor=client.get_executor(pure=False))
    assert drawn["drawn"].tolist() == [random.Random(seed).random() for seed in range(4)]
    assert os.getpid() not in set(drawn["process"])
    there = names["table"].query("variant == 'quarter'")
    here = compare({"quarter": names["variants"]["quarter"]}, [42, 43])
    np.testing.assert_allclose(there["loss"], here["loss"], rtol=1e-5)


@pytest.fixture
def results(tmp_path, monkeypatch):
    """A folder of stored results with one file of two variants, three seeds."""
    monkeypatch.setattr(experiments, "DATA", tmp_path)
    (tmp_path / "results").mkdir()
    path = tmp_path / "results" / "small.jsonl"
    for note in ("one core", "two cores"):  # the first one began the file
        how = {"path": path, "settings": SETTINGS, "note": note}
        table = compare({"a": float, "b": float}, range(3), **how)
        assert table.attrs == {"settings": {"data": "none", "sizes": [3, 4]}, "note": "one core"}
    return path


def test_a_stored_result_is_a_table(results, capsys):
    assert len(experiments.stored("small", data="none", sizes=[3, 4])) == 6
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("harm", "why"),
    [
        (lambda text: None, "no runs are stored"),
        (lambda text: text[:-30], "cut off"),
        (lambda text: text[: text[:-1].rindex("\n") + 1], "some of its runs are missing"),
        (lambda text: "", "holds no runs of compare"),
        (lambda text: text.replace('"none"', '"other"'), "other settings ({'data': 'other'})"),
        (lambda text: text[: text.index("\n") + 1], "some of its runs are missing"),
    ],
)
def test_a_stored_result_that_is_no_good_is_one_sentence(results, capsys, harm, why):
    text = harm(results.read_text())
    results.unlink() if text is None else results.write_text(text)
    assert experiments.stored("small", data="none") is None
    said = capsys.readouterr().out
    assert why in said
    assert "python benchmarks/small.py" in said
    assert said.count("\n") == 1
