"""What stored or live runs of recipes say: gains with their costs, tables, fronts.

Plain functions from `experiments.Results` to numbers; `improvement_plots` draws them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .improvements import BASELINE, CHANGES, RATES, change_of, setting_name, tuning_recipes
from .intervals import Interval


@dataclass(frozen=True)
class Effect:
    """What one change gained and cost against the slides' recipe.

    Attributes
    ----------
    variant, group, bullet : str
        See `improvements.Change`.
    gain : Interval
        Accuracy in points, paired over seeds.
    loss : Interval
        Pure cross-entropy on the held-out images (nats): less is better.
    gap : Interval
        Held-out minus training cross-entropy (nats).
    cpu : float
        CPU-seconds of training, as a multiple: the median of the paired ratios.
    cpu_range : (float, float)
        The smallest and the largest of these ratios.
    multiply_adds, parameters : float
        As multiples.
    """

    variant: str
    group: str
    bullet: str
    gain: Interval
    loss: Interval
    gap: Interval
    cpu: float
    cpu_range: tuple[float, float]
    multiply_adds: float
    parameters: float

    @property
    def verdict(self):
        """Return "better", "worse" or "not clear", by the interval of the gain."""
        if not self.gain.excludes_zero:
            return "not clear"
        return "better" if self.gain.low > 0 else "worse"


def effects(results, baseline=BASELINE):
    """Compare every change with the slides' recipe, over the seeds that both have.

    Parameters
    ----------
    results : experiments.Results
        Runs of `improvement_runs.Run`, named as in `improvements.recipes`.
    baseline : str

    Returns
    -------
    list of Effect
        In the order of `improvements.CHANGES`, whenever each was run; changes with fewer than 2
        finished pairs are left out.
    """
    table = results.table.query("status == 'ok'").set_index(["variant", "seed"])
    found, places, listed = [], [], list(CHANGES.values())
    for variant in results.variants:
        if variant == baseline or variant not in table.index:
            continue
        one, other = table.loc[variant], table.loc[baseline]
        both = one.index.intersection(other.index)
        if len(both) < 2:
            continue
        one, other = one.loc[both], other.loc[both]
        ratios = one.cpu_seconds / other.cpu_seconds
        points = results.effect(variant, baseline, "accuracy")
        change = change_of(variant)
        places.append(listed.index(change))
        found.append(
            Effect(
                variant,
                change.group,
                change.bullet,
                in_points(points),
                results.effect(variant, baseline, "validation"),
                results.effect(variant, baseline, "gap"),
                float(ratios.median()),
                (float(ratios.min()), float(ratios.max())),
                float((one.multiply_adds / other.multiply_adds).iloc[0]),
                float((one.parameters / other.parameters).iloc[0]),
            )
        )
    return [found[k] for k in np.argsort(places, kind="stable")]


def in_points(interval):
    """Return an interval of a difference of accuracies in points: 100 times as large."""
    ends = (100 * value for value in (interval.estimate, interval.low, interval.high))
    return Interval(*ends, interval.level, interval.n)


def best_settings(results):
    """Choose, for each optimizer and regularizer, the value with the highest mean accuracy.

    Parameters
    ----------
    results : experiments.Results
        Runs of `tuning_recipes`, named by `setting_name`. Ties go to the lower cross-entropy.

    Returns
    -------
    dict of str to float
        Optimizer → learning rate, regularizer → strength; those without any run are missing.
    """
    table = results.table.query("status == 'ok'").groupby("variant")[["accuracy", "validation"]]
    means = table.mean()
    best = {}
    for kind, value in tuning_recipes():
        name = setting_name(kind, value)
        if name in means.index:
            score = (means.accuracy[name], -means.validation[name])
            best[kind] = max(best.get(kind, (score, value)), (score, value))
    return {kind: value for kind, (_, value) in best.items()}


def rate_table(results, kinds=tuple(RATES)):
    """Arrange the mean accuracies of a tuning sweep by optimizer and multiple of the default rate.

    Returns
    -------
    ndarray, shape (optimizers, `FACTORS`)
        NaN where no run finished.
    """
    means = results.table.query("status == 'ok'").groupby("variant").accuracy.mean()
    rows = [[value for kind, value in tuning_recipes() if kind == name] for name in kinds]
    return np.array(
        [
            [means.get(setting_name(name, value), np.nan) for value in values]
            for name, values in zip(kinds, rows, strict=True)
        ]
    )


def nondominated(costs, gains):
    """Find what nothing else beats: no other costs at most as much and gains at least as much.

    Of two that are equal in both, both stay.

    Parameters
    ----------
    costs, gains : sequences of float, length n
        Lower costs and higher gains are better.

    Returns
    -------
    ndarray of bool, shape (n,)
    """
    costs, gains = np.asarray(costs, float), np.asarray(gains, float)
    if costs.shape != gains.shape or costs.ndim != 1:
        raise ValueError(
            f"costs and gains must be one number each: got shapes {costs.shape} and {gains.shape}"
        )
    no_worse = (costs[:, None] <= costs) & (gains[:, None] >= gains)
    better = (costs[:, None] < costs) | (gains[:, None] > gains)
    return ~(no_worse & better).any(axis=0)


def times_to_target(results):
    """Arrange runs of `improvement_runs.TimeToTarget` by scaling of the rate and batch size.

    Parameters
    ----------
    results : experiments.Results
        Variants named "scaling size", such as "square root 32".

    Returns
    -------
    dict of str to dict of int to list of (float, bool)
        scaling → batch size → (CPU-seconds, whether the target was reached), one a seed. A run that
        diverged has not reached it.
    """
    found = {}
    for row in results.rows:
        if row["status"] == "failed":
            continue
        scaling, _, size = row["variant"].rpartition(" ")
        run = row["metrics"]["cpu_seconds"], bool(row["metrics"]["reached"])
        found.setdefault(scaling, {}).setdefault(int(size), []).append(run)
    return {scaling: dict(sorted(sizes.items())) for scaling, sizes in found.items()}


def median_time(runs):
    """Return the median of some times to a target, infinite where half or more never reached it.

    Runs that were stopped before the target count as longer than all others, which is right for a
    median whatever they would have taken, and would not be for a mean.
    """
    return float(np.median([seconds if reached else np.inf for seconds, reached in runs]))


def seconds_an_epoch(results):
    """Return the CPU-seconds of one epoch by batch size: the median over runs to a target.

    Parameters
    ----------
    results : experiments.Results
        As for `times_to_target`.

    Returns
    -------
    dict of int to float
        Smallest batches first.
    """
    table = results.table.query("status != 'failed'")
    sizes = table.variant.str.rpartition(" ")[2].astype(int)
    return (table.cpu_seconds / table.epochs).groupby(sizes).median().to_dict()


def sizes_table(results):
    """Average a sweep over network sizes.

    Returns
    -------
    pandas.DataFrame
        One row a network: width, depth, multiply_adds, parameters, accuracy and its standard
        error `se` over seeds, cpu_seconds, front (whether nothing else beats it), and on_front: the
        share of 1,000 draws of seeds, with replacement and alike for all networks, in which nothing
        else beats it. Networks without all of the seeds are left out.
    """
    import pandas as pd

    finished = results.table.query("status == 'ok'")
    accuracies = finished.pivot(index="seed", columns="variant", values="accuracy").dropna(axis=1)
    rows = []
    for variant, runs in finished.groupby("variant", sort=False):
        if variant not in accuracies:
            continue
        width, depth = (float(part.split()[1]) for part in variant.split(", "))
        rows.append(
            {
                "variant": variant,
                "width": width,
                "depth": int(depth),
                "multiply_adds": int(runs.multiply_adds.iloc[0]),
                "parameters": int(runs.parameters.iloc[0]),
                "accuracy": runs.accuracy.mean(),
                "se": runs.accuracy.sem(),
                "cpu_seconds": runs.cpu_seconds.median(),
            }
        )
    table = pd.DataFrame(rows)
    values = accuracies[table.variant].to_numpy()
    drawn = np.random.default_rng(0).integers(len(values), size=(1_000, len(values)))
    fronts = [nondominated(table.multiply_adds, values[rows].mean(axis=0)) for rows in drawn]
    front = nondominated(table.multiply_adds, table.accuracy)
    return table.drop(columns="variant").assign(front=front, on_front=np.mean(fronts, axis=0))
