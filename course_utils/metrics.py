"""How sure a measured number is: intervals over pairs, by bootstrap and of shares.

What Keras and scikit-learn measure (confusion, log loss, precision, recall, F1) is theirs.

Arguments that several functions share:

a, b : arrays of shape (n,)
    One value a pair, in the same order, of at least 2 pairs, better 5. A pair belongs together: the
    same seed, or the same image, under two variants.
level : float
    Confidence level of the interval.
"""

from dataclasses import dataclass
from math import floor, inf, log10, sqrt

import numpy as np


@dataclass(frozen=True)
class Interval:
    """An estimate and its interval (low, high), of n independent values or pairs.

    `f"{interval:+.1%}"` formats the three numbers alike; `str` gives two digits of the width.
    """

    estimate: float
    low: float
    high: float
    level: float
    n: int

    @property
    def excludes_zero(self):
        """Whether zero lies outside of the interval."""
        return self.low > 0 or self.high < 0

    def __format__(self, spec):
        width = self.high - self.low
        digits = max(0, 1 - floor(log10(width))) if 0 < width < inf else 3
        spec = spec or f".{digits}f"
        sign = spec[0] if spec[0] in "+- " else ""
        spec = f"{sign}z{spec.removeprefix(sign)}"  # z: a rounded -0.0 loses its sign
        return f"{self.estimate:{spec}} [{self.low:{spec}}, {self.high:{spec}}]"

    def __str__(self):
        return format(self, "")


def paired(a, b, level=0.95):
    """Mean of a − b over pairs, with Student's t interval.

    What a pair has in common cancels: the interval is narrower than that of two separate means.
    Why no bootstrap: of its 95 % intervals over 5 pairs of normal values 83 % held the true mean,
    of Student's 95 % (20,000 samples).
    """
    a, b = _pairs(a, b)
    estimate, half = (a - b).mean(), _student(level, len(a)) * (a - b).std(ddof=1) / sqrt(len(a))
    return Interval(float(estimate), float(estimate - half), float(estimate + half), level, len(a))


def relative(a, b, level=0.95):
    """Relative difference of two errors over pairs, mean(a) / mean(b) − 1, with its interval.

    −0.2 says that a makes a fifth fewer errors than b. Errors are at least 0, such as shares of
    wrong answers. The interval leaves out zero where that of `paired` does. If the errors of b are
    not clearly above zero, nothing is known: then it goes from −1 to infinity.

    Source: E. Fieller, "Some problems in interval estimation" (1954): all ratios r for which the
    mean of a − r·b is not clearly other than zero.
    """
    a, b = _pairs(a, b)
    if min(*a, *b) < 0 or not b.any():
        raise ValueError("a and b must be errors of at least 0, and those of b not all 0")
    # Of the mean of a − r·b: (square · r² − 2 · middle · r + rest) ≤ 0 where it is not clear.
    (aa, ab), (_, bb) = np.cov(a, b) * _student(level, len(a)) ** 2 / len(a)
    square, middle, rest = b.mean() ** 2 - bb, a.mean() * b.mean() - ab, a.mean() ** 2 - aa
    low, high = 0, inf
    if square > 0:
        half = sqrt(max(middle**2 - square * rest, 0))  # 0, but for rounding, if a is r·b
        low, high = max((middle - half) / square, 0), (middle + half) / square
    return Interval(float(a.mean() / b.mean() - 1), float(low - 1), float(high - 1), level, len(a))


def bootstrap(values, statistic=np.mean, level=0.95, draws=2000, seed=0):
    """Return a statistic of at least 2 values, with its percentile bootstrap interval.

    With fewer than about 20 values the interval is too narrow: see `paired`. `values` are of shape
    (n,); the same `seed` gives the same interval.

    Source: Efron and Tibshirani, *An Introduction to the Bootstrap* (1993), chapter 13.
    """
    from scipy import stats

    values = _finite("values", values)
    how = {"n_resamples": draws, "batch": max(1, 2_000_000 // len(values)), "method": "percentile"}
    rng = np.random.default_rng(seed)
    ends = stats.bootstrap((values,), statistic, confidence_level=level, rng=rng, **how)
    low, high = (float(end) for end in ends.confidence_interval)
    return Interval(float(statistic(values)), low, high, level, len(values))


def share(right, level=0.95):
    """Share of right answers (0 or 1), with Wilson's interval, which has a width even at 0 %."""
    from scipy import stats

    right = _finite("right", right)
    if not np.isin(right, (0, 1)).all():
        raise ValueError("right must be a row of 0 and 1, a value an answer")
    test = stats.binomtest(int(right.sum()), len(right))
    low, high = (float(end) for end in test.proportion_ci(level, method="wilson"))
    return Interval(float(right.mean()), low, high, level, len(right))


def standard_error(accuracy, n):
    """Return the standard error of a share of n images: √(p(1 − p)/n)."""
    if not 0 <= accuracy <= 1 or n < 1:
        raise ValueError(f"accuracy must be a share of at least 1 image: got {accuracy} of {n}")
    return sqrt(accuracy * (1 - accuracy) / n)


def _student(level, n):
    from scipy import stats

    if not 0 < level < 1:
        raise ValueError(f"level must lie between 0 and 1, such as 0.95: got {level}")
    return stats.t.ppf((1 + level) / 2, n - 1)


def _pairs(a, b):
    a, b = _finite("a", a), _finite("b", b)
    if a.shape != b.shape or len(a) < 2:
        raise ValueError(f"a and b must hold at least 2 pairs, in rows: got {a.shape}, {b.shape}")
    return a, b


def _finite(name, values):
    values = np.atleast_1d(values)
    numbers = values.dtype.kind in "biuf" and values.size and np.isfinite(values).all()
    if values.ndim > 1 or not numbers:
        raise ValueError(f"{name} must be a row of finite numbers: got {values!r}")
    return values.astype(float)
