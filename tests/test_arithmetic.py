import random

import keras
import numpy as np
import pytest
from keras import layers

from course_utils import models
from course_utils.arithmetic import cost, ledger, receptive_fields
from course_utils.inspection import input_gradient_mask
from course_utils.layers import BlurPooling, DepthPooling


def sequential(*stack, shape=(28, 28, 3)):
    return keras.Sequential([keras.Input(shape), *stack])


def row(table, name):
    return table[table["layer"] == name].iloc[0]


def column(table, name):
    return table[name].tolist()


def test_slides_network_audited():
    table = ledger(models.slides_network())
    assert column(table, "parameters") == [320, 0, 18_496, 0, 0, 147_520, 650]
    assert column(table, "receptive_field") == [3, 4, 8, 10, 28, 28, 28]
    assert column(table, "jump") == [1, 2, 2, 4, 0, 0, 0]
    assert column(table, "output_shape") == [
        (26, 26, 32),
        (13, 13, 32),
        (11, 11, 64),
        (6, 6, 64),
        (2304,),
        (64,),
        (10,),
    ]
    assert column(table, "multiply_adds") == [194_688, 0, 2_230_272, 0, 0, 147_456, 640]
    dense = row(table, "dense1")
    assert dense["parameters"] / table["parameters"].sum() == pytest.approx(0.88, abs=0.005)
    assert dense["multiply_adds"] / table["multiply_adds"].sum() == pytest.approx(0.06, abs=0.005)


def test_notes_network_audited():
    table = ledger(models.notes_network())
    assert table["parameters"].sum() == 1_413_834
    assert row(table, "pool3")["receptive_field"] == 38
    # Doubling the filters after each pooling keeps the work of a block's second convolution.
    doubled = [row(table, name)["multiply_adds"] for name in ("conv3", "conv5")]
    assert doubled == [28_901_376, 28_901_376]


def test_blog_network_audited():
    table = ledger(models.blog_network())
    assert table["parameters"].sum() == 8_489_729
    assert row(table, "pool3")["receptive_field"] == 34
    # 31 → 15 leaves out the last row and column of the maps, and so four pixels of the image.
    assert row(table, "flatten")["receptive_field"] == 146


def test_what_no_pixel_reaches_is_measured_too():
    mask = input_gradient_mask(models.blog_network(scale=0.02), "dense1", 0)
    assert mask[:146, :146].all()
    assert not mask[146:].any()
    assert not mask[:, 146:].any()


def test_columns_are_whole_numbers():
    table = ledger(models.slides_network(scale=0.1))
    assert list(table.columns) == [
        "layer",
        "type",
        "output_shape",
        "parameters",
        "multiply_adds",
        "receptive_field",
        "jump",
    ]
    for name in ("parameters", "multiply_adds", "receptive_field", "jump"):
        assert table[name].dtype == np.int64
    assert column(table, "type")[:2] == ["Conv2D", "MaxPooling2D"]


def every_layer():
    return sequential(
        layers.Rescaling(1 / 255, name="rescaling"),
        layers.RandomFlip(name="flip"),
        layers.ZeroPadding2D(((1, 2), (0, 3)), name="zeros"),
        layers.Conv2D(6, 3, groups=3, strides=2, use_bias=False, name="grouped"),
        layers.BatchNormalization(name="batch"),
        layers.LeakyReLU(name="leaky"),
        layers.PReLU(shared_axes=[1, 2], name="prelu"),
        layers.DepthwiseConv2D(3, depth_multiplier=2, padding="same", name="depthwise"),
        layers.SeparableConv2D(8, 3, depth_multiplier=2, dilation_rate=2, name="separable"),
        layers.LayerNormalization(name="layer"),
        layers.ELU(name="elu"),
        layers.SpatialDropout2D(0.2, name="spatial"),
        layers.AveragePooling2D(3, strides=2, padding="same", name="average"),
        layers.Dense(5, name="pointwise"),
        layers.Activation("tanh", name="tanh"),
        layers.MaxPooling2D(2, name="max"),
        layers.GlobalAveragePooling2D(name="global"),
        layers.Reshape((5,), name="reshape"),
        layers.Dense(4, use_bias=False, name="logits"),
        layers.Softmax(name="softmax"),
    )


def test_every_kind_of_layer():
    model = every_layer()
    table = ledger(model)
    assert column(table, "layer") == [layer.name for layer in model.layers]
    assert column(table, "output_shape") == [layer.output.shape[1:] for layer in model.layers]
    assert column(table, "parameters") == [layer.count_params() for layer in model.layers]
    assert table["parameters"].sum() == model.count_params()
    work = {name: n for name, n in zip(table["layer"], table["multiply_adds"], strict=True) if n}
    # 28 + 3 padded: 15×15 with strides 2; 11×11 after the dilated kernel of 5; 6×6 after pooling.
    assert work == {
        "grouped": 15 * 15 * 9 * 1 * 6,
        "depthwise": 15 * 15 * 9 * 6 * 2,
        "separable": 11 * 11 * (9 * 12 * 2 + 24 * 8),
        "pointwise": 6 * 6 * 8 * 5,
        "logits": 5 * 4,
    }
    assert cost(model) == {
        "parameters": model.count_params(),
        "multiply_adds": sum(work.values()),
    }


def test_every_kind_of_layer_sees_what_the_gradient_shows():
    model = every_layer()
    for layer in model.layers:
        if len(layer.output.shape) == 4:
            assert_measured(model, layer.name)


def assert_measured(model, name, positions=None):
    """Compare the predicted window, cut at the borders, with the gradient's mask."""
    fields = receptive_fields(model)[name]
    shape = model.get_layer(name).output.shape[1:3]
    position = positions or tuple(size // 2 for size in shape)
    mask = input_gradient_mask(model, name, position)
    for axis, (field, place) in enumerate(zip(fields, position, strict=True)):
        window = field.window(place)
        seen = np.flatnonzero(mask.any(axis=1 - axis))
        first, stop = max(window.start, 0), min(window.stop, mask.shape[axis])
        assert (seen[0], seen[-1] + 1) == (first, stop), (name, axis, field)


def random_layer(rng, name):
    """Draw a layer whose strides are at most its kernel, so that its windows leave no gaps."""
    padding = rng.choice(["valid", "same"])
    kernel = (rng.randint(1, 4), rng.randint(1, 4))
    strides = (rng.randint(1, min(kernel[0], 2)), rng.randint(1, min(kernel[1], 2)))
    kind = rng.choice(["conv", "conv", "dilated", "max", "average", "depthwise", "separable"])
    same = {"padding": padding, "name": name}
    if kind == "conv":
        return layers.Conv2D(3, kernel, strides, activation="relu", **same)
    if kind == "dilated":
        return layers.Conv2D(2, kernel, dilation_rate=(2, 1), **same)
    if kind == "max":
        return layers.MaxPooling2D(kernel, strides, **same)
    if kind == "average":
        return layers.AveragePooling2D(kernel, strides, **same)
    # TensorFlow has only equal strides for these.
    if kind == "depthwise":
        return layers.DepthwiseConv2D(kernel, min(strides), **same)
    return layers.SeparableConv2D(4, kernel, min(strides), **same)


def random_stack(seed):
    rng = random.Random(seed)
    stack = [random_layer(rng, f"layer{number}") for number in range(rng.randint(2, 4))]
    return sequential(*stack, shape=(64, 60, 2))


@pytest.mark.parametrize("seed", range(24))
def test_receptive_field_is_measured_on_random_stacks(seed):
    model = random_stack(seed)
    table, fields = ledger(model), receptive_fields(model)
    for layer in model.layers:
        assert_measured(model, layer.name)
        rows, columns = fields[layer.name]
        expected = rows.size if rows.size == columns.size else (rows.size, columns.size)
        assert row(table, layer.name)["receptive_field"] == expected
        expected = rows.jump if rows.jump == columns.jump else (rows.jump, columns.jump)
        assert row(table, layer.name)["jump"] == expected


def residual(strides=1, second_kernel=3):
    image = keras.Input((24, 24, 3))
    start = layers.Conv2D(4, 3, padding="same", name="stem")(image)
    long = layers.Conv2D(4, 3, strides=strides, padding="same", name="long1")(start)
    long = layers.Conv2D(4, second_kernel, padding="same", name="long2")(long)
    short = layers.Conv2D(4, 1, strides=2, name="short")(start) if strides == 2 else start
    joined = layers.Add(name="joined")([long, short])
    return keras.Model(image, layers.Activation("relu", name="relu")(joined + joined))


@pytest.mark.parametrize("strides", [1, 2])
def test_residual_branches_take_the_largest_field(strides):
    model = residual(strides)
    table = ledger(model)
    assert row(table, "joined")["receptive_field"] == row(table, "long2")["receptive_field"]
    assert row(table, "joined")["jump"] == strides
    assert table["parameters"].sum() == model.count_params()
    assert_measured(model, "joined")
    assert_measured(model, "relu")


def test_branches_with_windows_side_by_side_see_both():
    # With "same", an even kernel looks to the right; zeros in front make the other look left.
    image = keras.Input((20, 20, 1))
    right = layers.Conv2D(1, 4, padding="same", name="right")(image)
    left = layers.ZeroPadding2D(((3, 0), (3, 0)), name="zeros")(image)
    left = layers.Conv2D(1, 4, name="left")(left)
    model = keras.Model(image, layers.Concatenate(name="both")([right, left]))
    assert row(ledger(model), "both")["receptive_field"] == 6
    assert receptive_fields(model)["both"][0] == (6, 1, -3)
    assert_measured(model, "both")


def test_squeeze_and_excitation_sees_everything():
    image = keras.Input((12, 12, 4))
    squeezed = layers.GlobalAveragePooling2D(keepdims=True, name="squeeze")(image)
    weights = layers.Conv2D(4, 1, activation="sigmoid", name="excite")(squeezed)
    model = keras.Model(image, layers.Multiply(name="scaled")([image, weights]))
    assert column(ledger(model), "receptive_field") == [12, 12, 12]
    assert column(ledger(model), "jump") == [0, 0, 0]
    assert input_gradient_mask(model, "scaled", (3, 3)).all()


@pytest.mark.parametrize(
    ("layer", "everything"),
    [
        (layers.GroupNormalization(2, name="normalize"), True),
        (layers.LayerNormalization(axis=[1, 2, 3], name="normalize"), True),
        (layers.LayerNormalization(name="normalize"), False),
        (layers.LayerNormalization(axis=3, name="normalize"), False),
        (layers.BatchNormalization(name="normalize"), False),
        (layers.Softmax(axis=[1, 2], name="normalize"), True),
    ],
)
def test_normalization_over_positions_sees_everything(layer, everything):
    model = sequential(layers.Conv2D(4, 3, name="conv"), layer, shape=(9, 9, 1))
    assert row(ledger(model), "normalize")["receptive_field"] == (9 if everything else 3)
    if layer.__class__.__name__ != "Softmax":
        assert input_gradient_mask(model, "normalize", (1, 1)).all() == everything


def test_nested_models_are_expanded():
    block = sequential(
        layers.Conv2D(4, 3, name="conv"), layers.MaxPooling2D(name="pool"), shape=(28, 28, 3)
    )
    block.name = "block"
    inner = keras.Input((13, 13, 4))
    square = keras.Model(inner, layers.Conv2D(4, 3, padding="same", name="conv")(inner))
    square.name = "square"
    image = keras.Input((28, 28, 3))
    model = keras.Model(image, layers.Flatten(name="flatten")(square(square(block(image)))))
    table = ledger(model)
    assert column(table, "layer") == [
        "block/conv",
        "block/pool",
        "square/conv",
        "square/conv",
        "flatten",
    ]
    assert column(table, "receptive_field") == [3, 4, 8, 12, 28]
    # The shared model counts once, but works twice.
    assert table["parameters"].sum() == model.count_params()
    assert column(table, "multiply_adds")[2:4] == [13 * 13 * 9 * 4 * 4] * 2
    assert ledger(keras.Sequential([block, square]))["layer"].tolist() == column(table, "layer")[:3]


def test_nested_models_side_by_side_are_expanded_too():
    image = keras.Input((9, 9, 1))
    blocks = [sequential(layers.Conv2D(n, 3, name="conv"), shape=(9, 9, 1)) for n in (2, 3)]
    plain = layers.Conv2D(4, 3, name="plain")(image)
    joined = layers.Concatenate(name="joined")([*(block(image) for block in blocks), plain])
    table = ledger(keras.Model(image, joined))
    assert sorted(column(table, "parameters")) == [0, 20, 30, 40]
    assert row(table, "joined")["output_shape"] == (7, 7, 9)
    assert row(table, "joined")["receptive_field"] == 3


def test_dense_networks():
    table = ledger(models.dense_baseline((28, 28, 1), 10))
    assert column(table, "receptive_field") == [28, 28, 28]
    table = ledger(sequential(layers.Dense(3), layers.Dense(2), shape=(784,)))
    assert column(table, "receptive_field") == [784, 784]
    assert column(table, "multiply_adds") == [784 * 3, 6]
    image = sequential(
        layers.Reshape((8, 8, 1)), layers.Conv2D(2, 3), layers.Flatten(), shape=(8, 8)
    )
    assert column(ledger(image), "receptive_field") == [1, 3, 8]


def test_reshaping_what_sees_everything_changes_nothing():
    model = sequential(
        layers.Flatten(), layers.Dense(12), layers.Reshape((2, 2, 3)), shape=(8, 6, 1)
    )
    assert column(ledger(model), "receptive_field") == [(8, 6)] * 3


class Shift(layers.Layer):
    """A layer that names its own window, as the course's layers do."""

    def receptive_field_step(self):
        return (3, 1), (2, 1), 1

    def call(self, inputs):
        return inputs[:, 1:-1:2]


class Counted(Shift):
    def multiply_adds(self, input_shape):
        return input_shape[0] * 7


def test_layers_that_describe_themselves():
    table = ledger(sequential(Shift(), Counted(), shape=(15, 15, 1)))
    assert column(table, "receptive_field") == [(3, 1), (7, 1)]
    assert column(table, "jump") == [(2, 1), (4, 1)]
    assert column(table, "multiply_adds") == [0, 49]


@pytest.mark.parametrize("padding", ["reflect", "same"])
def test_layers_of_the_course(padding):
    model = sequential(
        layers.Conv2D(6, 3, name="conv"),
        DepthPooling(3, name="depth"),
        BlurPooling(5, 2, padding, name="blur"),
        BlurPooling(3, 2, padding, name="again"),
    )
    table = ledger(model)
    assert column(table, "receptive_field") == [3, 3, 7, 11]
    assert column(table, "jump") == [1, 1, 2, 4]
    assert column(table, "multiply_adds")[1:] == [0, 13 * 13 * 25 * 2, 7 * 7 * 9 * 2]
    for name in ("depth", "blur", "again"):
        assert_measured(model, name)


class Mystery(keras.layers.Layer):
    def call(self, inputs):
        return inputs


class Subclassed(keras.Model):
    def call(self, inputs):
        return inputs


def two_inputs():
    first, second = keras.Input((4, 4, 1)), keras.Input((4, 4, 1))
    return keras.Model([first, second], layers.Add()([first, second]), name="pair")


def joined_over_rows():
    image = keras.Input((4, 4, 1))
    return keras.Model(image, layers.Concatenate(axis=1, name="tall")([image, image]))


def different_jumps():
    image = keras.Input((8, 8, 1))
    pooled = layers.MaxPooling2D(name="pool")(image)
    cut = layers.Conv2D(1, 5, name="conv")(image)
    return keras.Model(image, layers.Add(name="joined")([pooled, cut]))


@pytest.mark.parametrize(
    ("model", "sentence"),
    [
        (lambda: sequential(Mystery(name="odd")), "does not know the layer 'odd' (Mystery)"),
        (lambda: sequential(layers.UpSampling2D(name="up")), "'up' (UpSampling2D)"),
        (lambda: sequential(layers.Reshape((14, 56, 3), name="wide")), "'wide' (Reshape)"),
        (lambda: keras.Sequential([layers.Dense(3)], name="new"), "'new' does not know its input"),
        (Subclassed, "keras.Sequential or a functional keras.Model: got a subclassed model"),
        (lambda: "slides", "keras.Sequential or a functional keras.Model: got a str"),
        (lambda: sequential(layers.Conv2D(2, 3), shape=(None, None, 3)), "input of fixed size"),
        (two_inputs, "model must have one input: 'pair' has 2"),
        (joined_over_rows, "'tall' (Concatenate): it must join channels"),
        (different_jumps, "'joined' (Add) joins jumps of 1 and 2 pixels"),
        (
            lambda: sequential(layers.MaxPooling2D(data_format="channels_first", name="first")),
            "layers must be channels-last: 'first' (MaxPooling2D) is channels-first",
        ),
    ],
)
def test_what_the_ledger_cannot_audit_is_named(model, sentence):
    model = model()
    for audit in (ledger, cost):
        with pytest.raises(ValueError, match=r"\w") as caught:
            audit(model)
        assert sentence in str(caught.value)
        assert "\n" not in str(caught.value)
