"""Predict, run, explain: questions before a cell runs, and verdicts made from what it measured."""

import html

from .metrics import Interval
from .widgets import WIDGET_VIEW

SUPPORTED = "supported"
UNDECIDED = "not distinguishable on this run"
CONTRADICTED = "contradicted"


class Prediction:
    """A question that the reader has been asked, and what they chose.

    Attributes
    ----------
    question : str
    choices : tuple of str
    choice : str or None
        What the reader clicked; None if nothing, as in a run without a reader.
    """

    def __init__(self, question, choices):
        self.question = question
        self.choices = tuple(str(choice) for choice in choices)
        if len(set(self.choices)) < 2:
            raise ValueError(f"choices must hold at least two different ones: got {choices!r}")
        self._buttons = None

    @property
    def choice(self):
        """What the reader chose, or None."""
        return self._buttons.value if self._buttons is not None else None

    def choose(self, choice):
        """Choose from a cell instead of with the mouse."""
        if choice not in self.choices:
            raise ValueError(f"choice must be one of {', '.join(self.choices)}: got {choice!r}")
        self._widget()
        self._buttons.value = choice

    def _widget(self):
        import ipywidgets

        if self._buttons is None:
            self._buttons = ipywidgets.ToggleButtons(
                options=self.choices, value=None, style={"button_width": "auto"}
            )
        question = ipywidgets.HTML(f"<b>Predict first.</b> {html.escape(self.question)}")
        return ipywidgets.VBox([question, self._buttons])

    def _repr_mimebundle_(self, include=None, exclude=None):
        listed = "".join(f"<li>{html.escape(choice)}</li>" for choice in self.choices)
        bundle = dict(self._widget()._repr_mimebundle_() or {})
        bundle["text/html"] = (
            f"<p><b>Predict first.</b> {html.escape(self.question)}</p>"
            f'<ol type="A">{listed}</ol>'
        )
        return bundle

    def answer(self, right, because=""):
        """Show which choice the run bears out, beside what the reader chose.

        Parameters
        ----------
        right : str
            One of the choices, computed by the run where it can be.
        because : str
            One or two sentences: why. Markdown.

        Raises
        ------
        ValueError
            If `right` is none of the choices: then the question is wrong, not the reader.
        """
        right = str(right)
        if right not in self.choices:
            raise ValueError(
                f"the run's answer, {right!r}, is none of the choices: {', '.join(self.choices)}"
            )
        if self.choice is None:
            opening = f"**Answer: {right}.**"
        elif self.choice == right:
            opening = f"**You said {right}, and so says the run.**"
        else:
            opening = f"**You said {self.choice}; the run says {right}.**"
        say(f"{opening} {because}".strip())


def predict(question, choices):
    """Ask the reader to commit to an answer before the next cell runs.

    Parameters
    ----------
    question : str
    choices : sequence of str
        At least two.

    Returns
    -------
    Prediction
        Buttons where a kernel runs, lettered text elsewhere. ``prediction.answer(right)`` settles it.
    """
    from IPython.display import display

    prediction = Prediction(question, choices)
    display(prediction)
    return prediction


def say(text):
    """Show a sentence made from this run's numbers, as Markdown."""
    from IPython.display import Markdown, display

    display(Markdown(text))


def claim(statement, evidence):
    """Settle a statement by what was measured, and say how it came out.

    Parameters
    ----------
    statement : str
        A full sentence. With an interval it says that an effect is greater than zero.
    evidence : bool or Interval
        A bool settles an exact statement (a shape, a count, a gradient). An interval settles a
        statistical one: supported if it lies above zero, contradicted if it lies below, and otherwise
        not distinguishable on this run, which is a result too.

    Returns
    -------
    str
        The verdict.

    Raises
    ------
    AssertionError
        If the statement is contradicted: the text of the course and the run disagree.
    TypeError
        If `evidence` is neither a bool nor an Interval.
    """
    if isinstance(evidence, Interval):
        verdict = (
            SUPPORTED if evidence.low > 0 else CONTRADICTED if evidence.high < 0 else UNDECIDED
        )
        detail = f" Effect {evidence} ({evidence.level:.0%} interval, n = {evidence.n})."
    elif isinstance(evidence, bool) or type(evidence).__name__ == "bool":
        verdict = SUPPORTED if evidence else CONTRADICTED
        detail = ""
    else:
        raise TypeError(
            f"evidence must be a bool or a metrics.Interval: got {type(evidence).__name__}"
        )
    if verdict == CONTRADICTED:
        raise AssertionError(f"{statement} — {CONTRADICTED} by this run.{detail}")
    mark = "✔" if verdict == SUPPORTED else "≈"
    say(f"{mark} *{statement}* **{verdict[0].upper()}{verdict[1:]}.**{detail}")
    return verdict


def without_widgets(bundle):
    """Return a mime bundle without its live view, where it has an HTML twin to fall back on."""
    if "text/html" in bundle:
        return {kind: value for kind, value in bundle.items() if kind != WIDGET_VIEW}
    return bundle
