"""The start of every notebook: profile, seed, plot style, and a TensorFlow that loads quietly."""

import os
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass

from threadpoolctl import threadpool_limits

from . import one_of

LARGEST_SEED = 2**32 - 1  # NumPy's global generator takes no larger one


@dataclass(frozen=True)
class Course:
    """What a notebook runs on."""

    profile: str  # "fast" or "full"
    seed: int

    def pick(self, *, fast, full):
        """Return `fast` or `full`, as the profile says: both sizes stand in the cell."""
        return fast if self.profile == "fast" else full

    def seeds(self, n):
        """Return `n` seeds that follow from the notebook's own: ``[seed, seed + 1, …]``."""
        return [(self.seed + k) % (LARGEST_SEED + 1) for k in range(n)]


def start(profile="fast", *, seed=42):
    """Prepare a notebook: seeds, figures, a quiet TensorFlow; print one line that says on what.

    Parameters
    ----------
    profile : {"fast", "full"}
        ``"fast"`` keeps a notebook within a minute on two cores, ``"full"`` has the sources' sizes.
    seed : int
        For Python's, NumPy's and Keras' generators: 0 to 2³² − 1.

    Returns
    -------
    Course

    Raises
    ------
    ValueError
        For another profile, or a seed that is no such number.
    """
    one_of("profile", profile, ("fast", "full"))
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed <= LARGEST_SEED:
        raise ValueError(f"seed must be a whole number from 0 to {LARGEST_SEED:,}: got {seed!r}")
    # Of small matrices: two threads mostly wait for each other, ten times as long beside others.
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # of what is loaded later
    threadpool_limits(1, "blas")
    if profile == "fast":  # the same within an operation of TensorFlow
        os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
    # Keras would otherwise take the backend of a user's own configuration.
    os.environ["KERAS_BACKEND"] = "tensorflow"
    with quiet_import():
        import keras
        import tensorflow as tf
    # A notebook builds many small networks: rewriting their graphs, and those of each epoch's data,
    # takes longer than it saves; and that each is traced is no fault that a reader could mend.
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
    tf.get_logger().addFilter(lambda record: "retracing" not in record.getMessage())
    if shell := "IPython" in sys.modules and sys.modules["IPython"].get_ipython():
        shell.events.register("post_run_cell", _what_to_run)
    from .plotting import use_style

    use_style()
    keras.utils.set_random_seed(seed)
    devices = len(tf.config.list_physical_devices("GPU"))
    device = f"{devices} GPU" if devices else f"{os.cpu_count()} CPU cores"
    print(f"{profile} profile, seed {seed}, Keras {keras.__version__} on {device}")
    return Course(profile, seed)


def _what_to_run(result):
    """Say what a missing name means in a kernel that was started in the middle of a notebook."""
    if isinstance(error := result.error_in_exec, NameError):
        print(f"If a cell above makes {error.name}: Run > Run All Above Selected Cell, then again.")


@contextmanager
def quiet_import():
    """Silence what TensorFlow prints while it loads; replay it if the import fails.

    Its messages about oneDNN and missing GPU libraries come from C++ straight to file descriptor 2:
    ``TF_CPP_MIN_LOG_LEVEL`` alone does not stop them.
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
            caught.seek(0)
            os.write(saved, caught.read())
            raise
        finally:
            sys.stderr.flush()
            os.dup2(saved, 2)
            os.close(saved)
