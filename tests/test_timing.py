import math
import pickle
import re
import subprocess
import sys

import numpy as np
import pytest

from course_utils import timing


@pytest.fixture(autouse=True)
def _no_clock_left():
    timing._started.clear()
    yield
    timing._started.clear()


@pytest.fixture
def clock(monkeypatch):
    """Replace the clock by one that stands still until it is set."""
    now = [100.0]
    monkeypatch.setattr(timing, "perf_counter", lambda: now[0])
    return now


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.000035, "35 µs"),
        (0.0041, "4.1 ms"),
        (12.34, "12.3 s"),
        (99.96, "1 min 40 s"),
        (125, "2 min 05 s"),
        (3720, "1 h 02 min"),
    ],
)
def test_readable(seconds, text):
    assert timing.readable(seconds) == text


def test_tic_and_toc_nest(clock, capsys):
    timing.tic("outer")
    clock[0] += 2
    timing.tic()
    clock[0] += 12.3
    assert timing.toc() == pytest.approx(12.3)
    assert timing.toc() == pytest.approx(14.3)
    assert capsys.readouterr().out == "elapsed: 12.3 s\nouter: 14.3 s\n"


def test_toc_with_a_label_forgets_what_an_exception_left(clock, capsys):
    timing.tic("outer")
    clock[0] += 1
    timing.tic("inner")  # an exception keeps its toc() from running
    clock[0] += 1
    assert timing.toc("outer") == 2
    with pytest.raises(RuntimeError, match="tic"):
        timing.toc()


def test_toc_without_tic_is_one_sentence():
    with pytest.raises(RuntimeError, match=r"call tic\(\) first"):
        timing.toc()
    timing.tic("a")
    with pytest.raises(RuntimeError, match=r"no tic\('b'\)"):
        timing.toc("b")
    timing.toc("a")


def test_seconds_are_a_float_that_pickles(clock):
    timing.tic()
    clock[0] += 3
    seconds = timing.toc()
    assert isinstance(seconds, float)
    assert f"{seconds:.2f} {seconds}" == "3.00 3.0"
    assert pickle.loads(pickle.dumps(seconds)) == 3.0


def test_a_cell_shows_the_seconds_once():
    from IPython.core.interactiveshell import InteractiveShell
    from IPython.utils.capture import capture_output

    shell = InteractiveShell.instance()
    try:
        shell.run_cell("from course_utils import timing")
        outputs = []
        for cell in (
            "timing.tic(); timing.toc()",
            "timing.tic(); seconds = timing.toc()",
            "seconds",
        ):
            with capture_output() as captured:
                shell.run_cell(cell, store_history=True)
            outputs.append(captured.stdout)
    finally:
        InteractiveShell.clear_instance()
    number = re.compile(r"\d (µs|ms)")
    assert len(number.findall(outputs[0])) == 1
    assert "e-" not in outputs[0]
    assert outputs[1].startswith("elapsed: ")
    assert len(number.findall(outputs[2])) == 1


def test_timer_prints_also_when_the_block_raises(clock, capsys):
    timer = timing.Timer("work")
    assert timer.seconds == 0

    def work():
        with timer:
            clock[0] += 5
            assert timer.seconds == 5
            raise KeyError

    with pytest.raises(KeyError):
        work()
    clock[0] += 5
    assert timer.seconds == 5
    assert capsys.readouterr().out == "work: 5.0 s (ended by KeyError)\n"
    with timing.Timer():
        clock[0] += 1
    assert capsys.readouterr().out == "elapsed: 1.0 s\n"


def test_the_module_imports_no_keras():
    code = "import sys, course_utils.timing; sys.exit('keras' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
    with pytest.raises(AttributeError, match="Epochtimer"):
        timing.Epochtimer  # noqa: B018


@pytest.fixture(scope="module")
def model():
    import keras

    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1, activation="sigmoid")])
    model.compile("sgd", "binary_crossentropy", metrics=["accuracy"])
    return model


IMAGES = np.random.default_rng(0).normal(size=(70, 4)).astype("float32")
LABELS = (IMAGES[:, 0] > 0).astype("int64")


def test_epoch_timer_prints_one_line_an_epoch(model, capsys):
    import keras

    timer = timing.EpochTimer()
    assert isinstance(timer, keras.callbacks.Callback)
    data = (IMAGES[:20], LABELS[:20])
    model.fit(IMAGES, LABELS, epochs=3, verbose=0, callbacks=[timer], validation_data=data)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert re.fullmatch(
        r"epoch 2/3 · [\d.]+ [mµ]?s · [\d,]+ images/s · [\d.]+ [mµ]?s left"
        r" · loss [\d.]+ · val_accuracy [\d.]+",
        lines[1],
    )
    assert "left" not in lines[2]
    assert len(timer.seconds) == 3
    # The ragged last batch counts with what it has, and the validation images do not count.
    assert timer._images == [70, 70, 70]
    assert timer.images_per_second == pytest.approx(140 / sum(timer._training[1:]))
    assert all(t < s for t, s in zip(timer._training, timer.seconds, strict=True))


def test_epoch_timer_with_a_generator_and_an_early_stop(model, capsys):
    import keras

    def batches():
        while True:
            yield IMAGES[:8], LABELS[:8]

    class StopAtSecond(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.stop_training = epoch == 1

    timer = timing.EpochTimer(show=("accuracy",))
    callbacks = [StopAtSecond(), timer]
    model.fit(batches(), steps_per_epoch=5, epochs=9, verbose=0, callbacks=callbacks)
    assert timer._images == [40, 40]
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1].startswith("stopped after epoch 2 of 9")
    assert lines[0].split(" · ")[-1].startswith("accuracy")


def test_epoch_timer_of_unknown_length(model, capsys):
    import tensorflow as tf

    data = tf.data.Dataset.from_generator(
        lambda: zip(IMAGES, LABELS, strict=True),
        output_signature=(tf.TensorSpec((4,)), tf.TensorSpec((), tf.int64)),
    ).batch(32)
    timer = timing.EpochTimer()
    timer.interval = 0
    model.fit(data, epochs=2, verbose=0, callbacks=[timer])
    assert timer._images == [70, 70]


def test_epoch_timer_survives_an_exception_in_the_middle_of_an_epoch(model, capsys):
    import keras

    class Fails(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if self.model.optimizer.iterations % 3 == 2:
                raise KeyboardInterrupt

    timer = timing.EpochTimer()
    with pytest.raises(KeyboardInterrupt):
        model.fit(IMAGES, LABELS, epochs=3, verbose=0, callbacks=[timer, Fails()])
    assert len(timer.seconds) <= 1
    model.fit(IMAGES, LABELS, epochs=2, verbose=0, callbacks=[timer])
    assert len(timer.seconds) == 2


def test_epoch_timer_updates_one_line_in_a_notebook(model, monkeypatch):
    shown = []

    class Line:
        live = True
        show = staticmethod(shown.append)

    monkeypatch.setattr(timing, "Line", Line)
    timer = timing.EpochTimer()
    timer.interval = 0
    model.fit(IMAGES, LABELS, batch_size=10, epochs=2, verbose=0, callbacks=[timer])
    assert shown[0].startswith("epoch 1/2 · batch 1/7")
    assert shown[-1].startswith("epoch 2/2 · ")
    assert "in all" in shown[-1]
    assert not any("nan" in line for line in shown)


def test_without_a_loss_the_speed_is_unknown():
    timer = timing.EpochTimer()
    assert math.isnan(timer.images_per_second)
