import pytest

from course_utils import quiz
from course_utils.metrics import Interval

ABOVE, BELOW, ACROSS = (Interval(m, m - 1, m + 1, 0.95, 5) for m in (2, -2, 0.5))


@pytest.fixture
def page(monkeypatch):
    import IPython.display

    shown = []
    monkeypatch.setattr(IPython.display, "display", shown.append)
    return shown


@pytest.mark.parametrize(
    ("measured", "answer"), [(ABOVE, "max"), (BELOW, "average"), (ACROSS, "no clear difference")]
)
def test_an_interval_picks_its_choice(page, measured, answer):
    bet = quiz.predict("Which is better?", ["max", "average", "no clear difference"])
    bet.reveal(measured)
    assert f"Answer: {answer}. Measured: " in page[-1].data
    assert "95% interval, n = 5" in page[-1].data


def test_reveal_says_how_the_readers_choice_came_out_as_often_as_it_is_run(page):
    bet = quiz.predict("How many?", [3, 4, "<5>"])
    bet.reveal(4)
    bet.buttons.value = "4"
    bet.reveal(4)
    bet.buttons.value = "<5>"
    bet.reveal(4)
    texts = [each.data for each in page[1:]]
    assert "✔" not in texts[0]
    assert "✔ You said so. Answer: 4." in texts[1]
    assert "✘ You said &lt;5&gt;. Answer: 4." in texts[2]


def test_an_answer_must_fit_the_choices(page):
    with pytest.raises(ValueError, match=r"'6' is none of the choices of “How many\?”: 3, 4"):
        quiz.predict("How many?", [3, 4]).reveal(6)
    with pytest.raises(ValueError, match="three choices"):
        quiz.predict("Which?", ["max", "average"]).reveal(ABOVE)


@pytest.mark.parametrize("choices", ["ab", ["one"], ["same", "same"], []])
def test_choices_must_be_at_least_two(choices):
    with pytest.raises(ValueError, match="at least two"):
        quiz.predict("?", choices)


def test_a_prediction_reads_without_a_kernel(page):
    bundle = quiz.predict("Is a < b?", ["yes", "no"])._repr_mimebundle_()
    assert "Is a &lt; b?" in bundle["text/html"]
    assert bundle["text/html"].count("<li>") == 2


def test_a_claim_shows_its_verdict_and_fails_only_if_contradicted_under_tests(page, monkeypatch):
    verdicts = {"supported": ABOVE, "not distinguishable": ACROSS, "contradicted": BELOW}
    for verdict, measured in verdicts.items():
        quiz.claim("Max is better.", measured)
        assert f"<b>{verdict}</b>" in page[-1].data
    monkeypatch.setenv("COURSE_STRICT", "1")
    quiz.claim("Max is better.", ABOVE)
    quiz.claim("Max is better.", ACROSS)
    with pytest.raises(AssertionError, match="Max is better. — contradicted"):
        quiz.claim("Max is better.", BELOW)
    with pytest.raises(TypeError, match="got a bool"):
        quiz.claim("Two is two.", True)
