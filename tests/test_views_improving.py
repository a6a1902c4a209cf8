import keras
import numpy as np
import pytest

from course_utils import training
from course_utils.views import improving as views

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 6, 6, 1)).astype("float32")
Y = (X.mean(axis=(1, 2, 3)) > 0).astype(int)


def network(momentum):
    model = keras.Sequential(
        [
            keras.Input((6, 6, 1)),
            keras.layers.Conv2D(3, 3, use_bias=False),
            keras.layers.BatchNormalization(momentum=momentum),
            keras.layers.Flatten(),
            keras.layers.Dense(2, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy")
    return training.restart(model, 3)


def test_the_map_marks_the_best_of_each_row_and_keras_defaults():
    shares = np.array([[[0.1, 0.2, 0.3], [0.3, 0.2, 0.1]], [[0.1, 0.9, 0.3], [0.5, 0.4, 0.1]]])
    given = shares, ["SGD", "Adam"], [0.001, 0.01, 0.1], [0.01, 0.001]
    figure, alt = views.draw_rate_map(*given, epoch=2)
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert texts == ["10%", "★90%", "30%", "★50%", "40%", "10%"]
    frames = [patch.get_xy() for patch in figure.axes[0].patches]
    assert np.allclose(frames, [(0.54, -0.44), (-0.46, 0.56)])
    assert "SGD 90% at 0.01, Adam 50% at 0.001" in alt
    view = views.rate_map(*given)
    assert view.controls["epoch"].value == 2
    view.controls["epoch"].value = 1
    assert "SGD 30% at 0.1" in view.picture.value


def test_averages_that_are_computed_afterwards_are_those_of_keras():
    trap = views.Trap(network(0.0), (X, Y), (X, Y), epochs=2, batch_size=16, seed=5, every=3)
    assert trap.steps == [3, 6]
    for momentum in (0.99, 0.6):
        model = network(momentum)
        training.fit(model, X, Y, epochs=2, batch_size=16, seed=5)
        (mean, variance), norm = trap.averages(momentum)[-1][0], model.layers[1]
        assert np.allclose(mean, norm.moving_mean, atol=1e-5)
        assert np.allclose(variance, norm.moving_variance, atol=1e-5)
        right = (np.argmax(model(X), axis=1) == Y).mean()
        assert trap.validated(momentum)[-1] == pytest.approx(right, abs=0.03)
        figure, alt = trap.draw(momentum)
        line = figure.axes[0].get_lines()[1].get_ydata()
        assert np.isclose(line[-1], variance, atol=1e-5).any()
        assert f"momentum {momentum:g}" in alt
        assert "in 6 steps" in alt


def test_momenta_train_to_the_same_weights_bit_for_bit():
    models = [network(momentum) for momentum in (0.0, 0.99)]
    for model in models:
        training.fit(model, X, Y, epochs=2, seed=1)
    kept = [[weights.numpy() for weights in model.trainable_weights] for model in models]
    assert all(map(np.array_equal, *kept))
    assert not np.array_equal(*(model.layers[1].moving_mean for model in models))


def test_a_trap_needs_averages_that_keep_nothing():
    with pytest.raises(ValueError, match="all of momentum 0"):
        views.Trap(network(0.9), (X, Y), (X, Y), epochs=1)
