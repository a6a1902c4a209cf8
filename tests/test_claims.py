import math

import numpy as np
import pytest

from course_utils import claims
from course_utils.bundles import WIDGET_VIEW
from course_utils.claims import claim
from course_utils.metrics import Interval


@pytest.fixture
def said(monkeypatch):
    texts = []
    monkeypatch.setattr(claims, "say", texts.append)
    return texts


@pytest.mark.parametrize("yes", [True, np.True_, np.float32(1) < 2])
def test_exact_claim_that_holds(said, yes):
    assert claim("Two is more than one.", yes) == claims.SUPPORTED
    assert said == ["✔ *Two is more than one.* **Supported.**"]


@pytest.mark.parametrize("no", [False, np.False_])
def test_exact_claim_that_fails_raises(said, no):
    with pytest.raises(AssertionError, match="Two is less than one. — contradicted by this run"):
        claim("Two is less than one.", no)
    assert said == []


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (0.01, 0.03, claims.SUPPORTED),
        (-0.01, 0.03, claims.UNDECIDED),
        (0.0, 0.03, claims.UNDECIDED),
        (-0.03, 0.0, claims.UNDECIDED),
    ],
)
def test_statistical_claim_that_is_not_contradicted(said, low, high, verdict):
    interval = Interval((low + high) / 2, low, high, 0.95, 5)
    assert claim("Dropout helps.", interval) == verdict
    (text,) = said
    where = " on this run" if verdict == claims.UNDECIDED else ""
    assert f"**{verdict.capitalize()}{where}.**" in text
    assert str(interval) in text
    assert "95% interval, n = 5" in text


def test_statistical_claim_that_is_contradicted_raises(said):
    with pytest.raises(AssertionError, match=r"contradicted by this run. Effect .*n = 7"):
        claim("Dropout helps.", Interval(-0.02, -0.03, -0.01, 0.95, 7))
    assert said == []


def test_a_claim_from_stored_runs_does_not_speak_of_this_one(said):
    claim("Dropout helps.", Interval(0.1, -0.1, 0.3, 0.95, 6), on="the stored runs")
    assert "**Not distinguishable on the stored runs.**" in said[0]
    with pytest.raises(AssertionError, match="contradicted by the stored runs"):
        claim("Dropout helps.", Interval(-0.2, -0.3, -0.1, 0.95, 6), on="the stored runs")


@pytest.mark.parametrize(("low", "high"), [(math.nan, 1.0), (-1.0, math.nan)])
def test_interval_of_nothing_is_no_evidence(said, low, high):
    with pytest.raises(ValueError, match="interval of numbers"):
        claim("Dropout helps.", Interval(0.0, low, high, 0.95, 5))


@pytest.mark.parametrize("evidence", [0.2, 1, None, "yes", np.ones(2) > 0])
def test_other_evidence_is_refused(said, evidence):
    with pytest.raises(TypeError, match="a bool or a metrics.Interval"):
        claim("Something.", evidence)


@pytest.mark.parametrize("choices", [[], ["one"], ["a", "b", "a"], "yes", [1, "1"]])
def test_a_question_needs_different_choices(choices):
    with pytest.raises(ValueError, match="at least two, no two alike"):
        claims.Prediction("Which?", choices)


def test_prediction_shows_buttons_and_a_twin_in_text():
    prediction = claims.Prediction("Is 1 < 2?", ["yes & always", "no"])
    bundle = prediction._repr_mimebundle_()
    assert set(bundle) == {WIDGET_VIEW, "text/html", "text/plain"}
    assert "Is 1 &lt; 2?" in bundle["text/html"]
    assert "<li>yes &amp; always</li><li>no</li>" in bundle["text/html"]
    assert bundle["text/plain"] == "Is 1 < 2? yes & always / no"


def test_predict_displays_the_question(monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", shown.append)
    prediction = claims.predict("Which?", ["a", "b"])
    assert shown == [prediction]
    assert prediction.choice is None


def test_answer_beside_what_the_reader_chose(said):
    prediction = claims.Prediction("How many?", [9, "10"])
    prediction.answer(9, because="Nine windows fit.")
    prediction.choose("9")
    prediction.answer("9")
    prediction.choose("10")
    prediction.answer("9")
    assert said == [
        "**Answer: 9.** Nine windows fit.",
        "**You said 9, and so it came out.**",
        "**You said 10; it came out: 9.**",
    ]


def test_showing_a_question_again_keeps_the_choice():
    prediction = claims.Prediction("How many?", ["9", "10"])
    prediction.choose("10")
    prediction._repr_mimebundle_()
    assert prediction.choice == "10"


def test_choices_are_not_taken_for_markdown(said):
    claims.Prediction("?", ["3*3*32 $x$", "b_c"]).answer("3*3*32 $x$")
    dollar = "<span>&#36;</span>"
    assert said == [rf"**Answer: 3\*3\*32 {dollar}x{dollar}.**"]


def test_what_is_none_of_the_choices_is_refused(said):
    prediction = claims.Prediction("How many?", ["9", "10"])
    with pytest.raises(ValueError, match="'11', is none of the choices: 9, 10"):
        prediction.answer(11)
    with pytest.raises(ValueError, match="choice must be one of 9, 10: got 'eleven'"):
        prediction.choose("eleven")


def test_say_shows_markdown(monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", shown.append)
    claims.say("**3** of 4")
    assert shown[0]._repr_markdown_() == "**3** of 4"


@pytest.mark.parametrize(
    ("interval", "fate"),
    [
        (Interval(0.02, 0.01, 0.03, 0.95, 5), "Contradicted"),
        (Interval(0.02, -0.01, 0.03, 0.95, 5), "Not distinguishable"),
    ],
)
def test_a_myth_gets_the_opposite_verdict(interval, fate, monkeypatch):
    said = []
    monkeypatch.setattr(claims, "say", said.append)
    claim("Shuffling hurts.", interval, myth="Shuffling is harmless.", points=True)
    assert "The myth: *Shuffling is harmless.*" in said[0]
    assert fate in said[0]
    assert "2.0 points [" in said[1]
