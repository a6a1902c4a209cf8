import numpy as np
import pytest

from course_utils import recipes
from course_utils.data import Split
from course_utils.runs import Results

SMALL = {"epochs": 2, "batch_size": 20, "scale": 0.1}


@pytest.fixture(scope="module")
def digits():
    rng = np.random.default_rng(0)
    labels = np.arange(40) % 10
    images = rng.integers(0, 60, (40, 28, 28, 1)) + 20 * labels[:, None, None, None]
    return Split(images.astype("uint8"), labels, tuple("0123456789"))


def test_each_step_keeps_the_changes_before_it():
    rates = {name: 0.001 * (k + 1) for k, name in enumerate(recipes.CHANGES)}
    found = recipes.cumulative(rates)
    assert list(found) == list(recipes.CHANGES)
    first, *_, last = found.values()
    assert first == recipes.Recipe(rate=0.001)
    for change in recipes.CHANGES.values():
        for name, value in change.items():
            assert getattr(last, name) == value
    assert [recipe.rate for recipe in found.values()] == list(rates.values())
    without = found["+ batch normalization"]
    assert without.normalise
    assert not without.one_cycle


def test_batches_are_the_same_for_recipes_of_one_seed(digits):
    plain = recipes.batches(recipes.Recipe(), digits.images, digits.labels, epochs=3, seed=4)
    other = recipes.Recipe(label_smoothing=0.1, weight_decay=0.1)
    smooth = recipes.batches(other, digits.images, digits.labels, epochs=3, seed=4)
    np.testing.assert_array_equal(plain[0], smooth[0])
    assert plain[0].shape == (120, 28, 28, 1)
    np.testing.assert_array_equal(plain[1].argmax(axis=1), smooth[1].argmax(axis=1))
    epochs = plain[0].reshape(3, 40, -1)
    assert not np.array_equal(epochs[0], epochs[1])
    for epoch in epochs:
        np.testing.assert_array_equal(
            np.sort(epoch.sum(axis=1)), np.sort(digits.images.sum(axis=(1, 2, 3)))
        )


def test_smoothed_targets(digits):
    smooth = recipes.Recipe(label_smoothing=0.1)
    _, targets = recipes.batches(smooth, digits.images, digits.labels, epochs=1, seed=0)
    np.testing.assert_allclose(targets.sum(axis=1), 1, rtol=1e-6)
    np.testing.assert_allclose(np.sort(targets[0])[[0, -1]], [0.01, 0.91], rtol=1e-6)


def test_cutout_differs_from_epoch_to_epoch(digits):
    ones = np.ones((5, 28, 28, 1))
    shown, _ = recipes.batches(recipes.Recipe(cutout=8), ones, digits.labels[:5], epochs=4, seed=0)
    holes = {image.tobytes() for image in shown}
    assert len(holes) > 10
    assert (shown == 0).sum(axis=(1, 2, 3)).min() >= 16
    assert (shown == 0).sum(axis=(1, 2, 3)).max() == 64


def test_a_training_repeats_itself_on_the_kept_network(digits):
    recipe = recipes.Recipe(rate=0.01, normalise=True, one_cycle=True)
    first = recipes.train(recipe, 1, train=digits, **SMALL).get_weights()
    other = recipes.train(recipe, 2, train=digits, **SMALL).get_weights()
    again = recipes.train(recipe, 1, train=digits, **SMALL)
    assert not np.allclose(first[0], other[0])
    for old, new in zip(first, again.get_weights(), strict=True):
        np.testing.assert_allclose(old, new, atol=1e-5)
    assert float(again.optimizer.learning_rate) == pytest.approx(0.01 / 250_000, rel=1e-3)
    before = recipes.probabilities(again, digits.images)
    recipes.train(recipe, 2, train=digits, **SMALL)
    restored = recipes.restored(recipe, first, SMALL["scale"])
    np.testing.assert_allclose(recipes.probabilities(restored, digits.images), before, atol=1e-4)
    np.testing.assert_allclose(before.sum(axis=1), 1, rtol=1e-5)


def test_adamw_decays_kernels_only(digits):
    plain = recipes.fresh(recipes.Recipe(), 0, 0.1)
    decayed = recipes.fresh(recipes.Recipe(weight_decay=0.05), 0, 0.1)
    assert type(plain.optimizer).__name__ == "Adam"
    assert decayed.optimizer.weight_decay == 0.05
    uses = {
        variable.path.split("/")[-1]: decayed.optimizer._use_weight_decay(variable)
        for variable in decayed.trainable_variables
    }
    assert uses == {"kernel": True, "bias": False}


def test_a_measured_run_has_two_halves(digits):
    class Digits:
        train = validation = digits

    options = {"digits": Digits, "images": 20, **SMALL}
    found = recipes.measured(recipes.Recipe(rate=0.01), 3, **options)
    assert set(found) == {"accuracy", "choosing", "cross_entropy", "cpu_seconds"}
    assert 0 <= found["choosing"] <= 1
    assert found["cpu_seconds"] > 0


def test_each_step_chooses_its_rate_by_the_tuning_runs_alone():
    def row(name, rate, tuning, choosing):
        return {
            "variant": recipes.named(name, rate, tuning), "seed": 1, "status": "ok", "error": None,
            "seconds": 1.0, "parameters": None, "curves": {},
            "metrics": {"choosing": choosing, "accuracy": 1 - choosing},
        }  # fmt: skip

    best = dict(zip(recipes.CHANGES, [0.01, 0.003, 0.001, 0.01, 0.003, 0.001], strict=True))
    rows = [
        row(name, rate, True, 0.9 + (rate == best[name]) / 20)
        for name in recipes.CHANGES
        for rate in recipes.RATES
    ]
    rows += [row(name, 0.001, False, 1.0) for name in recipes.CHANGES]
    assert recipes.chosen_rates(Results(rows)) == best


def test_halves_are_disjoint_and_whole():
    first, second = recipes.halves(101)
    assert sorted([*first, *second]) == list(range(101))
    assert abs(len(first) - len(second)) == 1
    # Neither every second image nor the first half of them, and the same at every call.
    assert 10 < np.sum(first % 2) < 41
    assert 10 < np.sum(first < 50) < 41
    np.testing.assert_array_equal(first, recipes.halves(101)[0])
