"""Exercises of notebook 05: predict the stop, the blog's cell, UP₃, patience under a budget."""

import inspect
from functools import cache

import numpy as np

from ..stopping import early_stopping
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


def _walked(curve, patience, *, late=0, resets=True, previous=False):
    """Replay with the mistakes that students make; without any of them it is right."""
    best, best_epoch, wait = float("inf"), 0, 0
    for epoch, value in enumerate(curve, start=1):
        if value < best:
            best, best_epoch = value, epoch
            wait = 0 if resets else wait
        else:
            wait += 1
            if wait >= patience + late:
                break
        best = value if previous else best
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
    yield from ((np.array(fixed), patience) for patience in range(6))
    yield np.array([0.5, 0.6, 0.4, 0.3]), 0
    yield from ((_falling(rng, int(rng.integers(6, 40))), k % 6) for k in range(12))


replay = Exercise(
    name="replay",
    reference=replay,
    hints=(
        "Keep three things while you walk along the curve: the best value, its epoch, and `wait`.",
        "A new best sets `wait` back to 0. Anything else adds 1; then `wait >= patience` stops.",
        "The order matters, first add 1 and then compare: so patience 0 stops at the first epoch "
        "without improvement, and patience 1 does the same.",
    ),
    insight="two numbers, and the second is where you want to be. Patience 0 and 1 are the same.",
    cases=_replay_cases,
    mistakes=(
        (
            "that trains one epoch too long: with patience 3, the third epoch in a row without "
            "improvement is the last one.",
            lambda c, p: _walked(c, p, late=1),
        ),
        ("you return the last epoch in place of the best.", lambda c, p: _walked(c, p)[:1] * 2),
        ("the direction is reversed: of a loss, less is better.", lambda c, p: _walked(-c, p)),
        ("a new best sets `wait` back to 0.", lambda c, p: _walked(c, p, resets=False)),
        ("count epochs from 1, as Keras does.", lambda c, p: np.subtract(_walked(c, p), 1)),
        (
            "you compare each epoch with the epoch before it; compare it with the best so far.",
            lambda c, p: _walked(c, p, previous=True),
        ),
        ("the number of epochs comes first, then the best.", lambda c, p: _walked(c, p)[::-1]),
        (
            "only what was trained counts: the lowest value of all may come after the stop.",
            lambda c, p: (_walked(c, p)[0], int(c.argmin()) + 1),
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
    """Return a Keras model whose `fit` trains nothing: its validation loss follows a curve.

    All else gets better all the time, and its one weight is the number of the epoch.
    """
    import keras

    class Pretender(keras.Sequential):
        calls, trained = (), 0

        def fit(self, *args, **options):
            given = inspect.signature(keras.Model.fit).bind(self, *args, **options)
            given.apply_defaults()
            self.calls = (*self.calls, given.arguments)
            callbacks = keras.callbacks.CallbackList(
                given.arguments["callbacks"], add_history=True, model=self
            )
            callbacks.on_train_begin()
            self.stop_training = False
            while self.trained < min(given.arguments["epochs"], len(losses)):
                self.set_weights([np.full((1, 1), self.trained + 1.0)])
                falls = 1 / (self.trained + 2)
                logs = {"loss": falls, "accuracy": 1 - falls, "val_accuracy": 1 - falls}
                callbacks.on_epoch_end(self.trained, logs | {"val_loss": losses[self.trained]})
                self.trained += 1
                if self.stop_training:
                    break
            callbacks.on_train_end()
            return self.history

    model = Pretender([keras.Input((1,)), keras.layers.Dense(1, use_bias=False)])
    model.compile("sgd", "binary_crossentropy", metrics=["accuracy"])
    return model


class _Mend(Exercise):
    def verify(self, answer):
        """Let it train models that only pretend to, along curves that fall, bump and rise."""
        rng = np.random.default_rng()
        # Steps that are far above the resolution of 32 bits, in which Keras compares.
        falling = np.linspace(0.9, 0.3, 30) - rng.uniform(0, 0.01, 30)
        rising = np.concatenate([falling, 1 + np.sort(rng.random(40))])
        bump = np.concatenate([falling[:10], [1, 1], falling[10:]])
        with time_limit(self.seconds):
            self._follow(answer, rng, falling)
            model, patience = self._follow(answer, rng, rising)
            if model.trained == len(rising):
                raise Wrong(
                    "it never stops although val_loss rises for 40 epochs: it watches something "
                    f"else, or is too patient{patience}."
                )
            kept = int(np.ravel(model.get_weights())[0])
            if kept != len(falling):
                raise Wrong(
                    f"it trained {model.trained} epochs, the lowest val_loss was at epoch "
                    f"{len(falling)}, and in the end the model has the weights of epoch {kept}: "
                    "the best ones should come back."
                )
            model, patience = self._follow(answer, rng, bump)
            if model.trained < len(bump):
                raise Wrong(f"two epochs without improvement stopped it{patience}: wait longer.")

    def _follow(self, answer, rng, losses):
        """Call it with new data and a model of these losses; return that, and the patience."""
        import keras

        model, epochs = _pretender(losses), len(losses)
        images, labels = rng.random((8, 1)), rng.integers(0, 2, 8)
        validation = rng.random((4, 1)), rng.integers(0, 2, 4)
        given = images, labels, validation, epochs
        returned = call(lambda *data: answer(model, *data), *given, name=self.answer)
        if len(model.calls) != 1:
            raise Wrong(f"call model.fit once: it was called {len(model.calls)} times.")
        (given,) = model.calls
        wanted = {"x": images, "y": labels}
        if not all(np.array_equal(given[name], wanted[name]) for name in wanted):
            raise Wrong("train on the images and labels that the function is given.")
        data = given["validation_data"]
        if data is None or not all(map(np.array_equal, data, validation)) or len(data) != 2:
            raise Wrong("hand validation_data on to fit, or there is no val_loss to watch.")
        if (
            set((given["class_weight"] or {0: 1}).values()) != {1}
            or given["sample_weight"] is not None
        ):
            raise Wrong("leave the class weights out: they scale the training loss alone.")
        if given["epochs"] != epochs:
            raise Wrong(
                f"the number of epochs should be the one that is given, {epochs}: got "
                f"{given['epochs']}. With early stopping it is only an upper limit."
            )
        if (np.diff(losses) < 0).all() and model.trained < epochs:
            raise Wrong(
                f"it stops after epoch {model.trained} although val_loss falls all the time: is "
                "the direction reversed?"
            )
        if not isinstance(returned, keras.callbacks.History):
            raise Wrong("return what fit returns.")
        stops = [c for c in np.ravel(given["callbacks"]) if hasattr(c, "patience")]
        return model, f" (patience {stops[0].patience})" if stops else ""


mend = _Mend(
    name="mend",
    reference=mended_fit,
    hints=(
        "Four things are to be mended: the number of epochs, the class weights, the patience, and "
        "which weights the model has in the end.",
        "A patience of p stops at the p-th epoch in a row without improvement.",
        "`restore_best_weights=True` brings back the best epoch's weights. A class weight of one "
        "half for both classes only halves the training loss: leave it out.",
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


def _up(validation, strip, *, successive=3, first=0, resets=True, lowest=False, ties=False):
    """Return where UP ends, with the mistakes of students; strips end at `first` + k · strip."""
    rises, ends = 0, range(first + strip, len(validation) + 1, strip)
    for before, end in zip(ends, list(ends)[1:], strict=False):
        other = min(validation[: end - 1]) if lowest else validation[before - 1]
        if validation[end - 1] > other or (ties and validation[end - 1] == other):
            rises += 1
        elif resets:
            rises = 0
        if rises >= successive:
            return end
    return len(validation)


def _up_cases(rng):
    # Ends of strips: two rises, a fall, a tie, three rises; and what lies between says nothing.
    ends = np.array([5, 6, 7, 4, 4, 5, 5, 6, 7, 8, 3, 4.0])
    for strip in (5, 3):
        curve = np.repeat(ends, strip)
        curve[np.arange(len(curve)) % strip != strip - 1] += rng.choice([-9, 9]) / 4
        yield np.append(curve, 1), strip
    yield np.arange(1.0, 15), 5
    yield np.arange(1.0, 4), 5
    for strip in (5, 4, 3, 2, 5, 3):
        steps = rng.normal(0.02, 0.1, int(rng.integers(30, 80)))
        yield np.round(5 + np.cumsum(steps), 4), strip


up3 = Exercise(
    name="up3",
    reference=up3,
    hints=(
        "Look only at the ends of strips. What lies between them does not count.",
        "With `ends = validation[strip - 1 :: strip]`, compare each end with the one before it.",
        "A rise adds 1 to a count, anything else sets it to 0. At 3, the epoch is the number of "
        "that strip times `strip`.",
    ),
    insight="UP₃ asks whether the error rises, and never by how much: no threshold to tune.",
    cases=_up_cases,
    mistakes=(
        ("you compare neighbouring epochs; compare the ends of strips.", lambda v, s: _up(v, 1)),
        ("the three rises must come in a row.", lambda v, s: _up(v, s, resets=False)),
        ("that is UP₂: wait for a third rise.", lambda v, s: _up(v, s, successive=2)),
        ("that waits for a fourth rise.", lambda v, s: _up(v, s, successive=4)),
        ("the first strip ends with epoch `strip`, not 1.", lambda v, s: _up(v, s, first=1 - s)),
        (
            "compare with the end of the strip before, not with the lowest value so far.",
            lambda v, s: _up(v, s, lowest=True),
        ),
        ("an equal end is no rise.", lambda v, s: _up(v, s, ties=True)),
        ("strips need not be 5 epochs long: use `strip`.", lambda v, s: _up(v, 5)),
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
        runs = [_walked(curve, patience) for curve in validation]
        each = zip(runs, validation, second, strict=True)
        rows.append([(end, t[best - 1], v[best - 1], t[end - 1]) for (end, best), v, t in each])
    return np.moveaxis(np.array(rows), 2, 0)


def _cheapest(validation, second, budget, *, by=1, spent=np.mean):
    table = _outcomes(validation, second)
    epochs = spent(table[0], axis=1)
    return int(np.where(epochs <= budget, table[by].mean(axis=1), 9).argmin()) + 1


def _budget_case(rng):
    while True:
        validation = np.stack([_falling(rng, 24) for _ in range(4)])
        second = np.round(validation + rng.normal(0, 0.06, validation.shape), 4)
        table = _outcomes(validation, second)
        means, losses = table[0].mean(axis=1), np.round(table[1].mean(axis=1), 9)
        budget = float(means[rng.integers(2, 9)])  # met exactly by one patience
        affordable = np.sort(losses[means <= budget])
        if table[0].max(axis=1).min() < budget and affordable[0] < affordable[1]:
            return validation, second, budget  # nobody is left without a choice, and one is best


@cache
def _fixed_budget_cases():
    """Return cases that tell all mistakes from what is right, in two of them, and apart."""
    return [_budget_case(np.random.default_rng(seed)) for seed in (0, 1, 2, 48)]


def _budget_cases(rng):
    for validation, second, budget in (*_fixed_budget_cases(), _budget_case(rng)):
        yield validation.copy(), second.copy(), budget


budget = Exercise(
    name="budget",
    reference=choose_patience,
    hints=(
        "For each patience from 1 to 10, call `early_stopping(row, patience=patience)` on every "
        "validation row; `len(run.states)` is what it costs, `run.best_epoch` what it keeps.",
        "What a patience buys is the mean over the rows of `second[row][best_epoch - 1]`.",
        "Leave out every patience whose mean cost is above the budget, then take the one with the "
        "lowest mean loss on the second set.",
    ),
    insight="the stop was chosen on one set of images and the patience on another; a third would "
    "have to say how good the winner is.",
    cases=_budget_cases,
    mistakes=(
        ("that costs more epochs than the budget.", lambda v, t, b: _cheapest(v, t, np.inf)),
        (
            "the validation loss has chosen the epochs already, so it flatters them: compare "
            "patiences by the loss on the second set.",
            lambda v, t, b: _cheapest(v, t, b, by=2),
        ),
        ("judge the best epoch, not the last one.", lambda v, t, b: _cheapest(v, t, b, by=3)),
        (
            "the budget is for the mean over the rows, not for the longest of them.",
            lambda v, t, b: _cheapest(v, t, b, spent=np.max),
        ),
        ("what costs exactly the budget is allowed.", lambda v, t, b: _cheapest(v, t, b - 1e-6)),
    ),
)
