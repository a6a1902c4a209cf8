"""Execute one notebook in a process of its own: both ends of it.

`Execution` is the end that ``course run`` holds; ``python -m course_utils.command.execute`` is the
other. Between them run JSON lines: which cell begins, and at the end how it came out. A process for
each notebook keeps its memory, its kernel's death and Ctrl-C apart from every other's.
"""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

KERNEL = "python3"


@dataclass
class Result:
    """How the execution of a notebook came out.

    Attributes
    ----------
    status : str
        ``"ok"``, ``"failed"``, ``"kernel died"``, ``"timed out"`` or ``"not started"``.
    cell : str
        Id of the cell where it stopped; empty if it ran to the end.
    error : str
        What stopped it, in one line.
    headline : str
        The text of ``course.headline``.
    seconds : float
        From the start of the kernel to its end.
    megabytes : float
        Largest memory (resident set) of the kernel and the processes that it started.
    """

    status: str
    cell: str = ""
    error: str = ""
    headline: str = ""
    seconds: float = 0.0
    megabytes: float = 0.0

    @property
    def words(self):
        """The status with its place: ``kernel died in cell fit``."""
        return f"{self.status} in cell {self.cell}" if self.cell else self.status


class Execution:
    """A notebook that is being executed.

    Parameters
    ----------
    source : Path
        The notebook.
    folder : Path
        Where the executed copy and the page are written, as ``NAME.ipynb`` and ``NAME.html``.
    scratch : Path
        Folder for IPython's and Jupyter's own files, so that nothing of the user's plays a part.
    profile, data : str
        For the notebook's environment: ``COURSE_PROFILE`` and ``COURSE_DATA``.
    timeout : int or None
        Seconds for each cell.
    threads : int or None
        On how many TensorFlow and NumPy compute, where the environment does not say; None leaves it
        to them.
    """

    def __init__(self, source, folder, scratch, *, profile, data, timeout, threads=None):
        self.source = source
        self.cells_done = 0
        self.result = None
        self._megabytes = 0.0
        self._log = scratch / f"{source.stem}.log"
        runtime = scratch / "runtime"
        runtime.mkdir(exist_ok=True)
        environment = {
            **os.environ,
            "COURSE_PROFILE": profile,
            "COURSE_DATA": data,
            "IPYTHONDIR": str(scratch / "ipython"),
            "JUPYTER_RUNTIME_DIR": str(runtime),
            # The kernel of this environment, whatever kernels the user has registered.
            "JUPYTER_PREFER_ENV_PATH": "1",
            "PYTHONUTF8": "1",
        }
        environment.pop("JUPYTER_PATH", None)
        if threads:
            for name in ("TF_NUM_INTRAOP_THREADS", "OMP_NUM_THREADS"):
                environment.setdefault(name, str(threads))
        words = [sys.executable, "-m", __name__, str(source), str(folder), str(timeout or 0)]
        # A group of its own: Ctrl-C reaches course run alone, which then stops everything in order.
        group = (
            {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
            if os.name == "nt"
            else {"start_new_session": True}
        )
        with open(self._log, "wb") as log:
            self._process = subprocess.Popen(
                words,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                **group,
            )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self._process.stdout:
            message = json.loads(line)
            if "status" in message:
                self.result = Result(**message)
            else:
                self.cells_done = message["cell"]

    def poll(self):
        """Sample the memory in use; return whether the execution has ended."""
        with contextlib.suppress(psutil.Error):
            kernels = psutil.Process(self._process.pid).children(recursive=True)
            self._megabytes = max(self._megabytes, sum(map(_megabytes, kernels)))
        if self._process.poll() is None:
            return False
        self._reader.join()
        if self.result is None:
            lines = self._log.read_text(encoding="utf-8", errors="replace").split("\n")
            said = next((line.strip() for line in reversed(lines) if line.strip()), "no message")
            self.result = Result("failed", error=f"the process ended without a result: {said}")
        self.result.megabytes = self._megabytes
        return True

    def kill(self):
        """Stop the process, its kernel, and whatever the kernel started."""
        tree = []
        with contextlib.suppress(psutil.Error):
            process = psutil.Process(self._process.pid)
            tree = [process, *process.children(recursive=True)]
        for process in tree:
            with contextlib.suppress(psutil.Error):
                process.kill()
        psutil.wait_procs(tree, timeout=5)
        self._process.wait()


def _megabytes(process):
    with contextlib.suppress(psutil.Error):
        return process.memory_info().rss / 1e6
    return 0.0


def execute(source, folder, timeout, tell):
    """Execute a notebook, and write its executed copy and its page.

    Parameters
    ----------
    source, folder : Path
    timeout : int or None
        Seconds for each cell.
    tell : callable
        Called with ``{"cell": index}`` when a cell begins.

    Returns
    -------
    Result
    """
    import papermill
    from nbclient.exceptions import CellTimeoutError, DeadKernelError
    from papermill.engines import NBClientEngine, papermill_engines

    from .pages import headline, settled

    executed = {}

    class Engine(NBClientEngine):
        """papermill's engine; keeps hold of the notebook, to save it whatever stops the run."""

        @classmethod
        def execute_managed_notebook(cls, nb_man, kernel_name, **options):
            executed["notebook"] = nb_man.nb
            return super().execute_managed_notebook(nb_man, kernel_name, **options)

    def cell_begins(cell, cell_index):
        executed["cell"] = cell.id
        tell({"cell": cell_index})

    papermill_engines.register("course", Engine)
    begin = time.perf_counter()
    result = Result("ok")
    try:
        papermill.execute_notebook(
            str(source),
            None,
            engine_name="course",
            kernel_name=KERNEL,
            progress_bar=False,
            cwd=str(source.parent),
            execution_timeout=timeout,
            on_cell_start=cell_begins,
            store_widget_state=False,
            # It warns that it listens on TCP, which on this machine alone is what is wanted.
            extra_arguments=["--IPKernelApp.log_level=ERROR"],
        )
    except papermill.PapermillExecutionError as error:
        result = Result("failed", executed["cell"], f"{error.ename}: {error.evalue}")
    except DeadKernelError:
        why = "killed, or out of memory: see the peak memory"
        result = Result("kernel died", executed.get("cell", ""), why)
    except CellTimeoutError:
        result = Result("timed out", executed["cell"], f"a cell took more than {timeout} s")
    except Exception as error:
        why = str(error).strip().split("\n")[0]
        result = Result("not started", error=f"{type(error).__name__}: {why}")
    result.seconds = time.perf_counter() - begin
    result.error = " ".join(result.error.split())
    if "notebook" in executed:
        notebook = settled(executed["notebook"])
        result.headline = headline(notebook)
        keep(notebook, folder, source.stem)
    return result


def keep(notebook, folder, name):
    """Write the executed copy and the page of a notebook, or neither if the disk is full."""
    import nbformat

    from .pages import notebook_page

    copy, page = folder / f"{name}.ipynb", folder / f"{name}.html"
    try:
        nbformat.write(notebook, copy)
        page.write_text(notebook_page(notebook, name), encoding="utf-8")
    except OSError:
        copy.unlink(missing_ok=True)
        page.unlink(missing_ok=True)
        raise


def _end_with_parent():
    """Leave when ``course run`` is gone, however it went; the kernel follows by itself."""
    sys.stdin.buffer.read()
    os._exit(1)


def main():
    """Execute ``SOURCE FOLDER TIMEOUT`` and tell of it on the standard output."""
    # What else writes to the output (a kernel inherits it) must not come between the messages.
    messages = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    os.dup2(2, 1)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    # Where a kernel that is killed leaves its connection file.
    tempfile.tempdir = os.environ["JUPYTER_RUNTIME_DIR"]
    source, folder = Path(sys.argv[1]), Path(sys.argv[2])

    def tell(message):
        messages.write(json.dumps(message) + "\n")

    try:
        result = execute(source, folder, int(sys.argv[3]) or None, tell)
    except OSError as error:
        from . import explain

        result = Result("failed", error=explain(error, f"writing the copy of {source.name}"))
    tell(asdict(result))


if __name__ == "__main__":
    main()
