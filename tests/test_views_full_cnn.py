import keras
import numpy as np
import pytest
from keras import layers

from course_utils.views import full_cnn as views

IMAGES = np.random.default_rng(0).random((4, 9, 9, 1)).astype("float32")


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(3)
    conv1 = layers.Conv2D(4, 3, activation="relu", bias_initializer="ones", name="conv1")
    conv2 = layers.Conv2D(5, 2, activation="relu", name="conv2")
    end = [layers.Flatten(name="flatten"), layers.Dropout(0.5), layers.Dense(3, name="output")]
    return keras.Sequential([keras.Input((9, 9, 1)), conv1, layers.MaxPooling2D(), conv2, *end])


def maps_of(model, layer):
    return keras.Model(model.inputs[0], model.get_layer(layer).output).predict(IMAGES, verbose=0)


def test_the_diagram_shows_each_shape_and_its_bracket_ends_before_flatten(model):
    figure, alt = views.whole_cnn(model, "abc")
    assert "conv2 2×2×5, flatten 20, output 3. A bracket" in alt
    (bracket,) = figure.axes[0].lines
    places = {t.get_text().split("\n")[0]: t.get_position()[0] for t in figure.axes[0].texts}
    assert places["conv2"] < bracket.get_xdata().max() < places["flatten"]


@pytest.mark.parametrize("layer", ["conv1", "conv2"])
def test_one_number_is_the_one_that_keras_computes(model, layer):
    maps = maps_of(model, layer)
    places = np.concatenate([np.argwhere(maps > 0.01)[::40], np.argwhere(maps == 0)[:1]])
    for image, row, column, filter in places.tolist():
        where = {"image": image, "filter": filter, "row": row, "column": column}
        figure, _ = views.draw_pixel(model, IMAGES, layer=layer, **where)
        assert figure.get_suptitle().endswith(f" {maps[image, row, column, filter]:.3f}")
    with pytest.raises(ValueError, match=f"last row is {maps.shape[1] - 1}"):
        views.draw_pixel(model, IMAGES, image=0, layer=layer, filter=0, row=8, column=0)
    with pytest.raises(ValueError, match=f"last filter is {maps.shape[3] - 1}"):
        views.draw_pixel(model, IMAGES, image=0, layer=layer, filter=5, row=0, column=0)


def test_the_bars_are_the_products_and_the_frame_is_around_the_window(model):
    figure, _ = views.draw_pixel(model, IMAGES, image=1, layer="conv1", filter=2, row=4, column=1)
    kernel, bias = (each[..., 2] for each in model.get_layer("conv1").get_weights())
    parts = (IMAGES[1, 4:7, 1:4] * kernel).ravel()
    bars = next(axis for axis in figure.axes if axis.containers)
    assert np.allclose([bar.get_height() for bar in bars.patches], [*parts, bias], atol=1e-5)
    assert figure.axes[0].patches[0].get_xy() == (0.5, 3.5)


def test_one_pixel_opens_where_the_layer_answers_most_and_the_next_layer_has_a_place(model):
    view = views.one_pixel(model, IMAGES, ["conv1", "conv2"])
    rows, columns = maps_of(model, "conv2").shape[1:3]
    most = maps_of(model, "conv1")[0, :rows, :columns].max()
    assert f"ReLU makes it {most:.3f}" in view.picture.value
    view.controls["layer"].value = "conv2"
    assert "<img" in view.picture.value


@pytest.fixture(scope="module")
def sees_one_pixel():
    """Class 1 for light in row 5, column 5 of 7, class 0 for none; class 2 never."""
    conv = layers.Conv2D(1, 3, activation="relu", name="conv")
    end = [layers.Flatten(), layers.Dense(3, activation="softmax")]
    network = keras.Sequential([keras.Input((7, 7, 1)), conv, *end])
    kernel, head = np.zeros((3, 3, 1, 1)), np.zeros((25, 3))
    kernel[1, 1], head[4 * 5 + 4, 1] = 1, 8
    network.set_weights([kernel, np.zeros(1), head, np.array([4.0, 0, -9])])
    return network


def test_the_evidence_is_where_it_is_and_the_surest_mistakes_come_first(sees_one_pixel):
    images = np.zeros((4, 7, 7, 1), "float32")
    images[1:, 5, 5, 0] = 0.6, 1, 0.9
    view = views.evidence(sees_one_pixel, images, np.array([0, 2, 0, 1]), "abc", layer="conv")
    assert view.controls["mistake"].max == 2
    found = "taken for b. For b, Grad-CAM is hottest at row 5, column 5; covering a square costs"
    assert f"A a, {found} most at row 5, column 5" in view.picture.value
    view.controls["mistake"].value, view.controls["about"].value = 2, "what it is"
    assert "A c, taken for b. For c, Grad-CAM is hottest nowhere" in view.picture.value
    with pytest.raises(ValueError, match="no mistake"):
        views.evidence(sees_one_pixel, images, np.array([0, 1, 1, 1]), "abc", layer="conv")
