"""Train small networks into overfitting, and keep their curves for notebook 05.

    python benchmarks/early_stopping_curves.py [--seeds 10] [--fresh]

Needs the real MNIST (`course data fetch digits`). Each run takes 500 images to train on, 500 to
validate and 2,000 to judge with, all from the training part, other ones with each seed. The
validation loss may choose an epoch; the judge never chooses, so what it says of the chosen epoch is
honest. With label noise, 30 % of the *training* labels are drawn anew at random; validation and
judge keep theirs. Goes on where it was interrupted. 20 runs take about three minutes on two cores.
"""

import argparse
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import keras
import numpy as np
from ratios import row

from course_utils.first_edition import data, models
from course_utils.first_edition.experiments import compare, load

RESULTS = Path(__file__).parents[1] / "data" / "results" / "early_stopping_curves.jsonl"
SETTINGS = {
    "data": "MNIST",
    "network": "slides_network(scale=0.5)",
    "optimizer": "Adam(0.001)",
    "training": 500,
    "validation": 500,
    "judge": 2_000,
    "epochs": 40,
    "batch_size": 16,
}
DIGITS = 5  # of a stored number: the curves are read by eye and compared by more than this


class Judge(keras.callbacks.Callback):
    """Add the loss and accuracy on images that never choose anything to each epoch's log."""

    def __init__(self, images, labels):
        super().__init__()
        self.images, self.labels = images, labels

    def on_epoch_end(self, epoch, logs=None):
        found = self.model.evaluate(
            self.images, self.labels, batch_size=1_000, verbose=0, return_dict=True
        )
        logs |= {"judge_loss": found["loss"], "judge_accuracy": found["accuracy"]}


def train(seed, noise, pool):
    """Train one network and return its curves."""
    rng = np.random.default_rng(seed)
    sizes = np.cumsum([SETTINGS["training"], SETTINGS["validation"], SETTINGS["judge"]])
    parts = np.split(rng.permutation(len(pool))[: sizes[-1]], sizes[:-1])
    (images, labels), validation, judge = (
        (pool.images[part] / np.float32(255), pool.labels[part].copy()) for part in parts
    )
    wrong = rng.random(len(labels)) < noise
    labels[wrong] = rng.integers(0, 10, wrong.sum())
    model = models.slides_network(scale=0.5)
    model.compile(
        keras.optimizers.Adam(0.001), "sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    history = model.fit(
        images,
        labels,
        validation_data=validation,
        epochs=SETTINGS["epochs"],
        batch_size=SETTINGS["batch_size"],
        callbacks=[Judge(*judge)],
        verbose=0,
    ).history
    curves = {name: np.round(values, DIGITS).tolist() for name, values in history.items()}
    return {"curves": curves, "parameters": model.count_params()}


def ratios():
    """Return the rows of `make bench`: how much of the training comes after the best epoch."""
    table = load(RESULTS).curves("val_loss").groupby(["variant", "seed"])["value"]
    best = table.apply(lambda losses: losses.to_numpy().argmin() + 1)
    return [
        row(f"epochs, all / to the lowest val_loss, {name}", SETTINGS["epochs"] / found.to_numpy())
        for name, found in best.groupby("variant")
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--fresh", action="store_true", help="start the file anew")
    options = parser.parse_args()
    pool = data.load("digits", source="real").train
    compare(
        {
            "clean labels": lambda seed: train(seed, 0.0, pool),
            "30% label noise": lambda seed: train(seed, 0.3, pool),
        },
        range(options.seeds),
        results=RESULTS,
        settings=SETTINGS,
        overwrite=options.fresh,
    )


if __name__ == "__main__":
    main()
