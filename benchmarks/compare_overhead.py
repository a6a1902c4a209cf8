"""Time `experiments.compare` against the same trainings written out in plain Keras.

    python benchmarks/compare_overhead.py [--pairs 20]

Each pair trains the slides' network for two epochs on 1,500 bundled digits, once in a plain loop
and once through `compare` and `Training`, with a results file and the bar, in turns: which comes
first alternates. Counted are CPU seconds of the process: other programs stretch wall time. Two
trainings of the same network differ by some percent, so the pairs give an interval; what `compare`
does around its trainings is also counted by itself, which has next to no noise. Writes
results/compare_overhead.md, and its numbers to .json.
"""

import argparse
import gc
import json
import os
import tempfile
import time
from functools import partial
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
from machine import describe
from ratios import row

from course_utils.first_edition.data import load
from course_utils.first_edition.experiments import Training, compare
from course_utils.first_edition.intervals import bootstrap
from course_utils.first_edition.models import slides_network

RESULT = Path(__file__).parent / "results" / "compare_overhead.md"
EPOCHS, BATCH_SIZE, IMAGES = 2, 64, 1_500
COMPILED = {"optimizer": "adam", "loss": "sparse_categorical_crossentropy", "metrics": ["accuracy"]}


def digits():
    """Return scaled training and validation digits."""
    dataset = load("digits", "bundled")
    images, labels = dataset.train
    often = -(-IMAGES // len(images))
    images, labels = (np.concatenate([part] * often)[:IMAGES] for part in (images, labels))
    parts = ((images, labels), tuple(dataset.validation))
    return tuple(((pixels / 255).astype("float32"), answers) for pixels, answers in parts)


def plain(data, seed):
    """Train as a student would write it, and return the last validation accuracy."""
    keras.utils.set_random_seed(seed)
    network = slides_network()
    network.compile(**COMPILED)
    options = {"epochs": EPOCHS, "batch_size": BATCH_SIZE, "verbose": 0}
    log = network.fit(*data[0], validation_data=data[1], **options).history
    return log["val_accuracy"][-1]


class Counted:
    """A variant, and the CPU seconds that were spent inside it."""

    def __init__(self, variant):
        self.variant, self.seconds = variant, 0.0

    def __call__(self, seed):
        start = time.process_time()
        found = self.variant(seed)
        self.seconds += time.process_time() - start
        return found


def compared(data, seed, folder):
    """Train through `compare`; return the CPU seconds that it spent outside of the training."""
    training = Counted(Training(slides_network, data, EPOCHS, BATCH_SIZE, COMPILED))
    start = time.process_time()
    compare(
        {"slides": training},
        [seed],
        results=Path(folder) / f"{seed}.jsonl",
        settings={"epochs": EPOCHS, "images": IMAGES},
    )
    return time.process_time() - start - training.seconds


def seconds(function):
    """Return the CPU seconds of a call, and what it returned."""
    keras.backend.clear_session()
    gc.collect()
    start = time.process_time()
    found = function()
    return time.process_time() - start, found


def ratios():
    """Return the rows of `make bench`."""
    found = json.loads(RESULT.with_suffix(".json").read_text(encoding="utf-8"))
    each = np.divide(found["compare"], found["plain"])
    return [
        row("CPU seconds, training through compare / in a plain loop", each, "below 1.02"),
        row("CPU seconds, compare's own / its training", found["own"], "below 0.02"),
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--pairs", type=int, default=20)
    pairs = parser.parse_args().pairs
    data = digits()
    found = {"plain": [], "compare": [], "own": []}
    with tempfile.TemporaryDirectory() as folder:
        plain(data, 0)  # what is loaded once is loaded before the first pair
        compared(data, 10_000, folder)
        for seed in range(pairs):
            ways = {"plain": partial(plain, data, seed), "compare": None}
            ways["compare"] = partial(compared, data, seed, folder)
            times = {}
            for way in sorted(ways, reverse=bool(seed % 2)):
                times[way], told = seconds(ways[way])
                if way == "compare":
                    own = told
            for way, spent in times.items():
                found[way].append(spent)
            found["own"].append(own / (times["compare"] - own))
    each = np.divide(found["compare"], found["plain"])
    more = bootstrap(each - 1, np.median)
    RESULT.with_suffix(".json").write_text(json.dumps(found) + "\n", encoding="utf-8")
    text = (
        "# What `experiments.compare` costs\n\n"
        f"{describe('numpy', 'tensorflow', 'keras')}\n\n"
        f"{pairs} pairs: the slides' network, {EPOCHS} epochs on {IMAGES:,} digits. "
        "CPU seconds.\n\n"
        "| what | median | smallest | largest |\n| --- | ---: | ---: | ---: |\n"
        f"| plain loop, s | {np.median(found['plain']):.2f} | {min(found['plain']):.2f} | "
        f"{max(found['plain']):.2f} |\n"
        f"| through compare, s | {np.median(found['compare']):.2f} | {min(found['compare']):.2f} | "
        f"{max(found['compare']):.2f} |\n"
        f"| of it compare's own, per thousand | {1e3 * np.median(found['own']):.2f} | "
        f"{1e3 * min(found['own']):.2f} | {1e3 * max(found['own']):.2f} |\n\n"
        f"Through compare against the plain loop: {100 * more.estimate:+.1f} % "
        f"[{100 * more.low:+.1f}, {100 * more.high:+.1f}] (median of the pairs, 95 % bootstrap). "
        "Promised: less than 2 %.\n"
    )
    RESULT.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
