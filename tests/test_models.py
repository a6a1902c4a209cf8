import keras
import pytest
from keras import layers

from course_utils import models

# The networks as the sources write them: every argument that is named there, nothing else.
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
SAME = {"kernel_size": 3, "padding": "SAME", **RELU}
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


def blog(penalty=None, dropout=False):
    """List the layers of model1, of model2 (a penalty), or of model3 (dropout)."""
    dropouts = [(f"dropout{n}", layers.Dropout, {"rate": 0.5}) for n in (1, 2) if dropout]
    regularizer = {"kernel_regularizer": penalty} if penalty else {}
    return [
        ("conv1", layers.Conv2D, {"filters": 64, "kernel_size": 3}),
        ("pool1", layers.MaxPooling2D, {"pool_size": 2}),
        ("conv2", layers.Conv2D, {"filters": 128, "kernel_size": 3, **RELU}),
        ("conv3", layers.Conv2D, {"filters": 128, "kernel_size": 3, **RELU}),
        ("pool2", layers.MaxPooling2D, {"pool_size": 2}),
        ("conv4", layers.Conv2D, {"filters": 256, "kernel_size": 3, **RELU}),
        ("conv5", layers.Conv2D, {"filters": 256, "kernel_size": 3, **RELU}),
        ("pool3", layers.MaxPooling2D, {"pool_size": 2}),
        ("flatten", layers.Flatten, {}),
        ("dense1", layers.Dense, {"units": 128, **RELU}),
        *dropouts[:1],
        ("dense2", layers.Dense, {"units": 64, **RELU, **regularizer}),
        *dropouts[1:],
        ("output", layers.Dense, {"units": 1, "activation": "sigmoid"}),
    ]


@pytest.mark.parametrize(
    ("build", "source", "shape", "parameters"),
    [
        (models.slides_network, SLIDES, (28, 28, 1), 166_986),
        (models.notes_network, NOTES, (28, 28, 1), 1_413_834),
        (models.blog_network, blog(), (150, 150, 3), 8_489_729),
        (
            lambda: models.blog_network("l2"),
            blog(penalty=keras.regularizers.l2(0.0001)),
            (150, 150, 3),
            8_489_729,
        ),
        (
            lambda: models.blog_network("dropout"),
            blog(dropout=True),
            (150, 150, 3),
            8_489_729,
        ),
    ],
)
def test_every_argument_of_the_sources(build, source, shape, parameters):
    model = build()
    assert isinstance(model, keras.Sequential)
    assert model.input_shape == (None, *shape)
    assert model.count_params() == parameters
    assert [layer.name for layer in model.layers] == [name for name, _, _ in source]
    for layer, (name, kind, arguments) in zip(model.layers, source, strict=True):
        assert type(layer) is kind
        # The whole configuration, so that what the source leaves out is at its default.
        assert layer.get_config() == kind(name=name, **arguments).get_config()


def test_models_are_not_compiled():
    for build in (models.slides_network, models.notes_network, models.blog_network):
        assert not build(scale=0.05).compiled


def test_the_slides_summary():
    model = models.slides_network()
    assert [layer.count_params() for layer in model.layers] == [320, 0, 18_496, 0, 0, 147_520, 650]
    assert [layer.output.shape[1:] for layer in model.layers[:5]] == [
        (26, 26, 32),
        (13, 13, 32),
        (11, 11, 64),
        (6, 6, 64),
        (2304,),
    ]


def test_one_penalty_on_the_64_units():
    model = models.blog_network("l2", scale=0.1)
    assert [layer.name for layer in model.layers if getattr(layer, "kernel_regularizer", None)] == [
        "dense2"
    ]
    assert models.blog_network("l2").get_layer("dense2").kernel.shape == (128, 64)


def widths(model):
    return [
        getattr(layer, "filters", getattr(layer, "units", None))
        for layer in model.layers
        if layer.weights
    ]


def test_scale_thins_all_but_the_output():
    assert widths(models.slides_network(0.5)) == [16, 32, 32, 10]
    assert widths(models.notes_network(0.25)) == [16, 32, 32, 64, 64, 32, 16, 10]
    assert widths(models.blog_network(scale=0.1)) == [6, 13, 13, 26, 26, 13, 6, 1]
    assert widths(models.slides_network(1e-9, classes=3)) == [1, 1, 1, 3]
    assert widths(models.slides_network(2)) == [64, 128, 128, 10]
    assert [layer.rate for layer in models.notes_network(0.1).layers if hasattr(layer, "rate")] == [
        0.5,
        0.5,
    ]


@pytest.mark.parametrize("build", [models.slides_network, models.notes_network])
def test_one_class_is_a_sigmoid_unit(build):
    output = build(0.1, classes=1).get_layer("output")
    assert (output.units, output.activation) == (1, keras.activations.sigmoid)
    output = build(0.1, classes=2).get_layer("output")
    assert (output.units, output.activation) == (2, keras.activations.softmax)


@pytest.mark.parametrize(
    ("options", "parameters", "kind"),
    [
        ({"pooling": "average"}, 166_986, layers.AveragePooling2D),
        ({"pooling": "strided"}, 213_162, layers.Conv2D),
        ({"pool2_padding": "valid"}, 121_930, layers.MaxPooling2D),
    ],
)
def test_options_of_the_slides_network(options, parameters, kind):
    model, plain = models.slides_network(**options), models.slides_network()
    assert model.count_params() == parameters
    assert type(model.get_layer("pool1")) is type(model.get_layer("pool2")) is kind
    if "pooling" in options:
        sizes = [[layer.output.shape for layer in m.layers] for m in (model, plain)]
        assert sizes[0] == sizes[1]


def test_activations_can_be_changed():
    def names(model):
        return [layer.activation.__name__ for layer in model.layers if hasattr(layer, "activation")]

    assert names(models.slides_network(0.1, activation="elu")) == ["elu"] * 3 + ["softmax"]
    strided = models.slides_network(0.1, activation="elu", pooling="strided")
    assert names(strided) == ["elu"] * 5 + ["softmax"]
    assert names(models.notes_network(0.1, activation="selu")) == ["selu"] * 7 + ["softmax"]
    assert names(models.blog_network(scale=0.1))[:2] == ["linear", "relu"]
    assert names(models.blog_network(scale=0.1, first_activation="relu"))[:2] == ["relu", "relu"]


@pytest.mark.parametrize(
    ("build", "least"),
    [
        (models.slides_network, 8),
        (lambda **k: models.slides_network(pool2_padding="valid", **k), 10),
        (lambda **k: models.slides_network(pool2_padding="valid", pooling="strided", **k), 12),
        (models.notes_network, 8),
        (models.blog_network, 34),
    ],
)
def test_the_smallest_image(build, least):
    assert build(scale=0.1, input_shape=(least, least, 1)).built
    with pytest.raises(ValueError, match=f"at least {least}×{least} for this network: got"):
        build(scale=0.1, input_shape=(least, least - 1, 1))


@pytest.mark.parametrize(
    ("shape", "classes", "parameters"),
    [
        ((28, 28, 1), 10, 166_986),
        ((28, 28, 1), 10, 1_413_834),
        ((150, 150, 3), 1, 8_489_729),
        ((784,), 10, 20_000),
    ],
)
def test_dense_baseline_is_matched(shape, classes, parameters):
    model = models.dense_baseline(shape, classes, parameters)
    assert abs(model.count_params() / parameters - 1) < 0.01
    assert [layer.name for layer in model.layers] == ["flatten", "dense1", "output"]
    assert model.output_shape == (None, classes)
    activations = [layer.activation.__name__ for layer in model.layers[1:]]
    assert activations == ["relu", "sigmoid" if classes == 1 else "softmax"]
    # No other number of hidden units comes nearer.
    one_unit = model.layers[0].output.shape[1] + 1 + classes
    assert abs(model.count_params() - parameters) <= one_unit / 2


@pytest.mark.parametrize(
    ("build", "sentence"),
    [
        (
            lambda: models.blog_network("dropuot"),
            "variant must be one of plain, l2, dropout: got 'dropuot'; did you mean 'dropout'?",
        ),
        (lambda: models.slides_network(pooling="mean"), "pooling must be one of max, average, str"),
        (lambda: models.slides_network(pool2_padding="sama"), "did you mean 'same'?"),
        (lambda: models.slides_network(0), "scale must be above 0 (1 is the source's network)"),
        (lambda: models.slides_network(float("nan")), "scale must be above 0"),
        (lambda: models.notes_network(classes=0), "classes must be at least 1"),
        (lambda: models.notes_network(input_shape=(28, 28)), "must be (rows, columns, channels)"),
        (
            lambda: models.dense_baseline((150, 150, 3), 1, 100_000),
            "parameters must be within 1 % of what a hidden layer can have: got 100,000; "
            "on 67,500 inputs the nearest is 67,503, with 1 hidden unit",
        ),
    ],
)
def test_bad_input_gets_one_sentence(build, sentence):
    with pytest.raises(ValueError, match=r"\w") as caught:
        build()
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)
