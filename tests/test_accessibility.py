"""What everybody must be able to read: contrast, alternative text, colours of messages.

The figures of the notebooks are held to the same rules where they are made: `make test` executes
every notebook with COURSE_FIGURES=alt, so that `cu.show` and `cu.explore` raise for a figure whose
alternative text breaks one; with `strict` also for pale text and lines. Here the rules themselves
are tested, and the style. Headings, and what stands in JupyterLab's light and dark theme, are
looked at by tests/test_notebooks.py and tests/browser.
"""

import re

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.patheffects import withStroke

from course_utils import claims, legibility, plotting, widgets
from course_utils.exercises.base import CORRECT, NOT_ATTEMPTED, WRONG, Verdict
from course_utils.legibility import LINE, TEXT, contrast

TITLE = "Validation loss turns after the fourth epoch"
ALT = "Two curves over ten epochs; the validation loss is lowest, 0.21, at epoch 4, and then rises."
WHITE = (1.0, 1.0, 1.0)


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [
        ("black", "white", 21.0),
        ("white", "black", 21.0),
        ("#777777", "#777777", 1.0),
        # As the examples of WCAG's own documents have it.
        ("#777777", "white", 4.48),
        ("#767676", "white", 4.54),
        ("#0000FF", "white", 8.59),
        ("#FF0000", "white", 4.00),
    ],
)
def test_contrast_is_that_of_wcag(one, other, ratio):
    assert contrast(to_rgb(one), to_rgb(other)) == pytest.approx(ratio, abs=0.005)


def test_contrast_takes_many_colours_at_once():
    ratios = contrast(np.eye(3), np.array(WHITE))
    assert ratios.shape == (3,)
    assert (ratios > 1).all()


def test_the_style_is_opaque_and_readable():
    style = plotting.STYLE
    for part in ("figure.facecolor", "axes.facecolor", "savefig.facecolor"):
        assert to_rgb(style[part]) == WHITE
    for part in ("text.color", "axes.labelcolor", "xtick.color", "ytick.color"):
        assert contrast(to_rgb(style[part]), WHITE) >= TEXT, part
    for look in style["axes.prop_cycle"]:
        # More than a line needs: text of the same colour names the line in many figures.
        assert contrast(to_rgb(look["color"]), WHITE) >= TEXT, look
    assert contrast(to_rgb(style["axes.edgecolor"]), WHITE) >= LINE


@pytest.mark.parametrize("channel", range(3))
def test_ink_can_be_read_on_every_shade(channel):
    for shade in np.linspace(0, 1, 40):
        colour = np.full(3, shade) if channel == 0 else np.roll([shade, 0.5, 0.2], channel)
        assert contrast(to_rgb(legibility.ink_on(colour)), colour) >= TEXT


def good():
    figure, axis = plotting.subplots()
    axis.plot([1, 2, 3], label="training")
    axis.plot([3, 2, 1], label="validation")
    axis.set(title=TITLE, xlabel="epoch")
    axis.text(1, 2.5, "here", color="#333333")
    axis.legend()
    return figure


def faults(figure, alt=ALT):
    held = plotting.styled(legibility.contrast_faults)
    return held(figure) + legibility.words_faults(figure, alt)


def axis_of(figure):
    return figure.axes[0]


def test_a_good_figure_has_no_fault():
    assert faults(good()) == []


FIGURES = {
    "pale text": ("contrast", lambda f: axis_of(f).text(1, 1, "pale", color="#888888")),
    "faint text": ("contrast", lambda f: axis_of(f).text(1, 1, "faint", color="k", alpha=0.4)),
    "a pale title": ("contrast", lambda f: f.suptitle("pale 1", color="#999999")),
    "pale labels": ("contrast", lambda f: axis_of(f).tick_params(labelcolor="#AAAAAA")),
    "a pale legend": ("contrast", lambda f: axis_of(f).legend(labelcolor="#AAAAAA")),
    "dark on dark": ("contrast", lambda f: axis_of(f).set_facecolor("#333333")),
    "a pale line": ("contrast", lambda f: axis_of(f).plot([1, 2, 1], color="#C4C4C4")),
    "a faint line": ("contrast", lambda f: axis_of(f).plot([1, 2, 1], color="k", alpha=0.3)),
    "pale dots": ("contrast", lambda f: axis_of(f).plot([1, 2], [1, 2], "o", color="#F0E442")),
    "no background": ("opaque", lambda f: f.set_facecolor("none")),
}


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_that_is_hard_to_read_is_found(name):
    words, spoil = FIGURES[name]
    figure = good()
    spoil(figure)
    assert any(words in fault for fault in faults(figure))


def test_text_is_held_against_what_is_behind_it():
    figure, axis = plotting.subplots()
    axis.imshow(np.tile([[0.0, 1.0]], (2, 1)), vmin=0, vmax=1)
    on_black = axis.text(0, 0.5, "word", color="white", ha="center")
    assert not [fault for fault in faults(figure) if "word" in fault]
    on_black.set_x(1)
    assert [fault for fault in faults(figure) if "word" in fault]
    on_black.set_path_effects([withStroke(linewidth=3, foreground="black")])
    assert not [fault for fault in faults(figure) if "word" in fault]


def test_a_mark_is_seen_by_its_face_or_its_edge():
    figure = good()
    (mark,) = axis_of(figure).plot(2, 1.5, "o", color="#005000", markeredgecolor="white")
    assert faults(figure) == []
    mark.set_markerfacecolor("none")
    assert any("contrast" in fault for fault in faults(figure))


def test_guides_and_what_is_not_drawn_are_held_to_nothing():
    figure = good()
    axis_of(figure).axhline(2, color="#DDDDDD", zorder=0)
    axis_of(figure).text(2, 2, "hidden", color="#EEEEEE", visible=False)
    assert faults(figure) == []
    picture = plotting.image_grid(np.zeros((2, 4, 4)))
    for axis in picture.axes:
        axis.tick_params(labelcolor="#EEEEEE")  # these axes are switched off
    assert faults(picture, "Two black squares, one beside the other.") == []


def test_a_mark_on_its_own_error_bar_is_held_against_what_is_behind_both():
    figure = good()
    axis_of(figure).errorbar([1, 2], [1, 3], yerr=0.4, fmt="o", color="#0072B2")
    assert faults(figure) == []


def test_a_look_at_a_figure_leaves_it_as_it_was(monkeypatch):
    figure = good()
    before, engine = plotting.to_png(figure), figure.get_layout_engine()
    faults(figure)
    assert plotting.to_png(figure) == before
    monkeypatch.setenv("COURSE_FIGURES", "strict")
    alt = "A line from 1 up to 3, and a word beside it at 2."
    for _ in range(2):  # the second time it is drawn as the first left it
        assert plotting.legible_png(figure, alt) == before
    assert figure.get_layout_engine() is engine


ALTS = {
    "short": ("shorter", "Two curves, 10 epochs."),
    "the title": ("repeats", TITLE),
    "nearly the title": ("repeats", "The validation loss turns after the fourth epoch, as shown"),
    "its words turned round": ("repeats", "After the fourth epoch loss turns, loss, loss, loss."),
    "no number": ("numbers", "A curve that falls and one that falls and then rises again."),
}


@pytest.mark.parametrize("name", ALTS)
def test_an_alt_text_that_says_too_little_is_found(name):
    words, alt = ALTS[name]
    assert any(words in fault for fault in legibility.words_faults(good(), alt))


def test_numbers_are_due_only_where_the_figure_has_them():
    picture = plotting.image_grid(np.zeros((2, 4, 4)), titles=["a shirt", "a coat"])
    alt = "A shirt, and beside it a coat that is wider at the shoulders."
    assert legibility.words_faults(picture, alt) == []
    picture = plotting.image_grid(np.zeros((2, 4, 4)), titles=["loss 1.2", "loss 3.4"])
    assert legibility.words_faults(picture, alt) != []


def test_the_notebooks_are_held_to_it_when_they_are_tested(monkeypatch):
    figure = good()
    plotting.to_html(figure, "Two curves, nothing more")
    monkeypatch.setenv("COURSE_FIGURES", "alt")
    plotting.to_html(figure, ALT)
    with pytest.raises(AssertionError, match="shorter"):
        plotting.to_html(figure, "Two curves, nothing more")
    with pytest.raises(AssertionError, match="repeats"):
        widgets.player([(figure, "", ALT), (good(), "", TITLE)], label="two")
    axis_of(figure).plot([1, 2, 1], color="#EEEEEE")
    plotting.to_html(figure, ALT)
    monkeypatch.setenv("COURSE_FIGURES", "strict")
    with pytest.raises(AssertionError, match="contrast"):
        plotting.show(figure, ALT)


def messages():
    """Return HTML of everything that the course shows beside figures."""
    for status in (CORRECT, WRONG, NOT_ATTEMPTED):
        yield Verdict(status, "look at `padding`")._repr_html_()
    yield claims.Prediction("Which?", ["one", "two"])._repr_mimebundle_()["text/html"]
    yield widgets.player([(good(), "first", ALT), (good(), "second", ALT)], label="two")


@pytest.mark.parametrize("markup", list(messages()), ids=range(5))
def test_messages_take_both_colours_from_the_theme_or_none(markup):
    # One of the two alone would be unreadable in either the light or the dark theme.
    for look in re.findall(r'style="([^"]*)"', markup):
        colours = dict(re.findall(r"(?:^|[;\s])(background|color)\s*:\s*([^;]+)", look))
        if "color" in colours:
            assert (
                contrast(to_rgb(expanded(colours["color"])), to_rgb(colours["background"])) >= TEXT
            )
        elif "background" in colours:
            assert "<img" in markup


def expanded(colour):
    """Return #222 as #222222, which matplotlib reads too."""
    short = re.fullmatch(r"#(\w)(\w)(\w)", colour.strip())
    return "#" + "".join(2 * digit for digit in short.groups()) if short else colour.strip()
