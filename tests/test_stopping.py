import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from course_utils import stopping
from course_utils.stopping import early_stopping

# Validation losses in the slides' log are read from the sources elsewhere; this one has its shape.
CURVE = [0.9, 0.5, 0.4, 0.45, 0.35, 0.36, 0.36, 0.3, 0.4, 0.5]


class FakeModel:
    """What the callback needs of a model; its weights are the epoch that made them, from 1."""

    metrics = ()
    stop_training = False
    weights = 0

    def get_weights(self):
        return self.weights

    def set_weights(self, weights):
        self.weights = weights


def keras_says(curve, **settings):
    """Drive the installed callback over a curve: (epochs, stopped, best, weights, wait, value)."""
    import keras

    model = FakeModel()
    callback = keras.callbacks.EarlyStopping(**settings)
    callback.set_model(model)
    callback.on_train_begin()
    for epoch, value in enumerate(curve):
        model.weights = epoch + 1
        callback.on_epoch_end(epoch, {} if value is None else {"val_loss": value})
        if model.stop_training:
            break
    callback.on_train_end()
    stopped = callback.stopped_epoch + 1 if model.stop_training else None
    best_epoch = None if callback.best is None else callback.best_epoch + 1
    return epoch + 1, stopped, best_epoch, model.weights, callback.wait, callback.best


def random_case(rng):
    length = int(rng.integers(1, 25))
    kind = rng.integers(4)
    if kind == 0:
        curve = rng.normal(size=length)
    elif kind == 1:  # many ties
        curve = rng.integers(0, 4, length) / 10
    elif kind == 2:  # differences near the resolution of 32 bits
        curve = 0.2 + rng.integers(-4, 5, length) * 1e-8
    else:  # an overfitting curve
        epochs = np.arange(length)
        curve = np.exp(-epochs / 4) + 0.02 * epochs + rng.normal(0, 0.02, length)
    curve = [float(value) for value in curve]
    for special in (float("nan"), float("inf"), float("-inf"), None):
        if rng.random() < 0.15:
            curve[rng.integers(length)] = special
    settings = {
        "mode": str(rng.choice(["min", "max", "auto"])),
        "min_delta": float(rng.choice([0, 1e-8, 0.05, 0.1, 0.5])),
        "patience": int(rng.integers(0, 6)),
        "start_from_epoch": int(rng.choice([0, 0, 1, 3, 30])),
        "baseline": None if rng.random() < 0.6 else float(rng.choice([0.1, 0.2, 0.3, 1.0])),
        "restore_best_weights": bool(rng.integers(2)),
    }
    return curve, settings


@pytest.mark.filterwarnings("ignore:Early stopping conditioned")
def test_equal_to_keras_on_random_curves_and_settings():
    rng = np.random.default_rng(2024)
    stopped = restored = 0
    for _ in range(600):
        curve, settings = random_case(rng)
        ours = early_stopping(curve, **settings)
        wait, best = ours.states[-1].wait, ours.best
        found = (ours.epochs, ours.stopped_epoch, ours.best_epoch, ours.weights_epoch, wait, best)
        np.testing.assert_equal(found, keras_says(curve, **settings), err_msg=f"{curve} {settings}")
        stopped += ours.stopped
        restored += ours.weights_epoch != ours.epochs
    # The cases are worth something only if many of them stop, and many do not.
    assert 150 < stopped < 550
    assert restored > 100


def test_a_curve_by_hand():
    result = early_stopping(CURVE, patience=2)
    assert (result.stopped_epoch, result.best_epoch, result.weights_epoch) == (7, 5, 7)
    assert result.stopped
    assert [state.wait for state in result.states] == [0, 0, 0, 1, 0, 1, 2]
    assert [state.improved for state in result.states] == [
        True,
        True,
        True,
        False,
        True,
        False,
        False,
    ]
    assert [state.stopped for state in result.states] == [False] * 6 + [True]
    assert early_stopping(CURVE, patience=2, restore_best_weights=True).weights_epoch == 5
    patient = early_stopping(CURVE, patience=5)
    assert (patient.stopped_epoch, patient.epochs, patient.best_epoch) == (None, 10, 8)
    assert not patient.stopped
    assert early_stopping(CURVE, patience=0) == early_stopping(CURVE, patience=1)
    assert early_stopping(CURVE, patience=0).stopped_epoch == 4
    assert early_stopping(CURVE, patience=1, mode="max").stopped_epoch == 2
    assert early_stopping(CURVE, patience=1, monitor="val_accuracy").stopped_epoch == 2
    late = early_stopping(CURVE, patience=1, start_from_epoch=4)
    assert (late.stopped_epoch, late.states[3].watched, late.states[4].watched) == (6, False, True)


def test_the_states_make_a_table():
    table = pd.DataFrame(early_stopping(CURVE, patience=2).states)
    assert list(table["epoch"]) == [1, 2, 3, 4, 5, 6, 7]
    assert list(table["best_epoch"]) == [1, 2, 3, 3, 5, 5, 5]


def test_a_first_nan_is_never_beaten():
    result = early_stopping([float("nan"), 0.5, 0.4, 0.3], patience=2)
    assert (result.stopped_epoch, result.best_epoch) == (3, 1)


def test_a_tiny_min_delta_does_nothing():
    assert early_stopping(CURVE, min_delta=1e-8) == early_stopping(CURVE)


@pytest.mark.parametrize(
    ("curve", "settings", "match"),
    [
        ([], {}, "at least one epoch: got an empty curve"),
        ([0.1, "a"], {}, "'a' at epoch 2"),
        (CURVE, {"patience": -1}, "patience must be a whole number, at least 0: got -1"),
        (CURVE, {"patience": 1.5}, "patience"),
        (CURVE, {"start_from_epoch": -1}, "start_from_epoch"),
        (CURVE, {"min_delta": -0.1}, "min_delta must be at least 0"),
        (CURVE, {"mode": "maximum"}, "did you mean 'max'"),
        (CURVE, {"mode": "up"}, "one of auto, min, max: got 'up'"),
        (CURVE, {"monitor": "val_acuracy"}, "cannot tell whether more 'val_acuracy' is better"),
    ],
)
def test_bad_settings_get_one_sentence(curve, settings, match):
    with pytest.raises(ValueError, match=match) as error:
        early_stopping(curve, **settings)
    assert "\n" not in str(error.value)


def test_auto_mode_agrees_with_keras():
    import keras

    labels = np.array([0, 1])
    data = np.zeros((2, 1), "float32")
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, activation="sigmoid")])
    names = ["accuracy", "precision", "recall", "auc"]
    found = [keras.metrics.Precision(), keras.metrics.Recall(), keras.metrics.AUC()]
    for metric, name in zip(found, names[1:], strict=True):
        metric.name = name
    model.compile("sgd", "binary_crossentropy", metrics=["accuracy", *found])
    for name in ["loss", *names]:
        callback = keras.callbacks.EarlyStopping(monitor=name)
        model.fit(data, labels, verbose=0, callbacks=[callback])
        higher = callback.monitor_op is keras.ops.greater
        assert stopping.direction(name) == ("max" if higher else "min")


def test_the_module_imports_no_keras():
    code = "import sys, course_utils.stopping; sys.exit('keras' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
    with pytest.raises(AttributeError, match="Stoping"):
        stopping.Stoping  # noqa: B018


# --- Prechelt --------------------------------------------------------------------------------


def test_generalization_loss_by_hand():
    loss = stopping.generalization_loss([2.0, 1.0, 1.1, 0.8, 1.0])
    assert loss == pytest.approx([0, 0, 10, 0, 25])
    assert stopping.generalization_loss([0.0, 0.0, 0.1]).tolist() == [0, 0, np.inf]


def test_what_stays_at_the_lowest_has_lost_nothing():
    """Also at 0 and at infinity, where the ratio is none."""
    np.testing.assert_array_equal(stopping.generalization_loss([0, 0]), [0, 0])
    np.testing.assert_array_equal(stopping.generalization_loss([np.nan, 2, 2]), [0, 0, 0])
    np.testing.assert_array_equal(stopping.training_progress([0, 0, 0], 2), [np.nan, 0, 0])


def test_training_progress_by_hand():
    progress = stopping.training_progress([3.0, 2.0, 1.0, 1.0], strip=2)
    assert np.isnan(progress[0])
    assert progress[1:] == pytest.approx([250, 500, 0])
    assert np.isnan(stopping.training_progress([1.0, 1.0], strip=5)).all()


def test_gl():
    result = stopping.gl([1.0, 0.5, 0.52, 0.53, 0.4, 0.6], alpha=5)
    assert (result.stopped_epoch, result.best_epoch) == (4, 2)
    assert result.values == pytest.approx([0, 0, 4, 6])
    # Strictly more than alpha, and the first of equal minima.
    assert stopping.gl([1.0, 1.0, 1.5], alpha=50).stopped_epoch is None
    assert stopping.gl([1.0, 1.0, 1.5], alpha=50).best_epoch == 1
    assert stopping.gl([1.0, float("nan")], alpha=50).stopped_epoch == 2


def test_pq_waits_while_training_progresses():
    validation = [1.0, 0.5, 0.55, 0.6, 0.6, 0.6]
    fast = [6.0, 5.0, 4.0, 3.0, 2.0, 1.0]
    slow = [6.0, 5.9, 5.8, 5.79, 5.78, 5.78]
    assert stopping.pq(validation, fast, 0.5, strip=2).stopped_epoch is None
    result = stopping.pq(validation, slow, 0.5, strip=2)
    # At epoch 4: GL = 20, P = 1000 · (5.795 / 5.79 − 1).
    assert result.stopped_epoch == 4
    assert result.values[3] == pytest.approx(20 / (1000 * (5.795 / 5.79 - 1)))
    assert np.isnan(result.values[[0, 2]]).all()
    still = stopping.pq(validation, [1.0] * 6, 100, strip=3)
    assert still.stopped_epoch == 3
    diverged = stopping.pq([1.0, float("nan")], [1.0, float("nan")], 1, strip=1)
    assert diverged.stopped_epoch == 2


def test_up_counts_ends_of_strips():
    rises = [1.0, 0.5, 0.6, 0.7, 0.4, 0.5, 0.6, 0.7]
    assert stopping.up(rises, 3, strip=1).stopped_epoch == 8
    assert stopping.up(rises, 2, strip=1).stopped_epoch == 4
    assert stopping.up(rises, 1, strip=1).stopped_epoch == 3
    # Ends of strips of two: 0.5, 0.7, 0.5, 0.7.
    result = stopping.up(rises, 1, strip=2)
    assert (result.stopped_epoch, result.best_epoch) == (4, 2)
    assert stopping.up(rises, 2, strip=2).stopped_epoch is None
    assert stopping.up([1.0, 1.0, 1.0], 1, strip=1).stopped_epoch is None


def test_a_threshold_must_be_passed_and_not_only_reached():
    rises = [1.0, 1.5]  # GL is 50 %, P is 1000
    assert stopping.gl(rises, 50).stopped_epoch is None
    assert stopping.gl(rises, 49.9).stopped_epoch == 2
    assert stopping.gl(rises, 0).stopped_epoch == 2
    assert stopping.pq(rises, [3.0, 1.0], 0.05, strip=2).stopped_epoch is None
    assert stopping.pq(rises, [3.0, 1.0], 0.049, strip=2).stopped_epoch == 2


def test_strips_have_five_epochs_unless_told_otherwise():
    rng = np.random.default_rng(4)
    validation, training = rng.uniform(1, 2, (2, 31))
    for one, other in (
        (stopping.training_progress(training), stopping.training_progress(training, 5)),
        (
            stopping.pq(validation, training, 9).values,
            stopping.pq(validation, training, 9, 5).values,
        ),
        (stopping.up(validation, 9).values, stopping.up(validation, 9, 5).values),
    ):
        np.testing.assert_array_equal(one, other)
        assert np.flatnonzero(np.isfinite(one))[0] in (4, 9)
    np.testing.assert_array_equal(stopping.training_progress(training, 1), 0)


def test_the_callback_of_prechelts_own_settings():
    callback = stopping.PrecheltStopping()
    found = (callback.criterion, callback.threshold, callback.strip, callback.verbose)
    assert found == ("GL", 5, 5, 0)
    assert (callback.monitor, callback.training_monitor) == ("val_loss", "loss")
    assert callback.restore_best_weights
    assert stopping.PrecheltStopping("UP", 1, strip=1).threshold == 1


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: stopping.gl([], 5), "empty curve"),
        (lambda: stopping.PrecheltStopping("UP", 0), "strips in a row"),
        (lambda: stopping.PrecheltStopping("UP", 1.5), "strips in a row"),
        (lambda: stopping.PrecheltStopping("PQ", -0.1), "threshold must be at least 0"),
        (lambda: stopping.PrecheltStopping(strip=0), "strip must be a whole number, at least 1"),
        (lambda: stopping.training_progress([1.0], 0), "strip must be a whole number, at least 1"),
        (lambda: stopping.gl([1.0], -1), "alpha must be at least 0"),
        (lambda: stopping.gl([-1.0], 5), "ratios"),
        (lambda: stopping.pq([1.0, 2.0], [1.0], 5), "same length"),
        (lambda: stopping.up([1.0], 0), "successive must be a whole number, at least 1"),
        (lambda: stopping.up([1.0], 1, strip=0), "strip"),
        (lambda: stopping.PrecheltStopping("GQ"), "'GL', 'PQ' or 'UP': got 'GQ'"),
    ],
)
def test_prechelt_refuses(call, match):
    with pytest.raises(ValueError, match=match):
        call()


@pytest.mark.parametrize("restore", [True, False])
@pytest.mark.parametrize(
    ("criterion", "threshold", "function"),
    [
        ("GL", 3, lambda v, t: stopping.gl(v, 3)),
        ("PQ", 0.5, lambda v, t: stopping.pq(v, t, 0.5, 2)),
        ("UP", 2, lambda v, t: stopping.up(v, 2, 2)),
    ],
)
def test_the_callback_does_what_the_function_says(criterion, threshold, function, restore):
    import keras

    rng = np.random.default_rng(3)
    for _ in range(20):
        validation = np.exp(-np.arange(20) / 3) + 0.05 * np.arange(20) + rng.normal(0, 0.03, 20) + 1
        training = np.exp(-np.arange(20) / 5) + 1
        model = FakeModel()
        callback = stopping.PrecheltStopping(
            criterion, threshold, strip=2, restore_best_weights=restore
        )
        assert isinstance(callback, keras.callbacks.Callback)
        callback.set_model(model)
        callback.on_train_begin()
        for epoch in range(20):
            model.weights = epoch + 1
            callback.on_epoch_end(
                epoch, {"loss": float(training[epoch]), "val_loss": float(validation[epoch])}
            )
            if model.stop_training:
                break
        callback.on_train_end()
        expected = function(validation, training)
        assert callback.result.stopped_epoch == expected.stopped_epoch
        assert model.stop_training == (expected.stopped_epoch is not None)
        assert model.weights == (expected.best_epoch if restore else epoch + 1)


def test_the_callback_stops_a_fit_and_needs_its_monitor(capsys):
    import keras

    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(10.0), "mse")
    data = np.ones((4, 1), "float32")
    callback = stopping.PrecheltStopping("GL", 5, verbose=1)
    history = model.fit(
        data, data, epochs=9, verbose=0, validation_data=(data, data), callbacks=[callback]
    )
    assert len(history.epoch) == callback.result.stopped_epoch < 9
    assert "GL: stopped after epoch" in capsys.readouterr().out
    lowest = min(history.history["val_loss"])
    assert model.evaluate(data, data, verbose=0) == pytest.approx(lowest, rel=1e-5)
    with pytest.raises(ValueError, match="needs 'val_loss' after every epoch: got loss"):
        model.fit(data, data, verbose=0, callbacks=[stopping.PrecheltStopping()])
