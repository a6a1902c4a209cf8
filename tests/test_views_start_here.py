import re

import numpy as np

from course_utils.models import slides_network
from course_utils.views import start_here as views


def test_the_pipeline_shows_the_sizes_and_the_answer_of_the_network():
    model, image = slides_network(scale=0.25), np.random.default_rng(0).random((28, 28, 1))
    figure, alt = views.pipeline(model, image, list("0123456789"))
    titles = [axis.get_title("left") for axis in figure.axes]
    assert "conv2\n11×11×16" in titles
    bars = [bar.get_width() for bar in figure.axes[-1].patches]
    assert np.allclose(bars, model(image[None])[0], atol=1e-5)
    assert f"bars is {np.argmax(bars)}" in alt
    shown = {axis.images[0].get_array().shape for axis in figure.axes if axis.images}
    assert {(28, 28), (26, 26), (13, 13), (11, 11), (6, 6)} == shown


def test_each_square_of_a_split_is_in_one_part():
    legends = []
    for seed, percent in ((0, 10), (0, 30), (1, 10)):
        figure, alt = views.draw_split(seed, percent)
        texts = [text.get_text() for text in figure.legends[0].get_texts()]
        counts = [int(re.search(r"\d+", text)[0]) for text in texts]
        assert sum(counts) == 200
        assert f"{counts[2]} scattered" in alt
        legends.append(counts)
    assert legends == [[140, 40, 20], [100, 40, 60], [140, 40, 20]]
