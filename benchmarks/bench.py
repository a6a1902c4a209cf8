"""Run every benchmark, print one table of ratios, and write RESULTS.md.

    python benchmarks/bench.py [NAME ...] [--stored]

A benchmark is a script beside this one with a function `ratios()`: the rows that it adds to the
table, read from what it stored. Those that train keep their finished runs under data/results/ and
do only what is missing there, so a second `make bench` takes minutes. With --stored nothing runs,
and the table is made from what is there. A benchmark that fails is named, and the others go on.
"""

import argparse
import importlib
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
RESULT = HERE / "RESULTS.md"
HELPERS = {"bench", "dealing", "machine", "ratios", "sweep"}


def names():
    """Return the names of all benchmarks, in alphabetical order."""
    return sorted(path.stem for path in HERE.glob("*.py") if path.stem not in HELPERS)


def run(name):
    """Run one benchmark; return how long it took, or None if it failed."""
    print(f"— {name}", flush=True)
    start = time.perf_counter()
    done = subprocess.run([sys.executable, str(HERE / f"{name}.py")], check=False)
    return time.perf_counter() - start if done.returncode == 0 else None


def rows(name):
    """Return the rows of one benchmark; one row that says so if it has stored nothing yet."""
    try:
        return importlib.import_module(name).ratios()
    except FileNotFoundError:
        return [{"what": "not measured yet", "ratio": "–", "promised": ""}]


def table(found):
    """Return the lines of a Markdown table from name → rows."""
    lines = [
        "| benchmark | what is divided by what | ratio | promised |",
        "| --- | --- | ---: | --- |",
    ]
    for name, entries in found.items():
        for entry in entries:
            lines.append(f"| `{name}` | {entry['what']} | {entry['ratio']} | {entry['promised']} |")
    return lines


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these; all by default")
    parser.add_argument("--stored", action="store_true", help="run nothing")
    options = parser.parse_args()
    unknown = set(options.names) - set(names())
    if unknown:
        parser.error(f"no benchmark {', '.join(sorted(unknown))}: there are {', '.join(names())}")
    failed = []
    if not options.stored:
        failed = [name for name in options.names or names() if run(name) is None]

    sys.path.insert(0, str(HERE))
    from machine import describe

    lines = table({name: rows(name) for name in names()})
    print("\n" + "\n".join(lines))
    RESULT.write_text(
        "# Benchmarks\n\n"
        "Made by `make bench`. Ratios, since absolute times vary from run to run: both sides of "
        "each were measured in one run. Where there are several seeds, it is the median of the "
        "paired ratios, with the smallest and the largest. Each script's first lines say what it "
        "does, and "
        "`benchmarks/results/` and `data/results/` hold what it found.\n\n"
        f"Machine: {describe('numpy', 'tensorflow', 'keras')}\n\n" + "\n".join(lines) + "\n",
        encoding="utf-8",
    )
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
