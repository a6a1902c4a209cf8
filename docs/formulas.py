"""Formulas as MathML: browsers draw it without a script, a font or a network."""

import html
import sys

from latex2mathml.converter import convert


def mathml(source, display):
    """Return a formula as MathML; as it is written, and named on stderr, if it cannot be drawn.

    Parameters
    ----------
    source : str
        LaTeX, without dollars.
    display : {"inline", "block"}
    """
    text = html.escape(source.strip())
    try:
        drawn = convert(source.strip(), display=display)
    except Exception as error:
        print(f"a formula cannot be drawn ({type(error).__name__}): {source!r}", file=sys.stderr)
        return f"<code>{text}</code>"
    return drawn.replace("<math ", f'<math alttext="{text}" ', 1)
