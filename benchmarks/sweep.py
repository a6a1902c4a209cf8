"""What the benchmarks that train many networks share: options, processes, the machine's note."""

import argparse
import os
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from machine import describe

from course_utils import experiments

# One thread a process: two networks at once are faster on two cores than one with two threads.
os.environ |= {"TF_CPP_MIN_LOG_LEVEL": "3", "TF_NUM_INTRAOP_THREADS": "1", "OMP_NUM_THREADS": "1"}


def options(doc, seeds, jobs=2):
    """Parse ``--seeds`` and ``--jobs``; the arguments are their defaults."""
    parser = argparse.ArgumentParser(description=doc.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=seeds)
    parser.add_argument("--jobs", type=int, default=jobs)
    return parser.parse_args()


def processes(jobs):
    """Return an executor of new processes: TensorFlow does not survive a fork."""
    return ProcessPoolExecutor(jobs, get_context("spawn"))


def compare(variants, seeds, executor, path, settings):
    """Run what is missing in a file, beside which the machine is written; return the table."""
    note = describe("tensorflow", "keras")
    return experiments.compare(
        variants, seeds, executor=executor, path=path, settings=settings, note=note
    )
