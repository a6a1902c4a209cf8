"""Measure what a sweep costs on a Dask cluster, by the number of runs and of workers.

    python benchmarks/cluster.py [--runs 4 8 16] [--workers 1 2]
    python benchmarks/cluster.py --scheduler tcp://HOST:8786

The slides' network on the bundled digits, one thread of TensorFlow a worker. Without a
scheduler's address, the clusters are on this machine. Each worker does one run before the clock
starts: what a start costs is measured on its own.
"""

import argparse
import os
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from machine import describe
from ratios import row

from course_utils import load, models
from course_utils.experiments import compare

REPORT = Path(__file__).parent / "results" / "cluster.md"
PAGE = Path(__file__).parents[1] / "docs" / "cluster.md"
IMAGES, EPOCHS = 600, 3
FIRST_SEED = 42


def ratios():
    """Return the rows of `make bench`: the cost of the cluster against one process, as stored."""
    lines = REPORT.read_text(encoding="utf-8").splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if "%" in line]
    return [
        row(f"seconds of {runs} runs, 1 process / {workers} workers", float(speed))
        for workers, runs, _, _, _, speed, *_ in cells
        if workers.isdigit()
    ]


def train(seed):
    """Train the slides' network once, and return its loss."""
    x, y = load("digits", "bundled").train.take(IMAGES)
    model = models.slides_network(0.5)
    model.compile("adam", "sparse_categorical_crossentropy")
    return model.fit(x / 255, y, epochs=EPOCHS, verbose=0).history["loss"]


def one_thread():
    """Give TensorFlow one thread in this process."""
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)


def timed(runs, executor=None):
    """Return the seconds of a sweep of `runs` runs, and those that its runs took by themselves."""
    begin = time.perf_counter()
    found = compare({"slides": train}, range(FIRST_SEED, FIRST_SEED + runs), executor=executor)
    seconds = time.perf_counter() - begin
    assert "error" not in found, found["error"].dropna().tolist()
    return seconds, found["seconds"].sum()


def warmed(client, workers):
    """Do one run on each worker; return the seconds that it took."""
    begin = time.perf_counter()
    client.wait_for_workers(workers)
    client.run(one_thread)
    # Each of the addresses once: a worker imports TensorFlow, and loads the data.
    names = list(client.scheduler_info(n_workers=-1)["workers"])
    client.gather([client.submit(train, 0, workers=[name], pure=False) for name in names])
    return time.perf_counter() - begin


def measure(client, workers, runs):
    """Return rows (workers, runs, seconds, seconds of the runs, start) of one cluster."""
    start = warmed(client, workers)
    executor = client.get_executor(pure=False)
    return [(workers, count, *timed(count, executor), start) for count in runs]


def table(here, rows):
    """Return the measurements as Markdown."""
    lines = [
        "| workers | runs | seconds | the runs alone | seconds a run | speed-up | "
        "efficiency | start, s |",
        "| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for workers, count, seconds, own, start in [*here, *rows]:
        plain = next(each[2] for each in here if each[1] == count)
        speed = plain / seconds
        lines.append(
            f"| {workers or 'this process'} | {count} | {seconds:.1f} | {own:.1f} | "
            f"{seconds / count:.2f} | {speed:.2f} | {speed / max(1, workers):.0%} | {start:.1f} |"
        )
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--runs", type=int, nargs="+", default=[4, 8, 16], help="of one sweep each")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--scheduler", metavar="ADDRESS", help="of a cluster that is running")
    options = parser.parse_args()
    from distributed import Client, LocalCluster

    one_thread()
    begin = time.perf_counter()
    train(0)
    start = time.perf_counter() - begin
    here = [(0, count, *timed(count), start) for count in options.runs]
    rows = []
    if options.scheduler:
        with Client(options.scheduler) as client:
            workers = len(client.scheduler_info(n_workers=-1)["workers"])
            rows += measure(client, workers, options.runs)
    else:
        for workers in options.workers:
            cluster = LocalCluster(
                n_workers=workers, threads_per_worker=1, processes=True, dashboard_address=None
            )
            with cluster, Client(cluster) as client:
                rows += measure(client, workers, options.runs)
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    text = (
        "# A sweep on a cluster\n\n"
        f"{describe('dask', 'tensorflow', 'keras')}; load of the machine at the end {load:.1f}. "
        f"The slides' network at half its width, {IMAGES} bundled digits, {EPOCHS} epochs, one "
        "thread a worker. Speed-up and efficiency are against the same runs in one process.\n\n"
        f"{table(here, rows)}\n"
    )
    print(text)
    if not options.scheduler:  # what is kept is a measurement of one machine
        REPORT.write_text(text, encoding="utf-8")
        keep(text.partition("\n\n")[2])


def keep(text):
    """Put the report, without its heading, into the page about clusters."""
    begin, end = f"<!-- begin: benchmarks/results/{REPORT.name} -->\n", "<!-- end -->"
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(begin)
    after = rest.partition(end)[2]
    PAGE.write_text(f"{before}{begin}\n{text}\n{end}{after}", encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
