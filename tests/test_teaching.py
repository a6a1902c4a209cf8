"""The instructor's page says what the notebooks and the exercises say."""

import importlib.util
import re
from pathlib import Path

import nbformat
import pytest

from course_utils.exercises import registry

ROOT = Path(__file__).parents[1]
spec = importlib.util.spec_from_file_location("teaching", ROOT / "docs/teaching.py")
teaching = importlib.util.module_from_spec(spec)
spec.loader.exec_module(teaching)


def test_the_page_is_up_to_date():
    assert teaching.PAGE.read_text(encoding="utf-8") == teaching.page(), (
        "notebooks, exercises or times have changed: run python docs/teaching.py"
    )


def test_the_page_has_every_mistake_of_every_exercise_in_a_notebook():
    page = teaching.made()
    there = {path.stem for path in teaching.notebooks()}
    for exercise in registry().values():
        for mistake in exercise.typical_mistakes:
            module = __import__(type(exercise).__module__, fromlist=["NOTEBOOK"])
            if module.NOTEBOOK in there:
                assert f"“{mistake.message}”" in page, (module.NOTEBOOK, exercise.name)


@pytest.mark.parametrize("path", teaching.notebooks(), ids=lambda path: path.stem)
def test_every_lecture_has_its_questions_and_its_time(path):
    text = teaching.lecture(path)
    source = "\n".join(c.source for c in nbformat.read(path, 4).cells if c.cell_type == "code")
    assert text.count("\n- ") >= source.count("cu.predict(") + 3
    assert re.search(r"^Runs in \d+ s", text, flags=re.M)


def test_the_commands_of_the_room_are_those_of_the_readme():
    page = teaching.PAGE.read_text(encoding="utf-8")
    assert "--no-index --find-links" in page
    for words in ("data import", "data fetch", "doctor"):
        assert f"-m course_utils.command {words}" in page
    for name in re.findall(r"`make ([a-z]+)`", page):
        assert f"\n{name}:" in (ROOT / "Makefile").read_text(encoding="utf-8"), name
