"""Regularizers on real photos of cats and dogs: the stored comparison of notebook 04.

    course data import PATH      # the real photos, once
    python benchmarks/regularization.py [--seeds 6] [--jobs 2]

The blog's network with a quarter of its filters, photos of 48×48. Each seed deals the 3,000 photos
anew: 200 or 800 to train on, 500 to choose with, 1,000 to judge with. Every variant, the plain
network too, is tried at four settings, and each trained until its validation loss has not improved
for 15 epochs. Recorded is its best epoch and its last, on the photos that judge; the setting is
chosen on the validation photos by whoever reads the table. Goes on where it was interrupted.
"""

from functools import partial
from pathlib import Path

import numpy as np
import sweep
from dealing import dealt
from ratios import row

from course_utils import experiments

RESULT = Path(__file__).parents[1] / "data" / "results" / "regularization.jsonl"
SETTINGS = {"data": "3,000 real photos", "size": 48, "validation": 500, "test": 1000}
SETTINGS |= {"optimizer": "adam", "batch_size": 25, "patience": 15, "most epochs": 80}
VARIANTS = {  # name: its four settings
    "plain": (0.0005, 0.001, 0.002, 0.004),  # learning rate
    "smaller": (0.75, 0.5, 0.25, 0.125),  # share of the plain network's filters and units
    "L2": (0.0003, 0.001, 0.003, 0.01),  # λ on every kernel
    "dropout": (0.2, 0.35, 0.5, 0.65),  # after both dense layers
    "augmentation": (0.05, 0.1, 0.2, 0.3),  # mirror images, and shifts of up to this share
}


def build(variant, setting):
    """Build the blog's network, thin, in one of the variants."""
    import keras
    from keras import layers

    width = setting if variant == "smaller" else 1
    l2 = keras.regularizers.L2(setting) if variant == "L2" else None
    filters = [round(width * n) for n in (16, 32, 64)]
    model = keras.Sequential([keras.Input((48, 48, 3))])
    if variant == "augmentation":
        model.add(layers.RandomFlip("horizontal"))
        model.add(layers.RandomTranslation(setting, setting, fill_mode="nearest"))
    model.add(layers.Conv2D(filters[0], 3, kernel_regularizer=l2))
    for n in filters[1:]:
        model.add(layers.MaxPooling2D(2))
        model.add(layers.Conv2D(n, 3, activation="relu", kernel_regularizer=l2))
        model.add(layers.Conv2D(n, 3, activation="relu", kernel_regularizer=l2))
    model.add(layers.MaxPooling2D(2))
    model.add(layers.Flatten())
    for units in (32, 16):
        model.add(layers.Dense(round(width * units), activation="relu", kernel_regularizer=l2))
        if variant == "dropout":
            model.add(layers.Dropout(setting))
    model.add(layers.Dense(1, activation="sigmoid", kernel_regularizer=l2))
    return model


def run(seed, variant, setting, photos):
    """Train one network; return what its best and its last epoch are worth, without penalties."""
    import keras

    sizes = [photos, SETTINGS["validation"], SETTINGS["test"]]
    train, validation, test = dealt("pets", "real", seed, sizes, size=SETTINGS["size"])
    mean, spread = train[0].mean(), train[0].std()
    parts = (train, validation, test)
    train, validation, test = (((x - mean) / spread, y[:, None]) for x, y in parts)
    keras.utils.set_random_seed(seed)
    model = build(variant, setting)
    rate = setting if variant == "plain" else 0.001
    # Cross-entropy as a metric too: the loss that is reported holds the penalties.
    measured = ["accuracy", keras.metrics.BinaryCrossentropy(name="entropy")]
    model.compile(keras.optimizers.Adam(rate), "binary_crossentropy", metrics=measured)

    best = {"weights": None, "entropy": float("inf"), "epoch": 0}

    class KeepBest(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if logs["val_entropy"] < best["entropy"]:
                best.update(weights=self.model.get_weights(), entropy=logs["val_entropy"])
                best["epoch"] = epoch + 1
            elif epoch + 1 - best["epoch"] >= SETTINGS["patience"]:
                self.model.stop_training = True

    history = model.fit(
        *train,
        epochs=SETTINGS["most epochs"],
        batch_size=SETTINGS["batch_size"],
        validation_data=validation,
        validation_batch_size=500,
        callbacks=[KeepBest()],
        verbose=0,
    )
    found = {"parameters": model.count_params(), "epochs": len(history.epoch)}
    found |= {"best_epoch": best["epoch"], "val_entropy": best["entropy"]}
    for name in ("last", "best"):
        if name == "best":
            model.set_weights(best["weights"])
        scores = model.evaluate(*test, batch_size=500, verbose=0, return_dict=True)
        found |= {f"{name}_entropy": scores["entropy"], f"{name}_accuracy": scores["accuracy"]}
    return found | {"val_entropies": np.round(history.history["val_entropy"], 4).tolist()}


def ratios():
    """Return the rows of `make bench`: cross-entropies against the plain network's, each tuned."""
    table = experiments.load(RESULT)
    table[["way", "photos"]] = table.variant.str.extract(r"(\w+) .*, (\d+) photos")
    best = table.loc[table.groupby(["photos", "way", "seed"]).val_entropy.idxmin()]
    rows = []
    for photos, part in best.groupby("photos"):
        entropies = part.pivot(index="seed", columns="way", values="best_entropy")
        for way in entropies.columns.drop("plain"):
            what = f"test cross-entropy, {way} / plain, {photos} photos"
            rows.append(row(what, entropies[way] / entropies["plain"]))
    return rows


def main():
    options = sweep.options(__doc__, seeds=6)
    variants = {
        f"{variant} {setting}, {photos} photos": partial(
            run, variant=variant, setting=setting, photos=photos
        )
        for photos in (200, 800)
        for variant, settings in VARIANTS.items()
        for setting in settings
    }
    with sweep.processes(options.jobs) as executor:
        sweep.compare(variants, range(options.seeds), executor, RESULT, SETTINGS)


if __name__ == "__main__":
    main()
