"""The start of every notebook: profile, seed, plot style, and what it all runs on."""

import os
from dataclasses import dataclass

from .bundles import HEADLINE
from .choices import one_of
from .quiet import quiet_import

PROFILES = ("fast", "full")
LARGEST_SEED = 2**32 - 1  # NumPy's global generator takes no larger one


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

    def pick(self, *, fast, full):
        """Return `fast` or `full`, as the profile says; a cell names both sizes where it is."""
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
    """Prepare a notebook: backend, seeds, look of figures; say in one line what it runs on.

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
        If the profile is unknown, or the seed is not a whole number between 0 and 2³² − 1.
    RuntimeError
        If Keras has been told to use another backend than TensorFlow.
    """
    one_of("profile", profile, PROFILES)
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed <= LARGEST_SEED:
        raise ValueError(
            f"seed must be a whole number between 0 and {LARGEST_SEED:,}: got {seed!r}"
        )

    import matplotlib

    from .plotting import STYLE

    # Keras would otherwise take the backend of a user's own configuration.
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    with quiet_import(freeze=True):
        import keras
        import tensorflow as tf

        gpus = tf.config.list_physical_devices("GPU")
    if keras.backend.backend() != "tensorflow":
        raise RuntimeError(
            f"Keras runs on {keras.backend.backend()} here, the course on TensorFlow: unset "
            "KERAS_BACKEND and restart the kernel"
        )
    keras.utils.set_random_seed(seed)
    matplotlib.rcParams.update(STYLE)

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    device = _count(len(gpus), "GPU") if gpus else f"{_count(cores, 'CPU core')}, no GPU"
    print(
        f"{profile} profile · seed {seed} · TensorFlow {tf.__version__}, Keras {keras.__version__} "
        f"on {device}"
    )
    return Course(profile, seed, cores, device)


def _count(n, what):
    return f"{n} {what}{'' if n == 1 else 's'}"
