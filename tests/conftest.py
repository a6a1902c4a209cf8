"""What several test modules share."""

import signal

import pytest
from data_room import Room, Server

from course_utils import data, downloads

# Started in the background by a shell, the tests ignore Ctrl-C, and so does what they start: the
# tests of Ctrl-C would wait in vain.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items):
    """Begin with what takes longest, so that not one process alone is left with it.

    Before all, the notebooks: beside them the tests have not filled the memory yet.
    """
    slow = {item.path for item in items if item.get_closest_marker("slow")}

    def turn(item):
        return 0 if item.path.suffix == ".ipynb" else 1 if item.path in slow else 2

    items.sort(key=turn)


@pytest.fixture(scope="module", autouse=True)
def _figures_of_tests():
    """COURSE_FIGURES is meant for the notebooks, which run beside, not for figures of tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("COURSE_FIGURES", raising=False)
        yield


@pytest.fixture
def room(tmp_path, monkeypatch):
    """A scratch checkout with small data sets; nothing of the real one is touched."""
    room = Room(tmp_path)
    monkeypatch.setattr(downloads, "DATA", room.data)
    monkeypatch.setenv("COURSE_DATA_DIR", str(room.downloads))
    monkeypatch.delenv("COURSE_DATA", raising=False)
    monkeypatch.setattr(data, "_OPENINGS", type(data._OPENINGS)())
    return room


@pytest.fixture
def server(room):
    """A server on this machine that the room's manifest names."""
    server = Server(room)
    yield server
    server.close()
