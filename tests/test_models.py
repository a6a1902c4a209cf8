"""The networks as the sources write them, argument by argument."""

import keras
import pytest
from keras import layers

from course_utils import models

RELU = {"activation": "relu"}
SLIDES = [
    ("conv1", layers.Conv2D, {"filters": 32, "kernel_size": (3, 3), **RELU}),
    ("pool1", layers.MaxPooling2D, {"pool_size": (2, 2)}),
    ("conv2", layers.Conv2D, {"filters": 64, "kernel_size": (3, 3), **RELU}),
    ("pool2", layers.MaxPooling2D, {"pool_size": (2, 2), "padding": "same"}),
    ("flatten", layers.Flatten, {}),
    ("dense1", layers.Dense, {"units": 64, **RELU}),
    ("output", layers.Dense, {"units": 10, "activation": "softmax"}),
]
CONV = {"kernel_size": 3, **RELU}
BLOG = [
    ("conv1", layers.Conv2D, {"filters": 64, "kernel_size": 3}),
    ("pool1", layers.MaxPooling2D, {"pool_size": 2}),
    ("conv2", layers.Conv2D, {"filters": 128, **CONV}),
    ("conv3", layers.Conv2D, {"filters": 128, **CONV}),
    ("pool2", layers.MaxPooling2D, {"pool_size": 2}),
    ("conv4", layers.Conv2D, {"filters": 256, **CONV}),
    ("conv5", layers.Conv2D, {"filters": 256, **CONV}),
    ("pool3", layers.MaxPooling2D, {"pool_size": 2}),
    ("flatten", layers.Flatten, {}),
    ("dense1", layers.Dense, {"units": 128, **RELU}),
    ("dense2", layers.Dense, {"units": 64, **RELU}),
    ("output", layers.Dense, {"units": 1, "activation": "sigmoid"}),
]


@pytest.mark.parametrize(
    ("build", "source", "parameters"),
    [(models.slides_network, SLIDES, 166_986), (models.blog_network, BLOG, 8_489_729)],
)
def test_every_argument_is_the_sources(build, source, parameters):
    model = build()
    assert model.count_params() == parameters
    assert not model.compiled
    assert [layer.name for layer in model.layers] == [name for name, _, _ in source]
    for layer, (name, kind, arguments) in zip(model.layers, source, strict=True):
        # The whole configuration, so that what the source leaves out is at its default.
        assert layer.get_config() == kind(name=name, **arguments).get_config()


def widths(model):
    return [getattr(layer, "filters", 0) or layer.units for layer in model.layers if layer.weights]


def test_scale_thins_all_but_the_output():
    assert widths(models.slides_network(0.5)) == [16, 32, 32, 10]
    assert widths(models.blog_network(0.1, (40, 50, 1))) == [6, 13, 13, 26, 26, 13, 6, 1]
    assert widths(models.slides_network(1e-9, classes=3)) == [1, 1, 1, 3]
    with pytest.raises(ValueError, match="scale must be above 0 .* got 0"):
        models.slides_network(0)


def test_one_class_is_a_sigmoid_unit():
    for classes, activation in ((1, keras.activations.sigmoid), (2, keras.activations.softmax)):
        output = models.slides_network(0.1, classes=classes).get_layer("output")
        assert (output.units, output.activation) == (classes, activation)


@pytest.mark.parametrize(
    ("build", "least"), [(models.slides_network, 8), (models.blog_network, 34)]
)
def test_the_smallest_images_still_leave_a_pixel(build, least):
    assert build(0.05, (least, least, 3)).get_layer("flatten").output.shape[1] > 0
    with pytest.raises(ValueError, match=f"at least {least}×{least} for this network: got"):
        build(0.05, (least, least - 1, 3))
    with pytest.raises(ValueError, match="must be .rows, columns, channels"):
        build(0.05, (least, least))
