"""Paired comparisons over repeated seeds: resumable, on any executor, with their uncertainty.

One run is one variant with one seed. All variants run with the same seeds, so that what a seed does
to all of them alike cancels in their differences.
"""

from __future__ import annotations

import math
import random
import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Executor, as_completed
from dataclasses import dataclass, field
from numbers import Integral, Real
from os import PathLike
from time import perf_counter

from course_utils.first_edition import schedules
from course_utils.first_edition.quiet import quiet_import
from course_utils.first_edition.runs import Results, RunsFile, load
from course_utils.first_edition.timing import Line, readable

__all__ = ["Results", "Training", "compare", "load"]

# Keras has one random state a process: runs in threads of one process take turns.
_ONE_RUN_AT_A_TIME = threading.Lock()


@dataclass(frozen=True)
class Training:
    """The usual variant: build, compile, fit; called with a seed, it returns what it measured.

    It can be pickled, and so be sent to other processes or machines, if what it holds can:
    importable functions and `functools.partial` of them can, functions of a notebook and lambdas
    can only be sent by Dask.

    Parameters
    ----------
    build : callable
        Returns a new `keras.Model`, compiled unless `compile` is given.
    data : tuple or callable
        ((images, labels), (validation images, validation labels)), or a function that returns it.
    epochs, batch_size : int
        For `fit`.
    compile : mapping, optional
        Options for `model.compile`. An optimizer object is copied for each run; `metrics` may be a
        function that makes them, such as `metrics.binary_metrics`.
    fit : mapping, optional
        More options for `fit`.
    callbacks : callable, optional
        Returns new callbacks for one run.
    measure : callable, optional
        Takes (model, data) after training and returns a mapping of further numbers.
    one_graph : bool
        Train by `schedules.fit`, which takes less time if the network is small and is used again
        (see `renewal.kept`). Then nothing but the loss is measured: no validation data, no metrics,
        no callbacks, no more options.

    Raises
    ------
    ValueError
        For `one_graph` with validation data, callbacks or `fit`.
    """

    build: Callable
    data: tuple | Callable
    epochs: int = 1
    batch_size: int = 32
    compile: Mapping | None = None
    fit: Mapping = field(default_factory=dict)
    callbacks: Callable[[], list] | None = None
    measure: Callable | None = None
    one_graph: bool = False

    def __post_init__(self):
        self._fits_one_graph(None if callable(self.data) else self.data[1])

    def _fits_one_graph(self, validation):
        given = {
            "validation data": validation,
            "callbacks": self.callbacks,
            "fit": self.fit or None,
        }
        given = [name for name, what in given.items() if what is not None]
        if self.one_graph and given:
            raise ValueError(f"one_graph measures the loss alone: leave it out, or {given[0]}")

    def __call__(self, seed: int) -> dict:
        """Train once.

        Returns
        -------
        dict
            `curves` (one list an entry of Keras' history), `parameters`, the last value of each
            curve under its name, `best_epoch` (from 1, lowest `val_loss`), and what `measure` gave.
        """
        import keras

        keras.utils.set_random_seed(seed)
        data = self.data() if callable(self.data) else self.data
        (images, labels), validation = data
        model = self.build()
        if self.compile is not None:
            options = dict(self.compile)
            if isinstance(options.get("optimizer"), keras.optimizers.Optimizer):
                config = keras.optimizers.serialize(options["optimizer"])
                options["optimizer"] = keras.optimizers.deserialize(config)
            if callable(options.get("metrics")):
                options["metrics"] = options["metrics"]()
            model.compile(**options)
        self._fits_one_graph(validation)
        settings = {"epochs": self.epochs, "batch_size": self.batch_size}
        if self.one_graph:
            losses = schedules.fit(model, images, labels, seed=seed, **settings)
            history = {"loss": losses.tolist()}
        else:
            history = model.fit(
                images,
                labels,
                validation_data=validation,
                verbose=0,
                callbacks=self.callbacks() if self.callbacks else None,
                **settings,
                **self.fit,
            ).history
        found = {name: values[-1] for name, values in history.items()}
        losses = history.get("val_loss", [])
        if losses and not all(map(math.isnan, losses)):
            lowest = min(loss for loss in losses if not math.isnan(loss))
            found["best_epoch"] = losses.index(lowest) + 1
        if self.measure:
            found |= self.measure(model, data)
        return {"curves": history, "parameters": model.count_params(), **found}


def _number(value: object, name: str) -> float:
    # Keras and NumPy give scalars of their own types; text, arrays and None are no measurement.
    if not isinstance(value, Real) and getattr(value, "shape", None) != ():
        raise ValueError(f"a measurement must be a number: got {name}={value!r}")
    return float(value)


def _run(variant: str, function: Callable[[int], Mapping], seed: int) -> dict:
    """Do one run and return its row; an exception makes a row as well."""
    row = {"variant": variant, "seed": seed, "status": "ok", "error": None, "seconds": math.nan}
    row |= {"parameters": None, "metrics": {}, "curves": {}}
    _keep_dask_from_our_random_numbers()
    with _ONE_RUN_AT_A_TIME:
        with quiet_import():  # in other processes this is the first that needs it
            import keras
        start = perf_counter()
        try:
            keras.utils.set_random_seed(seed)
            start = perf_counter()
            found = function(seed)
            row["seconds"] = perf_counter() - start
            if not isinstance(found, Mapping):
                kind = type(found).__name__
                raise ValueError(f"a variant must return a mapping of measurements: got {kind}")
            found = dict(found)
            curves = found.pop("curves", {})
            parameters = found.pop("parameters", None)
            row["parameters"] = None if parameters is None else int(parameters)
            row["curves"] = {
                str(name): [_number(value, name) for value in values]
                for name, values in curves.items()
            }
            row["metrics"] = {str(name): _number(value, name) for name, value in found.items()}
        except Exception as error:  # whatever a variant does wrong, the others go on
            row["seconds"] = perf_counter() - start
            row["status"], row["error"] = "failed", _sentence(error)
            return row
    broken = _divergence(row)
    if broken:
        row["status"], row["error"] = "diverged", broken
    return row


def _keep_dask_from_our_random_numbers() -> None:
    # Keras draws the seeds of layers from Python's global random numbers. In a Dask worker another
    # thread draws from them too, to estimate sizes: then the weights would depend on the moment.
    sizeof = sys.modules.get("dask.sizeof")
    if sizeof is not None and sizeof.random is random:
        sizeof.random = random.Random()


def _sentence(error: BaseException) -> str:
    lines = str(error).strip().splitlines() or ["no message"]
    return f"{type(error).__name__}: {lines[0]}"


def _divergence(row: dict) -> str | None:
    for name, values in row["curves"].items():
        bad = [epoch for epoch, value in enumerate(values, 1) if not math.isfinite(value)]
        if bad and not math.isfinite(values[-1]):
            return f"{name} is {values[-1]} at the end, not finite first at epoch {bad[0]}"
    bad = [name for name, value in row["metrics"].items() if not math.isfinite(value)]
    return f"{bad[0]} is {row['metrics'][bad[0]]}" if bad else None


def compare(
    variants: Mapping[str, Callable[[int], Mapping]],
    seeds: Iterable[int],
    *,
    results: str | PathLike | None = None,
    settings: Mapping | None = None,
    executor: Executor | None = None,
    overwrite: bool = False,
    progress: bool = True,
) -> Results:
    """Run every variant with every seed, and return what they measured.

    Before each run `keras.utils.set_random_seed` is called with its seed. All variants run with
    one seed before the next seed begins, so that what is there after an interruption is paired.
    A run that raises or diverges gets a row that says so, and the others go on.

    Parameters
    ----------
    variants : mapping of str to callable
        Name → function of a seed that returns a mapping: numbers by name, and optionally `curves`
        (name → one number an epoch) and `parameters` (their count). See `Training`.
    seeds : iterable of int
        Different seeds, the same for all variants.
    results : path, optional
        A file (JSON lines) to which every finished run is added at once. Runs that are already in
        it are not done again, except those that failed. More seeds and variants may be added later.
    settings : mapping, needed with `results`
        What the runs depend on besides variant and seed: data set, sizes, epochs; as JSON types. A
        file that was made with others is refused.
    executor : concurrent.futures.Executor, optional
        Where to run, such as a `ProcessPoolExecutor` (with `mp_context` "spawn": TensorFlow does
        not survive a fork) or a Dask ``client.get_executor()``. By default in this process.
    overwrite : bool
        Start `results` anew, whatever it holds.
    progress : bool
        Whether to show a line of progress.

    Returns
    -------
    Results

    Raises
    ------
    ValueError
        For no variants or seeds, a seed twice, a results file without settings, from other settings
        or of another kind.
    """
    seeds = _checked(variants, seeds)
    if results is not None and settings is None:
        raise ValueError(
            "settings must be given with results: name what the runs depend on, such as"
            " {'data': 'pets', 'epochs': 20}, so that other runs are never mixed in"
        )
    runs_file = None if results is None else RunsFile(results, settings, overwrite)
    wanted = [(variant, seed) for seed in seeds for variant in variants]
    done = runs_file.finished() if runs_file else {}
    done = {key: done[key] for key in wanted if key in done}
    bar = _Bar(len(wanted), len(done)) if progress else None
    pending = [(variant, variants[variant], seed) for variant, seed in wanted]
    pending = [run for run in pending if (run[0], run[2]) not in done]
    for row in _rows(pending, executor):
        if runs_file:
            runs_file.add(row)
        done[row["variant"], row["seed"]] = row
        if bar:
            bar.step(row)
    return Results([done[key] for key in wanted])


def _checked(variants: Mapping, seeds: Iterable[int]) -> list[int]:
    seeds = list(seeds)
    if not variants or not seeds:
        raise ValueError(
            f"a comparison needs variants and seeds: got {len(variants)} and {len(seeds)}"
        )
    for name, function in variants.items():
        if not callable(function):
            raise ValueError(f"variant {name!r} must be callable with a seed: got {function!r}")
    wrong = [seed for seed in seeds if not isinstance(seed, Integral) or seed < 0]
    if wrong:
        raise ValueError(f"seeds must be whole numbers, at least 0: got {wrong[0]!r}")
    seeds = [int(seed) for seed in seeds]
    if len(set(seeds)) < len(seeds):
        raise ValueError(f"seeds must differ, since equal seeds repeat a run: got {seeds}")
    return seeds


def _rows(pending: list, executor: Executor | None) -> Iterable[dict]:
    """Yield the rows of finished runs, in order here, as they come from an executor."""
    if executor is None:
        yield from (_run(*run) for run in pending)
        return
    futures = {executor.submit(_run, *run): run for run in pending}
    try:
        for future in as_completed(futures):
            try:
                yield future.result()
            except Exception as error:  # it could not be sent, or its worker died
                variant, _, seed = futures[future]
                row = {"variant": variant, "seed": seed, "status": "failed"}
                row |= {"error": _sentence(error), "seconds": math.nan, "parameters": None}
                yield row | {"metrics": {}, "curves": {}}
    finally:
        for future in futures:
            future.cancel()


class _Bar:
    """A line such as ``██████░░░░ 6/10 · dropout, seed 3 · 42.0 s · 28.0 s left``."""

    def __init__(self, total: int, done: int) -> None:
        self.total, self.found, self.done = total, done, done
        self.start = perf_counter()
        self.bad = 0
        self.line = Line()
        self._show("taken from the file" if done else "starts")

    def step(self, row: dict) -> None:
        self.done += 1
        self.bad += row["status"] != "ok"
        state = "" if row["status"] == "ok" else f" {row['status']}"
        self._show(f"{row['variant']}, seed {row['seed']}{state}")

    def _show(self, what: str) -> None:
        filled = 20 * self.done // self.total
        parts = [f"{'█' * filled}{'░' * (20 - filled)} {self.done}/{self.total}", what]
        spent, new = perf_counter() - self.start, self.done - self.found
        if new:
            parts.append(readable(spent))
        if new and self.done < self.total:
            parts.append(f"{readable(spent / new * (self.total - self.done))} left")
        if self.bad:
            parts.append(f"{self.bad} failed or diverged")
        self.line.show(" · ".join(parts))
