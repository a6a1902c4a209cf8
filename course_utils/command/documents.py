"""The project's own Markdown files as pages of the site: split, and their links led there."""

import re
import shutil
from pathlib import PurePosixPath

from . import Problem

# A link or a picture, but no formula and nothing inside code.
LINK = re.compile(r"(?<=\]\()(?!https?:|mailto:)([^)#\s]*)(#[^)\s]*)?(?=\))")
FENCE = re.compile(r"^```.*?^```\s*?$", flags=re.S | re.M)


def sections(text):
    """Split Markdown at its headings of the second level.

    Returns
    -------
    title : str
        The heading of the first level.
    opening : str
        What stands between the two.
    parts : dict from str to str
        Heading to text, without the heading, in order.
    """
    hidden = []

    def hide(match):
        hidden.append(match[0])
        return f"\0{len(hidden) - 1}\0"

    def show(part):
        return re.sub(r"\0(\d+)\0", lambda match: hidden[int(match[1])], part).strip()

    first, *rest = re.split(r"^## +(.+)$", FENCE.sub(hide, text), flags=re.M)
    title, _, opening = first.strip().partition("\n")
    parts = {show(name): show(part) for name, part in zip(rest[::2], rest[1::2], strict=True)}
    return title.lstrip("# "), show(opening), parts


def anchor(heading):
    """Return the anchor of a heading, as GitHub and MyST make it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")


class Pages:
    """Where each file of the project is on the site.

    Parameters
    ----------
    root : Path
        The project.
    folder : Path
        Where the pages' sources are written.
    """

    def __init__(self, root, folder):
        self.root, self.folder = root, folder
        self._pages, self._anchors = {}, {}

    def add(self, file, page, headings=()):
        """Say that `file`, or the part of it with these `headings`, becomes the page `page`."""
        self._pages.setdefault(file, page)
        for heading in headings:
            self._anchors[file, anchor(heading)] = page

    def write(self, page, text, file):
        """Write the source of a page that comes from `file`.

        Raises
        ------
        Problem
            If a link leads to a file that is not there.
        """
        source = re.split(rf"({FENCE.pattern})", text, flags=re.S | re.M)
        source[::2] = [LINK.sub(lambda link: self._led(link, file), part) for part in source[::2]]
        (self.folder / page).write_text("".join(source).strip() + "\n", encoding="utf-8")

    def _led(self, link, file):
        target, place = link[1], link[2] or ""
        if not target:
            page = self._anchors.get((file, place[1:]))
            return f"{page}{place}" if page else place
        parts = []
        for part in (PurePosixPath(file).parent / target).parts:
            if part == "..":
                parts.pop()
            else:
                parts.append(part)
        name = "/".join(parts)
        if name in self._pages:
            return f"{self._anchors.get((name, place[1:]), self._pages[name])}{place}"
        source = self.root / name
        if not source.is_file():
            raise Problem(f"{file} links to {target}, which is not there")
        copy = self.folder / "files" / name.replace("/", "-").lstrip(".")
        copy.parent.mkdir(exist_ok=True)
        shutil.copyfile(source, copy)
        return f"files/{copy.name}"
