import numpy as np
import pandas as pd
import pytest
from figures import drawn, texts

from course_utils import network_plots

RNG = np.random.default_rng(0)


@pytest.fixture
def table():
    return pd.DataFrame(
        {
            "layer": ["conv", "relu", "pool", "dense"],
            "type": ["Conv2D", "Activation", "MaxPooling2D", "Dense"],
            "output_shape": [(16, 16, 8), (16, 16, 8), (4, 4, 8), (10,)],
        }
    )


def test_architecture_draws_boxes_that_shrink_with_the_rows(table):
    figure = drawn(network_plots.architecture({"one": table, "two": table}, title="Smaller"))
    assert figure.get_suptitle() == "Smaller"
    axis = figure.axes[0]
    conv, pool, dense = axis.patches[:3]
    assert conv.get_height() == pytest.approx(2 * pool.get_height())
    assert conv.get_width() == pytest.approx(pool.get_width())
    assert dense.get_width() < conv.get_width()
    assert texts(axis) == ["16×16×8", "4×4×8", "10"]
    assert len({patch.get_hatch() for patch in (conv, pool, dense)}) == 3


def test_architecture_says_where_a_pooling_drops_a_row():
    table = pd.DataFrame(
        {
            "type": ["Conv2D", "MaxPooling2D", "MaxPooling2D"],
            "output_shape": [(7, 7, 4), (3, 3, 4), (2, 2, 4)],
        }
    )
    axis = drawn(network_plots.architecture({"one": table}, title="t")).axes[0]
    assert texts(axis) == ["7×7×4", "3×3×4", "row 7 lost", "2×2×4"]


def test_ledger_bars_are_shares_of_each_column():
    figure = drawn(
        network_plots.ledger_bars({"a": [1, 3], "b": [5, 0]}, ["first", "second"], title="t")
    )
    left, right = figure.axes
    assert [bar.get_width() for bar in left.patches] == [0.25, 0.75]
    assert texts(right) == ["100.0%", "0.0%"]
    assert left.patches[0].get_hatch() != right.patches[0].get_hatch()


def test_heatmaps_mark_the_hottest_place():
    heat = np.zeros((6, 5))
    heat[4, 2] = 1
    axes = drawn(network_plots.heatmaps(np.zeros((6, 5, 1)), {"map": heat}, title="t")).axes
    assert [(*line.get_xdata(), *line.get_ydata()) for line in axes[1].lines] == [(2, 4)] * 2
    assert axes[1].images[1].get_clim() == (0, 1)


def test_heatmaps_with_two_signs_have_zero_in_the_middle_and_keep_noise_pale():
    heat = np.zeros((6, 5))
    heat[1, 1], heat[2, 2] = 0.01, -0.05
    image = np.zeros((6, 5, 3))
    axis = drawn(network_plots.heatmaps(image, {"map": heat}, title="t")).axes[1]
    assert axis.images[1].get_clim() == (-0.05, 0.05)
    assert not axis.lines, "0.01 is faint beside -0.05: it is not the finding"
    axis = drawn(network_plots.heatmaps(image, {"map": heat}, title="t", limits=0.2)).axes[1]
    assert axis.images[1].get_clim() == (-0.2, 0.2)


def test_a_map_of_zeros_has_no_hottest_place():
    axis = drawn(network_plots.heatmaps(np.zeros((4, 4, 1)), {"m": np.zeros((4, 4))}, title="t"))
    assert not axis.axes[1].lines


def test_heatmaps_refuse_a_map_of_another_size():
    with pytest.raises(ValueError, match=r"image's shape \(6, 5\): 'map' has \(3, 3\)"):
        network_plots.heatmaps(np.zeros((6, 5, 1)), {"map": np.zeros((3, 3))}, title="t")


def test_filter_sheets_share_one_grey():
    sheets = {"a": RNG.normal(size=(3, 3, 7)), "b": 3 * RNG.normal(size=(3, 3, 7))}
    figure = drawn(network_plots.filter_sheets(sheets, title="t", columns=4))
    first, second = (axis.images[0] for axis in figure.axes[:2])
    assert first.get_clim() == second.get_clim()
    shown = first.get_array()
    assert shown.shape == (7, 15)
    np.testing.assert_array_equal(shown[4:7, 8:11], sheets["a"][..., 6])
    assert np.ma.masked_invalid(shown).count() == 7 * 9


def test_a_filter_sheet_may_have_its_own_scale():
    sheets = {"before": np.full((3, 3, 2), -2.0), "difference": np.full((3, 3, 2), 0.1)}
    figure = drawn(network_plots.filter_sheets(sheets, title="t", own_scale=["difference"]))
    limits = [axis.images[0].get_clim() for axis in figure.axes[:2]]
    assert limits == [(-2, 2), (-0.1, 0.1)]
    assert [axis.get_ylabel() for axis in figure.axes[2:]] == ["weight", "difference"]


def test_patch_rows_have_a_name_each():
    rows = {"small": RNG.random((3, 3, 3)), "large": RNG.random((2, 8, 8))}
    figure = drawn(network_plots.patch_rows(rows, title="t"))
    assert len(figure.axes) == 6
    assert [texts(figure.axes[k]) for k in (0, 3)] == [["small"], ["large"]]
    assert figure.axes[0].images[0].get_clim() == (0, 1)
    assert not figure.axes[5].images
