import numpy as np
import pytest

from course_utils.views import regularization as views


def test_a_step_of_each_penalty_by_hand():
    weights = np.array([0.5, 0.1, -0.05, 0.0])
    expected = {
        "no penalty": [0.5, 0.1, -0.05, 0],
        "L2": [0.4, 0.08, -0.04, 0],
        "L1, gradient steps": [0.4, 0, 0.05, 0],
        "L1, soft threshold": [0.4, 0, 0, 0],
    }
    for kind in views.KINDS:
        assert np.allclose(views.step(weights, kind, 0.1), expected[kind]), kind


def test_only_the_soft_threshold_ends_at_exact_zeros_and_at_the_minimum():
    zeros = {kind: int((views.fitted(kind, 0.4) == 0).sum()) for kind in views.KINDS}
    assert zeros["L1, soft threshold"] >= 40
    assert sum(zeros.values()) == zeros["L1, soft threshold"]

    def objective(weights):
        rng = np.random.default_rng(0)
        inputs = rng.normal(size=(100, 50))
        true = np.where(np.arange(50) < 5, [1.0, -1, 1, -1, 1] * 10, 0)
        error = inputs @ weights - inputs @ true - rng.normal(size=100)
        return np.mean(error**2) + 0.4 * np.abs(weights).sum()

    best = views.fitted("L1, soft threshold", 0.4)
    rng = np.random.default_rng(1)
    for size in (1e-3, 1e-2, 1e-1):
        assert all(objective(best) < objective(best + size * rng.normal(size=50)) for _ in range(9))


@pytest.mark.parametrize("kind", views.KINDS)
def test_the_picture_says_how_many_weights_are_zero(kind):
    figure, alt = views.draw_penalty(kind, 0.4)
    zeros = int((views.fitted(kind, 0.4) == 0).sum())
    assert f"{zeros} of 50 weights are exactly 0" in figure.get_suptitle()
    assert f"{zeros} of them exactly 0" in alt
    counts = [patch.get_height() for patch in figure.axes[1].patches]
    assert sum(counts) == 50  # no weight lies outside of the histogram
