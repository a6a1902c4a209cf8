import numpy as np
import pytest
import tensorflow as tf

from course_utils.views import pooling as views

IMAGE = np.random.default_rng(0).integers(0, 6, (5, 5)).astype(float)


def shown(axis, shape):
    texts = [text.get_text() for text in axis.texts]
    return np.array([float(text) for text in texts]).reshape(shape)


@pytest.mark.parametrize(("window", "stride"), [(2, 2), (2, 1), (3, 1)])
@pytest.mark.parametrize("kind", ["max", "average"])
def test_after_the_last_step_output_and_gradient_are_tensorflows(kind, window, stride):
    x = tf.Variable(IMAGE[None, :, :, None])
    pool = {"max": tf.nn.max_pool2d, "average": tf.nn.avg_pool2d}[kind]
    with tf.GradientTape() as tape:
        y = pool(x, window, stride, "VALID")
    output = y.numpy()[0, :, :, 0]
    figure, alt = views.draw_routing(IMAGE, kind, window, stride, step=output.size)
    assert np.allclose(shown(figure.axes[1], output.shape), output, atol=0.006)
    gradient = tape.gradient(y, x).numpy()[0, :, :, 0]
    assert np.allclose(shown(figure.axes[2], (5, 5)), gradient, atol=0.006)
    assert f"Window {output.size} of {output.size}" in alt
    with pytest.raises(ValueError, match=f"has {output.size} steps"):
        views.draw_routing(IMAGE, kind, window, stride, step=output.size + 1)


@pytest.mark.parametrize(("n", "lost"), [(7, 13), (31, 61), (6, 0)])
def test_numbers_that_no_window_reads_are_hatched(n, lost):
    figure, alt = views.unread(n, 2)
    hatched = [patch for patch in figure.axes[0].patches if patch.get_hatch()]
    assert len(hatched) == lost
    assert f"{lost} numbers" in alt
