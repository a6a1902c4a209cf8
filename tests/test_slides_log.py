import numpy as np

from course_utils.slides_log import SLIDES_LOG


def test_the_log_has_ten_epochs_of_the_four_numbers_that_keras_keeps():
    assert set(SLIDES_LOG) == {"loss", "accuracy", "val_loss", "val_accuracy"}
    assert {len(values) for values in SLIDES_LOG.values()} == {10}
    for values in SLIDES_LOG.values():
        assert all(0 < value < 1 for value in values)


def test_the_published_landmarks():
    assert np.argmin(SLIDES_LOG["val_loss"]) + 1 == 8
    assert np.argmax(SLIDES_LOG["val_accuracy"]) + 1 == 9
    assert SLIDES_LOG["val_accuracy"][-1] == 0.9901
    assert (SLIDES_LOG["loss"][0], SLIDES_LOG["loss"][-1]) == (0.2240, 0.0104)
    assert (SLIDES_LOG["accuracy"][0], SLIDES_LOG["accuracy"][-1]) == (0.9348, 0.9967)
