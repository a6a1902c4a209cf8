"""Forty trainings that overfit, with their whole curves: what notebook 05 replays.

    python benchmarks/early_stopping.py [--seeds 20] [--jobs 2]

The slides' network, half as wide, on the 5,000 real digits that the course bundles. Each seed deals
them anew to 500 training, 500 validation and 2,000 test images and trains twice for 40 epochs: with
the labels as they are, and with 30 % of the *training* labels drawn anew at random. The validation
loss may choose an epoch; the test images judge it, and choose nothing. Goes on where it was
interrupted.
"""

from functools import partial
from pathlib import Path

import numpy as np
import sweep
from dealing import dealt
from ratios import row

from course_utils import experiments, models

RESULT = Path(__file__).parents[1] / "data" / "results" / "early_stopping.jsonl"
SETTINGS = {"data": "5,000 images of MNIST", "sizes": [500, 500, 2000], "epochs": 40}
SETTINGS |= {"network": "slides, scale 0.5", "optimizer": "adam, 0.001", "batch_size": 16}
NOISE = 0.3


def run(seed, noise):
    """Train one network for all epochs; return a curve for training, validation and test."""
    import keras

    (images, labels), validation, test = dealt("digits", "bundled", seed, SETTINGS["sizes"])
    rng = np.random.default_rng(seed)
    wrong = rng.random(len(labels)) < noise
    labels = np.where(wrong, rng.integers(0, 10, len(labels)), labels)
    keras.utils.set_random_seed(seed)
    model = models.slides_network(scale=0.5)
    rate = keras.optimizers.Adam(0.001)
    model.compile(rate, "sparse_categorical_crossentropy", metrics=["accuracy"])

    class OnTest(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            found = self.model.evaluate(*test, batch_size=500, verbose=0)
            logs["test_loss"], logs["test_accuracy"] = found

    history = model.fit(
        images,
        labels,
        epochs=SETTINGS["epochs"],
        batch_size=SETTINGS["batch_size"],
        validation_data=validation,
        validation_batch_size=500,
        callbacks=[OnTest()],
        verbose=0,
    ).history
    return {name: np.round(curve, 5).tolist() for name, curve in history.items()}


def ratios():
    """Return the rows of `make bench`: all epochs, divided by those to the lowest val_loss."""
    best = experiments.load(RESULT).set_index("variant").val_loss.map(np.argmin) + 1
    return [
        row(f"epochs, all / to the lowest val_loss, {name}", SETTINGS["epochs"] / found.to_numpy())
        for name, found in best.groupby("variant")
    ]


def main():
    options = sweep.options(__doc__, seeds=20)
    variants = {"clean labels": partial(run, noise=0), "30 % noise": partial(run, noise=NOISE)}
    with sweep.processes(options.jobs) as executor:
        sweep.compare(variants, range(options.seeds), executor, RESULT, SETTINGS)


if __name__ == "__main__":
    main()
