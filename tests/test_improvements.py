import pickle
from dataclasses import fields, replace

import numpy as np
import pytest

from course_utils import improvements as im
from course_utils.arithmetic import cost
from course_utils.models import slides_network

TUNED = {"sgd": 0.1, "momentum": 0.03, "rmsprop": 0.002, "adam": 0.003}
TUNED |= {"l1": 1e-4, "l2": 1e-3, "dropout": 0.3}


def described(network):
    return [
        (type(layer).__name__, {**layer.get_config(), "name": None}) for layer in network.layers
    ]


def test_the_baseline_is_the_slides_network_with_the_slides_training():
    network = im.Recipe().compile(im.Recipe().build())
    assert described(network) == described(slides_network())
    assert type(network.optimizer).__name__ == "Adam"
    assert float(network.optimizer.learning_rate) == pytest.approx(0.001)
    assert im.Recipe().batch_size == 128


PARAMETERS = {
    "a conv layer more": 166_986 + (9 * 64 + 1) * 64,
    "twice the filters": 640 + (9 * 64 + 1) * 128 + (36 * 128 + 1) * 64 + 650,
    "twice the dense units": 320 + 18_496 + 2305 * 128 + 129 * 10,
    "16 × the dense units": 320 + 18_496 + 2305 * 1024 + 1025 * 10,
    "padding same": 320 + 18_496 + (49 * 64 + 1) * 64 + 650,
    "conv1 with strides 2, no pool1": 166_986,
    "conv1 with strides 2": 320 + 18_496 + (4 * 64 + 1) * 64 + 650,
    "pool1 2×2 with strides 3": 320 + 18_496 + (16 * 64 + 1) * 64 + 650,
    "strided convolutions, no pooling": 213_162,
    # No biases before it, and four numbers for each of 32 + 64 + 64 channels.
    "batch normalization": 166_986 - 160 + 4 * 160,
}


@pytest.mark.parametrize("name", im.recipes(TUNED))
def test_parameters_are_exact(name):
    assert im.recipes(TUNED)[name].build().count_params() == PARAMETERS.get(name, 166_986)


def test_strides_shapes():
    shapes = {
        name: [layer.output.shape[1:3] for layer in im.recipes()[name].build().layers[:4]]
        for name in PARAMETERS
    }
    assert shapes["padding same"] == [(28, 28), (14, 14), (14, 14), (7, 7)]
    assert shapes["pool1 2×2 with strides 3"] == [(26, 26), (9, 9), (7, 7), (4, 4)]
    assert shapes["conv1 with strides 2"] == [(13, 13), (6, 6), (4, 4), (2, 2)]
    assert shapes["conv1 with strides 2, no pool1"][:2] == [(13, 13), (11, 11)]
    assert shapes["strided convolutions, no pooling"] == [(26, 26), (13, 13), (11, 11), (6, 6)]


# What belongs together changes together; everything else is one field.
TOGETHER = {
    "SELU, its initializer and inputs": {"activation", "initializer", "standardized"},
    "conv1 with strides 2, no pool1": {"strides", "pool1_strides"},
    "batches of 32, rate ÷ 4": {"batch_size", "learning_rate"},
    "batches of 512, rate × 4": {"batch_size", "learning_rate"},
    "SGD, Keras' default": {"optimizer", "learning_rate"},
    "SGD, tuned to 0.1": {"optimizer", "learning_rate"},
    "momentum, tuned to 0.03": {"optimizer", "learning_rate"},
    "RMSprop, tuned to 0.002": {"optimizer", "learning_rate"},
}


def test_one_factor_is_changed_at_a_time():
    recipes = im.recipes(TUNED)
    base = recipes.pop(im.BASELINE)
    for name, recipe in recipes.items():
        changed = {
            entry.name
            for entry in fields(im.Recipe)
            if getattr(recipe, entry.name) != getattr(base, entry.name)
        }
        assert changed == TOGETHER.get(name, changed), name
        assert name in TOGETHER or len(changed) == 1, name


def test_every_bullet_of_the_slides_has_a_change():
    groups = {change.group for change in im.CHANGES.values()}
    assert groups == {
        "architecture", "activations", "regularization", "optimizer", "batch size",
        "batch normalization",
    }  # fmt: skip
    bullets = {change.bullet for change in im.CHANGES.values()}
    assert len([bullet for bullet in bullets if not bullet.startswith("not listed")]) == 13


def test_untuned_changes_need_no_tuning():
    without = im.recipes()
    assert set(without) < set(im.recipes(TUNED))
    assert not any("tuned" in name for name in without)
    assert len(im.recipes(TUNED)) == len(im.CHANGES) + 1


def test_a_variant_finds_its_change():
    assert im.change_of("SGD, tuned to 0.1") is im.CHANGES["SGD, tuned"]
    assert im.change_of("ELU").group == "activations"
    with pytest.raises(ValueError, match="did you mean 'ELU'"):
        im.change_of("elus")


def test_what_is_said_is_built():
    keras = pytest.importorskip("keras")
    recipes = im.recipes(TUNED)
    bn = recipes["batch normalization"].build().layers
    assert [type(layer).__name__ for layer in bn[:3]] == [
        "Conv2D", "BatchNormalization", "Activation",
    ]  # fmt: skip
    assert bn[0].get_config()["activation"] == "linear"
    assert bn[1].momentum == 0.9
    penalised = recipes["L2, tuned to 0.001"].build()
    assert sum(weight.regularizer is not None for weight in penalised.trainable_weights) == 4
    dropped = recipes["dropout, tuned to 0.3"].build().layers[-2]
    assert (type(dropped).__name__, dropped.rate) == ("Dropout", 0.3)
    selu = recipes["SELU, its initializer and inputs"].build().layers[0]
    assert isinstance(selu.kernel_initializer, keras.initializers.LecunNormal)
    momentum = recipes["momentum, tuned to 0.03"]
    optimizer = momentum.compile(momentum.build()).optimizer
    assert (optimizer.momentum, round(float(optimizer.learning_rate), 6)) == (0.9, 0.03)


def test_settings_have_names():
    assert im.setting_name("adam", 0.001) == "adam 0.001"
    assert im.setting_name("l2", 1e-5) == "l2 1e-05"


def test_rates_are_half_decades_around_the_default_and_batches_powers_of_two():
    steps = np.diff(np.log10(im.FACTORS))
    np.testing.assert_allclose(steps, 0.5, atol=0.01)
    assert 1.0 in im.FACTORS
    np.testing.assert_array_equal(np.diff(np.log2(im.BATCH_SIZES)), 1)
    assert im.Recipe().batch_size in im.BATCH_SIZES


def test_targets_follow_the_loss():
    labels = np.array([2, 0])
    assert im.Recipe(output="sigmoid").targets(labels).shape == (2, 10)
    assert im.Recipe().targets(labels) is labels
    np.testing.assert_array_equal(
        im.Recipe(output="sigmoid").targets(labels, classes=3), [[0, 0, 1], [1, 0, 0]]
    )


def test_all_tuned_things_get_as_many_tries_as_their_rivals():
    tried = im.tuning_recipes()
    counts = {kind: sum(key[0] == kind for key in tried) for kind, _ in tried}
    assert {counts[name] for name in im.RATES} == {7}
    assert {counts[name] for name in im.STRENGTHS} == {3}
    for name, rate in im.RATES.items():
        assert tried[name, rate].learning_rate == rate
        assert tried[name, rate].optimizer == name
    assert tried["adam", 0.001] == im.Recipe()


def test_batches_scale_the_rate():
    found = im.batch_recipes()
    assert len(found) == 21
    assert found["linear", 512].learning_rate == pytest.approx(0.004)
    assert found["square root", 512].learning_rate == pytest.approx(0.002)
    assert found["square root", 8].learning_rate == pytest.approx(0.00025)
    assert found["constant", 8].learning_rate == 0.001
    assert {found[scaling, 128] for scaling in im.SCALINGS} == {im.Recipe()}
    with pytest.raises(ValueError, match="scaling must be one of"):
        im.batch_recipes(scalings=["cubic"])


def test_sizes_hold_the_slides_network():
    found = im.size_recipes()
    assert found[1.0, 2] == im.Recipe()
    assert found[1.0, 3] == im.recipes()["a conv layer more"]
    depths = [
        sum(type(layer).__name__ == "Conv2D" for layer in found[0.125, depth].build().layers)
        for depth in (1, 2, 3, 4)
    ]
    assert depths == [1, 2, 3, 4]
    assert cost(found[0.5, 2].build())["parameters"] == slides_network(0.5).count_params()
    with pytest.raises(ValueError, match="depths"):
        im.size_recipes(depths=[5])


def test_a_recipe_can_be_sent_and_is_its_own_key():
    recipe = replace(im.Recipe(), units=7)
    assert pickle.loads(pickle.dumps(recipe)) == recipe
    assert {recipe: 1}[im.Recipe(units=7)] == 1


def test_wrong_recipes_are_refused():
    with pytest.raises(ValueError, match="one number a block"):
        im.Recipe(filters=(32,))
    with pytest.raises(ValueError, match="optimizer"):
        im.Recipe(optimizer="lion")
