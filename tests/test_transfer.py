"""The network that notebook 07 pretrains, and what is done with it."""

import numpy as np
import pytest

from course_utils import transfer
from course_utils.data import Split, load
from course_utils.runs import Results


@pytest.fixture(scope="module")
def digits():
    return load("digits", "bundled")


@pytest.fixture(scope="module")
def tasks(digits):
    return transfer.digit_tasks(digits, images=1000, judge=60)


@pytest.fixture(scope="module")
def base():
    import keras

    keras.utils.set_random_seed(3)
    found = transfer.base_network(filters=(4, 6, 8))
    for layer in found.layers:
        if hasattr(layer, "moving_mean"):
            layer.moving_mean.assign(np.linspace(-1, 1, layer.moving_mean.shape[0]))
    return found


def few(tasks, each=4, seed=0):
    return transfer.moved(tasks.target.take(5 * each, seed=seed), seed=seed)


def test_the_base_scales_by_itself_and_gives_576_features():
    net = transfer.base_network()
    assert net.output_shape == (None, 576)
    assert net.count_params() == 23_632
    image = np.full((1, 28, 28, 1), 51, np.uint8)
    np.testing.assert_allclose(net.get_layer("scale")(image), 51 / 127.5 - 1, atol=1e-6)
    assert not any(layer.use_bias for layer in net.layers if hasattr(layer, "filters"))
    pets = transfer.base_network((48, 48, 3), (4, 4, 4, 4))
    assert pets.output_shape == (None, 3 * 3 * 4)


def test_a_head_shares_the_base_and_a_copy_does_not(base):
    model = transfer.with_head(base, 3)
    assert model.layers[0] is base
    assert model.output_shape == (None, 3)
    copy = transfer.copied(base)
    for one, other in zip(copy.weights, base.weights, strict=True):
        np.testing.assert_array_equal(one, other)
    copy.weights[0].assign(np.zeros(copy.weights[0].shape))
    assert np.any(base.weights[0])


def test_only_numbers_classes_from_0(digits):
    part = transfer.only(digits.validation, range(5, 10))
    assert part.class_names == ("5", "6", "7", "8", "9")
    wanted = digits.validation.labels[digits.validation.labels >= 5]
    np.testing.assert_array_equal(part.labels + 5, wanted)
    assert list(transfer.only(digits.validation, [2, 7]).counts()) == ["2", "7"]


def test_moved_images_are_the_same_elsewhere(digits):
    part = digits.train.take(30, seed=1)
    found = transfer.moved(part, copies=3, seed=5)
    assert len(found) == 90
    np.testing.assert_array_equal(found.labels, np.tile(part.labels, 3))
    offsets = set()
    for image, original in zip(found.images, np.tile(part.images, (3, 1, 1, 1)), strict=True):
        # Nothing is lost: the digits' margin is 4, and they are moved by no more.
        assert image.sum() == original.sum()
        corner = [int(np.flatnonzero(each.any(axis=(1, 2)))[0]) for each in (image, original)]
        offsets.add(corner[0] - corner[1])
    assert offsets == set(range(-4, 5))
    again = transfer.moved(part, copies=3, seed=5)
    np.testing.assert_array_equal(found.images, again.images)
    assert (transfer.moved(part, seed=6).images != found.images[:30]).any()
    np.testing.assert_array_equal(transfer.moved(part, seed=1, by=0).images, part.images)


def test_tasks_have_no_image_in_common(digits, tasks):
    assert len(tasks.source) == 541
    assert len(transfer.digit_tasks(digits, images=2200).source) == 4 * 541
    assert (len(tasks.source_validation), len(tasks.target_validation)) == (60, 60)
    assert tasks.source.class_names == ("0", "1", "2", "3", "4")
    assert tasks.target.class_names == ("5", "6", "7", "8", "9")
    other = transfer.digit_tasks(digits, images=1000, judge=60, seed=9)
    np.testing.assert_array_equal(other.target_validation.images, tasks.target_validation.images)
    assert (other.source.images != tasks.source.images).any()


def test_outputs_are_those_of_inference(base, tasks):
    images = tasks.target_validation.images
    before = [weight.numpy() for weight in base.weights]
    found = transfer.outputs(base, images, batch_size=7)
    np.testing.assert_allclose(found, base(images, training=False), rtol=1e-4, atol=1e-4)
    for weight, old in zip(base.weights, before, strict=True):
        np.testing.assert_array_equal(weight, old)


@pytest.mark.parametrize("way", transfer.WAYS)
def test_a_run_leaves_the_base_alone_and_repeats(way, base, tasks):
    before = [weight.numpy() for weight in base.weights]
    options = {"way": way, "base": base, "train": few(tasks), "steps": 6}
    options["validation"] = tasks.target_validation
    found = transfer.transfer_run(1, **options)
    transfer.transfer_run(2, **options)
    assert transfer.transfer_run(1, **options) == pytest.approx(found, abs=0.02)
    assert 0 <= found["accuracy"] <= 1
    assert ("drift" in found) == (way == "fine-tuned")
    for weight, old in zip(base.weights, before, strict=True):
        np.testing.assert_array_equal(weight, old)


def test_a_run_of_few_images_takes_other_ones_for_another_seed(base, tasks, monkeypatch):
    given = []
    monkeypatch.setattr(transfer, "transfer_run", lambda seed, **o: given.append(o["train"]) or {})
    for seed in (1, 1, 2):
        transfer.few_run(seed, way="frozen base", base=lambda seed: base, tasks=tasks, each=3)
    one, same, other = (split.images for split in given)
    assert one.shape == (15, 28, 28, 1)
    assert (one == same).all()
    assert (one != other).any()
    transfer.few_run(1, way="frozen base", base=base, tasks=tasks, each=3, place=False)
    assert given[-1].counts() == dict.fromkeys("56789", 3)
    assert (given[-1].images != one).any()
    transfer.few_run(1, way="frozen base", base=base, tasks=tasks, each=3, copies=4)
    assert given[-1].counts() == dict.fromkeys("56789", 12)
    assert (given[-1].images[:15] != given[-1].images[15:30]).any()


def test_an_unknown_way(base, tasks):
    with pytest.raises(ValueError, match="did you mean 'fine-tuned'"):
        transfer.transfer_run(
            0, way="fine tuned", base=base, train=few(tasks), validation=few(tasks)
        )


def test_the_rate_moves_the_weights(base, tasks):
    found = [transfer.tuned(0, base, few(tasks), rate=rate, steps=8)[1] for rate in (0, 1e-4, 1e-2)]
    assert found[0] == 0
    assert 0 < 10 * found[1] < found[2]


def test_training_from_scratch_learns(base, tasks):
    found = transfer.transfer_run(
        0,
        way="from scratch",
        base=base,
        train=few(tasks, each=2),
        validation=tasks.target_validation,
        steps=150,
    )
    assert found["training_accuracy"] > 0.8


def test_pretraining_learns_and_its_features_serve(tasks):
    model = transfer.pretrain(tasks.source, 6, seed=0, filters=(8, 16, 16))
    assert transfer.accuracy(model, *tasks.source_validation) > 0.5
    assert model.layers[0].name == "base"


@pytest.mark.parametrize("classes", [2, 3])
def test_the_solved_head_is_where_the_gradient_is_the_penalty(classes):
    rng = np.random.default_rng(classes)
    features, labels = rng.normal(3, 7, size=(60, 5)), np.arange(60) % classes
    kernel, bias = transfer.solved_head(features, labels)
    assert kernel.shape == (5, classes)
    assert bias.shape == (classes,)
    scores = features @ kernel + bias
    shares = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    off = shares - np.eye(classes)[labels]
    # scikit-learn minimizes the sum of cross-entropies + ½‖w‖², of one score where there are two;
    # here over the features divided by their spread, so that w is the kernel times it.
    spread = features.std()
    penalty = (2 if classes == 2 else 1) * kernel * spread
    np.testing.assert_allclose(features.T @ off / spread + penalty, 0, atol=0.02)
    np.testing.assert_allclose(off.sum(axis=0), 0, atol=0.02)


def test_the_size_of_features_does_not_matter_to_the_head():
    rng = np.random.default_rng(0)
    features, labels = rng.normal(size=(40, 30)), np.arange(40) % 4
    one, other = (transfer.solved_head(features * size, labels)[0] for size in (1, 0.001))
    np.testing.assert_allclose(one, other * 0.001, atol=1e-4)


def test_fine_tuning_begins_where_the_frozen_base_ends(base, tasks):
    options = {"base": base, "train": few(tasks), "validation": tasks.target_validation}
    frozen = transfer.transfer_run(0, way="frozen base", **options)
    tuned = transfer.transfer_run(0, way="fine-tuned", rate=0.0, steps=1, **options)
    # At a rate of 0 only the moving statistics of one step can make a difference.
    assert tuned["accuracy"] == pytest.approx(frozen["accuracy"], abs=0.1)
    assert tuned["drift"] == 0


def test_a_probe_of_features():
    rng = np.random.default_rng(0)
    labels = np.arange(40) % 4
    features = np.eye(4)[labels] + 0.05 * rng.normal(size=(40, 4))
    assert transfer.probe((features, labels), (features, labels)) == 1
    # Neither shift, scale, shape nor the order of features matter.
    changed = (1000 * features[:, ::-1] + 7).reshape(40, 2, 2)
    noisy = np.eye(4)[labels] + 0.8 * rng.normal(size=(40, 4))
    one = transfer.probe((features, labels), (noisy, labels))
    other = transfer.probe(
        (changed, labels), ((1000 * noisy[:, ::-1] + 7).reshape(40, 2, 2), labels)
    )
    assert 0.4 < one < 1
    assert one == other
    constant = np.ones((40, 3))
    assert transfer.probe((constant, labels), (constant, labels)) == 0.25


def test_depths_end_with_the_features(base, tasks):
    names, model = transfer.depths(base)
    assert names == ["pixels", "block 1", "block 2", "block 3"]
    images = tasks.target_validation.images[:2]
    found = model(images, training=False)
    assert [tuple(each.shape[1:]) for each in found] == [
        (28, 28, 1), (14, 14, 4), (7, 7, 6), (72,),
    ]  # fmt: skip
    np.testing.assert_allclose(found[0], images / 127.5 - 1, atol=1e-6)
    np.testing.assert_allclose(found[-1], transfer.outputs(base, images), atol=1e-5)


def test_neighbours_by_angle():
    gallery = np.array([[1, 0], [0, 1], [10, 1], [-1, 0]])
    np.testing.assert_array_equal(
        transfer.neighbours([[5, 0], [0, 0.1]], gallery, 3), [[0, 2, 1], [1, 2, 0]]
    )
    rate = transfer.same_class_rate([[5, 0]], [7], gallery, np.array([7, 1, 7, 1]), k=3)
    np.testing.assert_allclose(rate, [2 / 3])
    assert transfer.neighbours(np.zeros((1, 2)), gallery, 1).shape == (1, 1)
    for k in (0, 5):
        with pytest.raises(ValueError, match="k must be between 1 and 4"):
            transfer.neighbours([[1, 0]], gallery, k)


def test_results_by_way_are_of_whole_seeds():
    rows = [
        {
            "variant": f"digits, {way}, {n}",
            "seed": seed,
            "status": "ok",
            "error": None,
            "seconds": 1.0,
            "parameters": None,
            "metrics": {"accuracy": seed + n / 100 + k},
            "curves": {},
        }
        for seed in (1, 2, 3)
        for k, way in enumerate(transfer.WAYS)
        for n in (2, 10)
        if (seed, way, n) != (2, "frozen base", 10)
    ]
    found = transfer.by_way(Results(rows), (2, 10), "digits, ")
    assert list(found) == list(transfer.WAYS)
    np.testing.assert_allclose(found["untrained base"], [[2.02, 2.1], [4.02, 4.1]])


def test_drift_is_relative():
    assert transfer.drift(np.array([3.0, 4.0]), np.array([3.0, 4.0])) == 0
    assert transfer.drift(np.array([3.0, 4.0]), np.array([3.0, 4.5])) == pytest.approx(0.1)


def test_kernels_are_those_of_the_convolutions(base):
    assert transfer.kernels(base).shape == (9 * (4 + 4 * 6 + 6 * 8),)


def test_moved_keeps_what_it_was_given():
    split = Split(np.full((1, 28, 28, 1), 9, np.uint8), np.zeros(1, np.int64), ("a",))
    transfer.moved(split, seed=0)
    assert (split.images == 9).all()
