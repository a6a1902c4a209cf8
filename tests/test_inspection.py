import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from course_utils import inspection
from course_utils.arithmetic import receptive_fields

SIZE = 28
INPUT = (SIZE, SIZE, 1)


@keras.saving.register_keras_serializable("tests")
def bump(shape, dtype=None):
    """Return a kernel that is largest in its middle, the same for all channels."""
    row = np.array({3: [1, 2, 1], 5: [1, 4, 6, 4, 1]}[shape[0]])
    values = np.outer(row, row)[:, :, None, None] / row.sum() ** 2 * np.ones(shape)
    return keras.ops.convert_to_tensor(values, dtype)


def conv(name, size, strides=1, padding="valid"):
    how = {"activation": "relu", "kernel_initializer": bump, "name": name}
    return layers.Conv2D(2, size, strides, padding, **how)


def stack(name="slides"):
    """Return layers, and how far a unit may be from a pixel: half a jump, at least one pixel."""
    pool = layers.MaxPooling2D
    deep = [conv("c1", 3), pool(2, 2, "same"), conv("c2", 3), pool(2, 2, "same")]
    return {
        "slides": ([conv("conv1", 5), pool(2, name="pool2"), conv("conv3", 5)], 1),
        "same": ([conv("conv1", 5, 1, "same"), conv("conv2", 3, 1, "same")], 1),
        "strides": ([conv("conv1", 3, 2, "same"), conv("conv2", 3, 2, "same")], 2),
        "deep": ([*deep, conv("c3", 3, 1, "same")], 2),
    }[name]


def head(units=2, activation="softmax", factor=50):
    """Return the end of a network in which all maps speak for class 1, and against class 0."""
    dense = layers.Dense(units, activation, name="answer")
    dense.build((None, 2))
    dense.set_weights([factor * np.array([[-1, 1], [-1, 1]])[:, -units:], np.zeros(units)])
    return [layers.GlobalAveragePooling2D(), dense]


def network(name="slides", *end):
    return keras.Sequential([keras.Input(INPUT), *stack(name)[0], *(end or head())])


def spot(row, column):
    image = np.zeros(INPUT)
    image[row, column] = 1
    return image


@pytest.mark.parametrize("name", ["slides", "same", "strides", "deep"])
def test_the_heat_is_where_the_evidence_is(name):
    model = network(name)
    for where in [(8, 8), (13, 17), (19, 9)]:
        heatmap = inspection.grad_cam(model, spot(*where), class_index=1)
        assert (heatmap.shape, heatmap.min(), heatmap.max()) == ((SIZE, SIZE), 0, 1)
        hottest = np.unravel_index(heatmap.argmax(), heatmap.shape)
        assert np.abs(np.subtract(hottest, where)).max() <= stack(name)[1]


def test_an_extent_and_a_placed_map_agree():
    geometry = inspection.layer_geometry(network(), "conv3")
    # Fields of 5, 6 and 14 pixels: the first unit's goes from pixel 0 to 13.
    np.testing.assert_allclose(geometry.rows, 6.5 + 2 * np.arange(8))
    assert geometry.extent == (5.5, 21.5, 21.5, 5.5)
    heatmap = np.random.default_rng(0).random((8, 8))
    placed, shares = geometry.place(heatmap), np.outer([0.75, 0.25], [0.75, 0.25])
    assert placed[7, 9] == pytest.approx((heatmap[0:2, 1:3] * shares).sum())
    np.testing.assert_allclose(placed[:6, :6], heatmap[0, 0])


def nested():
    base = keras.Sequential([keras.Input(INPUT), *stack()[0]], name="base")
    return keras.Sequential([keras.Input(INPUT), base, *head()])


def without_input():
    model = keras.Sequential([*stack()[0], *head()])
    model(np.zeros((3, *INPUT)))
    return model


def branches():
    inside, image, (pool, dense) = keras.Input(INPUT), keras.Input(INPUT), head()
    base = keras.Model(inside, keras.Sequential(stack()[0])(inside), name="base")
    maps = base(image * 1.0, training=False)
    return keras.Model(image, [dense(pool(layers.add([maps, maps]) / 2))])


@pytest.mark.parametrize("build", [network, nested, without_input, branches])
def test_the_same_network_built_in_other_ways_and_loaded(build, tmp_path):
    image, expected = spot(13, 17), inspection.grad_cam(network(), spot(13, 17))
    build().save(tmp_path / "model.keras")
    for model in (build(), keras.models.load_model(tmp_path / "model.keras")):
        for layer in (None, "conv3"):
            found = inspection.grad_cam(model, image, layer)
            np.testing.assert_allclose(found, expected, atol=1e-5)
        maps = inspection.feature_maps(model, [image] * 3, "pool2")
        assert maps.shape == (3, 12, 12, 2)
        np.testing.assert_allclose(maps[2, 5, 7], 36 / 256)  # 6²/16² of the kernel's middle
        assert inspection.receptive_field_mask(model, "conv3", (0, 0)).sum() == 14**2


def test_random_layers_leave_the_image_alone():
    shifted = layers.RandomTranslation(0.5, 0.5, name="shifted")
    model = keras.Sequential([keras.Input(INPUT), shifted, *stack()[0], *head()])
    maps = inspection.feature_maps(model, spot(13, 17)[None], "shifted")
    np.testing.assert_array_equal(maps, spot(13, 17)[None])


def test_layers_of_a_model_inside_have_a_path():
    twins = [keras.Sequential([layers.Conv2D(1, 3, name="c")], name=name) for name in "ab"]
    model = keras.Sequential([keras.Input((9, 9, 1)), *twins])
    images = np.ones((2, 9, 9, 1))
    whole, inside = (inspection.feature_maps(model, images, name) for name in ("b", "b/c"))
    np.testing.assert_array_equal(whole, inside)
    assert inside.shape == (2, 5, 5, 1)
    with pytest.raises(ValueError, match="one of a/c, b/c: got 'c'"):
        inspection.feature_maps(model, images, "c")


@pytest.mark.parametrize(("units", "activation"), [(1, "sigmoid"), (2, "softmax")])
def test_logits_count_and_not_probabilities(units, activation):
    image, expected = spot(13, 17), inspection.grad_cam(network(), spot(13, 17))
    for factor, squashing, index in ((1, None, 1), (1e4, activation, 1), (-1e4, activation, 0)):
        model = network("slides", *head(units, squashing, factor))
        for chosen in (None, index):  # it is predicted as well
            found = inspection.grad_cam(model, image, class_index=chosen)
            np.testing.assert_allclose(found, expected, atol=1e-5)
        assert inspection.grad_cam(model, image, class_index=1 - index).max() == 0


def test_a_model_is_left_as_it_was_and_many_maps_in_a_row_are_not_warned_of(caplog, monkeypatch):
    monkeypatch.setattr(tf.get_logger(), "propagate", True)
    model = nested()
    before = model.get_weights()
    nodes = [len(layer._inbound_nodes) for layer in model._flatten_layers()]
    for _ in range(7):
        inspection.grad_cam(model, spot(5, 5))
    assert not caplog.records
    inspection.occlusion(model, spot(5, 5), 14, 14)
    inspection.receptive_field_mask(model, "pool2", (1, 1))
    assert nodes == [len(layer._inbound_nodes) for layer in model._flatten_layers()]
    assert all(map(np.array_equal, before, model.get_weights()))


def test_without_a_layer_it_is_the_activation_of_the_last_convolution():
    end = [layers.BatchNormalization(), layers.ReLU(name="relu"), layers.MaxPooling2D(3, 1, "same")]
    end += [layers.MaxPooling2D(), layers.Dropout(0.5), layers.GlobalMaxPooling2D(keepdims=True)]
    end += [layers.Conv2D(4, 1, kernel_initializer="ones"), layers.Flatten()]
    model, image = network("slides", *end), spot(13, 17)
    expected = inspection.grad_cam(model, image, "relu", 2)
    assert np.unique(expected).size > 2
    np.testing.assert_array_equal(inspection.grad_cam(model, image, class_index=2), expected)


def test_an_unknown_layer_is_warned_of():
    unknown = layers.Lambda(lambda images: images, name="unknown")
    conv = layers.Conv2D(2, 5, name="conv")
    model = keras.Sequential([keras.Input((8, 8, 1)), unknown, conv])
    with pytest.warns(UserWarning, match="stretched over the whole image, since .*'unknown'"):
        geometry = inspection.layer_geometry(model, "conv")
    assert geometry.extent == (-0.5, 7.5, 7.5, -0.5)
    inside = keras.Sequential([keras.Input((8, 8, 1)), conv], name="inside")
    model = keras.Sequential([keras.Input((8, 8, 1)), inside, unknown])  # behind it none matters
    assert inspection.layer_geometry(model, "conv").extent == (1.5, 5.5, 5.5, 1.5)


@pytest.mark.parametrize("end", [head(1, "sigmoid", 1), head(2, None, 1)])
def test_occlusion_is_a_mean_over_the_squares_that_cover_a_pixel(end):
    model = network("same", *end)
    image = np.random.default_rng(0).random(INPUT)
    image[10:14, 16:20] += 3

    def probability(image):
        last = model(image[None])[0].numpy()
        return 1 / (1 + np.exp(last[0] - last[1])) if len(last) == 2 else last[0]

    drops, counts = np.zeros(INPUT[:2]), np.zeros(INPUT[:2])
    starts = (0, 5, 10, 15, 20, 21)  # a side of 7 ends at the border
    for square in (np.s_[y : y + 7, x : x + 7] for y in starts for x in starts):
        covered = image.copy()
        covered[square] = image.mean()
        drops[square] += probability(image) - probability(covered)
        counts[square] += 1
    for index, sign in ((1, 1), (0, -1), (None, 1)):  # class 1 is predicted
        found = inspection.occlusion(model, image, 7, 5, index)
        np.testing.assert_allclose(found, sign * drops / counts, atol=1e-5)


def test_occlusion_fills_with_the_mean_of_each_channel_or_as_told():
    model = keras.Sequential([keras.Input((4, 4, 2)), layers.Flatten(), layers.Dense(2)])
    image = np.ones((4, 4, 2)) * [1, 5]
    assert not inspection.occlusion(model, image, 2, 2, 0).any()
    assert inspection.occlusion(model, image, 2, 2, 0, fill=0).any()


DEAD = keras.initializers.Constant(-99)
HIDING = {
    "dead": [layers.Conv2D(1, 3, activation="relu", bias_initializer=DEAD)],
    "pooling": [layers.MaxPooling2D(3, 2, "same"), layers.Conv2D(2, 3, strides=2)],
    "negative": [layers.Rescaling(1, -2), layers.Conv2D(2, 3), layers.ReLU()],
    "normalized": [layers.Conv2D(3, 3), layers.BatchNormalization(), layers.LayerNormalization()],
    "dilated": [layers.SeparableConv2D(2, 3, dilation_rate=2), layers.Softmax()],
    "deep": [layers.DepthwiseConv2D(3, padding="same") for _ in range(40)],
}


@pytest.mark.parametrize("name", HIDING)
def test_nothing_hides_a_pixel_of_a_receptive_field(name):
    model = keras.Sequential([keras.Input((24, 20, 2)), *HIDING[name]])
    last, step = model.layers[-1].name, 2 if name == "dilated" else 1
    down, across = (field.window(3)[::step] for field in receptive_fields(model)[last])
    expected = np.array([[y in down and x in across for x in range(20)] for y in range(24)])
    found = inspection.receptive_field_mask(model, last, (3, 3))
    np.testing.assert_array_equal(found, expected)


def test_the_fields_of_branches_and_of_a_dense_unit():
    inputs = keras.Input((None, None, 1))
    near, far = layers.Conv2D(1, 1)(inputs), layers.Conv2D(1, 3, padding="same")(inputs)
    x = layers.subtract([near, layers.maximum([near, far], name="larger")])
    model = keras.Model(inputs, layers.Dense(3, name="dense")(layers.GlobalMaxPooling2D()(x)))
    assert inspection.receptive_field_mask(model, "larger", (4, 4), (9, 9, 1)).sum() == 9
    assert inspection.receptive_field_mask(model, "dense", 2, (9, 9, 1)).all()


SMALL = keras.Sequential([keras.Input((8, 8, 1)), layers.Conv2D(2, 3, name="conv"), *head()])
OPEN = keras.Sequential([keras.Input((None, None, 1)), layers.Conv2D(2, 3, name="conv")])
TWICE = keras.Model(SMALL.inputs, SMALL.outputs * 2)
DENSE = keras.Sequential([keras.Input((64,)), layers.Dense(2)])
IMAGE = np.ones((8, 8, 1))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: inspection.grad_cam(SMALL, IMAGE[:, :, 0]), r"shape \(8, 8, 1\): got \(8, 8\)"),
        (lambda: inspection.grad_cam(SMALL, IMAGE, "cnov"), "must be one of conv: .*mean 'conv'"),
        (lambda: inspection.grad_cam(SMALL, IMAGE, "answer"), "must be one of conv: got 'answer'"),
        (lambda: inspection.grad_cam(SMALL, IMAGE, class_index=2), "must be 0 to 1: got 2"),
        (lambda: inspection.grad_cam(DENSE, np.ones(64)), "must have a layer that makes maps"),
        (lambda: inspection.grad_cam(TWICE, IMAGE), "must have one output: .* has 2"),
        (lambda: inspection.grad_cam(OPEN, IMAGE), "must be one value a class: got "),
        (lambda: inspection.occlusion(SMALL, IMAGE, 9, 1), "must hold: got 1 and 9"),
        (lambda: inspection.occlusion(SMALL, IMAGE, 2, 3), "must hold: got 3 and 2"),
        (lambda: inspection.receptive_field_mask(SMALL, "conv", (6, 0)), "position must be in"),
        (lambda: inspection.receptive_field_mask(SMALL, "conv", 3), "position must be in"),
    ],
)
def test_bad_input_gets_one_sentence(call, words):
    with pytest.raises(ValueError, match=words):
        call()
