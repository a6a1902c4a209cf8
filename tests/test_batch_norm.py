import keras
import numpy as np
import pytest

from course_utils import batch_norm

SIZE = {"input_shape": (12, 12, 1)}
SHORT = {"epochs": 2, "batch_size": 20, "seed": 1}


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 10, 40)
    images = rng.random((40, 12, 12, 1)) + labels[:, None, None, None] / 5
    return images.astype("float32"), labels


@pytest.fixture(scope="module")
def networks():
    return [
        batch_norm.compiled(0.1, momentum=momentum, dense=True, **SIZE) for momentum in (0.0, 0.9)
    ]


def test_normalizations_stand_between_layer_and_activation():
    network = batch_norm.normalised_network(0.25, momentum=0.7)
    kinds = [type(layer).__name__ for layer in network.layers]
    assert kinds[:3] == ["Conv2D", "BatchNormalization", "Activation"]
    assert kinds.count("BatchNormalization") == 2
    assert {norm.momentum for norm in batch_norm.norms(network)} == {0.7}
    assert not network.layers[0].use_bias
    assert network.layers[0].activation.__name__ == "linear"
    dense = batch_norm.normalised_network(0.25, dense=True)
    assert len(batch_norm.norms(dense)) == 3
    assert dense.layers[-1].activation.__name__ == "softmax"
    assert not batch_norm.norms(batch_norm.normalised_network(0.25, normalise=False))


def test_a_renewed_network_trains_as_a_new_one(data, networks):
    network = networks[1]
    first = batch_norm.train_anew(network, *data, 0.1, **SHORT)
    weights = network.get_weights()
    batch_norm.train_anew(network, *data, 0.3, **SHORT | {"seed": 2})
    assert batch_norm.train_anew(network, *data, 0.1, **SHORT) == pytest.approx(first)
    for old, new in zip(weights, network.get_weights(), strict=True):
        np.testing.assert_allclose(old, new, atol=1e-6)


def test_the_recording_gives_keras_own_averages_for_any_momentum(data, networks):
    recorded, normal = networks
    recorder = batch_norm.Recorder(recorded, every=2)
    batch_norm.train_anew(recorded, *data, 0.1, watch=recorder, **SHORT)
    batch_norm.train_anew(normal, *data, 0.1, **SHORT)
    assert recorder.steps == [2, 4]
    assert [len(seen["mean"]) for seen in recorder.statistics] == [4] * 3
    batch_norm.set_averages(recorded, recorder.statistics, 0.9, 4)
    for mine, theirs in zip(batch_norm.norms(recorded), batch_norm.norms(normal), strict=True):
        np.testing.assert_allclose(mine.moving_mean, theirs.moving_mean, rtol=1e-3, atol=1e-5)
        np.testing.assert_allclose(mine.moving_variance, theirs.moving_variance, rtol=1e-3)


def test_accuracies_by_momentum(data, networks):
    recorded = networks[0]
    recorder = batch_norm.Recorder(recorded, every=2)
    batch_norm.train_anew(recorded, *data, 0.1, watch=recorder, **SHORT)
    found = batch_norm.accuracy_by_momentum(recorded, recorder, [0.0, 1.0], *data)
    assert {name: len(values) for name, values in found.items()} == {0.0: 2, 1.0: 2}
    # With momentum 1 nothing moves: a mean of 0 and a variance of 1.
    for norm in batch_norm.norms(recorded):
        assert not norm.moving_mean.numpy().any()
        assert (norm.moving_variance.numpy() == 1).all()
    by_hand = np.mean(recorded(data[0]).numpy().argmax(axis=1) == data[1])
    assert found[1.0][-1] == pytest.approx(by_hand)


def test_recording_wants_momentum_0(networks):
    with pytest.raises(ValueError, match=r"momentum 0: got \[0.9"):
        batch_norm.Recorder(networks[1], every=1)


def test_moving_average_by_hand():
    found = batch_norm.moving_average([[2.0, 4.0], [6.0, 0.0]], 0.5, 0.0)
    np.testing.assert_allclose(found, [[1.0, 2.0], [3.5, 1.0]])
    with pytest.raises(ValueError, match="between 0 and 1"):
        batch_norm.moving_average([1.0], 1.5, 0.0)


def test_loss_slices_follow_the_gradient(data, networks):
    images, labels = data
    network = networks[0]
    path = batch_norm.Path(network, every=2)
    batch_norm.train_anew(network, *data, 0.1, watch=path, **SHORT)
    assert path.steps == [2, 4]
    sizes = [0.0, 1e-4, 1e-3]
    found = batch_norm.loss_slices(network, path.weights, [data, data], sizes)
    assert found.shape == (2, 3)
    # Against the gradient the loss falls, at first by the gradient's squared norm times the step.
    assert (np.diff(found, axis=1) < 0).all()
    network.set_weights(path.weights[1])
    losses = keras.losses.SparseCategoricalCrossentropy()
    assert found[1, 0] == pytest.approx(
        float(losses(labels, network(images, training=True))), rel=1e-4
    )


def test_batch_accuracy_uses_the_images_at_hand(data, networks):
    network = networks[1]
    batch_norm.train_anew(network, *data, 0.1, **SHORT)
    weights = network.get_weights()
    scores = network(data[0], training=True).numpy()
    expected = np.mean(scores.argmax(axis=1) == data[1])
    assert batch_norm.batch_accuracy(network, weights, *data) == pytest.approx(expected)
