"""Wall-clock time: `tic` and `toc`, the context manager `Timer`, and `EpochTimer` for training."""

from __future__ import annotations

import math
import sys
from time import perf_counter

_started: list[tuple[float, str | None]] = []


def readable(seconds: float) -> str:
    """Return a duration as people say it: ``35 µs``, ``4.1 ms``, ``12.3 s``, ``2 min 05 s``.

    Parameters
    ----------
    seconds : float
        A duration in seconds, at least 0.
    """
    if seconds < 1e-4:
        return f"{1e6 * seconds:.0f} µs"
    if seconds < 0.1:
        return f"{1000 * seconds:.1f} ms"
    if seconds < 99.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def _cell() -> int | None:
    """Return the number of the running notebook cell, or None outside of IPython."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return shell.execution_count if shell else None


class Seconds(float):
    """Seconds that `toc` has already shown: a float that the same cell does not show again.

    A notebook shows the value of a cell's last expression. Where that is ``toc()`` itself, the line
    `elapsed: 12.3 s` would be followed by a bare 12.345678. IPython asks `_ipython_display_` first;
    everything else (printing, arithmetic, formatting, pickling) sees a plain float.
    """

    def __new__(cls, seconds: float, shown_in: int | None = None) -> Seconds:
        """Make the number; `shown_in` is the cell whose output already has it."""
        self = super().__new__(cls, seconds)
        self.shown_in = shown_in
        return self

    def _ipython_display_(self) -> None:
        if self.shown_in is None or self.shown_in != _cell():
            print(readable(self))


def tic(label: str | None = None) -> None:
    """Start a clock. Calls nest: each `toc` ends the clock that was started last.

    Parameters
    ----------
    label : str, optional
        What is being timed; `toc` shows it instead of `elapsed`.
    """
    _started.append((perf_counter(), label))


def toc(label: str | None = None) -> float:
    """End a clock, show `elapsed: 12.3 s`, and return the seconds.

    Parameters
    ----------
    label : str, optional
        End the last clock that was started with this label, and forget the ones that were started
        after it: an exception may have kept them from their own `toc`.

    Returns
    -------
    float
        Seconds since the matching `tic`.

    Raises
    ------
    RuntimeError
        If no clock is running, or none with this label.
    """
    now = perf_counter()
    if not _started:
        raise RuntimeError("toc() has nothing to end: call tic() first, once for each toc()")
    position = len(_started) - 1
    if label is not None:
        position = max((i for i, (_, name) in enumerate(_started) if name == label), default=-1)
        if position < 0:
            raise RuntimeError(f"toc({label!r}) has nothing to end: no tic({label!r}) is running")
    start, name = _started[position]
    del _started[position:]
    print(f"{name or 'elapsed'}: {readable(now - start)}")
    return Seconds(now - start, _cell())


class Timer:
    """Time a block and say how long it took, also when the block raises.

    Parameters
    ----------
    label : str, optional
        What is being timed.

    Examples
    --------
    >>> with Timer("training") as timer:
    ...     train()
    training: 12.3 s
    >>> timer.seconds
    12.345678
    """

    def __init__(self, label: str | None = None) -> None:
        self.label = label
        self._start = self._end = None

    @property
    def seconds(self) -> float:
        """Seconds that the block took; inside of the block, seconds so far; 0 before it."""
        if self._start is None:
            return 0.0
        return (perf_counter() if self._end is None else self._end) - self._start

    def __enter__(self) -> Timer:
        """Start the clock."""
        self._start, self._end = perf_counter(), None
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Stop the clock and print the line; an exception goes on its way."""
        self._end = perf_counter()
        ending = f" (ended by {kind.__name__})" if kind else ""
        print(f"{self.label or 'elapsed'}: {readable(self.seconds)}{ending}")


class Line:
    """One line of text: updated in place in a notebook, printed anew each time elsewhere."""

    def __init__(self) -> None:
        ipython = sys.modules.get("IPython")
        shell = ipython.get_ipython() if ipython else None
        # Only a front end with a kernel can update what it has shown; a terminal would repeat it.
        self.live = hasattr(shell, "kernel")
        self._handle = None

    def show(self, text: str) -> None:
        """Show the text in place of the one before."""
        if not self.live:
            print(text, flush=True)
            return
        data = {"text/plain": text}
        if self._handle is None:
            from IPython.display import display

            self._handle = display(data, raw=True, display_id=True)
        else:
            self._handle.update(data, raw=True)


class _EpochTimer:
    """Everything of `EpochTimer` but its base class, so that this module can do without Keras."""

    # Seconds between two updates within an epoch: quick enough to look alive, cheap to draw.
    interval = 0.5

    def __init__(self, show: tuple[str, ...] | None = None) -> None:
        super().__init__()
        self.show = show
        self.seconds: list[float] = []
        self._images: list[int | None] = []
        self._training: list[float] = []
        self._start = self._trained = None

    @property
    def images_per_second(self) -> float:
        """Images trained on per second of training, validation left out; NaN if unknown.

        The first epoch, in which TensorFlow builds its graph, counts only if there is no other.
        """
        first = 1 if len(self._images) > 1 else 0
        images, seconds = self._images[first:], self._training[first:]
        if not images or None in images:
            return math.nan
        return sum(images) / sum(seconds)

    def on_train_begin(self, logs=None):
        self.seconds, self._images, self._training = [], [], []
        self._line = Line()
        self._epoch = self._done = 0

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch = epoch
        self._trained = None
        self._start = self._drawn = perf_counter()

    def on_train_batch_begin(self, batch, logs=None):
        # The beginning of a batch, not its end: a callback that overrides `on_train_batch_end`
        # makes Keras wait for each batch's metrics.
        now = perf_counter()
        if not self._line.live or now - self._drawn < self.interval or not batch:
            return
        self._drawn = now
        steps = self.params.get("steps")
        spent, left = now - self._start, None
        if self.seconds or steps:
            epoch_seconds = self._usual() if self.seconds else spent * steps / batch
            left = epoch_seconds * (self._epochs() - self._epoch) - spent
        batches = f"batch {batch}/{steps}" if steps else f"batch {batch}"
        self._line.show(self._text(spent, self._count(), spent, left, {}, batches))

    def on_test_begin(self, logs=None):
        # Validation resets the counter of images, and is not training: read both before it.
        if self._trained is None and self._start is not None:
            self._trained = (perf_counter() - self._start, self._count())

    def on_epoch_end(self, epoch, logs=None):
        self.on_test_begin()
        training, images = self._trained
        self.seconds.append(perf_counter() - self._start)
        self._training.append(training)
        self._images.append(images)
        self._logs = logs or {}
        self._done = epoch + 1
        left = self._usual() * (self._epochs() - epoch - 1)
        self._line.show(self._text(self.seconds[-1], images, training, left, self._logs))

    def on_train_end(self, logs=None):
        early = self._done < self._epochs()
        if not self.seconds or not (early or self._line.live):
            return
        parts = [f"epoch {self._done}/{self._epochs()}", f"{readable(sum(self.seconds))} in all"]
        if early:
            parts[0] = f"stopped after epoch {self._done} of {self._epochs()}"
        if not math.isnan(self.images_per_second):
            parts.append(f"{self.images_per_second:,.0f} images/s")
        self._line.show(" · ".join(parts) + self._metrics(self._logs))

    def _epochs(self) -> int:
        return self.params.get("epochs") or self._epoch + 1

    def _usual(self) -> float:
        """Seconds of a typical epoch: the first is longer, since it builds the graph."""
        later = self.seconds[1:] or self.seconds
        return sum(later) / len(later)

    def _count(self) -> int | None:
        """Images seen in this epoch: the weight that Keras' own running mean of the loss has."""
        for metric in getattr(self.model, "metrics", ()):
            if metric.name == "loss" and hasattr(metric, "count"):
                return round(float(metric.count))
        return None

    def _text(self, spent, images, training, left, logs, note=""):
        parts = [f"epoch {self._epoch + 1}/{self._epochs()}", readable(spent)]
        if note:
            parts.insert(1, note)
        if images and training > 0:
            parts.append(f"{images / training:,.0f} images/s")
        if left is not None and left > 0:
            parts.append(f"{readable(left)} left")
        return " · ".join(parts) + self._metrics(logs)

    def _metrics(self, logs) -> str:
        """Return the loss and what says most about validation, or what `show` names."""
        names = self.show
        if names is None:
            losses = {"loss", "val_loss"}
            validation = [name for name in logs if name.startswith("val_") and name not in losses]
            training = [name for name in logs if name not in losses and name != "learning_rate"]
            names = ["loss", *(validation or ["val_loss"] * ("val_loss" in logs) or training)[:1]]
        return "".join(f" · {name} {logs[name]:.4g}" for name in names if name in logs)


_EPOCH_TIMER_DOC = """Show one line while a network trains, in place of Keras' progress bar.

    `epoch 3/10 · 4.1 s · 1,463 images/s · 29.0 s left · loss 0.2134 · val_accuracy 0.9712`.
    Use it with ``model.fit(..., verbose=0, callbacks=[EpochTimer()])``. In a notebook the line is
    updated in place; elsewhere one line is printed an epoch. Images per second leave validation
    out; the rest of an epoch's seconds is validation and other callbacks.

    Parameters
    ----------
    show : sequence of str, optional
        Names of the metrics to show. By default the loss, and the first metric on the validation
        data, or what there is.

    Attributes
    ----------
    seconds : list of float
        Seconds of each epoch of the last `fit`, validation included.
    images_per_second : float
        Images trained on per second, without the first epoch where there are others.
    """


def __getattr__(name: str) -> object:
    # `EpochTimer` must be a real Keras callback, and importing Keras takes seconds: make the class
    # when it is first asked for.
    if name != "EpochTimer":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import keras

    body = {"__doc__": _EPOCH_TIMER_DOC, "__module__": __name__}
    globals()[name] = type(name, (_EpochTimer, keras.callbacks.Callback), body)
    return globals()[name]
