"""The start of every notebook: profile, data source, seed, and a quiet import of TensorFlow."""

import difflib
import os
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, field

PROFILES = ("fast", "full")
HEADLINE = "application/vnd.cnn-course.headline+json"


@dataclass
class Course:
    """What a notebook runs on, and the choices that follow from it.

    Attributes
    ----------
    profile : str
        ``"fast"`` or ``"full"``.
    seed : int
    cores : int
        CPU cores that this process may use.
    device : str
        What TensorFlow computes on, in words.
    """

    profile: str
    seed: int
    cores: int
    device: str
    _loaded: dict = field(default_factory=dict, repr=False)

    def pick(self, *, fast, full):
        """Return `fast` or `full`, as the profile says: a cell names both sizes where it uses them."""
        return fast if self.profile == "fast" else full

    def seeds(self, n):
        """Return `n` seeds that follow from the notebook's own: ``[seed, seed + 1, …]``."""
        if n < 1:
            raise ValueError(f"n must be at least 1: got {n}")
        return [self.seed + k for k in range(n)]

    def load(self, name, **options):
        """Load a data set (see ``data.load``) and print which data it is."""
        from .data import load

        dataset = load(name, **options)
        print(dataset.describe())
        self._loaded[name] = dataset
        return dataset

    def headline(self, text):
        """Show the notebook's one result; ``course run`` prints it in its table.

        Parameters
        ----------
        text : str
            Short, made from the run's numbers: ``"slides' network: 98.9 % validation accuracy"``.
        """
        from IPython.display import display

        bundle = {
            "text/markdown": f"**This run's headline:** {text}",
            "text/plain": text,
            HEADLINE: {"text": text},
        }
        display(bundle, raw=True)


def start(profile="fast", *, seed=42):
    """Prepare a notebook, and say in one line what it runs on.

    Parameters
    ----------
    profile : str
        ``"fast"`` (each notebook within a minute on two cores) or ``"full"`` (the sources' sizes).
    seed : int
        For Python's, NumPy's and Keras' generators.

    Returns
    -------
    Course

    Raises
    ------
    ValueError
        If the profile is unknown, or the seed is not a whole number of at least 0.
    """
    if profile not in PROFILES:
        near = difflib.get_close_matches(str(profile), PROFILES, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise ValueError(f"profile must be one of {', '.join(PROFILES)}: got {profile!r}{hint}")
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise ValueError(f"seed must be a whole number of at least 0: got {seed!r}")

    with _quiet_import():
        import tensorflow as tf

        import keras
    keras.utils.set_random_seed(seed)

    gpus = tf.config.list_physical_devices("GPU")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    device = (
        f"{len(gpus)} GPU{'s' if len(gpus) > 1 else ''}" if gpus else f"{cores} CPU cores, no GPU"
    )
    print(
        f"{profile} profile · seed {seed} · TensorFlow {tf.__version__}, Keras {keras.__version__} "
        f"on {device}"
    )
    return Course(profile, seed, cores, device)


@contextmanager
def _quiet_import():
    """Silence what TensorFlow prints while it loads; replay it if the import fails.

    Its messages about oneDNN and missing GPU libraries come from C++ and go straight to file
    descriptor 2; ``TF_CPP_MIN_LOG_LEVEL`` alone does not stop them.
    """
    if "tensorflow" in sys.modules:
        yield
        return
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.stderr.flush()
    saved = os.dup(2)
    with tempfile.TemporaryFile() as caught:
        os.dup2(caught.fileno(), 2)
        try:
            yield
        except BaseException:
            os.dup2(saved, 2)
            caught.seek(0)
            sys.stderr.write(caught.read().decode(errors="replace"))
            raise
        finally:
            os.dup2(saved, 2)
            os.close(saved)
