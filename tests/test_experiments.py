import functools
import json
import math
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from course_utils import experiments
from course_utils.experiments import Training, compare

sys.path.insert(0, str(Path(__file__).parent))
from runs_for_tests import noisy, shifted, slow  # noqa: E402

SETTINGS = {"data": "none", "epochs": 3}
VARIANTS = {"plain": noisy, "shifted": shifted}


@pytest.fixture
def calls():
    return []


@pytest.fixture
def variants(calls):
    """Two variants that note each call."""

    def noted(name, function):
        def run(seed):
            calls.append((name, seed))
            return function(seed)

        return run

    return {name: noted(name, function) for name, function in VARIANTS.items()}


def test_runs_are_paired_and_in_order(variants, calls):
    results = compare(variants, [3, 1], progress=False)
    assert calls == [("plain", 3), ("shifted", 3), ("plain", 1), ("shifted", 1)]
    table = results.table
    assert list(table.columns[:6]) == [
        "variant", "seed", "status", "error", "seconds", "parameters",
    ]  # fmt: skip
    assert list(table["status"]) == ["ok"] * 4
    assert list(table["parameters"]) == [7] * 4
    assert (table["seconds"] >= 0).all()
    values = table.pivot_table(index="seed", columns="variant", values="accuracy")
    # Every run starts from its seed, so the noise is the same and only the shift differs.
    assert (values["shifted"] - values["plain"]).tolist() == pytest.approx([1, 1])
    assert values["plain"].nunique() == 2
    effect = results.effect("shifted", "plain", "accuracy")
    assert (effect.estimate, effect.low, effect.n) == pytest.approx((1, 1, 2))
    forest = results.effects("plain", "accuracy")
    assert forest.to_dict("records")[0]["estimate"] == pytest.approx(1)
    curves = results.curves("val_loss")
    assert curves.query("variant == 'plain' and seed == 3")["value"].tolist() == [1, 0.5, 3.25]
    assert curves["epoch"].tolist() == [1, 2, 3] * 4
    assert "<table" in results._repr_html_()
    assert repr(results).split()[:3] == ["variant", "seed", "status"]


def test_the_seed_reaches_keras():
    import keras

    def draws(seed):
        return {"value": float(keras.random.uniform((1,))[0])}

    table = compare({"a": draws, "b": draws}, [0, 1], progress=False).table
    a, b = (table[table["variant"] == name]["value"].tolist() for name in "ab")
    assert a == b
    assert a[0] != a[1]


def fails(seed):
    raise RuntimeError("no such layer\nwith details")


def fails_once(seed):
    return {"accuracy": 1 / seed}


def diverges(seed):
    return {"accuracy": 0.1, "curves": {"loss": [1.0, math.nan, math.nan]}}


@pytest.mark.parametrize("threads", [False, True])
def test_the_others_go_on_after_a_failure(threads):
    variants = {"plain": noisy, "fails": fails, "diverges": diverges, "half": fails_once}
    variants |= {"text": lambda seed: {"accuracy": "good"}, "none": lambda seed: None}
    with ThreadPoolExecutor(3) as pool:
        results = compare(variants, [0, 1, 2], executor=pool if threads else None, progress=False)
    table = results.table
    assert list(table["variant"]) == list(variants) * 3
    errors = dict(zip(table["variant"], table["error"], strict=True))
    status = dict(zip(table["variant"], table["status"], strict=True))
    assert (status["fails"], errors["fails"]) == ("failed", "RuntimeError: no such layer")
    assert status["diverges"] == "diverged"
    assert errors["diverges"] == "loss is nan at the end, not finite first at epoch 2"
    assert "a measurement must be a number: got accuracy='good'" in errors["text"]
    assert "must return a mapping of measurements: got NoneType" in errors["none"]
    assert table.query("variant == 'half'")["status"].tolist() == ["failed", "ok", "ok"]
    # Only the seeds with which both finished count.
    assert results.effect("half", "plain", "accuracy").n == 2
    with pytest.raises(ValueError, match="at least 2 seeds with which both 'diverges'"):
        results.effect("diverges", "plain", "accuracy")
    forest = results.effects("plain", "accuracy").set_index("variant")
    assert forest["n"].to_dict() == {"fails": 0, "diverges": 0, "half": 2, "text": 0, "none": 0}
    assert math.isnan(forest.loc["fails", "estimate"])


def two_draws(seed):
    first = np.random.normal()
    time.sleep(0.01)
    return {"sum": first + np.random.normal()}


def test_threads_do_not_disturb_each_other():
    variants = {"a": two_draws, "b": two_draws}
    with ThreadPoolExecutor(4) as pool:
        there = compare(variants, range(3), executor=pool, progress=False).table
    here = compare(variants, range(3), progress=False).table
    assert there["sum"].tolist() == here["sum"].tolist()


def test_names_are_checked():
    results = compare(VARIANTS, [0, 1], progress=False)
    with pytest.raises(ValueError, match="did you mean 'shifted'"):
        results.effect("shift", "plain", "accuracy")
    with pytest.raises(ValueError, match="did you mean 'accuracy'"):
        results.effect("shifted", "plain", "acuracy")
    with pytest.raises(ValueError, match="there are: val_loss"):
        results.curves("x")


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        (({}, [1]), "variants and seeds: got 0 and 1"),
        ((VARIANTS, []), "got 2 and 0"),
        ((VARIANTS, [1, 1]), "seeds must differ"),
        ((VARIANTS, [1.5]), "whole numbers"),
        (({"a": 3}, [1]), "'a' must be callable"),
    ],
)
def test_bad_arguments(arguments, match):
    with pytest.raises(ValueError, match=match):
        compare(*arguments)


def test_progress_is_one_line(capsys):
    compare({"plain": noisy, "fails": fails}, [0], progress=True)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert lines[-1].startswith("█" * 20 + " 2/2 · fails, seed 0 failed · ")
    assert lines[-1].endswith("1 failed or diverged")


# --- results file ----------------------------------------------------------------------------


def test_finished_runs_are_not_done_again(variants, calls, tmp_path):
    path = tmp_path / "Läufe 1.jsonl"
    first = compare(variants, [0, 1], results=path, settings=SETTINGS, progress=False)
    assert len(calls) == 4
    again = compare(variants, [0, 1], results=path, settings=SETTINGS, progress=False)
    assert len(calls) == 4
    assert again.table.equals(first.table)
    # More seeds and variants later; only what was asked for is in the result.
    more = {**variants, "third": noisy}
    results = compare(more, [1, 2], results=path, settings=SETTINGS, progress=False)
    assert calls[4:] == [("plain", 2), ("shifted", 2)]
    assert results.table["seed"].tolist() == [1] * 3 + [2] * 3
    assert len(experiments.load(path).rows) == 8
    assert experiments.load(path).effect("shifted", "plain", "accuracy").n == 3


def test_what_failed_is_tried_again_and_what_diverged_is_not(tmp_path, calls):
    path = tmp_path / "runs.jsonl"
    compare({"a": fails, "b": diverges}, [0], results=path, settings={}, progress=False)
    mended = {"a": noisy, "b": lambda seed: calls.append(seed)}
    results = compare(mended, [0], results=path, settings={}, progress=False)
    assert results.table["status"].tolist() == ["ok", "diverged"]
    assert math.isnan(results.rows[1]["curves"]["loss"][2])
    assert not calls
    assert [row["status"] for row in experiments.load(path).rows] == ["ok", "diverged"]


@pytest.mark.parametrize("cut", [1, 5, 60])
def test_a_torn_last_line_is_run_again(variants, calls, tmp_path, cut):
    path = tmp_path / "runs.jsonl"
    first = compare(variants, [0, 1], results=path, settings=SETTINGS, progress=False)
    whole = path.read_bytes()
    path.write_bytes(whole[:-cut])
    if cut == 1:  # only the end of the line is missing: the run is whole
        results = compare(variants, [0, 1], results=path, settings=SETTINGS, progress=False)
        assert len(calls) == 4
    else:
        with pytest.warns(UserWarning, match="1 line cut off"):
            results = compare(variants, [0, 1], results=path, settings=SETTINGS, progress=False)
        assert calls[4:] == [("shifted", 1)]
    columns = ["variant", "seed", "accuracy"]
    assert results.table[columns].equals(first.table[columns])
    lines = path.read_text("utf-8").splitlines()
    assert len([json.loads(line) for line in lines]) == 5


def test_a_damaged_line_in_the_middle_loses_that_run_only(variants, calls, tmp_path):
    path = tmp_path / "runs.jsonl"
    compare(variants, [0, 1], results=path, settings=SETTINGS, progress=False)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:2], lines[2][:20] + b"\n", *lines[3:]]))
    with pytest.warns(UserWarning, match="will be run again"):
        compare(variants, [0, 1], results=path, settings=SETTINGS, progress=False)
    assert calls[4:] == [("shifted", 0)]


def test_other_settings_are_refused_and_nothing_is_lost(variants, tmp_path):
    path = tmp_path / "runs.jsonl"
    compare(variants, [0], results=path, settings=SETTINGS, progress=False)
    before = path.read_bytes()
    other = {**SETTINGS, "epochs": 20}
    with pytest.raises(ValueError, match="other settings .epochs: 3 there, 20 here"):
        compare(variants, [0], results=path, settings=other, progress=False)
    assert path.read_bytes() == before
    compare(variants, [0], results=path, settings=other, overwrite=True, progress=False)
    assert json.loads(path.read_text("utf-8").splitlines()[0])["settings"] == other


def test_a_file_of_another_kind_is_refused(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("my thesis")
    with pytest.raises(ValueError, match="is not a file of runs"):
        compare(VARIANTS, [0], results=path, settings=SETTINGS)
    assert path.read_text() == "my thesis"
    with pytest.raises(ValueError, match="settings must be given with results"):
        compare(VARIANTS, [0], results=path)
    with pytest.raises(ValueError, match="JSON types"):
        compare(VARIANTS, [0], results=path, settings={"model": object()})


def test_kill_9_loses_nothing_that_was_finished(tmp_path):
    path = tmp_path / "runs.jsonl"
    code = (
        "from course_utils.experiments import compare; from runs_for_tests import noisy, slow\n"
        f"compare(dict(plain=noisy, slow=slow), range(50), results={str(path)!r}, settings={{}})"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    process = subprocess.Popen(
        [sys.executable, "-c", code], env=environment, stdout=subprocess.DEVNULL
    )
    try:
        deadline = time.monotonic() + 60
        while not path.exists() or path.read_bytes().count(b"\n") < 5:
            assert time.monotonic() < deadline
            assert process.poll() is None
            time.sleep(0.02)
    finally:
        process.send_signal(getattr(signal, "SIGKILL", signal.SIGTERM))
        process.wait()
    finished = len(experiments.load(path).rows)
    assert finished >= 4
    seeds = range(finished // 2 + 1)
    results = compare(
        {"plain": noisy, "slow": slow}, seeds, results=path, settings={}, progress=False
    )
    assert set(results.table["status"]) == {"ok"}
    # Runs with the same seed agree, whether they were done before or after the kill.
    assert results.effect("slow", "plain", "accuracy").estimate == 0
    here = results.table["process"] == os.getpid()
    assert here.sum() == len(results.rows) - finished


# --- executors -------------------------------------------------------------------------------


def test_processes(monkeypatch, tmp_path, capfd):
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))
    here = compare(VARIANTS, [0, 1], progress=False)
    capfd.readouterr()
    path = tmp_path / "runs.jsonl"
    variants = {**VARIANTS, "unsendable": lambda seed: {}}
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        there = compare(
            variants, [0, 1], executor=pool, results=path, settings=SETTINGS, progress=False
        )
    table = there.table.query("variant != 'unsendable'")
    assert table["accuracy"].tolist() == here.table["accuracy"].tolist()
    assert os.getpid() not in set(table["process"])
    assert set(there.table.query("variant == 'unsendable'")["status"]) == {"failed"}
    assert len(experiments.load(path).rows) == 6
    assert "oneDNN" not in capfd.readouterr().err  # TensorFlow is imported there, and says nothing


def test_dask(monkeypatch):
    distributed = pytest.importorskip("distributed")
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))
    here = compare(VARIANTS, [0, 1], progress=False)
    with (
        distributed.LocalCluster(
            n_workers=1, threads_per_worker=1, processes=True, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        variants = {**VARIANTS, "lambda": lambda seed: {"accuracy": seed}}
        there = compare(variants, [0, 1], executor=client.get_executor(), progress=False)
    table = there.table.query("variant != 'lambda'")
    assert table["accuracy"].tolist() == here.table["accuracy"].tolist()
    assert os.getpid() not in set(table["process"])
    assert there.table.query("variant == 'lambda'")["accuracy"].tolist() == [0, 1]


# --- Training --------------------------------------------------------------------------------


def build(units=2):
    import keras

    return keras.Sequential(
        [
            keras.Input((3,)),
            keras.layers.Dense(units, activation="relu"),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )


def data():
    images = np.random.default_rng(0).normal(size=(60, 3)).astype("float32")
    labels = (images[:, 0] > 0).astype("int64")
    return (images[:40], labels[:40]), (images[40:], labels[40:])


def gap(model, data):
    return {"gap": model.evaluate(*data[1], verbose=0)[0] - model.evaluate(*data[0], verbose=0)[0]}


def test_training_measures_and_repeats():
    import keras

    from course_utils.metrics import binary_metrics

    options = {"optimizer": keras.optimizers.SGD(0.5), "loss": "binary_crossentropy"}
    options |= {"metrics": binary_metrics, "run_eagerly": True}
    small = Training(build, data, epochs=2, compile=options, measure=gap)
    wide = Training(functools.partial(build, 4), data(), epochs=2, compile=options)
    broken = Training(functools.partial(build, -1), data, compile=options)
    variants = {"small": small, "again": small, "wide": wide, "broken": broken}
    results = compare(variants, [0, 1], progress=False)
    table = results.table.set_index(["variant", "seed"])
    assert table.loc[("small", 0), "parameters"] == 11
    assert table.loc[("wide", 0), "parameters"] == 21
    assert table.loc[("small", 0), "val_loss"] == table.loc[("again", 0), "val_loss"]
    assert table.loc[("small", 0), "val_loss"] != table.loc[("small", 1), "val_loss"]
    assert table.loc["broken"]["status"].tolist() == ["failed", "failed"]
    assert "units" in table.loc[("broken", 0), "error"]
    curve = results.curves("val_loss").query("variant == 'small' and seed == 0")["value"].tolist()
    assert len(curve) == 2
    assert table.loc[("small", 0), "best_epoch"] == curve.index(min(curve)) + 1
    assert (table.loc["small"]["gap"] != 0).all()
    assert table.loc["wide"]["gap"].isna().all()
    assert {"f1", "val_f1", "precision"} <= set(table.columns)


def test_a_training_in_one_graph_measures_the_loss_and_nothing_else():
    import keras

    options = {"optimizer": keras.optimizers.SGD(0.5), "loss": "binary_crossentropy"}
    train, validation = data()
    short = {"build": build, "data": (train, None), "epochs": 3, "compile": options}
    usual, quick = (
        Training(**short, batch_size=40)(1),
        Training(**short, batch_size=40, one_graph=True)(1),
    )
    # One batch an epoch, so that the order of the images does not matter.
    assert quick["curves"].keys() == {"loss"}
    assert quick["curves"]["loss"] == pytest.approx(usual["curves"]["loss"], rel=1e-5)
    assert quick["loss"] == quick["curves"]["loss"][-1]
    for more in (
        {"data": (train, validation)},
        {"callbacks": list},
        {"fit": {"class_weight": {0: 1, 1: 2}}},
    ):
        with pytest.raises(ValueError, match=f"one_graph .* or (validation )?{[*more][0]}"):
            Training(**(short | more), one_graph=True)
    with pytest.raises(ValueError, match="or validation data"):
        Training(**(short | {"data": data}), one_graph=True)(1)
