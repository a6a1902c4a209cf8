"""The ``course`` command: run, test and look after the course from a terminal.

Each sub-command is a module with ``add_arguments(parser)`` and ``run(options) -> int``. Only the
one that is asked for is imported, so that ``course --help`` answers at once.
"""

import argparse
import errno
import sys
from importlib import import_module
from pathlib import Path

COMMANDS = {
    "run": "execute notebooks, and write executed copies and HTML pages to build/",
    "site": "make the website of the course from executed notebooks",
    "slides": "make slides of each notebook from executed notebooks",
    "data": "list, fetch, import, verify or draw the data sets",
    "tidy": "clear outputs and counts of notebooks, and put their metadata in order",
    "doctor": "say whether this machine can run the course, and what to do if not",
}
ROOT = Path(__file__).resolve().parents[2]

# jsonschema, which nbformat imports, takes this as "not installed". It would build 38 grammars, in
# every process anew and for longer than all else here takes, of a format that no notebook has.
sys.modules.setdefault("rfc3987_syntax", None)


class Problem(Exception):
    """What the person at the terminal can mend; its text is the one sentence that they read."""


def explain(error, doing):
    """Return one sentence for an `OSError` that happened while `doing` (``"writing to build"``)."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"the disk is full ({doing}): free some space, or choose another folder"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"no permission ({doing}): change it, or choose another folder"
    return f"{doing} failed: {error.strerror or error}"


def main(argv=None):
    """Run ``course ARGV`` and return its exit status: 0, 1 (something failed), 2 (misuse), 130."""
    argv = sys.argv[1:] if argv is None else list(argv)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            # A Windows console or a C locale must not turn "5×5" into a traceback.
            stream.reconfigure(errors="replace")
    parser = argparse.ArgumentParser(prog="course", description="Run and look after the course.")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    wanted = next((word for word in argv if not word.startswith("-")), None)
    for name, text in COMMANDS.items():
        child = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        if name == wanted:
            module = import_module(f".{name}", __name__)
            module.add_arguments(child)
            child.set_defaults(action=module.run)
    options = parser.parse_args(argv)
    try:
        return options.action(options)
    except Problem as problem:
        print(f"course {options.command}: {problem}", file=sys.stderr)
        return 2
    except OSError as error:
        doing = f"using {error.filename}" if error.filename else "reading or writing a file"
        print(f"course {options.command}: {explain(error, doing)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"course {options.command}: stopped", file=sys.stderr)
        return 130
