import numpy as np
import pytest
from scipy import optimize

from course_utils import regularization as reg

KINDS = ("L1", "L2")


def random_problem(seed, size=6):
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(2 * size, size))
    return root.T @ root / size, rng.normal(size=size)


@pytest.mark.parametrize("kind", KINDS)
def test_penalty_is_kerass(kind):
    import keras

    weights = np.random.default_rng(0).normal(size=(3, 4)).astype("float32")
    theirs = float(getattr(keras.regularizers, kind)(0.3)(weights))
    assert reg.penalty(weights, kind, 0.3) == pytest.approx(theirs, rel=1e-6)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("weight", [-2.0, -0.3, 0.0, 0.1, 1.5])
def test_proximal_step_is_the_minimum_that_it_says(kind, weight):
    found = optimize.minimize_scalar(
        lambda v: 0.5 * (v - weight) ** 2 + reg.penalty(v, kind, 0.4), bounds=(-3, 3)
    )
    assert float(reg.proximal(weight, kind, 0.4)) == pytest.approx(found.x, abs=1e-4)


def test_soft_threshold_gives_exact_zeros():
    values = reg.proximal(np.array([-0.4, 0.2, 0.4, 0.5]), "L1", 0.4)
    np.testing.assert_allclose(values, [0, 0, 0, 0.1], atol=1e-12)
    assert (values[:3] == 0).all()


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kind", KINDS)
def test_penalised_minimum_has_no_better_neighbour(kind, seed):
    hessian, target = random_problem(seed)
    found = reg.penalised_minimum(hessian, target, kind, 0.7)

    def loss(weights):
        away = weights - target
        return 0.5 * away @ hessian @ away + reg.penalty(weights, kind, 0.7)

    rng = np.random.default_rng(seed)
    for size in (1e-3, 1e-2, 0.3):
        for _ in range(50):
            assert loss(found) <= loss(found + size * rng.normal(size=6)) + 1e-9


@pytest.mark.parametrize("kind", KINDS)
def test_without_a_penalty_the_minimum_is_the_target(kind):
    hessian, target = random_problem(1)
    np.testing.assert_allclose(reg.penalised_minimum(hessian, target, kind, 0), target)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: reg.penalty([1.0], "l1", 1), "kind must be one of L1, L2: got 'l1'"),
        (lambda: reg.proximal([1.0], "L1", -1), "strength must be at least 0: got -1"),
        (
            lambda: reg.penalised_minimum(np.diag([1.0, 0.0]), [1, 1], "L2", 1),
            "eigenvalues above 0",
        ),
        (lambda: reg.cutout(np.zeros((1, 4, 4, 1)), -1, None), "size must be at least 0: got -1"),
    ],
)
def test_bad_input_gets_a_sentence(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_sparse_problem_is_sparse_and_repeatable():
    inputs, targets, weights = reg.sparse_problem(3)
    assert (weights == 0).sum() == 45
    assert np.abs(weights[weights != 0]).min() >= 1
    assert inputs.shape == (200, 50)
    assert 0.2 < (targets - inputs @ weights).std() < 0.4
    np.testing.assert_array_equal(reg.sparse_problem(3)[1], targets)


def test_adamw_shrinks_quiet_and_noisy_weights_alike_and_adam_with_l2_does_not():
    from keras import optimizers

    noise = {"quiet": 0.01, "noisy": 1.0}
    coupled = reg.decay_traces(optimizers.Adam(0.01), noise, 60, strength=0.01)
    decoupled = reg.decay_traces(optimizers.AdamW(0.01, weight_decay=0.5), noise, 60)
    assert coupled["quiet"].shape == (61,)
    assert coupled["quiet"][0] == 1
    assert coupled["quiet"][-1] < coupled["noisy"][-1] - 0.2
    assert decoupled["quiet"][-1] == pytest.approx(decoupled["noisy"][-1], abs=0.02)
    assert decoupled["quiet"][-1] < 0.9


def test_sgd_with_l2_is_weight_decay():
    from keras import optimizers

    noise = {"quiet": 0.01, "noisy": 1.0}
    l2 = reg.decay_traces(optimizers.SGD(0.1), noise, 20, strength=0.05)
    decay = reg.decay_traces(optimizers.SGD(0.1, weight_decay=0.1), noise, 20)
    for group in noise:
        np.testing.assert_allclose(l2[group], decay[group], atol=0.02)


def test_cutout_covers_a_square_and_leaves_its_input_alone():
    images = np.ones((50, 12, 12, 3), np.uint8)
    covered = reg.cutout(images, 5, np.random.default_rng(0))
    assert images.all()
    assert covered.dtype == images.dtype
    for image in covered[..., 0]:
        rows, columns = np.nonzero(image == 0)
        height, width = np.ptp(rows) + 1, np.ptp(columns) + 1
        assert len(rows) == height * width
        assert max(height, width) <= 5
    assert any((image == 0).sum() == 25 for image in covered[..., 0])
    assert len({image.tobytes() for image in covered}) > 30


@pytest.mark.parametrize("size", [0, 3, 6, 12, 30])
def test_covered_share_counts_all_positions(size):
    shares = []
    for top in range(12):
        first, last = max(top - size // 2, 0), min(top - size // 2 + size, 12)
        shares.append(max(last - first, 0) / 12)
    assert reg.covered_share(size, 12) == pytest.approx(np.mean(shares) ** 2)


def test_ridge_is_scikit_learns():
    from sklearn.linear_model import Ridge

    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (40, 5, 5, 1), dtype=np.uint8)
    labels = rng.integers(0, 3, 40)
    held_out = rng.integers(0, 256, (200, 5, 5, 1), dtype=np.uint8)
    theirs = Ridge(alpha=0.5).fit(images.reshape(40, -1) / 255, np.eye(3)[labels])
    truth = theirs.predict(held_out.reshape(200, -1) / 255).argmax(axis=1)
    assert reg.ridge_accuracy((images, labels), (held_out, truth), [0.5]) == [1.0]
    with pytest.raises(ValueError, match="strengths must be above 0"):
        reg.ridge_accuracy((images, labels), (held_out, truth), [0.0])


def test_smoothed_losses_have_their_floor_where_the_target_is():
    target = 0.9 * np.eye(10)[0] + 0.01
    floor = -(target * np.log(target)).sum()
    at, above, below = reg.smoothed_losses(0.1, [0.91, 0.99, 0.7])
    assert at == pytest.approx(floor, rel=1e-5)
    assert min(above, below) > floor
    assert reg.smoothed_losses(0.0, [0.5])[0] == pytest.approx(np.log(2), rel=1e-5)


def test_correlation_of_units():
    hidden = np.random.default_rng(0).normal(size=(4000, 3))
    assert reg.mean_correlation(hidden) < 0.05
    same = np.column_stack([hidden[:, 0], -hidden[:, 0], np.zeros(4000)])
    assert reg.mean_correlation(same) == pytest.approx(1)


def test_silencing_units():
    from keras import Input, Sequential, layers

    model = Sequential([Input((4,)), layers.Dense(2)])
    model.layers[0].set_weights([np.array([[1, 0], [0, 1], [0, 0], [0, 0]]), np.zeros(2)])
    hidden, labels = np.array([[2.0, 1, 0, 0], [1, 2, 0, 0]]), np.array([0, 1])
    options = {"labels": labels, "rng": np.random.default_rng(0), "draws": 200}
    assert reg.accuracy_without(model.layers[0], hidden, 0, **options) == 1
    assert 0.5 < reg.accuracy_without(model.layers[0], hidden, 2, **options) < 0.7
    with pytest.raises(ValueError, match="silenced must be from 0 to 3: got 4"):
        reg.accuracy_without(model.layers[0], hidden, 4, **options)


def test_all_kernels_and_penalise():
    from keras import Input, Sequential, layers, regularizers

    model = Sequential([Input((3,)), layers.Dense(4), layers.ReLU(), layers.Dense(2)])
    kernels = reg.all_kernels(model)
    assert kernels.shape == (20,)
    reg.penalise(model, regularizers.L2(0.5))
    assert float(sum(model.losses)) == pytest.approx(0.5 * (kernels**2).sum(), rel=1e-5)
    reg.penalise(model, None)
    assert not model.losses


def test_proximal_descent_ends_at_the_penalised_minimum_with_zeros():
    inputs, targets, true = reg.sparse_problem(3)
    found = reg.proximal_descent(inputs, targets, np.ones(50), strength=0.3, rate=0.1, steps=2000)
    hessian, least = 2 * inputs.T @ inputs / len(targets), np.linalg.lstsq(inputs, targets)[0]
    right = reg.penalised_minimum(hessian, least, "L1", 0.3)
    np.testing.assert_allclose(found, right, atol=1e-6)
    assert np.sum(found[true == 0] == 0) >= 40
