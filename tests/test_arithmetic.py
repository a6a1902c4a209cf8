"""The ledger against Keras' own numbers, published receptive fields, and measured gradients."""

import json
import random
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers
from keras.src.applications.inception_resnet_v2 import CustomScaleLayer

from course_utils import models
from course_utils.arithmetic import Field, ledger, receptive_field, receptive_fields
from course_utils.layers import BlurPooling, DepthPooling

KEPT = json.loads((Path(__file__).parent / "kept_values.json").read_text(encoding="utf-8"))


def sequential(*stack, shape=(28, 28, 3)):
    return keras.Sequential([keras.Input(shape), *stack])


def column(model, name, **options):
    return ledger(model, **options)[name].tolist()


@pytest.mark.parametrize("name", ["slides", "blog"])
def test_the_networks_of_the_sources_keep_the_first_editions_ledger(name):
    model = getattr(models, f"{name}_network")()
    table, fields = ledger(model), receptive_fields(model)
    table["output_shape"] = table["output_shape"].map(list)
    table["start"] = [fields[layer][0].start for layer in table["layer"]]
    assert table.to_numpy().tolist() == KEPT["ledgers"][name]["layers"]
    assert table["parameters"].sum() == KEPT["ledgers"][name]["total"] == model.count_params()
    assert KEPT["ledgers"][name]["total"] in (166_986, 8_489_729)


@pytest.mark.parametrize(
    ("name", "size", "layer", "pixels", "millions"),
    [
        ("VGG16", 224, "block5_pool", 212, 15_347),  # without its dense layers, which take 500 MB
        ("ResNet50", 224, "conv5_block3_out", 483, 3_858),
        ("MobileNet", 224, "conv_pw_13_relu", 315, 569),
        ("DenseNet121", 224, "relu", 2071, 2_834),
        ("InceptionV3", 299, "mixed10", 1311, 5_713),
        ("MobileNetV3Small", 224, "expanded_conv_depthwise", 7, 57),
        ("ConvNeXtTiny", 32, "add_17", 1688, 92),
    ],
)
def test_published_receptive_fields(name, size, layer, pixels, millions):
    keras.backend.clear_session()  # add_17 is the model's 18th Add, whatever was built before
    options = {"input_shape": (size, size, 3), "include_top": name != "VGG16"}
    model = getattr(keras.applications, name)(weights=None, **options)
    table = ledger(model)
    assert table["parameters"].sum() == model.count_params()
    assert table["multiply_adds"].sum() / 1e6 == pytest.approx(millions, abs=1)
    assert table.set_index("layer").loc[layer, "receptive_field"] == pixels


def every_layer():
    return sequential(
        layers.Rescaling(1 / 255, name="rescaling"),
        layers.RandomFlip(name="flip"),
        layers.ZeroPadding2D(((1, 2), (0, 3)), name="zeros"),
        layers.Conv2D(6, 3, groups=3, strides=2, use_bias=False, name="grouped"),
        layers.BatchNormalization(name="batch"),
        layers.PReLU(shared_axes=[1, 2], name="prelu"),
        layers.DepthwiseConv2D(3, depth_multiplier=2, padding="same", name="depthwise"),
        layers.SeparableConv2D(9, 3, depth_multiplier=2, dilation_rate=2, name="separable"),
        DepthPooling(3, name="depth"),
        BlurPooling(5, 1, name="blur"),
        layers.Cropping2D(((1, 0), (0, 0)), name="crop"),
        layers.AveragePooling2D((3, 2), strides=2, padding="same", name="average"),
        layers.Dense(5, name="pointwise"),
        layers.LayerNormalization(name="layer"),
        layers.GlobalAveragePooling2D(name="global"),
        layers.Reshape((5,), name="reshape"),
        layers.Dense(4, use_bias=False, name="logits"),
    )


def test_every_kind_of_layer_counts_as_keras_does():
    model = every_layer()
    table = ledger(model)
    assert table["layer"].tolist() == [layer.name for layer in model.layers]
    assert table["type"].tolist() == [type(layer).__name__ for layer in model.layers]
    assert table["output_shape"].tolist() == [layer.output.shape[1:] for layer in model.layers]
    assert table["parameters"].tolist() == [layer.count_params() for layer in model.layers]
    work = {name: n for name, n in zip(table["layer"], table["multiply_adds"], strict=True) if n}
    # 28 + 3 padded: 15×15 with strides 2; 11×11 behind the dilated kernel of 5; 5×6 pooled.
    assert work == {
        "grouped": 15 * 15 * 9 * 1 * 6,
        "depthwise": 15 * 15 * 9 * 6 * 2,
        "separable": 11 * 11 * (9 * 12 * 2 + 24 * 9),
        "blur": 11 * 11 * 25 * 3,
        "pointwise": 5 * 6 * 3 * 5,
        "logits": 5 * 4,
    }


def assert_measured(model, name):
    """Compare a unit's predicted window, cut at the borders, with the gradient at its input.

    All weights are 1, so that nothing cancels; a maximum would hide what it did not choose.
    """
    for layer in model.layers:
        if hasattr(layer, "kernel_size"):
            layer.set_weights([np.ones_like(weight) for weight in layer.get_weights()])
    part = keras.Model(model.inputs, model.get_layer(name).output)
    position = tuple(size // 2 for size in part.output_shape[1:3])
    image = tf.ones((1, *model.input_shape[1:]))
    with tf.GradientTape() as tape:
        tape.watch(image)
        unit = part(image, training=False)[0, position[0], position[1], 0]
    mask = np.any(tape.gradient(unit, image)[0] != 0, axis=-1)
    for axis, field in enumerate(receptive_fields(model)[name]):
        window, seen = field.window(position[axis]), np.flatnonzero(mask.any(axis=1 - axis))
        expected = max(window.start, 0), min(window.stop, len(mask))
        assert (seen[0], seen[-1] + 1) == expected, (name, axis, field)


def test_every_kind_of_layer_sees_what_the_gradient_shows():
    model = every_layer()
    for name in ("zeros", "grouped", "depthwise", "separable", "blur", "crop", "average"):
        assert_measured(model, name)


@pytest.mark.parametrize("seed", range(8))
def test_random_stacks_see_what_the_gradient_shows(seed):
    rng, stack = random.Random(seed), []
    for number in range(3):
        kernel = rng.randint(1, 4), rng.randint(1, 4)
        how = {"padding": rng.choice(["valid", "same"]), "strides": rng.randint(1, min(kernel))}
        how["name"] = f"layer{number}"
        if rng.random() < 0.5:
            stack.append(layers.AveragePooling2D(kernel, **how))
        else:
            dilation = rng.randint(1, 2) if how["strides"] == 1 else 1
            stack.append(layers.Conv2D(2, kernel, dilation_rate=dilation, **how))
    model = sequential(*stack, shape=(60, 56, 2))
    for number in range(3):
        assert_measured(model, f"layer{number}")


def test_a_stack_by_hand():
    assert receptive_field([(3,), (3, 2), (3, 1, 2)]) == [(3, 1, 0), (5, 2, 0), (13, 2, 0)]
    assert [field.size for field in receptive_field([(3, 1, d) for d in (1, 2, 4)])] == [3, 7, 15]
    assert Field(5, 2, -3).window(2) == range(1, 6)


def residual(strides):
    image = keras.Input((24, 24, 3))
    start = layers.Conv2D(4, 3, padding="same", name="stem")(image)
    long = layers.Conv2D(4, 3, strides=strides, padding="same", name="long")(start)
    # With a 1×1 kernel and one image TensorFlow 2.21 corrupts its memory in the gradient.
    short = layers.Conv2D(4, 2, strides=strides, padding="same", name="short")(start)
    joined = CustomScaleLayer(0.2, name="joined")([long, short])
    return keras.Model(image, layers.Activation("relu", name="relu")(joined + joined * 2))


@pytest.mark.parametrize("strides", [1, 2])
def test_where_branches_meet_the_largest_field_counts(strides):
    model = residual(strides)
    fields = receptive_fields(model)
    assert (fields["joined"][0].size, fields["relu"][0].jump) == (5, strides)
    assert_measured(model, "relu")


def test_branches_side_by_side_see_both_windows():
    # With "same", an even kernel looks to the right; zeros in front make the other look left.
    image = keras.Input((20, 20, 1))
    right = layers.Conv2D(1, 4, padding="same", name="right")(image)
    left = layers.ZeroPadding2D(((3, 0), (3, 0)), name="zeros")(image)
    left = layers.Conv2D(1, 4, name="left")(left)
    model = keras.Model(image, layers.Average(name="both")([right, left]))
    assert receptive_fields(model)["both"][0] == (6, 1, -3)
    assert_measured(model, "both")


def test_what_depends_on_every_position_sees_all_that_is_seen():
    image = keras.Input((12, 10, 4))
    squeezed = layers.GlobalAveragePooling2D(keepdims=True)(image)
    weights = layers.Conv2D(4, 1, activation="sigmoid")(squeezed)
    squeezing = keras.Model(image, layers.Multiply()([image, weights]))
    assert column(squeezing, "receptive_field") == [(12, 10)] * 3
    assert column(squeezing, "jump") == [0, 0, 0]
    # Windows of two with strides 3 leave out the last of six columns.
    drops = sequential(
        layers.MaxPooling2D(2, strides=3),
        layers.Flatten(),
        layers.Dense(2),
        layers.Reshape((1, 1, 2)),
        shape=(6, 6, 1),
    )
    assert column(drops, "receptive_field") == [2, 5, 5, 5]
    assert column(sequential(layers.Dense(3), shape=(784,)), "receptive_field") == [784]
    grouped = sequential(layers.Conv2D(4, 3), layers.GroupNormalization(2), shape=(9, 9, 1))
    assert column(grouped, "receptive_field") == [3, 9]


def test_nested_models_are_expanded_and_shared_layers_counted_once(tmp_path):
    block = sequential(layers.Conv2D(4, 3, name="conv"), layers.MaxPooling2D(name="pool"))
    block.name = "block"
    inner = keras.Input((13, 13, 4))
    maps = layers.Conv2D(4, 3, padding="same", name="conv")(inner)
    square = keras.Model(inner, maps, name="square")
    image = keras.Input((28, 28, 3))
    model = keras.Model(image, layers.Flatten(name="flatten")(square(square(block(image)))))
    names = ["block/conv", "block/pool", "square/conv", "square/conv", "flatten"]
    assert column(model, "layer") == names
    assert column(model, "receptive_field") == [3, 4, 8, 12, 28]
    assert ledger(model)["parameters"].sum() == model.count_params()
    assert column(model, "multiply_adds")[2:4] == [13 * 13 * 9 * 4 * 4] * 2
    assert column(keras.Sequential([block, square]), "layer") == names[:3]
    model.save(tmp_path / "model.keras")
    assert ledger(keras.saving.load_model(tmp_path / "model.keras")).equals(ledger(model))


def test_an_input_of_open_size_takes_the_size_that_is_given():
    def network(size):
        base = keras.Sequential([keras.Input((*size, 3)), layers.Conv2D(4, (3, 5), strides=2)])
        image = keras.Input((*size, 3))
        maps = layers.Conv2D(4, 1, padding="same")(base(image / 255))
        maps = layers.Add()([maps, layers.GlobalAveragePooling2D(keepdims=True)(maps)])
        return keras.Model(image, layers.Dense(2)(layers.GlobalMaxPooling2D()(maps)))

    opened, fixed = network((None, None)), network((20, 31))
    given = ledger(opened, input_shape=(20, 31, 3)).drop(columns="layer")
    assert given.equals(ledger(fixed).drop(columns="layer"))
    assert given["output_shape"][1] == (9, 14, 4)
    assert given["receptive_field"][1] == (3, 5)
    with pytest.raises(ValueError, match=r"input_shape must be given: .* \(None, None, 3\)"):
        ledger(opened)
    for model, shape in ((opened, (20, 31, 1)), (opened, (20, 31)), (fixed, (21, 31, 3))):
        with pytest.raises(ValueError, match=r"input must have the shape .* got \(2"):
            ledger(model, shape)


class Mystery(layers.Layer):
    def call(self, inputs):
        return inputs


def meeting(first, second, join):
    image = keras.Input((8, 8, 1))
    return keras.Model(image, join([first(image), second(image)]))


@pytest.mark.parametrize(
    ("model", "sentence"),
    [
        (lambda: sequential(Mystery(name="odd")), r"the layer 'odd' \(Mystery\)"),
        (lambda: sequential(layers.Reshape((14, 56, 3), name="wide")), r"'wide' \(Reshape\)"),
        (lambda: keras.Sequential([layers.Dense(3)], name="new"), "'new' does not know its input"),
        (lambda: "slides", "functional keras.Model, .* got str"),
        (
            lambda: keras.Model(two := [keras.Input((4,)), keras.Input((4,))], layers.Add()(two)),
            "model must have one input: .* has 2",
        ),
        (
            lambda: meeting(layers.ReLU(), layers.ELU(), layers.Concatenate(axis=1, name="tall")),
            "channels in the last axis: 'tall' has not",
        ),
        (
            lambda: meeting(layers.MaxPooling2D(), layers.Conv2D(1, 5), layers.Add(name="sum")),
            "'sum' joins jumps of 1 and 2 pixels",
        ),
        (
            lambda: sequential(layers.MaxPooling2D(data_format="channels_first", name="first")),
            "channels in the last axis: 'first' has not",
        ),
        (
            lambda: sequential(layers.LayerNormalization(axis=[1, 2, 3], name="layer")),
            "channels in the last axis: 'layer' has not",
        ),
    ],
)
def test_what_the_ledger_cannot_follow_is_named_in_one_sentence(model, sentence):
    with pytest.raises(ValueError, match=sentence) as caught:
        ledger(model())
    assert "\n" not in str(caught.value)
