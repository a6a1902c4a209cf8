"""Predict, run, reveal: a question before a cell runs, and a verdict from what it measured."""

import html
import os

from .metrics import Interval


class Prediction:
    """A question that the reader has been asked; shown as buttons, or as lettered text."""

    def __init__(self, question, choices):
        import ipywidgets

        self.question = question
        self.choices = tuple(str(choice) for choice in choices)
        if isinstance(choices, str) or len(set(self.choices)) < max(2, len(self.choices)):
            raise ValueError(f"choices must be at least two, no two alike: got {choices!r}")
        self.buttons = ipywidgets.ToggleButtons(
            options=self.choices, value=None, style={"button_width": "auto"}
        )

    def _repr_mimebundle_(self, include=None, exclude=None):
        import ipywidgets

        asked = f"<b>Predict first.</b> {html.escape(self.question)}"
        listed = "".join(f"<li>{html.escape(choice)}</li>" for choice in self.choices)
        live = ipywidgets.VBox([ipywidgets.HTML(asked), self.buttons])
        static = f'<p>{asked}</p><ol type="A">{listed}</ol>'
        plain = f"{self.question} {' / '.join(self.choices)}"
        return {**live._repr_mimebundle_(), "text/html": static, "text/plain": plain}

    def reveal(self, answer):
        """Show the right choice beside the reader's.

        Parameters
        ----------
        answer : object or metrics.Interval
            A choice, or a value whose ``str`` is one. An interval of *first minus second* picks the
            first choice where it lies above zero, the second where it lies below, and otherwise the
            third, such as *no clear difference*.

        ValueError if it is none of the choices: then the question is wrong, not the reader.
        """
        from IPython.display import HTML, display

        detail = ""
        if isinstance(answer, Interval):
            if len(self.choices) != 3:
                raise ValueError("an interval needs three choices: first, second, no difference")
            detail = f" Measured: {_words(answer)}."
            answer = _picked(self.choices, answer)
        answer = str(answer)
        if answer not in self.choices:
            raise ValueError(
                f"{answer!r} is none of the choices of “{self.question}”: {', '.join(self.choices)}"
            )
        said = self.buttons.value
        mark = {None: "", answer: "✔ You said so. "}.get(said, f"✘ You said {said}. ")
        text = html.escape(f"{mark}Answer: {answer}.{detail}")
        display(HTML(f"<p><b>{text}</b></p>"))


def predict(question, choices):
    """Ask the reader to commit to an answer before the next cell runs.

    Parameters
    ----------
    question : str
    choices : sequence of at least two
        Two, and *no clear difference*, where the answer will be an interval.

    Returns
    -------
    Prediction
        ``prediction.reveal(answer)`` settles it.
    """
    from IPython.display import display

    prediction = Prediction(question, choices)
    display(prediction)
    return prediction


def claim(statement, interval):
    """Settle a statistical statement by an interval, and say how it came out.

    Exact facts need no claim: a plain ``assert`` says them.

    Parameters
    ----------
    statement : str
        A sentence that says that an effect is greater than zero.
    interval : metrics.Interval
        Above zero the statement is *supported*, below zero *contradicted*, and otherwise the two
        sides are *not distinguishable*, which is a result too.

    Raises
    ------
    AssertionError
        If the statement is contradicted and ``COURSE_STRICT=1``, as in the tests: the text of the
        course and the run disagree. A reader who changed a seed is shown the result.
    """
    from IPython.display import HTML, display

    if not isinstance(interval, Interval):
        raise TypeError(f"claim needs a metrics.Interval: got a {type(interval).__name__}")
    verdicts = ("✔", "supported"), ("✘", "contradicted"), ("≈", "not distinguishable")
    mark, verdict = _picked(verdicts, interval)
    text = f"{mark} <i>{html.escape(statement)}</i> <b>{verdict}</b>: {_words(interval)}."
    display(HTML(f"<p>{text}</p>"))
    if verdict == "contradicted" and os.environ.get("COURSE_STRICT") == "1":
        raise AssertionError(f"{statement} — {verdict}: {_words(interval)}")


def _picked(choices, interval):
    above, below, neither = choices
    return above if interval.low > 0 else below if interval.high < 0 else neither


def _words(interval):
    return f"{interval} ({interval.level:.0%} interval, n = {interval.n})"
