import numpy as np
import pytest
from scipy import stats

from course_utils import metrics
from course_utils.metrics import Interval

A, B = np.array([2.1, 3.4, 2.9, 3.3, 4.1]), np.array([2.6, 3.5, 3.6, 3.9, 4.4])


@pytest.mark.parametrize(
    ("numbers", "spec", "text"),
    [
        ((0.0234, 0.0111, 0.0354), "", "0.023 [0.011, 0.035]"),
        ((1234.5, 1000, 1500), "", "1234 [1000, 1500]"),
        ((0.5, 0.5, 0.5), "", "0.500 [0.500, 0.500]"),
        ((0.5, -1, np.inf), "", "0.500 [-1.000, inf]"),
        ((0.02, -0.0001, 0.04), "+.1%", "+2.0% [+0.0%, +4.0%]"),
    ],
)
def test_an_interval_as_text(numbers, spec, text):
    assert format(Interval(*numbers, 0.95, 5), spec) == text
    assert spec or str(Interval(*numbers, 0.95, 5)) == text


@pytest.mark.parametrize(("low", "high", "out"), [(1, 3, True), (-3, -1, True), (-1, 1, False)])
def test_excludes_zero(low, high, out):
    assert Interval((low + high) / 2, low, high, 0.95, 5).excludes_zero is out


@pytest.mark.parametrize("level", [0.9, 0.95])
def test_paired_is_the_paired_t_interval(level):
    found, expected = metrics.paired(A, B, level), stats.ttest_rel(A, B)
    ends = expected.confidence_interval(level)
    np.testing.assert_allclose((found.low, found.high), (ends.low, ends.high))
    assert found == Interval(pytest.approx((A - B).mean()), found.low, found.high, level, 5)
    assert metrics.paired([1, 2], [0, 1]) == Interval(1, 1, 1, 0.95, 2)


def test_relative_holds_the_ratios_that_a_t_test_cannot_tell():
    found = metrics.relative(A, B)
    assert found.estimate == pytest.approx(A.mean() / B.mean() - 1)
    for end in (found.low, found.high):
        assert stats.ttest_rel(A, (1 + end) * B).pvalue == pytest.approx(0.05)


def test_relative_agrees_with_paired_about_zero():
    rng = np.random.default_rng(0)
    seen = set()
    for _ in range(300):
        a, b = rng.uniform(0.8, 1.2, (2, 5))
        found = metrics.relative(a, b)
        seen.add(found.excludes_zero)
        assert found.excludes_zero == metrics.paired(a, b).excludes_zero
        assert found.low <= found.estimate <= found.high
    assert seen == {True, False}


def test_relative_at_its_limits():
    found = metrics.relative([20, 22, 24], [10, 11, 12])
    np.testing.assert_allclose((found.low, found.high), 1, rtol=1e-5)
    assert metrics.relative([0, 0, 1e-9], [1, 1.1, 1.2]).low == -1
    unknown = metrics.relative([1, 2], [0, 5])
    assert (unknown.low, unknown.high) == (-1, np.inf)
    with pytest.raises(ValueError, match="those of b not all 0"):
        metrics.relative([1, 2], [0, 0])


def test_bootstrap():
    values = np.random.default_rng(0).exponential(size=40)
    found = metrics.bootstrap(values)
    assert found == metrics.bootstrap(values)
    assert (found.n, found.level, found.estimate) == (40, 0.95, values.mean())
    half = 1.96 * values.std() / np.sqrt(40)
    np.testing.assert_allclose((found.low, found.high), values.mean() + [-half, half], rtol=0.06)
    assert metrics.bootstrap(values, np.median).estimate == np.median(values)
    assert metrics.bootstrap(values, level=0.5).low > found.low
    assert metrics.bootstrap(values, np.max).high == values.max()  # percentiles of the draws


@pytest.mark.parametrize(("hits", "n"), [(0, 10), (7, 10), (50, 50)])
def test_share_ends_where_the_share_is_two_errors_away(hits, n):
    found = metrics.share(np.arange(n) < hits)
    z = stats.norm.ppf(0.975)
    for end in (found.low, found.high):
        assert abs(hits / n - end) == pytest.approx(z * metrics.standard_error(end, n), abs=1e-9)
    assert (found.estimate, found.n) == (hits / n, n)
    assert found.low < found.high


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: metrics.paired([1.0], [2.0]), "at least 2 pairs"),
        (lambda: metrics.paired([1, 2, 3], [1, 2]), "at least 2 pairs"),
        (lambda: metrics.paired([1, np.nan], [1, 2]), "a must be a row of finite"),
        (lambda: metrics.paired([1, 2], [1, 3], level=95), "level must lie between"),
        (lambda: metrics.relative([1, -2], [1, 2]), "at least 0"),
        (lambda: metrics.share([0, 0.5]), "0 and 1"),
        (lambda: metrics.share([]), "finite numbers"),
        (lambda: metrics.bootstrap([[1, 2], [3, 4]]), "a row of finite numbers"),
        (lambda: metrics.bootstrap(["a", "b"]), "finite numbers"),
        (lambda: metrics.standard_error(99, 100), "share of at least 1 image"),
    ],
)
def test_bad_input_gets_one_sentence(call, words):
    with pytest.raises(ValueError, match=words):
        call()
