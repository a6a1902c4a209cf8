import html
import json
import re

import pytest

from course_utils import plotting, widgets


def draw(row, kind):
    if row == 3:
        raise ValueError("the image has no row 3")
    if row == 4:
        raise KeyError("bug")
    figure, axis = plotting.subplots(size=(1, 1))
    axis.plot([0, row])
    return figure, f"A line to {row} of kind <{kind}>"


def view(**changed):
    given = {
        "stills": [{"row": 1, "kind": "a"}, {"row": 2, "kind": "</script>"}],
        "label": "lines",
        "row": (0, 5),
        "kind": ["a", "</script>"],
    }
    return widgets.explore(draw, **{**given, **changed})


def test_controls_move_the_picture_or_say_in_its_place_what_is_impossible():
    made = view()
    made.controls["row"].value = 2
    assert "A line to 2 of kind &lt;a&gt;" in made.picture.value
    made.controls["row"].value = 3
    assert "the image has no row 3" in made.picture.value
    made.controls["row"].value = 4
    assert "KeyError" in made.picture.value
    made.controls["row"].value = 1
    assert "<img" in made.picture.value


def test_the_player_holds_every_still_and_survives_html_in_captions():
    page = view()._repr_mimebundle_()["text/html"]
    assert page.count("</script>") == 1
    first = html.unescape(re.search(r'alt="([^"]+)"', page)[1])
    assert first == "A line to 1 of kind <a>"
    frames = json.loads(re.search(r"frames\.concat\((\[.*?\])\);", page, re.DOTALL)[1])
    assert [frame["caption"] for frame in frames] == ["row 2, kind </script>"]
    assert frames[0]["alt"] == "A line to 2 of kind <</script>>"


def test_a_text_is_a_line_to_type_in_which_no_caption_repeats():
    made = view(kind="kind: type any")
    assert made.controls["kind"].description == "kind: type any"
    made.controls["kind"].value = "new"
    assert "of kind &lt;new&gt;" in made.picture.value
    assert "row 1</figcaption>" in made._repr_mimebundle_()["text/html"]


def test_a_broken_still_fails_the_cell_that_makes_the_view():
    with pytest.raises(KeyError):
        view(stills=[{"row": 4, "kind": "a"}])


@pytest.mark.parametrize("stills", [[], [{"row": 1}], [{"row": 1, "kind": "a", "size": 2}]])
def test_stills_must_fit_the_controls(stills):
    with pytest.raises(ValueError, match=r"each give \['kind', 'row'\]"):
        view(stills=stills)
