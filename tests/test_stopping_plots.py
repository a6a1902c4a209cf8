import numpy as np
import pytest

from course_utils import stopping
from course_utils.slides_log import SLIDES_LOG
from course_utils.stopping_plots import (
    criteria,
    player,
    player_text,
    timeline,
    typed_curve,
)

LOSS = SLIDES_LOG["val_loss"]


def texts(figure):
    found = [figure.get_suptitle()]
    for axis in figure.axes:
        found += [text.get_text() for text in axis.texts]
        found += [label.get_text() for label in axis.get_yticklabels()]
    return found


def strip(figure):
    """What the strip under the player says of each epoch."""
    return [text.get_text() for text in figure.axes[1].texts]


def play(epoch, curve=LOSS, **settings):
    result = stopping.early_stopping(curve, **settings)
    shown = {name: settings[name] for name in ("patience", "min_delta") if name in settings}
    return player(curve, result, epoch, ylabel="loss", **shown)


def lines(axis, marker):
    return [line for line in axis.lines if line.get_marker() == marker]


# What somebody types


@pytest.mark.parametrize("text", [".9 .7 1e-2", ".9,.7,.01", " .9; .7 ;0.01\n"])
def test_a_typed_curve_is_read(text):
    assert typed_curve(text) == [0.9, 0.7, 0.01]


@pytest.mark.parametrize(
    ("text", "message"),
    [("", "at least one number"), (" , ", "at least one number"), (".9 .7x", "got '.7x'")],
)
def test_what_is_no_curve_is_refused(text, message):
    with pytest.raises(ValueError, match=message):
        typed_curve(text)


# The player


def test_the_player_waits_and_stops_as_the_callback_does():
    assert strip(play(9, patience=2)) == ["★"] * 8 + ["1"]
    assert strip(play(10, patience=2)) == ["★"] * 8 + ["1", "stop"]
    assert strip(play(9, patience=1)) == ["★"] * 8 + ["stop"]
    assert strip(play(3, patience=1, start_from_epoch=2)) == ["–", "–", "★"]


def test_after_the_stop_the_player_shows_the_state_at_the_stop():
    figure = play(10, patience=1)
    assert strip(figure) == ["★"] * 8 + ["stop"]
    (now,) = [line for line in lines(figure.axes[0], "o") if line.get_markersize() == 14]
    assert now.get_xydata().tolist() == [[9, LOSS[8]]]
    assert "stop? yes" in " ".join(texts(figure))


def test_the_player_stars_the_best_and_draws_what_must_be_beaten():
    figure = play(9, patience=3, min_delta=0.0012)  # epoch 8 is better than 7, but by too little
    (star,) = lines(figure.axes[0], "*")
    assert star.get_xydata().tolist() == [[7, LOSS[6]]]
    (needed,) = [line for line in figure.axes[0].lines if line.get_linestyle() == "--"]
    assert needed.get_ydata()[0] == pytest.approx(LOSS[6] - 0.0012)
    accuracy = SLIDES_LOG["val_accuracy"]
    result = stopping.early_stopping(accuracy, mode="max", min_delta=0.001)
    figure = player(accuracy, result, 2, ylabel="accuracy", higher=True, min_delta=0.001)
    (needed,) = [line for line in figure.axes[0].lines if line.get_linestyle() == "--"]
    assert needed.get_ydata()[0] == pytest.approx(accuracy[1] + 0.001)


def test_the_player_hides_what_is_still_to_come_from_the_solid_line():
    (seen,) = [line for line in play(4).axes[0].lines if line.get_linestyle() == "-"]
    assert seen.get_ydata().tolist() == LOSS[:4]


def test_a_curve_that_falls_far_gets_a_log_scale_and_says_so():
    assert play(3).axes[0].get_yscale() == "linear"
    figure = play(3, [2.0, 0.5, 0.2, 0.25])
    assert figure.axes[0].get_yscale() == "log"
    assert "(log scale)" in figure.axes[0].get_ylabel()
    assert play(3, [1.0, 0.0, 2.0]).axes[0].get_yscale() == "linear"


def test_gaps_in_a_curve_can_be_played():
    figure = play(4, [0.9, None, float("nan"), 0.5], patience=5)
    assert strip(figure) == ["★", "–", "1", "★"]


@pytest.mark.parametrize("epoch", [0, 11, 2.5])
def test_an_epoch_outside_of_the_curve_is_refused(epoch):
    with pytest.raises(ValueError, match="epoch must be"):
        play(epoch)


@pytest.mark.parametrize(
    ("epoch", "settings", "text"),
    [
        (8, {}, "Epoch 8: a new best, train on"),
        (9, {"patience": 2}, "Epoch 9: no improvement, wait is 1, train on"),
        (1, {"start_from_epoch": 1}, "Epoch 1: not watched yet, train on"),
        (9, {"patience": 1}, "Epoch 9: stop, with the weights of epoch 9; the best was 8"),
        (10, {"patience": 1}, "stopped after epoch 9, with the weights of epoch 9"),
        (9, {"patience": 1, "restore_best_weights": True}, "with the best epoch's weights"),
    ],
)
def test_the_player_says_what_happens(epoch, settings, text):
    assert text in player_text(stopping.early_stopping(LOSS, **settings), epoch)


# The timeline and the criteria


def test_the_timeline_puts_each_event_in_its_row():
    figure = timeline(
        LOSS,
        {"hasty": {"stops": 9, "weights kept": 9}, "never": {"stops": None, "weights kept": 8}},
        title="Two rules",
    )
    below = figure.axes[1]
    assert [label.get_text() for label in below.get_yticklabels()] == ["hasty", "never"]
    ((stop,),) = (line.get_xydata().tolist() for line in lines(below, "X"))
    (kept,), (alone,) = (line.get_xydata().tolist() for line in lines(below, "*"))
    assert (stop[0], kept[0], alone) == (9, 9, [8, 1])
    assert abs(stop[1]) < 0.5 > abs(kept[1]), "in its row"
    assert abs(stop[1] - kept[1]) > 0.4, "one over the other, so that both are seen"
    ends = [line.get_xdata()[1] for line in below.lines if len(line.get_xdata()) == 2]
    assert ends == [9, 10]


def test_the_timeline_takes_several_epochs_and_refuses_other_events():
    figure = timeline(LOSS, {"rule": {"learning rate falls": [3, 5]}}, title="Two falls")
    assert [line.get_xdata()[0] for line in lines(figure.axes[1], "v")] == [3, 5]
    with pytest.raises(ValueError, match="got 'ends'"):
        timeline(LOSS, {"rule": {"ends": 3}}, title="No such event")


def test_the_criteria_are_drawn_with_their_threshold_and_their_stop():
    curve = [1.0, 0.5, 0.6, 0.7, 0.8]
    results = {"GL": stopping.gl(curve, 30), "UP": stopping.up(curve, 3, strip=1)}
    figure = criteria(curve, results, {"GL": 30, "UP": 3}, title="Two criteria")
    assert len(figure.axes) == 3
    said = " ".join(texts(figure))
    assert "stops after 4, keeps 2" in said
    assert "stops after 5, keeps 2" in said
    heights = [bar.get_height() for bar in figure.axes[1].patches]
    np.testing.assert_allclose(heights, [0, 0, 20, 40])
    assert figure.axes[1].lines[0].get_ydata()[0] == 30
    never = criteria(curve[:2], {"GL": stopping.gl(curve[:2], 30)}, {"GL": 30}, title="One")
    assert "does not stop on this curve" in texts(never)
