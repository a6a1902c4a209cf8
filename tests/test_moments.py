import numpy as np
import pytest

from course_utils import moments


def test_selu_keeps_its_spread_only_with_its_own_weights():
    right, _ = moments.forward_spread("selu", "lecun_normal", depth=30, width=128)
    wrong, _ = moments.forward_spread("selu", "he_normal", depth=30, width=128)
    assert right.shape == (30,)
    assert (abs(right - 1) < 0.4).all()
    assert wrong[-1] > 4


def test_relu_loses_half_of_the_variance_with_glorot_weights():
    spread, mean = moments.forward_spread("relu", "glorot_uniform", depth=20, width=256)
    assert spread[-1] / spread[0] == pytest.approx(0.5 ** (19 / 2), rel=0.5)
    assert (mean > 0).all()


def test_a_seed_repeats_itself_and_another_does_not():
    first, again, other = (
        moments.forward_spread("tanh", "glorot_uniform", depth=3, width=16, seed=seed)[0]
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first, other)


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).random((8, 8, 8, 1)).astype("float32")


def test_there_is_a_norm_for_each_layer(images):
    assert moments.gradient_norms(images, 5).shape == (5,)


def test_sigmoids_lose_the_gradient_and_residual_connections_keep_it(images):
    plain = moments.gradient_norms(images, 10, activation="sigmoid")
    residual = moments.gradient_norms(images, 10, activation="sigmoid", residual=True)
    assert plain[0] / plain[-1] < 1e-3
    assert residual[0] / residual[-1] > 1e-2


def test_normalized_stacks_blow_the_gradient_up_unless_residual(images):
    def ratio(**options):
        found = [
            moments.gradient_norms(images, 24, normalise=True, seed=seed, **options)
            for seed in range(3)
        ]
        return np.mean([np.log10(norms[0] / norms[-1]) for norms in found])

    assert ratio() > ratio(residual=True) + 0.3
    assert ratio() > 1


def test_steps_go_against_the_gradient_and_a_rate_of_0_goes_nowhere(images):
    labels = np.arange(8)
    first = moments.gradient_norms(images, 3, labels=labels)
    np.testing.assert_allclose(
        moments.gradient_norms(images, 3, labels=labels, steps=2, rate=0), first, rtol=1e-5
    )
    moved = moments.gradient_norms(images, 3, labels=labels, steps=2, rate=0.1)
    assert not np.allclose(moved, first, rtol=1e-3)
    assert not np.allclose(moments.gradient_norms(images, 3), first)


def test_the_gradient_vanishes_where_a_label_is_learned(images):
    same = {"labels": np.zeros(8, int), "rate": 0.1}
    before, after = (moments.gradient_norms(images, 2, steps=n, **same) for n in (0, 20))
    assert (after < 0.1 * before).all()


def test_training_evens_a_normalized_stack_out(images):
    stack = {"normalise": True, "labels": np.arange(8)}
    before, after = (
        [moments.gradient_norms(images, 24, seed=k, steps=n, **stack) for k in range(2)]
        for n in (0, 5)
    )
    assert np.mean([g[0] / g[-1] for g in after]) < np.mean([g[0] / g[-1] for g in before])


def test_with_half_the_variance_both_ends_of_a_relu_stack_shrink():
    images = np.random.default_rng(0).random((4, 8, 8, 1)).astype("float32")
    he, glorot = (moments.gradient_norms(images, 12, gain=gain) for gain in (2, 1))
    np.testing.assert_allclose(he, moments.gradient_norms(images, 12))
    assert glorot[0] < 0.1 * he[0]
    assert glorot[-1] < 0.1 * he[-1]
