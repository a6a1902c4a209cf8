from types import SimpleNamespace

import numpy as np
import pytest

from course_utils import regularization_runs as reg
from course_utils.data import Split
from course_utils.regularization import all_kernels


def test_variants_differ_as_they_say():
    shape = (48, 48, 3)
    found = {name: reg.pets_network(name, 0.1, shape) for name in reg.VARIANTS}
    assert len({network.count_params() for network in found.values()}) == 1
    penalised = {
        name: sum(w.regularizer is not None for w in network.trainable_weights)
        for name, network in found.items()
    }
    assert list(penalised.values()) == [0, 1, 1, 8, 0, 0]
    kinds = [type(layer).__name__ for layer in found["the blog's dropout"].layers]
    assert kinds.count("Dropout") == 2
    one_kernel = found["strong L2, one kernel"]
    kernel = one_kernel.get_layer("dense2").kernel.numpy()
    assert float(sum(one_kernel.losses)) == pytest.approx(reg.STRONG * (kernel**2).sum(), rel=1e-4)
    everywhere = found["L2 everywhere"]
    sums = sum(float((layer.kernel.numpy() ** 2).sum()) for layer in everywhere.layers
               if hasattr(layer, "kernel"))  # fmt: skip
    assert float(sum(everywhere.losses)) == pytest.approx(reg.STRONG * sums, rel=1e-4)
    assert float((all_kernels(everywhere) ** 2).sum()) == pytest.approx(sums, rel=1e-4)


@pytest.fixture
def pets():
    rng = np.random.default_rng(0)

    def split(n):
        images = rng.integers(0, 256, (n, 36, 36, 3), dtype=np.uint8)
        return Split(images, np.arange(n) % 2, ("cat", "dog"))

    return SimpleNamespace(train=split(40), validation=split(12), image_shape=(36, 36, 3))


SMALL = {"images": 30, "scale": 0.05, "epochs": 2, "batch_size": 30}


def test_a_run_measures_pure_cross_entropy(pets):
    found = reg.pets_run(1, variant="L2 everywhere", pets=pets, **SMALL)
    assert found["gap"] == pytest.approx(found["validation"] - found["training"])
    assert found["val_loss"] > found["validation"] + 0.01
    assert 0 <= found["accuracy"] <= 1
    assert len(found["curves"]["val_loss"]) == 2


@pytest.mark.parametrize("variant", ["plain", "the blog's dropout", "augmentation"])
def test_a_network_used_again_trains_as_a_new_one(pets, variant):
    # One image, so that neither the order of the images nor who gets which mask matters.
    one = SMALL | {"images": 1, "batch_size": 1}
    first, other, again = (
        reg.pets_run(seed, variant=variant, pets=pets, quick=True, **one) for seed in (1, 2, 1)
    )
    new = reg.pets_run(1, variant=variant, pets=pets, **one)
    for same in (again, new):
        assert same["curves"]["loss"] == pytest.approx(first["curves"]["loss"], rel=1e-4)
        assert same["validation"] == pytest.approx(first["validation"], rel=1e-4)
    assert other["validation"] != pytest.approx(first["validation"], rel=1e-4)


def test_a_quick_run_trains_as_fit_does(pets):
    # One batch an epoch, so that the order of the images does not matter.
    quick, usual = (
        reg.pets_run(1, variant="L2 everywhere", pets=pets, quick=quick, **SMALL)
        for quick in (True, False)
    )
    assert quick["curves"]["loss"] == pytest.approx(usual["curves"]["loss"], rel=1e-4)
    assert quick["validation"] == pytest.approx(usual["validation"], rel=1e-4)


def test_training_pixels_set_the_scale():
    rng = np.random.default_rng(0)
    train, other = (
        Split(rng.integers(0, high, (10, 8, 8, 3), dtype=np.uint8), np.arange(10) % 2, ("a", "b"))
        for high in (256, 100)
    )
    (images, labels), (others, _) = reg.standardised(train, other)
    assert images.dtype == np.float32
    assert labels.shape == (10, 1)
    assert (images.mean(), images.std()) == pytest.approx((0, 1), abs=1e-4)
    assert others.mean() < -0.5


def test_an_unknown_variant_gets_the_nearest():
    with pytest.raises(ValueError, match="did you mean"):
        reg.pets_network("the blogs dropout", 1, (48, 48, 3))
