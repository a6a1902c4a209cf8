"""Finished runs: a file that survives being cut off, and what can be read from them."""

from __future__ import annotations

import hashlib
import json
import math
import os
import warnings
from collections.abc import Iterable, Mapping, Sequence
from os import PathLike
from pathlib import Path

from course_utils.first_edition.choices import did_you_mean
from course_utils.first_edition.intervals import Interval, paired

_KIND = "course_utils runs 1"
_FIELDS = {"variant", "seed", "status", "error", "seconds", "parameters", "metrics", "curves"}


class RunsFile:
    """JSON lines under a header; one line a run; each is on the disk before the next one starts.

    The first line holds the settings and their hash. A file that ends in the middle of a line (the
    process was killed while it wrote) loses that line only.

    Parameters
    ----------
    path : path
        The file; its folder must exist. It is made if it is not there.
    settings : mapping
        What the runs depend on, as JSON types.
    overwrite : bool
        Start anew, whatever the file holds.

    Raises
    ------
    ValueError
        If the settings are no JSON types, or the file was made with others or is of another kind.
    """

    def __init__(self, path: str | PathLike, settings: Mapping, overwrite: bool = False) -> None:
        self.path = Path(path)
        try:
            text = json.dumps(dict(settings), sort_keys=True, ensure_ascii=False)
        except TypeError as error:
            raise ValueError(
                f"settings must be JSON types, such as text and numbers: {error}"
            ) from None
        settings = json.loads(text)
        self._runs: dict[tuple[str, int], dict] = {}
        if not overwrite and self.path.exists() and self.path.stat().st_size:
            header, self._runs = self.read(self.path)
            if header["hash"] != _hash(text):
                raise ValueError(
                    f"{self.path} holds runs with other settings"
                    f" ({_differences(header['settings'], settings)}): name another file, or pass"
                    " overwrite=True to start it anew"
                )
            self._end_cleanly()
            return
        header = {"kind": _KIND, "hash": _hash(text), "settings": settings}
        # Written aside and renamed, so that there is never a file with half a header.
        aside = self.path.with_name(self.path.name + ".new")
        with open(aside, "wb") as file:
            _write(file, header)
        os.replace(aside, self.path)

    def finished(self) -> dict[tuple[str, int], dict]:
        """Return the rows by (variant, seed), without those that failed: they deserve a new try."""
        return {key: row for key, row in self._runs.items() if row["status"] != "failed"}

    def add(self, row: dict) -> None:
        """Append a row, and return when it is on the disk."""
        with open(self.path, "ab") as file:
            _write(file, row)
        self._runs[row["variant"], row["seed"]] = row

    @staticmethod
    def read(path: str | PathLike) -> tuple[dict, dict[tuple[str, int], dict]]:
        """Return the header of a file, and its rows by (variant, seed), the last one of each.

        Raises
        ------
        ValueError
            If it is not a file of runs.
        """
        first, *lines = Path(path).read_bytes().split(b"\n")
        header = _parse(first)
        if header is None or header.get("kind") != _KIND:
            raise ValueError(
                f"{path} is not a file of runs: name another file, or pass overwrite=True to"
                " replace it"
            )
        rows, lost = {}, 0
        for line in lines:
            row = _parse(line)
            if row is not None and row.keys() >= _FIELDS:
                rows[row["variant"], row["seed"]] = row
            elif line.strip():
                lost += 1
        if lost:
            warnings.warn(
                f"{path}: {lost} line{'s' * (lost > 1)} cut off or damaged; what they held is"
                " missing and will be run again",
                stacklevel=2,
            )
        return header, rows

    def _end_cleanly(self) -> None:
        """Take away half a line at the end, or end a whole one, so that the next starts afresh."""
        content = self.path.read_bytes()
        rest = content.rpartition(b"\n")[2]
        if rest and _parse(rest) is None:
            os.truncate(self.path, len(content) - len(rest))
        elif rest:
            with open(self.path, "ab") as file:
                file.write(b"\n")


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _parse(line: bytes) -> dict | None:
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _write(file, content: dict) -> None:
    file.write(json.dumps(content, ensure_ascii=False).encode() + b"\n")
    file.flush()
    os.fsync(file.fileno())


def _differences(there: Mapping, here: Mapping) -> str:
    names = [name for name in {**there, **here} if there.get(name) != here.get(name)]
    return ", ".join(
        f"{name}: {there.get(name, 'nothing')} there, {here.get(name, 'nothing')} here"
        for name in names
    )


def load(path: str | PathLike) -> Results:
    """Return all runs of a results file that `compare` has written."""
    return Results(list(RunsFile.read(path)[1].values()))


class Results:
    """The runs of a comparison.

    Parameters
    ----------
    rows : sequence of dict
        One a run: variant, seed, status, error, seconds, parameters, metrics, curves.
    """

    def __init__(self, rows: Sequence[dict]) -> None:
        self.rows = list(rows)

    @property
    def variants(self) -> list[str]:
        """Names of the variants, in the order in which they were given."""
        return list(dict.fromkeys(row["variant"] for row in self.rows))

    @property
    def table(self):
        """Return a `pandas.DataFrame`, one row a run.

        Columns `variant`, `seed`, `status` ("ok", "failed" or "diverged"), `error` (why), `seconds`
        (of wall-clock time), `parameters`, and one a measurement.
        """
        import pandas as pd

        first = ("variant", "seed", "status", "error", "seconds", "parameters")
        rows = [{name: row[name] for name in first} | row["metrics"] for row in self.rows]
        return pd.DataFrame(rows).astype({"parameters": "Int64"})

    def curves(self, name: str):
        """Return one curve of all runs as a `pandas.DataFrame`.

        Columns `variant`, `seed`, `epoch` (from 1), `value`.

        Raises
        ------
        ValueError
            If no run has a curve of this name.
        """
        import pandas as pd

        _known(name, {curve for row in self.rows for curve in row["curves"]}, "curve")
        return pd.DataFrame(
            [
                {"variant": row["variant"], "seed": row["seed"], "epoch": epoch, "value": value}
                for row in self.rows
                for epoch, value in enumerate(row["curves"].get(name, ()), start=1)
            ]
        )

    def effect(
        self,
        variant: str,
        baseline: str,
        metric: str,
        *,
        level: float = 0.95,
        method: str = "auto",
    ) -> Interval:
        """Return the mean difference variant − baseline of a metric, paired over seeds.

        Only seeds count with which both runs are "ok"; the interval's `n` says how many. Where runs
        diverged, that is a result of its own, which the interval leaves out: look at `table`.

        Parameters
        ----------
        variant, baseline, metric : str
            What to compare, with what, by what.
        level, method
            As in `course_utils.intervals.paired`, which says how often each method is right: with
            fewer than 30 seeds `"auto"` is Student's t; `"bootstrap"` needs at least 5 seeds.

        Raises
        ------
        ValueError
            For an unknown name, or fewer than 2 pairs.
        """
        for name in (variant, baseline):
            _known(name, self.variants, "variant")
        _known(metric, {name for row in self.rows for name in row["metrics"]}, "metric")
        values = {
            name: {
                row["seed"]: row["metrics"][metric]
                for row in self.rows
                if row["variant"] == name and row["status"] == "ok" and metric in row["metrics"]
            }
            for name in (variant, baseline)
        }
        both = [seed for seed in values[variant] if seed in values[baseline]]
        if len(both) < 2:
            raise ValueError(
                f"an effect needs at least 2 seeds with which both {variant!r} and {baseline!r}"
                f" finished: got {len(both)}; the column error of the table says why"
            )
        a, b = ([values[name][seed] for seed in both] for name in (variant, baseline))
        return paired(a, b, level=level, method=method)

    def effects(self, baseline: str, metric: str, *, level: float = 0.95, method: str = "auto"):
        """Return the effect of every other variant as a `pandas.DataFrame`, for a forest plot.

        Columns `variant`, `estimate`, `low`, `high`, `n` (pairs) and `excludes_zero`. A variant
        with fewer than 2 pairs has NaN. Parameters are those of `effect`.
        """
        import pandas as pd

        _known(baseline, self.variants, "variant")
        _known(metric, {name for row in self.rows for name in row["metrics"]}, "metric")
        rows = []
        for name in self.variants:
            if name == baseline:
                continue
            ok = [
                {row["seed"] for row in self.rows if row["variant"] == v and row["status"] == "ok"}
                for v in (name, baseline)
            ]
            pairs = len(ok[0] & ok[1])
            found = Interval(math.nan, math.nan, math.nan, level, pairs)
            if pairs >= 2:
                found = self.effect(name, baseline, metric, level=level, method=method)
            row = {"variant": name, "estimate": found.estimate, "low": found.low}
            row |= {"high": found.high, "n": found.n, "excludes_zero": found.excludes_zero}
            rows.append(row)
        return pd.DataFrame(rows)

    def __repr__(self) -> str:
        """Return the table as text."""
        return self.table.to_string(index=False, na_rep="")

    def _repr_html_(self) -> str:
        return self.table.to_html(index=False, na_rep="")


def _known(name: str, names: Iterable[str], kind: str) -> None:
    names = sorted(names)
    if name in names:
        return
    hint = did_you_mean(name, names, f"there are: {', '.join(names) or 'none'}")
    raise ValueError(f"no run has a {kind} {name!r}: {hint}")
