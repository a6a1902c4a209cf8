import keras
import numpy as np
import pytest
from keras import layers

from course_utils import inspection, models

# Keras warns where a call is not quite as it should be; a notebook would show that.
pytestmark = pytest.mark.filterwarnings("error::UserWarning")


@pytest.fixture(scope="module")
def network():
    keras.utils.set_random_seed(1)
    return models.slides_network(scale=0.2)


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).random((5, 28, 28, 1), "float32")


def with_output(activation, units=2, last=None):
    """Build a network on 4×4×2 images whose maps are the image, and whose head is known.

    Unit 0 adds all of the first map, the next one adds all of the second.
    """
    model = keras.Sequential(
        [
            keras.Input((4, 4, 2)),
            layers.Conv2D(2, 1, use_bias=False, name="conv"),
            layers.Flatten(name="flatten"),
            layers.Dense(units, activation=activation, name="output"),
            *([last] if last else []),
        ]
    )
    model.get_layer("conv").set_weights([np.eye(2).reshape(1, 1, 2, 2)])
    kernel = np.zeros((4, 4, 2, units))
    kernel[:, :, 0, 0] = 1
    if units > 1:
        kernel[:, :, 1, 1] = 1
    else:
        kernel[:, :, 1, 0] = -1
    model.get_layer("output").set_weights([kernel.reshape(32, units), np.full(units, 0.25)])
    return model


@pytest.fixture
def spots():
    """One image: a spot at the top left of the first channel, one at the bottom of the second."""
    image = np.zeros((4, 4, 2), "float32")
    image[0, 0, 0], image[3, 1, 1] = 2, 5
    return image


def single(row, column):
    expected = np.zeros((4, 4))
    expected[row, column] = 1
    return expected


@pytest.mark.parametrize(
    ("activation", "last"),
    [
        ("softmax", None),
        ("linear", None),
        ("linear", layers.Softmax()),
        ("linear", layers.Activation("softmax")),
    ],
)
def test_grad_cam_known_by_hand(activation, last, spots):
    model = with_output(activation, last=last)
    # Class 0 is the first map alone (mean gradient 1), class 1 the second.
    np.testing.assert_allclose(inspection.grad_cam(model, spots, "conv", 0), single(0, 0))
    np.testing.assert_allclose(inspection.grad_cam(model, spots, "conv", 1), single(3, 1))


@pytest.mark.parametrize(
    ("activation", "last"), [("sigmoid", None), ("linear", layers.Activation("sigmoid"))]
)
def test_grad_cam_of_one_sigmoid_unit(activation, last, spots):
    # The logit is the first map minus the second: for class 1, and negated for class 0.
    model = with_output(activation, units=1, last=last)
    np.testing.assert_allclose(inspection.grad_cam(model, spots, "conv", 1), single(0, 0))
    np.testing.assert_allclose(inspection.grad_cam(model, spots, "conv", 0), single(3, 1))


def test_grad_cam_weighs_maps_by_their_mean_gradient():
    model = with_output("softmax")
    kernel = np.zeros((4, 4, 2, 2))
    kernel[0, 0, 0, 0] = 16  # mean gradient 1 on the first map
    kernel[:, :, 1, 0] = -0.5
    model.get_layer("output").set_weights([kernel.reshape(32, 2), np.zeros(2)])
    image = np.random.default_rng(3).random((4, 4, 2)).astype("float32")
    expected = np.maximum(image[..., 0] - 0.5 * image[..., 1], 0)
    found = inspection.grad_cam(model, image, "conv", 0)
    np.testing.assert_allclose(found, expected / expected.max(), rtol=1e-5)


def test_grad_cam_does_not_vanish_for_a_certain_class(spots):
    # The softmax gives this class probability 1 in float32, and so a gradient of 0.
    model = with_output("softmax")
    model.get_layer("output").bias.assign([500.0, 0.0])
    assert inspection.grad_cam(model, spots, "conv", 0).max() == 1


def test_grad_cam_enlarges_to_the_image(network, images):
    heatmap = inspection.grad_cam(network, images[0], "conv2", 3)
    assert heatmap.shape == (28, 28)
    assert heatmap.dtype == np.float32
    assert heatmap.min() >= 0
    assert heatmap.max() in (0, 1)


def test_grad_cam_of_frozen_weights(network, images):
    before = inspection.grad_cam(network, images[0], "conv1", 3)
    network.trainable = False
    frozen = inspection.grad_cam(network, images[0], "conv1", 3)
    network.trainable = True
    np.testing.assert_array_equal(frozen, before)


def test_grad_cam_without_evidence_is_all_zero(spots):
    model = with_output("softmax")
    np.testing.assert_array_equal(inspection.grad_cam(model, -spots, "conv", 0), np.zeros((4, 4)))


def test_grad_cam_when_dropout_is_in_the_network(images):
    model = models.notes_network(0.05)
    first, second = (inspection.grad_cam(model, images[0], "conv5", 1) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_normalise():
    np.testing.assert_allclose(inspection.normalise([[0, 2], [4, 1]]), [[0, 0.5], [1, 0.25]])
    np.testing.assert_array_equal(inspection.normalise(np.zeros((2, 2))), np.zeros((2, 2)))
    for bad in ([[np.nan, 1]], [[-1, 1]], [[np.inf, 1]]):
        with pytest.raises(ValueError, match="heatmap must hold finite values of at least 0"):
            inspection.normalise(bad)


def test_feature_maps_are_the_layers_outputs(network, images):
    expected = images
    for layer in network.layers:
        expected = layer(expected)
        found = inspection.feature_maps(network, images, layer.name, batch_size=2)
        assert isinstance(found, np.ndarray)
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_feature_maps_of_no_images(network, images):
    assert inspection.feature_maps(network, images[:0], "pool1").shape == (0, 13, 13, 6)


def test_feature_maps_take_whole_numbers(network):
    whole = np.full((1, 28, 28, 1), 7, "uint8")
    np.testing.assert_array_equal(
        inspection.feature_maps(network, whole, "conv1"),
        inspection.feature_maps(network, whole.astype("float32"), "conv1"),
    )


def test_filters(network):
    found = inspection.filters(network, "conv1")
    assert found.shape == (3, 3, 1, 6)
    np.testing.assert_array_equal(found, network.get_layer("conv1").get_weights()[0])
    depthwise = keras.Sequential([keras.Input((8, 8, 3)), layers.DepthwiseConv2D(3, name="depth")])
    assert inspection.filters(depthwise, "depth").shape == (3, 3, 3, 1)


def corner_network(units=2):
    """Build a network whose first class is as likely as the 2×2 corner at the top left is bright.

    The last class of two has the logit 0; one sigmoid unit has the corner's sum as its logit.
    """
    model = keras.Sequential(
        [
            keras.Input((6, 8, 1)),
            layers.Flatten(),
            layers.Dense(units, activation="softmax" if units > 1 else "sigmoid", name="output"),
        ]
    )
    kernel = np.zeros((6, 8, units))
    kernel[:2, :2, 0] = 1
    model.get_layer("output").set_weights([kernel.reshape(48, units), np.zeros(units)])
    return model


def corner_image():
    image = np.zeros((6, 8, 1), "float32")
    image[:2, :2], image[4:, 6:] = 1, 1
    return image


@pytest.mark.parametrize(
    ("units", "class_index", "sign"), [(2, 0, 1), (2, 1, -1), (1, 1, 1), (1, 0, -1)]
)
def test_occlusion_finds_the_corner(units, class_index, sign):
    image = corner_image()
    drop = inspection.occlusion(corner_network(units), image, class_index, patch=2, stride=2)
    expected = np.zeros((6, 8))

    def sigmoid(z):
        return 1 / (1 + np.exp(-z))

    # The corner becomes as bright as the mean of the image, 8 / 48.
    expected[:2, :2] = sign * (sigmoid(4) - sigmoid(4 * 8 / 48))
    np.testing.assert_allclose(drop, expected, atol=1e-6)
    assert drop.dtype == np.float32


def test_occlusion_averages_the_patches_that_cover_a_pixel():
    drop = inspection.occlusion(corner_network(), corner_image(), 0, patch=2, stride=1)
    whole = inspection.occlusion(corner_network(), corner_image(), 0, patch=2, stride=2)[0, 0]
    # Pixel (0, 0) is in one patch, which covers the corner; (1, 1) is in four, one of them whole.
    assert drop[0, 0] == pytest.approx(whole)
    assert 0 < drop[1, 1] < whole
    assert 0 < drop[2, 2] < drop[1, 1]
    np.testing.assert_allclose(drop[3:], 0, atol=1e-6)
    np.testing.assert_allclose(drop[:, 3:], 0, atol=1e-6)


def test_occlusion_covers_the_border_too():
    model = corner_network()
    kernel = np.zeros((6, 8, 2))
    kernel[5, 7, 0] = 1  # only the last pixel counts, which a stride of 4 would miss
    model.get_layer("output").set_weights([kernel.reshape(48, 2), np.zeros(2)])
    drop = inspection.occlusion(model, corner_image(), 0, patch=4, stride=4)
    assert drop[5, 7] > 0.1
    assert drop[0, 0] == 0


def test_occlusion_fills_with_the_mean_of_each_channel():
    image = np.zeros((4, 4, 2), "float32")
    image[..., 0], image[..., 1] = 0.03, 0.07
    np.testing.assert_allclose(
        inspection.occlusion(with_output("softmax"), image, 0, 2, 1), 0, atol=1e-6
    )


def test_occlusion_takes_a_linear_output_for_logits():
    linear = with_output("linear")
    image = np.random.default_rng(5).random((4, 4, 2)).astype("float32")
    np.testing.assert_allclose(
        inspection.occlusion(linear, image, 0, 2, 1),
        inspection.occlusion(with_output("softmax"), image, 0, 2, 1),
        atol=1e-6,
    )


def test_occlusion_does_not_depend_on_the_batch_size(network, images):
    whole = inspection.occlusion(network, images[0], 2, 7, 4)
    parts = inspection.occlusion(network, images[0], 2, 7, 4, batch_size=3)
    np.testing.assert_allclose(whole, parts, atol=1e-6)
    assert whole.shape == (28, 28)


def box(shape, rows, columns):
    mask = np.zeros(shape, bool)
    mask[rows, columns] = True
    return mask


@pytest.mark.parametrize(
    ("layer", "position", "rows", "columns"),
    [
        ("conv1", (0, 0), slice(0, 3), slice(0, 3)),
        ("pool1", (2, 5), slice(4, 8), slice(10, 14)),
        ("conv2", (4, 4), slice(8, 16), slice(8, 16)),
        ("pool2", (3, 0), slice(12, 22), slice(0, 10)),
        # "same" pads below and to the right, so the last window is cut.
        ("pool2", (5, 5), slice(20, 28), slice(20, 28)),
        ("dense1", 0, slice(0, 28), slice(0, 28)),
        ("output", (9,), slice(0, 28), slice(0, 28)),
    ],
)
def test_input_gradient_mask_of_the_slides_network(network, layer, position, rows, columns):
    mask = inspection.input_gradient_mask(network, layer, position)
    np.testing.assert_array_equal(mask, box((28, 28), rows, columns))


def test_input_gradient_mask_shows_the_gaps_of_a_dilated_kernel():
    model = keras.Sequential(
        [keras.Input((9, 9, 1)), layers.Conv2D(1, 3, dilation_rate=3, name="conv")]
    )
    mask = inspection.input_gradient_mask(model, "conv", (1, 2))
    expected = np.zeros((9, 9), bool)
    expected[np.ix_([1, 4, 7], [2, 5, 8])] = True
    np.testing.assert_array_equal(mask, expected)


@pytest.mark.parametrize(
    "hides",
    [
        layers.ReLU(),
        layers.ReLU(max_value=0.0),
        layers.PReLU(),
        layers.Activation("sigmoid"),
        layers.BatchNormalization(gamma_initializer="zeros"),
        layers.Softmax(),
        layers.GlobalMaxPooling2D(keepdims=True),
    ],
)
def test_input_gradient_mask_is_not_hidden_by_layers_or_weights(hides):
    hides.name = "hides"
    model = keras.Sequential(
        [keras.Input((5, 5, 2)), layers.Conv2D(3, 3, name="conv"), hides], name="whole"
    )
    model.get_layer("conv").set_weights([np.full((3, 3, 2, 3), -1.0), np.full(3, -9.0)])
    before = model.get_weights()
    mask = inspection.input_gradient_mask(model, "hides", (0, 0))
    whole = isinstance(hides, layers.GlobalMaxPooling2D)
    size = slice(0, 5) if whole else slice(0, 3)
    np.testing.assert_array_equal(mask, box((5, 5), size, size))
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


@pytest.mark.parametrize(
    "merge", [layers.Maximum, layers.Minimum, layers.Subtract, layers.Multiply]
)
def test_input_gradient_mask_does_not_cancel_where_branches_meet(merge):
    image = keras.Input((7, 7, 1))
    maps = layers.Conv2D(1, 3, padding="same", name="conv")(image)
    model = keras.Model(image, merge(name="joined")([maps, maps]))
    mask = inspection.input_gradient_mask(model, "joined", (3, 3))
    np.testing.assert_array_equal(mask, box((7, 7), slice(2, 5), slice(2, 5)))


def test_input_gradient_mask_is_not_hidden_by_a_saturated_activation():
    stack = [layers.Rescaling(9), layers.Conv2D(2, 3, activation="hard_tanh", name="conv")]
    model = keras.Sequential([keras.Input((5, 5, 1)), *stack])
    mask = inspection.input_gradient_mask(model, "conv", (1, 2))
    np.testing.assert_array_equal(mask, box((5, 5), slice(1, 4), slice(2, 5)))


def test_input_gradient_mask_of_a_deep_stack():
    stack = [layers.Conv2D(4, 3, padding="same", name=f"conv{n}") for n in range(12)]
    stack += [layers.DepthwiseConv2D(3, padding="same", name=f"depth{n}") for n in range(12)]
    model = keras.Sequential([keras.Input((61, 61, 3)), *stack])
    mask = inspection.input_gradient_mask(model, "depth11", (30, 30))
    np.testing.assert_array_equal(mask, box((61, 61), slice(6, 55), slice(6, 55)))


def no_way_back():
    """Build a network whose gradient stops between the maps and the output."""
    image = keras.Input((28, 28, 1))
    maps = keras.ops.stop_gradient(layers.Conv2D(2, 1, name="maps")(image))
    return keras.Model(image, layers.Dense(2)(layers.GlobalAveragePooling2D()(maps)))


def two_outputs():
    image = keras.Input((28, 28, 1))
    means = layers.GlobalAveragePooling2D()(layers.Conv2D(2, 1, name="maps")(image))
    return keras.Model(image, [layers.Dense(2)(means), layers.Dense(2)(means)])


def two_inputs():
    first, second = keras.Input((28, 28, 1)), keras.Input((28, 28, 1))
    return keras.Model([first, second], layers.Add(name="joined")([first, second]))


def maps_at_the_end():
    return keras.Sequential([keras.Input((4, 4, 1)), layers.Conv2D(2, 1, name="conv")])


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (
            lambda m, x: inspection.grad_cam(m, x, "cnv2", 0),
            "layer must be one of conv1, pool1, conv2, pool2, flatten, dense1, output: "
            "got 'cnv2'; did you mean 'conv2'?",
        ),
        (
            lambda m, x: inspection.grad_cam(m, x, "dense1", 0),
            "layer must make feature maps (rows, columns, channels): 'dense1' makes (13,); "
            "these do: conv1, pool1, conv2, pool2",
        ),
        (
            lambda m, x: inspection.grad_cam(m, x[..., 0], "conv2", 0),
            "image must have the shape (28, 28, 1) of the model's input: got (28, 28)",
        ),
        (
            lambda m, x: inspection.grad_cam(m, x[None], "conv2", 0),
            "image must have the shape (28, 28, 1) of the model's input: got (1, 28, 28, 1)",
        ),
        (lambda m, x: inspection.grad_cam(m, x, "conv2", 10), "class_index must be 0 to 9: got 10"),
        (lambda m, x: inspection.grad_cam(m, x, "conv2", -1), "class_index must be 0 to 9: got -1"),
        (
            lambda m, x: inspection.grad_cam(maps_at_the_end(), x[:4, :4], "conv", 0),
            "model must end in one value a class: it makes (4, 4, 2)",
        ),
        (
            lambda m, x: inspection.grad_cam(no_way_back(), x, "maps", 0),
            "layer must lead to the model's output: 'maps' does not",
        ),
        (
            lambda m, x: inspection.grad_cam(two_outputs(), x, "maps", 0),
            "model must have one output: it has 2",
        ),
        (
            lambda m, x: inspection.feature_maps(two_inputs(), x[None], "joined"),
            "model must have one input, the image: it has 2",
        ),
        (
            lambda m, x: inspection.feature_maps(m, x, "conv1"),
            "images must have the shape (number, 28, 28, 1) of the model's input: got (28, 28, 1)",
        ),
        (
            lambda m, x: inspection.feature_maps(m, x[None], "conv"),
            "did you mean 'conv",
        ),
        (
            lambda m, x: inspection.filters(m, "dense1"),
            "layer must be a convolution: 'dense1' is a Dense; convolutions here: conv1, conv2",
        ),
        (lambda m, x: inspection.occlusion(m, x, 0, 0, 1), "patch must be 1 to 28 pixels: got 0"),
        (lambda m, x: inspection.occlusion(m, x, 0, 29, 1), "patch must be 1 to 28 pixels: got 29"),
        (
            lambda m, x: inspection.occlusion(m, x, 0, 4, 5),
            "stride must be 1 to the patch's 4 pixels: got 5",
        ),
        (lambda m, x: inspection.occlusion(m, x, 0, 4, 0), "stride must be 1 to the patch's 4"),
        (
            lambda m, x: inspection.input_gradient_mask(m, "conv1", (26, 0)),
            "position must lie in the 26×26 units of 'conv1': got (26, 0)",
        ),
        (
            lambda m, x: inspection.input_gradient_mask(m, "conv1", 3),
            "position must lie in the 26×26 units of 'conv1': got 3",
        ),
        (
            lambda m, x: inspection.input_gradient_mask(m, "output", (1, 1)),
            "position must lie in the 10 units of 'output': got (1, 1)",
        ),
    ],
)
def test_bad_input_gets_one_sentence(network, images, call, sentence):
    with pytest.raises(ValueError, match=r"\w") as caught:
        call(network, images[0])
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)
