"""The weights of keras.applications: found, refused, fetched, and used as the notebook does."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from data_room import WEIGHTS, harm, refused, zip_bytes
from test_data import course_data

from course_utils import data, fetching, pretrained
from course_utils.formats import DataError

PLACE = f"mobilenet-v3-small/{WEIGHTS}"


@pytest.fixture(autouse=True)
def _no_cache_of_mine(monkeypatch, tmp_path):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))


def test_the_manifest_says_what_keras_applications_states():
    from keras.src.applications import mobilenet_v3

    manifest = json.loads((Path(__file__).parents[1] / "data/manifest.json").read_text())
    ((file, spec),) = manifest["pretrained"]["real"]["mobilenet-v3-small"]["files"].items()
    assert file == WEIGHTS
    assert spec["md5"] == mobilenet_v3.WEIGHTS_HASHES["small_224_1.0_float"][1]
    assert spec["url"] == mobilenet_v3.BASE_WEIGHT_PATH + file


def test_missing_weights_get_one_sentence(room):
    found = pretrained.weights()
    assert not found.ready
    assert found.path is None
    assert "`course data fetch pretrained`" in found.problem
    assert "\n" not in found.problem


def test_import_fetch_and_verify(room, server, capsys):
    room.put(WEIGHTS, files=room.weights)
    assert course_data("import", room.stick) == 0
    assert "pretrained: MobileNetV3Small weights: verified" in capsys.readouterr().out
    found = pretrained.weights()
    assert found == (str(room.downloads / PLACE), "")
    assert not fetching.fetch("pretrained").changed
    assert server.requested == []
    harm(room.downloads / PLACE, "flipped")
    md5 = hashlib.md5(room.weights[WEIGHTS]).hexdigest()
    problem = pretrained.weights().problem
    assert md5 in problem
    assert "`course data fetch pretrained` gets it anew" in problem
    assert "\n" not in problem
    assert course_data("verify", "pretrained") == 1
    assert md5 in capsys.readouterr().err
    assert course_data("fetch", "pretrained") == 0
    assert server.requested == [WEIGHTS]
    assert pretrained.weights().ready
    assert course_data("verify", "pretrained") == 0
    assert course_data("list") == 0
    assert "MobileNetV3Small weights" in capsys.readouterr().out


@pytest.mark.parametrize("mode", ["cut", "cut without a length", "absent"])
def test_a_fetch_that_is_cut_off_leaves_nothing_and_can_go_on(room, server, mode):
    server.mode[WEIGHTS] = mode
    md5 = hashlib.md5(room.weights[WEIGHTS]).hexdigest()
    refused(lambda: fetching.fetch("pretrained"), WEIGHTS, md5, "course data fetch pretrained")
    assert room.everything() == {}
    assert not room.litter()
    server.mode.clear()
    assert fetching.fetch("pretrained").changed
    assert pretrained.weights().ready


def test_weights_of_something_else_are_refused(room, server):
    room.weights[WEIGHTS] = room.weights[WEIGHTS] + b"!"
    refused(lambda: fetching.fetch("pretrained"), WEIGHTS)
    room.put(WEIGHTS, files=room.weights)
    refused(lambda: fetching.import_(room.stick / WEIGHTS), WEIGHTS, "MD5")
    assert room.everything() == {}


def test_a_zip_of_something_else_is_not_taken_for_weights(room):
    (room.stick / "a.zip").write_bytes(zip_bytes({"notes.txt": b"hello"}))
    refused(lambda: fetching.import_(room.stick / "a.zip"), "none of the files")
    (room.stick / "b.zip").write_bytes(zip_bytes(room.weights))
    assert fetching.import_(room.stick / "b.zip")[0].name == "pretrained"


@pytest.mark.parametrize("kind", ["truncated", "flipped", "wrong", "empty", "folder"])
def test_keras_own_cache_is_looked_into_and_not_trusted(room, kind):
    cache = room.put(WEIGHTS, folder=pretrained.keras_cache(), files=room.weights)
    assert pretrained.weights() == (str(cache / WEIGHTS), "")
    harm(cache / WEIGHTS, kind)
    found = pretrained.weights()
    assert not found.ready
    assert str(cache / WEIGHTS) in found.problem
    assert pretrained.COMMAND in found.problem
    # A whole copy in the course's own folder counts all the same.
    fetching.import_(room.put(WEIGHTS, files=room.weights))
    assert pretrained.weights().path == str(room.downloads / PLACE)


def test_a_folder_of_downloads_that_is_a_file(room, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("COURSE_DATA_DIR", str(tmp_path / "file"))
    refused(pretrained.weights, "COURSE_DATA_DIR must name a folder")


def test_pretrained_is_no_data_set(room):
    with pytest.raises(ValueError, match="name must be one of digits, clothes, pets"):
        data.load("pretrained")


@pytest.mark.parametrize("side", [0, 31, 96.0, True, "96"])
def test_a_side_that_does_not_fit(side):
    with pytest.raises(ValueError, match="at least 32"):
        pretrained.network(side)


@pytest.fixture(scope="module")
def mobile():
    return pretrained.network(96)


@pytest.fixture(scope="module")
def content(mobile, tmp_path_factory):
    return published(mobile, tmp_path_factory.mktemp("weights") / WEIGHTS).read_bytes()


def published(model, path):
    """Write weights in the old format, in which keras.applications publishes them."""
    import h5py
    from keras.src.legacy.saving import legacy_h5_format

    with h5py.File(path, "w") as file:
        legacy_h5_format.save_weights_to_hdf5_group(file, model)
    return path


def test_weights_of_the_file_are_what_the_network_gets(room, mobile, content):
    room.weights[WEIGHTS] = content
    room.write_manifest("http://127.0.0.1:9/")
    refused_before = pretrained.weights()
    assert not refused_before.ready
    manifest = json.loads((room.data / "manifest.json").read_text())
    manifest["pretrained"]["real"]["mobilenet-v3-small"]["files"][WEIGHTS]["limit"] = 16_000_000
    (room.data / "manifest.json").write_text(json.dumps(manifest))
    fetching.import_(room.put(WEIGHTS, files=room.weights))
    found = pretrained.network(64, pretrained.weights().path)
    for one, other in zip(found.weights, mobile.weights, strict=True):
        np.testing.assert_array_equal(one, other)
    assert found.output_shape == (None, 576)


def test_a_file_that_holds_other_weights(tmp_path, content):
    import keras

    small = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    path = published(small, tmp_path / "other.h5")
    for file in (path, tmp_path / "none.h5"):
        with pytest.raises(DataError, match=file.name) as caught:
            pretrained.network(64, str(file))
        assert "\n" not in str(caught.value)
    (tmp_path / "cut.h5").write_bytes(content[: len(content) // 2])
    with pytest.raises(DataError, match=r"cut\.h5"):
        pretrained.network(64, str(tmp_path / "cut.h5"))


def test_preprocessing_is_inside(mobile):
    import keras

    images = np.random.default_rng(0).uniform(0, 255, (2, 96, 96, 3)).astype("float32")
    np.testing.assert_array_equal(
        keras.applications.mobilenet_v3.preprocess_input(images.copy()), images
    )
    scale = next(each for each in mobile.layers if isinstance(each, keras.layers.Rescaling))
    np.testing.assert_allclose(scale(images), images / 127.5 - 1, atol=1e-5)


def test_frozen_features_a_head_and_fine_tuning(mobile):
    """The guarded part of notebook 07, on random weights."""
    import keras

    from course_utils import transfer

    pets = data.load("pets", "bundled", size=96)
    train, held = pets.train.take(16, seed=1), pets.validation.take(8, seed=1)
    mobile.trainable = False
    start = [weight.numpy() for weight in mobile.weights]
    features = transfer.outputs(mobile, train.images, 8)
    assert features.shape == (16, 576)
    head = keras.layers.Dense(2, activation="softmax")
    alone = keras.Sequential([keras.Input((576,)), head])
    alone.compile("adam", "sparse_categorical_crossentropy")
    alone.fit(features, train.labels, epochs=1, verbose=0)
    for weight, before in zip(mobile.weights, start, strict=True):
        np.testing.assert_array_equal(weight, before)
    model = pretrained.fine_tune(mobile, head, train, rate=1e-3, epochs=1, batch_size=8)
    assert transfer.outputs(model, held.images, 8).shape == (8, 2)
    changed = {
        weight.path.rsplit("/")[-1]
        for weight, before in zip(mobile.weights, start, strict=True)
        if not np.array_equal(weight, before)
    }
    assert "kernel" in changed
    assert not any("moving" in name for name in changed)
