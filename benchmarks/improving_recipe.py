"""Add one change of the recipe after another: the full-profile result of notebook 06.

    COURSE_DATA=real python benchmarks/improving_recipe.py [--seeds 5]

The slides' network on 3,000 MNIST images. Every step may choose among the same learning rates, by
two seeds and one random half of the validation images; then other seeds measure it on the other
half. Each seed draws its own training images, first weights and order, alike for all steps. Takes
about 10 minutes on two cores. Finished runs stand in data/results/improving_recipe.jsonl; started
again, it does those that are missing.
"""

import argparse
import os
import warnings
from functools import partial
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from ratios import paired, row

from course_utils.first_edition import recipes, runs
from course_utils.first_edition.data import load
from course_utils.first_edition.experiments import compare

RESULT = Path(__file__).parents[1] / "data" / "results" / "improving_recipe.jsonl"
TUNING_SEEDS, FIRST_SEED = (142, 143), 42


def ratios():
    """Return the rows of `make bench`: what each step of the recipe costs, from the stored runs."""
    rates = recipes.chosen_rates(runs.load(RESULT))
    keys = {name: recipes.named(name, rate) for name, rate in rates.items()}
    first = next(iter(keys))
    return [
        row(f"CPU-seconds, {name} / {first}", paired(RESULT, key, keys[first], "cpu_seconds"))
        for name, key in keys.items()
        if name != first
    ]


def variants(digits, rates, tuning=False):
    """Return one function of a seed for each step of the recipe, at these rates."""
    return {
        recipes.named(name, recipe.rate, tuning): partial(
            recipes.measured, recipe, digits=digits, **recipes.SETTINGS
        )
        for name, recipe in recipes.cumulative(rates).items()
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seeds", type=int, default=5)
    count = parser.parse_args().seeds
    warnings.simplefilter("ignore", DeprecationWarning)
    digits = load("digits", "real")
    settings = {"data": digits.title, **recipes.SETTINGS, "halves": "at random"}
    options = {"results": RESULT, "settings": settings}
    RESULT.parent.mkdir(exist_ok=True)
    every = {}
    for rate in recipes.RATES:
        every |= variants(digits, dict.fromkeys(recipes.CHANGES, rate), tuning=True)
    rates = recipes.chosen_rates(compare(every, TUNING_SEEDS, **options))
    seeds = range(FIRST_SEED, FIRST_SEED + count)
    found = compare(variants(digits, rates), seeds, **options)
    print(found.table.drop(columns=["error"]).to_string(index=False))


if __name__ == "__main__":
    main()
