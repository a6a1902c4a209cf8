import numpy as np
import pandas as pd
import pytest
from matplotlib.patches import Circle, Rectangle

from course_utils import experiments, numpy_ops, plotting, pooling_plots
from course_utils.downloads import DATA

IMAGE = np.array([[1, 3, 2, 2], [0, 2, 2, 1], [5, 1, 0, 4], [2, 5, 3, 1.0]])
SETTINGS = [(2, 2), (2, 1), (3, 1), (3, 2), (2, 3)]


def texts(figure):
    return [text.get_text() for axis in figure.axes for text in axis.texts]


def numbers(axis):
    words = [text.get_text() for text in axis.texts]
    return [float(word) for word in words if word and not word.isalpha()]


def draws(figure):
    assert plotting.to_png(figure).startswith(b"\x89PNG")
    return True


@pytest.mark.parametrize(("pool_size", "strides"), SETTINGS)
@pytest.mark.parametrize("size", [5, 7, 8])
def test_reads_counts_the_windows_over_each_pixel(size, pool_size, strides):
    counts = np.zeros((size, size), int)
    for row in range(0, size - pool_size + 1, strides):
        for column in range(0, size - pool_size + 1, strides):
            counts[row : row + pool_size, column : column + pool_size] += 1
    found = pooling_plots.reads(size, pool_size, strides)
    assert found.dtype == int
    np.testing.assert_array_equal(found, counts)


@pytest.mark.parametrize(("size", "unread"), [(7, 13), (31, 61), (8, 0)])
def test_reads_on_the_sources_sizes(size, unread):
    assert (pooling_plots.reads(size, 2, 2) == 0).sum() == unread


@pytest.mark.parametrize("kind", ["max", "average"])
@pytest.mark.parametrize(("pool_size", "strides"), SETTINGS)
def test_routes_are_the_gradient(kind, pool_size, strides):
    rng = np.random.default_rng(0)
    image = rng.integers(0, 3, (7, 6)).astype(float)  # with many ties
    pooled, routes = pooling_plots.pooling_routes(image, pool_size, strides, kind)
    batch = image[None, :, :, None]
    forward = getattr(numpy_ops, f"{kind}_pool2d")(batch, pool_size, strides=strides)
    np.testing.assert_allclose(pooled, forward[0, :, :, 0])
    upstream = rng.random(pooled.shape)
    gradient = np.zeros_like(image)
    for place, pixels in routes.items():
        for row, column, share in pixels:
            gradient[row, column] += share * upstream[place]
    backward = getattr(numpy_ops, f"{kind}_pool2d_backward")
    right = backward(upstream[None, :, :, None], batch, pool_size, strides=strides)
    np.testing.assert_allclose(gradient, right[0, :, :, 0])


def test_routes_know_two_kinds():
    with pytest.raises(ValueError, match='kind must be "max" or "average": got \'min\''):
        pooling_plots.pooling_routes(IMAGE, 2, 2, "min")


def test_routing_writes_values_and_gradients():
    figure = pooling_plots.routing(IMAGE, [[10, 20], [30, 40]], 2, 2, "max", title="Where to")
    forward, backward = figure.axes
    assert numbers(forward) == [*IMAGE.ravel(), 3, 2, 5, 4]
    gradient = [0, 10, 20, 0, *[0] * 4, 30, 0, 0, 40, *[0] * 4]
    assert numbers(backward) == [*gradient, 10, 20, 30, 40]
    for axis in figure.axes:  # each window bears its letter at its pixel and at its result
        letters = [text.get_text() for text in axis.texts if text.get_text().isalpha()]
        assert sorted(letters) == list("AABBCCDD")
    assert draws(figure)


def arrows(axis):
    return [(text.xyann, text.xy) for text in axis.texts if getattr(text, "arrow_patch", None)]


def test_arrows_lead_from_winners_to_results_and_back():
    figure = pooling_plots.routing(IMAGE, [[10, 20], [30, 40]], 2, 2, "max", title="Where to")
    there, back = map(arrows, figure.axes)
    assert [(end, start) for start, end in there] == back
    pixels = [(round(start[0] - 0.3), round(start[1])) for start, _ in there]
    assert pixels == [(1, 0), (2, 0), (0, 2), (3, 2)]
    assert all(start[0] < 4 < end[0] for start, end in there)
    rings = [patch.center for patch in figure.axes[0].patches if isinstance(patch, Circle)]
    assert rings == pixels


def test_a_pixel_that_wins_twice_gets_both_gradients_and_both_letters():
    figure = pooling_plots.routing(IMAGE, [[10, 20], [30, 40]], 3, 1, "max", title="Where to")
    assert numbers(figure.axes[1])[8] == 40
    assert len({arrow[1] for arrow in arrows(figure.axes[1])}) == 4
    rings = [patch.center for patch in figure.axes[1].patches if isinstance(patch, Circle)]
    assert rings.count((0, 2)) == 2


def test_routing_of_averages_shares():
    figure = pooling_plots.routing(IMAGE, [[10, 20], [30, 40]], 2, 2, "average", title="Where to")
    assert numbers(figure.axes[1])[:4] == [2.5, 2.5, 5, 5]
    assert "1/4" in figure.axes[1].get_title(loc="left")
    assert draws(figure)


def test_routing_wants_a_gradient_for_each_result():
    with pytest.raises(ValueError, match=r"upstream must have .* \(2, 2\): got \(3, 3\)"):
        pooling_plots.routing(IMAGE, np.ones((3, 3)), 2, 2, title="Where to")


def test_dropped_pixels_are_crossed_out_and_counted():
    figure = pooling_plots.dropped_pixels(7, 2, 2, title="Dropped")
    crossed = [patch for patch in figure.axes[0].patches if patch.get_hatch()]
    assert len(crossed) == 13
    assert all(6.5 in (p.get_x() + 1, p.get_y() + 1) for p in crossed)
    assert texts(figure).count("1") == 36
    assert "7×7 → 3×3\n13 of 49 never read" in texts(figure)
    assert draws(figure)


def test_large_maps_carry_no_numbers():
    assert len(texts(pooling_plots.dropped_pixels(31, 2, 2, title="Dropped"))) == 1


def test_depth_groups_frame_a_group_and_its_result_alike():
    maps = np.random.default_rng(0).random((5, 5, 6))
    pooled = maps.reshape(5, 5, 2, 3).max(axis=-1)
    figure = pooling_plots.depth_groups(maps, pooled, title="Two groups")
    above, below = figure.axes[:6], figure.axes[6:]
    np.testing.assert_array_equal(below[4].images[0].get_array(), pooled[..., 1])
    colors = [axis.spines["left"].get_edgecolor() for axis in above]
    assert len(set(colors)) == 2
    assert below[4].spines["left"].get_edgecolor() == colors[3]
    assert [len(axis.images) for axis in below] == [0, 1, 0, 0, 1, 0]
    assert draws(figure)


def test_rows_that_differ_stand_out_by_more_than_colour():
    table = pd.DataFrame({"a": [320, 9], "b": [320, 1000]}, index=["conv1", "dense1"])
    figure = pooling_plots.compared_counts(table, title="One differs")
    hatches = [p.get_hatch() for p in figure.axes[0].patches if isinstance(p, Rectangle)]
    assert hatches == [None, None, "//", "//"]
    assert {"1,000", "conv1", "dense1", "a", "b"} <= set(texts(figure))
    assert draws(figure)


def test_the_recorded_comparison_is_whole():
    table = experiments.load(DATA / "results" / "pooling_comparison.jsonl").table
    assert (table["status"] == "ok").all()
    seeds = table.groupby("variant")["seed"].apply(set)
    assert set(seeds.index) == {"max", "average", "strided"}
    assert all(each == seeds["max"] and len(each) == 5 for each in seeds)
    parameters = table.groupby("variant")["parameters"].first().to_dict()
    assert parameters == {"max": 166_986, "average": 166_986, "strided": 213_162}


@pytest.mark.parametrize(("pool_size", "strides"), [(2, 1), (3, 1), (2, 2)])
def test_each_window_has_its_frame(pool_size, strides):
    results = (4 - pool_size) // strides + 1
    upstream = np.ones((results, results))
    axis = pooling_plots.routing(IMAGE, upstream, pool_size, strides, title="Frames").axes[0]
    frames = [p for p in axis.patches if isinstance(p, Rectangle) and not p.get_fill()]
    centres = [(p.get_x() + p.get_width() / 2, p.get_y() + p.get_height() / 2) for p in frames]
    right = [
        (column * strides + (pool_size - 1) / 2, row * strides + (pool_size - 1) / 2)
        for row, column in np.ndindex(upstream.shape)
    ]
    np.testing.assert_allclose(centres, right)
    assert all(0.75 * pool_size < p.get_width() < pool_size for p in frames)
