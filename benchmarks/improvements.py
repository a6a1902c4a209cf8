"""The slides' advice, bullet by bullet: the stored reference table of notebook 06.

    python benchmarks/improvements.py [--seeds 5] [--jobs 2]

The slides' network on the 5,000 real digits that the course bundles, dealt anew by each seed to
3,000 training, 1,000 validation and 1,000 test images. Every change is trained until its validation
loss has not improved for 5 epochs, and goes back to its best epoch. Its learning rate is tuned
first, on validation images of two seeds that are not used again: the grid grows by factors of 2
until the best rate has neighbours on both sides, or there are eight. Then the other seeds measure
it. All seeds deal from one pool, so a third of a seed's test images were among those that chose a
rate. Goes on where it was interrupted.
"""

from functools import partial
from pathlib import Path

import sweep
from dealing import dealt
from ratios import row

from course_utils import experiments

RESULTS = Path(__file__).parents[1] / "data" / "results"
SETTINGS = {"data": "5,000 images of MNIST", "sizes": [3000, 1000, 1000], "patience": 5}
TUNING_SEEDS, MOST_RATES = (100, 101), 8
CHANGES = {  # of the arguments of `run`
    "slides": {},
    "a convolution more": {"filters": (32, 64, 64)},
    "twice the filters": {"filters": (64, 128)},
    "four times the units": {"units": 256},
    "convolutions keep the border": {"padding": "same"},
    "strided for pooling": {"pool": "strided"},
    "ELU": {"activation": "elu"},
    "SELU": {"activation": "selu", "initializer": "lecun_normal"},
    "sigmoid output": {"output": "sigmoid"},
    "SGD": {"optimizer": "SGD"},
    "momentum": {"optimizer": "SGD", "momentum": 0.9},
    "RMSprop": {"optimizer": "RMSprop"},
    "batches of 16": {"batch_size": 16},
    "batches of 256": {"batch_size": 256},
    "batch normalization": {"normalize": True},
    "L2": {"l2": 0.001},
    "dropout": {"dropout": 0.5},
}
MIDDLE_RATES = {"SGD": 0.05, "momentum": 0.01}  # of the first grid; of the others 0.001


def build(filters, units, padding, pool, activation, initializer, output, normalize, l2, dropout):
    """Build the slides' network with changes."""
    import keras
    from keras import layers

    how = {"kernel_initializer": initializer, "kernel_regularizer": keras.regularizers.L2(l2)}
    model = keras.Sequential([keras.Input((28, 28, 1))])

    def add(layer):
        model.add(layer)
        if normalize:
            model.add(layers.BatchNormalization(momentum=0.9))
        model.add(layers.Activation(activation))

    for n, count in enumerate(filters):
        add(layers.Conv2D(count, 3, padding=padding, **how))
        if n < 2 and pool == "max":
            model.add(layers.MaxPooling2D(2, padding="same" if n else "valid"))
        elif n < 2:
            add(layers.Conv2D(count, 2, strides=2, padding="same" if n else "valid", **how))
    model.add(layers.Flatten())
    add(layers.Dense(units, **how))
    model.add(layers.Dropout(dropout))
    model.add(layers.Dense(10, activation=output, **how))
    return model


def run(
    seed,
    rate,
    filters=(32, 64),
    units=64,
    padding="valid",
    pool="max",
    activation="relu",
    initializer="glorot_uniform",
    output="softmax",
    normalize=False,
    l2=0.0,
    dropout=0.0,
    optimizer="Adam",
    momentum=None,
    batch_size=64,
    at_edge=0,
):
    """Train one network until it stops improving; return what it reached, on what chose nothing.

    `at_edge`, whether the rate is the last of its grid, is noted in the table.
    """
    import keras

    train, validation, test = dealt("digits", "bundled", seed, SETTINGS["sizes"])
    keras.utils.set_random_seed(seed)
    model = build(
        filters, units, padding, pool, activation, initializer, output, normalize, l2, dropout
    )
    kind = getattr(keras.optimizers, optimizer)
    entropy = keras.metrics.SparseCategoricalCrossentropy(name="entropy")
    model.compile(
        kind(rate) if momentum is None else kind(rate, momentum=momentum),
        "sparse_categorical_crossentropy",
        metrics=["accuracy", entropy],
    )
    patient = keras.callbacks.EarlyStopping(
        "val_entropy", patience=SETTINGS["patience"], mode="min", restore_best_weights=True
    )
    history = model.fit(
        *train,
        epochs=100,
        batch_size=batch_size,
        validation_data=validation,
        validation_batch_size=500,
        callbacks=[patient],
        verbose=0,
    )
    scores = model.evaluate(*test, batch_size=500, verbose=0, return_dict=True)
    return {
        "rate": rate,
        "at_edge": at_edge,
        "parameters": model.count_params(),
        "epochs": len(history.epoch),
        "val_loss": min(history.history["val_entropy"]),
        "test_loss": scores["entropy"],
        "test_error": 1 - scores["accuracy"],
    }


def tuned(executor):
    """Return the best rate of each change, and whether it is at the edge of its grid."""
    grids = {name: [MIDDLE_RATES.get(name, 0.001) * f for f in (0.5, 1, 2)] for name in CHANGES}
    while True:
        variants = {
            f"{name}, {rate:g}": partial(run, rate=rate, **CHANGES[name])
            for name, rates in grids.items()
            for rate in rates
        }
        path = RESULTS / "improvements_tuning.jsonl"
        table = sweep.compare(variants, TUNING_SEEDS, executor, path, SETTINGS)
        losses = table.groupby("variant").val_loss.mean()
        best, growing = {}, False
        for name, rates in grids.items():
            rate = min(rates, key=lambda each: losses[f"{name}, {each:g}"])
            edge = rate in (rates[0], rates[-1])
            best[name] = rate, edge
            if edge and len(rates) < MOST_RATES:
                growing = True
                grids[name] = sorted([*rates, rate * (2 if rate == rates[-1] else 0.5)])
        if not growing:
            return best


def ratios():
    """Return the rows of `make bench`: test errors against the slides' network's."""
    table = experiments.load(RESULTS / "improvements.jsonl")
    errors = table.pivot(index="seed", columns="variant", values="test_error")
    others = [name for name in CHANGES if name != "slides"]
    return [row(f"test error, {name} / slides", errors[name] / errors["slides"]) for name in others]


def main():
    options = sweep.options(__doc__, seeds=5)
    with sweep.processes(options.jobs) as executor:
        variants = {
            name: partial(run, rate=rate, at_edge=int(edge), **CHANGES[name])
            for name, (rate, edge) in tuned(executor).items()
        }
        path = RESULTS / "improvements.jsonl"
        table = sweep.compare(variants, range(options.seeds), executor, path, SETTINGS)
    print(
        table.groupby("variant")[["rate", "epochs", "test_loss", "test_error"]].mean().to_string()
    )


if __name__ == "__main__":
    main()
