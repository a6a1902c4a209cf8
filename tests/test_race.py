"""The loop of the race, its ladder, and the best network; on a few drawn digits, in seconds."""

from dataclasses import replace

import keras
import numpy as np
import pytest

from course_utils import race, schedules
from course_utils.best_network import BEST, best_network, distorted

RNG = np.random.default_rng(0)


def bars(n):
    """Images with a bar at a place that is their class, under noise: easy to learn."""
    labels = np.arange(n) % 10
    images = RNG.integers(0, 40, (n, 28, 28, 1), dtype=np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[4 + 2 * label : 6 + 2 * label, 4:24] = 255
    return images, labels


def tiny(sample=None):
    return keras.Sequential(
        [keras.Input((28, 28, 1)), keras.layers.Flatten(), keras.layers.Dense(10)]
    )


TINY = race.Recipe("tiny", "None.", tiny, rate=0.01, batch_size=32, epochs=3)


def test_the_loop_takes_the_steps_that_adam_takes():
    # One batch an epoch, so that there is no order: the same steps by hand must give the same.
    images, labels = bars(20)
    recipe = replace(TINY, batch_size=20, smoothing=0.1, mean=0.13, spread=0.31, one_cycle=True)
    found = race.train(recipe, images, labels, seed=3).network.get_weights()

    keras.utils.set_random_seed(3)
    network = tiny()
    network.compile(
        keras.optimizers.Adam(),
        keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1),
    )
    scaled = (images.astype("float32") / 255 - 0.13) / 0.31
    for rate in schedules.one_cycle(3, 0.01):
        network.optimizer.learning_rate = float(rate)
        network.train_on_batch(scaled, np.eye(10)[labels])
    for ours, theirs in zip(found, network.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-5)


def test_every_image_is_seen_once_an_epoch_in_another_order():
    import tensorflow as tf

    images, labels = bars(50)
    images[:, 0, 0, 0] = np.arange(50)
    seen = []

    def note(batch):
        tf.py_function(lambda pixels: seen.append(pixels.numpy()), [batch[:, 0, 0, 0]], [])
        return batch

    race.train(replace(TINY, epochs=2, distort=note), images, labels)
    assert [len(batch) for batch in seen] == [32, 18, 32, 18]
    first, second = np.concatenate(seen[:2]), np.concatenate(seen[2:])
    assert sorted(first) == sorted(second) == list(range(50))
    assert list(first) != list(second)


def test_seeds_decide():
    images, labels = bars(40)
    recipe = replace(TINY, epochs=1)
    first, same, other = (
        race.train(recipe, images, labels, seed).network.get_weights()[0] for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, same)
    assert not np.allclose(first, other)


def test_the_clock_stops_while_the_network_is_looked_at(monkeypatch):
    images, labels = bars(40)
    ahead = []
    for name in ("process_time", "perf_counter"):
        clock = getattr(race, name)
        monkeypatch.setattr(race, name, lambda clock=clock: clock() + 1_000 * len(ahead))

    def look(network):
        ahead.append(1)  # as if it took 1,000 seconds
        return len(ahead)

    found = race.train(TINY, images, labels, after_epoch=look)
    assert found.seen == [1, 2, 3]
    assert 0 < found.setup < found.seconds[0] < found.seconds[1] < found.seconds[2] < 900
    assert 0 < found.wall < 900


def test_it_learns_and_predicts_with_the_recipes_own_scale():
    images, labels = bars(200)
    recipe = replace(TINY, epochs=8, mean=-1.0, spread=-0.5)
    network = race.train(recipe, images, labels).network
    assert (race.predicted(network, recipe, images) == labels).mean() > 0.9
    assert (race.predicted(network, TINY, images) == labels).mean() < 0.9


def test_first_reach():
    assert race.first_reach([0.5, 0.99, 0.98, 0.995], [1, 2, 3, 4]) == (2, 2)
    epoch, seconds = race.first_reach([0.5, 0.98], [1, 2])
    assert epoch is None
    assert np.isnan(seconds)


def test_each_rung_changes_one_thing_of_the_one_before():
    for before, after in zip(race.LADDER, race.LADDER[1:], strict=False):
        changed = {
            name
            for name, value in vars(after).items()
            if value != getattr(before, name) and name not in ("name", "change")
        }
        schedule, scale = {"epochs", "rate", "one_cycle"}, {"mean", "spread"}
        assert len(changed) == 1 or changed in (schedule, scale), after.name
    names = [recipe.name for recipe in (*race.LADDER, race.RECORD)]
    assert len(set(names)) == len(names)


def test_the_networks_are_those_that_the_sources_give():
    slides, record = race.slides_logits(), race.RECORD.build(None)
    assert slides.count_params() == 166_986
    assert record.count_params() == 215_194
    assert [layer.output.shape[1:] for layer in record.layers[:6]] == [
        (24, 24, 24), (12, 12, 24), (12, 12, 24), (10, 10, 32), (5, 5, 32), (5, 5, 32),
    ]  # fmt: skip
    images = RNG.random((5, 28, 28, 1), dtype=np.float32)
    for network in (slides, record):
        sums = keras.ops.convert_to_numpy(network(images)).sum(axis=1)
        assert not np.allclose(sums, 1)  # logits, no probabilities
    settings = race.RECORD
    assert (settings.rate, settings.betas, settings.batch_size) == (0.01, (0.7, 0.9), 256)
    assert (settings.epochs, settings.mean, settings.spread) == (1, 0.1307, 0.3081)
    slides = race.SLIDES
    assert (slides.rate, slides.betas, slides.batch_size) == (0.001, (0.9, 0.999), 128)
    assert not slides.one_cycle


def test_patch_filters_whiten_patches():
    # Patches with a known covariance: two directions with large variance, the rest nearly none.
    images = np.zeros((3_000, 6, 6, 1), "float32")
    images[:, 0, 0, 0] = 3 * RNG.standard_normal(3_000)
    images[:, 2, 2, 0] = 2 * RNG.standard_normal(3_000)
    filters = race.patch_filters(images, 6, 2)
    assert filters.shape == (6, 6, 1, 4)
    np.testing.assert_array_equal(filters[..., :2], -filters[..., 2:])
    strongest = [np.unravel_index(np.abs(filters[:, :, 0, k]).argmax(), (6, 6)) for k in (0, 1)]
    assert strongest == [(0, 0), (2, 2)]
    features = images.reshape(-1, 36) @ filters.reshape(36, 4)
    np.testing.assert_allclose(features.std(axis=0), 0.5, rtol=0.02)
    with pytest.raises(ValueError, match="images must be given"):
        race.strided_network(fixed=True)


def test_fixed_filters_stay():
    images, labels = bars(64)
    recipe = replace(race.FASTEST, batch_size=32)
    filters = race.patch_filters(recipe.scaled(images.astype("float32")), 6, 8)
    network = race.train(recipe, images, labels).network
    np.testing.assert_allclose(network.get_layer("conv1").kernel, filters, rtol=1e-4, atol=1e-5)


def test_distortions_keep_the_middle_and_move_the_rest():
    images = np.zeros((200, 28, 28, 1), "float32")
    images[:, 12:16, 12:16] = 255  # in the middle: only shifts move it
    still = distorted(images, turn=0.0, scale=0.0, shear=0.0, shift=0.0).numpy()
    np.testing.assert_allclose(still, images, atol=1e-2)
    turned = distorted(images, turn=90.0, scale=0.0, shear=0.0, shift=0.0).numpy()
    assert turned.shape == images.shape
    rows, columns = np.mgrid[:28, :28]
    mass = turned[..., 0].sum(axis=(1, 2))
    for place in (rows, columns):
        np.testing.assert_allclose((turned[..., 0] * place).sum(axis=(1, 2)) / mass, 13.5, atol=0.1)
    shifted = distorted(images, turn=0.0, scale=0.0, shear=0.0, shift=2.5).numpy()[..., 0]
    middles = (shifted * rows).sum(axis=(1, 2)) / shifted.sum(axis=(1, 2)) - 13.5
    assert 2 < np.abs(middles).max() <= 2.51
    assert abs(middles.mean()) < 0.4
    assert len(np.unique(middles.round(3))) > 100  # each image by itself


def test_the_best_network_normalizes_and_fits_the_recipe():
    network = best_network()
    assert network.count_params() == 142_506
    images, labels = bars(30)
    recipe = replace(BEST, epochs=1, batch_size=10)
    trained = race.train(recipe, images, labels).network
    moving = [w for w in trained.non_trainable_variables if "moving_mean" in w.path]
    assert len(moving) == 4
    assert all(np.abs(w.numpy()).max() > 0 for w in moving)  # training mode was on
