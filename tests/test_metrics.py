import subprocess
import sys

import numpy as np
import pytest
from sklearn import metrics as sk

from course_utils import metrics
from course_utils.metrics import Interval

# --- intervals -------------------------------------------------------------------------------


def test_interval_reads_well():
    interval = Interval(0.0231, 0.0114, 0.0352, 0.95, 5)
    assert str(interval) == "0.023 [0.011, 0.035]"
    assert f"{interval:.1f}" == "0.0 [0.0, 0.0]"
    assert str(Interval(123.4, 100.2, 150.9, 0.95, 5)) == "123 [100, 151]"
    small = Interval(-0.001, -0.04, 0.02, 0.95, 5)
    assert f"{small:.1f}" == "0.0 [0.0, 0.0]"
    assert f"{small:+.1f}" == "+0.0 [+0.0, +0.0]"
    assert f"{small:z.2f}" == "0.00 [-0.04, 0.02]"
    assert interval.excludes_zero
    assert Interval(-2, -3, -1, 0.95, 5).excludes_zero
    assert not Interval(0.1, 0.0, 0.2, 0.95, 5).excludes_zero
    assert not Interval(-0.1, -0.2, 0.0, 0.95, 5).excludes_zero


@pytest.mark.parametrize(
    ("low", "high", "shown"),
    [
        (0.1, 0.4, "0.20 [0.10, 0.40]"),
        (0.2, 0.2, "0.200 [0.200, 0.200]"),
        (-np.inf, np.inf, "0.200 [-inf, inf]"),
        (-400.0, 400.0, "0 [-400, 400]"),
    ],
)
def test_digits_follow_the_width(low, high, shown):
    assert str(Interval(0.2, low, high, 0.95, 5)) == shown


def test_standard_error():
    assert metrics.standard_error(0, 10) == metrics.standard_error(1, 10) == 0
    assert metrics.standard_error(0.5, 1) == 0.5
    assert metrics.standard_error(0.9, 1000) == pytest.approx(0.009486833)
    with pytest.raises(ValueError, match="between 0 and 1"):
        metrics.standard_error(90, 1000)
    with pytest.raises(ValueError, match="n must be"):
        metrics.standard_error(0.9, 0)


def test_bootstrap_is_deterministic_and_right():
    values = np.random.default_rng(1).normal(3, 2, size=400)
    interval = metrics.bootstrap(values)
    assert interval == metrics.bootstrap(values)
    assert interval != metrics.bootstrap(values, seed=1)
    assert interval.n == 400
    assert interval.estimate == pytest.approx(values.mean())
    # For a mean of many values it comes close to ±1.96 standard errors.
    half = 1.96 * values.std() / 20
    assert interval.high - interval.estimate == pytest.approx(half, rel=0.1)
    assert interval.estimate - interval.low == pytest.approx(half, rel=0.1)
    narrow = metrics.bootstrap(values, level=0.5)
    assert narrow.high - narrow.low < interval.high - interval.low


@pytest.mark.parametrize(("hits", "n"), [(0, 20), (7, 20), (20, 20), (1, 1)])
def test_share_is_wilsons_interval(hits, n):
    # The formula: the ends are the p for which the share lies z standard errors of p away.
    found = metrics.share(np.arange(n) < hits)
    z = 1.959963984540054
    middle = (hits + z**2 / 2) / (n + z**2)
    half = z * np.sqrt(hits * (n - hits) / n + z**2 / 4) / (n + z**2)
    assert (found.estimate, found.n) == (hits / n, n)
    assert (found.low, found.high) == pytest.approx((middle - half, middle + half), abs=1e-9)
    assert found.low < found.high


def test_share_of_another_level_is_narrower():
    right = np.arange(50) < 40
    wide, narrow = metrics.share(right), metrics.share(right, level=0.5)
    assert wide.low < narrow.low < narrow.high < wide.high


@pytest.mark.parametrize(
    ("right", "words"),
    [
        ([], "at least one 0 or 1"),
        ([0.5, 1], "0 or 1"),
        ([[True]], r"shape \(1, 1\)"),
        (["yes"], "numbers"),
    ],
)
def test_share_refuses(right, words):
    with pytest.raises(ValueError, match=words):
        metrics.share(right)


def test_bootstrap_is_scipys_with_2000_draws_of_seed_0():
    from scipy import stats

    values = np.random.default_rng(2).normal(size=9)
    rng = np.random.default_rng(0)
    expected = stats.bootstrap(
        (values,), np.mean, n_resamples=2000, method="percentile", rng=rng
    ).confidence_interval
    found = metrics.bootstrap(values)
    assert (found.low, found.high, found.level) == (expected.low, expected.high, 0.95)
    assert metrics.paired(values, np.zeros(9), method="bootstrap") == found


@pytest.mark.parametrize("level", [0, 1, -0.1, 95])
def test_every_interval_refuses_a_level_that_is_none(level):
    for interval in (
        metrics.bootstrap,
        metrics.share,
        lambda a, level: metrics.paired(a, a, level),
    ):
        with pytest.raises(ValueError, match="level must lie between 0 and 1"):
            interval([0, 1], level=level)


def test_how_few_values_are_enough():
    assert metrics.bootstrap([1.0, 2.0]).n == 2
    assert metrics.paired([1.0, 2.0], [0.0, 0.0]).n == 2
    five = np.arange(5.0)
    assert metrics.paired(five, 0 * five, method="bootstrap").n == 5
    with pytest.raises(ValueError, match="at least 5 pairs"):
        metrics.paired(five[:4], five[1:], method="bootstrap")
    with pytest.raises(ValueError, match="at least 2 values: got 0"):
        metrics.bootstrap(3.0)
    with pytest.raises(ValueError, match="2 of 5 are NaN or infinite"):
        metrics.bootstrap([1, np.nan, 2, np.inf, 3])


def test_bootstrap_draws_whole_rows():
    labels = np.random.default_rng(0).integers(0, 2, 200)
    rows = np.stack([labels, labels], axis=1)
    # Rows that stay together agree in every draw, so the accuracy never leaves 1.
    rows[0, 1] = 1 - rows[0, 1]
    interval = metrics.bootstrap(rows, lambda r: np.mean(r[:, 0] == r[:, 1]), draws=200)
    assert interval.estimate == pytest.approx(0.995)
    assert interval.low > 0.97


def test_bootstrap_of_equal_values_is_a_point():
    assert metrics.bootstrap([2.0, 2.0, 2.0]) == Interval(2, 2, 2, 0.95, 3)


@pytest.mark.parametrize(
    ("values", "match"),
    [([], "at least 2"), ([1.0], "at least 2"), ([1, np.nan], "finite"), (["a"], "numbers")],
)
def test_bootstrap_refuses(values, match):
    with pytest.raises(ValueError, match=match):
        metrics.bootstrap(values)


def test_paired_t_is_scipys():
    from scipy import stats

    a, b = np.random.default_rng(0).normal(size=(2, 6))
    interval = metrics.paired(a, b)
    expected = stats.ttest_rel(a, b).confidence_interval(0.95)
    assert (interval.low, interval.high) == pytest.approx((expected.low, expected.high))
    assert interval.n == 6


def test_paired_uses_the_pairs():
    rng = np.random.default_rng(0)
    seeds = rng.normal(0, 10, 50)
    a, b = seeds + 0.5 + rng.normal(0, 0.1, 50), seeds + rng.normal(0, 0.1, 50)
    for method in ("auto", "t", "bootstrap"):
        interval = metrics.paired(a, b, method=method)
        assert interval.low > 0.4
        assert interval.high < 0.6
    for n in (30, 50):
        same = metrics.paired(a[:n], b[:n], method="bootstrap")
        assert metrics.paired(a[:n], b[:n]) == same
    assert metrics.paired(a[:29], b[:29]) == metrics.paired(a[:29], b[:29], method="t")


def test_paired_t_covers_what_it_says_and_the_bootstrap_less():
    rng = np.random.default_rng(0)
    hits = {"t": 0, "bootstrap": 0}
    for a, b in rng.normal(size=(400, 2, 5)):
        for method in hits:
            interval = metrics.paired(a, b, method=method, draws=300)
            hits[method] += interval.low <= 0 <= interval.high
    assert 0.92 < hits["t"] / 400 < 0.98
    assert hits["bootstrap"] / 400 < 0.90


@pytest.mark.parametrize(
    ("a", "b", "options", "match"),
    [
        ([1, 2, 3], [1, 2], {}, "shapes"),
        ([1], [1], {}, "at least 2 pairs"),
        ([1, np.nan], [1, 2], {}, "finite"),
        ([1, 2, 3], [1, 2, 4], {"method": "bootstrap"}, "at least 5 pairs"),
        ([1, 2, 3], [1, 2, 4], {"method": "z"}, "'auto', 't' or 'bootstrap'"),
        ([1, 2, 3], [1, 2, 4], {"level": 95}, "level"),
    ],
)
def test_paired_refuses(a, b, options, match):
    with pytest.raises(ValueError, match=match):
        metrics.paired(a, b, **options)


# --- streamed binary metrics -----------------------------------------------------------------


def streamed(labels, scores, batch_size, weights=None, threshold=0.5):
    found = metrics.binary_metrics(threshold)
    for start in range(0, len(labels), batch_size):
        part = slice(start, start + batch_size)
        for metric in found:
            weight = None if weights is None else weights[part]
            metric.update_state(labels[part], scores[part], sample_weight=weight)
    return {metric.name: float(metric.result()) for metric in found}


def pooled(labels, scores, weights=None, threshold=0.5):
    called = scores.ravel() > threshold
    options = {"sample_weight": weights, "zero_division": 0}
    return {
        "accuracy": sk.accuracy_score(labels.ravel(), called, sample_weight=weights),
        "precision": sk.precision_score(labels.ravel(), called, **options),
        "recall": sk.recall_score(labels.ravel(), called, **options),
        "f1": sk.f1_score(labels.ravel(), called, **options),
    }


def example(prevalence, n=203, seed=0):
    rng = np.random.default_rng(seed)
    labels = (rng.random(n) < prevalence).astype("int64")
    scores = rng.beta(2 + 2 * labels, 3).astype("float32")
    return labels, scores[:, None], rng.random(n).astype("float32")


@pytest.mark.parametrize("batch_size", [7, 32, 50, 203])
@pytest.mark.parametrize("column", [False, True])
@pytest.mark.parametrize("prevalence", [0.0, 0.03, 0.5])
def test_streamed_equals_pooled(batch_size, column, prevalence):
    labels, scores, _ = example(prevalence)
    expected = pooled(labels, scores)
    labels = labels[:, None] if column else labels
    assert streamed(labels, scores, batch_size) == pytest.approx(expected, abs=1e-6)


def test_thresholds_have_ends():
    for threshold in (0, 1):
        assert {m.threshold for m in metrics.binary_metrics(threshold)[::3]} == {threshold}
    assert metrics.F1().threshold == metrics.binary_metrics()[0].threshold == 0.5
    for threshold in (-0.01, 1.01):
        with pytest.raises(ValueError, match="threshold must lie between 0 and 1"):
            metrics.binary_metrics(threshold)


def test_streamed_one_image_at_a_time():
    labels, scores, _ = example(0.5, n=20)
    assert streamed(labels, scores, 1) == pytest.approx(pooled(labels, scores), abs=1e-6)


def test_streamed_with_weights_and_threshold():
    labels, scores, weights = example(0.3)
    expected = pooled(labels, scores, weights, threshold=0.3)
    assert streamed(labels, scores, 32, weights, threshold=0.3) == pytest.approx(expected, abs=1e-5)


def test_the_mean_of_batch_f1_is_something_else():
    labels, scores, _ = example(0.05)
    parts = [pooled(labels[i : i + 32], scores[i : i + 32])["f1"] for i in range(0, 203, 32)]
    assert abs(np.mean(parts) - streamed(labels, scores, 32)["f1"]) > 0.01


def test_a_compiled_model_trains_saves_and_loads(tmp_path):
    import keras

    labels, scores, _ = example(0.3)
    network = [keras.Input((1,)), keras.layers.Dense(1, activation="sigmoid")]
    model = keras.Sequential(network)
    model.compile("sgd", "binary_crossentropy", metrics=metrics.binary_metrics(0.4))
    model.fit(scores, labels, epochs=1, verbose=0, batch_size=32, class_weight={0: 0.5, 1: 0.5})
    before = model.evaluate(scores, labels, verbose=0, return_dict=True, batch_size=50)
    found = pooled(labels, model.predict(scores, verbose=0), threshold=0.4)
    assert {name: before[name] for name in found} == pytest.approx(found, abs=1e-6)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    after = loaded.evaluate(scores, labels, verbose=0, return_dict=True, batch_size=50)
    assert after == pytest.approx(before)
    assert loaded.get_compile_config() == model.get_compile_config()


def test_a_callback_knows_that_more_f1_is_better():
    import keras

    labels, scores, _ = example(0.3)
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, activation="sigmoid")])
    model.compile("sgd", "binary_crossentropy", metrics=metrics.binary_metrics())
    stop = keras.callbacks.EarlyStopping(monitor="f1")
    model.fit(scores, labels, verbose=0, callbacks=[stop])
    assert stop.monitor_op is keras.ops.greater


def test_the_module_imports_no_keras():
    code = "import sys, course_utils.metrics; sys.exit('keras' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
    with pytest.raises(AttributeError, match="F2"):
        metrics.F2  # noqa: B018
    with pytest.raises(ValueError, match="threshold"):
        metrics.binary_metrics(50)


# --- tables ----------------------------------------------------------------------------------


def test_confusion_has_the_truth_in_rows():
    table = metrics.confusion([0, 0, 1, 2], [0, 2, 1, 1], ("a", "b", "c", "d"))
    assert table.tolist() == [[1, 0, 1, 0], [0, 1, 0, 0], [0, 1, 0, 0], [0, 0, 0, 0]]
    assert metrics.confusion(np.array([[0], [1]]), [1, 1], 2).tolist() == [[0, 1], [0, 1]]


@pytest.mark.parametrize(
    ("labels", "predicted", "match"),
    [
        ([0, 3], [0, 1], "labels must lie between 0 and 2 for 3 classes: got 3"),
        ([0, 1], [0, -1], "predicted must lie"),
        ([0, 1], [0.2, 0.8], "whole numbers"),
        ([0, 1], [[0.2, 0.8], [0.5, 0.5]], "argmax"),
        ([0, 1, 1], [0, 1], "labels and predicted must have the same length: got 3 and 2"),
        ([], [], "at least one image"),
    ],
)
def test_confusion_refuses(labels, predicted, match):
    with pytest.raises(ValueError, match=match):
        metrics.confusion(labels, predicted, 3)


def test_reliability_by_hand():
    probabilities = [[0.95, 0.05], [0.91, 0.09], [0.35, 0.65], [0.4, 0.6]]
    table = metrics.reliability(probabilities, [0, 1, 1, 1])
    assert table["n"].tolist() == [0, 0, 0, 0, 0, 1, 1, 0, 0, 2]
    last = table.iloc[9]
    assert last["confidence"] == pytest.approx(0.93)
    assert last["accuracy"] == 0.5
    assert last["gap"] == pytest.approx(-0.43)
    assert np.isnan(table["accuracy"][0])
    error = (2 * 0.43 + 0.35 + 0.4) / 4
    assert metrics.calibration_error(probabilities, [0, 1, 1, 1]) == pytest.approx(error)
    assert list(table) == ["low", "high", "n", "confidence", "accuracy", "gap"]
    assert (table["low"][9], table["high"][9]) == (0.9, 1.0)
    one = metrics.reliability(probabilities, [0, 1, 1, 1], bins=1)
    assert one[["low", "high", "n", "accuracy"]].values.tolist() == [[0, 1, 4, 0.75]]
    with pytest.raises(ValueError, match="bins must be at least 1: got 0"):
        metrics.reliability(probabilities, [0, 1, 1, 1], bins=0)
    single = np.array(probabilities)[:, 1]
    assert metrics.calibration_error(single, [0, 1, 1, 1]) == pytest.approx(error)


def test_there_are_ten_bins_unless_told_otherwise():
    labels, scores, _ = example(0.3)
    assert len(metrics.reliability(scores, labels)) == 10
    error = metrics.calibration_error(scores, labels)
    assert error == metrics.calibration_error(scores, labels, bins=10)
    assert error not in [metrics.calibration_error(scores, labels, bins=n) for n in (9, 11)]


def test_a_calibrated_classifier_has_a_small_error_and_a_sure_one_a_large_one():
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, size=(5000, 4))
    probabilities = metrics.softmax(logits)
    labels = (probabilities.cumsum(1) < rng.random((5000, 1))).sum(1)
    sure = metrics.temperature(logits, 0.3)
    assert metrics.calibration_error(probabilities, labels) < 0.03
    assert metrics.calibration_error(sure, labels) > 0.1
    assert (sure.argmax(1) == probabilities.argmax(1)).all()
    assert metrics.cross_entropy(sure, labels) > metrics.cross_entropy(probabilities, labels)


@pytest.mark.parametrize(
    ("probabilities", "labels", "match"),
    [
        ([[0.5, np.nan]], [0], "probabilities must be finite: 1 of 2"),
        ([[3.0, -2.0]], [0], "logits"),
        ([[0.5, 0.2]], [0], "sums to 0.7"),
        ([[0.5, 0.5]], [2], "labels must lie between 0 and 1"),
        ([[0.5, 0.5]], [0, 1], "probabilities and labels must have the same length: got 1 and 2"),
        (np.full((1, 2, 2), 0.5), [0], "shape"),
    ],
)
@pytest.mark.parametrize("function", [metrics.reliability, metrics.cross_entropy])
def test_probabilities_are_checked(function, probabilities, labels, match):
    with pytest.raises(ValueError, match=match):
        function(probabilities, labels)


def test_cross_entropy_is_keras_loss_without_the_penalty():
    import keras

    labels, scores, _ = example(0.3)
    expected = float(keras.losses.BinaryCrossentropy()(labels[:, None], scores))
    assert metrics.cross_entropy(scores, labels) == pytest.approx(expected, rel=1e-5)
    probabilities = metrics.softmax(np.random.default_rng(0).normal(size=(50, 3)))
    labels = np.arange(50) % 3
    expected = float(keras.losses.SparseCategoricalCrossentropy()(labels, probabilities))
    assert metrics.cross_entropy(probabilities, labels) == pytest.approx(expected, rel=1e-5)
    values = metrics.cross_entropy(probabilities, labels, per_image=True)
    assert values.shape == (50,)
    assert metrics.cross_entropy([[1.0, 0.0]], [1]) == pytest.approx(-np.log(1e-7))
    assert metrics.cross_entropy([[1.0, 0.0]], [0]) == pytest.approx(1e-7, rel=1e-6)


def test_softmax_and_temperature_by_hand():
    quarters = [[0.25, 0.75], [0.75, 0.25], [0.5, 0.5]]
    logits = np.log([[1, 3], [6, 2], [5, 5]])
    np.testing.assert_allclose(metrics.softmax(logits), quarters)
    np.testing.assert_allclose(metrics.temperature(2 * logits, 2), quarters)
    np.testing.assert_allclose(metrics.softmax(logits[0]), quarters[0])


def test_temperature_refuses():
    for t in (0, -1, np.inf, np.nan):
        with pytest.raises(ValueError, match="t must be a finite number above 0"):
            metrics.temperature([[1.0, 2.0]], t)
    for one in ([[1.0], [2.0]], 3.0):
        with pytest.raises(ValueError, match="sigmoid"):
            metrics.softmax(one)


def test_threshold_curve_agrees_with_counting():
    labels, scores, _ = example(0.3, n=80)
    table = metrics.threshold_curve(scores, labels)
    assert (np.diff(table["threshold"]) > 0).all()
    assert (np.diff(table["recall"]) <= 0).all()
    for row in table.iloc[::9].itertuples():
        called = scores.ravel() >= row.threshold
        assert row.positives == called.sum()
        assert row.precision == pytest.approx(sk.precision_score(labels, called))
        assert row.recall == pytest.approx(sk.recall_score(labels, called))
        assert row.f1 == pytest.approx(sk.f1_score(labels, called, zero_division=0))
    assert metrics.threshold_curve(scores.ravel(), labels).equals(table)
    for wrong, match in (
        (np.ones((2, 2)), r"one score an image, shape \(n,\): got \(2, 2\)"),
        (np.ones(3), "scores and labels must have the same length: got 3 and 2"),
    ):
        with pytest.raises(ValueError, match=match):
            metrics.threshold_curve(wrong, [0, 1])
    with pytest.raises(ValueError, match="both classes: all 3 are 0"):
        metrics.threshold_curve([0.1, 0.2, 0.3], [0, 0, 0])
