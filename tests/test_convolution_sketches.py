import numpy as np
import pytest
from matplotlib.patches import Polygon

from course_utils import convolution_sketches as sketches
from course_utils import plotting


@pytest.fixture
def sheet():
    _, axis = plotting.subplots()
    return sketches.Sheet(axis, (1, 2), (4, 6), sketches.LYING)


def test_places_on_a_sheet_follow_its_basis(sheet):
    assert np.allclose(sheet.point(0, 0), (1, 2))
    assert np.allclose(sheet.point(0, 1) - sheet.point(0, 0), sketches.LYING[0])
    assert np.allclose(sheet.point(1, 0) - sheet.point(0, 0), sketches.LYING[1])
    assert np.allclose(sheet.middle(0, 0), (sheet.point(0, 0) + sheet.point(1, 1)) / 2)


def test_an_area_covers_its_cells(sheet):
    sheet.area(1, 2, 2, 3)
    (patch,) = sheet.axis.patches
    corners = patch.get_xy()[:4]
    assert np.allclose(corners[0], sheet.point(1, 2))
    assert np.allclose(corners[2], sheet.point(3, 5))


def test_a_picture_lands_on_its_sheet(sheet):
    sheet.picture(np.eye(8)[:, :4])
    (image,) = sheet.axis.images
    onto = image.get_transform() - sheet.axis.transData
    assert np.allclose(onto.transform((0, 0)), sheet.point(0, 0))
    assert np.allclose(onto.transform((4, 8)), sheet.point(4, 6))


def test_local_connections_show_growing_windows():
    figure = sketches.local_connections(title="A finding")
    (axis,) = figure.axes
    assert {text.get_text() for text in axis.texts} == {
        "the image",
        "convolution 1",
        "convolution 2",
    }
    # Three sheets; for each of two units itself, its window, that one's window, and all it sees.
    assert sum(isinstance(patch, Polygon) for patch in axis.patches) == 3 + 2 * 4


def test_stacked_maps_join_every_channel_to_the_map_in_front():
    rng = np.random.default_rng(0)
    figure = sketches.stacked_maps(
        rng.random((8, 12, 3)),
        rng.normal(size=(8, 12, 2)),
        names=["r", "g", "b"],
        map_names=["first", "second"],
        title="A finding",
    )
    (axis,) = figure.axes
    assert len(axis.images) == 5
    joins = [line for line in axis.lines if len(line.get_xdata()) == 2]
    assert len(joins) == 3  # of the map in front
    assert {"r", "g", "b", "first", "second"} <= {text.get_text() for text in axis.texts}
