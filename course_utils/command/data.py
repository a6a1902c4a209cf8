"""``course data``: what data are there, and how the real ones get there."""

import sys
import tempfile
from pathlib import Path

from .. import data, downloads, fetching
from ..choices import one_of
from ..formats import DataError

FETCHED = (*data.NAMES, "pretrained")  # what can be fetched; the last is weights, not images


def add_arguments(parser):
    """Add the sub-commands to an argparse parser."""
    actions = parser.add_subparsers(dest="action_of_data", metavar="ACTION", required=True)

    def add(name, help_, action, names=False):
        child = actions.add_parser(name, help=help_, description=help_[0].upper() + help_[1:] + ".")
        child.set_defaults(data_action=action)
        if names:
            child.add_argument(
                "names",
                nargs="*",
                metavar="NAME",
                help=f"{', '.join(FETCHED)} (default: all)",
            )
        return child

    add("list", "say which data sets are there", _list)
    add(
        "fetch",
        "download the real data sets and the pretrained weights, once; run again to go on",
        _fetch,
        names=True,
    )
    child = add("import", "take the real data sets and the weights from a disk or a stick", _import)
    child.add_argument("paths", nargs="+", metavar="PATH", help="file, folder or zip file")
    add("verify", "hash everything again; exit 1 if something is wrong", _verify, names=True)
    child = add("draw", "draw the bundled clothes and pets anew", _draw)
    child.add_argument("--check", action="store_true", help="only compare with what is shipped")


def run(options):
    """Run one sub-command.

    Parameters
    ----------
    options : argparse.Namespace

    Returns
    -------
    int
        Exit status: 0, or 1 with one sentence on stderr.
    """
    try:
        for name in getattr(options, "names", ()):
            one_of("name", name, FETCHED)
        return options.data_action(options)
    except (DataError, ValueError) as error:
        print(f"course data: {error}", file=sys.stderr)
        return 1


def _list(options):
    rows = [("name", "what", "state", "size", "where")]
    for name in FETCHED:
        if name in data.NAMES:
            title = downloads.manifest()[name]["bundled"]["title"]
            try:
                data.load(name, "bundled")
                state = "bundled"
            except DataError:
                state = "missing or damaged: course data draw"
            rows.append((name, title, state, *_bundled_place(name)))
        for variant in downloads.variants(name):
            if variant.there:
                state = "real, verified"
                try:
                    downloads.read(variant)
                except DataError:
                    state = "real, WRONG: course data verify"
                files = [variant.path / file for file in variant.spec["files"]]
                size = sum(file.stat().st_size for file in files if file.is_file())
                rows.append((name, variant.title, state, _megabytes(size), str(variant.path)))
        if not downloads.find(name):
            title = downloads.variants(name)[0].title
            rows.append((name, title, "not here", "", f"course data fetch {name}"))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print("  ".join(cells).rstrip())
    return 0


def _bundled_place(name):
    if name == "digits":
        return "", "comes with scikit-learn"
    from ..drawing import BUNDLED

    path = downloads.DATA / BUNDLED[name].file
    return _megabytes(path.stat().st_size) if path.is_file() else "", str(path)


def _megabytes(size):
    return f"{size / 1e6:.1f} MB"


def _fetch(options):
    failed = 0
    for name in options.names or FETCHED:
        try:
            _say(fetching.fetch(name))
        except DataError as error:
            print(f"course data: {error}", file=sys.stderr)
            failed = 1
    return failed


def _import(options):
    failed = 0
    for path in options.paths:
        try:
            for installed in fetching.import_(path):
                _say(installed)
        except DataError as error:
            print(f"course data: {error}", file=sys.stderr)
            failed = 1
    return failed


def _say(installed):
    verb = "verified, now in" if installed.changed else "was here already, verified, in"
    print(f"{installed.name}: {installed.title}: {verb} {installed.path}")


def _verify(options):
    wrong = 0
    for name in options.names or FETCHED:
        found = downloads.verify(name)
        for status in found:
            if status.problem:
                wrong = 1
                print(f"course data: {name}: {status.problem}", file=sys.stderr)
            else:
                print(f"{name}: {status.title} is right ({_megabytes(status.size)})")
        if not found:
            print(f"{name}: {downloads.variants(name)[0].title} is not here")
        if name not in data.NAMES:
            continue
        try:
            print(f"{name}: {data.load(name, 'bundled').title} can be read")
        except DataError as error:
            wrong = 1
            print(f"course data: {name}: {error}", file=sys.stderr)
    return wrong


def _draw(options):
    from ..drawing import BUNDLED, write_bundled

    if not options.check:
        for path in write_bundled(downloads.DATA):
            print(f"drew {path} ({_megabytes(Path(path).stat().st_size)})")
        return 0
    with tempfile.TemporaryDirectory() as fresh:
        write_bundled(fresh)
        differ = [name for name in BUNDLED if not _same_drawing(name, fresh)]
    if differ:
        raise DataError(
            f"a fresh drawing of {' and '.join(differ)} is not what is shipped: "
            "`course data draw` writes it anew"
        )
    print("a fresh drawing gives what is shipped")
    return 0


def _same_drawing(name, fresh):
    """Compare the pictures, not the files: compression differs between versions of zlib."""
    from ..drawing import read_bundled

    try:
        shipped = read_bundled(name, downloads.DATA)
    except (OSError, ValueError):
        return False
    return all(
        (one == other).all() if one.shape == other.shape else False
        for one, other in zip(shipped, read_bundled(name, fresh), strict=True)
    )
