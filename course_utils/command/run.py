"""``course run``: execute notebooks, each in its own process, and say how they came out."""

import argparse
import contextlib
import os
import shutil
import signal
import textwrap
import time
from pathlib import Path

from ..choices import did_you_mean, one_of
from . import ROOT, Problem, explain

PROFILES = ("fast", "full")
SOURCES = ("auto", "bundled", "real")
TIMEOUT = {"fast": 600, "full": 0}
EVERY = 0.2  # seconds between two looks at what runs


def add_arguments(parser):
    """Declare the options of ``course run``."""
    parser.add_argument(
        "notebooks", nargs="*", help="numbers (03), names or paths (default: the whole course)"
    )
    parser.add_argument("--profile", default="fast", help="fast (default) or full: how much work")
    parser.add_argument("--data", default=None, help="auto, bundled or real: which images")
    parser.add_argument(
        "--resume", action="store_true", help="skip what has succeeded and is unchanged"
    )
    parser.add_argument(
        "-j",
        "--jobs",
        type=_count,
        default=None,
        metavar="N",
        help="notebooks at once (default: 2 in the fast profile, whose networks are too small to "
        "keep two cores busy; 1 in full, and on one core)",
    )
    parser.add_argument(
        "--out", type=Path, default=None, metavar="FOLDER", help="default: the course's build/"
    )
    parser.add_argument(
        "--timeout",
        type=_count,
        default=None,
        metavar="SECONDS",
        help=f"for each cell (default: {TIMEOUT['fast']} in the fast profile, none in full)",
    )


def run(options):
    """Execute the notebooks; return 0 if each one ran, 1 if one did not, 130 after Ctrl-C."""
    from . import store

    profile = one_of("--profile", options.profile, PROFILES, error=Problem)
    data = options.data or os.environ.get("COURSE_DATA") or "auto"
    one_of("--data", data, SOURCES, error=Problem)
    notebooks = select(options.notebooks)
    timeout = TIMEOUT[profile] if options.timeout is None else options.timeout
    out = options.out or ROOT / "build"
    cells = {path: _cells(path) for path in notebooks}
    begin = time.perf_counter()
    rows, stopped = {}, False
    try:
        with store.Store(out) as folder:
            keys = {path.stem: store.key(path, profile, data) for path in notebooks}
            to_do = []
            for path in notebooks:
                done = options.resume and folder.finished(path.stem, keys[path.stem])
                if done:
                    rows[path.stem] = done
                else:
                    to_do.append(path)
            skipped = tuple(rows)
            for name in skipped:
                print(f"{name}: done before and unchanged, skipped")
            try:
                settings = {"profile": profile, "data": data, "timeout": timeout}
                cores = os.cpu_count() or 1
                jobs = options.jobs or (min(2, cores) if profile == "fast" else 1)
                if jobs > 1:  # more threads than cores would wait for each other
                    settings["threads"] = max(1, cores // jobs)
                execution = _executed(to_do, cells, folder, jobs, settings)
                with contextlib.closing(execution) as results:
                    for path, result in results:
                        folder.add(path.stem, keys[path.stem], result)
                        rows[path.stem] = result
            except KeyboardInterrupt:
                stopped = True
            from .pages import index_page

            facts = f"{time.strftime('%Y-%m-%d %H:%M')} · {profile} profile · data: {data}"
            folder.write("index.html", index_page(folder.results(), facts))
            for target, spare in folder.kept:
                print(f"{_short(target)} had been changed by somebody: kept as {spare.name}")
    except OSError as error:
        raise Problem(explain(error, f"writing to {_short(out)}")) from error
    names = [path.stem for path in notebooks]
    if rows:
        print(table([(name, rows[name]) for name in names if name in rows], skipped))
    good = sum(result.status == "ok" for result in rows.values())
    took = _duration(time.perf_counter() - begin)
    print(f"{good} of {len(names)} notebooks ran · {took} · {_short(out / 'index.html')}")
    if stopped:
        left = [name for name in names if name not in rows]
        print(f"stopped; not run: {', '.join(left) or 'none'}. To go on: course run --resume")
        return 130
    return 0 if good == len(names) else 1


def select(words):
    """Return the notebooks that `words` name: numbers, names or paths; all of them for none.

    Raises
    ------
    Problem
        If a word names no notebook (it says which is nearest), or two have the same file name.
    """
    course = sorted((ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb"))
    if not words and not course:
        raise Problem(f"there are no notebooks in {_short(ROOT / 'notebooks')}")
    chosen = [_one(word, course) for word in words] if words else course
    chosen = list(dict.fromkeys(chosen))
    names = [path.stem for path in chosen]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice:
        raise Problem(f"two notebooks are both called {twice}: run them one at a time")
    return chosen


def _one(word, course):
    path = Path(word)
    if path.suffix == ".ipynb" and path.is_file():
        return path.resolve()
    by_word = {}
    for notebook in course:
        number, _, name = notebook.stem.partition("_")
        for alias in (number, number.lstrip("0") or "0", name, notebook.stem, notebook.name):
            by_word[alias] = notebook
    if word in by_word:
        return by_word[word]
    if path.name in by_word and path.parent.name == "notebooks":
        return by_word[path.name]
    there_are = f"there are {', '.join(p.stem for p in course)}"
    hint = did_you_mean(path.stem, by_word, there_are)
    raise Problem(f"there is no notebook {word!r}; {hint}")


def _executed(paths, cells, folder, jobs, settings):
    """Execute `paths`, at most `jobs` at once; yield (path, Result) as each one ends."""
    from tqdm import tqdm

    from .execute import Execution

    waiting, running, finished = list(paths), [], 0
    bar = tqdm(
        total=sum(cells[path] for path in paths),
        unit="cell",
        disable=None if paths else True,
        bar_format="{desc} {percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt} cells · {elapsed}",
        leave=False,
    )
    previous = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                path = waiting.pop(0)
                running.append(Execution(path, folder.running, folder.scratch, **settings))
            for execution in list(running):
                if not execution.poll():
                    continue
                running.remove(execution)
                finished += cells[execution.source]
                name, result = execution.source.stem, execution.result
                tqdm.write(f"{name}: {result.words}, {result.seconds:.0f} s")
                yield execution.source, result
            bar.n = finished + sum(execution.cells_done for execution in running)
            bar.set_description_str(", ".join(execution.source.stem for execution in running))
            time.sleep(EVERY)
    finally:
        # A second Ctrl-C must not leave a kernel behind.
        interrupt = signal.signal(signal.SIGINT, signal.SIG_IGN)
        for execution in running:
            execution.kill()
        bar.close()
        signal.signal(signal.SIGINT, interrupt)
        signal.signal(signal.SIGTERM, previous)


def _cells(path):
    import json

    try:
        return len(json.loads(path.read_text(encoding="utf-8"))["cells"])
    except (ValueError, KeyError, TypeError) as error:
        raise Problem(f"{_short(path)} is not a notebook that can be read: {error}") from error


def table(rows, skipped=()):
    """Return the table of results as text.

    Parameters
    ----------
    rows : list of (name, Result)
    skipped : collection of str
        Names whose result is an earlier run's.
    """
    lines = [("notebook", "status", "seconds", "peak MB", "headline")]
    for name, result in rows:
        words = f"{result.words}, earlier" if name in skipped else result.words
        numbers = (f"{result.seconds:.1f}", f"{result.megabytes:,.0f}")
        lines.append((name, words, *numbers, result.headline or result.error))
    first, second = (max(len(line[column]) for line in lines) for column in (0, 1))
    indent = first + second + 23
    width = shutil.get_terminal_size((120, 24)).columns
    texts = []
    for name, words, seconds, peak, said in lines:
        start = f"{name:<{first}}  {words:<{second}}  {seconds:>7}  {peak:>8}  "
        said = textwrap.wrap(said, max(30, width - indent)) or [""]
        texts.append(start + f"\n{' ' * indent}".join(said))
    return "\n".join(["", *(text.rstrip() for text in texts), ""])


def _count(text):
    with contextlib.suppress(ValueError):
        if int(text) >= 1:
            return int(text)
    raise argparse.ArgumentTypeError(f"must be a whole number of at least 1: got {text!r}")


def _short(path):
    with contextlib.suppress(ValueError):
        return str(Path(path).resolve().relative_to(Path.cwd()))
    return str(path)


def _duration(seconds):
    minutes, seconds = divmod(round(seconds), 60)
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"
