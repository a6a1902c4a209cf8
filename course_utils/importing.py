"""Real data: fetched once from the network, or imported from what people have on a disk.

The signatures below are settled; the bodies follow.
"""

from typing import NamedTuple


class Row(NamedTuple):
    """One line of a report of `course data`.

    Attributes
    ----------
    name : str
        "digits", "clothes", "pets", "pretrained", or "" where a file was taken for none of them.
    state : str
        What happened, in one or two words: "bundled", "real", "not here" (`listing`), "fetched",
        "imported", "here already" (`fetch`, `import_path`), "right" (`verify`), and "refused" or
        "damaged", which are failures.
    text : str
        One sentence: what it is and where, or what is wrong and the next command.
    """

    name: str
    state: str
    text: str

    @property
    def ok(self):
        """Whether this is no failure; `course data` exits with 1 after any failure."""
        return self.state not in ("refused", "damaged")


def listing():
    """Say what data are here: for each set what is bundled, and the real one or how to get it.

    Returns
    -------
    list of Row
    """
    raise NotImplementedError


def fetch(names=()):
    """Download real data sets, check them, and store them; one that fails stops no other.

    Parameters
    ----------
    names : sequence of {"digits", "clothes", "pets", "pretrained"}
        Default: all four.

    Returns
    -------
    list of Row

    Raises
    ------
    ValueError
        For an unknown name; it names the nearest.
    """
    raise NotImplementedError


def import_path(path, as_name=None):
    """Take real data from a file, a folder or a zip, whatever form they have.

    Parameters
    ----------
    path : path-like
    as_name : {"digits", "clothes", "pets"}, optional
        What the images are, where that cannot be told from them (`--as`).

    Returns
    -------
    list of Row
        One for each data set that was found, taken or refused; at least one.

    Raises
    ------
    ValueError
        For an unknown `as_name`.
    """
    raise NotImplementedError


def verify(names=()):
    """Read all stored real data again, and hold them against what was recorded.

    Parameters
    ----------
    names : sequence of {"digits", "clothes", "pets", "pretrained"}
        Default: all four.

    Returns
    -------
    list of Row

    Raises
    ------
    ValueError
        For an unknown name.
    """
    raise NotImplementedError
