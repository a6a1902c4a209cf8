"""Compare regularizers on photos of cats and dogs: the full-profile result of notebook 04.

    COURSE_DATA=real python benchmarks/regularization_comparison.py [--seeds 5]

The blog's network at a quarter of its filters, photos of 48x48, two sizes of training set. Each
seed draws its own training images, first weights and order, alike for all variants. Takes about 9
minutes on one core. Finished runs stand in data/results/regularization_comparison.jsonl; started
again, it does those that are missing.
"""

import argparse
import os
import warnings
from functools import partial
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from ratios import paired, row

from course_utils.first_edition.data import load
from course_utils.first_edition.experiments import compare
from course_utils.first_edition.regularization_runs import STRONG, VARIANTS, pets_run

RESULT = Path(__file__).parents[1] / "data" / "results" / "regularization_comparison.jsonl"
SIZE, SCALE, EPOCHS, IMAGES = 48, 0.25, 20, (200, 800)


def ratios():
    """Return the rows of `make bench`: what each regularizer costs, from the stored runs."""
    images = max(IMAGES)
    # The strong L2 on one kernel does what the blog's does, and was run later on a busy machine.
    left_out = ("plain", "strong L2, one kernel")
    return [
        row(
            f"seconds, {variant} / plain, {images} photos",
            paired(RESULT, f"{variant}, {images} images", f"plain, {images} images"),
        )
        for variant in VARIANTS
        if variant not in left_out
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seeds", type=int, default=6)
    count = parser.parse_args().seeds
    warnings.simplefilter("ignore", DeprecationWarning)
    pets = load("pets", "real", size=SIZE)
    variants = {
        f"{variant}, {images} images": partial(
            pets_run, variant=variant, pets=pets, images=images, scale=SCALE, epochs=EPOCHS
        )
        for images in IMAGES
        for variant in VARIANTS
    }
    settings = {
        "data": pets.title,
        "size": SIZE,
        "scale": SCALE,
        "epochs": EPOCHS,
        "L2 everywhere": STRONG,
        "optimizer": "adam, 0.001, batches of 25",
    }
    RESULT.parent.mkdir(exist_ok=True)
    found = compare(variants, range(42, 42 + count), results=RESULT, settings=settings)
    print(found.table.drop(columns=["error"]).to_string(index=False))


if __name__ == "__main__":
    main()
