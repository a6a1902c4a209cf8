"""Break the package in one place at a time, and count how often a test notices.

    python tests/mutate.py [MODULE …] [--all] [--jobs N] [--sample N]

Each mutant lives in the memory of a forked process that works in a copy of the checkout: no file of
yours is ever changed. The process that forks has imported NumPy, Keras and pytest but nothing of
the course, so that a mutant costs the tests that it meets, and no start. A first, unbroken run
notes which test runs which line; a mutant meets only the tests of its lines, the quickest first,
until one fails.

Own, and not a library: the usual ones start an interpreter for every mutant (with TensorFlow, some
seconds each) or fork from a process that has already computed with TensorFlow, which hangs.

A mutant is killed when a test fails, or cannot be imported: never by the clock. One that
is stopped by its limit of CPU time or memory is listed apart, and counts as not killed. The first
run imports its unbroken modules as mutants are imported; in the end, each test that has failed for
a mutant must pass on them once more.

Exits with 1 if fewer than 90 % of a module's mutants are killed (with those of the modules that
hold a part of it), or it is stopped. Those that change nothing that anybody could see are listed,
with the reason, in tests/equivalent_mutants.txt, and count as neither.
"""

import argparse
import ast
import contextlib
import gc
import importlib
import importlib.machinery
import io
import itertools
import json
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import NamedTuple

from mutants import Mutant, mutants

ROOT = Path(__file__).resolve().parents[1]
REASONS = ROOT / "tests" / "equivalent_mutants.txt"
REPORT = ROOT / "benchmarks" / "results" / "mutation.md"
GOAL = 0.9
SAMPLE = 30  # mutants of a module, unless --all; more where it has more functions
MEMORY = 6 << 30  # bytes of data that a mutant may take
WALL = 20  # times its limit of CPU seconds: then one is stopped that waits for something
FAILURES = "failed.txt"
PASSED, FAILED, TROUBLE = 0, 1, 70  # pytest's own, and a fork's that failed itself
TESTS = {
    "sliding": ("test_sliding", "test_numpy_ops"),
    "numpy_ops": ("test_numpy_ops",),
    "sizes": ("test_sizes", "test_arithmetic"),
    "layer_graph": ("test_arithmetic",),
    "arithmetic": ("test_arithmetic",),
    "prechelt": ("test_stopping",),
    "stopping": ("test_stopping",),
    "intervals": ("test_metrics",),
    "metrics": ("test_metrics",),
    "formats": ("test_formats", "test_downloads", "test_fetching"),
    "downloads": ("test_downloads", "test_data", "test_fetching", "test_pretrained"),
    "data": ("test_data", "test_downloads"),
}
PART_OF = {
    "sliding": "numpy_ops",
    **dict.fromkeys(("sizes", "layer_graph"), "arithmetic"),
    "prechelt": "stopping",
    "intervals": "metrics",
    **dict.fromkeys(("formats", "downloads"), "data"),
}


def tests_of(module):
    """Return the names of the test files of a module."""
    return TESTS.get(module, (f"test_{module}",))


def files_of(modules):
    """Return the test files of some modules that exist."""
    names = dict.fromkeys(name for module in modules for name in tests_of(module))
    return [f"tests/{name}.py" for name in names if (ROOT / f"tests/{name}.py").is_file()]


def copy_of_the_course(folder):
    """Copy what the tests read to a folder of its own."""
    ignore = shutil.ignore_patterns("__pycache__", "downloads", ".*")
    for name in ("course_utils", "tests", "data", "benchmarks", "notebooks"):
        shutil.copytree(ROOT / name, folder / name, ignore=ignore)
    for name in ("pyproject.toml", "README.md", "CONTRIBUTING.md"):
        shutil.copy(ROOT / name, folder)
    return folder


def warm_up():
    """Import what the tests use and no mutant can be in. Nothing is computed: forks stay sound."""
    import hypothesis
    import keras  # noqa: F401
    import pandas  # noqa: F401
    import pytest
    import scipy.ndimage  # noqa: F401
    import scipy.signal  # noqa: F401
    import sklearn.datasets  # noqa: F401
    import sklearn.metrics  # noqa: F401

    # The same examples at each run, or a mutant would be killed on one day and not on another.
    hypothesis.settings.register_profile("mutate", derandomize=True, deadline=None, database=None)
    hypothesis.settings.load_profile("mutate")
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    with tempfile.TemporaryDirectory() as empty, contextlib.redirect_stdout(io.StringIO()):
        pytest.main(["-p", "no:cacheprovider", "--rootdir", empty, empty])
    assert not [name for name in sys.modules if name.startswith("course_utils")]
    # Or every fork looks through all of TensorFlow's objects, and copies their memory.
    gc.collect()
    gc.freeze()


def run_pytest(folder, plugin, files):
    import pytest

    os.chdir(folder)
    sys.path[:0] = [str(folder), str(folder / "tests")]
    sys.dont_write_bytecode = False  # a copy may have its __pycache__, whatever the shell says
    # The last one collects garbage at each end, which costs more than most of the tests.
    quiet = ("no:cacheprovider", "no:unraisableexception")
    words = ["-x", "-q", "-W", "ignore", *(word for name in quiet for word in ("-p", name))]
    return pytest.main([*words, *files], plugins=[plugin])


class Job(NamedTuple):
    """A mutant to try, with the tests that it meets and the seconds of CPU that it may take."""

    module: str
    mutant: Mutant
    tests: list
    cpu: int

    @property
    def trees(self):
        return {self.module: self.mutant.tree}


class Control(NamedTuple):
    """In the place of a mutant's job: the modules as they are."""

    trees: dict
    tests: list
    cpu: int


@dataclass
class Result:
    """How the mutants of a module came out, by their names."""

    possible: int
    equivalent: list
    killed: list = field(default_factory=list)
    survivors: list = field(default_factory=list)
    stopped: list = field(default_factory=list)

    @property
    def tried(self):
        return len(self.killed) + len(self.survivors) + len(self.stopped)

    @property
    def share(self):
        return len(self.killed) / self.tried if self.tried else 1.0


class Watcher:
    """A pytest plugin that notes which test runs which line of the modules, and its seconds."""

    def __init__(self, folder, modules):
        self.files = {str(folder / f"course_utils/{name}.py"): name for name in modules}
        self.now = "import"
        self.lines = {"import": {}}
        self.seconds = {}

    def trace(self, frame, event, argument):
        module = self.files.get(frame.f_code.co_filename)
        if module is None:
            return None
        lines = self.lines[self.now].setdefault(module, set())
        lines.add(frame.f_lineno)

        def inner(frame, event, argument):
            lines.add(frame.f_lineno)
            return inner

        return inner

    def pytest_runtest_logstart(self, nodeid):
        self.now = nodeid
        self.lines[nodeid] = {}
        self.seconds[nodeid] = -sum(os.times()[:4])  # of CPU, with the processes it started

    def pytest_runtest_logfinish(self, nodeid):
        self.seconds[nodeid] += sum(os.times()[:4])


class Chooser:
    """A pytest plugin that keeps some of the tests, in the order given, and notes which failed."""

    def __init__(self, chosen, failed):
        self.rank = {nodeid: rank for rank, nodeid in enumerate(chosen)}
        self.failed = failed
        self.collected = True

    def pytest_collectreport(self, report):
        self.collected &= not report.failed

    def pytest_runtest_logreport(self, report):
        if report.failed:
            with self.failed.open("a") as file:
                print(report.nodeid, file=file)

    def pytest_collection_modifyitems(self, items):
        items[:] = sorted(
            (item for item in items if item.nodeid in self.rank),
            key=lambda item: self.rank[item.nodeid],
        )


def watch(folder, modules):
    """Run the tests unbroken, in a fork; return the lines and seconds of each."""
    notes = folder / "watched.json"

    def work():
        break_modules(folder, unbroken(folder, modules))
        watcher = Watcher(folder, modules)
        threading.settrace(watcher.trace)
        sys.settrace(watcher.trace)
        status = run_pytest(folder, watcher, files_of(modules))
        sys.settrace(None)
        lines = {
            test: {module: sorted(found) for module, found in by_module.items()}
            for test, by_module in watcher.lines.items()
        }
        notes.write_text(json.dumps({"lines": lines, "seconds": watcher.seconds}))
        return status

    pid = fork(work, cpu=3600, log=folder / "watched.log")
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if status:
        print((folder / "watched.log").read_text(errors="replace")[-3000:])
        raise SystemExit(f"the tests fail before anything is broken (exit status {status})")
    return json.loads(notes.read_text())


def fork(work, cpu, log=os.devnull):
    """Run `work` in a process of its own, in its own group; return its number."""
    pid = os.fork()
    if pid:
        return pid
    status = 70
    try:
        os.setsid()
        out = os.open(log, os.O_WRONLY | os.O_CREAT, 0o644)
        os.dup2(out, 1)
        os.dup2(out, 2)
        resource.setrlimit(resource.RLIMIT_CPU, (cpu, cpu + 5))
        resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        status = int(work())
    except BaseException:
        status = 70
    finally:
        os._exit(status)


def break_modules(folder, trees):
    """Make this process import syntax trees in place of the files of some modules."""
    paths = {module: str(folder / f"course_utils/{module}.py") for module in trees}
    codes = {paths[module]: compile(tree, paths[module], "exec") for module, tree in trees.items()}
    original = importlib.machinery.SourceFileLoader.get_code

    def get_code(self, fullname):
        return codes[self.path] if self.path in codes else original(self, fullname)

    importlib.machinery.SourceFileLoader.get_code = get_code


def unbroken(folder, modules):
    """Return the syntax trees of the modules as they are."""
    paths = {module: folder / f"course_utils/{module}.py" for module in modules}
    return {module: ast.parse(path.read_text(encoding="utf-8")) for module, path in paths.items()}


def chosen_tests(mutant, module, watched):
    """Return the tests that run a mutant's lines, the quickest first."""
    first, last = mutant.lines

    def meets(test):
        lines = watched["lines"][test].get(module, ())
        return any(first <= line <= last for line in lines)

    seconds = watched["seconds"]
    if meets("import"):  # a constant, a default: any test of the module may depend on it
        found = [test for test in seconds if module in watched["lines"][test]]
    else:
        found = [test for test in seconds if meets(test)]
    return sorted(found, key=seconds.get)


def try_all(jobs, work, workers):
    """Run each job in a fork, some at once; yield (job, exit status) as each one ends."""
    waiting, running = list(jobs), {}
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        while waiting or running:
            while waiting and len(running) < workers:
                job = waiting.pop(0)
                pid = fork(lambda job=job: work(job), cpu=job.cpu)
                running[pid] = (job, time.monotonic())
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid in running:
                job, _ = running.pop(pid)
                clean(pid)
                yield job, os.waitstatus_to_exitcode(status)
                continue
            for late, (job, began) in running.items():
                if time.monotonic() - began > WALL * job.cpu:
                    clean(late)
            time.sleep(0.02)
    finally:
        for pid in running:
            clean(pid)


def clean(pid):
    """End a mutant's group of processes: what it started goes with it."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


def sample(found, count, seed):
    """Return `count` of the mutants, one of each function at least; by a seed, always the same."""
    if count is None or len(found) <= count:
        return found
    order = random.Random(seed).sample(range(len(found)), len(found))
    firsts = {found[k].name.partition(":")[0]: k for k in reversed(order)}
    chosen = list(dict.fromkeys([*firsts.values(), *order]))[: max(count, len(firsts))]
    return [found[k] for k in sorted(chosen)]


def reasons():
    """Return the mutants that change nothing, each with the reason."""
    found = {}
    for line in REASONS.read_text(encoding="utf-8").splitlines() if REASONS.is_file() else ():
        if line and not line.startswith("#"):
            name, _, reason = line.partition(" | ")
            found[name] = reason
    return found


def plan(folder, modules, count, seed, watched):
    """Return what to try, one mutant of each module in turn, and the results so far.

    Those that no test runs have survived already.
    """
    known, queues = reasons(), []
    results = {}
    for module in modules:
        source = (folder / f"course_utils/{module}.py").read_text(encoding="utf-8")
        found = mutants(source, module)
        unused = [mutant.name for mutant in found if mutant.name in known]
        results[module] = Result(len(found), unused)
        queue = []
        for mutant in sample([m for m in found if m.name not in known], count, f"{module} {seed}"):
            tests = chosen_tests(mutant, module, watched)
            cpu = int(20 + 3 * sum(watched["seconds"][test] for test in tests))
            if tests:
                queue.append(Job(module, mutant, tests, cpu))
            else:
                results[module].survivors.append(f"{mutant.name} (no test runs it)")
        queues.append(queue)
    turns = itertools.zip_longest(*queues)
    return [job for turn in turns for job in turn if job], results


def try_one(folder, job):
    """Run a job's tests; return pytest's exit status. For a fork: it changes the process."""
    os.environ["HOME"] = str(folder)
    own = Path(tempfile.mkdtemp(dir=folder, prefix="tmp-"))
    os.environ["TMPDIR"] = tempfile.tempdir = str(own)
    break_modules(folder, job.trees)
    sys.path[:0] = [str(folder)]
    try:
        for module in job.trees:
            importlib.import_module(f"course_utils.{module}")
    except Exception:
        return FAILED  # and so would every test: pytest would only say that it is misused
    files = dict.fromkeys(test.partition("::")[0] for test in job.tests)
    chooser = Chooser(job.tests, folder / FAILURES)
    status = run_pytest(folder, chooser, files)
    shutil.rmtree(own, ignore_errors=True)
    return status if chooser.collected else FAILED


def mutate(modules, count, seed, workers):
    """Try mutants of each module; return a `Result` for each, and whether all were tried."""
    with tempfile.TemporaryDirectory(prefix="mutants-") as scratch:
        folder = copy_of_the_course(Path(scratch))
        warm_up()
        watched = watch(folder, modules)
        jobs, results = plan(folder, modules, count, seed, watched)
        print(f"{len(jobs)} mutants to try", flush=True)
        done = 0

        def work(job):
            return try_one(folder, job)

        try:
            for job, status in try_all(jobs, work, workers):
                note(results[job.module], job, status)
                done += 1
                if done % 50 == 0:
                    print(f"{done} of {len(jobs)}", flush=True)
            check_again(folder, unbroken(folder, modules))
        except KeyboardInterrupt:
            print(f"stopped after {done} of {len(jobs)}")
    return results, done == len(jobs)


def check_again(folder, trees):
    """Raise SystemExit if a test that failed for a mutant fails for the unbroken modules too."""
    noted = folder / FAILURES
    tests = list(dict.fromkeys(noted.read_text().splitlines())) if noted.exists() else []
    job = Control(trees, tests, 3600)
    for _, status in try_all([job] * bool(tests), lambda job: try_one(folder, job), 1):
        if status != PASSED:
            said = noted.read_text().splitlines()[-1]
            raise SystemExit(f"{said} fails without a mutant too (exit status {status})")


def note(result, job, status):
    """Put a mutant where its exit status belongs."""
    name, where = job.mutant.name, f"{job.module}.py:{job.mutant.lines[0]}"
    if status == TROUBLE:
        raise SystemExit(f"{name}: the tool itself failed")
    if status == FAILED:
        result.killed.append(name)
    elif status == PASSED:
        result.survivors.append(name)
        print(f"survived: {where}: {name}", flush=True)
    else:
        result.stopped.append(f"{name} (exit status {status})")
        print(f"stopped: {where}: {result.stopped[-1]}", flush=True)


def report(results, complete, command, minutes):
    """Return the results as Markdown, and the smallest share of a module's that were killed.

    A module counts here with those that hold a part of it: `numpy_ops` with `sliding`.
    """
    total, rows = together(results.values()), []
    for module, result in [*results.items(), ("all", total)]:
        counts = (result.possible, len(result.equivalent), result.tried, len(result.killed))
        rows.append(f"| {module} | {' | '.join(map(str, counts))} | {result.share:.1%} |")
    lines = [
        "# Mutation test",
        "",
        f"`{command}`, {date.today()}, {minutes:.0f} minutes"
        f"{'' if complete else ', stopped before the end of its sample'}. "
        "Each mutant is one broken place; killed means that a test failed. Equivalent ones, which "
        "change nothing that can be seen, stand with their reasons in "
        "tests/equivalent_mutants.txt and are not tried. Each test that failed for a mutant passed "
        "without one, before and after.",
        "",
        "| module | mutants | equivalent | tried | killed | share |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
        *rows,
        "",
        "## Survivors",
        "",
        *_listed(total.survivors),
        "",
        "## Stopped by a limit of CPU time or memory, and not counted as killed",
        "",
        *_listed(total.stopped),
    ]
    wholes = {}
    for module, result in results.items():
        wholes.setdefault(PART_OF.get(module, module), []).append(result)
    return "\n".join(lines) + "\n", min(together(parts).share for parts in wholes.values())


def together(results):
    """Return the results of some modules as one."""
    total = Result(sum(result.possible for result in results), [])
    for name in ("equivalent", "killed", "survivors", "stopped"):
        setattr(total, name, [n for result in results for n in getattr(result, name)])
    return total


def _listed(names):
    """Return names as Markdown's list of code; they may hold a backtick themselves."""
    return [f"- `` {name} ``" for name in names] or ["None."]


def main():
    """Run the mutation test; return its exit status."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("modules", nargs="*", help=f"default: {' '.join(TESTS)}")
    parser.add_argument("--all", action="store_true", help="every mutant, not a sample")
    parser.add_argument("--sample", type=int, default=SAMPLE, help="mutants of each module")
    parser.add_argument("--seed", type=int, default=0, help="of the sample")
    parser.add_argument("--jobs", type=int, default=2, help="processes at once")
    parser.add_argument("--write", action="store_true", help=f"keep the report in {REPORT.name}")
    options = parser.parse_args()
    for module in options.modules:
        if not ((ROOT / f"course_utils/{module}.py").is_file() and files_of([module])):
            parser.error(f"{module} is no module of course_utils with a test file of its name")
    begin = time.perf_counter()
    os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="")
    count = None if options.all else options.sample
    results, complete = mutate(options.modules or list(TESTS), count, options.seed, options.jobs)
    command = " ".join(["python tests/mutate.py", *sys.argv[1:]])
    text, share = report(results, complete, command, (time.perf_counter() - begin) / 60)
    print(text)
    if options.write and complete:
        REPORT.write_text(text, encoding="utf-8")
    return 0 if share >= GOAL and complete else 1


if __name__ == "__main__":
    sys.exit(main())
