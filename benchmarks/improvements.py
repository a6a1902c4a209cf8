"""Measure the slides' list of things to try on MNIST: the full-profile results of notebook 06.

    COURSE_DATA=real python benchmarks/improvements.py [PART ...] [--seeds 5]

Four parts, in this order:

- tuning: 7 learning rates for each of 4 optimizers and 3 strengths for each of 3 regularizers, two
  seeds; measured on 2,000 training images that are set aside, so that the next part compares the
  chosen settings on images that had no part in the choice.
- changes: every item of the list, one change at a time, and the slides' recipe.
- batches: CPU-seconds until 95 % of the validation images are right, for 7 batch sizes and 3 ways
  to scale the learning rate.
- sizes: accuracy and multiply-adds of 16 networks, by width and depth.

Each seed draws its own training images, first weights and order, alike for all variants of a part.
The test images are never touched. TensorFlow gets one thread, so that CPU-seconds mean the same on
a busy machine. Takes about half an hour on one idle core. Finished runs stand in
data/results/improvements_PART.jsonl; started again, it does those that are missing.
"""

import argparse
import os
import warnings
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from ratios import paired, row

from course_utils.first_edition import improvement_runs, improvement_tables, improvements
from course_utils.first_edition.data import load
from course_utils.first_edition.experiments import compare
from course_utils.first_edition.experiments import load as load_runs

RESULTS = Path(__file__).parents[1] / "data" / "results"
TRAINING = {"tuning": 2_000, "changes": 3_000, "batches": 4_000, "sizes": 2_000}
EPOCHS = {"tuning": 6, "changes": 6, "sizes": 6}
TARGET, LIMIT = 0.95, 10.0
FIRST_SEED, TUNING_SEEDS, FEWER = 42, (142, 143), 3


def file_of(part):
    """Return where the runs of a part are stored."""
    return RESULTS / f"improvements_{part}.jsonl"


def ratios():
    """Return the rows of `make bench`: what each change costs, from the stored runs."""
    path = file_of("changes")
    return [
        row(
            f"CPU-seconds, {variant} / the slides' recipe",
            paired(path, variant, improvements.BASELINE, "cpu_seconds"),
        )
        for variant in load_runs(path).variants
        if variant != improvements.BASELINE
    ]


def tuning_variants():
    """Return name → run of everything that is tried to tune with."""
    recipes = {
        improvements.setting_name(*key): recipe
        for key, recipe in improvements.tuning_recipes().items()
    }
    draw = improvement_runs.Draw(TRAINING["tuning"], "tuning", source="real")
    return improvement_runs.sweep(recipes, draw, EPOCHS["tuning"], quick=True)


def change_variants():
    """Return name → run of every change; without the tuned ones as long as tuning is not done."""
    tuned = None
    path = file_of("tuning")
    wanted = len(improvements.tuning_recipes()) * len(TUNING_SEEDS)
    if path.exists() and len(load_runs(path).rows) >= wanted:
        tuned = improvement_tables.best_settings(load_runs(path))
        print("tuned:", tuned)
    draw = improvement_runs.Draw(TRAINING["changes"], source="real")
    return improvement_runs.sweep(improvements.recipes(tuned), draw, EPOCHS["changes"], quick=True)


def batch_variants():
    """Return name → run to the target, for each batch size and each scaling of the rate."""
    draw = improvement_runs.Draw(TRAINING["batches"], check=1_000, source="real")
    return {
        f"{scaling} {size}": improvement_runs.TimeToTarget(recipe, draw, TARGET, LIMIT, quick=True)
        for (scaling, size), recipe in improvements.batch_recipes().items()
    }


def size_variants():
    """Return name → run of each network, by width and depth."""
    recipes = {
        f"width {width:g}, depth {depth}": recipe
        for (width, depth), recipe in improvements.size_recipes().items()
    }
    draw = improvement_runs.Draw(TRAINING["sizes"], source="real")
    return improvement_runs.sweep(recipes, draw, EPOCHS["sizes"], quick=True)


PARTS = {
    "tuning": tuning_variants,
    "changes": change_variants,
    "batches": batch_variants,
    "sizes": size_variants,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}")
    parser.add_argument("--seeds", type=int, default=5, help="of the parts changes and sizes")
    options = parser.parse_args()
    unknown = set(options.parts) - set(PARTS)
    if unknown:
        parser.error(f"no part {', '.join(sorted(unknown))}: there are {', '.join(PARTS)}")
    warnings.simplefilter("ignore", DeprecationWarning)
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    title = load("digits", "real").title
    RESULTS.mkdir(exist_ok=True)
    for part in options.parts or PARTS:
        count = FEWER if part == "batches" else options.seeds
        seeds = TUNING_SEEDS if part == "tuning" else range(FIRST_SEED, FIRST_SEED + count)
        settings = {"data": title, "images": TRAINING[part], "threads": 1}
        if part in EPOCHS:
            settings["epochs"] = EPOCHS[part]
        else:
            settings |= {"target": TARGET, "CPU-seconds at most": LIMIT}
        found = compare(PARTS[part](), seeds, results=file_of(part), settings=settings)
        wrong = found.table.query("status != 'ok'")
        print(f"{part}: {len(found.rows)} runs, {len(wrong)} of them failed or diverged")


if __name__ == "__main__":
    main()
