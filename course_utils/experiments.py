"""Comparisons over paired seeds, here or on any executor, in a file that survives interruptions.

A run is one variant with one seed. All variants get the same seeds, so that what a seed does to all
of them alike cancels in their differences.
"""

import json
import sys
import warnings
from collections.abc import Mapping
from concurrent.futures import as_completed
from contextlib import suppress
from pathlib import Path
from threading import Lock
from time import perf_counter

import numpy as np

from .data import DATA
from .session import quiet_import

_KIND = "course_utils runs 1"
# Keras has one random state a process: runs in threads of one process take turns.
_TURN = Lock()


def compare(variants, seeds, *, executor=None, path=None, settings=None, note=None):
    """Run every variant with every seed, and tabulate what they return.

    Parameters
    ----------
    variants : mapping from name to callable
        Takes a seed, which Keras, NumPy and Python have been given already. Returns a number, or a
        mapping from names to numbers and lists of numbers, such as ``model.fit(…).history``.
    seeds : iterable of int
    executor : concurrent.futures.Executor, optional
        Such as a `ProcessPoolExecutor` (with "spawn": TensorFlow does not survive a fork) or Dask's
        ``client.get_executor()``. By default the runs are done in this process, one by one.
    path : path, optional
        File of JSON lines. Each finished run is added at once; those in it are not run again.
    settings : mapping, optional
        What else the runs depend on, in JSON types; a file of other settings is refused.
    note : str, optional
        Written beside the settings of a new file, and not compared: such as the machine.

    Returns
    -------
    pandas.DataFrame
        A row a run: variant, seed, seconds, what was returned (a number without a name is called
        value), and error, if there is one. A run that failed warns; it is not kept in the file.
    """
    from tqdm import tqdm

    seeds = [int(seed) for seed in seeds]
    if not variants or not seeds or len(set(seeds)) < len(seeds):
        raise ValueError(f"compare needs variants, and seeds that differ: got seeds {seeds}")
    settings = json.loads(json.dumps(settings or {}))
    header, rows = {"kind": _KIND, "settings": settings, "note": note or ""}, {}
    if path is not None:
        path = Path(path)
        if path.exists():
            header, rows = _read(path, settings)
        whole = path.with_name(f"{path.name}.new")  # without what was cut off
        whole.write_bytes(b"".join(map(_json, [header, *rows.values()])))
        whole.replace(path)
    wanted = [(variant, seed) for seed in seeds for variant in variants]
    jobs = [(*run, variants[run[0]]) for run in wanted if run not in rows]
    finished = _submitted(executor, jobs) if executor else (_run(*job) for job in jobs)
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    bar = {"file": _NotebookLine()} if hasattr(shell, "kernel") else {"disable": None}
    for row in tqdm(finished, "runs", len(jobs), leave=False, **bar):
        rows[row["variant"], row["seed"]] = row
        if path is not None and "error" not in row:
            with path.open("ab") as file:
                file.write(_json(row))
    failed = [rows[run] for run in wanted if "error" in rows[run]]
    if failed:
        first = "{variant}, seed {seed}: {error}".format(**failed[0])
        warnings.warn(f"{len(failed)} of {len(wanted)} runs failed; {first}", stacklevel=2)
    return _table([rows[run] for run in wanted], header)


def load(path):
    """Return the table of the runs in a file of `compare`; its settings and note are in ``attrs``.

    Runs that were cut off are left out, with a warning. FileNotFoundError without a file;
    ValueError for a file of something else.
    """
    if not Path(path).exists():
        raise FileNotFoundError(f"no runs are stored in {path}: compare(…, path=…) stores them")
    header, rows = _read(Path(path))
    return _table(rows.values(), header)


def stored(name, **settings):
    """Return the table of ``data/results/NAME.jsonl``, or None after a sentence on what is wrong.

    A notebook goes on without the figure if the file is missing, cut off, or made with other
    `settings` than its text speaks of.
    """
    path = DATA / "results" / f"{name}.jsonl"
    try:
        with warnings.catch_warnings(action="error"):
            table = load(path)
        made = table.attrs["settings"]
        if other := {key: made.get(key) for key in settings if made.get(key) != settings[key]}:
            raise ValueError(f"it was made with other settings ({other})")
        if table.empty or table.groupby("variant").size().nunique() > 1:
            raise ValueError("some of its runs are missing")
    except (OSError, ValueError, UserWarning) as error:
        again = f"python benchmarks/{name}.py makes it anew"
        print(f"Without the stored result {path.name}: {error}; {again}. The notebook goes on.")
        return None
    return table


def _run(variant, seed, function):
    """Do one run and return its row; if it fails, the row says why, and the others go on."""
    with _TURN:
        with quiet_import():  # in another process this is the first to need it
            import keras
        if "dask" in sys.modules:
            # On a worker, Dask's own threads draw samples, to estimate sizes, from the random
            # numbers of Python that Keras seeds layers with: weights would depend on the moment.
            from dask.sizeof import sizeof

            sizeof.register((list, tuple), sys.getsizeof)
        row, start = {"variant": variant, "seed": seed, "metrics": {}, "curves": {}}, perf_counter()
        try:
            keras.utils.set_random_seed(seed)
            found = function(seed)
            for name, value in (found if isinstance(found, Mapping) else {"value": found}).items():
                values = np.asarray(value)
                if values.dtype.kind not in "biuf" or values.ndim > 1:
                    raise ValueError(f"{name} must be a number or a list of some: got {value!r}")
                row["curves" if values.ndim else "metrics"][str(name)] = values.tolist()
        except Exception as error:
            row["error"] = _sentence(error)
        return row | {"seconds": perf_counter() - start}


def _submitted(executor, jobs):
    """Yield the rows of jobs as an executor ends them; at an interruption the rest is cancelled."""
    futures = {executor.submit(_run, *job): job for job in jobs}
    try:
        for future in as_completed(futures):
            try:
                yield future.result()
            except Exception as error:  # it could not be sent, or its process died
                variant, seed, _ = futures[future]
                yield {"variant": variant, "seed": seed, "error": _sentence(error)}
    finally:
        for future in futures:
            future.cancel()


class _NotebookLine:
    """A line of a notebook that tqdm writes anew; on a stored page its own would all remain."""

    def __init__(self):
        from IPython.display import display

        self.shown = display({"text/plain": ""}, raw=True, display_id=True)

    def write(self, text):
        self.shown.update({"text/plain": text.strip()}, raw=True)


def _sentence(error):
    return f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0]}"


def _json(row):
    return json.dumps(row, ensure_ascii=False).encode() + b"\n"


def _read(path, settings=None):
    """Return the header of a file, and its rows by (variant, seed)."""
    lines, parsed = path.read_bytes().splitlines(), []
    for line in lines:
        with suppress(ValueError):
            parsed.append(json.loads(line))
    header, *rows = parsed or [{}]
    if not isinstance(header, dict) or header.get("kind") != _KIND:
        raise ValueError(f"{path} holds no runs of compare: name another file")
    there = header["settings"]
    here = there if settings is None else settings
    other = [f"{n}: {there.get(n)}" for n in there | here if there.get(n) != here.get(n)]
    if other:
        raise ValueError(f"{path} has other settings ({', '.join(other)}): name another file")
    if len(parsed) < len(lines):
        warnings.warn(f"{path}: {len(lines) - len(parsed)} of its runs are cut off", stacklevel=3)
    return header, {(row["variant"], row["seed"]): row for row in rows}


def _table(rows, header):
    import pandas as pd

    table = pd.DataFrame([row | row.get("metrics", {}) | row.get("curves", {}) for row in rows])
    table = table.drop(columns=["metrics", "curves"], errors="ignore")
    table.attrs |= {"settings": header["settings"], "note": header.get("note", "")}
    return table
