import html
import json
import re
from html.parser import HTMLParser

import ipywidgets
import pytest

from course_utils import plotting, widgets
from course_utils.bundles import WIDGET_VIEW, without_widgets

VOID = {"img", "input"}


def draw(row, kind="max"):
    if row > 4:
        raise ValueError(f"row must be below 5: got {row} <here>")
    figure, axis = plotting.subplots(size=(3, 2))
    axis.plot([0, row], label=kind)
    return figure


def alt(row, kind="max"):
    return f"A line from 0 to {row}, drawn for {kind} pooling"


def frames(n=3, caption="frame {}", text="Line number {} rises to its end"):
    return [(draw(k), caption.format(k), text.format(k)) for k in range(n)]


class Page(HTMLParser):
    """Reads a page strictly: each element is closed in order; keeps elements and script text."""

    def __init__(self, text):
        super().__init__()
        self.open, self.elements, self.script = [], [], ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] == "script":
            self.script += data

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]

    def stored(self):
        return json.loads(re.search(r"\[first\]\.concat\((.*)\), timer", self.script)[1])


def test_player_is_well_formed_and_labelled():
    page = Page(widgets.player(frames(), label='Rows of "x" & <y>'))
    (figure,) = page.all("figure")
    assert figure["role"] == "group"
    assert figure["aria-label"] == 'Rows of "x" & <y>'
    assert [button["data-go"] for button in page.all("button")] == ["-1", "play", "1"]
    assert all(button["type"] == "button" for button in page.all("button"))
    (slider,) = page.all("input")
    assert (slider["min"], slider["max"], slider["value"]) == ("0", "2", "0")
    assert len(page.all("label")) == 1
    (image,) = page.all("img")
    assert image["alt"] == "Line number 0 rises to its end"
    later = page.stored()
    assert [frame["alt"] for frame in later] == [
        "Line number 1 rises to its end",
        "Line number 2 rises to its end",
    ]
    assert [frame["caption"] for frame in later] == ["frame 1", "frame 2"]
    assert all(frame["src"].startswith("data:image/png;base64,iVBOR") for frame in later)
    assert len({image["src"], *(frame["src"] for frame in later)}) == 3


def test_player_fetches_nothing():
    text = widgets.player(frames(), label="Rows")
    assert not re.search(r"https?:|src=\"(?!data:)", text)


@pytest.mark.parametrize("nasty", ["</script><b>{}", "<!-- <script> {}", "</SCRIPT {}", "\u2028{}"])
def test_player_survives_markup_in_captions_and_alt(nasty):
    page = Page(widgets.player(frames(3, nasty, nasty + " and some more"), label="Rows"))
    assert [frame["caption"] for frame in page.stored()] == [nasty.format(1), nasty.format(2)]
    assert len(page.all("script")) == 1
    assert not page.all("b")
    assert not re.search(r"<(/?script|!--)", page.script, re.IGNORECASE)


def test_player_is_deterministic_and_keyed_by_its_content():
    one, again = (widgets.player(frames(), label="Rows") for _ in range(2))
    other = widgets.player(frames(caption="picture {}"), label="Rows")
    assert one == again
    key, other_key = (re.search(r"player-[0-9a-f]{12}", text)[0] for text in (one, other))
    assert key != other_key
    assert f'querySelectorAll(".{key}:not([data-ready])")' in one


def test_player_of_one_frame_needs_no_script():
    page = Page(widgets.player(frames(1, "a < b"), label="Rows"))
    assert [tag for tag, _ in page.elements] == ["img", "p"]


def test_player_refuses_no_frames_and_frames_without_alt():
    with pytest.raises(ValueError, match="at least one"):
        widgets.player([], label="Rows")
    for missing in range(3):
        broken = frames()
        broken[missing] = (*broken[missing][:2], "")
        with pytest.raises(ValueError, match="alt must say"):
            widgets.player(broken, label="Rows")


@pytest.fixture
def view():
    return widgets.explore(
        draw,
        alt=alt,
        label="Rows and kinds",
        stills=[{"row": 1, "kind": "max"}, {"row": 3, "kind": "average"}],
        row=(0, 6),
        kind=["max", "average"],
    )


def test_view_makes_controls_from_values(view):
    row, kind = view.controls["row"], view.controls["kind"]
    assert isinstance(row, ipywidgets.IntSlider)
    assert (row.min, row.max, row.description) == (0, 6, "row")
    assert isinstance(kind, ipywidgets.Dropdown)
    assert kind.options == ("max", "average")


@pytest.mark.parametrize("choices", [[3, 5], (3, 5, 7), (False, True), (0.1, 0.2), ("a", "b")])
def test_only_two_whole_numbers_in_a_tuple_are_a_slider(choices):
    control = widgets._control("kernel_size", choices, first=choices[1])
    assert isinstance(control, ipywidgets.Dropdown)
    assert control.options == tuple(choices)
    assert control.value == choices[1]
    assert control.description == "kernel size"


def test_a_widget_is_taken_as_it_is():
    own = ipywidgets.FloatSlider()
    assert widgets._control("rate", own, first=1.0) is own


def test_view_opens_where_its_player_does(view):
    assert view.values == {"row": 1, "kind": "max"}
    assert html.escape(alt(1)) in view.picture.value


@pytest.mark.parametrize(("begins", "drawn"), [(1, [1, 3]), (2, [1, 3, 2])])
def test_what_the_player_has_drawn_first_is_not_drawn_again(begins, drawn):
    seen = []

    def noted(row):
        seen.append(row)
        return draw(row)

    own = ipywidgets.IntSlider(begins, 0, 4)
    stills = [{"row": 1}, {"row": 3}]
    view = widgets.explore(noted, alt=alt, stills=stills, label="Rows", row=own)
    assert seen == drawn
    assert alt(begins) in view.picture.value


def test_view_redraws_when_a_control_changes(view):
    view.controls["row"].value = 2
    second = view.picture.value
    assert alt(2) in second
    view.controls["kind"].value = "average"
    assert alt(2, "average") in view.picture.value
    assert view.values == {"row": 2, "kind": "average"}


def test_impossible_values_are_explained_in_place(view):
    view.controls["row"].value = 5
    assert view.picture.value == (
        "<p><b>Not possible:</b> row must be below 5: got 5 &lt;here&gt;</p>"
    )
    view.controls["row"].value = 4
    assert alt(4) in view.picture.value


def test_an_error_after_a_choice_is_shown_and_not_lost():
    def draw_or_break(row):
        if row == 2:
            raise TypeError("row must be <odd>")
        return draw(row, "max")

    stills = [{"row": 1}]
    view = widgets.explore(draw_or_break, alt=alt, label="Rows", stills=stills, row=(0, 6))
    view.controls["row"].value = 2
    assert view.picture.value == (
        "<p><b>Could not be drawn:</b> TypeError: row must be &lt;odd&gt;</p>"
    )
    view.controls["row"].value = 3
    assert alt(3) in view.picture.value


def test_view_has_a_live_and_a_static_form(view):
    bundle = view._repr_mimebundle_()
    assert set(bundle) == {WIDGET_VIEW, "text/html", "text/plain"}
    assert bundle["text/plain"] == "Rows and kinds"
    page = Page(bundle["text/html"])
    assert page.all("img")[0]["alt"] == alt(1)
    assert page.stored()[0]["alt"] == alt(3, "average")
    assert page.stored()[0]["caption"] == "row 3 · kind average"


def test_the_static_form_remains_when_the_live_one_is_taken_away(view):
    bundle = view._repr_mimebundle_()
    assert set(without_widgets(bundle)) == {"text/html", "text/plain"}
    lonely = {WIDGET_VIEW: {}, "text/plain": "x"}
    assert without_widgets(lonely) == lonely


def test_a_broken_still_fails_the_cell_that_makes_the_view():
    with pytest.raises(ValueError, match="row must be below 5"):
        widgets.explore(draw, alt=alt, stills=[{"row": 1}, {"row": 9}], label="Rows", row=(0, 4))
    with pytest.raises(ValueError, match="alt must say"):
        widgets.explore(draw, alt=lambda row: "", stills=[{"row": 1}], label="Rows", row=(0, 4))


@pytest.mark.parametrize(
    ("stills", "message"),
    [
        ([], "at least one set of values"),
        ([{"row": 1, "colour": 2}], r"each of stills must give \['row'\]: got \['colour', 'row'\]"),
        ([{"row": 1}, {}], r"got \[\]"),
    ],
)
def test_stills_give_each_control_a_value(stills, message):
    with pytest.raises(ValueError, match=message):
        widgets.explore(draw, alt=alt, stills=stills, label="Rows", row=(0, 4))
