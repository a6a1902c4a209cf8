"""A network that is made new trains like one that was built anew."""

import keras
import numpy as np
import pytest

from course_utils import renewal

RNG = np.random.default_rng(0)
INPUTS = RNG.normal(size=(32, 6)).astype("float32")
LABELS = RNG.integers(0, 3, 32)


def network(seed, optimizer):
    keras.utils.set_random_seed(seed)
    made = keras.Sequential(
        [
            keras.Input((6,)),
            keras.layers.Dense(8),
            keras.layers.BatchNormalization(),
            keras.layers.Dropout(0.5, seed=seed),
            keras.layers.Dense(3, activation="softmax"),
        ]
    )
    made.compile(optimizer, "sparse_categorical_crossentropy")
    return made


def fitted(model):
    model.fit(INPUTS, LABELS, 8, epochs=3, shuffle=False, verbose=0)
    return model.get_weights()


OPTIMIZERS = {
    "momentum": lambda: keras.optimizers.SGD(0.1, momentum=0.9),
    "rmsprop": lambda: keras.optimizers.RMSprop(0.01),
    "adam": lambda: keras.optimizers.Adam(0.01),
}


@pytest.mark.parametrize("make", OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_a_renewed_network_trains_as_the_new_one_would(make):
    expected = fitted(network(1, make()))
    used = network(2, make())
    fitted(used)
    fitted(renewal.renew(used, network(1, make())))
    for ours, theirs in zip(used.get_weights(), expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-6)


def plain():
    return keras.Sequential([keras.Input((6,)), keras.layers.Dense(3, activation="softmax")])


def test_a_kept_network_trains_as_new_ones_do():
    make = renewal.kept(plain, keras.optimizers.Adam(0.01))
    found = []
    for seed in (1, 2, 1):
        keras.utils.set_random_seed(seed)
        network = make()
        found.append(fitted(network)[0])
        network.optimizer.learning_rate = 0.5
    keras.utils.set_random_seed(1)
    anew = plain()
    anew.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy")
    np.testing.assert_allclose(found[0], fitted(anew)[0], rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(found[0], found[2], rtol=1e-4, atol=1e-6)
    assert np.abs(found[0] - found[1]).max() > 0.01


def test_a_schedule_has_no_rate_to_begin_with_again():
    schedule = keras.optimizers.schedules.CosineDecay(0.1, 10)
    with pytest.raises(ValueError, match="must be a number"):
        renewal.kept(plain, keras.optimizers.SGD(schedule))


def test_a_seed_gives_the_same_network_again_and_another_seed_another():
    model = network(3, "adam")
    first = renewal.reseed(model, 7).get_weights()
    fitted(model)
    again = renewal.reseed(model, 7).get_weights()
    other = renewal.reseed(model, 8).get_weights()
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not np.array_equal(first[0], other[0])


def test_what_is_forgotten_is_all_but_the_rate():
    model = network(4, keras.optimizers.Adam(0.02))
    fitted(model)
    renewal.forget(model.optimizer)
    assert float(model.optimizer.learning_rate) == pytest.approx(0.02)
    assert int(model.optimizer.iterations) == 0
    states = [s for s in model.optimizer.variables if s is not model.optimizer._learning_rate]
    assert len(states) > 2
    assert not any(np.any(state) for state in states)


def test_a_network_of_another_shape_is_refused():
    with pytest.raises(ValueError, match="argument 2 is shorter"):
        renewal.renew(
            network(5, "adam"), keras.Sequential([keras.Input((6,)), keras.layers.Dense(8)])
        )
