"""Train the slides' network with three ways of shrinking the maps; notebook 02 shows the result.

    COURSE_DATA=real python benchmarks/pooling_comparison.py

Max pooling, average pooling, and a strided convolution in the poolings' place (Springenberg et al.,
"Striving for simplicity", 2015), at full size, with the same seeds: 6,000 images of MNIST, 5 epochs
of batches of 32, Adam at its defaults. The accuracy is that on all 5,000 validation images. Writes
data/results/pooling_comparison.jsonl, and the machine beside it; a run that was interrupted goes on
where it stopped. About three minutes on two cores.
"""

from functools import partial
from pathlib import Path

from machine import describe
from ratios import paired, row

from course_utils.first_edition import data, experiments, models

RESULT = Path(__file__).parents[1] / "data" / "results" / "pooling_comparison.jsonl"
IMAGES, EPOCHS, BATCH_SIZE, SEEDS = 6_000, 5, 32, range(42, 47)
COMPILE = {
    "optimizer": "adam",
    "loss": "sparse_categorical_crossentropy",
    "metrics": ["accuracy"],
}


def scaled(part):
    return part.images.astype("float32") / 255, part.labels


def measure(model, _, *, validation):
    """Only after the last epoch: 5,000 images after each would take as long as the training."""
    return {"val_accuracy": model.evaluate(*validation, verbose=0, return_dict=True)["accuracy"]}


def ratios():
    """Return the rows of `make bench`: what the other two cost, from the stored runs."""
    return [
        row(f"seconds, {pooling} / max pooling", paired(RESULT, pooling, "max"))
        for pooling in ("average", "strided")
    ]


def main():
    digits = data.load("digits", "real")
    train, validation = scaled(digits.train.take(IMAGES, seed=0)), scaled(digits.validation)
    variants = {
        pooling: experiments.Training(
            partial(models.slides_network, pooling=pooling),
            (train, None),
            epochs=EPOCHS,
            batch_size=BATCH_SIZE,
            compile=COMPILE,
            measure=partial(measure, validation=validation),
        )
        for pooling in ("max", "average", "strided")
    }
    settings = {
        "data": digits.title,
        "images": IMAGES,
        "validation": len(digits.validation),
        "epochs": EPOCHS,
        "batch_size": BATCH_SIZE,
        "network": "slides, scale 1",
    }
    RESULT.parent.mkdir(exist_ok=True)
    found = experiments.compare(variants, SEEDS, results=RESULT, settings=settings)
    machine = describe("tensorflow", "keras", "numpy")
    RESULT.with_suffix(".md").write_text(
        f"`pooling_comparison.jsonl` was made by `benchmarks/pooling_comparison.py` on this "
        f"machine.\n\n{machine}\n",
        encoding="utf-8",
    )
    print(found.table.groupby("variant")[["val_accuracy", "seconds", "parameters"]].mean())
    print(found.effects("max", "val_accuracy"))


if __name__ == "__main__":
    main()
