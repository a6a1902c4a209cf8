"""JupyterLab, started as `make lab` starts it, and one notebook of the course open in it.

Nothing of the checkout is written to: the server works in a folder of its own, on copies of the
notebooks, and none of the machine's own settings of Jupyter play a part. JupyterLab keeps its own
default for cells that are off screen (they are in the page, and drawn when they are scrolled to),
so that the tests see what a student sees; each cell is scrolled to before it is looked at.
"""

import ast
import contextlib
import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import psutil

from course_utils.exercises import modules

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
WIDGET = "application/vnd.jupyter.widget-view+json"
SECOND = 1000  # playwright counts in milliseconds
START, RUN, ANSWER = 180, 900, 120  # seconds until a test gives up: a slow machine is no failure
LOOKS = SECOND / 20  # between two looks: at every frame, the default, takes time from the kernels

# What `make lab` would call to open a browser: it notes the address instead.
BROWSER = "import sys; open(sys.argv[1], 'w', encoding='utf-8').write(sys.argv[2])"

# What JupyterLab knows of a cell is read from its own objects. The mark on a cell's element is for
# finding it again from here.
MARK = """() => window.jupyterapp.shell.currentWidget.content.widgets
  .forEach(cell => { cell.node.dataset.courseCell = cell.model.id; })"""
CELLS = """() => window.jupyterapp.shell.currentWidget.content.widgets.map(cell => {
  const model = cell.model.toJSON();
  return {id: model.id, type: model.cell_type, source: [model.source].flat().join(""),
          count: model.execution_count ?? null, outputs: model.outputs || []};
})"""
RESTS = """async name => {
  const cell = document.querySelector(`[data-course-cell="${name}"]`);
  const frame = () => new Promise(requestAnimationFrame);
  cell.scrollIntoView({block: "start"});
  await frame(); await frame();
  const top = cell.getBoundingClientRect().top;
  cell.scrollIntoView({block: "start"});
  await frame(); await frame();
  return cell.getBoundingClientRect().top === top;
}"""
IDLE = "window.jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'"
RUN_ALL = """() => {
  window.courseRan = false;
  window.jupyterapp.commands.execute("notebook:run-all-cells")
    .finally(() => { window.courseRan = true; });
}"""
RUN_ONE = """async name => {
  const notebook = window.jupyterapp.shell.currentWidget.content;
  notebook.activeCellIndex = notebook.widgets.findIndex(cell => cell.model.id === name);
  await window.jupyterapp.commands.execute("notebook:run-cell");
}"""
TELL = """async code => {
  const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
  const {content} = await kernel.requestExecute({code, silent: true, store_history: false}).done;
  if (content.status !== "ok") throw new Error(`${content.ename}: ${content.evalue}`);
}"""
WRITE = """([name, source]) => window.jupyterapp.shell.currentWidget.content.widgets
  .find(cell => cell.model.id === name).model.sharedModel.setSource(source)"""


def make_lab():
    """Return the words of the command with which `make lab` starts JupyterLab."""
    words = ["make", "--no-print-directory", "-n", "-o", ".venv/installed", "lab"]
    said = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True)
    return shlex.split(said.stdout.replace("\\\n", " "))


# axe-core takes what is in JupyterLab's own frame for hidden (its body has no height), and so looks
# at nothing: copies of all outputs are put on a plain sheet, in the colours of the theme.
SHEET = """() => {
  const sheet = document.createElement("main");
  sheet.id = "course-outputs";
  sheet.className = "jp-Notebook jp-ThemedContainer";
  sheet.style.cssText = "position: static; contain: none; background: var(--jp-layout-color0)";
  for (const output of document.querySelectorAll(".jp-OutputArea-output"))
    sheet.append(output.cloneNode(true));
  for (const part of document.body.children) part.classList.add("course-away");
  const look = document.createElement("style");
  look.textContent = "body { height: auto !important; overflow: visible !important }"
    + " .course-away { display: none !important }";
  sheet.append(look);
  document.body.append(sheet);
}"""
PUT_BACK = """() => {
  document.getElementById("course-outputs").remove();
  for (const part of document.body.children) part.classList.remove("course-away");
}"""


class Lab:
    """A running JupyterLab.

    Attributes
    ----------
    opened : str
        The address that `make lab` opens in a browser.
    folder : Path
        What stands for the checkout: notebooks, stored results, JupyterLab's settings.
    """

    def __init__(self, folder):
        self.folder = folder
        shutil.copytree(ROOT / "notebooks", folder / "notebooks", ignore=_no_leftovers)
        # What make lab names, and the stored runs that notebooks read.
        for kept in ("course_utils/command/lab", "data/results"):
            shutil.copytree(ROOT / kept, folder / kept)
        self._runtime, noted = folder / "runtime", folder / "address.txt"
        script = folder / "browser.py"
        script.write_text(BROWSER, encoding="utf-8")
        words = make_lab()[1:] + [f"--ServerApp.port={_free_port()}"]
        # The tests ask JupyterLab itself when a kernel is idle.
        words.append("--LabApp.expose_app_in_browser=True")
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            words.append("--allow-root")
        own = {
            "JUPYTER_CONFIG_DIR": "config",
            "JUPYTER_DATA_DIR": "data",
            "JUPYTER_RUNTIME_DIR": "runtime",
            "JUPYTERLAB_SETTINGS_DIR": "settings",
            "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
            "IPYTHONDIR": "ipython",
        }
        own = {name: str(folder / inside) for name, inside in own.items()}
        own["BROWSER"] = shlex.join([sys.executable, str(script), str(noted)]) + " %s"
        own["COURSE_FIGURES"] = "strict"  # as make test has it
        own["JUPYTER_PREFER_ENV_PATH"] = "1"
        unset = {"COURSE_STRICT", "COURSE_PROFILE", "JUPYTER_TOKEN"}
        environment = {name: value for name, value in os.environ.items() if name not in unset}
        self._log = folder / "log.txt"
        with self._log.open("w", encoding="utf-8") as log:
            self._process = subprocess.Popen(
                [sys.executable, *words],
                cwd=folder,
                env=environment | own,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self._wait(noted.exists, "it opened no browser")
        # An empty file is one that is being written.
        self._wait(lambda: noted.read_text(encoding="utf-8"), "it opened no address")
        self.opened = noted.read_text(encoding="utf-8")

    def _wait(self, ready, complaint):
        end = time.monotonic() + START
        while not ready():
            if self._process.poll() is not None or time.monotonic() > end:
                said = self._log.read_text(encoding="utf-8")
                self.close()
                raise AssertionError(f"JupyterLab did not start: {complaint}\n{said}")
            time.sleep(0.1)

    def address(self, path):
        """Return where a file is, in a workspace of its own: no tab of another test comes back."""
        running = next(self._runtime.glob("jpserver-*.json"))
        server = json.loads(running.read_text(encoding="utf-8"))
        workspace = f"lab/workspaces/{Path(path).stem}"
        return f"{server['url']}{workspace}/tree/{path}?token={server['token']}"

    def close(self):
        """End the server, with every kernel that it still has."""
        if self._process.poll() is None:
            server = psutil.Process(self._process.pid)
            family = [*server.children(recursive=True), server]
            server.terminate()
            _, left = psutil.wait_procs(family, timeout=20)
            for process in left:
                process.kill()


class Notebook:
    """A notebook that is open in JupyterLab.

    Parameters
    ----------
    page : playwright's Page
    """

    def __init__(self, page):
        self.page = page
        page.wait_for_selector(".jp-NotebookPanel .jp-Cell", timeout=START * SECOND)
        page.wait_for_function(IDLE, polling=LOOKS, timeout=START * SECOND)

    def start(self):
        """Begin to run all cells."""
        self.page.evaluate(RUN_ALL)

    def finish(self):
        """Wait until all cells have been run, and the kernel has no more to do."""
        ended = f"window.courseRan && {IDLE}"
        self.page.wait_for_function(ended, polling=5 * LOOKS, timeout=RUN * SECOND)

    def cells(self):
        """Return what each cell is and shows: dicts of id, type, source, count, outputs."""
        return self.page.evaluate(CELLS)

    def cell(self, name):
        """Return the element of a cell, scrolled to the top (playwright's Locator)."""
        self.page.evaluate(MARK)
        # Cells above get their real heights as they come near, which moves this one.
        self.page.wait_for_function(RESTS, arg=name, timeout=ANSWER * SECOND)
        return self.page.locator(f'[data-course-cell="{name}"]')

    def rerun(self, *names):
        """Run cells again, one after the other, as Ctrl-Enter does."""
        for name in names:
            self.page.evaluate(RUN_ONE, name)
            self.page.wait_for_function(IDLE, polling=LOOKS, timeout=ANSWER * SECOND)

    def tell(self, code):
        """Have the kernel execute code that belongs to no cell."""
        self.page.evaluate(TELL, code)

    def write(self, name, source):
        """Replace the source of a cell."""
        self.page.evaluate(WRITE, [name, source])

    def dark(self, on):
        """Switch JupyterLab's theme to its dark one, or back."""
        theme = "JupyterLab Dark" if on else "JupyterLab Light"
        self.page.evaluate(
            "theme => window.jupyterapp.commands.execute('apputils:change-theme', {theme})", theme
        )
        light = "false" if on else "true"
        self.page.wait_for_selector(f'body[data-jp-theme-light="{light}"]', state="attached")

    @contextlib.contextmanager
    def outputs_alone(self):
        """Show nothing but the outputs while this is open; gives the sheet's CSS selector."""
        self.page.evaluate(SHEET)
        yield "#course-outputs"
        self.page.evaluate(PUT_BACK)

    def shut_down(self):
        """End the kernel."""
        self.page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.shutdown()")


def code(path):
    """Return a notebook's code cells as (id, source, syntax tree)."""
    cells = [cell for cell in nbformat.read(path, 4).cells if cell.cell_type == "code"]
    return [(cell.id, cell.source, ast.parse(cell.source)) for cell in cells]


def calls(path, *names):
    """Return the id of a notebook's cell for each call of one of `names` in it, in order."""
    return [
        name
        for name, _, tree in code(path)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) in names
    ]


def predictions(path):
    """Return (cell id, variable) for each ``variable = cu.predict(…)`` of a notebook."""
    return [
        (name, ast.unparse(node.targets[0]))
        for name, _, tree in code(path)
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.value).startswith("cu.predict(")
    ]


def exercises(path):
    """Return (stub's cell id, check's cell id, exercise) for each exercise of a notebook."""
    module = next(each for each in modules().values() if path.stem == each.NOTEBOOK)
    cells = code(path)
    found = []
    for (stub, _, _), (name, source, _) in zip(cells, cells[1:], strict=False):
        if check := re.search(r"\bexercises\.(\w+)\.check\(", source):
            found.append((stub, name, getattr(module, check[1])))
    return found


def becomes(page, script, *arguments):
    """Wait until a JavaScript function of a list of arguments is true; False if it never is."""
    from playwright.sync_api import TimeoutError as TooLate

    try:
        patience = ANSWER * SECOND
        page.wait_for_function(script, arg=list(arguments), polling=LOOKS, timeout=patience)
    except TooLate:
        return False
    return True


def _free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def _no_leftovers(_folder, names):
    return [name for name in names if not name.endswith(".ipynb")]
