import numpy as np
import pytest

from course_utils import improvement_tables as it
from course_utils import improvements as im
from course_utils.runs import Results


def row(variant, seed, status="ok", **metrics):
    common = {"error": None, "seconds": 1.0, "parameters": metrics.pop("parameters", 10)}
    return {"variant": variant, "seed": seed, "status": status, "metrics": metrics, **common} | {
        "curves": {}
    }


def measured(variant, accuracies, cpu, adds=100, start=1):
    return [
        row(
            variant,
            seed,
            accuracy=accuracy,
            validation=1 - accuracy,
            gap=0.1 * seed,
            cpu_seconds=cpu * seed,
            multiply_adds=adds,
        )
        for seed, accuracy in enumerate(accuracies, start)
    ]


@pytest.fixture
def results():
    return Results(
        [
            *measured(im.BASELINE, [0.90, 0.91, 0.92], 1.0),
            *measured("ELU", [0.92, 0.931, 0.939], 2.0),
            *measured("SGD, tuned to 0.1", [0.90, 0.80, 0.95], 1.0),
            *measured("16 × the dense units", [0.70, 0.711, 0.722], 3.0, adds=300),
            *measured("batches of 32", [0.9], 1.0, start=2),
        ]
    )


def test_effects_are_paired_and_in_points(results):
    large, elu, sgd = it.effects(results)
    found = [effect.variant for effect in (elu, sgd, large)]
    assert found == results.variants[1:4]  # though the list has the larger network first
    assert elu.gain.estimate == pytest.approx(2.0)
    assert elu.loss.estimate == pytest.approx(-0.02)
    assert elu.gap.estimate == pytest.approx(0)
    assert elu.gain.n == 3
    assert (elu.cpu, large.cpu, large.multiply_adds) == (2, 3, 3)
    assert [effect.verdict for effect in (elu, sgd, large)] == ["better", "not clear", "worse"]
    assert (sgd.group, sgd.bullet) == ("optimizer", "Adam works best")


def test_points():
    points = it.in_points(it.Interval(0.01, -0.02, 0.04, 0.95, 5))
    assert (points.estimate, points.low, points.high) == pytest.approx((1, -2, 4))
    assert (points.level, points.n) == (0.95, 5)


def test_the_best_setting_is_that_of_the_best_mean():
    runs = [
        *measured("adam 0.001", [0.9, 0.9], 1),
        *measured("adam 0.01", [0.99, 0.8], 1),
        *measured("l2 0.001", [0.5, 0.5], 1),
        *measured("l2 0.0001", [0.4, 0.4], 1),
        row("adam 0.1", 1, "diverged", accuracy=1.0, validation=float("nan")),
    ]
    assert it.best_settings(Results(runs)) == {"adam": 0.001, "l2": 0.001}
    table = it.rate_table(Results(runs), ["adam", "sgd"])
    assert table.shape == (2, 7)
    np.testing.assert_allclose(table[0, [2, 4]], [0.9, 0.895])
    assert np.isnan(table[1]).all()
    assert np.isnan(table[0, 6])


def test_times_and_their_median():
    runs = [
        row("linear 8", 1, cpu_seconds=3.0, reached=1.0),
        row("linear 8", 2, cpu_seconds=20.0, reached=0.0),
        row("linear 8", 3, cpu_seconds=9.0, reached=1.0),
        row("square root 16", 1, cpu_seconds=20.0, reached=0.0),
        row("linear 4", 1, cpu_seconds=1.0, reached=1.0),
        row("linear 4", 2, "failed"),
    ]
    times = it.times_to_target(Results(runs))
    assert list(times) == ["linear", "square root"]
    assert list(times["linear"]) == [4, 8]
    assert times["linear"][8] == [(3, True), (20, False), (9, True)]
    assert it.median_time(times["linear"][8]) == 9
    assert it.median_time(times["square root"][16]) == np.inf
    assert times["linear"][4] == [(1, True)]


def test_the_front():
    costs, gains = [1, 2, 3, 3, 4, 1], [5, 4, 6, 6, 6, 4]
    np.testing.assert_array_equal(
        it.nondominated(costs, gains), [True, False, True, True, False, False]
    )
    with pytest.raises(ValueError, match="one number each"):
        it.nondominated([1, 2], [1])


def test_a_table_of_sizes():
    runs = [
        *measured("width 0.5, depth 2", [0.9, 0.92], 1, adds=10),
        *measured("width 1, depth 2", [0.8, 0.8], 1, adds=20),
    ]
    table = it.sizes_table(Results(runs))
    assert table.width.tolist() == [0.5, 1]
    assert table.depth.tolist() == [2, 2]
    assert table.accuracy.tolist() == pytest.approx([0.91, 0.8])
    assert table.se.tolist() == pytest.approx([0.01, 0])
    assert table.front.tolist() == [True, False]
    assert table.on_front.tolist() == [1, 0]


def test_the_front_is_drawn_anew_with_the_seeds():
    runs = [
        *measured("width 0.5, depth 2", [0.9, 0.9, 0.9], 1, adds=10),
        *measured("width 1, depth 2", [0.8, 0.8, 0.99], 1, adds=20),
        *measured("width 1, depth 3", [0.99, 0.99], 1, adds=30),
    ]
    table = it.sizes_table(Results(runs))
    assert table.width.tolist() == [0.5, 1]  # the third lacks a seed
    # The wider one wins if two or three of three draws are the third seed: 7 of 27.
    assert table.on_front.tolist() == [1, pytest.approx(7 / 27, abs=0.03)]


def test_seconds_of_an_epoch_are_medians_by_batch_size():
    runs = [
        row(f"{scaling} {size}", seed, cpu_seconds=seed * 100 / size, epochs=seed)
        for scaling in ("linear", "constant")
        for size in (100, 10)
        for seed in (1, 2)
    ]
    assert it.seconds_an_epoch(Results(runs)) == {10: 10, 100: 1}
