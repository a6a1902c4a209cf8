"""Max pooling, average pooling or a strided convolution: the stored comparison of notebook 02.

    python benchmarks/pooling.py [--seeds 10] [--jobs 2]

The slides' network on the 5,000 real digits that the course bundles. Each seed deals them anew to
3,000 training, 1,000 validation and 1,000 test images, alike for all. Each way of halving the maps
is trained at five learning rates, each until its validation loss has not improved for 5 epochs,
and goes back to its best epoch. The rate is chosen on validation images as well, by whoever reads
the table; the test images choose nothing. Goes on where it was interrupted.
"""

from functools import partial
from pathlib import Path

import sweep
from dealing import dealt
from ratios import row

from course_utils import experiments

RESULT = Path(__file__).parents[1] / "data" / "results" / "pooling.jsonl"
RATES = (0.0005, 0.001, 0.002, 0.004, 0.008)
SETTINGS = {"data": "5,000 images of MNIST", "sizes": [3000, 1000, 1000], "batch_size": 64}
SETTINGS |= {"network": "slides", "optimizer": "adam", "patience": 5, "rates": list(RATES)}


def build(shrink):
    """Build the slides' network with two layers that halve the maps: max, average or strided."""
    import keras
    from keras import layers

    def half(filters):
        if shrink == "strided":
            return layers.Conv2D(filters, 2, strides=2, activation="relu")
        return layers.MaxPooling2D(2) if shrink == "max" else layers.AveragePooling2D(2)

    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(32, 3, activation="relu"),
            half(32),
            layers.Conv2D(64, 3, activation="relu"),
            half(64),
            layers.Flatten(),
            layers.Dense(64, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ]
    )


def run(seed, shrink, rate):
    """Train one network until it stops improving; return what it reached, on what chose nothing."""
    import keras

    train, validation, test = dealt("digits", "bundled", seed, SETTINGS["sizes"])
    keras.utils.set_random_seed(seed)
    model = build(shrink)
    model.compile(
        keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    patient = keras.callbacks.EarlyStopping(patience=5, restore_best_weights=True)
    history = model.fit(
        *train,
        epochs=100,
        batch_size=SETTINGS["batch_size"],
        validation_data=validation,
        callbacks=[patient],
        verbose=0,
    )
    loss, accuracy = model.evaluate(*test, verbose=0)
    return {
        "parameters": model.count_params(),
        "epochs": len(history.epoch),
        "val_loss": min(history.history["val_loss"]),
        "test_loss": loss,
        "test_error": 1 - accuracy,
    }


def ratios():
    """Return the rows of `make bench`: test errors against max pooling's, each at its best rate."""
    table = experiments.load(RESULT)
    table["way"] = table.variant.str.split(",").str[0]
    best = table.loc[table.groupby(["way", "seed"]).val_loss.idxmin()]
    errors = best.pivot(index="seed", columns="way", values="test_error")
    ways = ("average", "strided")
    return [row(f"test error, {way} / max", errors[way] / errors["max"]) for way in ways]


def main():
    options = sweep.options(__doc__, seeds=10)
    variants = {
        f"{shrink}, rate {rate}": partial(run, shrink=shrink, rate=rate)
        for shrink in ("max", "average", "strided")
        for rate in RATES
    }
    with sweep.processes(options.jobs) as executor:
        table = sweep.compare(variants, range(options.seeds), executor, RESULT, SETTINGS)
    print(table.groupby("variant")[["epochs", "val_loss", "test_error"]].mean().to_string())


if __name__ == "__main__":
    main()
