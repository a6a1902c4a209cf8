"""Broken data files: refused in a sentence or loaded right, nothing outside, and little memory.

`make fuzz` tries thousands more, another set at each run.
"""

import os

import fuzzing
import pytest
from fuzzing import MEMORY, command, fuzz, fuzz_command, hostile, originals, ways

from course_utils import fetching


def test_hundreds_of_broken_files(room, monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda handle: None)  # the disk's part is not what is tried
    outcomes = fuzz(room, 300)
    assert {way for way, _ in outcomes} == {
        way.__name__ for file in originals(room) for way in ways(file)
    }
    refused = sum(count for (_, outcome), count in outcomes.items() if outcome == "refused")
    assert 150 < refused < 300


def test_broken_files_through_the_command(room):
    outcomes, largest = fuzz_command(room, 4)
    assert sum(outcomes.values()) == 4
    assert largest < MEMORY


def test_files_that_ask_for_too_much(tmp_path):
    """Through the command, with the manifest of the course: its limits, not small ones."""
    downloads = tmp_path / "downloads"
    for what, path, sentence in hostile(tmp_path):
        status, said, peak = command(path, downloads)
        assert status == 1, what
        assert sentence in said, f"{what}: {said}"
        assert said.count("\n") == 1, f"{what}: {said}"
        assert peak < MEMORY, f"{what}: {peak / 1e6:.0f} MB"
    assert not [path for path in downloads.rglob("*") if path.is_file()]


def test_the_fuzzer_sees_a_wrong_load(room, monkeypatch):
    real = fetching.downloads.read
    monkeypatch.setattr(
        fetching.downloads,
        "read",
        lambda *args: {name: values[::-1] for name, values in real(*args).items()},
    )
    with pytest.raises(AssertionError):
        fuzz(room, 60)


def test_the_fuzzer_sees_what_is_left_and_what_is_written_outside(room, monkeypatch):
    def leave(path):
        (room.downloads / "left").write_text("")
        raise fetching.DataError("no")

    def escape(to):
        def import_(path):
            to.write_text("")
            return []

        return import_

    monkeypatch.setattr(fuzzing, "ESCAPED", room.base.parent / "escaped.txt")
    for broken, sentence in (
        (leave, "something is left"),
        (escape(room.base / "escaped"), "written outside"),
        (escape(room.stick / "escaped"), "written outside"),
        (escape(fuzzing.ESCAPED), "written outside"),
    ):
        monkeypatch.setattr(fetching, "import_", broken)
        with pytest.raises(AssertionError, match=sentence):
            fuzz(room, 1)
