"""A quiet import of TensorFlow, which talks while it loads."""

import gc
import os
import sys
import tempfile
from contextlib import contextmanager


@contextmanager
def quiet_import(*, freeze=False):
    """Silence what TensorFlow prints while it loads; replay it if the import fails.

    Its messages about oneDNN and missing GPU libraries come from C++ and go straight to file
    descriptor 2; ``TF_CPP_MIN_LOG_LEVEL`` alone does not stop them.

    The garbage collector rests meanwhile. It would look through a million new objects again and
    again, a fifth of the time that the import takes, and none of them ever goes.

    Parameters
    ----------
    freeze : bool
        Never look at them later either, nor at anything else that is there by now: for a process
        that begins with this import.
    """
    if "tensorflow" in sys.modules:
        yield
        return
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.stderr.flush()
    saved = os.dup(2)
    collects = gc.isenabled()
    gc.disable()
    with tempfile.TemporaryFile() as caught:
        os.dup2(caught.fileno(), 2)
        failed = True
        try:
            yield
            failed = False
        finally:
            sys.stderr.flush()
            os.dup2(saved, 2)
            os.close(saved)
            if collects:
                if freeze:
                    gc.freeze()
                gc.enable()
            if failed:
                caught.seek(0)
                sys.stderr.write(caught.read().decode(errors="replace"))
