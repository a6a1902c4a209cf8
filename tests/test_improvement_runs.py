import pickle
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from course_utils import improvement_runs as ir
from course_utils.experiments import compare
from course_utils.improvements import Recipe

SMALL = Recipe(filters=(2, 2), units=4, batch_size=20)


@pytest.fixture(scope="module")
def draw():
    return ir.Draw(60, tuning=100, source="bundled")


def test_every_seed_draws_its_own_images_alike_for_all(draw):
    (images, labels), (others, held_out) = draw(1)
    assert images.shape == (60, 28, 28, 1)
    assert images.dtype == np.uint8
    assert len(labels) == 60
    assert len(others) == len(held_out) == 360
    np.testing.assert_array_equal(draw(1)[0][0], images)
    assert not np.array_equal(draw(2)[0][0], images)


def test_nothing_trains_on_what_is_set_aside():
    largest = ir.Draw(977, "tuning", tuning=100, source="bundled")
    (images, _), (aside, _) = largest(3)
    again = ir.Draw(10, "tuning", tuning=100, source="bundled")(4)[1][0]
    np.testing.assert_array_equal(aside, again)
    # Each training image is used once: 977 and 100 are all of the 1,077.
    everything = ir._load("digits", "bundled").train.images
    both = np.concatenate([images, aside])
    assert sorted(image.tobytes() for image in both) == sorted(
        image.tobytes() for image in everything
    )


def test_fewer_can_be_measured_on():
    few = ir.Draw(20, tuning=100, check=7, source="bundled")(1)[1]
    assert [len(part) for part in few] == [7, 7]


def test_too_many_images_are_refused():
    with pytest.raises(ValueError, match="at most 977"):
        ir.Draw(978, tuning=100, source="bundled")(0)
    with pytest.raises(ValueError, match="held_out"):
        ir.Draw(10, "test")


@pytest.mark.parametrize("output", ["softmax", "sigmoid"])
def test_a_run_measures(draw, output):
    recipe = Recipe(filters=(2, 2), units=4, batch_size=20, output=output, l2=1.0)
    found = ir.Run(recipe, draw, 2)(1)
    assert len(found["curves"]["loss"]) == 2
    assert found["parameters"] == recipe.build().count_params()
    assert found["multiply_adds"] == 26**2 * 9 * 2 + 11**2 * 9 * 2 * 2 + 36 * 2 * 4 + 40
    assert found["gap"] == found["validation"] - found["training"]
    # The penalty, which is large here, is no part of the cross-entropies.
    assert found["training"] < 4
    assert found["cpu_seconds"] > 0


def test_standardized_images(draw):
    _, (_, _), _, _ = ir._ready(ir.Run(SMALL, draw, 1), 1)
    _, (images, _), others, _ = ir._ready(ir.Run(Recipe(standardized=True), draw, 1), 1)
    assert (images.mean(), images.std()) == pytest.approx((0, 1), abs=1e-4)
    assert abs(others.mean()) < 0.2
    plain = ir._ready(ir.Run(SMALL, draw, 1), 1)[1][0]
    assert (plain.min(), plain.max()) == (0, 1)


@pytest.mark.parametrize(
    "recipe",
    [
        Recipe(filters=(2, 2), units=4, dropout=0.5, batch_size=60),
        Recipe(filters=(2, 2), units=4, batch_norm=0.9, optimizer="momentum", batch_size=60),
    ],
)
def test_a_network_used_again_trains_as_a_new_one(draw, recipe):
    # One batch an epoch, so that the order of the images does not matter.
    quick = ir.Run(recipe, draw, 3, quick=True)
    other_rate = ir.Run(replace(recipe, learning_rate=0.5), draw, 3, quick=True)
    first, other, again = quick(1), other_rate(2), quick(1)
    assert other["curves"]["loss"] != first["curves"]["loss"]
    new = ir.Run(recipe, draw, 3)(1)
    strong = ir.Run(replace(recipe, learning_rate=0.5), draw, 3)(2)
    assert strong["curves"]["loss"] == pytest.approx(other["curves"]["loss"], rel=1e-4)
    for other in (again, new):
        assert other["curves"]["loss"] == pytest.approx(first["curves"]["loss"], rel=1e-4)
        assert other["validation"] == pytest.approx(first["validation"], rel=1e-4)


def test_time_to_a_target_that_is_there(draw):
    found = ir.TimeToTarget(SMALL, draw, target=0.0, limit=60, every=40)(1)
    assert (found["reached"], found["updates"]) == (1, 2)
    assert found["epochs"] == pytest.approx(2 / 3)
    assert len(found["curves"]["accuracy"]) == len(found["curves"]["clock"]) == 1


def test_time_to_a_target_out_of_reach(draw):
    found = ir.TimeToTarget(SMALL, draw, target=1.1, limit=0.05, every=20)(1)
    assert found["reached"] == 0
    assert found["cpu_seconds"] > 0.05
    clock = found["curves"]["clock"]
    assert clock == sorted(clock)
    assert clock[-1] == found["cpu_seconds"]
    assert all(seconds <= 0.05 for seconds in clock[:-1])


def test_the_clock_stops_while_it_measures(draw, monkeypatch):
    time = iter(np.arange(1000.0))
    monkeypatch.setattr(ir, "process_time", lambda: next(time))
    clock = ir._clock(lambda: [next(time) for _ in range(50)] and 0.0, every=2)
    clock.on_train_begin()
    for batch in range(4):
        clock.on_train_batch_end(batch)
    # Each step takes one tick; two measurements took 50 each, and the first step is traced.
    assert clock.updates == 4
    assert clock.seconds == 4.0
    assert clock.times == [2.0, 4.0]


def test_a_sweep_can_be_sent_anywhere(draw):
    sweep = ir.sweep({"a": SMALL, "b": Recipe(filters=(2, 2), units=3)}, draw, 1)
    assert pickle.loads(pickle.dumps(sweep)) == sweep
    assert len(pickle.dumps(sweep["a"])) < 2_000
    with ThreadPoolExecutor(2) as executor:
        found = compare(sweep, [1], executor=executor, progress=False)
    assert found.table.status.tolist() == ["ok", "ok"]
    here = sweep["b"](1)
    assert found.table.set_index("variant").validation["b"] == pytest.approx(here["validation"])
    with pytest.raises(ValueError, match="mapping"):
        ir.sweep([SMALL], draw, 1)
