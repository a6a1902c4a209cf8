"""Measure what pretraining gains on real images: the full-profile result of notebook 07.

    COURSE_DATA=real python benchmarks/transfer.py [--seeds 6]

Two transfers: MNIST's digits 0 to 4 to its 5 to 9, all moved about; and drawn cats and dogs to
photos of them, 48x48. Each seed pretrains its own base, and draws its own few images, first weights
and order, alike for the four ways. Takes about 15 minutes on two cores. Finished runs stand in
data/results/transfer.jsonl; started again, it does those that are missing.
"""

import argparse
import os
import warnings
from functools import cache, partial
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from ratios import paired, row

from course_utils.first_edition import transfer
from course_utils.first_edition.data import load
from course_utils.first_edition.experiments import compare

RESULT = Path(__file__).parents[1] / "data" / "results" / "transfer.jsonl"
DIGITS = {"images": 6000, "epochs": 3, "steps": 200, "each": (2, 5, 10, 20, 40, 100)}
PETS = {"size": 48, "epochs": 8, "steps": 200, "each": (10, 50, 200), "filters": (16, 32, 64, 64)}


def ratios():
    """Return the rows of `make bench`: what each way costs, from the stored runs."""
    each = max(PETS["each"])
    return [
        row(
            f"seconds, {way} / from scratch, {each} photos a class",
            paired(RESULT, f"pets, {way}, {each}", f"pets, from scratch, {each}"),
        )
        for way in transfer.WAYS[1:]
    ]


def digits_variants():
    tasks = transfer.digit_tasks(load("digits", "real"), images=DIGITS["images"])

    @cache
    def base(seed):
        return transfer.pretrain(tasks.source, DIGITS["epochs"], seed=seed).layers[0]

    run = partial(transfer.few_run, base=base, tasks=tasks, steps=DIGITS["steps"])
    return {
        f"digits, {way}, {each}": partial(run, way=way, each=each)
        for each in DIGITS["each"]
        for way in transfer.WAYS
    }


def pets_variants():
    drawn = load("pets", "bundled", size=PETS["size"])
    photos = load("pets", "real", size=PETS["size"])
    tasks = transfer.Tasks(drawn.train, drawn.validation, photos.train, photos.validation)

    @cache
    def base(seed):
        model = transfer.pretrain(tasks.source, PETS["epochs"], seed=seed, filters=PETS["filters"])
        return model.layers[0]

    run = partial(transfer.few_run, base=base, tasks=tasks, place=False, steps=PETS["steps"])
    return {
        f"pets, {way}, {each}": partial(run, way=way, each=each)
        for each in PETS["each"]
        for way in transfer.WAYS
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seeds", type=int, default=6)
    count = parser.parse_args().seeds
    warnings.simplefilter("ignore", DeprecationWarning)
    settings = {
        "digits": {**DIGITS, "data": "MNIST", "moved by": 4},
        "pets": {**PETS, "data": "drawn pets, Cats and Dogs"},
        "batches of": transfer.BATCH,
        "rates": [transfer.RATE, transfer.LOW_RATE],
        "head": "logistic regression",
    }
    RESULT.parent.mkdir(exist_ok=True)
    variants = digits_variants() | pets_variants()
    found = compare(variants, range(42, 42 + count), results=RESULT, settings=settings)
    print(found.table.drop(columns=["error"]).to_string(index=False))


if __name__ == "__main__":
    main()
