import re

import keras
import numpy as np
import pytest

from course_utils.metrics import Interval
from course_utils.views import early_stopping as views

SLIDES = [0.0599, 0.0449, 0.0379, 0.0374, 0.0346, 0.0333, 0.0318, 0.0308, 0.0321, 0.0318]
CURVES = {"val_loss": SLIDES, "val_accuracy": [0.9, 0.8, 0.95, 0.94, 0.93], "run": [0.5, 0.4, 0.6]}


def drawn(curve="val_loss", typed="", patience=1, min_delta=0, epoch=1):
    return views.draw_player(CURVES, curve, typed, patience, min_delta, epoch)


def strip(figure):
    return [text.get_text() for text in figure.axes[1].texts]


@pytest.mark.parametrize(
    ("how", "cells", "said"),
    [
        ({"epoch": 8}, ["★"] * 8, "Epoch 8: a new best, train on"),
        ({"epoch": 9}, [*["★"] * 8, "×"], "Epoch 9: stop, and back to epoch 8"),
        ({"epoch": 10}, [*["★"] * 8, "×"], "Epoch 9: stop, and back to epoch 8"),
        ({"epoch": 9, "patience": 2}, [*["★"] * 8, "1"], "no improvement, wait is 1, train on"),
        ({"epoch": 10, "patience": 3}, [*["★"] * 8, "1", "2"], "wait is 2; the curve ends first"),
        ({"epoch": 4, "min_delta": 0.001}, [*["★"] * 3, "×"], "Epoch 4: stop, and back to epoch 3"),
        ({"curve": "val_accuracy", "epoch": 4, "patience": 2}, ["★", "1", "★", "1"], "wait is 1"),
        ({"curve": "typed", "typed": "3, 2; 4", "epoch": 3}, ["★", "★", "×"], "back to epoch 2"),
    ],
)
def test_the_player_says_what_the_callback_does(how, cells, said):
    figure, alt = drawn(**how)
    assert strip(figure) == cells
    assert said in alt
    assert said in figure.get_suptitle()


def test_the_stop_drawn_is_that_of_keras():
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    stop = keras.callbacks.EarlyStopping(patience=2)
    stop.set_model(model)
    stop.on_train_begin()
    for epoch, value in enumerate(SLIDES):
        stop.on_epoch_end(epoch, {"val_loss": value})
    _, alt = drawn(epoch=10, patience=2)
    assert f"Epoch {stop.stopped_epoch + 1}: stop, and back to epoch {stop.best_epoch + 1}" in alt


def test_a_typed_curve_that_is_none_is_said_in_the_pictures_place():
    view = views.player(CURVES)
    view.controls["curve"].value = "typed"
    for typed, said in [("0.5 O.4", "got &#x27;O.4&#x27; at epoch 2"), ("", "it is empty"),
                        ("0.5 nan", "got &#x27;nan&#x27; at epoch 2")]:  # fmt: skip
        view.controls["typed"].value = typed
        assert re.search(rf"Not possible:</b> your curve must hold .*{said}", view.picture.value)
    view.controls["typed"].value = "0.5 0.4"
    assert "typed over 2 epochs" in view.picture.value


def test_a_run_that_diverged_is_drawn():
    _, alt = views.draw_player({"run": [np.nan, 0.5, np.nan]}, "run", "", 5, 0, 3)
    assert "Best so far: nan, epoch 1" in alt  # after a first NaN nothing is better, says Keras


def test_gains_stand_at_their_epochs_and_the_alt_text_names_them():
    gain = Interval(0.05, 0.02, 0.08, 0.95, 20), Interval(-0.4, -0.7, -0.1, 0.95, 20)
    figure, alt = views.cost({"clean": {"10": (23.1, *gain)}}, ("patience 1", {"clean": 7.0}))
    for axis, interval in zip(figure.axes, gain, strict=True):
        points = [line.get_xydata().tolist() for line in axis.lines]
        assert [[7, 0]] in points
        assert [[23.1, interval.estimate]] in points
        assert [[23.1, interval.low], [23.1, interval.high]] in points
        assert [text.get_text() for text in axis.texts] == ["10"]
    assert "clean, 10: 23.1 epochs, loss lower by 0.050" in alt
    assert "accuracy -0.40 [-0.70, -0.10]" in alt
