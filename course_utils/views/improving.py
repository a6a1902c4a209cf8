"""Views of notebook 06: the map of optimizers and rates, and batch normalization's trap."""

from functools import cache

import numpy as np
from matplotlib.patches import Rectangle

from ..plotting import BLUE, GREY, ORANGE, headline, heatmap, styled, subplots
from ..widgets import explore


@styled
def draw_rate_map(shares, optimizers, rates, defaults, epoch):
    """Draw how many images each optimizer gets right at each rate, after an epoch.

    Parameters
    ----------
    shares : array of shape (epochs, optimizers, rates)
    optimizers : sequence of str
    rates : sequence of float
    defaults : sequence of float
        Keras' own rate of each optimizer; it is framed. A star marks the best one of a row.
    epoch : int
    """
    shown = np.asarray(shares)[epoch - 1]
    names = [f"{rate:g}" for rate in rates]
    figure = heatmap(shown, rows=optimizers, columns=names, xlabel="learning rate", ylabel="")
    axis, said = figure.axes[0], []
    for text, share in zip(axis.texts, shown.flat, strict=True):
        text.set_text(f"{share:.0%}")
    for row, (name, default) in enumerate(zip(optimizers, defaults, strict=True)):
        best = int(shown[row].argmax())
        star = axis.texts[row * len(rates) + best]
        star.set_text(f"★{star.get_text()}")
        star.set_weight("bold")
        for column in np.flatnonzero(np.isclose(rates, default)):
            edge = {"fill": False, "edgecolor": ORANGE, "linewidth": 2.5, "linestyle": "--"}
            axis.add_patch(Rectangle((column - 0.46, row - 0.44), 0.92, 0.88, **edge))
        said.append(f"{name} {shown[row, best]:.0%} at {rates[best]:g}")
    headline(figure, f"Right answers after epoch {epoch}: ★ best of a row, framed: Keras' default")
    alt = f"A map of the share of right answers after epoch {epoch}; best: {', '.join(said)}."
    return figure, alt


def rate_map(shares, optimizers, rates, defaults):
    """Step through the epochs of the map of optimizers and rates; see `draw_rate_map`."""
    epochs = len(shares)
    return explore(
        lambda epoch: draw_rate_map(shares, optimizers, rates, defaults, epoch),
        stills=[{"epoch": epoch} for epoch in range(epochs, 0, -1)],
        label="Optimizers and learning rates",
        epoch=(1, epochs),
    )


class Trap:
    """A training with batch normalization, of which any momentum's averages can be had afterwards.

    The averages take no part in training: the weights are the same for all momenta. With momentum
    0 they *are* the last batch's statistics, which are noted after each step.

    Parameters
    ----------
    model : keras.Model
        Compiled; all of its batch normalizations have momentum 0. It is trained.
    train, validation : pairs of images and labels
    epochs, batch_size, seed : int
    every : int
        Answers are counted after every so many steps.
    """

    def __init__(self, model, train, validation, *, epochs, batch_size=32, seed=0, every=8):
        from keras.layers import BatchNormalization

        from .. import training  # here, so that this module loads without TensorFlow

        self.model, self.train, self.validation = model, train, validation
        self.norms = [each for each in model.layers if isinstance(each, BatchNormalization)]
        if not self.norms or any(norm.momentum for norm in self.norms):
            raise ValueError("the model must have batch normalizations, all of momentum 0")
        rng, x, y = np.random.default_rng(seed), *train
        self.batches, self.steps, self._weights = [self._statistics()], [], []
        for _ in range(epochs):
            order = rng.permutation(len(x))
            for start in range(0, len(x), batch_size):
                rows = order[start : start + batch_size]
                training.fit(model, x[rows], y[rows], epochs=1, batch_size=len(rows))
                self.batches.append(self._statistics())
                if (len(self.batches) - 1) % every == 0:
                    self.steps.append(len(self.batches) - 1)
                    self._weights.append(model.get_weights())
        self.validated = cache(self._validated)  # by momentum
        self.trained = [self._right(weights, None) for weights in self._weights]

    def _statistics(self):
        return [np.array([norm.moving_mean, norm.moving_variance]) for norm in self.norms]

    def averages(self, momentum):
        """Return each normalization's (mean, variance) after every step, beginning with step 0."""
        found = [[np.array([0 * mean, 0 * mean + 1]) for mean, _ in self.batches[0]]]
        for batch in self.batches[1:]:
            pairs = zip(found[-1], batch, strict=True)
            found.append([momentum * old + (1 - momentum) * new for old, new in pairs])
        return found

    def _validated(self, momentum):
        found = self.averages(momentum)
        kept = zip(self.steps, self._weights, strict=True)
        return [self._right(weights, found[step]) for step, weights in kept]

    def _right(self, weights, averages):
        """Share of right answers: of validation images by averages, else of a batch by its own."""
        self.model.set_weights(weights)
        for norm, (mean, variance) in zip(self.norms, averages or (), strict=bool(averages)):
            norm.moving_mean.assign(mean)
            norm.moving_variance.assign(variance)
        images, labels = self.validation if averages else self.train
        said = self.model(images[:500], training=not averages).numpy().argmax(axis=1)
        return float((said == labels[:500]).mean())

    @styled
    def draw(self, momentum):
        """Draw one channel's moving variance beside its batches', and what becomes of it."""
        figure, (left, right) = subplots(1, 2, size=(8.8, 3))
        channel = int(np.abs(self.batches[-1][-1][1] - 1).argmax())  # the farthest from the start
        both = self.batches[1:], self.averages(momentum)[1:]
        rows = [[pair[-1][1, channel] for pair in each] for each in both]
        steps = np.arange(1, len(self.batches))
        left.plot(steps, rows[0], ".", color=GREY, label="of the batch")
        left.plot(steps, rows[1], "-", marker="", color=BLUE, label="moving average")
        left.set(xlabel="step", title="variance of one channel")
        right.plot(self.steps, self.trained, "--s", color=ORANGE, label="training, batch's own")
        right.plot(self.steps, self.validated(momentum), "-o", color=BLUE, label="validation")
        right.set(xlabel="step", ylim=(0, 1.03), title="share of right answers")
        for axis in (left, right):
            axis.legend(loc="lower right" if axis is right else "best")
        trained, seen = self.trained[-1], self.validated(momentum)[-1]
        said = f"at the end {trained:.0%} right in training mode, {seen:.0%} in validation"
        headline(figure, f"Momentum {momentum:g}: {said}")
        alt = (
            f"With momentum {momentum:g} the moving variance goes from 1 to {rows[1][-1]:.2f} in "
            f"{len(steps)} steps, where the last batch has {rows[0][-1]:.2f}; {said}."
        )
        return figure, alt

    def explore(self, momenta=(0.99, 0.9, 0.5)):
        """Choose a momentum: the weights stay, the averages and the answers change."""
        stills = [{"momentum": momentum} for momentum in momenta]
        return explore(self.draw, stills=stills, label="The momentum trap", momentum=[*momenta])
