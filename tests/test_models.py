"""The networks as the sources write them, argument by argument."""

import keras
import pytest
from keras import layers

from course_utils import models

RELU = {"activation": "relu"}
SAME = {"kernel_size": 3, "padding": "SAME", **RELU}
SLIDES = [
    ("conv1", layers.Conv2D, {"filters": 32, "kernel_size": (3, 3), **RELU}),
    ("pool1", layers.MaxPooling2D, {"pool_size": (2, 2)}),
    ("conv2", layers.Conv2D, {"filters": 64, "kernel_size": (3, 3), **RELU}),
    ("pool2", layers.MaxPooling2D, {"pool_size": (2, 2), "padding": "same"}),
    ("flatten", layers.Flatten, {}),
    ("dense1", layers.Dense, {"units": 64, **RELU}),
    ("output", layers.Dense, {"units": 10, "activation": "softmax"}),
]
NOTES = [
    ("conv1", layers.Conv2D, {**SAME, "filters": 64, "kernel_size": 7}),
    ("pool1", layers.MaxPooling2D, {"pool_size": 2}),
    ("conv2", layers.Conv2D, {**SAME, "filters": 128}),
    ("conv3", layers.Conv2D, {**SAME, "filters": 128}),
    ("pool2", layers.MaxPooling2D, {"pool_size": 2}),
    ("conv4", layers.Conv2D, {**SAME, "filters": 256}),
    ("conv5", layers.Conv2D, {**SAME, "filters": 256}),
    ("pool3", layers.MaxPooling2D, {"pool_size": 2}),
    ("flatten", layers.Flatten, {}),
    ("dense1", layers.Dense, {"units": 128, **RELU}),
    ("dropout1", layers.Dropout, {"rate": 0.5}),
    ("dense2", layers.Dense, {"units": 64, **RELU}),
    ("dropout2", layers.Dropout, {"rate": 0.5}),
    ("output", layers.Dense, {"units": 10, "activation": "softmax"}),
]


def blog(dropout=False, **dense2):
    """List the layers of model1, of model2 (a regularizer of dense2), or of model3 (dropout)."""
    conv = {"kernel_size": 3, **RELU}
    dropouts = [(f"dropout{n}", layers.Dropout, {"rate": 0.5}) for n in (1, 2) if dropout]
    return [
        ("conv1", layers.Conv2D, {"filters": 64, "kernel_size": 3}),
        ("pool1", layers.MaxPooling2D, {"pool_size": 2}),
        ("conv2", layers.Conv2D, {"filters": 128, **conv}),
        ("conv3", layers.Conv2D, {"filters": 128, **conv}),
        ("pool2", layers.MaxPooling2D, {"pool_size": 2}),
        ("conv4", layers.Conv2D, {"filters": 256, **conv}),
        ("conv5", layers.Conv2D, {"filters": 256, **conv}),
        ("pool3", layers.MaxPooling2D, {"pool_size": 2}),
        ("flatten", layers.Flatten, {}),
        ("dense1", layers.Dense, {"units": 128, **RELU}),
        *dropouts[:1],
        ("dense2", layers.Dense, {"units": 64, **RELU, **dense2}),
        *dropouts[1:],
        ("output", layers.Dense, {"units": 1, "activation": "sigmoid"}),
    ]


@pytest.mark.parametrize(
    ("build", "options", "source", "parameters"),
    [
        ("slides_network", {}, SLIDES, 166_986),
        ("notes_network", {}, NOTES, 1_413_834),
        ("blog_network", {}, blog(), 8_489_729),
        (
            "blog_network",
            {"variant": "l2"},
            blog(kernel_regularizer=keras.regularizers.L2(0.0001)),
            8_489_729,
        ),
        ("blog_network", {"variant": "dropout"}, blog(dropout=True), 8_489_729),
    ],
)
def test_every_argument_is_the_sources(build, options, source, parameters):
    model = getattr(models, build)(**options)
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
    assert widths(models.notes_network(0.25)) == [16, 32, 32, 64, 64, 32, 16, 10]
    assert widths(models.blog_network(0.1, (40, 50, 1))) == [6, 13, 13, 26, 26, 13, 6, 1]
    assert widths(models.slides_network(1e-9, classes=3)) == [1, 1, 1, 3]


@pytest.mark.parametrize("build", ["slides_network", "notes_network"])
def test_one_class_is_a_sigmoid_unit(build):
    for classes, activation in ((1, keras.activations.sigmoid), (2, keras.activations.softmax)):
        output = getattr(models, build)(0.1, classes=classes).get_layer("output")
        assert (output.units, output.activation) == (classes, activation)


def test_the_smallest_images_still_leave_a_pixel():
    for name, least in (("slides_network", 8), ("notes_network", 8), ("blog_network", 34)):
        build = getattr(models, name)
        assert build(0.05, (least, least, 3)).get_layer("flatten").output.shape[1] > 0
        with pytest.raises(ValueError, match=f"at least {least}×{least} for this network: got"):
            build(0.05, (least, least - 1, 3))
        with pytest.raises(ValueError, match="must be .rows, columns, channels"):
            build(0.05, (least, least))


def test_what_cannot_be_built_gets_one_sentence():
    with pytest.raises(ValueError, match="scale must be above 0 .* got 0"):
        models.notes_network(0)
    with pytest.raises(ValueError, match="did you mean 'dropout'"):
        models.blog_network(0.1, variant="dropuot")
