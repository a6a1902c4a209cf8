import keras
import numpy as np
import pytest
import tensorflow as tf

from course_utils import schedules


def test_one_cycle_has_the_records_shape():
    rates = schedules.one_cycle(1_001, 0.01)
    assert rates.shape == (1_001,)
    assert rates[0] == pytest.approx(0.01 / 25)
    assert rates[300] == rates.max() == pytest.approx(0.01)
    assert rates[150] == pytest.approx((0.01 + 0.01 / 25) / 2)
    assert rates[-1] == pytest.approx(0.01 / 250_000)
    assert (np.diff(rates[:301]) > 0).all()
    assert (np.diff(rates[300:]) < 0).all()


def test_one_cycle_is_made_of_cosines():
    rates = schedules.one_cycle(101, 2.0, rise=0.4, start=0.5, end=0.0)
    assert rates[20] == pytest.approx(1.5)
    assert rates[10] == pytest.approx(1 + (1 - np.cos(np.pi / 4)) / 2)
    assert rates[70] == pytest.approx(1.0)


@pytest.mark.parametrize("steps", [2, 3, 7, 10, 333])
def test_one_cycle_stays_between_its_ends_and_its_peak(steps):
    rates = schedules.one_cycle(steps, 0.3, rise=0.5)
    assert rates.max() <= 0.3 * (1 + 1e-12)
    assert rates.min() >= 0.3 / 250_000 * (1 - 1e-12)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"steps": 1, "peak": 1.0}, "at least 2"),
        ({"steps": 10, "peak": 0}, "peak must be above 0"),
        ({"steps": 10, "peak": 1.0, "rise": 0.0}, "between 0 and 1"),
        ({"steps": 10, "peak": 1.0, "rise": 1.0}, "between 0 and 1"),
    ],
)
def test_one_cycle_says_what_it_cannot(options, words):
    with pytest.raises(ValueError, match=words):
        schedules.one_cycle(**options)


@pytest.fixture(scope="module")
def line():
    """A linear unit on data that it can fit, with plain SGD."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.5), "mse")
    inputs = np.random.default_rng(0).normal(size=(64, 3)).astype("float32")
    return model, inputs, inputs @ np.array([[1.0], [-2.0], [0.5]], "float32")


def test_a_training_in_one_graph_is_that_of_fit(line):
    model, inputs, targets = line
    start, rates = model.get_weights(), [0.1, 0.05, 0.2, 0.01]
    losses = schedules.train(model, inputs, targets, rates, 16)
    found = model.get_weights()
    model.set_weights(start)
    for k, rate in enumerate(rates):
        model.optimizer.learning_rate = rate
        rows = slice(16 * k, 16 * (k + 1))
        log = model.fit(inputs[rows], targets[rows], 16, shuffle=False, verbose=0)
        assert losses[k] == pytest.approx(log.history["loss"][0], rel=1e-5)
    for one, other in zip(found, model.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5)


def test_a_fit_in_one_graph_is_that_of_keras(line):
    model, inputs, targets = line
    start, seed = model.get_weights(), 3
    model.optimizer.learning_rate = 0.1
    losses = schedules.fit(model, inputs[:40], targets[:40], epochs=2, batch_size=16, seed=seed)
    found = model.get_weights()
    model.set_weights(start)
    rng = np.random.default_rng(seed)
    for loss in losses:
        order = rng.permutation(40)  # the last of its three batches is half a one
        log = model.fit(inputs[order], targets[order], 16, shuffle=False, verbose=0)
        assert loss == pytest.approx(log.history["loss"][0], rel=1e-5)
    for one, other in zip(found, model.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5)


def test_a_training_leaves_tensorflows_settings_as_they_were(line):
    model, inputs, targets = line
    for off in (False, True):
        tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": off})
        try:
            schedules.train(model, inputs, targets, [0.1], 16)
            with pytest.raises(tf.errors.InvalidArgumentError):
                schedules.train(model, inputs[:, :2], targets, [0.1], 16)
            now = tf.config.optimizer.get_experimental_options()
            assert now["disable_meta_optimizer"] == off
        finally:
            tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": False})


def test_a_training_takes_the_loss_and_the_optimizer_of_the_last_compile(line):
    model, inputs, targets = line
    copy = keras.models.clone_model(model)
    for optimizer, loss in ((keras.optimizers.SGD(), "mse"), (keras.optimizers.Adam(), "mae")):
        copy.compile(optimizer, loss)
        copy.set_weights(model.get_weights())
        found = schedules.train(copy, inputs, targets, [0.0], 64)
        assert found == pytest.approx([copy.evaluate(inputs, targets, verbose=0)], rel=1e-5)
        for old, new in zip(model.get_weights(), copy.get_weights(), strict=True):
            np.testing.assert_array_equal(old, new)


def test_a_training_wants_a_batch_for_each_rate(line):
    model, inputs, targets = line
    assert len(schedules.train(model, inputs, targets, [0.0] * 2, 40)) == 2
    with pytest.raises(ValueError, match="at most one a batch, 2: got 3"):
        schedules.train(model, inputs, targets, [0.0] * 3, 40)


def test_the_finder_sees_the_loss_fall_and_stops_where_it_explodes(line):
    model, inputs, targets = line
    before = model.get_weights()
    rates, losses = schedules.find_rate(
        model, inputs, targets, lowest=1e-3, highest=100.0, steps=60, batch_size=64
    )
    assert len(rates) == len(losses) < 60
    assert (np.diff(rates) > 0).all()
    assert losses.min() < 0.2 * losses[0]
    # Gradient descent on squares diverges from a rate of 2 over the largest curvature on.
    limit = 1 / np.linalg.eigvalsh(inputs.T @ inputs / 64).max()
    assert 0.01 * limit < schedules.suggest_rate(rates, losses) < limit
    assert int(model.optimizer.iterations) == 0
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_the_finder_returns_each_batchs_own_loss(line):
    model, inputs, targets = line
    _, losses = schedules.find_rate(
        model, inputs, targets, lowest=1e-12, highest=1e-11, steps=4, batch_size=64
    )
    assert losses == pytest.approx([model.evaluate(inputs, targets, verbose=0)] * 4, rel=1e-4)


def test_the_finder_wants_rising_rates(line):
    with pytest.raises(ValueError, match="rates must rise"):
        schedules.find_rate(*line, lowest=1.0, highest=0.1)


def test_smoothing_keeps_a_constant_and_its_weights():
    assert schedules.smoothed([3.0, 3.0, 3.0]) == pytest.approx([3.0] * 3)
    assert schedules.smoothed([1.0, 0.0], weight=0.5) == pytest.approx([1.0, 1 / 3])


def test_the_suggestion_is_a_tenth_of_the_lowest():
    rates = np.geomspace(1e-4, 1, 50)
    losses = (np.log10(rates) + 1.5) ** 2
    assert schedules.suggest_rate(rates, losses) < 10**-1.5
    with pytest.raises(ValueError, match="at least one"):
        schedules.suggest_rate([], [])


def test_nothing_is_suggested_where_the_loss_still_falls():
    with pytest.raises(ValueError, match="still falling"):
        schedules.suggest_rate(np.geomspace(1e-4, 1, 50), np.linspace(2, 1, 50))
