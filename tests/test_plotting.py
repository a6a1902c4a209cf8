import io
from html.parser import HTMLParser

import matplotlib
import numpy as np
import pytest
from matplotlib.colors import to_hex, to_rgb
from PIL import Image

from course_utils import plotting
from course_utils.metrics import Interval

ALT = 'A line that rises from 1 to 2: "quoted" <and> more'


@pytest.fixture
def figure():
    figure, axis = plotting.subplots(size=(4, 2))
    axis.plot([1, 2])
    return figure


@pytest.fixture
def shown(monkeypatch):
    """Catch what reaches the page."""
    outputs = []
    monkeypatch.setattr(
        "IPython.display.display", lambda bundle, raw=False: outputs.append((bundle, raw))
    )
    return outputs


def image_attributes(text):
    found = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag, attributes):
            if tag == "img":
                found.append(dict(attributes))

    Reader().feed(text)
    return found


def luminance(color):
    """Relative luminance as WCAG 2 defines it."""
    parts = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(color)]
    return np.dot(parts, (0.2126, 0.7152, 0.0722))


def test_html_carries_alt_text_and_size(figure):
    (image,) = image_attributes(plotting.to_html(figure, f"  {ALT}\n"))
    assert image["alt"] == ALT
    assert image["width"] == str(4 * 96)
    assert image["src"].startswith("data:image/png;base64,iVBOR")


@pytest.mark.parametrize("alt", [None, "", "a figure", " " * 40, 7])
def test_no_figure_without_alt_text(figure, alt):
    with pytest.raises(ValueError, match="alt must say in a sentence"):
        plotting.to_html(figure, alt)


def test_png_is_sharp_opaque_and_deterministic(figure):
    png = plotting.to_png(figure)
    assert Image.open(io.BytesIO(png)).mode == "P", "few colours fit into a palette, which is small"
    picture = Image.open(io.BytesIO(png)).convert("RGBA")
    assert picture.size == (4 * 144, 2 * 144)
    assert picture.getextrema()[3] == (255, 255)
    assert plotting.to_png(figure) == png


def test_show_gives_html_and_text(figure, shown):
    plotting.show(figure, ALT)
    ((bundle, raw),) = shown
    assert raw
    assert bundle["text/plain"] == ALT
    assert image_attributes(bundle["text/html"])[0]["alt"] == ALT


def test_show_closes_a_figure_of_pyplot(shown):
    from matplotlib import pyplot

    figure = pyplot.figure()
    plotting.show(figure, ALT)
    assert not pyplot.fignum_exists(figure.number)


def test_colours_stand_out_from_white_and_from_each_other():
    colours = plotting.BLUE, plotting.ORANGE, plotting.GREEN, plotting.PURPLE, plotting.OCHRE
    for colour in colours:
        # WCAG 2 asks for 3 : 1 between graphics and what they stand on.
        assert 1.05 / (luminance(colour) + 0.05) >= 3, colour
    assert len({*colours, plotting.GREY}) == 6
    for key in ("color", "marker"):
        values = [entry[key] for entry in plotting.STYLE["axes.prop_cycle"]]
        assert len(set(values)) == len(values)


def drawn():
    rng = np.random.default_rng(0)
    effects = {"dropout": Interval(0.02, 0.01, 0.03, 0.95, 5), "l2": Interval(0, -1, 1, 0.95, 5)}
    return {
        "image_grid": plotting.image_grid(rng.random((3, 8, 8)), list("abc"), title="Noise"),
        "history": plotting.history({"training": [3, 2], "validation": [3, 2.5]}, title="Falls"),
        "seed_scatter": plotting.seed_scatter({"a": [1, 2]}, title="Spread", xlabel="accuracy"),
        "forest": plotting.forest(effects, title="One helps", xlabel="difference"),
        "matrix": plotting.matrix(
            np.eye(2),
            rows=["cat", "dog"],
            columns=["cat", "dog"],
            xlabel="p",
            ylabel="t",
            title="M",
        ),
    }


@pytest.mark.parametrize("name", drawn())
def test_style_holds_and_nothing_is_left_behind(name):
    before = matplotlib.rcParams.copy()
    figure = drawn()[name]
    assert matplotlib.rcParams == before
    assert to_hex(figure.get_facecolor()) == "#ffffff"
    assert len(plotting.to_png(figure)) > 1000
    if name != "image_grid":
        (axis,) = figure.axes
        assert axis.get_xlabel()
        # A title made outside of the style would be centred, and its left one empty.
        assert figure.get_suptitle() or axis.get_title(loc="left")


def test_a_headline_of_wide_letters_is_not_cut_off_either():
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    figure, _ = plotting.subplots(size=(8.55, 3))
    plotting.headline(figure, "WWWW " * 17)
    renderer = FigureCanvasAgg(figure).get_renderer()
    assert figure._suptitle.get_window_extent(renderer).x1 < figure.bbox.x1
    assert len(figure.get_suptitle().split()) == 17


def test_headline_is_as_wide_as_the_figure_and_not_cut_off():
    figure, _ = plotting.subplots(size=(4, 3))
    plotting.headline(figure, "A finding that needs more than the one line that it could have had")
    assert "\n" in figure.get_suptitle()
    figure.draw_without_rendering()
    box = figure._suptitle.get_window_extent()
    assert box.x0 >= 0
    assert box.x1 <= figure.bbox.width


def test_subplots_passes_options():
    figure, axes = plotting.subplots(2, 3, size=(6, 4), sharex=True)
    assert axes.shape == (2, 3)
    assert tuple(figure.get_size_inches()) == (6, 4)


def pictures(figure):
    return [image.get_array() for axis in figure.axes for image in axis.images]


@pytest.mark.parametrize("shape", [(7, 5, 5), (7, 5, 5, 1), (7, 5, 5, 3)])
def test_image_grid_shapes(shape):
    figure = plotting.image_grid(np.zeros(shape, np.uint8), columns=4)
    assert len(figure.axes) == 8
    assert len(pictures(figure)) == 7


def test_image_grid_means_the_same_grey_in_each():
    images = np.stack([np.zeros((2, 2)), np.ones((2, 2)), np.full((2, 2), 5.0)])
    limits = {
        image.get_clim() for axis in plotting.image_grid(images).axes for image in axis.images
    }
    assert limits == {(0.0, 5.0)}
    (image,) = plotting.image_grid(np.full((1, 2, 2), 7, np.uint8)).axes[0].images
    assert image.get_clim() == (0, 255)


def test_image_grid_scales_colour_pictures_too():
    images = np.array([0, 10, 20, 5], float).reshape(1, 2, 2, 1) * np.ones(3)
    (picture,) = pictures(plotting.image_grid(images))
    np.testing.assert_allclose(picture[..., 0], [[0, 0.5], [1, 0.25]])
    (picture,) = pictures(plotting.image_grid(images.astype(np.uint8), limits=(0, 10)))
    np.testing.assert_allclose(picture[..., 2], [[0, 1], [1, 0.5]])


@pytest.mark.parametrize("shape", [(5, 5), (2, 5, 5, 2), (0, 5, 5), (2, 5, 5, 3, 1)])
def test_image_grid_refuses_other_shapes(shape):
    with pytest.raises(ValueError, match="images must be an array"):
        plotting.image_grid(np.zeros(shape))


def test_image_grid_refuses_too_few_titles():
    with pytest.raises(ValueError, match="got 2 for 3 images"):
        plotting.image_grid(np.zeros((3, 4, 4)), ["a", "b"])


def test_history_counts_epochs_from_one_and_draws_where_told():
    _, axes = plotting.subplots(1, 2)
    figure = plotting.history({"loss": [3, 2, 1]}, title="t", axis=axes[1], percent=True)
    assert figure is axes[1].figure
    (line,) = axes[1].lines
    assert list(line.get_xdata()) == [1, 2, 3]
    assert list(line.get_ydata()) == [3, 2, 1]
    assert not axes[0].lines
    assert axes[1].yaxis.get_major_formatter()(0.5).startswith("50")


def test_seed_scatter_draws_every_run_and_the_mean():
    groups = {"a": [1.0, 2.0, 4.5], "b": [2.0]}
    (axis,) = plotting.seed_scatter(groups, title="t", xlabel="s", form="{:.1f} s", mark=0).axes
    dots = [list(np.atleast_1d(line.get_xdata())) for line in axis.lines]
    assert dots == [[1.0, 2.0, 4.5], [2.5], [1.0], [2.0], [2.0], [2.0]]
    assert [text.get_text() for text in axis.texts] == ["mean 2.5 s", "mean 2.0 s"]
    assert [label.get_text() for label in axis.get_yticklabels()] == ["a", "b"]


def test_seed_scatter_keeps_equal_runs_apart():
    (axis,) = plotting.seed_scatter({"a": [1.0, 2.0, 1.0]}, title="t", xlabel="s").axes
    first, second, third = axis.lines[0].get_ydata()
    assert first != third
    assert second == 0


@pytest.mark.parametrize("groups", [{}, {"a": [1], "b": []}])
def test_seed_scatter_refuses_what_is_empty(groups):
    with pytest.raises(ValueError, match="at least one value"):
        plotting.seed_scatter(groups, title="t", xlabel="x")


def test_forest_tells_clear_effects_by_more_than_colour():
    effects = {"up": Interval(2, 1, 3, 0.95, 5), "unclear": Interval(0, -1, 1, 0.95, 5)}
    (axis,) = plotting.forest(effects, title="t", xlabel="x", zero="no gain").axes
    _, clear, clear_dot, unclear, unclear_dot = axis.lines
    assert list(clear.get_xdata()) == [1, 3]
    assert list(unclear.get_xdata()) == [-1, 1]
    assert clear.get_linestyle() == unclear.get_linestyle() == "-"
    assert clear_dot.get_markerfacecolor() != "white"
    assert unclear_dot.get_markerfacecolor() == "white"
    assert "no gain" in axis.get_xlabel()
    (axis,) = plotting.forest({"down": Interval(-2, -3, -1, 0.95, 5)}, title="t", xlabel="x").axes
    assert axis.lines[-1].get_marker() == "v"


@pytest.mark.parametrize("cmap", ["Blues", "RdBu", "viridis"])
def test_matrix_numbers_can_be_read_on_their_shade(cmap):
    values = np.linspace(-3, 3, 12).reshape(3, 4)
    names = {"rows": list("abc"), "columns": ["one", "two", "three", "four"]}
    figure = plotting.matrix(values, **names, xlabel="x", ylabel="y", title="t", cmap=cmap)
    (axis,) = figure.axes
    picture = axis.images[0]
    assert len(axis.texts) == values.size
    for text, value in zip(axis.texts, values.flat, strict=True):
        assert text.get_text() == f"{value:.2f}"
        light, dark = sorted([luminance(picture.to_rgba(value)[:3]), luminance(text.get_color())])
        assert (dark + 0.05) / (light + 0.05) >= 3, value


def test_few_colours_become_a_palette_that_looks_the_same(figure):
    before = io.BytesIO()
    with matplotlib.rc_context({"savefig.format": "png"}):
        figure.savefig(before)
    small = plotting._smaller(before)
    few, full = Image.open(io.BytesIO(small)), Image.open(before)
    assert few.mode == "P"
    assert few.size == full.size
    assert len(small) < len(before.getvalue())
    assert few.info["dpi"] == pytest.approx(full.info["dpi"])
    change = np.abs(np.subtract(full.convert("RGB"), few.convert("RGB"), dtype=np.int16))
    assert change.mean() <= 0.5
    assert change.max() <= 24


def test_many_colours_stay_as_they_were():
    noise = np.random.default_rng(0).integers(0, 256, (200, 200, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(noise).save(buffer, format="png", dpi=(100, 100), compress_level=0)
    small = Image.open(io.BytesIO(plotting._smaller(buffer)))
    assert small.mode == "RGB"
    assert (np.asarray(small) == noise).all()
