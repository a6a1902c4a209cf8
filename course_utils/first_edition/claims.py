"""Predict, run, explain: questions before a cell runs, and verdicts made from what it measured."""

import html
import math
import re

import numpy as np

from .metrics import Interval

SUPPORTED = "supported"
UNDECIDED = "not distinguishable"
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
        import ipywidgets

        self.question = question
        self.choices = () if isinstance(choices, str) else tuple(str(each) for each in choices)
        if len(self.choices) < 2 or len(set(self.choices)) < len(self.choices):
            raise ValueError(
                f"choices must be a list of at least two, no two alike: got {choices!r}"
            )
        self._buttons = ipywidgets.ToggleButtons(
            options=self.choices, value=None, style={"button_width": "auto"}
        )

    @property
    def choice(self):
        """What the reader chose, or None."""
        return self._buttons.value

    def choose(self, choice):
        """Choose from a cell instead of with the mouse."""
        if choice not in self.choices:
            raise ValueError(f"choice must be one of {', '.join(self.choices)}: got {choice!r}")
        self._buttons.value = choice

    def _repr_mimebundle_(self, include=None, exclude=None):
        import ipywidgets

        asked = f"<b>Predict first.</b> {html.escape(self.question)}"
        listed = "".join(f"<li>{html.escape(choice)}</li>" for choice in self.choices)
        live = ipywidgets.VBox([ipywidgets.HTML(asked), self._buttons])
        twins = {
            "text/html": f'<p>{asked}</p><ol type="A">{listed}</ol>',
            "text/plain": f"{self.question} {' / '.join(self.choices)}",
        }
        return {**live._repr_mimebundle_(), **twins}

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
            opening = f"**Answer: {_plain(right)}.**"
        elif self.choice == right:
            opening = f"**You said {_plain(right)}, and so it came out.**"
        else:
            opening = f"**You said {_plain(self.choice)}; it came out: {_plain(right)}.**"
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
        Buttons where a kernel runs, lettered text elsewhere; ``prediction.answer(right)``
        settles it.
    """
    from IPython.display import display

    prediction = Prediction(question, choices)
    display(prediction)
    return prediction


def say(text):
    """Show a sentence made from this run's numbers, as Markdown."""
    from IPython.display import Markdown, display

    display(Markdown(text))


def claim(statement, evidence, *, myth=None, points=False, on="this run"):
    """Settle a statement by what was measured, and say how it came out.

    Parameters
    ----------
    statement : str
        A full sentence. With an interval it says that an effect is greater than zero.
    evidence : bool or Interval
        A bool settles an exact statement (a shape, a count, a gradient). An interval settles a
        statistical one: supported if it lies above zero, contradicted if it lies below, and
        otherwise not distinguishable, which is a result too.
    myth : str, optional
        The claim that the statement speaks against: it gets the opposite verdict, shown first.
    points : bool
        Show an interval of fractions in percentage points.
    on : str
        Where the evidence comes from, if not from this run: "the stored runs".

    Returns
    -------
    str
        The verdict; a notebook does not show it a second time.

    Raises
    ------
    AssertionError
        If the statement is contradicted: the text of the course and the run disagree.
    TypeError
        If `evidence` is neither a bool nor an Interval.
    ValueError
        If the interval holds NaN: then nothing was measured.
    """
    if isinstance(evidence, Interval):
        if math.isnan(evidence.low) or math.isnan(evidence.high):
            raise ValueError(f"evidence must be an interval of numbers: got {evidence}")
        verdict = (
            SUPPORTED if evidence.low > 0 else CONTRADICTED if evidence.high < 0 else UNDECIDED
        )
        shown = str(evidence)
        if points:
            low, middle, high = (100 * x for x in (evidence.low, evidence.estimate, evidence.high))
            shown = f"{middle:z.1f} points [{low:z.1f}, {high:z.1f}]"
        detail = f" Effect {shown} ({evidence.level:.0%} interval, n = {evidence.n})."
    elif isinstance(evidence, bool | np.bool_):
        verdict = SUPPORTED if evidence else CONTRADICTED
        detail = ""
    else:
        raise TypeError(
            f"evidence must be a bool or a metrics.Interval: got {type(evidence).__name__}"
        )
    if verdict == CONTRADICTED:
        raise AssertionError(f"{statement} — {CONTRADICTED} by {on}.{detail}")
    mark = "✔" if verdict == SUPPORTED else "≈"
    told = verdict[0].upper() + verdict[1:]
    told += f" on {on}" if verdict == UNDECIDED else ""
    if myth:
        fate = CONTRADICTED if verdict == SUPPORTED else UNDECIDED
        sign = "✘" if verdict == SUPPORTED else "≈"
        say(f"{sign} The myth: *{myth}* **{fate[0].upper()}{fate[1:]}.**")
    say(f"{mark} *{statement}* **{told}.**{detail}")
    return _Shown(verdict)


class _Shown(str):
    """Text that is on the page already: at the end of a cell it shows nothing."""

    def _ipython_display_(self):
        pass


def _plain(text):
    """Return `text` so that Markdown shows it as it stands: choices are no Markdown."""
    text = re.sub(r"([\\`*_<>\[\]~|])", r"\\\1", text)
    # JupyterLab looks for formulas before and after Markdown, and takes an escaped dollar for one.
    return text.replace("$", "<span>&#36;</span>")
