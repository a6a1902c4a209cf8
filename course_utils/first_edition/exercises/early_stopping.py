"""Exercises of notebook 05: replay the callback, the blog's cell, UP₃, patience under a budget."""

import numpy as np

from ..stopping import early_stopping, up
from .base import Exercise, Mistake, Wrong, as_number, call, changed

NOTEBOOK = "05_early_stopping"


def diagnosed(answers, right, wrong_models, otherwise):
    """Raise ``Wrong`` unless `answers` are `right`, with the message of the model that they follow.

    Parameters
    ----------
    answers, right : list
        One entry a case.
    wrong_models : sequence of (list, str)
        What a typical mistake answers in the same cases, and its message.
    otherwise : callable
        Takes the number of the first wrong case and returns a message.
    """
    if answers == right:
        return
    for expected, message in wrong_models:
        if answers == expected:
            raise Wrong(message)
    raise Wrong(otherwise(next(k for k, each in enumerate(answers) if each != right[k])))


def _curve(rng, epochs):
    """Return a loss that falls, rises again and wobbles; no two epochs alike."""
    steps = np.arange(epochs)
    trend = np.exp(-steps / rng.uniform(2, 6)) + rng.uniform(0.005, 0.02) * steps
    while True:
        curve = np.round(trend + rng.normal(0, 0.04, epochs) + 0.5, 4)
        if len(np.unique(curve)) == epochs:
            return curve


def _replay(curve, patience, *, late=False, higher=False, resets=True, previous=False):
    """Replay with the mistakes that students make; without any of them it is right."""
    best, best_epoch, wait = None, 0, 0
    for epoch, value in enumerate(curve, start=1):
        if best is None or (value > best if higher else value < best):
            best, best_epoch = value, epoch
            wait = 0 if resets or epoch == 1 else wait
        else:
            wait += 1
            if wait > patience if late else wait >= patience:
                break
        best = value if previous else best
    return epoch, best_epoch


class Replay(Exercise):
    """Write early stopping with a patience: how long it trains, and which epoch was best."""

    name = "replay"
    answer = "replay"
    hints = (
        "Keep three things while you walk along the curve: the best value, its epoch, and `wait`.",
        "A new best sets `wait` back to 0. Anything else adds 1; then `wait >= patience` stops.",
        "Patience 0 stops at the first epoch without improvement, and so does patience 1: the "
        "order of the two lines, first add 1 and then compare, sees to it.",
    )
    solution_code = """
def replay(curve, patience):
    best, best_epoch, wait = float("inf"), 0, 0
    for epoch, value in enumerate(curve, start=1):
        if value < best:
            best, best_epoch, wait = value, epoch, 0
        else:
            wait += 1
            if wait >= patience:
                break
    return epoch, best_epoch
"""
    typical_mistakes = (
        changed(
            solution_code,
            "one epoch too long",
            ("if wait >= patience:", "if wait > patience:"),
        ),
        changed(
            solution_code,
            "the last epoch where the best one was asked for",
            ('best, best_epoch, wait = float("inf"), 0, 0', 'best, wait = float("inf"), 0'),
            ("best, best_epoch, wait = value, epoch, 0", "best, wait = value, 0"),
            ("return epoch, best_epoch", "return epoch, epoch"),
        ),
        changed(
            solution_code,
            "the direction is reversed",
            (
                'best, best_epoch, wait = float("inf"), 0, 0',
                'best, best_epoch, wait = -float("inf"), 0, 0',
            ),
            ("if value < best:", "if value > best:"),
        ),
        changed(
            solution_code,
            "never goes back to 0",
            ("best, best_epoch, wait = value, epoch, 0", "best, best_epoch = value, epoch"),
        ),
        changed(
            solution_code,
            "count epochs from 1",
            (
                "for epoch, value in enumerate(curve, start=1):",
                "for epoch, value in enumerate(curve):",
            ),
        ),
        Mistake(
            """
def replay(curve, patience):
    before, best_epoch, wait = float("inf"), 0, 0
    for epoch, value in enumerate(curve, start=1):
        if value < before:
            best_epoch, wait = epoch, 0
        else:
            wait += 1
            if wait >= patience:
                break
        before = value
    return epoch, best_epoch
""",
            "with the epoch before",
        ),
    )

    def verify(self, answer):
        """Try random curves and patiences, some of which never stop."""
        rng = np.random.default_rng()
        cases = [(_curve(rng, int(rng.integers(6, 40))), k % 6) for k in range(60)]
        answers = [self._pair(call(answer, *case, name=self.answer)) for case in cases]
        right = [_replay(*case) for case in cases]
        last = [(epochs, epochs) for epochs, _ in right]
        zero = [(epochs - 1, best - 1) for epochs, best in right]
        models = [
            (
                [_replay(*case, late=True) for case in cases],
                "that trains one epoch too long: with patience 3, the third epoch in a row "
                "without improvement is the last one.",
            ),
            (last, "you return the last epoch where the best one was asked for."),
            (
                [_replay(*case, higher=True) for case in cases],
                "the direction is reversed: of a loss, less is better.",
            ),
            (
                [_replay(*case, resets=False) for case in cases],
                "your count of waiting never goes back to 0: every new best does that.",
            ),
            (zero, "count epochs from 1, as Keras prints them."),
            (
                [_replay(*case, previous=True) for case in cases],
                "you compare each epoch with the epoch before it; compare it with the best so far.",
            ),
        ]
        diagnosed(
            answers,
            right,
            models,
            lambda k: (
                f"on the curve {', '.join(f'{value:g}' for value in cases[k][0])} with patience "
                f"{cases[k][1]} you answer {answers[k]}; training lasts {right[k][0]} epochs, and "
                f"the best is {right[k][1]}."
            ),
        )
        return (
            "two numbers, and only one of them is the best epoch. Patience 0 and patience 1 gave "
            "the same on every curve."
        )

    @staticmethod
    def _pair(result):
        if not isinstance(result, tuple | list) or len(result) != 2:
            raise Wrong("return two numbers: how many epochs are trained, and the best epoch.")
        return tuple(as_number(value, name="each of the two") for value in result)


def _up(validation, strip, *, successive=3, first=0, resets=True, lowest=False):
    """Return where UP ends, with the mistakes of students; strips end at `first` + k · strip."""
    rises, ends = 0, range(first + strip, len(validation) + 1, strip)
    for before, end in zip(ends, list(ends)[1:], strict=False):
        reference = min(validation[: end - 1]) if lowest else validation[before - 1]
        if validation[end - 1] > reference:
            rises += 1
        elif resets:
            rises = 0
        if rises >= successive:
            return end
    return len(validation)


class Up3(Exercise):
    """Write Prechelt's UP₃: three strips in a row that end higher than the one before."""

    name = "up3"
    answer = "up3"
    hints = (
        "Look only at the ends of strips: epochs 5, 10, 15 … for strips of 5. What lies between "
        "them does not count.",
        "With `ends = validation[strip - 1 :: strip]`, compare each end with the one before it.",
        "A rise adds 1 to a count, anything else sets it to 0. At 3, the epoch is the number of "
        "that strip times `strip`.",
    )
    solution_code = """
def up3(validation, strip=5):
    rises, ends = 0, validation[strip - 1 :: strip]
    for k in range(1, len(ends)):
        rises = rises + 1 if ends[k] > ends[k - 1] else 0
        if rises == 3:
            return (k + 1) * strip
    return len(validation)
"""
    typical_mistakes = (
        Mistake(
            """
def up3(validation, strip=5):
    rises = 0
    for epoch in range(1, len(validation)):
        rises = rises + 1 if validation[epoch] > validation[epoch - 1] else 0
        if rises == 3:
            return epoch + 1
    return len(validation)
""",
            "ends of strips",
        ),
        changed(
            solution_code,
            "in a row",
            ("rises = rises + 1 if ends[k] > ends[k - 1] else 0", "rises += ends[k] > ends[k - 1]"),
        ),
        changed(
            solution_code,
            "that is UP₂",
            ("if rises == 3:", "if rises == 2:"),
        ),
        changed(
            solution_code,
            "the first strip ends with epoch",
            (
                "rises, ends = 0, validation[strip - 1 :: strip]",
                "rises, ends = 0, validation[::strip]",
            ),
            ("return (k + 1) * strip", "return k * strip + 1"),
        ),
        Mistake(
            """
def up3(validation, strip=5):
    rises = 0
    for end in range(2 * strip, len(validation) + 1, strip):
        rises = rises + 1 if validation[end - 1] > min(validation[: end - 1]) else 0
        if rises == 3:
            return end
    return len(validation)
""",
            "not with the lowest",
        ),
    )

    def verify(self, answer):
        """Try random walks; strips of several lengths."""
        rng = np.random.default_rng()
        cases = []
        for k in range(40):
            steps = rng.normal(0.02, 0.1, int(rng.integers(25, 80)))
            cases.append((np.round(5 + np.cumsum(steps), 4), (5, 4, 3)[k % 3]))
        answers = [
            as_number(call(answer, *case, name=self.answer), name="the epoch") for case in cases
        ]
        models = [
            (
                [_up(curve, 1) for curve, _ in cases],
                "you compare neighbouring epochs; compare the ends of strips.",
            ),
            (
                [_up(*case, resets=False) for case in cases],
                "the three rises must come in a row: a strip that ends lower starts anew.",
            ),
            ([_up(*case, successive=2) for case in cases], "that is UP₂: wait for a third rise."),
            (
                [_up(*case, first=1 - case[1]) for case in cases],
                "the first strip ends with epoch `strip`, not with epoch 1.",
            ),
            (
                [_up(*case, lowest=True) for case in cases],
                "compare with the end of the strip before, not with the lowest value so far.",
            ),
        ]
        right = [up(*case[:1], 3, case[1]).stopped_epoch or len(case[0]) for case in cases]
        diagnosed(
            answers,
            right,
            models,
            lambda k: (
                f"on a curve whose strips of {cases[k][1]} end with {self._ends(*cases[k])}, UP₃ "
                f"ends after epoch {right[k]}; you answer {answers[k]:g}."
            ),
        )
        return "UP₃ asks whether the error rises, and never by how much: no threshold to tune."

    @staticmethod
    def _ends(curve, strip):
        return ", ".join(f"{value:.3g}" for value in curve[strip - 1 :: strip])


PATIENCES = range(1, 11)


def _costs(validation, judge, *, last=False):
    """Return, for each patience, every run's epochs and its judged loss."""
    table = {}
    for patience in PATIENCES:
        runs = [early_stopping(run, patience=patience) for run in validation]
        kept = [run.epochs if last else run.best_epoch for run in runs]
        losses = [losses[epoch - 1] for losses, epoch in zip(judge, kept, strict=True)]
        table[patience] = [run.epochs for run in runs], losses
    return table


def _cheapest(table, budget, spent=np.mean):
    affordable = [patience for patience, (epochs, _) in table.items() if spent(epochs) <= budget]
    return min(affordable or PATIENCES, key=lambda patience: np.mean(table[patience][1]))


class Budget(Exercise):
    """Choose the patience that does best on images that stop nothing, within a budget."""

    name = "budget"
    answer = "choose_patience"
    setup = "import numpy as np\nfrom course_utils.first_edition.stopping import early_stopping"
    hints = (
        "For each patience from 1 to 10, call `early_stopping(run, patience=patience)` on every "
        "run's validation curve; `.epochs` is what it costs, `.best_epoch` the weights it keeps.",
        "What a patience buys is the mean over runs of `judge[run][best_epoch - 1]`.",
        "Leave out every patience whose mean of `.epochs` is above the budget, then take the one "
        "with the lowest mean judged loss.",
    )
    solution_code = """
def choose_patience(validation, judge, budget):
    found = {}
    for patience in range(1, 11):
        runs = [early_stopping(curve, patience=patience) for curve in validation]
        if np.mean([run.epochs for run in runs]) <= budget:
            losses = [row[run.best_epoch - 1] for row, run in zip(judge, runs)]
            found[patience] = np.mean(losses)
    return min(found, key=found.get)
"""
    typical_mistakes = (
        Mistake(
            """
def choose_patience(validation, judge, budget):
    found = {}
    for patience in range(1, 11):
        runs = [early_stopping(curve, patience=patience) for curve in validation]
        found[patience] = np.mean([row[run.best_epoch - 1] for row, run in zip(judge, runs)])
    return min(found, key=found.get)
""",
            "costs more epochs than the budget",
        ),
        changed(
            solution_code,
            "the validation loss has chosen the epochs already",
            (
                "[row[run.best_epoch - 1] for row, run in zip(judge, runs)]",
                "[run.best for run in runs]",
            ),
        ),
        changed(
            solution_code,
            "the last epoch is judged",
            ("row[run.best_epoch - 1]", "row[run.epochs - 1]"),
        ),
        changed(
            solution_code,
            "mean over the runs",
            ("np.mean([run.epochs for run in runs]) <=", "max(run.epochs for run in runs) <="),
            ("key=found.get)", "key=found.get, default=1)"),
        ),
    )

    def verify(self, answer):
        """Try random runs and budgets, so chosen that each mistake gives another answer."""
        rng = np.random.default_rng()
        cases, right, models = self._cases(rng)
        answers = [
            as_number(call(answer, *case, name=self.answer), name="the patience") for case in cases
        ]
        messages = (
            "that patience costs more epochs than the budget allows, in the mean over the runs.",
            "the validation loss has chosen the epochs already, so it flatters them: compare "
            "patiences by the judge.",
            "the last epoch is judged there; with restored weights it is the best epoch's.",
            "the budget is for the mean over the runs, not for the longest of them.",
        )
        diagnosed(
            answers,
            right,
            list(zip(models, messages, strict=True)),
            lambda k: (
                f"with {len(cases[k][0])} runs and a budget of {cases[k][2]:.1f} epochs the "
                f"patience is {right[k]}; you answer {answers[k]:g}."
            ),
        )
        return (
            "the stop was chosen on one set of images and the patience on another; a third would "
            "have to say how good the winner is."
        )

    @staticmethod
    def _cases(rng):
        while True:
            cases, answers = [], []
            while len(cases) < 8:
                validation = np.stack([_curve(rng, 30) for _ in range(5)])
                judge = np.round(validation + rng.normal(0, 0.06, validation.shape), 4)
                table = _costs(validation, judge)
                means = [np.mean(epochs) for epochs, _ in table.values()]
                budget = float(rng.uniform(means[2], means[-2] + 0.1))
                if min(max(epochs) for epochs, _ in table.values()) > budget:
                    continue  # whoever counts the longest run would have nothing to choose from
                own = {k: (epochs, [0]) for k, (epochs, _) in table.items()}
                for k in own:
                    runs = [early_stopping(curve, patience=k) for curve in validation]
                    own[k] = own[k][0], [run.best for run in runs]
                cases.append((validation, judge, budget))
                last = _costs(validation, judge, last=True)
                answers.append(
                    (
                        _cheapest(table, budget),
                        _cheapest(table, np.inf),
                        _cheapest(own, budget),
                        _cheapest(last, budget),
                        _cheapest(table, budget, max),
                    )
                )
            right, *models = (list(each) for each in zip(*answers, strict=True))
            if len({tuple(each) for each in (right, *models)}) == 5:
                return cases, right, models


class _Recorder:
    """What a student's `fit` gets in place of a model: it remembers how it was called."""

    stop_training = False

    def __init__(self):
        import keras

        self.metrics = [keras.metrics.SparseCategoricalAccuracy(name="accuracy")]
        self.calls, self.weights = [], 0

    def fit(self, x=None, y=None, **options):
        self.calls.append(options | {"x": x, "y": y})
        return "history"

    def get_weights(self):
        return self.weights

    def set_weights(self, weights):
        self.weights = weights

    def drive(self, callback, losses):
        """Lead a callback along a validation loss, while all else gets better.

        Returns
        -------
        (int, int)
            Epochs until it stops, and the epoch whose weights are there in the end.
        """
        self.stop_training, self.weights = False, 0
        callback.set_model(self)
        callback.on_train_begin()
        for epoch, loss in enumerate(losses):
            self.weights = epoch + 1
            better = 1 - 1 / (epoch + 2)
            logs = {"loss": 1 - better, "accuracy": better, "val_accuracy": better}
            callback.on_epoch_end(epoch, logs | {"val_loss": float(loss)})
            if self.stop_training:
                break
        callback.on_train_end()
        return epoch + 1, self.weights


def _mended(stop, message, fit="epochs=epochs"):
    """Return the mistake of a callback and options of `fit` like these."""
    code = f"""
def mended_fit(model, images, labels, validation_data, epochs):
    stop = keras.callbacks.EarlyStopping({stop})
    return model.fit(
        images, labels, {fit}, validation_data=validation_data, callbacks=[stop], verbose=0
    )
"""
    return Mistake(code, message)


class Mend(Exercise):
    """Mend the blog's cell, and have its behaviour checked."""

    name = "mend"
    answer = "mended_fit"
    setup = "import keras"
    hints = (
        "Four things are to be mended: the number of epochs, the class weights, the patience, and "
        "which weights the model has in the end.",
        "A patience of p stops at the p-th epoch in a row without improvement.",
        "`restore_best_weights=True` brings back the best epoch's weights. A class weight of one "
        "half for both classes only halves the training loss: leave it out.",
    )
    solution_code = """
def mended_fit(model, images, labels, validation_data, epochs):
    stop = keras.callbacks.EarlyStopping("val_loss", patience=5, restore_best_weights=True)
    return model.fit(
        images, labels, epochs=epochs, validation_data=validation_data, callbacks=[stop], verbose=0
    )
"""
    typical_mistakes = (
        _mended('"val_loss", patience=0, restore_best_weights=True', "patience 0"),
        _mended('"val_loss", patience=2, restore_best_weights=True', "patience 2"),
        _mended('"val_loss", patience=5', "the last epoch's weights"),
        _mended(
            '"val_loss", patience=5, mode="max", restore_best_weights=True',
            "the direction is reversed",
        ),
        _mended('"loss", patience=5, restore_best_weights=True', "watches `loss`"),
        _mended('"val_acc", patience=5, restore_best_weights=True', "Keras refuses"),
        _mended(
            '"val_loss", patience=5, restore_best_weights=True',
            "class weights",
            fit="epochs=epochs, class_weight={0: 0.5, 1: 0.5}",
        ),
        _mended(
            '"val_loss", patience=5, restore_best_weights=True',
            "the number of epochs",
            fit="epochs=10",
        ),
    )

    def verify(self, answer):
        """Call it with a recorder in place of a model, then drive the callback it was given."""
        rng = np.random.default_rng()
        model, epochs = _Recorder(), int(rng.integers(40, 90))
        images, labels = rng.random((8, 2)), rng.integers(0, 2, 8)
        validation = (rng.random((4, 2)), rng.integers(0, 2, 4))
        call(answer, model, images, labels, validation, epochs, name=self.answer)
        if len(model.calls) != 1:
            raise Wrong(f"call model.fit once: it was called {len(model.calls)} times.")
        (options,) = model.calls
        for name, value in (("x", images), ("y", labels)):
            if not np.array_equal(options[name], value):
                raise Wrong("train on the images and labels that the function is given.")
        if options.get("validation_data") is not validation:
            raise Wrong("hand validation_data on to fit, or there is no val_loss to watch.")
        if options.get("epochs") != epochs:
            raise Wrong(
                f"the number of epochs should be the one that is given, {epochs}: got "
                f"{options.get('epochs', 1)}. With early stopping it is only an upper limit."
            )
        if set((options.get("class_weight") or {0: 1}).values()) != {1}:
            raise Wrong("leave the class weights out: they scale the training loss alone.")
        self._drive(model, self._callback(options.get("callbacks")), rng)
        return "it survives a bump, stops when the loss keeps rising, and keeps the best weights."

    @staticmethod
    def _callback(callbacks):
        import keras

        callbacks = callbacks if isinstance(callbacks, list | tuple) else [callbacks]
        found = [each for each in callbacks if isinstance(each, keras.callbacks.EarlyStopping)]
        if len(found) != 1:
            raise Wrong(f"give fit one EarlyStopping in `callbacks`: got {len(found)}.")
        return found[0]

    @staticmethod
    def _drive(model, callback, rng):
        # Steps that are far above the resolution of 32 bits, in which Keras compares.
        falling = np.linspace(0.9, 0.3, 30) - rng.uniform(0, 0.01, 30)
        try:
            epochs, _ = model.drive(callback, falling)
        except ValueError as error:
            raise Wrong(f"Keras refuses monitor={callback.monitor!r}: {error}") from None
        if epochs < len(falling):
            raise Wrong("it stops although val_loss falls: the direction is reversed.")
        rising = np.concatenate([falling, 1 + np.sort(rng.random(40))])
        epochs, kept = model.drive(callback, rising)
        if epochs == len(rising):
            raise Wrong(
                "it never stops although val_loss rises for 40 epochs: it watches "
                f"`{callback.monitor}`, or has too much patience ({callback.patience})."
            )
        if kept != len(falling):
            raise Wrong(
                f"in the end the model has the last epoch's weights ({kept}), not those of the "
                f"best one ({len(falling)})."
            )
        bump = np.concatenate([falling[:10], [1, 1], falling[10:]])
        if model.drive(callback, bump)[0] < len(bump):
            raise Wrong(
                f"two epochs without improvement stopped it: patience {callback.patience} is too "
                "short for that."
            )


replay = Replay()
mend = Mend()
up3 = Up3()
budget = Budget()
