"""What several test modules share."""

import os
import signal

import pytest
from data_room import Room, Server

from course_utils import data, downloads

# Meant for the figures of the notebooks, not for those that tests make.
os.environ.pop("COURSE_FIGURES", None)

# Started in the background by a shell, the tests ignore Ctrl-C, and so does what they start: the
# tests of Ctrl-C would wait in vain.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items):
    """Begin with the files that take longest, so that not one process alone is left with them."""
    long = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in long)


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
