"""One of these, or the nearest right one: what every unknown name is answered with."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def did_you_mean(value, names: Iterable[str], otherwise: str = "") -> str:
    """Return a question that names the nearest of some names, capitals aside.

    Parameters
    ----------
    value : object
        What was given.
    names : iterable of str
    otherwise : str
        What to return when none is near.

    Returns
    -------
    str
        Such as ``did you mean 'fast'?``
    """
    known = {name.casefold(): name for name in names}
    near = get_close_matches(str(value).strip().casefold(), known, n=1)
    return f"did you mean {known[near[0]]!r}?" if near else otherwise


def one_of(argument: str, value, choices: Iterable[str], *, error: type[Exception] = ValueError):
    """Return `value` if it is one of `choices`.

    Parameters
    ----------
    argument : str
        What the sentence calls it.
    value : object
    choices : iterable of str
    error : type
        Of the exception.

    Raises
    ------
    ValueError
        Or `error`: the choices, what was given, and the nearest of them if one is near.
    """
    choices = list(choices)
    if value in choices:
        return value
    hint = did_you_mean(value, choices)
    raise error(
        f"{argument} must be one of {', '.join(choices)}: got {value!r}{hint and '; ' + hint}"
    )
