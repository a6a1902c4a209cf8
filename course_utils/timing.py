"""Wall-clock time: `tic` and `toc`, and the context manager `Timer`."""

from time import perf_counter

_running = []


def readable(seconds):
    """Return a duration as people say it: ``35 µs``, ``4.1 ms``, ``12.3 s``, ``2 min 05 s``."""
    for limit, unit, factor in ((1e-4, "µs", 1e6), (0.1, "ms", 1e3), (99.95, "s", 1)):
        if seconds < limit:
            return f"{factor * seconds:.{0 if unit == 'µs' else 1}f} {unit}"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s"


class Elapsed(float):
    """Seconds that `toc` has printed already: at the end of the same cell they show no second time.

    To everything else (arithmetic, formatting, printing) it is a float.
    """

    shown = False

    def _ipython_display_(self):
        if self.shown:
            print(readable(self))
        self.shown = True


def tic():
    """Start a clock. Calls nest: each `toc` ends the clock that was started last."""
    _running.append(perf_counter())


def toc():
    """End a clock, print ``elapsed: 12.3 s``, and return the seconds, a float.

    RuntimeError if no clock is running.
    """
    if not _running:
        raise RuntimeError("toc() has nothing to end: call tic() first, once for each toc()")
    elapsed = Elapsed(perf_counter() - _running.pop())
    print(f"elapsed: {readable(elapsed)}")
    return elapsed


class Timer:
    """Time a block, also one that raises.

    `seconds` is what the block took, and 0 before its end.

    Examples
    --------
    >>> with Timer() as timer:
    ...     train()
    >>> print(timer.seconds)
    """

    seconds = 0.0

    def __enter__(self):
        """Start the clock."""
        self._start = perf_counter()
        return self

    def __exit__(self, *_):
        """Stop the clock; an exception goes on its way."""
        self.seconds = perf_counter() - self._start
