"""What the tests of figures share."""

from matplotlib.figure import Figure

from course_utils import plotting


def drawn(figure):
    """Check that it is a figure that can be drawn, and return it."""
    assert isinstance(figure, Figure)
    assert plotting.to_png(figure).startswith(b"\x89PNG")
    return figure


def texts(axis):
    return [text.get_text() for text in axis.texts]
