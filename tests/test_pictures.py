"""Whatever file a picture comes in: the right array, or one sentence."""

import struct
import zlib
from types import SimpleNamespace

import numpy as np
import pytest
from data_room import refused
from PIL import Image

from course_utils import pictures
from course_utils.pictures import load_digit, load_picture


@pytest.fixture
def scene():
    """A picture that is not the same after any turn: red left half, one green corner."""
    values = np.zeros((40, 40, 3), np.uint8)
    values[:, :20, 0] = 200
    values[:10, 30:, 1] = 250
    return Image.fromarray(values)


def saved(tmp_path, picture, name, **options):
    path = tmp_path / name
    picture.save(path, **options)
    return path


@pytest.mark.parametrize("name", ["a.png", "a.bmp", "a.tiff", "a.ppm", "a.webp", "a.jpg", "a.gif"])
def test_common_formats(tmp_path, scene, name):
    found = load_picture(saved(tmp_path, scene, name), 40)
    assert found.array.shape == (40, 40, 3)
    assert found.array.dtype == np.uint8
    assert found.notes == ()
    assert found.batch().shape == (1, 40, 40, 3)
    exact = not name.endswith((".jpg", ".webp"))
    difference = np.abs(found.array.astype(int) - np.asarray(scene))
    assert difference.mean() < (0.5 if exact else 8)


def test_sizes_and_channels(tmp_path, scene):
    path = saved(tmp_path, scene.resize((90, 60)), "a.png")
    found = load_picture(path, 30)
    assert found.array.shape == (30, 30, 3)
    assert "90×60" in found.notes[0]
    assert "squeezed" in found.notes[0]
    grey = load_picture(path, 30, channels=1)
    assert grey.array.shape == (30, 30, 1)
    assert "enlarged" in load_picture(path, 150).notes[0]
    for size in (1, 2048):
        assert load_picture(path, size).array.shape == (size, size, 3)
    for size in (0, -3, 1.5, "big", True, 2049, 10**6):
        with pytest.raises(ValueError, match="size must be a whole number of pixels"):
            load_picture(path, size)
    with pytest.raises(ValueError, match="channels must be 1"):
        load_picture(path, 30, channels=4)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_turned_by_the_camera(tmp_path, scene, orientation):
    """The stored picture is turned, the note of the camera undoes it."""
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    stored = scene.transpose(undo[orientation]) if orientation > 1 else scene
    exif = Image.Exif()
    exif[0x0112] = orientation
    found = load_picture(saved(tmp_path, stored, "a.png", exif=exif), 40)
    np.testing.assert_array_equal(found.array, np.asarray(scene))
    assert any("upright" in note for note in found.notes) == (orientation > 1)


def test_transparent_parts_are_white(tmp_path, scene):
    clear = scene.convert("RGBA")
    clear.putalpha(Image.fromarray(np.repeat([[0, 255]], 40, 0).repeat(20, 1).astype(np.uint8)))
    for name in ("a.png", "a.webp", "a.tiff"):
        options = {"lossless": True} if name == "a.webp" else {}
        found = load_picture(saved(tmp_path, clear, name, **options), 40)
        assert (found.array[:, :20] == 255).all()
        assert (found.array[:, 20:] == np.asarray(scene)[:, 20:]).all()
        assert "put on white" in found.notes[0]
    solid = scene.convert("RGBA")
    assert load_picture(saved(tmp_path, solid, "b.png"), 40).notes == ()
    grey = Image.merge("LA", [scene.convert("L"), clear.getchannel("A")])
    assert (load_picture(saved(tmp_path, grey, "c.png"), 40).array[:, :20] == 255).all()


def test_palettes_with_and_without_a_transparent_colour(tmp_path, scene):
    palette = scene.quantize(4)
    found = load_picture(saved(tmp_path, palette, "a.png"), 40)
    assert np.abs(found.array.astype(int) - np.asarray(scene)).max() < 12
    index = palette.getpixel((0, 0))
    found = load_picture(saved(tmp_path, palette, "b.png", transparency=index), 40)
    assert (found.array[0, 0] == 255).all()
    assert "put on white" in found.notes[0]


def test_grey_black_and_white_and_other_colours(tmp_path, scene):
    grey = scene.convert("L")
    found = load_picture(saved(tmp_path, grey, "a.png"), 40)
    assert (found.array == np.asarray(grey)[..., None]).all()
    assert "grey" in found.notes[0]
    assert load_picture(tmp_path / "a.png", 40, channels=1).notes == ()
    bits = scene.convert("1")
    assert set(np.unique(load_picture(saved(tmp_path, bits, "b.png"), 40).array)) <= {0, 255}
    ink = saved(tmp_path, scene.convert("CMYK"), "c.tiff")
    assert "CMYK" in load_picture(ink, 40).notes[0]


def test_sixteen_bits(tmp_path):
    values = np.linspace(0, 65_535, 1600).reshape(40, 40)
    picture = Image.fromarray(values.astype(np.uint16))
    for name in ("a.png", "a.tiff"):
        found = load_picture(saved(tmp_path, picture, name), 40, channels=1)
        assert np.abs(found.array[..., 0] - values / 257).max() < 1.01
        assert "0 to 255" in found.notes[0]
    floats = Image.fromarray((values / 65_535).astype(np.float32))
    found = load_picture(saved(tmp_path, floats, "b.tiff"), 40, channels=1)
    assert (found.array.min(), found.array.max()) == (0, 255)


def test_of_an_animation_the_first_frame_is_taken(tmp_path, scene):
    other = Image.new("RGB", (40, 40), "blue")
    path = saved(tmp_path, scene, "a.gif", save_all=True, append_images=[other, scene])
    found = load_picture(path, 40)
    assert found.array[20, 5, 0] > 150
    assert "3 frames" in found.notes[0]


def test_what_is_no_picture(tmp_path, scene):
    refused(lambda: load_picture(tmp_path / "none.png"), "there is no picture at", "none.png")
    refused(lambda: load_picture(tmp_path), "is a folder")
    for name, content, said in (
        ("empty.png", b"", "is empty"),
        ("text.png", b"hello, I am a picture", "it is no picture"),
        ("vector.svg", b"<svg xmlns='x'/>", "it is no picture"),
        ("page.pdf", b"%PDF-1.4", "it is no picture"),
        ("script.eps", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "it is no picture"),
    ):
        (tmp_path / name).write_bytes(content)
        refused(lambda name=name: load_picture(tmp_path / name), name, said)


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.bmp", "a.tiff", "a.webp"])
def test_cut_off_anywhere(tmp_path, name):
    noise = np.random.default_rng(1).integers(0, 256, (60, 60, 3), dtype=np.uint8)
    path = saved(tmp_path, Image.fromarray(noise), name)
    content = path.read_bytes()
    for share in (0.02, 0.2, 0.5, 0.9):
        path.write_bytes(content[: int(share * len(content))])
        refused(lambda: load_picture(path), name)


def huge_png(width, height):
    """A PNG that claims a size, with hardly any data."""

    def chunk(kind, content):
        check = zlib.crc32(kind + content)
        return struct.pack(">L", len(content)) + kind + content + struct.pack(">L", check)

    header = struct.pack(">LLBBBBB", width, height, 8, 0, 0, 0, 0)
    data = zlib.compress(bytes(1000))
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    )


def test_huge_pictures(tmp_path, monkeypatch):
    for width, height in ((6_000, 6_000), (100_000, 100_000)):
        (tmp_path / "bomb.png").write_bytes(huge_png(width, height))
        refused(lambda: load_picture(tmp_path / "bomb.png"), "16,000,000")
    monkeypatch.setattr(pictures, "BYTE_LIMIT", 10)
    refused(lambda: load_picture(tmp_path / "bomb.png"), "more than 10 bytes")
    monkeypatch.undo()
    exact = saved(tmp_path, Image.new("L", (30, 20)), "exact.png")
    monkeypatch.setattr(pictures, "BYTE_LIMIT", exact.stat().st_size)
    monkeypatch.setattr(pictures, "PIXEL_LIMIT", 600)
    assert load_picture(exact, 20).array.shape == (20, 20, 3)
    monkeypatch.setattr(pictures, "PIXEL_LIMIT", 599)
    refused(lambda: load_picture(exact, 20), "30×20")
    monkeypatch.undo()
    monkeypatch.setattr(pictures, "PIXEL_LIMIT", 900_000)
    photo = Image.new("RGB", (1500, 1400), "green")
    found = load_picture(saved(tmp_path, photo, "photo.jpg"), 30)
    assert "1,500×1,400" in found.notes[0]
    assert np.abs(found.array - np.array([0, 128, 0])).max() < 4
    refused(lambda: load_picture(saved(tmp_path, photo, "photo.png")), "1,500×1,400", "smaller")


def stroke(dark, size=(200, 300), at=(30, 40)):
    """A thick L, off centre."""
    ground, ink = (235, 20) if dark else (0, 255)
    values = np.full(size, ground, np.uint8)
    top, left = at
    values[top : top + 120, left : left + 16] = ink
    values[top + 104 : top + 120, left : left + 70] = ink
    return Image.fromarray(values)


@pytest.mark.parametrize("dark", [True, False])
def test_a_digit_as_mnist_has_them(tmp_path, dark):
    found = load_digit(saved(tmp_path, stroke(dark), "a.png"))
    image = found.array[..., 0].astype(float)
    assert found.array.shape == (28, 28, 1)
    assert found.array.dtype == np.uint8
    assert image.max() > 240
    assert image[0].max() == 0
    rows, columns = np.flatnonzero(image.any(1)), np.flatnonzero(image.any(0))
    assert rows[-1] - rows[0] + 1 == 20
    assert columns[-1] - columns[0] + 1 == 12  # 70/120 of 20
    for axis in (0, 1):
        mass = image.sum(axis=1 - axis)
        assert abs((mass @ (np.arange(28) + 0.5)) / mass.sum() - 14) <= 0.51
    assert any("dark on light" in note for note in found.notes) == dark


def test_where_a_digit_stands_and_how_dark_it_is_change_little(tmp_path):
    one = load_digit(saved(tmp_path, stroke(True), "a.png")).array.astype(int)
    moved = load_digit(saved(tmp_path, stroke(True, at=(60, 180)), "b.png")).array
    light = load_digit(saved(tmp_path, stroke(False), "c.png")).array
    assert np.abs(one - moved).mean() < 1
    assert np.abs(one - light).mean() < 1
    colour = Image.merge("RGB", [stroke(True)] * 3)
    assert np.abs(one - load_digit(saved(tmp_path, colour, "d.png")).array).mean() < 1


def test_a_small_digit_is_enlarged_and_an_edge_never_crossed(tmp_path):
    small = np.zeros((12, 12), np.uint8)
    small[3:9, 5:7] = 255
    found = load_digit(saved(tmp_path, Image.fromarray(small), "a.png"))
    assert np.flatnonzero(found.array[..., 0].any(1)).size == 20
    lopsided = np.zeros((60, 60), np.uint8)
    lopsided[5:55, 5:9] = 255
    lopsided[30, 5:55] = 60
    assert load_digit(saved(tmp_path, Image.fromarray(lopsided), "b.png")).array.any()


def test_no_digit(tmp_path):
    refused(lambda: load_digit(saved(tmp_path, Image.new("L", (50, 50), 90), "a.png")), "no digit")
    rng = np.random.default_rng(0)
    noise = Image.fromarray(rng.integers(0, 256, (50, 50), dtype=np.uint8))
    refused(lambda: load_digit(saved(tmp_path, noise, "b.png")), "no even border")


def model(*shape):
    return SimpleNamespace(input_shape=(None, *shape))


def test_a_picture_for_a_network(tmp_path, scene):
    path = saved(tmp_path, scene, "a.png")
    assert pictures.for_network(path, model(28, 28, 1)).array.shape == (28, 28, 1)
    assert pictures.for_network(path, model(96, 96, 3)).array.shape == (96, 96, 3)
    for shape in ((None, None, 3), (96, 64, 3), (784,), (28, 28, 4)):
        with pytest.raises(ValueError, match="the network takes inputs of"):
            pictures.for_network(path, model(*shape))


def test_images_that_do_not_fit_a_network():
    pictures.check_images(model(28, 28, 1), np.zeros((5, 28, 28, 1)))
    pictures.check_images(model(None, None, 3), np.zeros((5, 30, 20, 3)))
    with pytest.raises(ValueError, match="takes images of 28×28×1: got 28×28×3$"):
        pictures.check_images(model(28, 28, 1), np.zeros((5, 28, 28, 3)))
    with pytest.raises(ValueError, match="batch axis missing"):
        pictures.check_images(model(28, 28, 1), np.zeros((28, 28, 1)))
    with pytest.raises(ValueError, match="takes images of any×any×3"):
        pictures.check_images(model(None, None, 3), np.zeros((2, 28, 28, 1)))
