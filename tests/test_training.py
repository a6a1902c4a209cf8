"""Trainings in one graph against Keras' own, and the shapes of the rates."""

import keras
import numpy as np
import pytest

from course_utils import training

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 3)).astype("float32")
Y = X @ np.array([[1.0], [-2.0], [0.5]], "float32")


def line(optimizer="sgd"):
    """Return a linear unit, which fits the data."""
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile(optimizer, "mse")
    return model


def layered(optimizer):
    """Return a network with all that a training changes besides its weights."""
    model = keras.Sequential(
        [
            keras.Input((3,)),
            # No bias: in front of a normalization its gradient is nothing but rounding.
            keras.layers.Dense(6, use_bias=False, kernel_regularizer=keras.regularizers.L2(0.01)),
            keras.layers.BatchNormalization(),
            keras.layers.Dropout(0.5),
            keras.layers.Dense(1),
        ]
    )
    model.compile(optimizer, "mse")
    return model


def same(ours, theirs):
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("build", [line, layered])
def test_a_fit_in_one_graph_is_that_of_keras(build):
    ours, theirs = build("adam"), build("adam")
    for model in (ours, theirs):
        training.restart(model, 5)
    losses = training.fit(ours, X, Y, epochs=2, batch_size=16, seed=3)
    rng = np.random.default_rng(3)
    for loss in losses:
        order = rng.permutation(40)  # the last of its three batches is half a one
        log = theirs.fit(X[order], Y[order], 16, shuffle=False, verbose=0)
        assert loss == pytest.approx(log.history["loss"][0], rel=1e-4)
    same(ours.get_weights(), theirs.get_weights())


def test_another_compile_is_noticed():
    model = line()
    for optimizer, loss in ((keras.optimizers.SGD(0.0), "mse"), ("adam", "mae"), (None, "mse")):
        model.compile(optimizer or model.optimizer, loss)
        expected = model.evaluate(X, Y, verbose=0)
        (found,) = training.fit(model, X, Y, epochs=1, batch_size=40)
        assert found == pytest.approx(expected, 1e-5)


def test_a_restarted_model_is_one_that_is_built_anew():
    used = layered("nadam")  # some of whose state begins at 1
    training.fit(used, X, Y, epochs=1)
    assert training.restart(used, 7) is used
    keras.utils.set_random_seed(7)
    anew = layered("nadam")
    same(used.get_weights(), anew.get_weights())
    first = training.fit(used, X, Y, epochs=3, seed=1)
    np.testing.assert_allclose(training.fit(anew, X, Y, epochs=3, seed=1), first, rtol=1e-4)
    same(used.optimizer.variables, anew.optimizer.variables)
    training.restart(used, 8)
    assert np.abs(used.get_weights()[0] - anew.get_weights()[0]).max() > 0.01


def test_a_restarted_model_keeps_its_graph():
    model = line()
    for seed in range(3):
        training.fit(training.restart(model, seed), X, Y, epochs=2, batch_size=16)
    steps = training._steps(model, model.optimizer, repr(model.loss))
    assert steps.experimental_get_tracing_count() == 1


def test_one_cycle_is_two_half_cosines():
    rates = np.array(training.OneCycle(0.01, 1001)(np.arange(1006)))
    first, last = 0.01 / 25, 0.01 / 250_000
    middles = [first, (first + 0.01) / 2, 0.01, (0.01 + last) / 2]
    assert rates[[0, 150, 300, 650]] == pytest.approx(middles, rel=1e-4)
    assert rates[1000:] == pytest.approx([last] * 6, rel=1e-2)
    assert (np.diff(rates[:301]) > 0).all()
    assert (np.diff(rates[300:1001]) < 0).all()
    assert np.array(training.OneCycle(0.01, 2)([0, 1])) == pytest.approx([first, last], rel=1e-2)


def test_one_cycle_drives_an_optimizer_and_is_saved_with_it(tmp_path):
    model = line(keras.optimizers.SGD(training.OneCycle(0.5, 9)))
    training.fit(model, X, Y, epochs=2, batch_size=16)
    assert int(model.optimizer.iterations) == 6
    model.save(tmp_path / "model.keras")
    optimizer = keras.saving.load_model(tmp_path / "model.keras").optimizer.get_config()
    assert optimizer["learning_rate"]["config"] == {"peak": 0.5, "steps": 9}


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: training.fit(line(), X, Y[:9], epochs=1), "x and y as many rows: 40 and 9"),
        (lambda: training.fit(keras.Sequential(), X, Y, epochs=1), "compile the model"),
        (lambda: training.restart(keras.Sequential(name="new"), 1), "'new' must be compiled"),
        (lambda: training.fit(line(), X, Y, epochs=0), "epochs must be .* at least 1: got 0"),
        (lambda: training.OneCycle(0, 9), "peak must be above 0"),
        (lambda: training.OneCycle(1, 1), "steps must be a whole number, at least 2"),
    ],
)
def test_bad_arguments_get_one_sentence(call, sentence):
    with pytest.raises(ValueError, match=sentence) as error:
        call()
    assert "\n" not in str(error.value)
