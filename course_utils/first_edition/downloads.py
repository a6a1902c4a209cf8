"""Where the frozen notebooks find the stored results."""

from ..data import DATA  # noqa: F401
