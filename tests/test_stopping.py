"""Early stopping against Keras' callback, and the curves that somebody types."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from course_utils import stopping
from course_utils.stopping import early_stopping

KEPT = json.loads((Path(__file__).parent / "kept_values.json").read_text(encoding="utf-8"))
CURVES = KEPT["curves"]


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
    """Drive the installed callback over a curve."""
    import keras

    model, callback = FakeModel(), keras.callbacks.EarlyStopping(**settings)
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
    epochs = np.arange(length)
    curve = [
        rng.normal(size=length),
        rng.integers(0, 4, length) / 10,  # many ties
        0.2 + rng.integers(-4, 5, length) * 1e-8,  # near the resolution of 32 bits
        np.exp(-epochs / 4) + 0.02 * epochs + rng.normal(0, 0.02, length),  # overfitting
    ][rng.integers(4)].tolist()
    for special in (math.nan, math.inf, -math.inf, None):
        if rng.random() < 0.15:
            curve[rng.integers(length)] = special
    return curve, {
        "mode": str(rng.choice(["min", "max", "auto"])),
        "min_delta": float(rng.choice([0, 1e-8, 0.05, -0.1, 0.5])),
        "patience": int(rng.integers(0, 6)),
        "start_from_epoch": int(rng.choice([0, 0, 1, 3, 30])),
        "baseline": None if rng.random() < 0.6 else float(rng.choice([0.1, 0.2, 0.3, 1.0])),
        "restore_best_weights": bool(rng.integers(2)),
    }


@pytest.mark.filterwarnings("ignore:Early stopping conditioned")
def test_equal_to_keras_on_hundreds_of_random_curves_and_settings():
    rng = np.random.default_rng(2024)
    stopped = restored = 0
    for _ in range(400):
        curve, settings = random_case(rng)
        ours = early_stopping(curve, **settings)
        end = len(ours.states), ours.stopped_epoch, ours.best_epoch, ours.weights_epoch
        found = (*end, ours.states[-1].wait, ours.best)
        np.testing.assert_equal(found, keras_says(curve, **settings), err_msg=f"{curve} {settings}")
        stopped += ours.stopped_epoch is not None
        restored += ours.weights_epoch != len(ours.states)
    # The cases are worth something only if many of them stop, and many do not.
    assert 100 < stopped < 370
    assert restored > 70


def test_auto_mode_is_keras():
    import keras

    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, activation="sigmoid")])
    m = keras.metrics
    kinds = {"precision": m.Precision, "recall": m.Recall, "auc": m.AUC, "f1_score": m.F1Score}
    metrics = [kind(name=name) for name, kind in kinds.items()]
    model.compile("sgd", "binary_crossentropy", metrics=["accuracy", *metrics])
    names = ["loss", "accuracy", *kinds]
    callbacks = [keras.callbacks.EarlyStopping(name, patience=9) for name in names]
    model.fit(np.zeros((2, 1)), np.array([[0.0], [1.0]]), verbose=0, callbacks=callbacks)
    for name, callback in zip(names, callbacks, strict=True):
        higher = callback.monitor_op is keras.ops.greater
        assert stopping.direction(f"val_{name}") == ("max" if higher else "min"), name


def test_early_stopping_keeps_the_values_of_the_first_edition():
    for case in KEPT["early_stopping"]:
        found = early_stopping(CURVES[case["curve"]], **case["how"])
        assert found[:4] == (case["stopped"], case["best_epoch"], case["best"], case["weights"])
        assert [state.wait for state in found.states] == case["waits"]


def test_prechelts_criteria_keep_the_values_of_the_first_edition():
    validation, training = CURVES["typed"], CURVES["typed_training"]
    for case in KEPT["prechelt"]:
        given = [validation, training] if case["criterion"] == "pq" else [validation]
        strip = {} if case["criterion"] == "gl" else {"strip": case["strip"]}
        found = getattr(stopping, case["criterion"])(*given, case["threshold"], **strip)
        assert found[:2] == (case["stopped"], case["best_epoch"])
        expected = [math.nan if value is None else value for value in case["values"]]
        np.testing.assert_allclose(found.values, expected, atol=1e-6)


def test_a_threshold_must_be_passed_and_not_only_reached():
    stops = {  # GL is 50 %, P is 1000
        None: [stopping.gl([1.0, 1.5], 50), stopping.pq([1.0, 1.5], [3.0, 1.0], 0.05, strip=2)],
        2: [stopping.gl([1.0, 1.5], 49.9), stopping.pq([1.0, 1.5], [3.0, 1.0], 0.049, strip=2)],
    }
    assert all(found.stopped_epoch == epoch for epoch in stops for found in stops[epoch])
    assert stopping.up([1.0, 1.0, 1.0], 1, strip=1).stopped_epoch is None  # nothing rose


def test_what_has_diverged_or_stands_still_is_no_accident():
    nan = math.nan
    np.testing.assert_array_equal(stopping.gl([nan, 2, 2, nan], 5).values, [0, 0, 0, np.inf])
    np.testing.assert_array_equal(stopping.gl([0, 0, 0.1], 5).values, [0, 0, np.inf])
    assert np.isnan(stopping.pq([1.0, 2.0], [1.0, 1.0], 5).values).all()
    assert stopping.pq([1.0, nan], [1.0, nan], 1, strip=1).stopped_epoch == 2
    assert stopping.pq([1.0, 0.5, 0.6], [1.0] * 3, 100, strip=3).stopped_epoch == 3  # no progress


def test_a_typed_curve_is_read():
    assert stopping.read_curve(" 0.9, .5;0.4 3e-1\n") == [0.9, 0.5, 0.4, 0.3]
    assert early_stopping("0.5 0.4 0.6").stopped_epoch == 3


CURVE = [0.9, 0.5, 0.6]


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: early_stopping([]), "at least one epoch, such as 0.9 0.5 0.6: it is empty"),
        (lambda: early_stopping("0.1 O.2"), "curve must hold numbers: got 'O.2' at epoch 2"),
        (lambda: early_stopping("0.1 nan"), "got 'nan' at epoch 2"),
        (lambda: early_stopping(CURVE, patience=-1), "patience must be .* at least 0: got -1"),
        (lambda: early_stopping(CURVE, mode="maxi"), "did you mean 'max'"),
        (lambda: early_stopping(CURVE, monitor="val_acuracy"), "for 'val_acuracy', whose name"),
        (lambda: stopping.gl([-1.0], 5), "validation must be at least 0, since ratios"),
        (lambda: stopping.gl([1.0], -1), "alpha must be at least 0: got -1"),
        (lambda: stopping.pq([1.0, 2.0], [1.0], 5), "of one length: got 2 and 1"),
        (lambda: stopping.pq([1.0], ["x"], 5), "training must hold numbers: got 'x' at epoch 1"),
        (lambda: stopping.up([1.0], 0), "successive must be a whole number, at least 1"),
    ],
)
def test_bad_curves_and_settings_get_one_sentence(call, sentence):
    with pytest.raises(ValueError, match=sentence) as error:
        call()
    assert "\n" not in str(error.value)
