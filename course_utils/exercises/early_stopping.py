"""Exercises of notebook 05: predict the stop, the blog's cell, UP₃, patience under a budget."""

import inspect

import numpy as np

from ..stopping import early_stopping, up
from .base import Exercise, Wrong, call, time_limit

NOTEBOOK = "05_early_stopping"


def replay(curve, patience):
    """Return how many epochs are trained, and which of them was best."""
    best, best_epoch, wait = float("inf"), 0, 0
    for epoch, value in enumerate(curve, start=1):
        if value < best:
            best, best_epoch, wait = value, epoch, 0
        else:
            wait += 1
            if wait >= patience:
                break
    return epoch, best_epoch


def _falling(rng, epochs):
    """Return a loss that falls, rises again and wobbles; no two epochs alike."""
    steps = np.arange(epochs)
    trend = np.exp(-steps / rng.uniform(2, 6)) + rng.uniform(0.005, 0.02) * steps + 0.5
    # The k-th number ends in the digits of k: no two can be equal.
    return np.round(trend + rng.normal(0, 0.04, epochs), 3) + rng.permutation(epochs) * 1e-5


def _replay_cases(rng):
    # Two rises in a row, a lower value after the stop, a curve that ends first.
    fixed = [0.9, 0.7, 0.75, 0.6, 0.65, 0.63, 0.68, 0.66, 0.5, 0.55]
    yield from ((np.array(fixed), patience) for patience in range(1, 6))
    yield np.array([0.5, 0.6, 0.4, 0.3]), 1
    yield np.array([0.5, 0.4999, 0.6, 0.7]), 2  # the least gain is one
    yield from ((_falling(rng, int(rng.integers(6, 40))), 1 + k % 5) for k in range(12))


replay = Exercise(
    name="replay",
    reference=replay,
    hints=(
        "Keep three things while you walk along the curve: the best value, its epoch, and `wait`.",
        "A new best sets `wait` back to 0. Anything else adds 1; then `wait >= patience` stops.",
        "First add 1, then compare: patience 1 stops at the first epoch without a best.",
    ),
    insight="two numbers, and the second is where you want to be.",
    cases=_replay_cases,
    mistakes=(
        (
            "one epoch too long: with patience 3, the third in a row without a best is the last.",
            lambda c, p: replay.reference(c, p + 1),
        ),
        ("you return the last epoch, not the best.", lambda c, p: replay.reference(c, p)[:1] * 2),
        (
            "only what was trained counts: the lowest value of all may come after the stop.",
            lambda c, p: (replay.reference(c, p)[0], c.argmin() + 1),
        ),
    ),
)


def mended_fit(model, images, labels, validation_data, epochs):
    """Train with patience, and go back to the best epoch."""
    import keras

    stop = keras.callbacks.EarlyStopping("val_loss", patience=5, restore_best_weights=True)
    return model.fit(
        images, labels, epochs=epochs, validation_data=validation_data, callbacks=[stop], verbose=0
    )


def _pretender(losses):
    """Return a Keras model whose `fit` trains nothing, and the list of its calls.

    Its validation loss follows a curve, all else gets better all the time, and its one weight is
    the number of the epoch.
    """
    import keras

    calls = []

    class Pretender(keras.Sequential):
        trained = 0

        def fit(self, *args, **options):
            given = inspect.signature(keras.Model.fit).bind(self, *args, **options)
            given.apply_defaults()
            calls.append(given.arguments)
            callbacks = keras.callbacks.CallbackList(
                given.arguments["callbacks"], add_history=True, model=self
            )
            callbacks.on_train_begin()
            self.stop_training = False
            for epoch, val_loss in enumerate(losses[: given.arguments["epochs"]]):
                self.trained = epoch + 1
                self.set_weights([np.full((1, 1), epoch + 1.0)])
                falls = 1 / (epoch + 2)
                logs = {"loss": falls, "accuracy": 1 - falls, "val_accuracy": 1 - falls}
                callbacks.on_epoch_end(epoch, logs | {"val_loss": val_loss})
                if self.stop_training:
                    break
            callbacks.on_train_end()
            return self.history

    model = Pretender([keras.Input((1,)), keras.layers.Dense(1, use_bias=False)])
    model.compile("sgd", "binary_crossentropy", metrics=["accuracy"], run_eagerly=True)
    model.train_on_batch(np.ones((1, 1)), np.ones(1))  # callbacks ask the model for its metrics
    return model, calls


class _Mend(Exercise):
    def verify(self, answer):
        """Let it train a model that only pretends to: its loss falls, bumps, falls and rises."""
        import keras

        rng = np.random.default_rng()
        # Steps of .024; 29 of them, a prime, so that no coarser `min_delta` finds the last.
        falling, bump, rising = 1 - 0.024 * np.arange(30), [2, 2], 3 + np.arange(40)
        model, calls = _pretender([*falling[:15], *bump, *falling[15:], *rising])
        images, labels = rng.random((8, 1)), rng.integers(0, 2, 8)
        validation = rng.random((4, 1)), rng.integers(0, 2, 4)
        epochs = int(rng.integers(73, 100))
        data = images, labels, validation, epochs
        with time_limit(self.seconds):
            returned = call(lambda *data: answer(model, *data), *data, name=self.answer)
        if len(calls) != 1:
            raise Wrong(f"call model.fit once: it was called {len(calls)} times.")
        (given,) = calls
        if not (np.array_equal(given["x"], images) and np.array_equal(given["y"], labels)):
            raise Wrong("train on the images and labels that the function is given.")
        held = given["validation_data"] or ()
        held_once = len(held) == 2 and given["validation_freq"] == 1
        if not held_once or not all(map(np.array_equal, held, validation)):
            raise Wrong("let fit validate on validation_data, after every epoch.")
        weights = set((given["class_weight"] or {0: 1}).values())
        if weights != {1} or given["sample_weight"] is not None:
            raise Wrong("leave the class weights out: they scale the training loss alone.")
        if given["epochs"] != epochs:
            raise Wrong(f"train for up to {epochs} epochs, as given: got {given['epochs']}.")
        stops = [c for c in np.ravel(given["callbacks"]) if hasattr(c, "patience")]
        patience = f" (patience {stops[0].patience})" if stops else ""
        if model.trained <= 15:
            raise Wrong(f"it stops after epoch {model.trained}, and val_loss has only fallen.")
        if model.trained < 32:
            raise Wrong(f"it does not survive two epochs without improvement{patience}.")
        if not model.stop_training:
            raise Wrong(f"val_loss rises for 40 epochs, and it never stops{patience}.")
        kept = int(model.get_weights()[0].item())
        if kept != 32:
            raise Wrong(f"the best epoch was 32, and the model keeps the weights of {kept}.")
        if not isinstance(returned, keras.callbacks.History):
            raise Wrong("return what fit returns.")


mend = _Mend(
    name="mend",
    reference=mended_fit,
    hints=(
        "Mend the number of epochs, the class weights, the patience, and which weights it keeps.",
        "A patience of p stops at the p-th epoch in a row without improvement.",
        "`restore_best_weights=True` brings the best back. Class weights only scale the loss.",
    ),
    insight="it survives a bump, stops when the loss keeps rising, and keeps the best weights.",
)


def up3(validation, strip=5):
    """Return after how many epochs Prechelt's UP₃ stops."""
    rises, ends = 0, validation[strip - 1 :: strip]
    for k in range(1, len(ends)):
        rises = rises + 1 if ends[k] > ends[k - 1] else 0
        if rises == 3:
            return (k + 1) * strip
    return len(validation)


def _not_in_a_row(validation, strip):
    rises = np.flatnonzero(np.diff(validation[strip - 1 :: strip]) > 0)
    return (rises[2] + 2) * strip if len(rises) > 2 else len(validation)


def _up_cases(rng):
    # Ends of strips: two rises, a fall, a tie, three rises; and what lies between says nothing.
    ends = np.array([3, 6, 7, 4, 4, 5, 5, 6, 7, 8, 3, 4.0])
    for strip in (5, 3):
        curve = np.repeat(ends, strip)
        curve[np.arange(len(curve)) % strip != strip - 1] += rng.choice([-9, 9]) / 4
        yield np.append(curve, 1), strip
    yield np.arange(1.0, 15), 5
    yield np.arange(1.0, 4), 5
    yield np.append(np.repeat([1.0, 2, 3], 5), 4), 5  # a strip that is not full has no end
    for strip in (5, 4, 3, 2, 5, 3):
        steps = rng.normal(0.02, 0.1, int(rng.integers(30, 80)))
        yield np.round(5 + np.cumsum(steps), 4), strip


up3 = Exercise(
    name="up3",
    reference=up3,
    hints=(
        "Look only at the ends of strips. What lies between them does not count.",
        "With `ends = validation[strip - 1 :: strip]`, compare each end with the one before it.",
        "A rise adds 1 to a count, anything else sets it to 0. At 3, return that strip's end.",
    ),
    insight="UP₃ asks whether the error rises, and never by how much: no threshold to tune.",
    cases=_up_cases,
    mistakes=(
        ("compare the ends of strips, not neighbours.", lambda v, s: up3.reference(v, 1)),
        ("the three rises must come in a row.", _not_in_a_row),
        ("that is UP₂: wait for a third rise.", lambda v, s: up(v, 2, s).stopped_epoch or len(v)),
    ),
)


def choose_patience(validation, second, budget):
    """Return the patience within the budget whose mean loss on the second set is lowest."""
    found = {}
    for patience in range(1, 11):
        runs = [early_stopping(curve, patience=patience) for curve in validation]
        if np.mean([len(run.states) for run in runs]) <= budget:
            kept = [losses[run.best_epoch - 1] for losses, run in zip(second, runs, strict=True)]
            found[patience] = np.mean(kept)
    return min(found, key=found.get)


def _outcomes(validation, second):
    """Return (epochs, second, validation and last second loss): patience from 1 by run."""
    rows = []
    for patience in range(1, 11):
        runs = [replay.reference(curve, patience) for curve in validation]
        each = zip(runs, validation, second, strict=True)
        rows.append([(end, t[best - 1], v[best - 1], t[end - 1]) for (end, best), v, t in each])
    return np.moveaxis(np.array(rows), 2, 0)


def _cheapest(validation, second, budget, *, by=1):
    table = _outcomes(validation, second).mean(axis=2)
    return int(np.where(table[0] <= budget, table[by], 9).argmin()) + 1


def _budget_cases(rng):
    # Seeds at which every mistake shows; the right patiences are 1, 10, 5, 2 and 3.
    for seed in (2508, 2519, 1480, 1074, 1136):
        drawn = np.random.default_rng(seed)
        validation = np.stack([_falling(drawn, 24) for _ in range(4)])
        second = np.round(validation + drawn.normal(0, 0.06, validation.shape), 4)
        means = _outcomes(validation, second)[0].mean(axis=1)
        order = rng.permutation(4)  # a budget is met exactly by one patience
        yield validation[order], second[order], float(means[drawn.integers(0, 10)])


budget = Exercise(
    name="budget",
    reference=choose_patience,
    hints=(
        "Call `run = early_stopping(row, patience=patience)` for each patience and validation row: "
        "`len(run.states)` is what it costs, `run.best_epoch` what it keeps.",
        "What a patience buys is the mean over the rows of `second[row][best_epoch - 1]`.",
        "Leave out what costs more than the budget in the mean; of the rest, take the lowest loss.",
    ),
    insight="the stop was chosen on one set of images and the patience on another; a third would "
    "have to say how good the winner is.",
    cases=_budget_cases,
    mistakes=(
        ("that costs more epochs than the budget.", lambda v, t, b: _cheapest(v, t, np.inf)),
        (
            "the validation loss has chosen the epochs, and flatters them: compare by the second.",
            lambda v, t, b: _cheapest(v, t, b, by=2),
        ),
        ("judge the best epoch, not the last one.", lambda v, t, b: _cheapest(v, t, b, by=3)),
        ("what costs exactly the budget is allowed.", lambda v, t, b: _cheapest(v, t, b - 1e-6)),
    ),
)
