"""Ratios of costs from stored runs: the median over seeds, and how far it reaches."""

import numpy as np

from course_utils.experiments import load


def row(what, values, promised=""):
    """Make one row of the table of ratios from one value a seed, or from one value."""
    values = np.atleast_1d(values)
    spread = f" ({values.min():.2f} to {values.max():.2f})" if len(values) > 1 else ""
    return {"what": what, "ratio": f"{np.median(values):.2f}{spread}", "promised": promised}


def paired(path, over, under, metric="seconds"):
    """Ratio of two variants' costs, shape (seeds,): one for each seed that both have finished."""
    wide = load(path).pivot(index="seed", columns="variant", values=metric)[[over, under]].dropna()
    return (wide[over] / wide[under]).to_numpy()
